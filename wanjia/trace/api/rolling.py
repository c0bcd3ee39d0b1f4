"""New signing keys of the log: announced in the log under the old ones, then taken up; whoever trusts the old ones can follow (rules/handover.py).

In two steps, so that witnesses and checkers who keep the keys by hand have the time between. The old secrets are gone with the second.
"""

from dataclasses import dataclass
from pathlib import Path

from django.db import connection, transaction

from wanjia.kernel import clock, settings
from wanjia.kernel.keyring import Keyring
from wanjia.trace.adapters import signer as own
from wanjia.trace.adapters.signer import Signer
from wanjia.trace.api.gate import LOG_LOCK
from wanjia.trace.api.log import checkpoint, opening, read_tile
from wanjia.trace.api.recording import record
from wanjia.trace.api.searching import entries_by_id
from wanjia.trace.errors import KeysAnnounced, KeysNotYetTold, NotInLog
from wanjia.trace.rules.handover import ANNOUNCED, Handover, announcement, ensure_handed_over
from wanjia.trace.rules.note import Key, joined, parse_checkpoint
from wanjia.trace.rules.receipt import Receipt
from wanjia.trace.rules.tree import Tree


@dataclass(frozen=True)
class SigningKeys:
    """Verifier keys that sign together: of the trees from `first` to `last` leaves (None: to this day); `state`: former, current or announced."""

    keys: tuple[str, ...]
    first: int
    last: int | None
    state: str


def signing_keys() -> list[SigningKeys]:
    """All keys of this log, oldest first. No secret is among them. Raises `KeyUnavailable`."""
    home = settings.home()
    found = [
        SigningKeys(
            tuple(key.vkey for key in one.keys), one.first, one.last, "current" if one.last is None else "former"
        )
        for one in Signer.open(home).generations
    ]
    if announced := _announced(home):
        found.append(SigningKeys(tuple(key.vkey for key in announced[0]), 0, None, "announced"))
    return found


def announce_keys(*, by: str, why: str) -> list[str]:
    """Make new signing keys and tell them in the log; the old ones sign on until `take_up_keys`. Returns the new verifier keys.

    Raises `KeysAnnounced` when some are announced already.
    """
    home = settings.home()
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOG_LOCK])
        if _announced(home) is not None:
            raise KeysAnnounced()
        now = Signer.open(home)
        made = own.new_signer(now.origin)
        # this entry is shown to everybody: it names keys, and who asked for them stands in an entry of its own
        [entry] = record(ANNOUNCED, by="trace", why="keys", detail=announcement(now.keys, made.keys))
        record("trace.announce_keys", by=by, why=why, detail={"entry": entry})
        # before the commit: an announcement without its keys could never be taken up
        own.announce_keys(home, Keyring.open(home), entry, made)
    return [key.vkey for key in made.keys]


def take_up_keys(*, by: str, why: str) -> int:
    """From the newest checkpoint on the announced keys sign, and the old ones are gone. Returns that checkpoint's size.

    Raises `KeysNotYetTold` when none are announced, or the announcement is not published yet.
    """
    home = settings.home()
    with transaction.atomic(), connection.cursor() as cursor:
        # sequencers look at the file under this lock: none signs with the old keys after this
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOG_LOCK])
        announced, note = _announced(home), checkpoint()
        if announced is None or note is None:
            raise KeysNotYetTold()
        head = parse_checkpoint(note)
        try:
            seq, nonce, entry = opening(announced[1])
        except NotInLog:
            raise KeysNotYetTold() from None
        if seq >= head.size:
            raise KeysNotYetTold()
        now, following = Signer.open(home), Signer.open(home, announced=True)
        signed = joined(note, following.sign(head, int(clock.now().timestamp())).signatures)
        receipt = Receipt(nonce, entry, seq, tuple(Tree(head.size, read_tile).inclusion(seq)), signed)
        handover = Handover(tuple(now.keys), tuple(following.keys), receipt)
        ensure_handed_over(handover)
        record(
            "trace.take_up_keys", by=by, why=why, detail={"size": head.size, **announcement(now.keys, following.keys)}
        )
        own.take_up(home, handover)
    return head.size


def _announced(home: Path) -> tuple[list[Key], int] | None:
    """The keys that come next and the entry that tells them; an announcement that failed, or that a restored database has forgotten, is none."""
    found = own.announced_keys(home)
    return found if found and entries_by_id([found[1]]) else None

"""How a log goes on under new signing keys, so that whoever trusts one generation of its keys can follow to the others.

A handover is one text: the verifier keys of both generations, and a receipt (tlog-proof) of the entry that announces the new ones. The receipt's
checkpoint, the last of the old keys, is signed by all keys of both generations. So the old keys say which come next, in an entry that everybody's log
holds; the new keys say where they begin; and the old ones count for no tree larger than that one.
"""

import hashlib
import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from wanjia.trace.rules.note import Checkpoint, Key, Note, parse_checkpoint, parse_vkey, verified
from wanjia.trace.rules.receipt import Receipt, checked, parse_receipt
from wanjia.trace.rules.tree import ProofWrong

FIRST_LINE = "wanjia-handover/v1"
#: the kind of the entry that announces new keys
ANNOUNCED = "trace.new_keys"
_BEGINS = re.compile(rf"^(?={re.escape(FIRST_LINE)}\n)", re.MULTILINE)


@dataclass(frozen=True)
class Generation:
    """Keys that sign together, and the sizes of the trees whose checkpoints they may sign; `last` None: to this day."""

    keys: tuple[Key, ...]
    first: int = 0
    last: int | None = None


@dataclass(frozen=True)
class Handover:
    """One generation's keys hand the log over to the next; taken apart, not yet verified."""

    old: tuple[Key, ...]
    new: tuple[Key, ...]
    receipt: Receipt

    @cached_property
    def head(self) -> Checkpoint:
        """The last head of the old keys, and the first that the new ones signed."""
        return parse_checkpoint(self.receipt.note)

    @property
    def whole(self) -> str:
        """The handover as text."""
        lines = [FIRST_LINE, *(f"old {key.vkey}" for key in self.old), *(f"new {key.vkey}" for key in self.new)]
        return "\n".join(lines) + "\n\n" + self.receipt.whole


def announcement(old: Iterable[Key], new: Iterable[Key]) -> dict[str, list[str]]:
    """What the entry that announces new keys says in its detail: SHA-256 of each verifier key, in hex."""
    return {"old": _hashes(old), "new": _hashes(new)}


def _hashes(keys: Iterable[Key]) -> list[str]:
    return sorted(hashlib.sha256(key.vkey.encode()).hexdigest() for key in keys)


def parse_handovers(content: str) -> list[Handover]:
    """The handovers of a file, oldest first, not yet verified. Raises `ProofWrong`."""
    texts = _BEGINS.split(content)
    if texts[0]:
        raise ProofWrong("not a list of handovers")
    return [_parse(text) for text in texts[1:]]


def _parse(content: str) -> Handover:
    head, separator, receipt = content.partition("\n\n")
    lines = [line.partition(" ") for line in head.split("\n")[1:]]
    if not separator or any(word not in ("old", "new") for word, _, _ in lines):
        raise ProofWrong("not a handover")
    old, new = (tuple(parse_vkey(key) for word, _, key in lines if word == wanted) for wanted in ("old", "new"))
    if not old or not new or len({key.name for key in (*old, *new)}) != 1 or set(old) & set(new):
        raise ProofWrong("not a handover from one log's keys to its next")
    return Handover(old, new, parse_receipt(receipt))


def ensure_handed_over(one: Handover) -> None:
    """That the handover holds: announced in the log, under a head that all keys of both generations signed. Raises `ProofWrong`."""
    checked(one.receipt, origin=one.old[0].name, keys=[*one.old, *one.new])
    try:
        entry = json.loads(one.receipt.entry)
        said = (entry["kind"], {name: entry["detail"][name] for name in ("old", "new")})
    except (ValueError, KeyError, TypeError):
        raise ProofWrong("the entry announces no keys") from None
    if said != (ANNOUNCED, announcement(one.old, one.new)):
        raise ProofWrong("the entry announces other keys")


def generations(keys: Sequence[Key], handovers: Sequence[Handover]) -> list[Generation]:
    """The generations that somebody who trusts `keys` (all or some of one generation) may go by, oldest first.

    Handovers that do not lead from or to those keys change nothing. Raises `ProofWrong` when one that does does not hold.
    """
    chain = [handovers[0].old, *(one.new for one in handovers)] if handovers else []
    place = next((number for number, known in enumerate(chain) if set(keys) <= set(known)), None)
    if place is None:
        return [Generation(tuple(keys))]
    before = None
    for one in handovers:
        ensure_handed_over(one)
        if before is not None and (before.new != one.old or before.head.size >= one.head.size):
            raise ProofWrong("the handovers are no chain")
        before = one
    edges = [0, *(one.head.size for one in handovers), None]
    chain[place] = tuple(keys)
    return [Generation(tuple(known), edges[n] or 0, edges[n + 1]) for n, known in enumerate(chain)]


def signed_by(
    note: Note, trusted: Sequence[Generation], witnesses: Sequence[Key] = ()
) -> tuple[Generation, Checkpoint]:
    """The generation whose keys, and the witnesses, all signed the note and might; and the head. Raises `ProofWrong`."""
    head = parse_checkpoint(note)
    fitting = [one for one in trusted if one.first <= head.size and (one.last is None or head.size <= one.last)]
    wrong = ProofWrong("the keys of that time did not sign")
    for one in fitting:
        try:
            verified(note, [*one.keys, *witnesses])
            return one, head
        except ProofWrong as why:
            wrong = why
    raise wrong

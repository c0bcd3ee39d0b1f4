"""The nightly self-check: the whole log made anew from the rows, and everything that must fit it. It needs the database and the keys."""

import hashlib
import json
import random
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction

from wanjia.kernel import clock, settings
from wanjia.kernel.errors import KeyUnavailable
from wanjia.kernel.keyring import Keyring
from wanjia.trace.adapters.signer import Signer
from wanjia.trace.api.gate import ensure_continues, is_open, newest, shut_because
from wanjia.trace.api.log import NONCE_PURPOSE, checkpoint, entry_of, nonce_aad, read_tile
from wanjia.trace.api.recording import record
from wanjia.trace.api.sealing import sealed_counts
from wanjia.trace.api.witnessing import cosigned_at, witnesses
from wanjia.trace.errors import LogBroken
from wanjia.trace.rules.entry import canonical, commitment
from wanjia.trace.rules.note import parse_checkpoint
from wanjia.trace.rules.tree import HASH_BYTES, TILE_WIDTH, ProofWrong, Tree, grown, is_included, leaf_hash, right_edge

ROWS_AT_A_TIME = 8192
CHECKED, ASKED = "trace.self_check", "trace.check_asked"
SAMPLED, MOST_TOLD = 300, 20
#: what an entry's detail may hold
_PLAIN = re.compile(r"[^A-Za-z0-9_.:/+ -]")
#: longer than this an entry must not wait for its checkpoint
LATE_AFTER = timedelta(seconds=60)
UNWITNESSED_AFTER = timedelta(hours=24)

_ROWS = """
SELECT p.seq, p.commitment, n.sealed, x.seq IS NOT NULL AS erased, g.first_seq IS NOT NULL AS lost,
    e.id, e.at, e.kind, e.actor, e.department, e.purpose, e.basis, e.subject, e.reach, e.detail::text
FROM trace_place p
LEFT JOIN trace_nonce n USING (seq)
LEFT JOIN trace_entry e ON e.id = p.entry_id
LEFT JOIN trace_erasure x ON x.seq = p.seq
LEFT JOIN trace_gap g ON p.seq >= g.first_seq AND p.seq < g.end_seq
WHERE p.seq >= %s AND p.seq < %s ORDER BY p.seq
"""
_NAMES = ("id", "at", "kind", "actor", "department", "purpose", "basis", "subject", "reach")


@dataclass
class Health:
    """How the log stands: figures that may be shown to anybody."""

    is_open: bool
    shut_because: str
    size: int
    published_at: datetime | None
    cosigned_at: datetime | None
    witnesses: int
    pending: int
    waits_since: datetime | None
    sealed: dict[str, int]
    alarms: list[str] = field(default_factory=list)


def health() -> Health:
    """How the log stands now. Alarms are codes: shut, late, no_witness, unwitnessed, seal_late, never_published."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT size, at FROM trace_checkpoint ORDER BY size DESC LIMIT 1")
        size, published_at = cursor.fetchone() or (0, None)
        cursor.execute("SELECT count(*), min(e.at) FROM trace_pending p JOIN trace_entry e ON e.id = p.entry_id")
        pending, waits_since = cursor.fetchone()
    found = Health(
        is_open(),
        shut_because(),
        size,
        published_at,
        cosigned_at(),
        len(witnesses()),
        pending,
        waits_since,
        sealed_counts(),
    )
    now = clock.now()
    signs = {
        "shut": not found.is_open,
        "never_published": bool(pending) and not size,
        "late": waits_since is not None and now - waits_since > LATE_AFTER,
        "no_witness": not found.witnesses,
        "unwitnessed": bool(found.witnesses and size)
        and (found.cosigned_at is None or now - found.cosigned_at > UNWITNESSED_AFTER)
        and published_at is not None
        and now - published_at < UNWITNESSED_AFTER,
        "seal_late": found.sealed["late"] > 0,
    }
    found.alarms = [name for name, is_on in signs.items() if is_on]
    return found


@transaction.atomic
def self_check(*, by: str, why: str, told: Callable[[int, int], None] | None = None) -> list[str]:
    """Make the whole log anew from its rows and compare. Returns what is wrong, in words for an administrator; empty: all is well.

    Takes about 20 s a million entries. Writes one entry with the number of findings and the counts of sealed reads.
    """
    with connection.cursor() as cursor:
        # one picture of all tables: the sequencer goes on meanwhile
        if not connection.savepoint_ids:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        head = newest(cursor)
        wrong = _tree(cursor, head.size, head.root, told) if head else []
        wrong += _rest(cursor)
    wrong += [f"alarm: {name}" for name in health().alarms if name != "no_witness"]
    told_of = [_PLAIN.sub(" ", one)[:120] for one in wrong[:MOST_TOLD]]
    size = head.size if head else 0
    record(CHECKED, by=by, why=why, detail={"findings": len(wrong), "said": told_of, "size": size, **sealed_counts()})
    return wrong


@dataclass(frozen=True)
class LastCheck:
    """The newest check of the whole log: when, by whom, how many places, how many findings, and the first of them in words for an administrator.

    `asked_at`: somebody asked for another since; the timetable makes it within a minute or two.
    """

    at: datetime | None
    by: str
    size: int
    findings: int
    said: list[str]
    asked_at: datetime | None


def last_check() -> LastCheck:
    """How the newest check of the whole log ended, and whether another is asked for."""
    done, asked = _newest_of(CHECKED), _newest_of(ASKED)
    asked_at = asked[1] if asked and (done is None or asked[0] > done[0]) else None
    if done is None:
        return LastCheck(None, "", 0, 0, [], asked_at)
    detail = json.loads(done[3])
    return LastCheck(done[1], done[2], detail.get("size", 0), detail["findings"], detail.get("said", []), asked_at)


def _newest_of(kind: str) -> tuple[Any, ...] | None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id, at, actor, detail::text FROM trace_entry WHERE kind = %s ORDER BY id DESC LIMIT 1", [kind]
        )
        return cursor.fetchone()


def ask_check(*, by: str, why: str) -> None:
    """Ask for a check of the whole log by the timetable; asking again before it is made changes nothing."""
    if last_check().asked_at is None:
        record(ASKED, by=by, why=why)


def check_if_asked(*, by: str, why: str) -> list[str] | None:
    """Make the check that was asked for; what is wrong, or None when none was."""
    return self_check(by=by, why=why) if last_check().asked_at is not None else None


def sample_check(*, by: str, why: str, count: int = SAMPLED) -> tuple[int, int, list[str]]:
    """(size, places looked at, what is wrong) of a short check: the newest head's signature, that the log goes on from all known to be
    published, and places at random, each made anew from its entry and proven to be in the signed tree. Its time does not grow with the log. Traced.
    """
    wrong: list[str] = []
    with transaction.atomic(), connection.cursor() as cursor:
        note, signer = checkpoint(), Signer.open(settings.home())
        if note is None:
            return 0, 0, []
        try:
            head = signer.own_head(note)
            ensure_continues(cursor, signer)
        except (ProofWrong, LogBroken) as broken:
            return (
                parse_checkpoint(note).size,
                0,
                [f"the newest head does not stand: {getattr(broken, 'fields', {}).get('reason', broken)}"],
            )
        places = sorted(random.SystemRandom().sample(range(head.size), min(count, head.size)))
        sealer, tree = Keyring.open(settings.home()).sealer(NONCE_PURPOSE), Tree(head.size, read_tile)
        cursor.execute(_ROWS.replace("p.seq >= %s AND p.seq < %s", "p.seq = ANY(%s)"), [places])
        rows = cursor.fetchall()
        if len(rows) != len(places):
            wrong.append(f"{len(places) - len(rows)} places are missing")
        for seq, said, sealed, is_erased, is_lost, *columns in rows:
            if not (is_erased or is_lost) and (reason := _opens(sealer, seq, bytes(said), sealed, columns)):
                wrong.append(f"place {seq}: {reason}")
            if not is_included(seq, head.size, leaf_hash(bytes(said)), tree.inclusion(seq), head.root):
                wrong.append(f"place {seq}: not in the signed tree")
        record(
            "trace.sample_check",
            by=by,
            why=why,
            detail={"findings": len(wrong), "places": len(rows), "size": head.size},
        )
    return head.size, len(rows), wrong


def _tree(cursor: Any, size: int, root: bytes, told: Callable[[int, int], None] | None) -> list[str]:
    sealer = Keyring.open(settings.home()).sealer(NONCE_PURPOSE)
    wrong: list[str] = []
    edge: dict[tuple[int, int], bytes] = {}
    done = 0
    while done < size:
        cursor.execute(_ROWS, [done, min(done + ROWS_AT_A_TIME, size)])
        rows = cursor.fetchall()
        if [row[0] for row in rows] != list(range(done, min(done + ROWS_AT_A_TIME, size))):
            return [*wrong, f"places between {done} and {done + ROWS_AT_A_TIME} are missing"]
        leaves = []
        for seq, said, sealed, is_erased, is_lost, *columns in rows:
            leaves.append(leaf_hash(bytes(said)))
            if not (is_erased or is_lost) and (reason := _opens(sealer, seq, bytes(said), sealed, columns)):
                wrong.append(f"place {seq}: {reason}")
            if is_erased and (sealed is not None or columns[0] is not None):
                wrong.append(f"place {seq}: erased, but its content is still there")
        needed = {(level, index): edge[level, index] for level, index, _ in right_edge(done)}
        done, changed = grown(done, needed, leaves)
        wrong += _compared(cursor, changed, done == size)
        edge = {place: tile for place, tile in {**needed, **changed}.items() if len(tile) < TILE_WIDTH * HASH_BYTES}
        if told:
            told(done, size)
    if Tree(size, lambda level, index, width: _stored(cursor, level, index)[: width * HASH_BYTES]).root() != root:
        wrong.append("the tiles do not fold to the signed root")
    return wrong


def _opens(sealer: Any, seq: int, said: bytes, sealed: Any, columns: list[Any]) -> str:
    if sealed is None or columns[0] is None:
        return "its entry or nonce is gone without an erasure"
    try:
        nonce = sealer.unseal(bytes(sealed), nonce_aad(seq))
    except KeyUnavailable:
        return "its nonce does not open"
    entry = entry_of(dict(zip(_NAMES, columns[:-1], strict=True)), columns[-1])
    return "" if commitment(nonce, canonical(entry)) == said else "its entry is not what was published"


def _stored(cursor: Any, level: int, index: int) -> bytes:
    cursor.execute("SELECT hashes FROM trace_tile WHERE level = %s AND index = %s", [level, index])
    row = cursor.fetchone()
    return bytes(row[0]) if row else b""


def _compared(cursor: Any, changed: dict[tuple[int, int], bytes], is_end: bool) -> list[str]:
    return [
        f"tile {level}/{index} does not follow from the places"
        for (level, index), tile in changed.items()
        if (is_end or len(tile) == TILE_WIDTH * HASH_BYTES) and _stored(cursor, level, index)[: len(tile)] != tile
    ]


def _rest(cursor: Any) -> list[str]:
    """What must fit besides the tree: nobody waits unseen, seals have no hole, lists of bulk work are those that were bound."""
    wrong = []
    cursor.execute(
        "SELECT count(*) FROM trace_entry e WHERE NOT EXISTS (SELECT FROM trace_place p WHERE p.entry_id = e.id)"
        " AND NOT EXISTS (SELECT FROM trace_pending w WHERE w.entry_id = e.id)"
    )
    if lost := cursor.fetchone()[0]:
        wrong.append(f"{lost} entries have no place and do not wait for one")
    cursor.execute("SELECT count(*), coalesce(max(number), 0) FROM trace_seal")
    count, last = cursor.fetchone()
    if count != last:
        wrong.append(f"of {last} seals {last - count} are missing")
    cursor.execute(
        "SELECT count(*) FROM trace_entry e FULL JOIN trace_seal s ON s.entry_id = e.id WHERE (e.detail ? 'sealed' OR s.entry_id IS NOT NULL)"
        " AND (e.id IS NULL AND NOT EXISTS (SELECT FROM trace_erasure x WHERE x.entry_id = s.entry_id)"
        " OR e.id IS NOT NULL AND (s.basis, s.approver, s.opens_on::text)"
        " IS DISTINCT FROM (e.detail->'sealed'->>'basis', e.detail->'sealed'->>'approver', e.detail->'sealed'->>'opens_on'))"
    )
    if other := cursor.fetchone()[0]:
        wrong.append(f"{other} seals are not those their entries bind")
    # a day may begin half a day earlier than in UTC
    cursor.execute(
        "SELECT count(*) FROM trace_seal s WHERE s.opened_at AT TIME ZONE 'UTC' + interval '14 hours' < s.opens_on AND NOT EXISTS ("
        " SELECT FROM trace_entry e WHERE e.kind = 'trace.open_seal' AND (e.detail->>'entry')::bigint = s.entry_id)"
    )
    if early := cursor.fetchone()[0]:
        wrong.append(f"{early} seals were opened before their day, and no entry tells of it")
    cursor.execute("SELECT id, detail->>'persons_sha256' FROM trace_entry WHERE reach = 1")
    for entry_id, bound in cursor.fetchall():
        cursor.execute(
            "SELECT persons, lower(span) AS first FROM trace_jobpart WHERE entry_id = %(job)s UNION ALL"
            " SELECT int8send(person_id), person_id FROM trace_jobperson WHERE entry_id = %(job)s ORDER BY first",
            {"job": entry_id},
        )
        listed = b"".join(bytes(row[0]) for row in cursor.fetchall())
        if hashlib.sha256(listed).hexdigest() != bound:
            wrong.append(f"entry {entry_id}: the persons listed are not those it binds")
    return wrong

"""Going on after a restore: the restored database has forgotten places that are published, and must not give them away a second time.

The commitments of the lost entries are in every copy of the public files. They are taken over as places without content: the log goes on from what
was published, nobody's proof breaks, and the gap says exactly which entries existed whose content is lost.
"""

from django.db import connection, transaction

from wanjia.kernel import settings
from wanjia.kernel.database import copy_rows
from wanjia.trace.adapters.files import source_at
from wanjia.trace.adapters.signer import Signer
from wanjia.trace.api.checking import PublicLog, Trust
from wanjia.trace.api.gate import LOG_LOCK, bind, ensure_begins_with, newest, remember, remembered
from wanjia.trace.api.recording import record
from wanjia.trace.api.sequencing import publish
from wanjia.trace.api.witnessing import witnessed
from wanjia.trace.errors import LogBroken
from wanjia.trace.rules.note import parse_checkpoint, parse_note
from wanjia.trace.rules.tiles import CHECKPOINT, TileName, unbundle
from wanjia.trace.rules.tree import TILE_WIDTH, leaf_hash


def reopen(place: str, *, by: str, why: str) -> tuple[int, int] | None:
    """Take over from the public files at `place` what the database lost, publish the gap, open the gate. Returns (first, end) of the gap.

    The copy must be whole and signed by our own keys, reach what this installation and the witnesses last published, and begin with what the
    database still has. Raises `ProofRefused`, `PublicFileMissing`, `LogBroken`; nothing has changed then.
    """
    signer = Signer.open(settings.home())
    trust = Trust(tuple(signer.keys), handovers=signer.handovers)
    copy = PublicLog(place, trust)
    head = copy.verify_all()
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOG_LOCK])
        here = newest(cursor)
        size = here.size if here else 0
        own = remembered(signer)
        known = [*([parse_checkpoint(own)] if own else []), *witnessed(signer)]
        for published in known:
            if published.size > max(head.size, size):
                raise LogBroken(reason="rollback", here=max(head.size, size), published=published.size)
        gap = None
        if head.size > size:
            if size:
                copy.ensure_begins_with(here, head)
            commitments = _commitments(place, size, head.size)
            rows = ((seq, None, said) for seq, said in enumerate(commitments, start=size))
            copy_rows(cursor, "trace_place", ["seq", "entry_id", "commitment"], rows, types=["int8", "int8", "bytea"])
            publish(cursor, signer, size, [leaf_hash(said) for said in commitments])
            note = source_at(place).read(CHECKPOINT).decode()
            cursor.execute(
                "INSERT INTO trace_gap (first_seq, end_seq, note) VALUES (%s, %s, %s)", [size, head.size, note]
            )
            gap = (size, head.size)
        here = newest(cursor)
        for published in [*known, head]:
            ensure_begins_with(here, published)
        bind(cursor)
        record("trace.reopen", by=by, why=why, detail={"lost": gap or [], "size": here.size if here else 0})
        cursor.execute("SELECT note FROM trace_checkpoint ORDER BY size DESC LIMIT 1")
        newest_note = cursor.fetchone()
    if newest_note:
        remember(parse_note(newest_note[0]))
    return gap


def _commitments(place: str, first: int, end: int) -> list[bytes]:
    """The commitments of the places first … end - 1, from bundles that were verified."""
    source, found = source_at(place), []
    for index in range(first // TILE_WIDTH, (end - 1) // TILE_WIDTH + 1):
        name = TileName(None, index, min(TILE_WIDTH, end - index * TILE_WIDTH))
        entries = unbundle(source.read(name.path))
        start = max(0, first - index * TILE_WIDTH)
        found += entries[start : name.width]
    return found

"""Standardising: landed bytes become assertions, value issues and quarantined rows. Can be killed at any moment and done again.

The order is what makes that safe: the lake files first, each written atomically, then one database transaction that says they count.
A delivery killed in between is simply still "received", and doing it again writes the same files.
"""

import datetime
import json
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from django.db import connection, transaction

from wanjia.intake.adapters.files import check_envelope, read_delivery, suffix_of
from wanjia.intake.adapters.json_lines import read_json_lines, read_texts
from wanjia.intake.adapters.rows import ReadingReport, ReadRows, RefusedRow
from wanjia.intake.api.batch import LAYERS, Standardised, begin_text, standardise_text
from wanjia.intake.api.receive import bytes_of, note_event, note_failure, source_of
from wanjia.intake.api.sources import keyring, lake, source_named
from wanjia.intake.api.subjects import prepare
from wanjia.intake.errors import DeliveryNotReady, DeliveryUnknown, IntakeError, LandingMissing
from wanjia.intake.models import ColumnReport, Delivery, ErasedRow, QuarantinedRow, Status
from wanjia.kernel import clock
from wanjia.kernel.ahead import ahead
from wanjia.kernel.database import copy_rows
from wanjia.kernel.engine import Engine
from wanjia.kernel.errors import LakeFileMissing
from wanjia.standards import api as standards
from wanjia.trace.api import record

HEAD_COLUMNS = ["row_no", "record_key", "row_digest", "as_of"]
READ_AHEAD = 2  # deliveries in memory beside the one that is standardised and the one that is written


@dataclass(frozen=True)
class _Begun:
    """What is left of a delivery when the engine has done its part."""

    report: ReadingReport
    rest: Callable[[], Standardised]


def standardise_pending(
    engine: Engine,
    profile: standards.Profile | None = None,
    *,
    pending: Iterable[Delivery] | None = None,
    texts: dict[int, pa.Table] | None = None,
    said: dict[int, pa.Table] | None = None,
    by: str,
    why: str,
) -> tuple[list[Delivery], list[tuple[Delivery, IntakeError]]]:
    """Standardise every received delivery in the order they came, or those of `pending`: (done, refused). One refused delivery does not stop
    the others. `pending` is asked by a thread of its own, and may still be waiting for what comes. By the deliveries' numbers: rows of which the
    texts are in `texts` are taken from there, and not read from what landed; the assertions are put into `said`, if it is given, for who
    would have to read them back from the lake."""
    profile = profile or standards.load_profile()
    pending = deliveries_received() if pending is None else pending
    done, refused = [], []
    # while this delivery is written, the rules run over the next, and others are read: each by itself leaves a core idle
    with (
        ThreadPoolExecutor(READ_AHEAD, "reading") as reader,
        ThreadPoolExecutor(LAYERS, "laying") as laying,
        ThreadPoolExecutor(1, "standardising") as running,
    ):
        begun = ((delivery, reader.submit(_read_landed, delivery, texts)) for delivery in pending)
        with ahead(begun, size=lambda _: 1, room=READ_AHEAD - 1) as readings:

            def begin(delivery: Delivery, reading: Future[ReadRows]) -> Future[_Begun]:
                earlier = _earlier(delivery)

                def run() -> _Begun:
                    # while it is being read
                    prepare(engine, source_named(delivery.source), profile)
                    return _begin(engine, delivery, reading.result(), profile, laying, earlier)

                return running.submit(run)

            for delivery, run in _with_next_begun(readings, begin):
                try:
                    done.append(_standardise(delivery.id, lambda _, r=run: r.result(), said, by=by, why=why))
                except IntakeError as error:
                    delivery.refresh_from_db()
                    refused.append((delivery, error))
                # what was read is not held until the next is there
                del run
    return done, refused


def _with_next_begun(
    readings: Iterable[tuple[Delivery, Future[ReadRows]]],
    begin: Callable[[Delivery, Future[ReadRows]], Future[_Begun]],
) -> Iterator[tuple[Delivery, Future[_Begun]]]:
    """The deliveries in turn, begun; the next of another source is begun before one is given (what its own source said before must stand)."""
    waiting: deque[tuple[Delivery, Future[_Begun]]] = deque()
    for delivery, reading in readings:
        if waiting and waiting[0][0].source == delivery.source:
            yield waiting.popleft()
        waiting.append((delivery, begin(delivery, reading)))
        del reading
        if len(waiting) > 1:
            yield waiting.popleft()
    yield from waiting


def deliveries_received() -> list[Delivery]:
    """The deliveries that wait to be standardised, in the order they came."""
    return list(Delivery.objects.filter(status=Status.RECEIVED).order_by("id"))


def sources_that_failed() -> set[str]:
    """The sources of which a delivery is refused whole: its file may be received again, under the number it has."""
    return set(Delivery.objects.filter(status=Status.FAILED).values_list("source", flat=True))


def standardise_delivery(
    engine: Engine, delivery_id: int, profile: standards.Profile | None = None, *, by: str, why: str
) -> Delivery:
    """Read a landed delivery and write lake `assertions/<id>`, `value_issues/<id>`, `heads/<id>`, quarantine and counts.

    A delivery that is standardised already is returned as it is. Raises `DeliveryUnknown`, `DeliveryNotReady` (withdrawn or failed),
    `LandingMissing`, or the reader's error, after which the delivery is "failed" with that code and has no row anywhere.
    """
    profile = profile or standards.load_profile()
    with ThreadPoolExecutor(LAYERS, "laying") as laying:

        def begun(delivery: Delivery) -> _Begun:
            return _begin(engine, delivery, _read_landed(delivery, None), profile, laying, _earlier(delivery))

        return _standardise(delivery_id, begun, None, by=by, why=why)


def _begin(
    engine: Engine, delivery: Delivery, read: ReadRows, profile: standards.Profile, laying: Executor, earlier: list[int]
) -> _Begun:
    rest = begin_text(
        engine, source_named(delivery.source), read, profile, laying,
        delivery_id=delivery.id, received_on=clock.day_of(delivery.received_at), standing_before=earlier,
    )  # fmt: skip
    return _Begun(read.report, rest)


def _standardise(
    delivery_id: int, begun_of: Callable[[Delivery], _Begun], said: dict[int, pa.Table] | None, *, by: str, why: str
) -> Delivery:
    try:
        with transaction.atomic():
            delivery = Delivery.objects.select_for_update().filter(id=delivery_id).first()
            if delivery is None:
                raise DeliveryUnknown(delivery=delivery_id)
            if delivery.status == Status.STANDARDISED:
                return delivery
            if delivery.status != Status.RECEIVED:
                raise DeliveryNotReady(delivery=delivery_id, status=delivery.status)
            begun = begun_of(delivery)
            assertions = _keep(delivery, begun.report, begun.rest(), by=by, why=why)
        if said is not None:
            said[delivery_id] = assertions
        return delivery
    except (DeliveryUnknown, DeliveryNotReady, LandingMissing):
        raise
    except IntakeError as error:
        note_failure(Delivery.objects.get(id=delivery_id), error, by=by, why=why)
        raise


def _read_landed(delivery: Delivery, texts: dict[int, pa.Table] | None) -> ReadRows:
    """The text rows of a landed delivery. Touches no database, so another thread may do it."""
    source = source_named(delivery.source)
    if texts and delivery.id in texts:
        return read_texts(texts.pop(delivery.id), source)
    try:
        raw = lake().read_bytes(f"landing/{delivery.id}")
    except LakeFileMissing:
        raise LandingMissing(delivery=delivery.id) from None
    return read_delivery(raw, delivery.kind, source)


def standardise_rows(
    engine: Engine,
    source: str,
    rows: Iterable[dict[str, Any]],
    profile: standards.Profile | None = None,
    *,
    delivery_id: int = 0,
    received_on: datetime.date,
) -> Standardised:
    """What rows of `source` become, without keeping anything: worked examples, dry runs, and the check before a push is promised.

    The same expressions as for a file; row numbers are the places in `rows`, from 1. Raises the errors of the JSON reader.
    """
    declared = source_named(source)
    raw = json_lines(rows)
    read = read_json_lines(raw, declared, kind="push")
    return standardise_text(
        engine, declared, read, profile or standards.load_profile(),
        delivery_id=delivery_id, received_on=received_on, standing_before=[],
    )  # fmt: skip


def preview_file(
    engine: Engine, path: Path, profile: standards.Profile | None = None, *, source: str | None = None
) -> tuple[str, Standardised]:
    """What a file would become, keeping nothing: (source, result). Raises what `receive_file` and the readers raise."""
    declared = source_named(source) if source else source_of(path)
    raw = bytes_of(path)
    kind = check_envelope(raw, suffix_of(path.name), declared)
    read = read_delivery(raw, kind, declared)
    return declared.code, standardise_text(
        engine, declared, read, profile or standards.load_profile(),
        delivery_id=0, received_on=clock.today(), standing_before=[],
    )  # fmt: skip


def json_lines(rows: Iterable[dict[str, Any]]) -> bytes:
    """Rows as JSON lines, in the one spelling that makes equal rows equal bytes."""
    return "".join(json.dumps(row, ensure_ascii=False, sort_keys=True) + "\n" for row in rows).encode(
        "utf-8", "replace"
    )


def _earlier(delivery: Delivery) -> list[int]:
    return list(
        Delivery.objects.filter(source=delivery.source, status=Status.STANDARDISED, id__lt=delivery.id)
        .order_by("id")
        .values_list("id", flat=True)
    )


def _keep(delivery: Delivery, report: ReadingReport, result: Standardised, *, by: str, why: str) -> pa.Table:
    """Write what a delivery became: lake files, then the database; the assertions as written. The caller holds the transaction."""
    number = delivery.id
    assertions, issues, heads = _without_erased(number, result)
    # each waits for the disk; packing and sealing leave a core idle
    with ThreadPoolExecutor(1, "keeping") as beside:
        others = [
            beside.submit(lake().write, f"{kind}/{number}", table)
            for kind, table in (("heads", heads), ("value_issues", issues))
        ]
        lake().write(f"assertions/{number}", assertions)
        for other in others:
            other.result()
    sealer = keyring().sealer("quarantine")
    QuarantinedRow.objects.filter(delivery=delivery).delete()
    with connection.cursor() as cursor:
        copy_rows(
            cursor,
            "intake_quarantinedrow",
            ["delivery_id", "row_no", "column", "reason", "cells"],
            (
                (
                    number,
                    row.row_no,
                    row.column and row.column[:200],
                    row.reason,
                    sealer.seal(_cells(row), cells_aad(number, row.row_no)),
                )
                for row in result.refused
            ),
            types=["int4", "int4", "varchar", "varchar", "bytea"],
        )
    ColumnReport.objects.update_or_create(delivery=delivery, defaults=vars(report))
    counts = {
        "rows_in": result.rows_in,
        "accepted": result.accepted,
        "quarantined": len(result.refused),
        "repeats": result.repeats,
    }
    for name, count in counts.items():
        setattr(delivery, name, count)
    note_event(delivery, Status.STANDARDISED, by=by, why=why, counts=counts)
    record("intake.standardise", by=by, why=why, detail={"delivery": number, "source": delivery.source, **counts})
    return assertions


def _without_erased(number: int, result: Standardised) -> tuple[pa.Table, pa.Table, pa.Table]:
    """(assertions, issues, heads) without what was erased from this delivery by law."""
    erased = set(ErasedRow.objects.filter(delivery_id=number).values_list("row_no", "subject"))
    if not erased:
        return result.assertions, result.issues, result.heads
    places = zip(result.assertions["row_no"].to_pylist(), result.assertions["subject"].to_pylist(), strict=True)
    kept = result.assertions.filter(pa.array([(row, subject or "") not in erased for row, subject in places]))
    issues = result.issues.filter(pc.is_in(result.issues["assertion_id"], kept["assertion_id"].combine_chunks()))
    rows = pa.array(sorted({row for row, _ in erased})).cast(result.heads["row_no"].type)
    return kept, issues, result.heads.filter(pc.invert(pc.is_in(result.heads["row_no"], rows)))


def _cells(row: RefusedRow) -> bytes:
    return json.dumps(row.cells, ensure_ascii=False).encode("utf-8", "replace")


def cells_aad(delivery_id: int, row_no: int) -> bytes:
    """What sealed raw cells are bound to, so that they cannot be moved to another row."""
    return f"quarantine|{delivery_id}|{row_no}".encode()

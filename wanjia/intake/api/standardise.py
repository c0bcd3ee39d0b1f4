"""Standardising: landed bytes become assertions, value issues and quarantined rows. Can be killed at any moment and done again.

The order is what makes that safe: the lake files first, each written atomically, then one database transaction that says they count.
A delivery killed in between is simply still "received", and doing it again writes the same files.
"""

import datetime
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ibis
import pyarrow as pa
import pyarrow.compute as pc
from django.db import connection, transaction

from wanjia.intake import bulk
from wanjia.intake.adapters.files import check_envelope, read_delivery, suffix_of
from wanjia.intake.adapters.json_lines import read_json_lines
from wanjia.intake.adapters.rows import ReadRows, RefusedRow, SpoiledValue, kept_cells
from wanjia.intake.api.receive import bytes_of, note_event, note_failure, source_of
from wanjia.intake.api.sources import keyring, lake, source_named
from wanjia.intake.declared import Source
from wanjia.intake.errors import DeliveryNotReady, DeliveryUnknown, IntakeError, LandingMissing
from wanjia.intake.models import ColumnReport, Delivery, QuarantinedRow, Status
from wanjia.kernel import clock
from wanjia.kernel.database import copy_rows
from wanjia.kernel.engine import Engine
from wanjia.kernel.errors import LakeFileMissing
from wanjia.standards import api as standards
from wanjia.trace.api import record

HEAD_COLUMNS = ["row_no", "record_key", "row_digest", "as_of"]
ISSUE_SCHEMA = pa.schema([("assertion_id", pa.int64()), ("element", pa.string()), ("reason", pa.string())])
CHUNKS_KEPT = 64
SMALL_BATCH = 10_000  # up to here the rows that stand are looked up by key instead of being loaded whole

_heads_seen: dict[str, tuple[list[int], pa.Table]] = {}


@dataclass(frozen=True)
class Standardised:
    """What a batch of text rows became. Counts keep: rows in = accepted + quarantined + repeats."""

    assertions: pa.Table
    issues: pa.Table  # assertion_id, element, reason
    heads: pa.Table  # HEAD_COLUMNS of the accepted rows
    refused: list[RefusedRow]
    rows_in: int
    accepted: int
    repeats: int


def standardise_pending(
    engine: Engine, profile: standards.Profile | None = None, *, by: str, why: str
) -> tuple[list[Delivery], list[tuple[Delivery, IntakeError]]]:
    """Standardise every received delivery in the order they came: (done, refused). One refused delivery does not stop the others."""
    done, refused = [], []
    for delivery in Delivery.objects.filter(status=Status.RECEIVED).order_by("id"):
        try:
            done.append(standardise_delivery(engine, delivery.id, profile, by=by, why=why))
        except IntakeError as error:
            delivery.refresh_from_db()
            refused.append((delivery, error))
    return done, refused


def standardise_delivery(
    engine: Engine, delivery_id: int, profile: standards.Profile | None = None, *, by: str, why: str
) -> Delivery:
    """Read a landed delivery and write lake `assertions/<id>`, `value_issues/<id>`, `heads/<id>`, quarantine and counts.

    A delivery that is standardised already is returned as it is. Raises `DeliveryUnknown`, `DeliveryNotReady` (withdrawn or failed),
    `LandingMissing`, or the reader's error, after which the delivery is "failed" with that code and has no row anywhere.
    """
    profile = profile or standards.load_profile()
    try:
        with transaction.atomic():
            delivery = Delivery.objects.select_for_update().filter(id=delivery_id).first()
            if delivery is None:
                raise DeliveryUnknown(delivery=delivery_id)
            if delivery.status == Status.STANDARDISED:
                return delivery
            if delivery.status != Status.RECEIVED:
                raise DeliveryNotReady(delivery=delivery_id, status=delivery.status)
            source = source_named(delivery.source)
            try:
                raw = lake().read_bytes(f"landing/{delivery_id}")
            except LakeFileMissing:
                raise LandingMissing(delivery=delivery_id) from None
            read = read_delivery(raw, delivery.kind, source)
            del raw
            result = _standardise(
                engine,
                source,
                read,
                profile,
                delivery_id=delivery_id,
                received_on=delivery.received_at.date(),
                standing_before=_earlier(source, delivery_id),
            )
            _keep(delivery, read, result, by=by, why=why)
            return delivery
    except (DeliveryUnknown, DeliveryNotReady, LandingMissing):
        raise
    except IntakeError as error:
        note_failure(Delivery.objects.get(id=delivery_id), error, by=by, why=why)
        raise


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
    return _standardise(
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
    return declared.code, _standardise(
        engine, declared, read, profile or standards.load_profile(),
        delivery_id=0, received_on=clock.today(), standing_before=[],
    )  # fmt: skip


def json_lines(rows: Iterable[dict[str, Any]]) -> bytes:
    """Rows as JSON lines, in the one spelling that makes equal rows equal bytes."""
    return "".join(json.dumps(row, ensure_ascii=False, sort_keys=True) + "\n" for row in rows).encode("utf-8", "replace")


def _earlier(source: Source, delivery_id: int) -> list[int]:
    return list(
        Delivery.objects.filter(source=source.code, status=Status.STANDARDISED, id__lt=delivery_id)
        .order_by("id")
        .values_list("id", flat=True)
    )


def _standardise(
    engine: Engine,
    source: Source,
    read: ReadRows,
    profile: standards.Profile,
    *,
    delivery_id: int,
    received_on: datetime.date,
    standing_before: list[int],
) -> Standardised:
    """The one path for a pushed row and a million-row file."""
    naming = _naming(profile)
    text = _without_spoiled(read)
    keyed = bulk.keyed(engine.load("intake_text", text), source, naming, profile.missing)
    rows = engine.save("intake_keyed", keyed)
    refused = sorted([*read.refused, *_refused_by_rules(engine, rows, text)], key=lambda row: row.row_no)
    marked = bulk.first_of_each(rows.filter(rows.reason.isnull()).drop("reason", "reason_column"))
    standing = _standing(engine, source, standing_before, rows)
    if standing is not None:
        marked = bulk.without_standing(marked, standing)
    taken = engine.save("intake_taken", bulk.with_as_of(marked.filter(~marked.is_repeat), source, received_on))
    subjects = engine.save("intake_subjects", bulk.subject_rows(taken, source, delivery_id, naming))
    assertions, issues = _standard_values(engine, subjects, source, profile)
    heads = engine.arrow(taken.select(*HEAD_COLUMNS))
    issues = pa.concat_tables([issues, _own_issues(engine, subjects, read.spoiled, source, delivery_id)])
    for name in ("intake_text", "intake_keyed", "intake_taken", "intake_subjects", "intake_standing"):
        engine.drop(name)
    return Standardised(
        assertions=assertions,
        issues=issues,
        heads=heads,
        refused=refused,
        rows_in=read.rows_in,
        accepted=heads.num_rows,
        repeats=read.rows_in - len(refused) - heads.num_rows,
    )


def _naming(profile: standards.Profile) -> set[str]:
    """Columns that name a person: names and numbers of any scheme. A new-born's record may name nobody but the mother, by number."""
    return {
        column.key
        for element in profile.elements.values()
        for column in element.columns
        if column.type in ("name", "identity_number")
    }


def _without_spoiled(read: ReadRows) -> pa.Table:
    """The text with spoiled cells emptied: a number that lost digits is worse than none."""
    table = read.table
    by_column: dict[str, list[int]] = {}
    for value in read.spoiled:
        by_column.setdefault(value.column, []).append(value.row_no)
    for name, row_nos in by_column.items():
        spoiled = pc.is_in(table["row_no"], pa.array(row_nos, pa.int64()))
        emptied = pc.if_else(spoiled, pa.scalar(None, pa.string()), table[name])
        table = table.set_column(table.column_names.index(name), name, emptied)
    return table


def _refused_by_rules(engine: Engine, rows: ibis.Table, text: pa.Table) -> list[RefusedRow]:
    found = engine.arrow(rows.filter(rows.reason.notnull()).select("row_no", "reason", "reason_column"))
    if not found.num_rows:
        return []
    why = {row_no: (reason, column) for row_no, reason, column in zip(*(c.to_pylist() for c in found.columns), strict=True)}
    cells = text.filter(pc.is_in(text["row_no"], found["row_no"].combine_chunks())).to_pylist()
    refused = []
    for row in cells:
        row_no = row.pop("row_no")
        reason, column = why[row_no]
        refused.append(RefusedRow(row_no, column, reason, kept_cells(row.items())))
    return refused


def _standing(engine: Engine, source: Source, deliveries: list[int], rows: ibis.Table) -> ibis.Table | None:
    """Rows of earlier deliveries that a row of this one may merely repeat, as a table with record_key and row_digest.

    When the source dates its records, saying the same again is a repeat of any active row; when the day of delivery is the date, only of
    the row that stands now, because a value that came back is news.
    """
    if not deliveries:
        return None
    heads = known_heads(source.code, deliveries)
    if rows.count().to_pyarrow().as_py() <= SMALL_BATCH:
        keys = engine.arrow(rows.select("record_key").distinct())["record_key"].combine_chunks()
        heads = heads.filter(pc.is_in(heads["record_key"], keys))
    if not heads.num_rows:
        return None
    standing = engine.load("intake_standing", heads)
    return standing if source.as_of.column else bulk.newest_of_each(standing)


def known_heads(source: str, deliveries: list[int]) -> pa.Table:
    """The heads (HEAD_COLUMNS and delivery_id) of these deliveries of one source, in order; kept in memory between calls.

    A worker asks again for every push; only deliveries it has not seen are read. A withdrawal makes the list of deliveries another
    one, and everything is read afresh.
    """
    seen, table = _heads_seen.get(source, ([], None))
    if table is None or deliveries[: len(seen)] != seen:
        seen, table = [], None
    fresh = [_heads_of(delivery_id) for delivery_id in deliveries[len(seen) :]]
    if fresh:
        table = pa.concat_tables([*([table] if table is not None else []), *fresh])
        if table["row_no"].num_chunks > CHUNKS_KEPT:
            table = table.combine_chunks()
        _heads_seen[source] = (list(deliveries), table)
    return table


def forget_heads() -> None:
    """Let go of what `known_heads` keeps: after a withdrawal a delivery's repeats are found anew under the same number."""
    _heads_seen.clear()


def _heads_of(delivery_id: int) -> pa.Table:
    heads = lake().read(f"heads/{delivery_id}")
    return heads.append_column("delivery_id", pa.array([delivery_id] * heads.num_rows, pa.int32()))


def _own_issues(
    engine: Engine, subjects: ibis.Table, spoiled: list[SpoiledValue], source: Source, delivery_id: int
) -> pa.Table:
    """Value issues that intake itself found: days that were not taken as they stand, cells a spreadsheet spoiled."""
    dated = subjects.filter(subjects.as_of_reason.notnull())
    days = engine.arrow(dated.select("assertion_id", element=ibis.literal("as_of"), reason=dated.as_of_reason))
    rows = []
    for value in spoiled:
        for index, subject in enumerate(source.subjects):
            if column := subject.columns.get(value.column):
                assertion = (delivery_id << bulk.DELIVERY_BITS) | (value.row_no << bulk.SUBJECT_BITS) | index
                rows.append({"assertion_id": assertion, "element": column.part or column.element, "reason": value.reason})
    return pa.concat_tables([days.cast(ISSUE_SCHEMA), pa.Table.from_pylist(rows, schema=ISSUE_SCHEMA)])


def _keep(delivery: Delivery, read: ReadRows, result: Standardised, *, by: str, why: str) -> None:
    """Write what a delivery became: lake files, then the database. The caller holds the transaction."""
    number = delivery.id
    lake().write(f"assertions/{number}", result.assertions)
    lake().write(f"value_issues/{number}", result.issues)
    lake().write(f"heads/{number}", result.heads)
    sealer = keyring().sealer("quarantine")
    QuarantinedRow.objects.filter(delivery=delivery).delete()
    with connection.cursor() as cursor:
        copy_rows(
            cursor,
            "intake_quarantinedrow",
            ["delivery_id", "row_no", "column", "reason", "cells"],
            (
                (number, row.row_no, row.column and row.column[:200], row.reason, sealer.seal(_cells(row), cells_aad(number, row.row_no)))
                for row in result.refused
            ),
            types=["int4", "int4", "varchar", "varchar", "bytea"],
        )
    ColumnReport.objects.update_or_create(delivery=delivery, defaults=vars(read.report))
    counts = {
        "rows_in": result.rows_in,
        "accepted": result.accepted,
        "quarantined": len(result.refused),
        "repeats": result.repeats,
    }
    for name, count in counts.items():
        setattr(delivery, name, count)
    note_event(delivery, Status.STANDARDISED, by=by, why=why, counts=counts)
    record(
        "intake.standardise", by=by, why=why, detail={"delivery": number, "source": delivery.source, **counts}
    )


def _cells(row: RefusedRow) -> bytes:
    return json.dumps(row.cells, ensure_ascii=False).encode("utf-8", "replace")


def cells_aad(delivery_id: int, row_no: int) -> bytes:
    """What sealed raw cells are bound to, so that they cannot be moved to another row."""
    return f"quarantine|{delivery_id}|{row_no}".encode()

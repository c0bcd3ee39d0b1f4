"""Reading what intake holds: deliveries, quarantine, and the assertions that count."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import ibis
import pyarrow as pa
from django.db import transaction
from django.db.models import Count

from wanjia.intake import bulk
from wanjia.intake.api.sources import keyring, lake, sources
from wanjia.intake.api.standardise import cells_aad
from wanjia.intake.errors import DeliveryUnknown, IntakeError
from wanjia.intake.models import ColumnReport, Delivery, Push, QuarantinedRow, Status
from wanjia.intake.rules import reason_sentence
from wanjia.kernel.ahead import ahead
from wanjia.kernel.engine import Engine
from wanjia.trace.api import record

HEAD = ("assertion_id", "source", "delivery_id", "row_no", "record_key", "subject", "as_of")


@dataclass(frozen=True)
class Refusal:
    """One quarantined row as it may be listed: where it is and why, without its cells."""

    id: int
    delivery: int
    source: str
    row_no: int
    column: str | None
    reason: str
    sentence: str


def delivery_named(delivery_id: int) -> Delivery:
    """One delivery. Raises `DeliveryUnknown`."""
    delivery = Delivery.objects.filter(id=delivery_id).first()
    if delivery is None:
        raise DeliveryUnknown(delivery=delivery_id)
    return delivery


def delivery_story(delivery_id: int, *, lang: str = "en") -> dict[str, Any]:
    """How a delivery was read ({encoding, aliases_used, …} or None), its refusals by reason, its events, and its failure's sentence."""
    delivery = delivery_named(delivery_id)
    report = ColumnReport.objects.filter(delivery=delivery).values().first()
    if report:
        report.pop("delivery_id")
    return {
        "reading": report,
        "refusals": refusal_counts(delivery=delivery_id),
        "events": [
            {"at": e.at.isoformat(timespec="seconds"), "status": e.status, "by": e.by, "why": e.why}
            for e in delivery.events.order_by("id")
        ],
        "failure_sentence": _failure_sentence(delivery, lang),
    }


def _failure_sentence(delivery: Delivery, lang: str) -> str | None:
    kinds = {kind.code: kind for kind in IntakeError.__subclasses__()}
    if delivery.failure_code not in kinds:
        return None
    return kinds[delivery.failure_code](**(delivery.failure or {})).sentence(lang)


def deliveries(*, source: str | None = None, status: str | None = None, limit: int = 1_000) -> list[Delivery]:
    """Deliveries, newest first."""
    found = Delivery.objects.order_by("-id")
    if source:
        found = found.filter(source=source)
    if status:
        found = found.filter(status=status)
    return list(found[:limit])


def active_deliveries() -> list[Delivery]:
    """The deliveries whose assertions count, in the order they came."""
    return list(Delivery.objects.filter(status=Status.STANDARDISED).order_by("id"))


def rows_by_source() -> dict[str, tuple[int, int]]:
    """Source → (rows that could be used, rows delivered), over the active deliveries."""
    rows: dict[str, tuple[int, int]] = {}
    for delivery in active_deliveries():
        usable, delivered = rows.get(delivery.source, (0, 0))
        rows[delivery.source] = usable + delivery.accepted + delivery.repeats, delivered + delivery.rows_in
    return rows


def has_pending() -> bool:
    """Is there anything received that is not standardised yet, a waiting push included?"""
    return has_landed() or has_pushed()


def has_landed() -> bool:
    """Is there a delivery that the main job must standardise? (What was pushed, waiting or gathered, is the fast lane's.)"""
    return Delivery.objects.filter(status=Status.RECEIVED, pushes=None).exists()


def has_pushed() -> bool:
    """Is there anything pushed that is not standardised yet, waiting or gathered?"""
    waiting = Push.objects.filter(delivery=None)
    return waiting.exists() or Delivery.objects.filter(status=Status.RECEIVED, pushes__isnull=False).exists()


def refusals(
    *, delivery: int | None = None, source: str | None = None, reason: str | None = None,
    lang: str = "en", offset: int = 0, limit: int = 100,
) -> list[Refusal]:  # fmt: skip
    """Quarantined rows in order of delivery and row, each with its sentence; no cell is opened, so nothing is traced."""
    found = QuarantinedRow.objects.select_related("delivery").exclude(delivery__status=Status.WITHDRAWN)
    if delivery is not None:
        found = found.filter(delivery_id=delivery)
    if source:
        found = found.filter(delivery__source=source)
    if reason:
        found = found.filter(reason=reason)
    return [_refusal(row, lang) for row in found.order_by("delivery_id", "row_no")[offset : offset + limit]]


def refusal_counts(*, delivery: int | None = None) -> list[dict[str, Any]]:
    """How many rows were refused, as {source, reason, rows}, most first."""
    found = QuarantinedRow.objects.exclude(delivery__status=Status.WITHDRAWN)
    if delivery is not None:
        found = found.filter(delivery_id=delivery)
    counted = found.values("delivery__source", "reason").annotate(rows=Count("id")).order_by("-rows", "reason")
    return [{"source": c["delivery__source"], "reason": c["reason"], "rows": c["rows"]} for c in counted]


def refusal_named(refusal_id: int, *, lang: str = "en") -> Refusal:
    """One quarantined row as it may be listed, cells sealed. Raises `DeliveryUnknown`."""
    row = QuarantinedRow.objects.select_related("delivery").filter(id=refusal_id).first()
    if row is None:
        raise DeliveryUnknown(delivery=f"quarantine {refusal_id}")
    return _refusal(row, lang)


def reason_words(reason: str, *, lang: str = "en") -> str:
    """What a reason code means, apart from any row."""
    return reason_sentence(reason, "…", None, lang)


def open_refusal(refusal_id: int, *, by: str, why: str, lang: str = "en") -> tuple[Refusal, dict[str, str]]:
    """One quarantined row with its raw cells opened. The opening is traced in the same transaction. Raises `DeliveryUnknown`."""
    with transaction.atomic():
        row = QuarantinedRow.objects.select_related("delivery").filter(id=refusal_id).first()
        if row is None:
            raise DeliveryUnknown(delivery=f"quarantine {refusal_id}")
        record(
            "intake.open_quarantined",
            by=by,
            why=why,
            detail={"delivery": row.delivery_id, "source": row.delivery.source, "row": row.row_no},
        )
        cells = keyring().unseal("quarantine", bytes(row.cells), cells_aad(row.delivery_id, row.row_no))
    return _refusal(row, lang), json.loads(cells)


def delivery_assertions(delivery_id: int) -> pa.Table:
    """The assertions of one delivery as they were made. Raises `LakeFileMissing` when it is not standardised."""
    return lake().read(f"assertions/{delivery_id}")


def delivery_issues(delivery_id: int) -> pa.Table:
    """The values of one delivery that were set aside: assertion_id, element, reason. Raises `LakeFileMissing`."""
    return lake().read(f"value_issues/{delivery_id}")


def active_assertions(engine: Engine, *, columns: Sequence[str] | None = None) -> ibis.Table:
    """What the active deliveries assert now, all sources in one table: superseded records are left out.

    Of several records of one source with the same key and subject only the newest counts (by `as_of`, then delivery, then row).
    `first_delivery_id` is the delivery in which a record first came. Columns that a source does not have are null. Each source is one
    table `assertions__<source>` of the engine; the result is an expression over them, so a column nobody asks for costs nothing.
    `columns`: load only these besides the head.
    """
    return together(active_by_source(engine, columns=columns))


def active_by_source(
    engine: Engine, *, columns: Sequence[str] | None = None, said: dict[int, pa.Table] | None = None
) -> dict[str, ibis.Table]:
    """The same as `active_assertions`, source by source, each with its own columns only.

    `said` are assertions that need not be read, by delivery (see `standardise_pending`); they are taken out of it.
    """
    return _load(engine, columns, said or {}, keep_superseded=False)


def let_go(engine: Engine, source: str) -> None:
    """Drop what `active_by_source` loaded of a source from the engine, once nothing reads it any more."""
    engine.drop(f"assertions__{source}")


def active_issues(engine: Engine) -> ibis.Table:
    """The values set aside in all active deliveries: assertion_id, element, reason. Loaded as table `value_issues`."""
    tables = [delivery_issues(delivery.id) for delivery in active_deliveries()]
    return engine.load("value_issues", pa.concat_tables(tables, promote_options="default") if tables else _NO_ISSUES)


def history(engine: Engine, *, columns: Sequence[str] | None = None) -> ibis.Table:
    """All assertions of the active deliveries, with `is_superseded`. Tables are named `history__<source>`."""
    return together(_load(engine, columns, {}, keep_superseded=True))


def _load(
    engine: Engine, columns: Sequence[str] | None, said: dict[int, pa.Table], *, keep_superseded: bool
) -> dict[str, ibis.Table]:
    by_source: dict[str, list[int]] = {}
    for delivery in active_deliveries():
        by_source.setdefault(delivery.source, []).append(delivery.id)
    loaded = {}

    def wholes() -> Iterator[tuple[str, pa.Table]]:
        for source in sorted(by_source):
            tables = [
                said.pop(number) if number in said else lake().read(f"assertions/{number}")
                for number in by_source[source]
            ]
            if columns is not None:
                tables = [t.select([c for c in t.column_names if c in HEAD or c in columns]) for t in tables]
            yield source, pa.concat_tables(tables, promote_options="default")

    # the next source's files are read and opened while the engine takes one in
    with ahead(wholes(), size=lambda _: 1, room=1) as coming:
        for source, whole in coming:
            loaded[source] = _taken_in(engine, source, whole, keep_superseded=keep_superseded)
    if not loaded:
        nothing = pa.table({name: pa.array([], kind) for name, kind in _HEAD_TYPES.items()})
        return {"none": engine.load("assertions__none", nothing)}
    return loaded


def _taken_in(engine: Engine, source: str, whole: pa.Table, *, keep_superseded: bool) -> ibis.Table:
    """All assertions of one source in the engine, as `_load` gives them."""
    prefix = "history" if keep_superseded else "assertions"
    table = engine.load(f"{prefix}__{source}", whole)
    old = bulk.superseded(table.select(*HEAD))
    if keep_superseded:
        marked = table.left_join(old.select(old_id="assertion_id"), table.assertion_id == old.assertion_id)
        return marked.mutate(is_superseded=marked.old_id.notnull()).drop("old_id")
    if engine.arrow(old.count().as_table())[0][0].as_py():
        # a person is founded by the first arrival of a record, not by its newest wording: later deliveries move nobody's id
        first = table.group_by("record_key", "subject").aggregate(first_delivery_id=table.delivery_id.min())
        standing = table.anti_join(old, "assertion_id").left_join(first, ["record_key", "subject"])
        standing = standing.drop([name for name in standing.columns if name.endswith("_right")])
        return engine.save(f"{prefix}__{source}", standing)
    return table.mutate(first_delivery_id=table.delivery_id)


def together(by_source: Mapping[str, ibis.Table]) -> ibis.Table:
    """The assertions of all sources in one table; columns that a source does not have are null."""
    tables = list(by_source.values())
    types: dict[str, Any] = {}
    for table in tables:
        types.update(table.schema().items())
    widened = [
        table.select(*(table[n] if n in table.columns else ibis.null(kind).name(n) for n, kind in types.items()))
        for table in tables
    ]
    return widened[0] if len(widened) == 1 else ibis.union(*widened, distinct=False)


_NO_ISSUES = pa.table(
    {
        "assertion_id": pa.array([], pa.int64()),
        "element": pa.array([], pa.string()),
        "reason": pa.array([], pa.string()),
    }
)

_HEAD_TYPES = {
    "assertion_id": pa.int64(),
    "source": pa.string(),
    "delivery_id": pa.int32(),
    "row_no": pa.int32(),
    "record_key": pa.string(),
    "subject": pa.string(),
    "as_of": pa.date32(),
}


def _refusal(row: QuarantinedRow, lang: str) -> Refusal:
    return Refusal(
        id=row.id,
        delivery=row.delivery_id,
        source=row.delivery.source,
        row_no=row.row_no,
        column=row.column,
        reason=row.reason,
        sentence=reason_sentence(row.reason, row.column, row.row_no, lang),
    )


def source_name(code: str, lang: str = "en") -> str:
    """A source's declared name; its code when it is no longer declared."""
    source = sources().get(code)
    return source.name.in_language(lang) if source else code

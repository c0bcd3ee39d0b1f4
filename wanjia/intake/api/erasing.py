"""Erasing records: what deliveries said of a person goes out of everything that was made of them, and stays out."""

from collections.abc import Iterable
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc
from django.db import transaction

from wanjia.intake.api.heads import forget_heads
from wanjia.intake.api.sources import lake
from wanjia.intake.models import Delivery, ErasedRow, Status
from wanjia.kernel.errors import LakeFileMissing
from wanjia.trace.api import record


@dataclass(frozen=True)
class Erased:
    """How many assertions went (repeats and superseded ones included), and the deliveries whose landed bytes hold the rows."""

    assertions: int
    deliveries: list[int]


def erase_records(assertion_ids: Iterable[int], *, person_id: int, by: str, why: str) -> Erased:
    """Take the records behind these assertions of a person, in all their versions, out of the lake's derived files.

    Each erased row is noted by its place, so that standardising the delivery again leaves it out. First the notes, then the files, each written
    whole: killed half-way, the same call goes on. A source that delivers the record again makes it again.
    """
    wanted = pa.array(sorted(set(assertion_ids)), pa.int64())
    deliveries = list(Delivery.objects.filter(status=Status.STANDARDISED).order_by("id").values_list("id", "source"))
    keys: set[tuple[str, str, str]] = set()
    for delivery_id, source in deliveries:
        table = _assertions(delivery_id)
        if table is not None and (hit := table.filter(pc.is_in(table["assertion_id"], wanted))).num_rows:
            keys |= {(source, key, subject) for key, subject in _pairs(hit)}
    for delivery_id, source in deliveries:
        table = _assertions(delivery_id)
        if table is None:
            continue
        is_wanted = [(source, *pair) in keys for pair in _pairs(table)]
        if any(is_wanted):
            _erase(delivery_id, table, pa.array(is_wanted), person_id, by=by, why=why)
    forget_heads()
    # from the notes, so that a call that goes on after a kill tells the whole
    erased = ErasedRow.objects.filter(person_id=person_id)
    return Erased(erased.count(), sorted(set(erased.values_list("delivery_id", flat=True))))


def destroy_landings(delivery_ids: Iterable[int], *, by: str, why: str) -> int:
    """Destroy the landed bytes of deliveries: they can never be standardised again, and nobody can compare with what was sent."""
    destroyed = 0
    for delivery_id in delivery_ids:
        if lake().exists(f"landing/{delivery_id}"):
            with transaction.atomic():
                record("intake.destroy_landing", by=by, why=why, detail={"delivery": delivery_id})
            lake().delete(f"landing/{delivery_id}")
            destroyed += 1
    return destroyed


def _erase(delivery_id: int, table: pa.Table, is_wanted: pa.Array, person_id: int, *, by: str, why: str) -> None:
    out = table.filter(is_wanted)
    places = list(zip(out["row_no"].to_pylist(), [one or "" for one in out["subject"].to_pylist()], strict=True))
    with transaction.atomic():
        ErasedRow.objects.bulk_create(
            [
                ErasedRow(delivery_id=delivery_id, row_no=row, subject=subject, person_id=person_id)
                for row, subject in places
            ],
            ignore_conflicts=True,
        )
        record("intake.erase", by=by, why=why, detail={"delivery": delivery_id, "rows": len(places)})
    ids, rows = out["assertion_id"], pa.array([row for row, _ in places], pa.int32())
    for kind, column, values in (("value_issues", "assertion_id", ids), ("heads", "row_no", rows)):
        held = lake().read(f"{kind}/{delivery_id}")
        values = (values.combine_chunks() if isinstance(values, pa.ChunkedArray) else values).cast(held[column].type)
        lake().write(f"{kind}/{delivery_id}", held.filter(pc.invert(pc.is_in(held[column], values))))
    # last, because this is what says that something is left to do
    lake().write(f"assertions/{delivery_id}", table.filter(pc.invert(is_wanted)))


def _assertions(delivery_id: int) -> pa.Table | None:
    try:
        return lake().read(f"assertions/{delivery_id}")
    except LakeFileMissing:
        return None


def _pairs(table: pa.Table) -> list[tuple[str, str]]:
    keys, subjects = table["record_key"].to_pylist(), table["subject"].to_pylist()
    return [(key or "", subject or "") for key, subject in zip(keys, subjects, strict=True)]

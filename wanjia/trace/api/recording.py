"""Writing entries. Everything here joins the caller's transaction: no change without its entry, no data without its entry."""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
from django.db import DatabaseError, connection, transaction

from wanjia.kernel import clock
from wanjia.kernel.database import copy_rows
from wanjia.trace.errors import DetailHoldsPersonalData, LogNotShown, PurposeMissing, SealIncomplete
from wanjia.trace.rules.detail import personal_key

#: bulk work about more persons than this keeps them in sorted parts, not in a row each
FEW_PERSONS = 1000
PART_PERSONS = 256
SHUT = "WJ001"

_INSERT = """
WITH entry AS (
    INSERT INTO trace_entry (kind, actor, purpose, subject, department, basis, reach, detail)
    SELECT %(kind)s, %(actor)s, %(purpose)s, subject, %(department)s, %(basis)s, %(reach)s, %(detail)s::jsonb
    FROM unnest(%(subjects)s::bigint[]) WITH ORDINALITY AS wanted(subject, n) ORDER BY n
    RETURNING id
), sealed AS (
    INSERT INTO trace_seal (entry_id, number, basis, approver, opens_on)
    SELECT id, 0, %(seal_basis)s, %(approver)s, %(opens_on)s::date FROM entry WHERE %(opens_on)s::date IS NOT NULL
)
SELECT id FROM entry ORDER BY id
"""


@dataclass(frozen=True)
class Sealed:
    """Keep a read from the person until `opens_on`: by which law (`basis`) and by whose decision (`approver`, an account)."""

    basis: str
    approver: str
    opens_on: date

    def as_detail(self) -> dict[str, str]:
        """What the entry itself says of its seal. Raises `SealIncomplete`."""
        if not self.basis.strip() or not self.approver.strip() or self.opens_on <= clock.today():
            raise SealIncomplete()
        return {"basis": self.basis, "approver": self.approver, "opens_on": self.opens_on.isoformat()}


def record(
    kind: str,
    *,
    subject_ids: Iterable[int] = (),
    by: str,
    why: str,
    detail: Mapping[str, Any] | None = None,
    department: str = "",
    basis: str = "",
    fields: Sequence[str] = (),
    sealed: Sealed | None = None,
) -> list[int]:
    """Write down that `by` did `kind` for the purpose `why`: one entry for each subject, or one without a subject.

    `department` is whose work it was, `basis` the law or policy that allowed it (id and hash of its text), `fields` the codes of the elements that
    were returned. `detail` holds counts and codes only. `sealed` keeps the entry from the person for a time.
    Returns the entries' ids. Raises `PurposeMissing`, `DetailHoldsPersonalData`, `SealIncomplete`, and `LogNotShown` when persons may not be read.
    """
    said = said_of(kind, by=by, why=why, detail=detail, fields=fields, sealed=sealed)
    subjects = list(subject_ids) or [None]
    with explained(), connection.cursor() as cursor:
        cursor.execute(
            _INSERT,
            {
                "kind": kind,
                "actor": by,
                "purpose": why,
                "department": department,
                "basis": basis,
                "subjects": subjects,
                "reach": 0,
                "detail": json.dumps(said),
                "seal_basis": sealed.basis if sealed else None,
                "approver": sealed.approver if sealed else None,
                "opens_on": sealed.opens_on if sealed else None,
            },
        )
        return [row[0] for row in cursor.fetchall()]


def record_job(
    kind: str,
    *,
    persons: Iterable[int] | np.ndarray | None,
    by: str,
    why: str,
    detail: Mapping[str, Any] | None = None,
    department: str = "",
    basis: str = "",
) -> int:
    """Write bulk work down as ONE entry that each of `persons` still finds as being about them (None: whoever is in the register).

    The entry binds the set: `persons` and `persons_sha256`, over the sorted ids, eight bytes each. A million persons take about 0.2 s.
    Returns the entry's id. Raises `PurposeMissing`, `DetailHoldsPersonalData`.
    """
    said = said_of(kind, by=by, why=why, detail=detail)
    ids = None
    if persons is not None:
        # sorted first: numpy's own way to distinct values hashes each of them, and takes ten times as long
        ids = np.sort(np.asarray(persons if isinstance(persons, np.ndarray) else list(persons), np.int64))
        ids = ids[np.diff(ids, prepend=ids[:1] - 1) != 0]
        packed = ids.astype(">i8").tobytes()
        said = {**said, "persons": len(ids), "persons_sha256": hashlib.sha256(packed).hexdigest()}
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO trace_entry (kind, actor, purpose, department, basis, reach, detail)"
            " VALUES (%s, %s, %s, %s, %s, %s, %s::jsonb) RETURNING id",
            [kind, by, why, department, basis, 2 if ids is None else 1, json.dumps(said)],
        )
        entry_id: int = cursor.fetchone()[0]
        if ids is not None and len(ids):
            _list(cursor, entry_id, ids, packed)
    return entry_id


def _list(cursor: Any, entry_id: int, ids: np.ndarray, packed: bytes) -> None:
    if len(ids) <= FEW_PERSONS:
        rows = ((person, entry_id) for person in ids.tolist())
        copy_rows(cursor, "trace_jobperson", ["person_id", "entry_id"], rows, types=["int8", "int8"])
        return
    starts = range(0, len(ids), PART_PERSONS)
    ends = [min(start + PART_PERSONS, len(ids)) for start in starts]
    parts = (
        (entry_id, f"[{ids[start]},{ids[end - 1]}]", packed[8 * start : 8 * end])
        for start, end in zip(starts, ends, strict=True)
    )
    copy_rows(cursor, "trace_jobpart", ["entry_id", "span", "persons"], parts)


def said_of(
    kind: str,
    *,
    by: str,
    why: str,
    detail: Mapping[str, Any] | None = None,
    fields: Sequence[str] = (),
    sealed: Sealed | None = None,
) -> dict[str, Any]:
    """The detail of an entry, checked. Raises `PurposeMissing`, `DetailHoldsPersonalData`, `SealIncomplete`."""
    if not by.strip() or not why.strip():
        raise PurposeMissing(kind=kind)
    said = {**(detail or {}), **({"fields": sorted(fields)} if fields else {})}
    if (key := personal_key(said)) is not None:
        raise DetailHoldsPersonalData(key=key)
    return {**said, "sealed": sealed.as_detail()} if sealed else said


@contextmanager
def explained() -> Iterator[None]:
    """Turn the database's refusal to write about persons into `LogNotShown`."""
    try:
        yield
    except DatabaseError as error:
        if getattr(error.__cause__, "sqlstate", None) == SHUT:
            raise LogNotShown() from None
        raise


def erase(entry_ids: Iterable[int], *, by: str, why: str) -> int:
    """Delete text and nonce of entries that are in the public log; leaf and proofs stay, and one entry tells the places.

    Returns how many were erased now; those not in the log yet, unknown or erased before are left. Raises `PurposeMissing`.
    """
    if not by.strip() or not why.strip():
        raise PurposeMissing(kind="trace.erase")
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT trace_erase(%s, %s, %s)", [list(entry_ids), by, why])
        return cursor.fetchone()[0]

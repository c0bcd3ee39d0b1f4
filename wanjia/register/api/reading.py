"""Reads of the register: digest, rebuild, as-of questions. Identity is not here: it is opened by wanjia.privacy.api.open_person."""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from django.db import connection, transaction

from wanjia.access.api import raise_wall
from wanjia.privacy import api as privacy
from wanjia.register.api.loading import FACTS, LoadResult, load
from wanjia.register.api.resolving import Resolution
from wanjia.register.errors import PersonUnknown, RebuildDiffers
from wanjia.register.rules.as_of import state_on
from wanjia.trace import api as trace

DIGEST_BYTES = 16


@transaction.atomic
def digest(*, by: str, why: str) -> str:
    """A hash of the register's current content, vault included: equal content gives an equal digest, whatever the order of rows, their ids, the
    times of loading and the keys of the installation.

    Every row is hashed and the hashes are summed, so no order matters. Reads the whole vault inside this process; one trace entry.
    """
    total = 0
    with connection.cursor() as cursor:
        for fact in FACTS:
            columns = ", ".join((*fact.keys, *fact.values, "valid"))
            total += _sum_of(
                cursor, f"SELECT ROW({columns})::text FROM {fact.table} WHERE upper_inf(known)", fact.table
            )
        for table in ("register_person", "register_household"):
            total += _sum_of(cursor, f"SELECT id::text FROM {table} WHERE left_at IS NULL", table)
    for person_id, content in privacy.contents():
        line = b"vault|%d|" % person_id + content
        total += int.from_bytes(hashlib.blake2b(line, digest_size=DIGEST_BYTES).digest())
    trace.record_job("register.digest", persons=None, by=by, why=why)
    return f"{total % (1 << (8 * DIGEST_BYTES)):032x}"


def rebuild(resolution: Resolution, *, by: str, why: str, expect_equal: bool = False) -> tuple[str, str, LoadResult]:
    """Make the state anew from a resolution of the whole history. Returns (digest before, digest after, what changed).

    With `expect_equal` nothing may change: raises `RebuildDiffers` and leaves everything as it was.
    """
    with transaction.atomic():
        before = digest(by=by, why=why)
        result = load(resolution, by=by, why=why)
        after = digest(by=by, why=why)
        if expect_equal and before != after:
            raise RebuildDiffers(before=before, after=after)
    return before, after, result


def as_of(
    person_ids: Sequence[int],
    *,
    true_on: date | None = None,
    known_on: datetime | None = None,
    by: str,
    why: str,
    department: str = "",
    basis: str = "",
    detail: Mapping[str, Any] | None = None,
) -> dict[int, dict[str, list[dict[str, Any]]]]:
    """What was true of these persons on `true_on` (None: at any time), as known at `known_on` (None: now).

    Returns person id → kind of fact (state, membership, residence, relation) → rows. Traced, one entry for each person; the entries are
    committed before anything is returned (ADR 8), so this is never called inside a transaction. Raises `PersonUnknown` if none of them was known.
    """
    with transaction.atomic(durable=True):
        trace.record(
            "register.as_of",
            subject_ids=person_ids,
            by=by,
            why=why,
            department=department,
            basis=basis,
            detail=dict(detail or {}),
        )
        found: dict[int, dict[str, list[dict[str, Any]]]] = {}
        with connection.cursor() as cursor:
            raise_wall(cursor)
            for fact in FACTS:
                columns = ("person_id", *(k for k in fact.keys if k != "person_id"), *fact.values)
                listed = ", ".join(columns)
                cursor.execute(
                    f"SELECT {listed}, lower(valid), upper(valid), lower(known), upper(known) FROM {fact.table}"
                    " WHERE person_id = ANY(%(ids)s) AND (%(on)s::date IS NULL OR valid @> %(on)s::date)"
                    " AND CASE WHEN %(at)s::timestamptz IS NULL THEN upper_inf(known) ELSE known @> %(at)s::timestamptz END"
                    " ORDER BY person_id, lower(valid) NULLS FIRST",
                    {"ids": list(person_ids), "on": true_on, "at": known_on},
                )
                names = [*columns, "valid_from", "valid_to", "known_from", "known_to"]
                for row in cursor.fetchall():
                    fields = dict(zip(names, row, strict=True))
                    person = found.setdefault(
                        fields.pop("person_id"), {"state": [], "membership": [], "residence": [], "relation": []}
                    )
                    person[_KINDS[fact.table]].append(fields)
        if true_on is not None:
            _restate(found, true_on, known_on)
    if not found:
        raise PersonUnknown()
    return found


def _restate(found: dict[int, dict[str, list[dict[str, Any]]]], day: date, known_on: datetime | None) -> None:
    """Put the states as they were on the day: what changed since is looked up in what was known before."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT person_id, marital_status, marital_since FROM register_personstate WHERE person_id = ANY(%s)"
            " AND (%s::timestamptz IS NULL OR lower(known) <= %s::timestamptz) ORDER BY lower(known) DESC",
            [list(found), known_on, known_on],
        )
        earlier: dict[int, list[dict[str, Any]]] = {}
        for person, status, since in cursor.fetchall():
            earlier.setdefault(person, []).append({"marital_status": status, "marital_since": since})
    for person, kinds in found.items():
        is_registered = any(place["kind"] == "domicile" for place in kinds["residence"])
        kinds["state"] = [
            state_on(one, earlier.get(person, ()), day, is_registered=is_registered) for one in kinds["state"]
        ]


def person_facts(
    person_id: int,
    *,
    by: str,
    why: str,
    department: str = "",
    basis: str = "",
    detail: Mapping[str, Any] | None = None,
) -> dict[str, list[dict[str, Any]]]:
    """What the register holds of one person now, at any time of validity; `department`, `basis` and `detail` (a decision's) go into the trace.

    Raises `PersonUnknown`.
    """
    return as_of([person_id], by=by, why=why, department=department, basis=basis, detail=detail)[person_id]


_KINDS = {
    "register_personstate": "state",
    "register_membership": "membership",
    "register_residence": "residence",
    "register_relation": "relation",
}


def _sum_of(cursor: Any, rows: str, label: str) -> int:
    """The sum of the rows' hashes (two 64-bit halves of MD5: this compares content, it guards nothing)."""
    cursor.execute(
        "SELECT coalesce(sum(('x' || substr(h, 1, 16))::bit(64)::bigint::numeric), 0),"
        " coalesce(sum(('x' || substr(h, 17, 16))::bit(64)::bigint::numeric), 0)"
        f" FROM (SELECT md5(%s || line) AS h FROM ({rows}) AS r(line)) AS hashed",
        [label],
    )
    low, high = cursor.fetchone()
    return int(low) + (int(high) << 64)

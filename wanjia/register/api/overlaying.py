"""What a load does with people whom events concern: the sources' facts become their basis, and the acts are folded over it (ADR 0006).

Somebody whom an event founded may turn up in the sources later. Their sound number makes the two one: the record's person takes the event's id.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from django.db import connection
from psycopg.types.json import Jsonb

from wanjia.kernel import clock
from wanjia.privacy import api as privacy
from wanjia.register import rules
from wanjia.register.api.declaring import event_book
from wanjia.register.api.resolving import FACTS, FactTable
from wanjia.register.api.settling import KIND_OF, absorbed_now, acts_of, merged_now, unpacked
from wanjia.register.rules.folding import Facts, fold, is_nobody, nothing
from wanjia.standards import api as standards

#: ids below this are of persons founded by events: no assertion's id is so small (its delivery's number stands above 32 bits)
FOUNDED_BY_EVENTS = 1 << 32


def with_events(resolution: Any, *, only: Sequence[int] | None) -> Any:
    """The resolution with the acts of events folded in; itself where no event concerns anybody."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT EXISTS (SELECT FROM register_basis)")
        return _WithEvents(resolution, only) if cursor.fetchone()[0] else resolution


class _WithEvents:
    """A resolution over which events lie. Everything is read once, under the load lock."""

    def __init__(self, resolution: Any, only: Sequence[int] | None) -> None:
        self._settled = resolution
        self.persons = resolution.persons
        with connection.cursor() as cursor:
            self._same = _same_people(cursor, resolution)
            self.only = None if only is None else [self._same.get(one, one) for one in only]
            cursor.execute(
                "SELECT person_id, facts FROM register_basis WHERE %(all)s OR person_id = ANY(%(ids)s)",
                {"all": only is None, "ids": list(self.only or [])},
            )
            self._kept: dict[int, Facts] = {person: unpacked(facts) for person, facts in cursor.fetchall()}
            self._acts = acts_of(cursor, None if only is None else list(self._kept), counting=event_book().counting)
            self._absorbed = absorbed_now(cursor)
            _redirect(cursor, self._same)
            self._same |= self._fused(cursor)

    def _fused(self, cursor: Any) -> dict[int, int]:
        """Of two whom an event made one, where the sources came to know them as one too, and by the other's id: that id → who stayed."""
        merged = merged_now(cursor, counting=event_book().counting)
        if not merged:
            return {}
        ids = np.asarray(_renamed(self._settled.person_ids(), "id", self._same)["id"])
        stated = set(ids[np.isin(ids, np.array([*merged, *merged.values()], np.int64))].tolist())
        return {
            former: person
            for former, person in merged.items()
            if former in stated and person not in stated and not is_nobody(self._kept.get(person, nothing()))
        }

    @cached_property
    def _rows(self) -> dict[str, pa.Table]:
        """Every frame of the resolution, of everybody whom no event concerns, with ids put right."""
        self.bases: dict[int, Facts] = {person: nothing() for person in self._kept}
        concerned = np.sort(np.fromiter(self._kept, np.int64, len(self._kept)))
        rest: dict[str, pa.Table] = {}
        for fact in FACTS:
            rows = _renamed(self._settled.fact_rows(fact), "person_id", self._same)
            if fact.frame == "relations":
                rows = _renamed(rows, "other_id", self._same)
            is_concerned = pa.array(np.isin(np.asarray(rows["person_id"]), concerned))
            for row in rows.filter(is_concerned).to_pylist():
                _take(self.bases[row["person_id"]], fact, row)
            rows = rows.filter(pc.invert(is_concerned))
            if fact.frame == "relations" and self._absorbed:
                rows = _without_absorbed(rows, self._absorbed)
            rest[fact.frame] = rows
        if self.only is not None:
            # the fast lane's relations are those that stand, events and all: the basis keeps what the last whole load knew
            for person, facts in self.bases.items():
                facts["relation"] = self._kept[person]["relation"]
        self._refresh()
        self.folded = {
            person: fold(basis, self._acts.get(person, ()), absorbed=self._absorbed)
            for person, basis in self.bases.items()
        }
        return rest

    def _refresh(self) -> None:
        changed = [(Jsonb(facts), person) for person, facts in self.bases.items() if facts != self._kept[person]]
        with connection.cursor() as cursor:
            cursor.executemany("UPDATE register_basis SET facts = %s WHERE person_id = %s", changed)

    def person_ids(self) -> pa.Table:
        assert self._rows is not None
        ids = np.asarray(_renamed(self._settled.person_ids(), "id", self._same)["id"])
        there = [person for person, facts in self.folded.items() if not is_nobody(facts)]
        gone = [person for person, facts in self.folded.items() if is_nobody(facts)]
        return pa.table(
            {"id": pa.array(np.setdiff1d(np.union1d(ids, np.array(there, np.int64)), np.array(gone, np.int64)))}
        )

    def household_ids(self) -> pa.Table:
        rest = self._rows["memberships"]["household_id"]
        own = [piece["household_id"] for facts in self.folded.values() for piece in facts["membership"]]
        return pa.table({"id": pa.array(np.union1d(np.asarray(rest), np.array(own, np.int64)))})

    def fact_rows(self, fact: FactTable) -> pa.Table:
        rest = self._rows[fact.frame]
        own = [row for person, facts in self.folded.items() for row in _given(person, facts, fact)]
        return pa.concat_tables([rest, pa.Table.from_pylist(own, schema=rest.schema)]) if own else rest

    def dossiers(self) -> Iterator[pa.Table]:
        for batch in self._settled.dossiers():
            yield _renamed(batch, "person_id", self._same)

    def searchable(self) -> pa.Table:
        return _renamed(self._settled.searchable(), "person_id", self._same)

    def searchable_by_kind(self) -> Iterator[tuple[str, pa.Table]]:
        for kind, rows in self._settled.searchable_by_kind():
            yield kind, _renamed(rows, "person_id", self._same)


def _same_people(cursor: Any, resolution: Any) -> dict[int, int]:
    """Person of the sources → the person an event founded, where both have one sound number."""
    cursor.execute("SELECT id FROM register_person WHERE id < %s AND left_at IS NULL", [FOUNDED_BY_EVENTS])
    founded = [row[0] for row in cursor.fetchall()]
    if not founded:
        return {}
    tag = rules.tag_of(standards.load_profile().element("citizen_number"))
    # the last event that says a number says which one holds
    holders = dict(privacy.amended_values(tag, founded))
    by_number = {number: person for person, number in holders.items()}
    values = resolution.searchable()
    numbers = values.filter(pc.equal(values["kind"], "number"))
    numbers = numbers.filter(pc.is_in(numbers["value"], pa.array(list(by_number), pa.string())))
    found = {row["person_id"]: by_number[row["value"]] for row in numbers.to_pylist()}
    return {source: person for source, person in found.items() if source != person}


def _redirect(cursor: Any, same: Mapping[int, int]) -> None:
    """The sources' ids lead to the persons events founded; linkage goes on speaking of the former."""
    for former, person in same.items():
        cursor.execute(
            "INSERT INTO register_personredirect (former_id, person_id, since, event_id)"
            " SELECT %s, %s, %s, min(event_id) FROM register_act WHERE person_id = %s"
            " ON CONFLICT (former_id) DO NOTHING",
            [former, person, clock.now(), person],
        )


def _renamed(rows: pa.Table, column: str, same: Mapping[int, int]) -> pa.Table:
    """The rows with ids of `same` replaced."""
    if not same or not rows.num_rows:
        return rows
    ids = np.asarray(rows[column]).copy()
    order = np.sort(np.fromiter(same, np.int64, len(same)))
    for place in np.flatnonzero(np.isin(ids, order)):
        ids[place] = same[int(ids[place])]
    return rows.set_column(rows.column_names.index(column), column, pa.array(ids))


def _without_absorbed(rows: pa.Table, absorbed: Mapping[int, int]) -> pa.Table:
    """Relations to somebody merged away are relations to who they are."""
    last: dict[int, int] = {}
    for former in absorbed:
        person = former
        while person in absorbed:
            person = absorbed[person]
        last[former] = person
    return _renamed(rows, "other_id", last)


def _take(facts: Facts, fact: FactTable, row: Mapping[str, Any]) -> None:
    """One row of a frame as a piece of somebody's facts."""
    names = [name for name in (*fact.keys, *fact.values) if name != "person_id"]
    piece = {name: row[name].isoformat() if hasattr(row[name], "isoformat") else row[name] for name in names}
    begins, _, ends = row["valid"].strip("[)").partition(",")
    piece |= {"from": begins or None, "to": ends or None}
    kind = KIND_OF[fact.table]
    if kind == "state":
        facts["state"] = piece
    else:
        facts[kind].append(piece)


def _given(person: int, facts: Facts, fact: FactTable) -> Iterable[dict[str, Any]]:
    """Somebody's facts as rows of a frame."""
    kind = KIND_OF[fact.table]
    pieces = facts[kind] if kind != "state" else [facts["state"]] if facts["state"] else []
    days = {"birth_on", "died_on", "marital_since"}
    for piece in pieces:
        values = {
            name: date.fromisoformat(value) if name in days and value else value
            for name, value in piece.items()
            if name not in ("from", "to")
        }
        valid = f"[{piece['from'] or ''},{piece['to'] or ''})"
        # what was held before an event stands beside it, known until then: such rows are never the only one of their kind
        yield {"person_id": person, **values, "valid": valid, "sole": False}

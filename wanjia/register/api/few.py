"""The fast lane: a pushed record reaches the state within a fraction of a second, by the same rules.

The rules are the same expressions as those of the bulk lane. Writing them out as SQL takes longer than running them on a few rows, so on DuckDB the
statements of the first batch are kept and run again for later batches of the same shape.

What lies outside the batch is asked of the database: who holds a number that a record names, who else is in a household, whose records name somebody
in the batch. A choice that would need the statements of somebody outside (which of two people is head, which of two marriages holds) is left as it
stands; the next whole run weighs it.
"""

from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from django.db import connection, transaction
from ibis.expr.types import Table

from wanjia.kernel.engine import Engine
from wanjia.privacy import api as privacy
from wanjia.privacy.api import BlindKind
from wanjia.register import rules
from wanjia.register.api.assembling import in_words, put_together
from wanjia.register.api.loading import LoadResult, write
from wanjia.register.api.resolving import FACTS, Elsewhere, FactTable, resolve
from wanjia.register.errors import FewTooMany
from wanjia.register.rules import DeclaredElement, TrustedSource

MOST_PERSONS = 2000
PLANS_KEPT = 32
ASSERTIONS, LINKS = "few_assertions", "few_links"
_OUTSIDE = {
    "few_holders": pa.schema([("number", pa.string()), ("holder", pa.int64())]),
    "few_mates": pa.schema([("person_id", pa.int64()), ("household_id", pa.int64()), ("relation", pa.string()), ("is_head", pa.bool_()),
                            ("is_present", pa.bool_()), ("source", pa.string())]),
    "few_people": pa.schema([("person_id", pa.int64()), ("sex", pa.string()), ("birth_on", pa.date32()), ("died_on", pa.date32())]),
    "few_named_by": pa.schema([("person_id", pa.int64()), ("kind", pa.string()), ("other_id", pa.int64())]),
}  # fmt: skip
_NAMED = {
    "mother_number": BlindKind.MOTHER_NUMBER,
    "father_number": BlindKind.FATHER_NUMBER,
    "spouse_number": BlindKind.SPOUSE_NUMBER,
}
_RELATION_COLUMNS = {
    "person_id": pa.int64(),
    "kind": pa.string(),
    "other_id": pa.int64(),
    "valid": pa.string(),
    "sole": pa.bool_(),
}


def resolve_few(
    engine: Engine,
    assertions: pa.Table,
    links: pa.Table,
    *,
    persons: Iterable[int] = (),
    sources: Mapping[str, TrustedSource],
    elements: Iterable[DeclaredElement],
    by: str,
    why: str,
) -> LoadResult:
    """Settle the state of the few persons whose statements changed: `assertions` are ALL active statements of the persons in `links`.

    Of `persons` those who have no statement left (their records turned out to be somebody else's, say) leave the register. One transaction,
    one trace entry. Raises `FewTooMany`, `LinksNotUnique`, `PurposeMissing`.
    """
    links = links.filter(pc.equal(links["band"], "link"))
    staying = set(links["person_id"].to_pylist())
    concerned = sorted(staying | set(persons))
    if len(concerned) > MOST_PERSONS:
        raise FewTooMany(limit=MOST_PERSONS, count=len(concerned))
    # every statement here reads the batch alone, whatever is around it comes in as tables
    with transaction.atomic(), engine.among_few():
        _prefer_indexes()
        frames = {ASSERTIONS: assertions, LINKS: links, **_outside(assertions, links, concerned)}
        settled = _settle(engine, frames, sources, tuple(elements), len(staying))
        related, scope = _final_relations(settled.fact_rows(FACTS[-1]), concerned, set(concerned) - staying)
        return write(_WithRelations(settled, related), only=concerned, relations_of=scope, by=by, why=why)


def spouses_of(persons: Iterable[int]) -> list[int]:
    """The present spouses of these persons. Settle them together: what they are to each other may rest on the record of either."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT DISTINCT other_id FROM register_relation WHERE upper_inf(known) AND kind = 'spouse' AND person_id = ANY(%s)",
            [list(persons)],
        )
        return [row[0] for row in cursor.fetchall()]


def _prefer_indexes() -> None:
    """For the rest of the transaction: a fresh temporary table has no statistics, and the planner would read the whole register beside it."""
    ways = ("enable_seqscan", "enable_hashjoin", "enable_mergejoin")
    with connection.cursor() as cursor:
        cursor.execute("; ".join(f"SET LOCAL {way} = off" for way in ways))


def rehearse_few(
    engine: Engine,
    assertions: pa.Table,
    links: pa.Table,
    *,
    sources: Mapping[str, TrustedSource],
    elements: Iterable[DeclaredElement],
) -> None:
    """Do what `resolve_few` does with these statements and write nothing: the next batch of this shape finds its statements made."""
    links = links.filter(pc.equal(links["band"], "link"))
    persons = sorted(set(links["person_id"].to_pylist()))
    frames = {ASSERTIONS: assertions, LINKS: links, **_outside(assertions, links, persons)}
    for _ in range(2):
        settled = _settle(engine, frames, sources, tuple(elements), len(persons))
        _final_relations(settled.fact_rows(FACTS[-1]), persons, set())
        list(settled.dossiers())


@dataclass
class _Plan:
    """The statements of one resolution, in order: (table to fill, SQL or the rows themselves), and those a load asks."""

    fills: list[tuple[str, str | pa.Table]] = field(default_factory=list)
    queries: dict[str, str] = field(default_factory=dict)


class _Recording:
    """An engine that remembers the SQL of every table it fills."""

    def __init__(self, engine: Engine, plan: _Plan) -> None:
        self._engine, self._plan = engine, plan
        self.kind, self.con = engine.kind, engine.con

    def save(self, name: str, expression: Table) -> Table:
        self._plan.fills.append((name, self.con.compile(expression)))
        return self._engine.save(name, expression)

    def load(self, name: str, table: pa.Table) -> Table:
        self._plan.fills.append((name, table))
        return self._engine.load(name, table)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._engine, name)


class _Replayed:
    """A resolution computed by the statements of an earlier one."""

    def __init__(self, engine: Engine, plan: _Plan, persons: int) -> None:
        self._engine, self._plan, self.persons = engine, plan, persons
        for name, filling in plan.fills:
            if isinstance(filling, str):
                engine.save_compiled(name, filling)
            else:
                engine.put(name, filling)

    def _ask(self, name: str) -> pa.Table:
        return self._engine.fetch(self._plan.queries[name])

    def person_ids(self) -> pa.Table:
        return self._ask("person_ids")

    def household_ids(self) -> pa.Table:
        return self._ask("household_ids")

    def fact_rows(self, fact: FactTable) -> pa.Table:
        return self._ask(fact.frame)

    def dossiers(self) -> Iterator[pa.Table]:
        yield from put_together(in_words(self._ask("choices")), self._ask("lines"))

    def searchable(self) -> pa.Table:
        return self._ask("searchable")


class _WithRelations:
    """A resolution whose relations were completed by what the database says of people outside."""

    def __init__(self, settled: Any, related: pa.Table) -> None:
        self._settled, self._related = settled, related
        self.persons = settled.persons

    def fact_rows(self, fact: FactTable) -> pa.Table:
        return self._related if fact.frame == "relations" else self._settled.fact_rows(fact)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._settled, name)


_plans: OrderedDict[Any, _Plan] = OrderedDict()


def _settle(
    engine: Engine, frames: Mapping[str, pa.Table], sources: Mapping[str, TrustedSource], elements: tuple, persons: int
) -> Any:
    """The resolution of the frames: by the plan of an earlier batch of this shape where there is one."""
    for name, frame in frames.items():
        engine.put(name, frame)
    trust = tuple((s.code, s.department, s.role, s.reliability) for s in sources.values())
    shape = (id(engine.con), frames[ASSERTIONS].schema.to_string(), trust, tuple(e.key for e in elements))
    if engine.kind == "duckdb" and shape in _plans:
        _plans.move_to_end(shape)
        return _Replayed(engine, _plans[shape], persons)
    plan = _Plan()
    tables = {name: engine.con.table(name) for name in frames}
    elsewhere = Elsewhere(*(tables[name] for name in _OUTSIDE))
    resolution = resolve(
        _Recording(engine, plan),
        tables[ASSERTIONS],
        tables[LINKS],
        sources=sources,
        elements=elements,
        elsewhere=elsewhere,
    )
    if engine.kind == "duckdb":
        plan.queries = {name: engine.con.compile(query) for name, query in resolution.queries.items()}
        _plans[shape] = plan
        if len(_plans) > PLANS_KEPT:
            _plans.popitem(last=False)
    return resolution


def _outside(assertions: pa.Table, links: pa.Table, persons: list[int]) -> dict[str, pa.Table]:
    """What the database knows of people who are not in the batch, as the frames of `Elsewhere`."""
    inside = set(persons)
    own = _distinct(assertions, "citizen_number")
    named = set().union(*(_distinct(assertions, column) for column in _NAMED))
    holders = [
        {"number": number, "holder": person}
        for number, found in privacy.find_by_blind(BlindKind.NUMBER, own | named).items()
        for person in found
        if person not in inside
    ]
    holder_of = dict(zip(links["assertion_id"].to_pylist(), links["person_id"].to_pylist(), strict=True))
    who = {}
    if "citizen_number" in assertions.column_names:
        numbers = zip(assertions["assertion_id"].to_pylist(), assertions["citizen_number"].to_pylist(), strict=True)
        who = {number: holder_of[one] for one, number in numbers if number and one in holder_of}
    named_by = [
        {"person_id": person, "kind": column.removesuffix("_number"), "other_id": who[number]}
        for column, kind in _NAMED.items()
        for number, found in (privacy.find_by_blind(kind, own).items() if own else ())
        for person in found
        if person not in inside and number in who
    ]
    mates = _mates(_household_ids(assertions), persons)
    others = {h["holder"] for h in holders} | {n["person_id"] for n in named_by} | {m["person_id"] for m in mates}
    found = {
        "few_holders": holders,
        "few_mates": mates,
        "few_people": _people(others, persons),
        "few_named_by": named_by,
    }
    return {name: pa.Table.from_pylist(found[name], schema=schema) for name, schema in _OUTSIDE.items()}


def _distinct(assertions: pa.Table, column: str) -> set[str]:
    if column not in assertions.column_names:
        return set()
    return set(pc.drop_null(assertions[column].unique()).to_pylist())


def _household_ids(assertions: pa.Table) -> list[int]:
    """The ids of the households the statements name."""
    if "household_number" not in assertions.column_names:
        return []
    numbers = assertions["household_number"].to_pylist()
    offices = (
        assertions["registration_office"].to_pylist()
        if "registration_office" in assertions.column_names
        else [None] * len(numbers)
    )
    return sorted(
        {rules.household_id(office, number) for office, number in zip(offices, numbers, strict=True) if number}
    )


def _mates(households: list[int], persons: list[int]) -> list[dict[str, Any]]:
    if not households:
        return []
    with connection.cursor() as cursor:
        cursor.execute(
            # the dead are still somebody's father or spouse
            "SELECT person_id, household_id, relation, is_head, upper_inf(valid) FROM register_membership WHERE upper_inf(known)"
            " AND household_id = ANY(%s) AND NOT person_id = ANY(%s)",
            [households, persons],
        )
        return [
            dict(zip(("person_id", "household_id", "relation", "is_head", "is_present"), row, strict=True))
            for row in cursor.fetchall()
        ]


def _people(others: set[int], persons: list[int]) -> list[dict[str, Any]]:
    """Sex, birth and death of the outsiders, and of the present relatives of the batch."""
    with connection.cursor() as cursor:
        cursor.execute(
            # one list of ids: with an OR the planner would read everybody
            "SELECT person_id, sex, birth_on, died_on FROM register_personstate WHERE upper_inf(known) AND NOT person_id = ANY(%(inside)s)"
            " AND person_id = ANY(ARRAY(SELECT unnest(%(others)s::bigint[]) UNION"
            " SELECT other_id FROM register_relation WHERE upper_inf(known) AND person_id = ANY(%(inside)s)))",
            {"inside": persons, "others": list(others)},
        )
        return [dict(zip(("person_id", "sex", "birth_on", "died_on"), row, strict=True)) for row in cursor.fetchall()]


def _final_relations(computed: pa.Table, persons: list[int], leaving: set[int]) -> tuple[pa.Table, list[int]]:
    """(all relations of everybody concerned, who that is): the computed ones, completed by those that stand.

    A relation to somebody outside stands unless the batch yields another of that kind; an outsider's own standing relation is not displaced.
    Nobody is related to those who are `leaving`.
    """
    inside = set(persons)
    new = {(r["person_id"], r["kind"]): (r["other_id"], r["valid"]) for r in computed.to_pylist()}
    concerned = sorted(inside | {person for person, _ in new})
    standing: dict[tuple[int, str], tuple[int, str]] = {}
    with connection.cursor() as cursor:
        cursor.execute(
            # whoever stands beside somebody of the batch comes with all relations: what is not listed below would end
            "SELECT person_id, kind, other_id, valid::text FROM register_relation WHERE upper_inf(known) AND person_id = ANY(ARRAY("
            " SELECT unnest(%(concerned)s::bigint[]) UNION SELECT person_id FROM register_relation"
            " WHERE upper_inf(known) AND (kind = 'spouse' AND other_id = ANY(%(inside)s) OR other_id = ANY(%(leaving)s))))",
            {"concerned": concerned, "inside": persons, "leaving": list(leaving)},
        )
        for person, kind, other, valid in cursor.fetchall():
            standing[person, kind] = (other, valid)
    final = dict(standing)
    for (person, kind), (other, valid) in new.items():
        if person in inside:
            taken = standing.get((other, "spouse")) if kind == "spouse" and other not in inside else None
            if taken is None or taken[0] in inside:
                final[person, kind] = (other, valid)
    for (person, kind), (other, _) in standing.items():
        if person in inside and other in inside and (person, kind) not in new:
            del final[person, kind]
    for (person, kind), (other, valid) in new.items():
        if (
            person not in inside
            and other in inside
            and (kind != "spouse" or final.get((other, "spouse"), (None,))[0] == person)
        ):
            current = standing.get((person, kind))
            if current is None or current[0] in inside:
                final[person, kind] = (other, valid)
    # a marriage is mutual: an outsider whose spouse in the batch is now married to somebody else has none
    for (person, kind), (other, _) in list(final.items()):
        if (
            kind == "spouse"
            and person not in inside
            and other in inside
            and final.get((other, "spouse"), (None,))[0] != person
        ):
            del final[person, kind]
    rows = [
        {"person_id": person, "kind": kind, "other_id": other, "valid": valid, "sole": True}
        for (person, kind), (other, valid) in final.items()
        if not {person, other} & leaving
    ]
    scope = sorted(inside | {person for person, _ in standing} | {person for person, _ in final})
    return pa.Table.from_pylist(rows, schema=pa.schema(list(_RELATION_COLUMNS.items()))), scope

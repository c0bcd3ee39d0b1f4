"""From assertions and links to the state that follows: everything is computed by the engine, nothing is written to the database."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from typing import Any

import ibis
import pyarrow as pa
from ibis.expr.types import Table

from wanjia.kernel.engine import Engine
from wanjia.privacy.api import Dossier, dossier_made
from wanjia.register import rules
from wanjia.register.api.assembling import in_words, put_together
from wanjia.register.bulk import agreement, dossiers, facts, relations, statements, survivors
from wanjia.register.bulk.checks import findings
from wanjia.register.bulk.population import population
from wanjia.register.bulk.statements import Part, Statements
from wanjia.register.bulk.survivors import Ranks, Winners
from wanjia.register.declared import Check
from wanjia.register.errors import LinksNotUnique
from wanjia.register.rules import DeclaredElement, ElementRule, TrustedSource

# dossiers are written out in pieces, so that no engine holds the text of a whole country at once
PERSONS_IN_A_PIECE = 300_000


@dataclass(frozen=True)
class Elsewhere:
    """What the register knows of people outside the frame (fast lane), as frames of the engine.

    `holders` (number, holder); `mates` (person_id, household_id, relation, is_head, is_present, source), also those who have died or moved;
    `people` (person_id, sex, birth_on, died_on); `named_by` (person_id, kind, other_id): outsiders whose records name a number that somebody in
    the frame holds.
    """

    holders: Table
    mates: Table
    people: Table
    named_by: Table


@dataclass(frozen=True)
class FactTable:
    """How one kind of fact is stored: its table, the columns that say whose and which, and the columns that say what."""

    table: str
    frame: str  # attribute of Resolution
    keys: tuple[str, ...]
    values: tuple[str, ...]
    is_single: bool = True  # resolving yields one row at most for equal keys

    @property
    def columns(self) -> tuple[str, ...]:
        """All columns a load fills, but the known time."""
        return (*self.keys, *self.values, "valid", "sole")


FACTS = (
    FactTable(
        "register_personstate", "states", ("person_id",),
        ("sex", "birth_on", "died_on", "registration_state", "marital_status", "marital_since"),
    ),
    FactTable("register_membership", "memberships", ("person_id", "kind"), ("household_id", "is_head", "relation")),
    FactTable("register_residence", "residences", ("person_id", "kind"), ("division", "division_now"), is_single=False),
    FactTable("register_relation", "relations", ("person_id", "kind"), ("other_id",)),
)  # fmt: skip


@dataclass
class Resolution:
    """The register state that follows from a set of assertions: tables of the engine, one row for each fact.

    `rows` are the linked assertions, `resolved` the winning values. `seconds` says how long each step took.
    """

    engine: Engine
    rules: list[ElementRule]
    ranks: Ranks
    rows: Statements
    resolved: Winners
    states: Table
    residences: Table
    memberships: Table
    holders: Table
    claims: Table
    relations: Table
    persons: int
    seconds: dict[str, float] = field(default_factory=dict)
    _populations: dict[date, pa.Table] = field(default_factory=dict)

    def person_ids(self) -> pa.Table:
        """(id) of every person."""
        return self.engine.arrow(self.queries["person_ids"])

    def household_ids(self) -> pa.Table:
        """(id) of every household."""
        return self.engine.arrow(self.queries["household_ids"])

    def fact_rows(self, fact: FactTable) -> pa.Table:
        """The rows of one kind of fact, in the columns of its table."""
        return self.engine.arrow(self.queries[fact.frame])

    @cached_property
    def queries(self) -> dict[str, Table]:
        """What a load asks of the resolution, by name."""
        asked = {
            "person_ids": self.states.select(id="person_id"),
            "household_ids": self.memberships.select(id="household_id").distinct(),
            "lines": dossiers.lines(self.rows, self.rules),
            "choices": dossiers.choices(self.resolved, self.rules),
            "searchable": dossiers.searchable(self.rows),
        }
        for fact in FACTS:
            frame: Table = getattr(self, fact.frame)
            alone = frame.count().over(ibis.window(group_by=list(fact.keys))) == 1
            sole = ibis.literal(True) if fact.is_single else alone
            asked[fact.frame] = frame.mutate(valid=valid_text(frame), sole=sole).select(*fact.columns)
        return asked

    def dossiers(self) -> Iterator[pa.Table]:
        """The persons' dossiers in pieces of (person_id, dossier), in order of persons, so that PostgreSQL finds its keys sorted."""
        # what was chosen is asked once for all: it takes joins of all winners, and is said in few different texts
        choices = in_words(self.engine.arrow(self.queries["choices"]))
        if self.persons <= PERSONS_IN_A_PIECE:
            yield from put_together(choices, self.engine.arrow(self.queries["lines"]))
            return
        pieces = [choices.slice(first, PERSONS_IN_A_PIECE) for first in range(0, len(choices), PERSONS_IN_A_PIECE)]
        # the engine writes the next piece while the one before is sealed
        with ThreadPoolExecutor(1) as ahead:
            coming = ahead.submit(self._dossiers, pieces[0])
            for after in (*pieces[1:], None):
                ready = coming.result()
                if after is not None:
                    coming = ahead.submit(self._dossiers, after)
                yield from ready

    def dossiers_of(self, person_ids: Iterable[int]) -> list[Dossier]:
        """The dossiers of these persons, as sources alone make them; whoever is not in the state is left out."""
        asked = self.engine.load("register_asked", pa.table({"person_id": pa.array(sorted(person_ids), pa.int64())}))
        rows = Statements(tuple(Part(p.frame.semi_join(asked, "person_id"), p.source) for p in self.rows.parts))
        resolved = Winners(tuple(t.semi_join(asked, "person_id") for t in self.resolved.tables))
        made = put_together(
            in_words(self.engine.arrow(dossiers.choices(resolved, self.rules))),
            self.engine.arrow(dossiers.lines(rows, self.rules)),
        )
        return [dossier_made(**one) for some in made for one in some.to_pylist()]

    def _dossiers(self, choices: pa.Table) -> Iterator[pa.Table]:
        """The dossiers of the persons of `choices`, who come one after the other in the order of ids."""
        first, last = (choices["person_id"][place].as_py() for place in (0, -1))
        within = [Part(p.frame.filter(p.frame.person_id.between(first, last)), p.source) for p in self.rows.parts]
        return put_together(choices, self.engine.arrow(dossiers.lines(Statements(tuple(within)), self.rules)))

    def agreement(self) -> list[dict[str, Any]]:
        """How each source's statements fare against what holds: {source, subject, element, rows, known, given, shared, differs, stale}."""
        counted = []
        for stated, listed in survivors.groups_of(self.rows, self.rules):
            asked = agreement.agreement(stated, self.resolved, listed, self.ranks)
            counted += agreement.listed([row for one in asked for row in self.engine.arrow(one).to_pylist()], listed)
        return counted

    def population(self, on: date) -> pa.Table:
        """The living of a day by division, sex and age (`bulk.population`); counted once."""
        if on not in self._populations:
            self._populations[on] = self.engine.arrow(population(self.states, self.residences, on))
        return self._populations[on]

    def findings(self, checks: Mapping[str, Check]) -> Table:
        """What the cross-checks object to: (kind, source, element, person_id, other_person_id, household_id, assertion_id)."""
        return findings(self, checks)

    def searchable(self) -> pa.Table:
        """(person_id, kind, value) of everything by which persons may be looked up."""
        return self.engine.arrow(self.queries["searchable"])

    def searchable_by_kind(self) -> Iterator[tuple[str, pa.Table]]:
        """The same kind by kind, in the order of the kinds' numbers: (kind, (person_id, value)). Only one is in memory at a time."""
        for kind, rows in dossiers.by_kind(self.rows):
            yield kind, self.engine.arrow(rows)


def resolve(
    engine: Engine,
    assertions: Table | Mapping[str, Table],
    links: Table,
    *,
    sources: Mapping[str, TrustedSource],
    elements: Iterable[DeclaredElement],
    elsewhere: Elsewhere | None = None,
    done_with: Callable[[str], None] | None = None,
) -> Resolution:
    """The state that follows from `assertions` and `links` (frames of the engine). Assertions given source by source take a third of the time.

    Links of the band "link" count; an assertion in the review band only is in nobody's state yet. `elsewhere` is what the register knows of
    people outside the frame (fast lane). `done_with` is called with each source whose assertions are not read again. Raises `LinksNotUnique`.
    """
    seconds: dict[str, float] = {}

    def timed(step: str, compute):
        began = time.perf_counter()
        result = compute()
        seconds[step] = round(time.perf_counter() - began, 3)
        return result

    frames = statements.by_source(assertions)
    element_rules = rules.element_rules(elements, {column for _, frame in frames for column in frame.columns})
    ranks = Ranks.of(element_rules, sources)
    ranked = timed("rank", lambda: statements.rank(engine, assertions, links, sources))
    _one_person_each(engine, ranked)
    rows = timed("rows", lambda: statements.linked(engine, assertions, ranked, element_rules, done_with))
    engine.drop(statements.RANKED)
    resolved = timed("resolve", lambda: survivors.resolve(engine, rows, element_rules, ranks))
    states = timed("states", lambda: facts.states(engine, resolved))
    residences = timed("residences", lambda: facts.residences(engine, rows, resolved, states, element_rules, ranks))
    memberships = timed(
        "memberships", lambda: facts.memberships(engine, resolved, states, elsewhere and elsewhere.mates)
    )
    holders = timed("holders", lambda: relations.holders(engine, states, elsewhere and elsewhere.holders))
    claims = timed("claims", lambda: relations.claims(engine, rows, states, memberships, holders, elsewhere))
    related = timed("relations", lambda: relations.relations(engine, claims, states, elsewhere and elsewhere.people))
    return Resolution(
        engine=engine,
        rules=element_rules,
        ranks=ranks,
        rows=rows,
        resolved=resolved,
        states=states,
        residences=residences,
        memberships=memberships,
        holders=holders,
        claims=claims,
        relations=related,
        persons=int(engine.arrow(states.aggregate(n=states.count()))["n"][0].as_py()),
        seconds=seconds,
    )


def searchable_values(engine: Engine, assertions: Table, links: Table) -> pa.Table:
    """(person_id, kind, value) of everything by which persons may be looked up, in order of persons, without resolving anything."""
    linked = links.filter(links.band == "link").select("assertion_id", "person_id")
    addresses = [(key, key) for key in ("domicile_address", "residence_address")]
    frame = statements.with_birth_day(assertions.join(linked, "assertion_id"))
    frame = statements.with_alike(frame, addresses)
    return engine.arrow(dossiers.searchable(Statements((Part(frame, None),))).order_by("person_id"))


def _one_person_each(engine: Engine, ranked: Table) -> None:
    """Raises `LinksNotUnique` if a statement is linked to several people."""
    counted = engine.arrow(ranked.aggregate(links=ranked.count(), assertions=ranked.assertion_id.nunique()))
    doubled = counted["links"][0].as_py() - counted["assertions"][0].as_py()
    if doubled:
        raise LinksNotUnique(count=doubled)


def valid_text(table: Table) -> ibis.Value:
    """The validity as PostgreSQL reads a date range: "[2001-05-01,)"."""
    begins = ibis.coalesce(table.valid_from.cast("string"), ibis.literal(""))
    ends = ibis.coalesce(table.valid_to.cast("string"), ibis.literal(""))
    return ibis.literal("[") + begins + ibis.literal(",") + ends + ibis.literal(")")

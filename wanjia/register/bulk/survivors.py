"""Which statement wins, for every person and element: passes over the wide assertions, no unpivoting.

Each statement gets a whole-number preference key per rank table (rules.py: sound number, rank, effective day, ordinal). The largest key among
the statements that say anything about the element wins; the key's low digits name the statement, so the winner needs no second look-up.

Elements that the same sources deliver are resolved together, over the rows of those sources alone: a grouping of everybody's rows by
everybody's columns is mostly about nothing, and does not fit a processor's cache.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import ibis
from ibis.expr.types import Table, Value

from wanjia.kernel.engine import Engine
from wanjia.register import rules
from wanjia.register.bulk.statements import Part, Statements, value_by_source
from wanjia.register.bulk.words import value_at_largest
from wanjia.register.rules import ElementRule, TrustedSource

RESOLVED = "register_resolved"
# derived columns that are wanted of the winning value
_DERIVED = {"identity_number": ("state",), "division": ("current",), "name": ("norm",), "address": ("alike",)}
# elements whose day of statement is needed to say since when something holds
DATED = ("domicile_division", "residence_division", "residence_registration", "household_number", "marital_status")
# a grouping is done in pieces of people, so that its states stay near the processor: so many statements times columns at once
CELLS_IN_A_PIECE = 8_000_000


@dataclass(frozen=True)
class Ranks:
    """Each element's rank table: source → place (rules.rank_tables)."""

    tables: Sequence[Mapping[str, int]]
    table_of: Mapping[str, int]
    weights: Mapping[str, int]

    @classmethod
    def of(cls, element_rules: Sequence[ElementRule], sources: Mapping[str, TrustedSource]) -> "Ranks":
        """The ranks and weights of these sources for these elements."""
        tables, table_of = rules.rank_tables(element_rules, sources)
        return cls(tables, table_of, {code: rules.weight_of(s.reliability) for code, s in sources.items()})

    def preference(self, part: Part, rule: ElementRule) -> Value:
        """The preference key of each of the part's rows for this element (int64)."""
        table = self.tables[self.table_of[rule.key]]
        steps = {code: (rules.LAST_RANK - place) * rules.RANK_STEP for code, place in table.items()}
        key = part.frame.base + value_by_source(part.frame, part.source, steps, 0)
        if not part.has(f"{rule.key}__state"):
            return key
        sound = part.frame[f"{rule.key}__state"].isin(["sound", "sound15"])
        return key + sound.ifelse(ibis.literal(rules.SOUND_STEP, "int64"), ibis.literal(0, "int64"))


@dataclass(frozen=True)
class Repeated:
    """Of elements that one source delivers: (person_id) of those of whom it has several records, and the winners of these."""

    persons: Table
    held: Table


@dataclass(frozen=True)
class Winners:
    """What holds: for every element its value column(s), `<key>__won` (the winning preference key) and `<key>__said` (how many statements were
    made about it), in tables of elements that go together. Everybody is in the first; in another only those of whom its sources speak.

    `repeated`: element → who alone had to be compared, where that is known.
    """

    tables: tuple[Table, ...]
    repeated: Mapping[str, Repeated] = field(default_factory=dict)

    @property
    def columns(self) -> frozenset[str]:
        """All columns there are."""
        return frozenset(name for table in self.tables for name in table.columns)

    def table_of(self, rule: ElementRule) -> Table:
        """The table that holds the element."""
        return next(table for table in self.tables if f"{rule.key}__won" in table.columns)

    def pick(self, *columns: str) -> Table:
        """One row for each person: person_id and those of `columns` that there are."""
        columns = tuple(dict.fromkeys(columns))
        wanted = [[name for name in columns if name != "person_id" and name in t.columns] for t in self.tables]
        rows = self.tables[0].select("person_id", *wanted[0])
        for table, named in zip(self.tables[1:], wanted[1:], strict=True):
            if named:
                rows = _beside(rows, table.select("person_id", *named))
        return rows


def _beside(rows: Table, taken: Table) -> Table:
    taken = taken.rename(beside_id="person_id")
    return rows.left_join(taken, rows.person_id == taken.beside_id).drop("beside_id")


def groups_of(
    statements: Statements, element_rules: Sequence[ElementRule]
) -> list[tuple[Statements, list[ElementRule]]]:
    """The elements that the same sources deliver, with these sources' statements; those of most sources first."""
    together: dict[tuple[tuple[int, ...], str], list[ElementRule]] = {}
    for rule in element_rules:
        stated_by = tuple(n for n, part in enumerate(statements.parts) if any(part.has(c) for c in rule.columns))
        # the table of a vote or an average is written twice: it has no others in it
        alone = rule.key if rule.strategy in ("vote", "average") else ""
        together.setdefault((stated_by, alone), []).append(rule)
    return [
        (Statements(tuple(statements.parts[n] for n in parts)), listed)
        for (parts, _), listed in sorted(together.items(), key=lambda item: -len(item[0][0]))
    ]


def resolve(engine: Engine, statements: Statements, element_rules: Sequence[ElementRule], ranks: Ranks) -> Winners:
    """Saves and returns what holds of every person."""
    groups = groups_of(statements, element_rules)
    repeated: dict[str, Repeated] = {}
    tables = [_winners(engine, rows, listed, ranks, number, repeated) for number, (rows, listed) in enumerate(groups)]
    if len(groups[0][0].parts) < len(statements.parts):
        everybody = statements.union(lambda part: part.frame.select("person_id")).distinct()
        tables.insert(0, engine.save(f"{RESOLVED}_persons", everybody))
    winners = Winners(tuple(tables), repeated)
    for rule in element_rules:
        if rule.strategy in ("vote", "average"):
            repeated.pop(rule.key, None)
            choose = _vote if rule.strategy == "vote" else _average
            better = choose(statements, winners, rule, ranks)
            tables = [
                engine.save(f"{RESOLVED}_{rule.key}", _with(table, better, rule))
                if rule.columns[0] in table.columns
                else table
                for table in winners.tables
            ]
            winners = Winners(tuple(tables), repeated)
    return winners


def _winners(
    engine: Engine,
    statements: Statements,
    element_rules: Sequence[ElementRule],
    ranks: Ranks,
    number: int,
    repeated: dict[str, Repeated],
) -> Table:
    """Saves and returns the winners of elements that the same sources deliver; fills in `repeated` where it is one source."""
    taken = {rule.key: _taken(statements, rule) for rule in element_rules}
    columns = list(dict.fromkeys(column for wanted in taken.values() for column in wanted.values()))

    def keyed(part: Part) -> Table:
        # a statement that says nothing about the element has no key there; masking once is a third cheaper than filtering every aggregate
        keys = {
            f"k_{rule.key}": is_stated(part, rule).ifelse(ranks.preference(part, rule), ibis.null("int64"))
            for rule in element_rules
        }
        return part.frame.select("person_id", **{c: statements.column(part, c) for c in columns}, **keys)

    rows = statements.union(keyed)
    name = f"{RESOLVED}_{number}"
    # Spark would compute such rows again at every use, and loses track of columns that are only handed on
    if engine.kind == "duckdb" and len(statements.parts) == 1 and statements.parts[0].source is not None:
        found, again = _of_one_source(engine, rows, element_rules, taken, name)
        repeated.update({rule.key: again for rule in element_rules})
        return found
    pieces = max(1, statements.rows * (len(columns) + 2 * len(element_rules)) // CELLS_IN_A_PIECE)
    parts = []
    for piece in range(pieces):
        here = rows.filter(rows.person_id % pieces == piece) if pieces > 1 else rows
        resolved = _compared(engine, here, element_rules, taken)
        parts.append(engine.save(f"{name}_{piece}" if pieces > 1 else name, resolved))
    return ibis.union(*parts) if pieces > 1 else parts[0]


_Taken = Mapping[str, Mapping[str, str]]


def _compared(engine: Engine, rows: Table, element_rules: Sequence[ElementRule], taken: _Taken) -> Table:
    """The winners of `rows`, which have the values and each element's key."""
    chosen: dict[str, Value] = {}
    for rule in element_rules:
        key = rows[f"k_{rule.key}"]
        chosen[f"{rule.key}__won"] = key.max()
        chosen[f"{rule.key}__said"] = key.count()
        for held, column in taken[rule.key].items():
            chosen[held] = value_at_largest(engine, rows[column], key)
    return rows.group_by("person_id").aggregate(**chosen)


def _of_one_source(
    engine: Engine, rows: Table, element_rules: Sequence[ElementRule], taken: _Taken, name: str
) -> tuple[Table, Repeated]:
    """The same of one source. It speaks of nearly everybody once, and whoever speaks alone wins: such rows are read where they lie, and only
    the others are compared."""
    repeated = rows.group_by("person_id").aggregate(times=rows.count()).filter(lambda t: t.times > 1)
    repeated = engine.save(f"{name}_repeated", repeated.select("person_id"))
    compared = engine.save(name, _compared(engine, rows.semi_join(repeated, "person_id"), element_rules, taken))
    once = rows.anti_join(repeated, "person_id")
    chosen: dict[str, Value] = {}
    for rule in element_rules:
        key = once[f"k_{rule.key}"]
        chosen[f"{rule.key}__won"] = key
        chosen[f"{rule.key}__said"] = key.notnull().cast("int64")
        for held, column in taken[rule.key].items():
            # what stands beside a value that was not stated is nobody's
            chosen[held] = key.notnull().ifelse(once[column], ibis.null(once[column].type()))
    return ibis.union(once.select("person_id", **chosen), compared), Repeated(repeated, compared)


def _taken(statements: Statements, rule: ElementRule) -> dict[str, str]:
    """The columns that are taken of the winning statement: name in the result → column of the statement."""
    taken = {column: column for column in rule.columns}
    taken |= {f"{rule.key}__{name}": f"{rule.key}__{name}" for name in _DERIVED.get(rule.type, ())}
    if rule.key in DATED:
        taken[f"{rule.key}__as_of"] = "as_of"
    if rule.key == "household_number":
        # the relation and the office must come from the very record that names the household
        taken |= {f"household__{column}": column for column in ("source", "relation_to_head", "registration_office")}
    return {held: column for held, column in taken.items() if column in statements.types}


def comparable(rule: ElementRule, columns: frozenset[str]) -> str:
    """The column in which two statements of an element are compared: a name by its match form, an address by place, building and room."""
    suffix = {"name": "__norm", "address": "__alike"}.get(rule.type, "")
    name = f"{rule.key}{suffix}"
    return name if suffix and name in columns else rule.columns[0]


def ordinal_of(won: Value) -> Value:
    """The ordinal of the statement that a winning preference key names."""
    return won % rules.ORDINAL_SPAN


def is_stated(part: Part, rule: ElementRule) -> Value:
    """Does the statement say anything about the element?"""
    present = [part.frame[column].notnull() for column in rule.columns if part.has(column)]
    stated = present[0]
    for another in present[1:]:
        stated = stated | another
    return stated


def _aged(statements: Statements, rule: ElementRule, ranks: Ranks, *beside: str) -> Table:
    """(person_id, the element's value, `weight`, `won`, `beside`): the statements that say anything. The weight is the source's, halved
    for each half-life by which the statement is older than the person's newest one."""
    column = rule.columns[0]
    newest = statements.union(lambda part: part.frame.select("person_id", "day"))
    newest = newest.group_by("person_id").aggregate(latest_day=newest.day.max()).rename(newest_of="person_id")

    def stated(part: Part) -> Table:
        chosen = part.frame.filter(part.frame[column].notnull())
        here = Part(chosen, part.source)
        return chosen.select(
            "person_id",
            column,
            "day",
            weight=value_by_source(chosen, part.source, ranks.weights, 1),
            won=ranks.preference(here, rule),
            **{name: statements.column(here, name) for name in beside},
        )

    rows = statements.union(stated, lambda part: part.has(column))
    rows = rows.inner_join(newest, rows.person_id == newest.newest_of)
    halvings = ((rows.latest_day - rows.day) // rules.HALF_LIFE_DAYS).clip(0, 19).cast("int64")
    return rows.mutate(weight=ibis.greatest(rows.weight >> halvings, ibis.literal(1, "int64")))


def _vote(statements: Statements, _: Winners, rule: ElementRule, ranks: Ranks) -> Table:
    """(person_id, the value with the greatest sum of weights, the best key that says it)."""
    column = rule.columns[0]
    votes = (
        _aged(statements, rule, ranks)
        .group_by(["person_id", column])
        .aggregate(votes=lambda t: t.weight.sum(), won=lambda t: t.won.max())
    )
    first = ibis.row_number().over(
        ibis.window(group_by=votes.person_id, order_by=[votes.votes.desc(), votes.won.desc()])
    )
    winners = votes.mutate(place=first).filter(lambda t: t.place == 0)
    return winners.select(voter="person_id", better=column, better_won="won")


def _average(statements: Statements, winners: Winners, rule: ElementRule, ranks: Ranks) -> Table:
    """(person_id, the weighted spatio-temporal average of a quantity): weight is reliability × recency × nearness, where nearness
    is 4 for a statement from the person's own county, 3 from the same prefecture, 2 from the same province, 1 from elsewhere."""
    column = rule.columns[0]
    places = [c for c in ("residence_division", "domicile_division", "insured_division") if statements.has(column, c)]
    homes = [c for c in ("residence_division", "domicile_division") if c in winners.columns]
    stated = _aged(statements, rule, ranks, *places)
    weight = stated.weight
    if places and homes:
        home = winners.pick(*homes)
        home = home.select(at="person_id", home=ibis.coalesce(*(home[c] for c in homes)))
        stated = stated.left_join(home, stated.person_id == home.at)
        here = ibis.coalesce(*(stated[c] for c in places))
        nearness = ibis.cases(
            (here.left(6) == stated.home.left(6), 4),
            (here.left(4) == stated.home.left(4), 3),
            (here.left(2) == stated.home.left(2), 2),
            else_=1,
        )
        weight = stated.weight * nearness.cast("int64")
    sums = stated.group_by("person_id").aggregate(
        total=(stated[column].cast("int64") * weight).sum(), weights=weight.sum()
    )
    mean = (sums.total.cast("float64") / sums.weights.cast("float64") + 0.5).floor().cast("int64")
    return sums.select(voter="person_id", better=mean.cast(statements.types[column]), better_won=ibis.null("int64"))


def _with(resolved: Table, better: Table, rule: ElementRule) -> Table:
    """`resolved` with the value of one element replaced by a vote's or an average's."""
    column, won = rule.columns[0], f"{rule.key}__won"
    joined = resolved.left_join(better, resolved.person_id == better.voter)
    return joined.mutate(
        **{column: ibis.coalesce(joined.better, joined[column]), won: ibis.coalesce(joined.better_won, joined[won])}
    ).drop("voter", "better", "better_won")

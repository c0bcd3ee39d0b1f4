"""The linked assertions, source by source: each part has only the columns its source fills, so that nobody works on another's empty columns."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import ibis
import ibis.expr.datatypes as dt
from ibis.expr.types import Table, Value

from wanjia.kernel.engine import Engine
from wanjia.register import rules
from wanjia.register.bulk.words import day_number
from wanjia.register.rules import ElementRule, TrustedSource

RANKED = "register_ranked"
ROWS = "register_rows"
HEAD = ("assertion_id", "source", "record_key", "subject", "as_of")
_PLACED = ("person_id", "ordinal", "day", "base")
# derived columns that go with an element's own, by its type
_BESIDE = {"identity_number": ("state",), "division": ("current",), "name": ("norm", "pinyin")}
_ADDRESS_PARTS = ("place", "building", "room")


@dataclass(frozen=True)
class Part:
    """Linked statements of one source; of several in one frame where `source` is None."""

    frame: Table
    source: str | None
    rows: int = 0

    def has(self, *columns: str) -> bool:
        """Does the part fill all these columns?"""
        return all(column in self.frame.columns for column in columns)


@dataclass(frozen=True)
class Statements:
    """All linked statements. A column that a part does not have is null in it."""

    parts: tuple[Part, ...]

    @property
    def rows(self) -> int:
        """How many there are."""
        return sum(part.rows for part in self.parts)

    @cached_property
    def types(self) -> Mapping[str, dt.DataType]:
        """The columns of all parts and what they hold."""
        found: dict[str, dt.DataType] = {}
        for part in self.parts:
            found.update(part.frame.schema().items())
        return found

    def has(self, *columns: str) -> bool:
        """Is there a part that fills all these columns?"""
        return any(part.has(*columns) for part in self.parts)

    def column(self, part: Part, name: str) -> Value:
        """The part's column, or nulls of its type."""
        return part.frame[name] if part.has(name) else ibis.null(self.types[name])

    def table(self, *needed: str, any_of: Sequence[str] = (), beside: Sequence[str] = ()) -> Table:
        """The rows of the parts that fill all columns `needed` and one of `any_of`: head, place and these columns; `beside` those that may be
        null. Some part must fill them (see `has`)."""
        asked = [name for name in (*needed, *any_of, *beside) if name in self.types]
        columns = list(dict.fromkeys((*HEAD, *_PLACED, *asked)))
        return self.union(
            lambda part: part.frame.select(**{name: self.column(part, name) for name in columns}),
            lambda part: part.has(*needed) and (not any_of or any(part.has(name) for name in any_of)),
        )

    def union(self, rows: Callable[[Part], Table], of: Callable[[Part], bool] = lambda _: True) -> Table:
        """What `rows` makes of each part `of` which it is asked, in one table."""
        found = [rows(part) for part in self.parts if of(part)]
        return ibis.union(*found) if len(found) > 1 else found[0]


def by_source(assertions: Table | Mapping[str, Table]) -> list[tuple[str | None, Table]]:
    """(source, frame): the assertions as they came, whole or source by source."""
    return list(assertions.items()) if isinstance(assertions, Mapping) else [(None, assertions)]


def rank(
    engine: Engine,
    assertions: Table | Mapping[str, Table],
    links: Table,
    sources: Mapping[str, TrustedSource],
) -> Table:
    """Saves and returns (assertion_id, person_id, ordinal, day, base): one row for each linked assertion.

    `ordinal` numbers a person's statements from 0 in order of arrival; `day` is their as-of day; `base` is the low part of their preference keys.
    """
    trust = {code: rules.days_of_trust(source.reliability) for code, source in sources.items()}
    least = min(trust.values(), default=0)
    dated = []
    for source, frame in by_source(assertions):
        day = ibis.coalesce(day_number(frame.as_of), ibis.literal(0, "int64"))
        trusted = value_by_source(frame, source, trust, least)
        dated.append(frame.select("assertion_id", day=day, effective=day + trusted + rules.DAY_OFFSET))
    rows = ibis.union(*dated) if len(dated) > 1 else dated[0]
    rows = rows.inner_join(links.filter(links.band == "link").select("assertion_id", "person_id"), "assertion_id")
    by_arrival = ibis.window(group_by=rows.person_id, order_by=rows.assertion_id)
    rows = rows.mutate(ordinal=ibis.row_number().over(by_arrival).cast("int64"))
    base = rows.effective.clip(0, rules.DAY_SPAN - 1) * rules.ORDINAL_SPAN + rows.ordinal.clip(
        upper=rules.ORDINAL_SPAN - 1
    )
    return engine.save(RANKED, rows.select("assertion_id", "person_id", "ordinal", "day", base=base))


def linked(
    engine: Engine,
    assertions: Table | Mapping[str, Table],
    ranked: Table,
    element_rules: Sequence[ElementRule],
    done_with: Callable[[str], None] | None = None,
) -> Statements:
    """Saves and returns the linked statements with what resolving asks of them. `done_with` is called with each source that is not read again.

    A birth time stated to the minute also states the day. `<address>__alike` is the form in which addresses are compared.
    """
    wanted = list(dict.fromkeys((*HEAD, *(c for rule in element_rules for c in _columns_of(rule)))))
    parts = []
    for source, frame in by_source(assertions):
        frame = with_birth_day(frame)
        frame = with_alike(frame, [(r.key, r.columns[0]) for r in element_rules if r.type == "address"])
        # a part's source is one and the same in every row: it need not be kept in each
        known = ("source",) if source is not None else ()
        rows = frame.select([name for name in wanted if name in frame.columns and name not in known])
        kept = engine.save(ROWS if source is None else f"{ROWS}_{source}", rows.inner_join(ranked, "assertion_id"))
        count = engine.arrow(kept.aggregate(n=kept.count()))["n"][0].as_py()
        parts.append(Part(kept if source is None else kept.mutate(source=ibis.literal(source)), source, count))
        if done_with is not None and source is not None:
            done_with(source)
    return Statements(tuple(parts))


def value_by_source(frame: Table, source: str | None, table: Mapping[str, int], otherwise: int) -> Value:
    """A source's whole number from a small table; `otherwise` for a source that is not declared (any more)."""
    if source is not None:
        return ibis.literal(table.get(source, otherwise), "int64")
    fallback = ibis.literal(otherwise, "int64")
    cases = [(code, ibis.literal(value, "int64")) for code, value in table.items() if value != otherwise]
    return (frame.source.cases(*cases, else_=fallback) if cases else fallback).cast("int64")


def _columns_of(rule: ElementRule) -> list[str]:
    """The element's own columns and those that go with them."""
    beside = [f"{column}__year" for column in rule.columns]
    beside += [f"{rule.key}__{name}" for name in _BESIDE.get(rule.type, ())]
    if rule.type == "address":
        beside.append(f"{rule.key}__alike")
    return [*rule.columns, *beside]


def with_birth_day(frame: Table) -> Table:
    """`frame` with the day of a birth time as `birth_on` where no day is stated (Civil Code art. 15)."""
    if "born_at" not in frame.columns:
        return frame
    born_on = frame.born_at.cast("date")
    return frame.mutate(birth_on=ibis.coalesce(frame.birth_on, born_on) if "birth_on" in frame.columns else born_on)


def with_alike(frame: Table, addresses: Sequence[tuple[str, str]]) -> Table:
    """`frame` with `<key>__alike` of each (key, column) it has: place, building and room, what two statements of one address have in common."""
    return frame.mutate(
        **{f"{key}__alike": _alike(key, written, frame) for key, written in addresses if written in frame.columns}
    )


def _alike(key: str, written: str, frame: Table) -> Value:
    parts = [f"{key}__{part}" for part in _ADDRESS_PARTS]
    if not all(part in frame.columns for part in parts):
        return frame[written]
    found = ibis.literal("|").join([frame[part] for part in parts])
    # an address of which nothing was understood is compared as it is written
    return (found == "").ifelse(frame[written], found)

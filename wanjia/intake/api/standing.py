"""What the active deliveries assert, held in memory for the fast lane: found by id or by record, and kept up with every push.

A statement is read by taking its row out of an Arrow table, so the cost of a push does not grow with the register.
"""

from collections.abc import Iterable, Mapping

import pyarrow as pa
import pyarrow.compute as pc

from wanjia.kernel.engine import Engine
from wanjia.kernel.held import Held


class Standing:
    """The statements that stand now. `push_sources` are the codes of those that can be added to. Not for several threads."""

    def __init__(self, held: Mapping[str, pa.Table], push_sources: Iterable[str]) -> None:
        self._held = {source: Held(table, "assertion_id") for source, table in held.items()}
        self._fields: dict[str, pa.Field] = {}
        for table in held.values():
            self._learn(table.schema)
        self._records = {
            source: _records(self._held[source]) if source in self._held else {} for source in push_sources
        }

    @classmethod
    def open(cls, engine: Engine, push_sources: Iterable[str]) -> "Standing":
        """Take the statements over from the tables `assertions__<source>` that `active_assertions` made, and drop these."""
        held = {}
        for name in sorted(name for name in engine._names() if name.startswith("assertions__")):
            table = engine.raw.sql(f'SELECT * FROM "{name}" ORDER BY assertion_id').to_arrow_table()
            engine.drop(name)
            if table.num_rows:
                held[table["source"][0].as_py()] = _with_first(table)
        return cls(held, push_sources)

    @property
    def schema(self) -> pa.Schema:
        """The columns of all sources together, as `of` gives them."""
        return pa.schema(list(self._fields.values()))

    def expect(self, assertions: pa.Table) -> None:
        """Make room for the columns of a source that has said nothing yet: a schema that changes costs the next step a plan."""
        self._learn(_with_first(assertions).schema)

    def take(self, source: str, fresh: pa.Table) -> tuple[pa.Table, list[int]]:
        """Add the statements `fresh` of one source: (those of them that stand, ids of statements that stood and do so no longer).

        Of several records with one key and subject the newest stands (by day, then delivery, then row), whichever came first, and all
        of them keep the delivery in which the record first came: just as `active_assertions` has it.
        """
        fresh = _with_first(fresh)
        self._learn(fresh.schema)
        records = self._records.setdefault(source, {})
        held = self._held.get(source)
        keys = list(zip(fresh["record_key"].to_pylist(), fresh["subject"].to_pylist(), strict=True))
        before = {records[key] for key in keys if key in records}
        stood = [held.rows(before)] if held and before else []
        best: dict[tuple[str, str], tuple] = {}
        first: dict[tuple[str, str], int] = {}
        for row in [row for table in (*stood, fresh) for row in table.select(_ORDER).to_pylist()]:
            key = (row["record_key"], row["subject"])
            first[key] = min(first.get(key, row["first_delivery_id"]), row["first_delivery_id"])
            best[key] = max(best.get(key, ()), (row["as_of"], row["delivery_id"], row["row_no"], row["assertion_id"]))
        stands = {rank[-1] for rank in best.values()}
        taken = fresh.filter(pc.is_in(fresh["assertion_id"], pa.array(sorted(stands - before), pa.int64())))
        if taken.num_rows:
            taken = _with_first(
                taken,
                [first[key] for key in zip(taken["record_key"].to_pylist(), taken["subject"].to_pylist(), strict=True)],
            )
        if held is None:
            self._held[source] = Held(taken, "assertion_id")
        else:
            held.replace(before - stands, taken)
        records.update({key: rank[-1] for key, rank in best.items()})
        return taken, sorted(before - stands)

    def of(self, ids: Iterable[int]) -> pa.Table:
        """The statements with these ids, in the order of ids, all sources in one table."""
        wanted = list(ids)
        found = [rows for held in self._held.values() if (rows := held.rows(wanted)).num_rows]
        together = pa.concat_tables([self.schema.empty_table(), *found], promote_options="permissive")
        together = together.cast(self.schema).combine_chunks()
        return together.take(pc.sort_indices(together["assertion_id"]))

    def _learn(self, schema: pa.Schema) -> None:
        for field in schema:
            self._fields.setdefault(field.name, pa.field(field.name, field.type))


_ORDER = ["record_key", "subject", "as_of", "delivery_id", "row_no", "assertion_id", "first_delivery_id"]


def _records(held: Held) -> dict[tuple[str, str], int]:
    """The id of the statement that stands for each record key and subject."""
    keys = held.table().select(["record_key", "subject", "assertion_id"])
    return {
        (key, subject): one for key, subject, one in zip(*(column.to_pylist() for column in keys.columns), strict=True)
    }


def _with_first(table: pa.Table, first: list[int] | None = None) -> pa.Table:
    """The statements with the delivery in which their record first came: their own, unless told."""
    if first is not None:
        place = table.column_names.index("first_delivery_id")
        return table.set_column(place, "first_delivery_id", pa.array(first, table["delivery_id"].type))
    if "first_delivery_id" in table.column_names:
        return table
    return table.append_column("first_delivery_id", table["delivery_id"])

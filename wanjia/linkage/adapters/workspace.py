"""Tables made by SQL text that DuckDB and Spark both run: linking's way to its engine.

Splink writes SQL itself, and linking joins its own tables to Splink's, so it speaks SQL too. Only what both dialects read
is written; the few functions whose names differ are listed in `DIALECT` ("alike" is a template: two texts and the least likeness).
"""

from typing import Any

import pyarrow as pa

from wanjia.kernel.engine import Engine
from wanjia.linkage.adapters.likeness import SPARK_FUNCTIONS

DIALECT = {
    "duckdb": {
        "hash64": "hash",
        "alike": "round(jaro_winkler_similarity({0}, {1}), 9) >= {2}",
        "damerau": "damerau_levenshtein",
    },
    "spark": {"hash64": "xxhash64", "alike": "are_alike({0}, {1}, {2})", "damerau": "damerau_of_bytes"},
}
#: a whole number drawn from an MD5, the same on every engine (`hash64` is not): its first 60 bits
DRAWN = {
    "duckdb": "CAST(concat('0x', substr({digest}, 1, 15)) AS BIGINT)",
    "spark": "CAST(conv(substr({digest}, 1, 15), 16, 10) AS BIGINT)",
}


class Workspace:
    """Named tables of one engine. Names are linking's own and start with `lk_`."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.kind = engine.kind
        self.words = DIALECT[engine.kind]
        if engine.kind == "spark":
            engine.splink_api()  # registers the similarity functions of Splink's jar
            for function in SPARK_FUNCTIONS:
                engine.session.sql(function)

    def drawn(self, text: str) -> str:
        """SQL of a number that follows from the text expression alone, for samples that are the same on every engine."""
        return self.number_of(f"md5({text})")

    def number_of(self, digest: str) -> str:
        """SQL of the number drawn from a text whose MD5 there is already."""
        return DRAWN[self.kind].format(digest=digest)

    def make(self, name: str, sql: str) -> None:
        """Run `sql` and keep its rows as table `name`, replacing it."""
        if self.kind == "duckdb":
            self.engine.save_compiled(name, sql)
        else:
            # cutting the plan: a table that is read several times must not be computed each time
            self.engine.session.sql(sql).localCheckpoint(eager=True).createOrReplaceTempView(name)

    def view(self, name: str, sql: str) -> None:
        """Make `name` stand for `sql`: where the engine can, its rows are computed when they are asked for, as far as they are."""
        if self.kind != "duckdb":
            # a plan that long would be gone through again, and its rows computed again, at each use
            self.make(name, sql)
            return
        self.drop(name)
        self.engine.execute(f'CREATE VIEW "{name}" AS {sql}')

    def rows(self, sql: str) -> list[tuple]:
        """The rows of a small result."""
        if self.kind == "duckdb":
            return self.engine.execute(sql).fetchall()
        return [tuple(row) for row in self.engine.session.sql(sql).collect()]

    def arrow(self, sql: str) -> pa.Table:
        """The rows of a result as Arrow."""
        return self.engine.fetch(sql)

    def put(self, name: str, table: pa.Table) -> None:
        """Make the Arrow table known as `name`, replacing what was there."""
        self.engine.put(name, table)

    def columns(self, name: str) -> list[str]:
        """The columns of table `name`, in order."""
        return self.arrow(f"SELECT * FROM {name} LIMIT 0").column_names

    def drop(self, *names: str) -> None:
        """Forget the tables."""
        for name in names:
            self.engine.drop(name)

    def splink(self) -> Any:
        """A Splink database API over the same tables."""
        return self.engine.splink_api()

"""Statements kept for small batches: planning a source's hundred small statements takes longer than running them on ten rows.

The first small batch of a source is run as any other and its statements are written down; the next ones run them again. They are the
same statements, so a pushed row gets what a file's row gets. Large batches, and engines other than DuckDB, are always planned anew.
"""

import weakref
from collections.abc import Callable, Hashable
from typing import Any

import ibis
import pyarrow as pa

from wanjia.kernel.engine import Engine

SMALL_ROWS = 2_000
Steps = Callable[[Engine], list[pa.Table]]

_recorders: "weakref.WeakKeyDictionary[Engine, Recorder]" = weakref.WeakKeyDictionary()


class Direct:
    """Runs steps on the engine as they are."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def run(self, key: Hashable, steps: Steps) -> list[pa.Table]:
        """What the steps return."""
        return steps(self._engine)


class Recorder(Engine):
    """DuckDB under a pen: what the steps save and fetch is written down as SQL, and run from there the next time."""

    kind = "duckdb"

    def __init__(self, engine: Engine) -> None:
        # weak: the register of recorders must not keep a closed engine alive
        self._engine = weakref.proxy(engine)
        self.con = engine.con
        self._scripts: dict[Hashable, list[tuple[str | None, str]]] = {}
        self._writing: list[tuple[str | None, str]] = []

    @property
    def raw(self) -> Any:
        """The DuckDB connection."""
        return self._engine.raw

    def run(self, key: Hashable, steps: Steps) -> list[pa.Table]:
        """What the steps return: by running them and writing down, or by running what was written down under `key`."""
        if key not in self._scripts:
            self._writing = []
            results = steps(self)
            self._scripts[key] = self._writing
            return results
        results = []
        for name, statement in self._scripts[key]:
            if name is None:
                results.append(self._engine.fetch(statement))
            else:
                self._engine.save_compiled(name, statement)
        return results

    def put(self, name: str, table: pa.Table, *, lent: bool = False) -> None:
        self._engine.put(name, table, lent=lent)

    def save(self, name: str, expression: ibis.Table) -> ibis.Table:
        self.save_compiled(name, self.compiled(expression))
        return self.con.table(name)

    def save_compiled(self, name: str, statement: str) -> None:
        self._writing.append((name, statement))
        self._engine.save_compiled(name, statement)

    def arrow(self, expression: ibis.Table) -> pa.Table:
        statement = self.con.compile(expression)
        self._writing.append((None, statement))
        return self._engine.fetch(statement)

    def drop(self, name: str) -> None:
        # not written down: the next run replaces the table, and dropping it costs a statement
        self._engine.drop(name)


def runner_of(engine: Engine, rows: int) -> Direct | Recorder:
    """How a batch of so many rows is run on this engine."""
    if engine.kind != "duckdb" or rows > SMALL_ROWS:
        return Direct(engine)
    if engine not in _recorders:
        _recorders[engine] = Recorder(engine)
    return _recorders[engine]

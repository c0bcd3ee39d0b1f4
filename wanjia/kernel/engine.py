"""The engine of bulk work: DuckDB in process, or Apache Spark. One set of Ibis expressions runs on both.

DuckDB works in memory and never spills: its temporary files would hold names in clear (its own encryption needs an extension that no
package registry offers for this version). When memory runs out the error says to raise WANJIA_MEMORY or to use Spark.
Spark writes its shuffle files encrypted (spark.io.encryption).
"""

import os
import shutil
import sys
import tempfile
import warnings
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

import ibis
import pyarrow as pa

from wanjia.kernel import settings
from wanjia.kernel.errors import EngineUnavailable, NotEnoughMemory
from wanjia.kernel.java import java_to_start

#: on one machine; a cluster has its own (spark-defaults.conf)
LOCAL_PARTITIONS = 4
#: statements of small work that stay parsed; the fast lane has some three hundred
STATEMENTS_KEPT = 2_000
#: rows of a lent table that one thread reads at a time
LENT_ROWS = 30_000
#: classes whose log would put a stack trace before the operator where Spark only goes on in another way
SPARK_SELF_TALK = ("org.apache.spark.sql.catalyst.expressions.codegen.CodeGenerator",)


# a column that is made from another is computed from it, and not from a copy of all that the other was made from
ibis.options.sql.fuse_selects = False


class Engine:
    """What every engine offers; `con` is the Ibis backend for everything else."""

    kind: str
    con: Any

    def load(self, name: str, table: pa.Table) -> ibis.Table:
        """Make the Arrow table known as `name`, replacing what was there."""
        self.put(name, table)
        return self.con.table(name)

    def put(self, name: str, table: pa.Table, *, lent: bool = False) -> None:
        """The same for statements that are written already, without asking the engine what it just got. `lent`: few of them read it, each a part."""
        raise NotImplementedError

    def save(self, name: str, expression: ibis.Table) -> ibis.Table:
        """Run `expression` and keep its rows as table `name` (replacing it); the table is returned."""
        raise NotImplementedError

    def arrow(self, expression: ibis.Table) -> pa.Table:
        """Run `expression` and return its rows."""
        raise NotImplementedError

    def compiled(self, expression: ibis.Table) -> str:
        """The statement of `expression` in this engine's SQL, for work that is done again and again (see `save_compiled`)."""
        return self.con.compile(expression)

    def save_compiled(self, name: str, statement: str) -> None:
        """Keep the rows of a statement made by `compiled` as table `name`, replacing it; the statement must not read `name`."""
        raise NotImplementedError

    def fetch(self, statement: str) -> pa.Table:
        """The rows of a statement made by `compiled`."""
        raise NotImplementedError

    def drop(self, name: str) -> None:
        """Forget table `name`, if it is there."""
        raise NotImplementedError

    def forget(self, prefix: str) -> None:
        """Drop every table whose name starts with `prefix`: a stage's own tables, when the next stage needs the memory."""
        for name in self._names():
            if name.startswith(prefix):
                self.drop(name)

    def _names(self) -> list[str]:
        raise NotImplementedError

    def splink_api(self) -> Any:
        """A Splink database API over the same connection, so that both see the same tables."""
        raise NotImplementedError

    def small_from_now_on(self) -> None:
        """What follows are statements over few rows: an engine may save itself what only large ones are worth."""

    @contextmanager
    def among_few(self) -> Iterator[None]:
        """Statements in this block read small tables only: after `small_from_now_on` an engine may plan them without much thought."""
        yield

    def close(self) -> None:
        """Let go of memory and temporary folders."""

    def __enter__(self) -> "Engine":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class DuckDBEngine(Engine):
    """DuckDB in this process, in memory."""

    kind = "duckdb"

    def __init__(self) -> None:
        import duckdb

        self._raw = duckdb.connect(
            ":memory:",
            config={
                "threads": settings.threads(),
                "memory_limit": settings.memory_limit(),
                "temp_directory": "",
                "max_temp_directory_size": "0KiB",
                "preserve_insertion_order": False,
                # never by itself: tables are dropped whole here, so there is nothing to tidy up, and looking for it takes seconds
                "checkpoint_threshold": "1TB",
                "autoinstall_known_extensions": False,
                "autoload_known_extensions": False,
            },
        )
        # a bar on stdout would spoil piped results
        self._raw.execute("SET enable_progress_bar = false")
        # Arrow tables that are read where they lie; such a name hides a table's
        self._is_small, self._lent = False, set[str]()
        self._parsed: OrderedDict[str, Any] = OrderedDict()
        self.con = ibis.duckdb.from_connection(self._raw)

    @property
    def raw(self) -> Any:
        """The DuckDB connection itself, for what Ibis cannot say."""
        return self._raw

    def put(self, name: str, table: pa.Table, *, lent: bool = False) -> None:
        if self._is_small or lent:
            # read where it lies: to copy some rows of eighty columns takes longer than to read them
            if table.num_rows > LENT_ROWS:
                # threads take turns at whole batches
                table = pa.Table.from_batches(table.to_batches(max_chunksize=LENT_ROWS), table.schema)
            self._raw.register(name, table)
            self._lent.add(name)
            return
        self._raw.register("__incoming", table)
        try:
            self.save_compiled(name, "SELECT * FROM __incoming")
        finally:
            self._raw.unregister("__incoming")

    def save(self, name: str, expression: ibis.Table) -> ibis.Table:
        statement = self.con.compile(expression)
        fresh = f"{name}__fresh"
        # built beside the old table because the expression may read the table it replaces
        self.execute(f'CREATE OR REPLACE TABLE "{fresh}" AS {statement}')
        self.drop(name)
        self._raw.execute(f'ALTER TABLE "{fresh}" RENAME TO "{name}"')
        return self.con.table(name)

    def arrow(self, expression: ibis.Table) -> pa.Table:
        return self.fetch(self.con.compile(expression))

    def fetch(self, statement: str) -> pa.Table:
        if not self._is_small:
            # `execute(…).to_arrow_table()` loses ORDER BY on several threads; a relation keeps it
            return self._guarded(lambda: self._raw.sql(statement).to_arrow_table())
        with warnings.catch_warnings():  # a relation plans the statement twice; a copy of few rows costs nothing
            warnings.filterwarnings("ignore", "Arrow output on a DB-API result", UserWarning)
            return self.execute(statement).to_arrow_table()

    def execute(self, statement: str) -> Any:
        """Run a statement; the connection, to fetch from. Of small work each statement is parsed once, which is a quarter of what it costs."""
        if not self._is_small:
            return self._guarded(lambda: self._raw.execute(statement))
        parsed = self._parsed.pop(statement, None) or self._raw.extract_statements(statement)[0]
        self._parsed[statement] = parsed
        if len(self._parsed) > STATEMENTS_KEPT:
            self._parsed.popitem(last=False)
        return self._guarded(lambda: self._raw.execute(parsed))

    def save_compiled(self, name: str, statement: str) -> None:
        import duckdb

        self._give_back(name)
        try:
            self.execute(f'CREATE OR REPLACE TABLE "{name}" AS {statement}')
        except duckdb.CatalogException as wrong:
            if "Existing object" not in str(wrong):
                raise
            # a view stands there
            self.drop(name)
            self._guarded(lambda: self._raw.execute(f'CREATE TABLE "{name}" AS {statement}'))

    def drop(self, name: str) -> None:
        import duckdb

        self._give_back(name)
        try:
            self.execute(f'DROP TABLE IF EXISTS "{name}"')
        except duckdb.CatalogException:
            # asking the catalogue first costs ten times the drop itself
            self._raw.execute(f'DROP VIEW IF EXISTS "{name}"')

    def _give_back(self, name: str) -> None:
        if name in self._lent:
            self._raw.unregister(name)
            self._lent.discard(name)

    def _names(self) -> list[str]:
        return [row[0] for row in self._raw.execute("SELECT table_name FROM information_schema.tables").fetchall()]

    def splink_api(self) -> Any:
        from splink import DuckDBAPI

        return DuckDBAPI(connection=self._raw)

    def small_from_now_on(self) -> None:
        # handing a few rows to another thread costs a quarter more processor time than the work itself
        self._raw.execute("SET threads = 1")
        self._is_small = True

    @contextmanager
    def among_few(self) -> Iterator[None]:
        try:
            if self._is_small:
                self.execute("PRAGMA disable_optimizer")
            yield
        finally:
            self.execute("PRAGMA enable_optimizer")

    def close(self) -> None:
        self._parsed.clear()
        self._raw.close()

    def _guarded(self, run: Any) -> Any:
        import duckdb

        try:
            return run()
        except duckdb.OutOfMemoryException:
            raise NotEnoughMemory(limit=settings.memory_limit()) from None


class SparkEngine(Engine):
    """Apache Spark: the operator's cluster by WANJIA_SPARK_MASTER, local mode otherwise. Raises `EngineUnavailable`."""

    kind = "spark"

    def __init__(self) -> None:
        # at once and not at first use: the process forks for Java, and a fork beside the threads of a stage crashes
        self.session = self._started()

    def _started(self) -> Any:
        """The Spark session, with what Splink 5 needs (its similarity jar)."""
        try:
            from pyspark.errors import PySparkRuntimeError
            from pyspark.sql import SparkSession
            from splink.internals.spark.jar_location import similarity_jar_location
        except ImportError as missing:
            raise EngineUnavailable(name="spark", reason=f"{missing.name} is not installed (extra 'spark')") from None
        # worker and driver must be one Python, or every task fails on a version clash
        os.environ["PYSPARK_PYTHON"] = os.environ["PYSPARK_DRIVER_PYTHON"] = sys.executable
        self._folder = tempfile.mkdtemp(prefix="wanjia-spark-")
        master = settings.spark_master()
        if master.startswith("local"):
            # else Spark looks for the machine's own address, and says so
            os.environ.setdefault("SPARK_LOCAL_IP", "127.0.0.1")
        builder = (
            SparkSession.builder.appName("wanjia")
            .master(master)
            .config("spark.jars", similarity_jar_location())
            .config("spark.driver.memory", settings.spark_memory())
            .config("spark.log.level", "ERROR")
            # the progress of the job has the terminal to itself
            .config("spark.ui.showConsoleProgress", "false")
            .config("spark.sql.execution.arrow.pyspark.enabled", "true")
            .config("spark.sql.session.timeZone", "UTC")
            # a moment has no zone here, as in DuckDB
            .config("spark.sql.timestampType", "TIMESTAMP_NTZ")
            .config("spark.sql.warehouse.dir", self._folder)
            .config("spark.local.dir", self._folder)
            .config("spark.io.encryption.enabled", "true")
            .config("spark.ui.enabled", "false")
            .config("spark.sql.ansi.enabled", "false")
        )
        if master.startswith("local"):
            builder = (
                builder.config("spark.sql.shuffle.partitions", LOCAL_PARTITIONS)
                .config("spark.default.parallelism", LOCAL_PARTITIONS)
                .config("spark.driver.host", "127.0.0.1")
                .config("spark.driver.bindAddress", "127.0.0.1")
            )
        else:
            # what leaves this machine is encrypted: the executors' blocks, and with them the key of their files
            builder = builder.config("spark.authenticate", "true").config("spark.network.crypto.enabled", "true")
        try:
            with java_to_start(Path(self._folder)):
                session = builder.getOrCreate()
        except (PySparkRuntimeError, EngineUnavailable) as refused:
            shutil.rmtree(self._folder, ignore_errors=True)
            if isinstance(refused, EngineUnavailable):
                raise
            raise EngineUnavailable(name="spark", reason=f"Java did not start ({refused.getCondition()})") from None
        log4j = session.sparkContext._jvm.org.apache.logging.log4j
        for name in SPARK_SELF_TALK:
            log4j.core.config.Configurator.setLevel(name, log4j.Level.OFF)
        return session

    @cached_property
    def con(self) -> Any:  # type: ignore[override]
        from ibis.backends.sql.dialects import PySpark

        # Spark has no such escapes and would read letters: strip() would take the f off feng. The characters themselves it reads
        PySpark.ESCAPED_SEQUENCES = {k: v for k, v in PySpark.ESCAPED_SEQUENCES.items() if k not in "\a\v\f"}
        return ibis.pyspark.connect(self.session)

    def put(self, name: str, table: pa.Table, *, lent: bool = False) -> None:
        # at an empty batch Spark stops reading: the rows of all later ones would be lost
        full = [batch for batch in table.to_batches() if batch.num_rows]
        self.session.createDataFrame(pa.Table.from_batches(full, table.schema)).createOrReplaceTempView(name)

    def save(self, name: str, expression: ibis.Table) -> ibis.Table:
        # localCheckpoint cuts the plan: re-used tables would otherwise be computed again at every use
        frame = self.session.sql(self.con.compile(expression)).localCheckpoint(eager=True)
        frame.createOrReplaceTempView(name)
        return self.con.table(name)

    def arrow(self, expression: ibis.Table) -> pa.Table:
        return self.fetch(self.con.compile(expression))

    def fetch(self, statement: str) -> pa.Table:
        table = self.session.sql(statement).toArrow()
        # Spark marks columns that cannot be null, DuckDB does not: files of both must fit together
        return table.cast(pa.schema([field.with_nullable(True) for field in table.schema]))

    def save_compiled(self, name: str, statement: str) -> None:
        self.session.sql(statement).localCheckpoint(eager=True).createOrReplaceTempView(name)

    def drop(self, name: str) -> None:
        self.session.catalog.dropTempView(name)

    def _names(self) -> list[str]:
        return [table.name for table in self.session.catalog.listTables()]

    def splink_api(self) -> Any:
        from splink import SparkAPI

        # Splink's own choice between steps is a Parquet file, which would hold names in clear; what is persisted spills encrypted
        return SparkAPI(
            spark_session=self.session,
            break_lineage_method="persist",
        )

    def close(self) -> None:
        self.session.stop()
        shutil.rmtree(self._folder, ignore_errors=True)


def get_engine(name: str | None = None) -> Engine:
    """The engine `name` ("duckdb", "spark"), or the one the settings choose. Raises `EngineUnavailable`."""
    name = name or settings.engine_name()
    if name == "duckdb":
        return DuckDBEngine()
    if name == "spark":
        return SparkEngine()
    raise EngineUnavailable(name=name, reason="choose duckdb or spark")

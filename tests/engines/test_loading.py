"""What is loaded into an engine is there whole, and texts mean the same characters in both."""

import pyarrow as pa
import pytest

pytestmark = pytest.mark.spark


def test_no_row_is_lost_behind_an_empty_batch(spark_engine):
    columns = pa.schema([("n", pa.int64())])
    batches = [pa.record_batch([numbers], schema=columns) for numbers in ([], [1, 2], [], [], [3], [])]
    for filled in (batches, batches[:1], []):
        table = spark_engine.load("holed", pa.Table.from_batches(filled, columns))
        assert sorted(spark_engine.arrow(table)["n"].to_pylist()) == [n for b in filled for n in b["n"].to_pylist()]


def test_only_white_space_is_stripped(engine, spark_engine):
    texts = ["feng", "lu zhi nv", "\v\f\t avf \r\n", "a\x07", "\\v", "\\f", "'"]
    for one in (engine, spark_engine):
        table = one.load("ends", pa.table({"n": range(len(texts)), "text": texts}))
        told = one.arrow(table.mutate(bare=table.text.strip(), bell=table.text == "a\x07", slash=table.text == "\\v"))
        rows = sorted(zip(*(told[name].to_pylist() for name in ("n", "bare", "bell", "slash")), strict=True))
        assert rows == [(n, text.strip(), n == 3, n == 4) for n, text in enumerate(texts)]

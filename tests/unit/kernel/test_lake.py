"""The lake gives back what was written, shows nothing in clear, and refuses anything that was altered."""

from contextlib import ExitStack

import pyarrow as pa
import pytest

from wanjia.kernel.errors import LakeFileDamaged, LakeFileMissing
from wanjia.kernel.lake import FRAME_BYTES, Lake, _SealedReader

SECRET = "欧阳晓明110105194912310021"


@pytest.fixture
def lake(tmp_path):
    return Lake.open(tmp_path)


def test_a_table_comes_back_as_it_was(lake):
    table = pa.table({"name": ["张三", None, "李·四"], "n": [1, 2, 3]})
    lake.write("assertions/17", table)
    assert lake.read("assertions/17").equals(table)
    assert lake.names("assertions/") == ["assertions/17"]


def test_a_stream_of_batches_is_written_as_one_table(lake):
    table = pa.table({"n": list(range(1000))})
    lake.write("many", iter(table.to_batches(max_chunksize=10)))
    assert lake.read("many").equals(table)


def test_an_empty_table_keeps_its_columns(lake):
    lake.write("empty", pa.table({"a": pa.array([], pa.string())}))
    assert lake.read("empty").schema == pa.schema({"a": pa.string()})


@pytest.mark.parametrize("size", [0, 1, FRAME_BYTES - 1, FRAME_BYTES, FRAME_BYTES + 1])
def test_bytes_come_back_at_every_frame_border(lake, size):
    content = b"\xe5" * size
    lake.write_bytes("original", content)
    assert lake.read_bytes("original") == content


def test_files_that_are_read_and_written_at_once_do_not_mix(lake):
    contents = {str(n): bytes([n]) * (FRAME_BYTES + 1000 * n) for n in range(4)}
    for name, content in contents.items():
        lake.write_bytes(name, content)
    readers = {name: _SealedReader(lake, name) for name in contents}
    with ExitStack() as open_files:
        for reader in readers.values():
            open_files.enter_context(reader)
        found = dict.fromkeys(contents, b"")
        # in pieces that end before, at and after the border of a frame
        for size in (10, FRAME_BYTES - 10, 500, -1):
            for name, reader in readers.items():
                found[name] += reader.read(size)
    assert found == contents


def test_nothing_is_in_clear_on_disk(lake, tmp_path):
    lake.write("people", pa.table({"name": [SECRET] * 10}))
    for path in tmp_path.rglob("*"):
        assert path.is_dir() or SECRET.encode() not in path.read_bytes()


def test_every_altered_byte_is_noticed(lake, tmp_path):
    lake.write_bytes("small", b"0123456789")
    path = tmp_path / "lake" / "small.sealed"
    good = path.read_bytes()
    for place in range(len(good)):
        path.write_bytes(good[:place] + bytes([good[place] ^ 1]) + good[place + 1 :])
        with pytest.raises(LakeFileDamaged):
            lake.read_bytes("small")


@pytest.mark.parametrize("kept", [0, 3, 19, 20, 24, 60])
def test_a_file_cut_short_is_noticed(lake, tmp_path, kept):
    lake.write_bytes("small", b"0" * 100)
    path = tmp_path / "lake" / "small.sealed"
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(LakeFileDamaged):
        lake.read_bytes("small")


def test_a_file_put_in_place_of_another_is_noticed(lake, tmp_path):
    lake.write_bytes("one", b"1")
    (tmp_path / "lake" / "one.sealed").rename(tmp_path / "lake" / "two.sealed")
    with pytest.raises(LakeFileDamaged):
        lake.read_bytes("two")


def test_a_dropped_last_frame_is_noticed(lake, tmp_path):
    lake.write_bytes("long", b"x" * (FRAME_BYTES + 10))
    path = tmp_path / "lake" / "long.sealed"
    first_frame_ends = 20 + 5 + FRAME_BYTES + 17 + 16
    path.write_bytes(path.read_bytes()[:first_frame_ends])
    with pytest.raises(LakeFileDamaged):
        lake.read_bytes("long")


def test_a_writer_that_fails_leaves_the_old_file(lake):
    lake.write("t", pa.table({"a": [1]}))
    schema = pa.schema({"a": pa.int64()})

    def breaking():
        yield pa.record_batch([pa.array([2])], schema=schema)
        raise RuntimeError("power cut")

    with pytest.raises(RuntimeError):
        lake.write("t", breaking())
    assert lake.read("t").to_pydict() == {"a": [1]}
    assert not list(lake.folder.glob("*.writing"))


def test_a_missing_file_and_a_bad_name_are_said(lake):
    with pytest.raises(LakeFileMissing):
        lake.read("nowhere")
    for name in ("", "../keys/kek", "a//b", "."):
        with pytest.raises(ValueError):
            lake.exists(name)

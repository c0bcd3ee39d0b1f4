"""What bulk work changes in the process is as before afterwards."""

import gc
import os
import weakref

import pyarrow as pa
import pytest

from wanjia.kernel.memory import for_bulk_work, give_back, let_go_of_file


def _work(usual):
    with for_bulk_work():
        assert pa.default_memory_pool().backend_name == "system"
        assert gc.isenabled() is not usual
        raise ValueError("half-way")


def test_everything_is_as_before_also_after_an_error():
    before = pa.default_memory_pool().backend_name, gc.isenabled(), gc.get_freeze_count()
    with pytest.raises(ValueError, match="half-way"):
        _work(before[1])
    assert (pa.default_memory_pool().backend_name, gc.isenabled(), gc.get_freeze_count()) == before


def test_garbage_made_inside_is_still_found():
    class Knot:
        pass

    with for_bulk_work():
        knot = Knot()
        knot.self = knot
        held = weakref.ref(knot)
        del knot
        give_back()
        assert held() is None


def test_what_was_freed_goes_back_and_what_is_held_stays():
    with for_bulk_work():
        held = pa.array(range(100_000))
        freed = pa.array(range(2_000_000))
        del freed
        give_back()
        assert held.to_pylist() == list(range(100_000))


def test_a_file_that_was_let_go_of_is_read_from_disk_again(tmp_path):
    content = os.urandom(3_000_000)
    with open(tmp_path / "written", "wb") as file:
        file.write(content[:2_000_000])
        file.flush()
        os.fsync(file.fileno())
        let_go_of_file(file.fileno())
        # what the disk does not hold yet stays where it is
        file.write(content[2_000_000:])
        file.flush()
        let_go_of_file(file.fileno())
    assert (tmp_path / "written").read_bytes() == content

"""Memory of a process that handles a country's rows at once."""

import gc
import os
from collections.abc import Iterator
from contextlib import contextmanager

import pyarrow as pa


@contextmanager
def for_bulk_work() -> Iterator[None]:
    """Inside the block the process is tuned for tables of millions of rows.

    What Arrow frees is used again: its own pool gives it back to the system table by table, and to take fresh pages costs a tenth of the main job.
    Python looks for garbage between stages only (`give_back`), and not among what was there before: lists of rows hold none, and walking them costs
    as much as some stages. So what a stage leaves behind is looked through once, at its end.
    """
    pool, was_enabled = pa.default_memory_pool(), gc.isenabled()
    pa.set_memory_pool(pa.system_memory_pool())
    gc.freeze()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
        gc.unfreeze()
        pa.set_memory_pool(pool)


def give_back() -> None:
    """Look for garbage, and hand what Arrow and Python have freed back to the system: the engine, which has an allocator of its own, takes it next.

    A page that comes from the machine's host for the first time costs eight times one that somebody had before; so a smaller peak is also faster.
    """
    gc.collect()
    gc.freeze()
    pa.default_memory_pool().release_unused()


def let_go_of_file(file: int) -> None:
    """Hand back the memory in which the system keeps what was read from or written to the open `file`, as far as the disk holds it too; what it does
    not hold yet is on its way there from now on.

    For files that nobody reads again soon: whatever is written next takes those pages, and not fresh ones (see `give_back`).
    """
    if hasattr(os, "posix_fadvise"):  # not everywhere
        os.posix_fadvise(file, 0, 0, os.POSIX_FADV_DONTNEED)

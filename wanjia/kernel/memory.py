"""Memory of a process that handles a country's rows at once."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager

import pyarrow as pa

# so many new objects are made before garbage is looked for; Python's usual 700 is made for programs that hold little
OBJECTS_BEFORE_COLLECTION = 100_000


@contextmanager
def for_bulk_work() -> Iterator[None]:
    """Inside the block the process is tuned for tables of millions of rows.

    What Arrow frees is used again: its own pool gives it back to the system table by table, and to take fresh pages costs a tenth of the main job.
    Python looks for garbage seldom, and not among what is there already: its lists of rows hold none, and walking them costs as much as some stages.
    """
    pool, usual = pa.default_memory_pool(), gc.get_threshold()
    pa.set_memory_pool(pa.system_memory_pool())
    gc.freeze()
    gc.set_threshold(OBJECTS_BEFORE_COLLECTION, *usual[1:])
    try:
        yield
    finally:
        gc.set_threshold(*usual)
        gc.unfreeze()
        pa.set_memory_pool(pool)


def give_back() -> None:
    """Hand what Arrow and Python have freed back to the system, so that the engine, which has an allocator of its own, takes it next.

    A page that comes from the machine's host for the first time costs eight times one that somebody had before; so a smaller peak is also faster.
    """
    pa.default_memory_pool().release_unused()

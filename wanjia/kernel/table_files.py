"""The files of tables, where the server is ours and its files lie on this machine; the operator's own server (DATABASE_URL) is left alone.

They are never changed from here: only what the system keeps of them in memory is looked after.
"""

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from wanjia.kernel import settings
from wanjia.kernel.memory import let_go_of_file

READ_AHEAD_BYTES = 4_000_000
LET_GO_BYTES = 64_000_000


def read_ahead(*, indexes: Sequence[str], tables: Sequence[str]) -> int:
    """Read all indexes of some contexts and all tables of some once from disk, indexes first and small ones before large ones, as far as a quarter of
    this machine's memory goes. Returns the bytes read; the operator's own server (DATABASE_URL) is left alone, it was there before us and stays.

    After a reboot nothing of the database is in memory. Search keys are keyed hashes, so each search touches other pages of their index: read one by
    one as searches ask for them they would stay slow for a day, read in one go they take seconds.
    """
    if settings.database_url():
        return 0
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT current_setting('data_directory'), pg_relation_filepath(oid) FROM pg_class"
            " WHERE relnamespace = current_schema()::regnamespace AND pg_relation_filepath(oid) IS NOT NULL"
            " AND split_part(relname, '_', 1) = ANY(CASE relkind WHEN 'i' THEN %s::text[] WHEN 'r' THEN %s::text[] END)"
            " ORDER BY relkind, pg_relation_size(oid)",
            [list(indexes), list(tables)],
        )
        paths = [Path(folder) / path for folder, path in cursor.fetchall()]
    left = most = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 4
    for path in paths:
        for part in _parts(path):
            with suppress(OSError), open(part, "rb", buffering=0) as file:
                while left > 0 and (piece := file.read(min(left, READ_AHEAD_BYTES))):
                    left -= len(piece)
    return most - left


def let_go_behind(cursor: Any, table: str, pieces: Iterable[bytes]) -> Iterator[bytes]:
    """`pieces` on their way into `table`. What of it is on disk already the system keeps no longer: the next pieces take that memory.

    For a table larger than all others, of which nobody reads much at once.
    """
    paths = _paths(cursor, "SELECT %s::regclass", table)

    def passing() -> Iterator[bytes]:
        passed = 0
        for piece in pieces:
            yield piece
            passed += len(piece)
            if passed >= LET_GO_BYTES:
                passed = 0
                _let_go(paths)

    return passing()


def begin_to_write_out(cursor: Any, table: str) -> None:
    """Have the system write the indexes of `table` to disk from now on, so that the commit, which sees to it that all is there, waits for little.

    PostgreSQL does so by itself for rows, but not for indexes that it builds.
    """
    _let_go(_paths(cursor, "SELECT indexrelid FROM pg_index WHERE indrelid = %s::regclass", table))


def _paths(cursor: Any, relations: str, table: str) -> list[Path]:
    if settings.database_url():
        return []
    cursor.execute(
        f"SELECT current_setting('data_directory'), pg_relation_filepath(oid) FROM pg_class WHERE oid IN ({relations})",
        [table],
    )
    return [Path(folder) / path for folder, path in cursor.fetchall()]


def _let_go(paths: Iterable[Path]) -> None:
    for path in paths:
        for part in _parts(path):
            with suppress(OSError), open(part, "rb", buffering=0) as file:
                let_go_of_file(file.fileno())


def _parts(path: Path) -> Iterator[Path]:
    # beyond a gigabyte a table goes on in path.1, path.2 …
    yield path
    yield from sorted(path.parent.glob(f"{path.name}.[0-9]*"))

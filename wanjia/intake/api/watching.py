"""The watch folder: files are taken when they have stopped growing."""

import time
from collections.abc import Iterator
from pathlib import Path

from wanjia.intake.api.receive import receive_file
from wanjia.intake.api.standardise import standardise_pending
from wanjia.intake.errors import IntakeError
from wanjia.intake.models import Delivery
from wanjia.kernel.engine import Engine

UNFINISHED = (".part", ".tmp", ".crdownload", ".filepart", ".writing")


def watch(
    folder: Path, engine: Engine, *, every: float = 2.0, once: bool = False, by: str, why: str
) -> Iterator[Delivery | IntakeError]:
    """Receive and standardise files as they appear under `folder`; yields every delivery and every refusal.

    A file counts as whole when its size and time of change were the same at two looks: a copy over a slow line is not read half-way.
    Each file is looked at once per content; a file replaced by another of the same name is taken again. `once` ends after the first
    look that finds nothing changing.
    """
    last: dict[Path, tuple[int, int]] = {}
    taken: dict[Path, tuple[int, int]] = {}
    while True:
        seen = {path: mark for path in sorted(folder.rglob("*")) if (mark := _mark(path)) is not None}
        whole = [path for path, mark in seen.items() if last.get(path) == mark and taken.get(path) != mark]
        for path in whole:
            taken[path] = seen[path]
            try:
                received = receive_file(path, by=by, why=why)
            except IntakeError as error:
                yield error
                continue
            if received.was_known:
                continue
            done, refused = standardise_pending(engine, by=by, why=why)
            yield from done
            yield from (error for _, error in refused)
        is_settled = bool(last) and seen == last
        last = seen
        if once and (is_settled or not seen):
            return
        time.sleep(every)


def _mark(path: Path) -> tuple[int, int] | None:
    """Size and time of change of a plain, finished file; None for everything else."""
    try:
        state = path.stat()
    except OSError:
        return None
    if not path.is_file() or path.name.startswith(".") or path.suffix in UNFINISHED:
        return None
    return state.st_size, state.st_mtime_ns

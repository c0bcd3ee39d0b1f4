"""Progress of long work, on stderr: a bar on a terminal, else one line every ten seconds."""

import sys
import time
from typing import Any, Protocol


class Progress(Protocol):
    """What long work tells about itself."""

    def stage(self, name: str, total: int | None = None) -> None:
        """A new stage begins; `total` steps are expected (None: unknown)."""

    def advance(self, steps: int = 1) -> None:
        """`steps` more steps of this stage are done."""

    def done(self) -> None:
        """All stages are over."""


class SilentProgress:
    """Says nothing: for tests and for the worker."""

    def stage(self, name: str, total: int | None = None) -> None: ...

    def advance(self, steps: int = 1) -> None: ...

    def done(self) -> None: ...


class LineProgress:
    """One line when a stage begins and ends, and one every ten seconds between."""

    EVERY_SECONDS = 10.0

    def __init__(self, stream: Any = None) -> None:
        self._stream = stream or sys.stderr
        self._name = ""
        self._total: int | None = None
        self._steps = 0
        self._began = self._said = time.monotonic()

    def stage(self, name: str, total: int | None = None) -> None:
        self._close()
        self._name, self._total, self._steps = name, total, 0
        self._began = self._said = time.monotonic()
        self._say(f"{name} …")

    def advance(self, steps: int = 1) -> None:
        self._steps += steps
        if time.monotonic() - self._said >= self.EVERY_SECONDS:
            self._said = time.monotonic()
            of = f" of {self._total:,}" if self._total else ""
            self._say(f"{self._name}: {self._steps:,}{of}")

    def done(self) -> None:
        self._close()
        self._name = ""

    def _close(self) -> None:
        if self._name:
            self._say(f"{self._name}: done in {time.monotonic() - self._began:.1f} s")

    def _say(self, line: str) -> None:
        print(line, file=self._stream, flush=True)


class BarProgress:
    """A bar for each stage, on a terminal."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, TextColumn, TimeElapsedColumn
        from rich.progress import Progress as RichProgress

        self._bars = RichProgress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.completed:,.0f}"),
            TimeElapsedColumn(),
            console=Console(stderr=True),
        )
        self._bars.start()
        self._task: Any = None

    def stage(self, name: str, total: int | None = None) -> None:
        self._finish_task()
        self._task = self._bars.add_task(name, total=total)

    def advance(self, steps: int = 1) -> None:
        if self._task is not None:
            self._bars.advance(self._task, steps)

    def done(self) -> None:
        self._finish_task()
        self._bars.stop()

    def _finish_task(self) -> None:
        if self._task is not None:
            task = self._bars.tasks[self._task]
            total = task.total if task.total is not None else max(task.completed, 1)
            self._bars.update(self._task, total=total, completed=total)
            self._bars.stop_task(self._task)


def for_terminal() -> Progress:
    """The progress that fits stderr: bars on a terminal, else lines."""
    return BarProgress() if sys.stderr.isatty() else LineProgress()

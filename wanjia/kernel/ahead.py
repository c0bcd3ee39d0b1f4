"""Making things ahead: a thread fills a store of limited size while the caller waits for something else, such as the database."""

import sys
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from typing import Generic, TypeVar

# a thread that waits for the database gets its turn back at once, not after the interpreter's usual 5 ms at every write
SWITCH_SECONDS = 0.0005
T = TypeVar("T")


@contextmanager
def ahead(items: Iterable[T], *, size: Callable[[T], int], room: int) -> Iterator["Ahead[T]"]:
    """`items`, made by a thread of its own from now on; it waits when what nobody has taken yet is larger than `room` (as `size` counts).

    What making an item raises is raised where the item is taken. Leaving the block ends the thread after the item it is at.
    """
    made = Ahead(items, size, room)
    usual = sys.getswitchinterval()
    sys.setswitchinterval(SWITCH_SECONDS)
    thread = threading.Thread(target=made.run, name="ahead", daemon=True)
    thread.start()
    try:
        yield made
    finally:
        made.stop()
        thread.join()
        sys.setswitchinterval(usual)


class Early(Generic[T]):
    """A value that `make` makes once: in whatever thread `begin`s it, or when it is asked for. Who asks meanwhile waits."""

    def __init__(self, make: Callable[[], T]) -> None:
        self._make, self._made, self._making = make, Future[T](), threading.Lock()

    def begin(self) -> None:
        """Make it, if nobody did. What that raises is raised by `value`."""
        with self._making:
            if self._made.done():
                return
            try:
                self._made.set_result(self._make())
            except BaseException as error:
                self._made.set_exception(error)

    def value(self) -> T:
        """The value. Raises what making it raised."""
        self.begin()
        return self._made.result()


class Ahead(Generic[T]):
    """The items that `ahead` makes: an iterator that waits for the next."""

    def __init__(self, items: Iterable[T], size: Callable[[T], int], room: int) -> None:
        self._items, self._size, self._room = items, size, room
        self._held: deque[T] = deque()
        self._used = 0
        self._error: BaseException | None = None
        self._is_done = self._is_stopped = False
        self._changed = threading.Condition()

    def __iter__(self) -> Iterator[T]:
        return self

    def has_made(self) -> bool:
        """Whether the next item is there already, so that nobody would wait for it."""
        with self._changed:
            return bool(self._held)

    def __next__(self) -> T:
        with self._changed:
            self._changed.wait_for(lambda: self._held or self._is_done)
            if self._held:
                item = self._held.popleft()
                self._used -= self._size(item)
                self._changed.notify_all()
                return item
        if self._error is not None:
            raise self._error
        raise StopIteration

    def run(self) -> None:
        """Make the items (in the thread)."""
        try:
            for item in self._items:
                with self._changed:
                    self._changed.wait_for(lambda: self._used < self._room or self._is_stopped)
                    if self._is_stopped:
                        return
                    self._held.append(item)
                    self._used += self._size(item)
                    self._changed.notify_all()
        except BaseException as error:
            self._error = error
        finally:
            # what the maker holds open (threads of its own) ends here, in its own thread
            if hasattr(self._items, "close"):
                self._items.close()
            with self._changed:
                self._is_done = True
                self._changed.notify_all()

    def stop(self) -> None:
        """Make no more."""
        with self._changed:
            self._is_stopped = True
            self._changed.notify_all()

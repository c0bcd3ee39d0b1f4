"""Whose turn it is to change the register: one main job at a time, and no step of the fast lane beside it."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

from wanjia.kernel.errors import AlreadyRunning

JOB_LOCK, STEP_LOCK = 0x77616E6A, 0x77616E6B


class RegisterLock:
    """Held by whoever changes the register, a main job or one step of the fast lane; on a connection of its own, because a transaction that fails
    elsewhere must not lose it. The lock vanishes with its connection."""

    def __init__(self) -> None:
        from django.db import connections

        self._holder = connections["default"].copy()

    @contextmanager
    def for_a_job(self) -> Iterator[None]:
        """Hold it for a main job, after waiting for the fast lane's step to end. Raises `AlreadyRunning` when another job runs."""
        with self._tried(JOB_LOCK), self._holder.cursor() as cursor:
            # asked for in the queue, not tried: the lane lets go for an instant only, and the job would never meet it
            cursor.execute("SELECT pg_advisory_lock(%s)", [STEP_LOCK])
            try:
                yield
            finally:
                cursor.execute("SELECT pg_advisory_unlock(%s)", [STEP_LOCK])

    def for_a_step(self) -> AbstractContextManager[None]:
        """Hold it for a step of the fast lane. Raises `AlreadyRunning` when a main job runs or waits its turn."""
        return self._tried(STEP_LOCK)

    @contextmanager
    def _tried(self, lock: int) -> Iterator[None]:
        with self._holder.cursor() as cursor:
            cursor.execute("SELECT pg_try_advisory_lock(%s)", [lock])
            if not cursor.fetchone()[0]:
                raise AlreadyRunning
            try:
                yield
            finally:
                cursor.execute("SELECT pg_advisory_unlock(%s)", [lock])

    def close(self) -> None:
        """Let go of the connection, and of what it holds."""
        self._holder.close()


@contextmanager
def only_one() -> Iterator[None]:
    """Hold the register's lock for a main job inside the block. Raises `AlreadyRunning` when another job runs."""
    lock = RegisterLock()
    try:
        with lock.for_a_job():
            yield
    finally:
        lock.close()

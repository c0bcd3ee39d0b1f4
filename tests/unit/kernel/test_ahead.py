"""Making ahead: order, limits, errors, and leaving early."""

import sys
import threading
import time

import pytest

from wanjia.kernel.ahead import ahead


def test_everything_comes_in_order_and_the_switching_is_as_before():
    usual = sys.getswitchinterval()
    with ahead(range(1000), size=lambda _: 1, room=3) as made:
        assert list(made) == list(range(1000))
    assert sys.getswitchinterval() == usual


def test_no_more_is_made_than_there_is_room_for():
    made_so_far = []

    def making():
        for number in range(100):
            made_so_far.append(number)
            yield number

    with ahead(making(), size=lambda _: 10, room=30) as made:
        deadline = time.monotonic() + 5
        while len(made_so_far) < 4 and time.monotonic() < deadline:
            time.sleep(0.01)
        time.sleep(0.05)
        # three are held, and a fourth waits in the thread's hands
        assert made_so_far == [0, 1, 2, 3]
        assert next(made) == 0


def test_it_is_told_whether_the_next_item_is_there():
    may_go_on = threading.Event()

    def making():
        yield 1
        may_go_on.wait(5)
        yield 2

    with ahead(making(), size=lambda _: 1, room=9) as made:
        assert next(made) == 1
        assert not made.has_made()
        may_go_on.set()
        deadline = time.monotonic() + 5
        while not made.has_made() and time.monotonic() < deadline:
            time.sleep(0.01)
        assert made.has_made()
        assert list(made) == [2]
        assert not made.has_made()


def test_an_error_comes_where_the_item_would_have_come():
    def making():
        yield 1
        raise KeyError("broken")

    with ahead(making(), size=lambda _: 1, room=9) as made:
        assert next(made) == 1
        with pytest.raises(KeyError):
            next(made)


def test_leaving_early_ends_the_thread():
    def endless():
        while True:
            yield 1

    with pytest.raises(ZeroDivisionError), ahead(endless(), size=lambda _: 1, room=5):
        raise ZeroDivisionError
    assert not [thread for thread in threading.enumerate() if thread.name == "ahead"]

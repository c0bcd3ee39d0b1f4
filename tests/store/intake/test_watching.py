"""The watch folder, look by look: what lies there when the watcher looks is decided by the test, which moves on while it sleeps."""

import contextlib

import pytest

from tests.generative.intake.broken_files import written
from wanjia.intake.api import watching
from wanjia.intake.errors import NoSourceForFile
from wanjia.intake.models import Delivery


@pytest.fixture
def watch(monkeypatch, intake, engine, inbox):
    """watch(step, …) → what was seen before each step: the watcher looks, the step is done, it looks again; twice more at the end."""

    def act(*steps):
        seen, waiting = [[]], [*steps, lambda: None, lambda: None]

        class Over(Exception):
            pass

        def while_asleep(_seconds):
            if not waiting:
                raise Over
            seen.append([])
            waiting.pop(0)()

        monkeypatch.setattr(watching.time, "sleep", while_asleep)
        with contextlib.suppress(Over):
            for found in intake.watch(inbox, engine, by="tester", why="test"):
                seen[-1].append(found)
        return seen

    return act


def nothing():
    pass


def test_a_dropped_file_is_received_once(watch, inbox, police_rows):
    file = inbox / "police_register_a.csv"
    seen = watch(lambda: file.write_bytes(written("csv", police_rows(3))), nothing, nothing, nothing)
    assert [len(found) for found in seen] == [0, 0, 1, 0, 0, 0, 0]
    [delivery] = seen[2]
    assert (delivery.source, delivery.status, delivery.rows_in, delivery.accepted) == (
        "police_register",
        "standardised",
        3,
        3,
    )
    assert Delivery.objects.count() == 1


def test_a_half_written_file_is_waited_for(watch, inbox, police_rows):
    whole = written("csv", police_rows(6))
    file = inbox / "police_register_a.csv"

    def grown_to(share):
        return lambda: file.write_bytes(whole[: int(len(whole) * share)])

    seen = watch(grown_to(0.3), grown_to(0.6), grown_to(0.9), grown_to(1), nothing)
    assert [len(found) for found in seen] == [0, 0, 0, 0, 0, 1, 0, 0]
    assert seen[5][0].rows_in == 6, "no look at it while it grew"
    assert Delivery.objects.count() == 1


def test_a_file_under_a_name_of_copying_tools_is_waited_for(watch, inbox, police_rows):
    part, file = inbox / "police_register_a.csv.part", inbox / "police_register_a.csv"
    seen = watch(lambda: part.write_bytes(written("csv", police_rows(2))), nothing, nothing, lambda: part.rename(file))
    assert [len(found) for found in seen] == [0, 0, 0, 0, 0, 1, 0]


def test_another_content_under_the_same_name_is_another_delivery_and_the_same_is_not(watch, inbox, police_rows):
    file = inbox / "police_register_a.csv"

    def put(count):
        return lambda: file.write_bytes(written("csv", police_rows(count)))

    seen = watch(put(2), nothing, put(3), nothing, put(3), nothing)
    assert [[d.accepted for d in found] for found in seen] == [[], [], [2], [], [1], [], [], [], []]
    assert Delivery.objects.count() == 2


def test_a_refused_file_stops_nobody_else(watch, inbox, police_rows):
    def drop():
        (inbox / "a_stranger.csv").write_text("a,b\n1,2\n")
        (inbox / "police_register_a.csv").write_bytes(written("csv", police_rows(2)))

    seen = watch(drop, nothing, nothing)
    assert [type(one) for one in seen[2]] == [NoSourceForFile, Delivery]
    assert seen[3:] == [[], [], []], "it is said once"

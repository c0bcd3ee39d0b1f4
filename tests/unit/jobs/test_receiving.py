"""In which order what comes in is standardised."""

from types import SimpleNamespace

from wanjia.intake import api as intake
from wanjia.jobs import receiving


def test_deliveries_of_a_source_that_failed_wait_for_all_and_go_by_their_numbers(monkeypatch):
    def delivery(number, source):
        return SimpleNamespace(id=number, source=source)

    monkeypatch.setattr(intake, "deliveries_received", lambda: [delivery(1, "a"), delivery(4, "b")])
    monkeypatch.setattr(intake, "sources_that_failed", lambda: {"b"})
    landed = [delivery(5, "b"), delivery(6, "a"), delivery(2, "b")]
    monkeypatch.setattr(receiving, "_landed", lambda *_, **__: iter(landed))
    come = receiving.Come()
    with receiving.receiving(None, come, receives=True, by="t", why="t") as coming:
        assert [one.id for one in coming] == [1, 6, 2, 4, 5]
    assert come.landed == 3

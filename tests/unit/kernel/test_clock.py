"""The office's day."""

from datetime import UTC, date, datetime

import pytest

from wanjia.kernel import clock

EVENING_IN_LONDON = datetime(2026, 11, 21, 16, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("zone", "day"), [(None, date(2026, 11, 22)), ("UTC", date(2026, 11, 21)), ("America/Lima", date(2026, 11, 21))]
)
def test_a_day_begins_where_the_office_is(monkeypatch, zone, day):
    if zone is None:
        monkeypatch.delenv("WANJIA_TIME_ZONE", raising=False)
    else:
        monkeypatch.setenv("WANJIA_TIME_ZONE", zone)
    with clock.stopped_at(EVENING_IN_LONDON):
        assert clock.today() == day
        assert clock.now() == EVENING_IN_LONDON
    assert clock.day_of(EVENING_IN_LONDON) == day

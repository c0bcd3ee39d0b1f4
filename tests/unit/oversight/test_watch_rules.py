"""Which reads are unusual: each rule at its border; and what an incident needs before its next step."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from wanjia.kernel import settings
from wanjia.kernel.declared import DeclarationErrors, load_folder
from wanjia.oversight.declared import WatchRule
from wanjia.oversight.rules import (
    NOTICE_PARTS,
    UNUSED_DAYS,
    Known,
    Read,
    hits,
    is_unused,
    missing_before,
    notice_text,
)

BEIJING = ZoneInfo("Asia/Shanghai")
TUESDAY = datetime(2026, 11, 24, 10, 0, tzinfo=BEIJING)
RULES = load_folder(settings.PROJECT_ROOT / "declared" / "cn" / "oversight", WatchRule)


def read(entry=1, at=TUESDAY, actor="lin", kind="privacy.open_person", purpose="case:77", subject=5):
    return Read(entry, at.astimezone(UTC), actor, kind, purpose, subject)


def met(code, *reads, known=None):
    return hits([RULES[code]], reads, known or Known(), BEIJING)


def test_an_ordinary_read_meets_no_rule():
    known = Known(near={"lin": {8}}, canaries={9}, recent={"lin": [read()]})
    assert hits(RULES.values(), [read()], known, BEIJING) == []


@pytest.mark.parametrize(
    ("purpose", "is_met"), [("case", True), ("case:", True), ("case: ", True), ("case:1", False), ("emergency", False)]
)
def test_a_purpose_that_needs_a_case_has_one(purpose, is_met):
    assert bool(met("no_case", read(purpose=purpose))) is is_met


@pytest.mark.parametrize(
    ("at", "is_met"),
    [
        (TUESDAY.replace(hour=6, minute=59), True), (TUESDAY.replace(hour=7), False), (TUESDAY.replace(hour=20, minute=59), False),
        (TUESDAY.replace(hour=21), True), (TUESDAY + timedelta(days=4), True), (TUESDAY + timedelta(days=3), False),
    ],
)  # fmt: skip
def test_hours_are_those_of_the_office_not_of_the_server(at, is_met):
    assert bool(met("out_of_hours", read(at=at))) is is_met


def test_own_family_is_seen_when_opened_and_not_when_merely_listed():
    known = Known(near={"lin": {5, 6}})
    [hit] = met("own_family", read(1), read(2, subject=6), read(3, subject=7), read(4, actor="bo"), known=known)
    assert (hit.actor, hit.entries, hit.severity) == ("lin", (1, 2), "high")
    assert not met("own_family", read(kind="register.find_persons"), known=known)


def test_every_visit_to_a_canary_is_an_alert_of_its_own():
    visits = read(1), read(2, kind="register.person_facts"), read(3, at=TUESDAY + timedelta(minutes=1))
    assert [hit.entries for hit in met("canary", *visits, known=Known(canaries={5}))] == [(1, 2), (3,)]
    assert not met("canary", read(kind="register.find_persons"), known=Known(canaries={5}))


def busy(count, minutes=30):
    return [read(n, at=TUESDAY + timedelta(minutes=minutes * n / count), subject=n) for n in range(1, count + 1)]


@pytest.mark.parametrize(("count", "is_met"), [(120, False), (121, True)])
def test_volume_counts_different_persons_within_the_hour(count, is_met):
    reads = busy(count)
    assert bool(met("volume", *reads, known=Known(recent={"lin": reads}))) is is_met
    again = [read(n, at=one.at, subject=1) for n, one in enumerate(reads)]
    assert not met("volume", *again, known=Known(recent={"lin": again}))


def test_volume_slides_and_reaches_back_before_this_look():
    old, fresh = busy(100), [read(500 + n, at=TUESDAY + timedelta(minutes=55), subject=500 + n) for n in range(30)]
    assert met("volume", *fresh, known=Known(recent={"lin": old + fresh}))
    later = [read(600 + n, at=TUESDAY + timedelta(minutes=95), subject=500 + n) for n in range(30)]
    assert not met("volume", *later, known=Known(recent={"lin": old + later}))


def test_one_occasion_is_one_alert():
    [hit] = met("no_case", *(read(n, purpose="case") for n in range(5)))
    assert hit.entries == (0, 1, 2, 3, 4)
    assert len(met("no_case", read(1, purpose="case"), read(2, purpose="case", at=TUESDAY + timedelta(days=1)))) == 2


def test_a_rule_that_is_off_says_nothing():
    import dataclasses

    off = dataclasses.replace(RULES["canary"], is_on=False)
    assert hits([off], [read()], Known(canaries={5}), BEIJING) == []


@pytest.mark.parametrize(
    "text",
    [
        'kind = "no_case"', 'kind = "volume"', 'kind = "out_of_hours"\nopens = 9\ncloses = 9', 'kind = "residents_who_move_often"',
        'kind = "canary"\nwatches = "residents"',
    ],
)  # fmt: skip
def test_a_mistaken_rule_and_one_about_residents_do_not_load(tmp_path, text):
    name = 'name = { zh = "规则", en = "Rule" }\nmeaning = { zh = "规则", en = "Rule" }'
    (tmp_path / "mine.toml").write_text(f'code = "mine"\nversion = 1\n{text}\n{name}\n', encoding="utf-8")
    with pytest.raises(DeclarationErrors):
        load_folder(tmp_path, WatchRule)


@pytest.mark.parametrize(
    ("step", "taken", "may"),
    [
        ("contain", {"open"}, True), ("assess", {"open"}, False), ("assess", {"open", "contain"}, True),
        ("notify", {"open", "contain"}, False), ("close", {"open", "contain", "assess"}, False),
        ("close", {"open", "contain", "assess", "notify"}, True), ("note", {"open"}, True), ("note", {"close"}, False),
    ],
)  # fmt: skip
def test_steps_of_an_incident_come_in_their_order(step, taken, may):
    assert (missing_before(step, taken) is None) is may


@pytest.mark.parametrize("lang", ["zh-hans", "en"])
def test_a_notice_holds_everything_the_law_asks_for(lang):
    parts = {part: f"<{part}>" for part in NOTICE_PARTS}
    assert all(words in notice_text(parts, lang) for words in parts.values())
    assert "57" in notice_text(parts, "en")
    assert "第五十七条" in notice_text(parts, "zh")


def test_unused_is_ninety_days_and_never_said_of_a_young_account():
    now = TUESDAY
    long_ago, lately = now - timedelta(days=UNUSED_DAYS, seconds=1), now - timedelta(days=UNUSED_DAYS)
    assert is_unused(long_ago, long_ago, now)
    assert not is_unused(lately, long_ago, now)
    assert is_unused(None, long_ago, now)
    assert not is_unused(None, lately, now)

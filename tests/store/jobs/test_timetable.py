"""The timetable: what is on it, when, and what its jobs do and do not say."""

from datetime import UTC, datetime

import pytest

from wanjia.jobs import minutely, timetable
from wanjia.kernel.errors import AlreadyRunning

NOON = datetime(2026, 11, 21, 12, 0, 30, tzinfo=UTC)


def test_every_public_function_of_a_sheet_is_a_job_with_a_time_and_a_sentence():
    names = [job.name for job in timetable.jobs()]
    assert names[0] == "minutely.pull_what_is_due"
    nightly = [name for name in names if name.startswith("nightly.")]
    assert nightly[:2] == ["nightly.bring_everything_in", "nightly.count_the_population_anew"]
    assert "nightly.check_the_log" in nightly
    assert len(set(names)) == len(names)
    for job in timetable.jobs():
        assert job.says.endswith("."), job.name
        assert timetable.next_time(job, NOON) > NOON


def test_nights_begin_at_half_past_two_in_beijing():
    due = {job.name: timetable.next_time(job, NOON) for job in timetable.jobs()}
    assert due["minutely.pull_what_is_due"] == datetime(2026, 11, 21, 12, 1, tzinfo=UTC)
    assert due["nightly.bring_everything_in"] == datetime(2026, 11, 21, 18, 30, tzinfo=UTC)


def test_a_long_job_keeps_only_its_own_kind_waiting():
    locks = {job.name: job.lock for job in timetable.jobs()}
    nightly = {lock for name, lock in locks.items() if name.startswith("nightly.")}
    assert len(nightly) == 1, "the night's work is done one after the other"
    assert len(set(locks.values())) < timetable.AT_ONCE, "and every other lock has a place to run"


def test_an_unknown_job_is_named_with_those_that_are():
    with pytest.raises(timetable.JobUnknown, match=r"nightly\.bring_everything_in"):
        timetable.do("nightly.nothing")


def test_an_unforeseen_error_is_told_without_its_text():
    def fails():
        raise ValueError("Key (name)=(张三丰) already exists")

    with pytest.raises(timetable.JobFailed) as told:
        timetable._quietly(timetable.Job("nightly.x", "* * * * *", "x", fails))(1)
    assert "ValueError" in str(told.value)
    assert "张三丰" not in str(told.value)
    assert told.value.__cause__ is None
    assert told.value.__suppress_context__


def test_a_held_lock_is_passed_on_to_the_queue_which_tries_again():
    def is_locked():
        raise AlreadyRunning

    with pytest.raises(AlreadyRunning):
        timetable._quietly(timetable.Job("nightly.x", "* * * * *", "x", is_locked))(1)
    app = timetable._app()
    retry = app.tasks["nightly.bring_everything_in"].retry_strategy
    assert retry.retry_exceptions == [AlreadyRunning]


@pytest.mark.django_db
def test_a_department_that_does_not_answer_is_logged_by_its_code_alone(home, monkeypatch, tmp_path, caplog):
    from wanjia.intake import api as intake

    setting = intake.source_named("social_insurance").format.url_setting
    monkeypatch.setenv(setting, f"sqlite:///{tmp_path / 'no' / 'such' / 'folder.sqlite'}")
    minutely.pull_what_is_due()
    [line] = [record.getMessage() for record in caplog.records if record.name == "wanjia.jobs"]
    assert line.startswith("social_insurance is not pulled: [INTAKE-")
    assert "folder" not in line
    assert not intake.has_landed()
    assert [source.code for source in intake.sources_due()] == ["social_insurance"], "it is asked again the next minute"

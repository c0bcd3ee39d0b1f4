"""A practice register takes no record of anybody real, by whichever door."""

import pytest

from wanjia.intake.errors import PracticeTakesNoRecords, PullNotConfigured, TokenRefused
from wanjia.intake.models import Delivery
from wanjia.kernel import settings

PULLED = "social_insurance"


@pytest.fixture
def marked(intake):
    mark = settings.home() / settings.PRACTICE_MARK
    mark.touch()
    yield
    mark.unlink()


def test_no_door_lets_real_records_in(intake, marked, tmp_path_factory, monkeypatch):
    outside = tmp_path_factory.mktemp("outside")
    file = outside / "death_certificates_2022.csv"
    file.write_text("死亡证明编号\n")
    for comes in (
        lambda: intake.receive_file(file, by="t", why="t"),
        lambda: intake.receive_inbox(outside, by="t", why="t"),
    ):
        with pytest.raises(PracticeTakesNoRecords):
            comes()
    monkeypatch.setenv("WANJIA_SOCIAL_INSURANCE_URL", f"sqlite:///{outside / 'real.sqlite'}")
    assert not intake.pullable_sources()
    with pytest.raises(PullNotConfigured):
        intake.pull(PULLED, by="t", why="t")
    with pytest.raises(PracticeTakesNoRecords):
        intake.bearer_of("whatever", source="death_certificates")
    assert not Delivery.objects.exists()


def test_its_own_city_comes_in(intake, marked, monkeypatch):
    own = settings.home() / "city" / "inbox"
    own.mkdir(parents=True)
    assert intake.receive_inbox(own, by="t", why="t").received == []
    monkeypatch.setenv("WANJIA_SOCIAL_INSURANCE_URL", f"sqlite:///{settings.home()}/city/own.sqlite")
    assert [source.code for source in intake.pullable_sources()] == [PULLED]


def test_in_earnest_a_wrong_token_is_a_wrong_token(intake):
    with pytest.raises(TokenRefused):
        intake.bearer_of("whatever", source="death_certificates")

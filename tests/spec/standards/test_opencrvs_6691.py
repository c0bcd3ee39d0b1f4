"""The open questions of opencrvs-core issue 6691 ("Add support for locations and admin hierarchy changing over time"), as acceptance cases.

1. Which day anchors each reference to a place, and is it one for all or for each use? 2. What does a paper show that is made again for a division
that is no more: the name of then, of today, both? 3. To whom do numbers belong across splits and mergers?
"""

from datetime import date

import pytest

from tests.make.divisions import HUXIN, split_of_huxin
from wanjia.kernel import settings
from wanjia.kernel.declared import DeclarationErrors
from wanjia.standards import api as standards
from wanjia.standards.api import Days
from wanjia.standards.errors import UnknownUse

CN = settings.PROJECT_ROOT / "declared" / "cn"
BORN, REGISTERED, MOVED, TODAY = date(2026, 2, 27), date(2026, 3, 5), date(2026, 4, 1), date(2026, 11, 1)
DAYS = Days(today=TODAY, event=BORN, registration=REGISTERED, residence=MOVED)


@pytest.fixture
def profile(tmp_path, monkeypatch):
    """Huxin was split on 1 March 2026: between the birth and its registration."""
    monkeypatch.setattr(standards, "changes_folder", lambda: tmp_path)
    (tmp_path / "2026-03-huxin.toml").write_text(split_of_huxin(date(2026, 3, 1)), "utf-8")
    return standards.load_profile()


@pytest.mark.parametrize(
    ("use", "day"),
    [
        # 1. place of event: the event's day
        ("birth_place", BORN), ("moved_in_from", BORN), ("moved_out_to", BORN),
        # office references: the day of registration
        ("case_office", REGISTERED), ("document_office", REGISTERED), ("native_place", REGISTERED),
        # addresses: since somebody lives there
        ("domicile_division", MOVED), ("residence_division", MOVED),
        # what speaks of now
        ("insured_division", TODAY), ("account_area", TODAY), ("population", TODAY), ("search_area", TODAY),
    ],
)  # fmt: skip
def test_1_each_use_has_its_own_declared_day(profile, use, day):
    assert profile.day_of_use(use, DAYS) == day


def test_1_not_every_record_has_a_day_of_registration(profile):
    """Where the day of an anchor is not known the next stands in, and today last: never an error, never a guess of another event."""
    assert profile.day_of_use("case_office", Days(today=TODAY)) == TODAY
    assert profile.day_of_use("birth_place", Days(today=TODAY, registration=REGISTERED)) == REGISTERED
    assert profile.day_of_use("residence_division", Days(today=TODAY, event=BORN)) == BORN


def test_1_every_use_is_declared_and_no_other_is_answered(profile, tmp_path):
    columns = {c.key for e in profile.elements.values() for c in e.columns if c.type == "division"}
    assert columns <= {one.use for one in profile.anchors.uses}
    with pytest.raises(UnknownUse, match="birth_place"):
        profile.day_of_use("birth_plase", DAYS)
    copy = tmp_path / "copied"
    import shutil

    shutil.copytree(CN, copy)
    anchors = copy / "divisions" / "anchors.toml"
    anchors.write_text(anchors.read_text("utf-8").replace('use = "native_place"', 'use = "nothing_here"'), "utf-8")
    with pytest.raises(DeclarationErrors, match="native_place"):
        standards.load_profile(copy)


def test_1_the_anchor_is_the_profiles_own_to_choose(tmp_path):
    """Another country declares another day: its file, no code."""
    import shutil

    copy = tmp_path / "copied"
    shutil.copytree(CN, copy)
    anchors = copy / "divisions" / "anchors.toml"
    text, said = anchors.read_text("utf-8"), 'use = "birth_place"\nanchor = '
    anchors.write_text(text.replace(f'{said}"event"', f'{said}"registration"'), "utf-8")
    assert standards.load_profile(copy).day_of_use("birth_place", DAYS) == REGISTERED


def test_2_a_reprint_can_show_the_name_of_then_and_of_today(profile):
    """A birth registered under a district that is no more: the paper says what the register said, and what stands there today."""
    place = profile.place("birth_place", HUXIN, DAYS)
    assert place.name.endswith("湖心街道")
    assert place.today.endswith("湖心西街道")
    assert "湖心东街道" in place.today
    exact = profile.place("birth_place", f"{HUXIN}001", DAYS, "en")
    assert "Huxin Sub-district" in exact.name
    assert exact.codes_today == ("990103020001",)
    assert profile.place("birth_place", "990102001", DAYS).today is None, "where nothing changed nothing is added"


def test_2_which_of_them_it_shows_is_declared(profile):
    assert profile.anchors.reprint == "then_and_today"


def test_3_numbers_across_a_split_keep_their_sum_and_say_what_is_estimated(profile):
    people = {f"{HUXIN}{number:03d}": 100 * number for number in range(1, 7)} | {HUXIN: 50, "990103002001": 11}
    areas = [one.code for one in profile.divisions.children("990103", TODAY)]
    told = standards.restate(profile.divisions, people, on=date(2024, 12, 31), to=TODAY, within="990103", areas=areas)
    assert sum(told.areas.values()) + told.apart == sum(people.values())
    # three communities each, exactly; of the fifty known by the town only, two in five are east
    assert told.areas["990103020"] == 100 + 300 + 500 + 20
    assert told.areas["990103021"] == 200 + 400 + 600 + 30
    assert set(told.by_share) == {"990103020", "990103021"}
    assert {(one.old, one.new) for one in told.used} == {(HUXIN, "990103020"), (HUXIN, "990103021")}


def test_3_the_same_years_in_the_divisions_of_then(profile):
    now = {"990103020001": 100, "990103021002": 200, "990103020": 7}
    areas = [one.code for one in profile.divisions.children("990103", date(2025, 1, 1))]
    told = standards.restate(profile.divisions, now, on=TODAY, to=date(2025, 1, 1), within="990103", areas=areas)
    assert {code: number for code, number in told.areas.items() if number} == {HUXIN: 307}
    assert not told.by_share, "backwards over a split nothing needs estimating"


def test_2_a_birth_extract_made_anew_says_both(profile):
    """The field of a document, as it is written on the paper: in Chinese and English, by the birth and not by the day of printing."""
    from wanjia.documents.api.composing import _shown
    from wanjia.documents.declared import DocumentField

    field = DocumentField(column="birth_place", label=None)
    value = {"birth_place": f"{HUXIN}001", "birth_on": "2020-05-01"}
    in_zh = _shown(field, value, {}, "zh")
    assert "湖心街道" in in_zh
    assert "今" in in_zh
    assert "湖心东街道" in in_zh
    # who was born after the split was born in what stands today
    assert "今" not in _shown(field, {"birth_place": "990103020001", "birth_on": "2026-05-01"}, {}, "zh")

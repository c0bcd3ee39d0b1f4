"""The limits of design.md section 2: a declaration that breaks one does not load, and the message names the limit."""

import shutil

import pytest

from wanjia.kernel import settings
from wanjia.kernel.declared import DeclarationErrors
from wanjia.standards import api as standards

CN = settings.PROJECT_ROOT / "declared" / "cn"
ELEMENT = """
key = "{key}"
code = "PB.XX.01"
name = {{ zh = "{zh}", en = "{en}" }}
meaning = {{ zh = "说明", en = "A meaning" }}
type = "text"
owner = "GA"
latency = "M"
tier = "G3"
sensitivity = "ordinary"
conform = "own"
{more}
examples = [ {{ given = "a", expect = "a" }} ]
"""


@pytest.fixture
def profile(tmp_path):
    folder = tmp_path / "cn"
    for part in ("elements", "codes", "departments"):
        shutil.copytree(CN / part, folder / part)
    shutil.copy(CN / "profile.toml", folder / "profile.toml")
    return folder


def refusal(folder, key, zh, en, more=""):
    (folder / "elements" / f"{key}.toml").write_text(ELEMENT.format(key=key, zh=zh, en=en, more=more), encoding="utf-8")
    with pytest.raises(DeclarationErrors) as wrong:
        standards.load_profile(folder)
    return str(wrong.value)


def test_the_untouched_profile_loads(profile):
    assert len(standards.load_profile(profile).elements) == 81


@pytest.mark.parametrize(
    ("key", "zh", "en"),
    [
        ("hotel_stay", "住处", "Stay"),
        ("stay", "旅馆住宿", "Stay"),
        ("terminal", "网吧上机", "Terminal"),
        ("sighting", "摄像头", "Camera sighting"),
        ("handset_cell", "手机信令", "Handset"),
        ("seat", "航班座位", "Flight seat"),
        ("last_position", "位置", "GPS position"),
    ],
)
def test_no_tracking_of_people(profile, key, zh, en):
    assert "limit 1" in refusal(profile, key, zh, en)


@pytest.mark.parametrize(
    ("key", "zh", "en"),
    [
        ("risk_level", "等级", "Level"),
        ("citizen_score", "评分", "Score"),
        ("attention", "重点人员", "Person of interest"),
        ("tendency", "行为预测", "Predicted conduct"),
    ],
)
def test_no_watch_lists_and_no_scores(profile, key, zh, en):
    assert "limit 2" in refusal(profile, key, zh, en)


def test_a_label_in_a_code_set_keeps_the_limit_too(profile):
    path = profile / "codes" / "left_behind.toml"
    path.write_text(path.read_text().replace("留守老人", "重点人员"), encoding="utf-8")
    with pytest.raises(DeclarationErrors, match="limit 2"):
        standards.load_profile(profile)


@pytest.mark.parametrize("use", ["index", "filter", "label", "feature"])
@pytest.mark.parametrize("key", ["ethnicity", "blood_type", "disability_category", "portrait_reference", "religion"])
def test_protected_attributes_are_never_used_on_persons(profile, key, use):
    path = profile / "elements" / f"{key}.toml"
    path.write_text(f'uses = ["{use}"]\n' + path.read_text(), encoding="utf-8")
    with pytest.raises(DeclarationErrors, match="limit 3"):
        standards.load_profile(profile)


def test_a_protected_attribute_must_be_called_one(profile):
    assert "limit 3" in refusal(profile, "folk", "少数民族", "Folk")


def test_religion_stays_off(profile):
    path = profile / "elements" / "religion.toml"
    path.write_text(path.read_text().replace("default_on = false", "default_on = true"), encoding="utf-8")
    with pytest.raises(DeclarationErrors, match="limit 3"):
        standards.load_profile(profile)


def test_what_is_declared_now_marks_every_protected_element():
    protected = {key for key, kind in standards.load_profile(CN).protected.items() if kind}
    assert {
        "ethnicity",
        "religion",
        "cause_of_death",
        "chronic_care",
        "blood_type",
        "disability_category",
        "portrait_reference",
    } <= protected
    assert not any(
        one.may_be_index or one.may_be_label or one.may_be_feature
        for one in map(standards.load_profile(CN).element, protected)
    )


def test_indicators_and_agreements_ask_at_the_same_door():
    assert standards.check_limits({"name.en": "Hotel guests"})[0][1].startswith("breaks limit 1")
    protected = standards.load_profile(CN).protected
    assert "limit 3" in standards.protected_breaches({"filter": ["ethnicity", "sex"]}, protected)[0][1]
    assert standards.protected_breaches({"by": ["ethnicity"]}, protected, statistic=True) == []


@pytest.mark.parametrize(
    "words", [{"key": "score_board_name_free"}, {"name": "unified social credit code"}, {"name": "职业技能等级"}]
)
def test_innocent_words_pass(words):
    assert standards.check_limits(words, judged="score" not in next(iter(words.values()))) == []

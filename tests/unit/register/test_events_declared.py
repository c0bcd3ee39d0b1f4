"""Kinds of event as declared files: their examples, their mistakes told at once, and a new kind by one file."""

import shutil

import pytest

from wanjia.kernel import clock, settings
from wanjia.kernel.declared import DeclarationErrors
from wanjia.register.api.declaring import load_events
from wanjia.register.api.forms import judge as judge_form
from wanjia.register.api.forms import what_is_known
from wanjia.register.rules import forms

CN = settings.PROJECT_ROOT / "declared" / "cn"
KINDS = load_events(CN).kinds
EXAMPLES = [(code, number) for code, kind in KINDS.items() for number in range(len(kind.examples))]


@pytest.fixture(autouse=True)
def every_household_is_there(monkeypatch):
    known = what_is_known(clock.today())
    anything = forms.Known(known.spellings, known.division, lambda number: True, known.today)
    monkeypatch.setattr("wanjia.register.api.forms.what_is_known", lambda today: anything)
    # examples name made-up households: that number and household belong together is for the store's tests
    monkeypatch.setattr("wanjia.register.api.forms._judge_household_number", lambda judged, kind: None)


@pytest.mark.parametrize(("code", "number"), EXAMPLES)
def test_examples_are_judged_as_they_say(code, number):
    kind, example = KINDS[code], KINDS[code].examples[number]
    judged = judge_form(kind, {"values": example.values}, officer=None, purpose="", today=clock.today())
    assert {field: said[0].code for field, said in judged.problems.items()} == example.refuse


def test_every_kind_has_an_example_that_passes():
    assert [code for code, kind in KINDS.items() if not any(not example.refuse for example in kind.examples)] == []


@pytest.mark.parametrize("code", KINDS)
def test_a_form_can_be_drawn_from_its_file(code):
    for field in KINDS[code].fields.values():
        assert field.type, field.key
        assert field.name.zh, field.key
        assert field.name.en, field.key
        assert field.type != "code" or field.codes, field.key


@pytest.fixture
def profile(tmp_path):
    folder = tmp_path / "cn"
    for part in ("elements", "codes", "departments", "divisions", "events", "chains"):
        shutil.copytree(CN / part, folder / part)
    for name in ("profile.toml", "lifecycle.toml"):
        shutil.copy(CN / name, folder / name)
    return folder


NEW_KIND = """
code = "blood_type_note"
name = { zh = "血型登记", en = "Note of blood type" }
meaning = { zh = "补登血型", en = "The blood type is entered" }
law = "-"
parties = [ { role = "person", name = { zh = "当事人", en = "Person" } } ]
declared_by = ["self"]
decided_by = ["officer"]
office = "person"
happens_on = "on"
[[sections]]
key = "what"
name = { zh = "血型", en = "Blood type" }
fields = [
  { key = "on", type = "date", name = { zh = "日期", en = "Day" } },
  { key = "blood_type", element = "blood_type", of = "person" },
]
[[checks]]
rule = "not_dead"
person = "person"
[[effects]]
do = "say"
person = "person"
[[examples]]
values = { on = "2026-01-01", blood_type = "1" }
"""


def test_a_new_kind_is_one_file(profile):
    (profile / "events" / "blood_type_note.toml").write_text(NEW_KIND, encoding="utf-8")
    kind = load_events(profile).kinds["blood_type_note"]
    assert kind.fields["blood_type"].name.zh == "血型"
    assert kind.fields["blood_type"].is_protected
    good = judge_form(kind, {"values": kind.examples[0].values}, officer=None, purpose="", today=clock.today())
    assert (good.problems, good.values) == ({}, {"on": "2026-01-01", "blood_type": "1"})


def test_all_mistakes_of_all_files_are_told_at_once(profile):
    broken = NEW_KIND.replace('element = "blood_type"', 'element = "blood_tipe"').replace(
        'rule = "not_dead"', 'rule = "not_ded"'
    )
    broken = broken.replace('do = "say"', 'do = "sai"').replace('office = "person"', 'office = "persn"')
    (profile / "events" / "blood_type_note.toml").write_text(broken, encoding="utf-8")
    birth = profile / "events" / "birth.toml"
    birth.write_text(birth.read_text(encoding="utf-8").replace('of = "child"', 'of = "chidl"', 1), encoding="utf-8")
    with pytest.raises(DeclarationErrors) as wrong:
        load_events(profile)
    said = str(wrong.value)
    assert "events/birth.toml: name.of: speaks of 'chidl', which is no part of this form; did you mean 'child'?" in said
    assert "events/blood_type_note.toml: office: speaks of 'persn'" in said
    (profile / "events" / "blood_type_note.toml").write_text(broken.replace('"persn"', '"person"'), encoding="utf-8")
    birth.write_text(birth.read_text(encoding="utf-8").replace('of = "chidl"', 'of = "child"', 1), encoding="utf-8")
    with pytest.raises(DeclarationErrors) as wrong:
        load_events(profile)
    said = str(wrong.value)
    assert "did you mean 'blood_type'?" in said
    assert "did you mean 'not_dead'?" in said
    assert "did you mean 'say'?" in said


def test_states_that_count_are_reached_by_registering_only():
    lifecycle = load_events(CN).lifecycle
    counting = {s.key for s in lifecycle.statuses if s.counts}
    assert {m.verb for m in lifecycle.moves if m.to in counting} == {"register", "issue", "reinstate"}


def test_what_an_event_corrects_is_declared_and_known(profile):
    file = profile / "events" / "change_correction.toml"
    kept = file.read_text(encoding="utf-8")
    broken = (
        kept.replace('by = "kind"', 'by = "kid"')
        .replace('name = "22"', 'nam = "22"')
        .replace('sex = "32"', 'sex = "99"')
    )
    file.write_text(broken, encoding="utf-8")
    with pytest.raises(DeclarationErrors) as told:
        load_events(profile)
    said = str(told.value)
    assert all(one in said for one in ("corrects.by", "'kind'", "corrects.columns", "'name'")), said
    file.write_text(kept.replace('sex = "32"', 'sex = "99"'), encoding="utf-8")
    with pytest.raises(DeclarationErrors, match=r"corrects\.columns\.sex"):
        load_events(profile)

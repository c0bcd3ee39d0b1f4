"""Roles, purposes, field groups and policies are read strictly: every mistake at once, with file, key and what was meant."""

import shutil

import pytest

from wanjia.access.adapters.policies import load_book
from wanjia.kernel import settings
from wanjia.kernel.declared import DeclarationErrors
from wanjia.standards import api as standards

CN = settings.PROJECT_ROOT / "declared" / "cn"


@pytest.fixture
def profile(tmp_path):
    folder = tmp_path / "cn"
    for part in ("elements", "codes", "departments", "access"):
        shutil.copytree(CN / part, folder / part)
    shutil.copy(CN / "profile.toml", folder / "profile.toml")
    return folder


def mend(path, before, after):
    text = path.read_text(encoding="utf-8")
    assert before in text
    path.write_text(text.replace(before, after), encoding="utf-8")


def refusal(profile) -> str:
    with pytest.raises(DeclarationErrors) as wrong:
        load_book(profile)
    return str(wrong.value)


def test_every_element_stands_in_one_group(profile):
    book = load_book(profile)
    assert book.elements(book.fields) == set(standards.load_profile(CN).elements)
    protected = {key for key, kind in standards.load_profile(CN).protected.items() if kind}
    assert protected <= book.elements([g for g in book.fields if book.fields[g].is_protected])


def test_all_mistakes_are_told_at_once(profile):
    mend(profile / "access/roles/officer.toml", '"find_person"', '"find_persn"')
    mend(profile / "access/purposes/case.toml", '"supervisor"', '"superviser"')
    mend(profile / "access/field_groups/education.toml", '"school",', '"scool",')
    said = refusal(profile)
    for words in (
        "roles/officer.toml: rights.find_persn: is no right; did you mean 'find_person'?",
        "scool: is no element; did you mean 'school'?",
        "school: stands in no group",
    ):
        assert words in said
    mend(profile / "access/roles/officer.toml", '"find_persn"', '"find_person"')
    assert "roles.superviser: is not declared; did you mean 'supervisor'?" in refusal(profile)


def test_a_protected_element_stays_in_a_protected_group(profile):
    mend(profile / "access/field_groups/printed.toml", '  "ethnicity",\n', "")
    mend(profile / "access/field_groups/identity.toml", '  "name",\n', '  "name",\n  "ethnicity",\n')
    assert "limit 3" in refusal(profile)


def test_no_administrator_may_be_given_persons(profile):
    mend(profile / "access/roles/system_admin.toml", '"enter",', '"enter", "open_person",')
    assert "an administrator reaches no person" in refusal(profile)


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ("context.in_area", "context.in_aera", "in_aera"),
        ('Action::"find"', 'Action::"fnd"', "fnd"),
        ('Role::"supervisor"', 'Role::"superviser"', "did you mean 'supervisor'?"),
        ('@id("grants-let-find")\n', "", "lacks its name"),
        ('@id("grants-let-find")', '@id("grants-let-read")', "is the name of another policy too"),
        ("permit (principal in", "permit (principal inn", "is not Cedar"),
    ],
)
def test_a_wrong_policy_does_not_load(profile, before, after, words):
    mend(profile / "access/policies/persons.cedar", before, after)
    assert words in refusal(profile)


def test_layout_and_comments_do_not_change_a_policys_hash(profile):
    before = load_book(profile).hashes
    mend(
        profile / "access/policies/persons.cedar",
        "unless { context.is_sealed };",
        "unless\n{ context.is_sealed }; // so",
    )
    assert load_book(profile).hashes == before
    mend(profile / "access/policies/persons.cedar", "context.may_find &&", "")
    changed = {name for name, hashed in load_book(profile).hashes.items() if hashed != before[name]}
    assert changed == {"grants-let-find"}


def test_another_country_takes_the_common_policies():
    book = load_book(settings.PROJECT_ROOT / "declared" / "febrl")
    assert "surname" in book.elements(["identity"])
    assert "officer" in book.roles

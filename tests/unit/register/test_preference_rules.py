"""How the register decides between sources."""

from types import SimpleNamespace

from tests.make import profile
from wanjia.register import rules


def test_precedence_goes_by_source_then_department_then_role():
    source = profile.Source("birth_certificates", department="WJ", role="supplement")
    assert rules.rank_of(source, ["birth_certificates", "police_register"]) == 0
    assert rules.rank_of(source, ["GA", "WJ"]) == 1
    assert rules.rank_of(source, ["baseline", "supplement"]) == 1
    assert rules.rank_of(source, ["GA"]) == rules.LAST_RANK


def test_a_source_half_as_reliable_is_a_half_life_older():
    assert rules.days_of_trust(1.0) == 0
    assert rules.days_of_trust(0.5) == -rules.HALF_LIFE_DAYS
    assert rules.days_of_trust(0.25) == -2 * rules.HALF_LIFE_DAYS
    assert rules.days_of_trust(0.0) < rules.days_of_trust(0.01)


def test_keys_never_overlap():
    biggest = (
        rules.SOUND_STEP
        + rules.LAST_RANK * rules.RANK_STEP
        + (rules.DAY_SPAN - 1) * rules.ORDINAL_SPAN
        + rules.ORDINAL_SPAN
        - 1
    )
    assert biggest < 2**63
    assert (rules.DAY_SPAN - 1) * rules.ORDINAL_SPAN + rules.ORDINAL_SPAN - 1 < rules.RANK_STEP


def test_elements_share_rank_tables():
    element_rules = rules.element_rules(
        profile.elements(), ["name", "sex", "ethnicity", "medical_insurance", "birth_on"]
    )
    tables, chosen = rules.rank_tables(element_rules, profile.sources())
    assert chosen["ethnicity"] == chosen["medical_insurance"]
    assert chosen["name"] == chosen["sex"] != chosen["birth_on"]
    assert len(tables) == 3


def test_only_delivered_columns_have_rules():
    composite = SimpleNamespace(
        key="moved_in", code="PB.GA.18", type="date", resolve=None,
        parts=[SimpleNamespace(key="moved_in_on"), SimpleNamespace(key="moved_in_from")],
    )  # fmt: skip
    [rule] = rules.element_rules(
        [composite, SimpleNamespace(key="religion", code="PB.GA.28", type="code", parts=[])], ["moved_in_from"]
    )
    assert rule.columns == ("moved_in_from",)
    assert rule.tag == "GA18"
    assert rule.is_composite
    assert rule.strategy == "recency"


def test_codes_of_another_form_keep_the_key_as_mark():
    assert rules.tag_of(SimpleNamespace(key="given_name", code="AU.1")) == "given_name"


def test_household_ids_are_stable_positive_and_by_office():
    assert rules.household_id(None, "990104100000061") == rules.household_id("", "990104100000061")
    assert rules.household_id("A", "1") != rules.household_id("B", "1")
    assert 0 < rules.household_id("A", "1") < 2**60

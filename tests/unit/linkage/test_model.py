"""A model packs levels, weighs them and tells them in words; with the same model a pair always weighs the same."""

import math

import pytest

from tests.make.people_frames import LINKAGE, trained
from wanjia.linkage.adapters.model import Model
from wanjia.linkage.api.explaining import explain_link, field_evidence

WORDS = {
    "hash64": "hash",
    "alike": "round(jaro_winkler_similarity({0}, {1}), 9) >= {2}",
    "damerau": "damerau_levenshtein",
}


@pytest.fixture
def model():
    return trained().model


def packed(model, **levels):
    return sum((levels.get(key, -1) + 1) << (4 * i) for i, key in enumerate(model.compared))


def test_pattern_keeps_every_level(model):
    levels = {"name": 6, "birth": 0, "sex": 1, "number": -1, "household": 1, "home": 0}
    assert model.levels_of(packed(model, **levels)) == levels


def test_weight_is_log2_of_how_much_likelier_a_level_is_for_one_person(model):
    assert model.weight_of("sex", 1) == pytest.approx(math.log2(0.99 / 0.5))
    assert model.weight_of("sex", 0) == pytest.approx(math.log2(0.01 / 0.5))
    assert model.weight_of("sex", -1) == 0


def test_json_brings_the_same_model_back(model):
    again = Model.from_json(model.to_json(), LINKAGE)
    assert again.m == model.m
    assert again.prior == model.prior
    assert again.name == model.name


def test_scoring_sql_is_the_same_every_time(model):
    said = [model.scoring_sql(left="a", right="b", pairs="p", floor=-8.0, words=WORDS) for _ in range(2)]
    assert said[0] == said[1]


def test_surname_alone_counts_as_another_name(model):
    surname_only = model.levels_of(packed(model, name=1))["name"]
    assert surname_only in model.disagreeing("name")
    assert 6 not in model.disagreeing("name~")
    assert 4 in model.disagreeing("name~")


def test_evidence_speaks_both_languages_strongest_first(model):
    told = field_evidence(model, packed(model, name=6, birth=3, sex=1, home=0))
    assert [abs(f.bits) for f in told] == sorted((abs(f.bits) for f in told), reverse=True)
    by_key = {f.feature: f for f in told}
    assert by_key["name"].said.en == "the same name"
    assert by_key["name"].said.zh == "姓名相同"
    assert by_key["birth"].said.en.startswith("one digit differs")
    assert by_key["home"].said.en == "differ"
    assert by_key["home"].bits < 0
    assert by_key["number"].said.en.startswith("missing")


def test_bits_of_an_explanation_sum_to_its_weight(model):
    link = {
        "assertion_id": 1, "person_id": 2, "probability": 0.99, "band": "link", "method": "model",
        "evidence": packed(model, name=6, birth=4), "weight": 20.0, "model": "m-test",
    }  # fmt: skip
    told = explain_link(model, link)
    assert told.prior_bits + sum(f.bits for f in told.fields) + told.rarity_bits == pytest.approx(20.0)

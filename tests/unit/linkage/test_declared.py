"""linkage.toml is read strictly, and both shipped profiles are right."""

from pathlib import Path

import pytest

from wanjia.kernel.declared import DeclarationErrors, load_file
from wanjia.linkage.declared import Linkage
from wanjia.standards.api import load_profile

DECLARED = Path(__file__).parents[3] / "declared"
PROFILES = [p.parent for p in sorted(DECLARED.glob("*/linkage.toml"))]


@pytest.mark.parametrize("profile", PROFILES, ids=lambda p: p.name)
def test_shipped_linkage_names_declared_elements_that_may_be_features(profile):
    linkage = load_file(profile / "linkage.toml", Linkage)
    elements = load_profile(profile)
    for feature in linkage.features:
        for key in [*feature.elements, *(feature.other if feature.kind == "person_name" else [])]:
            assert elements.part(key)
            assert elements.element(elements.part(key).element).may_be_feature, f"limit 3: {key} must not be a feature"


GOOD = """
code = "linkage"
name = "name"
birth = "birth"
sex = "sex"
[[features]]
key = "name"
kind = "person_name"
elements = ["name"]
[[features]]
key = "birth"
kind = "date"
elements = ["birth_on"]
[[features]]
key = "sex"
kind = "code"
elements = ["sex"]
[[blocking]]
key = "one"
on = ["name.pinyin", "birth.year"]
"""


@pytest.mark.parametrize(
    ("change", "key"),
    [
        (('on = ["name.pinyin", "birth.year"]', 'on = ["name.sound"]'), "blocking.one"),
        (('on = ["name.pinyin", "birth.year"]', 'on = ["nome"]'), "blocking.one"),
        (('name = "name"', 'name = "nome"'), "name"),
        (('sex = "sex"', 'sex = "sex"\ncontradictions = [["name~", "brith"]]'), "contradictions"),
        (('kind = "code"', 'kind = "colour"'), "features[2].kind"),
        (('key = "one"', 'key = "one"\nscpoe = "any"'), "blocking[0].scpoe"),
        (('sex = "sex"\n', '[number]\nelement = "n"\nsound = ["sound"]\n'), "number"),
    ],
)
def test_mistakes_are_named(tmp_path, change, key):
    (tmp_path / "linkage.toml").write_text(GOOD)
    assert load_file(tmp_path / "linkage.toml", Linkage).blocking[0].scope == "lone"
    (tmp_path / "linkage.toml").write_text(GOOD.replace(*change))
    with pytest.raises(DeclarationErrors) as wrong:
        load_file(tmp_path / "linkage.toml", Linkage)
    assert any(key.split("[")[0].split(".")[0] in m.key for m in wrong.value.mistakes)

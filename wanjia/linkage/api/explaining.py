"""Why a record belongs to a person: the weight of every field, and sentences a person can read."""

from dataclasses import dataclass

import pyarrow.compute as pc

from wanjia.kernel.declared import Text
from wanjia.kernel.lake import Lake
from wanjia.linkage.adapters.model import Model
from wanjia.linkage.api import state
from wanjia.linkage.bulk import kinds
from wanjia.linkage.declared import Linkage
from wanjia.linkage.errors import NoLinks, UnknownAssertion
from wanjia.linkage.models import Link

#: labels do not depend on the engine's function names
ANY_WORDS = {"damerau": "", "alike": "", "hash64": ""}

METHODS = {
    "number": Text(
        zh="有效号码相同，且姓名、性别、出生日期不矛盾",
        en="the same sound number, and name, sex and birth date do not contradict",
    ),
    "model": Text(zh="没有有效号码，按其他要素比对关联", en="no sound number; linked by comparing the other facts"),
    "officer": Text(zh="由登记员认定为同一人", en="an officer found it to be the same person"),
    "alone": Text(zh="目前只有这一条记录", en="the only record so far"),
}


@dataclass(frozen=True)
class FieldEvidence:
    """What one compared field said. `bits`: log2 of how much likelier this is for one person than for two (negative: against)."""

    feature: str
    level: int
    bits: float
    said: Text


@dataclass(frozen=True)
class Explanation:
    """Why an assertion belongs to its person."""

    assertion_id: int
    person_id: int
    probability: float
    band: str
    method: str
    model: str
    said: Text
    fields: list[FieldEvidence]
    prior_bits: float = 0.0
    rarity_bits: float = 0.0


def explain(lake: Lake, linkage: Linkage, assertion_id: int) -> Explanation:
    """The evidence of one link. Raises `NoLinks`, `UnknownAssertion`."""
    if not lake.exists(state.LINKS):
        raise NoLinks
    links = lake.read(state.LINKS)
    found = links.filter(pc.equal(links.column("assertion_id"), assertion_id)).to_pylist()
    if not found:
        raise UnknownAssertion(assertion_id=assertion_id)
    return explain_link(state.load_trained(lake, linkage).model, found[0])


def explain_link(model: Model, link: dict) -> Explanation:
    """The evidence of one link given as a row (of the lake or of the link table)."""
    import math

    fields: list[FieldEvidence] = []
    prior = rarity = 0.0
    if link["evidence"] is not None:
        fields = field_evidence(model, link["evidence"])
        prior = math.log2(model.prior / (1 - model.prior))
        if link.get("weight") is not None:
            # what the levels leave unexplained is how rare the agreeing values are
            rarity = link["weight"] - prior - sum(f.bits for f in fields)
    return Explanation(
        assertion_id=link["assertion_id"],
        person_id=link["person_id"],
        probability=link["probability"],
        band=link["band"],
        method=link["method"],
        model=link["model"],
        said=METHODS[link["method"]],
        fields=fields,
        prior_bits=prior,
        rarity_bits=rarity,
    )


def field_evidence(model: Model, pattern: int) -> list[FieldEvidence]:
    """Every compared field of a packed pattern, strongest first."""
    found = []
    for key, level in model.levels_of(pattern).items():
        labels = kinds.levels(model.linkage.feature(key), ANY_WORDS)
        if level < 0:
            said = Text(zh="一方缺失，不计", en="missing on one side; does not count")
        elif level == 0:
            said = Text(zh="不一致", en="differ")
        else:
            label = labels[len(labels) - level]
            said = Text(zh=label.zh, en=label.en)
        found.append(FieldEvidence(key, level, model.weight_of(key, level), said))
    return sorted(found, key=lambda f: (-abs(f.bits), f.feature))


def links_of(lake: Lake, linkage: Linkage, person_id: int) -> list[Explanation]:
    """The evidence of every record linked to a person, from the link table: no pass over all links. Raises `NoModel`."""
    rows = Link.objects.filter(person_id=person_id).order_by("assertion_id").values()
    model = state.load_trained(lake, linkage).model
    return [explain_link(model, row) for row in rows]

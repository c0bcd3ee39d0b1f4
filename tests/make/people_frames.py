"""Small frames of assertions for linking, with a model that needs no training: every test decides what it trusts."""

import datetime
import random
from typing import Any

import pyarrow as pa

from wanjia.linkage.adapters.model import Model
from wanjia.linkage.api.state import ANY, Trained
from wanjia.linkage.bulk import kinds
from wanjia.linkage.declared import Blocking, Feature, Linkage, MasterNumber, SourceTrust
from wanjia.linkage.rules.calibration import Thresholds, model_curve

TRUST = [SourceTrust("register", True, 0.98), SourceTrust("insurance", False, 0.8), SourceTrust("school", False, 0.7)]
SCHEMA = pa.schema(
    [
        ("assertion_id", pa.int64()),
        ("source", pa.string()),
        ("delivery_id", pa.int32()),
        ("record_key", pa.string()),
        ("subject", pa.string()),
        ("as_of", pa.date32()),
        ("number", pa.string()),
        ("number__state", pa.string()),
        ("name", pa.string()),
        ("name__norm", pa.string()),
        ("name__pinyin", pa.string()),
        ("name__surname", pa.string()),
        ("name__given", pa.string()),
        ("former_name__norm", pa.string()),
        ("sex", pa.string()),
        ("birth_on", pa.date32()),
        ("home", pa.string()),
        ("household", pa.string()),
        ("mother_number", pa.string()),
    ]
)

LINKAGE = Linkage(
    code="linkage",
    number=MasterNumber(element="number", sound=["sound"]),
    name="name",
    birth="birth",
    sex="sex",
    contradictions=[["name"], ["birth", "sex"]],
    one_record_per_person=["register"],
    features=[
        Feature("name", "person_name", ["name"], other=["former_name"], rarity=True),
        Feature("birth", "date", ["birth_on"]),
        Feature("sex", "code", ["sex"]),
        Feature("number", "number", ["number"]),
        Feature("household", "code", ["household"], via=["mother"]),
        Feature("mother", "number", ["mother_number"], is_compared=False),
        Feature("home", "code", ["home"]),
    ],
    blocking=[
        Blocking("name_birth", ["name", "birth"], "any"),
        Blocking("number", ["number"], "any"),
        Blocking("name_home", ["name", "home"]),
        Blocking("birth_household", ["birth", "household"]),
    ],
)

DIGITS = "0123456789"
SURNAMES, GIVENS = "王李张刘", "明芳伟娜军"


def row(place: int, /, **said: Any) -> dict[str, Any]:
    """One assertion; what is not said is empty. `place` makes its id and key."""
    name = said.pop("name", None)
    base: dict[str, Any] = dict.fromkeys(SCHEMA.names)
    base |= {
        "assertion_id": place << 2,
        "source": "register",
        "delivery_id": 1,
        "record_key": f"k{place}",
        "subject": "self",
        "as_of": datetime.date(2025, 1, 1),
    }
    if name is not None:
        base |= {"name": name, "name__norm": name, "name__pinyin": " ".join(f"p{ord(c)}" for c in name)}
        base |= {"name__surname": name[:1], "name__given": name[1:]}
    base |= said
    if base["number"] is not None and base["number__state"] is None:
        base["number__state"] = "sound"
    return base


def frame(rows: list[dict[str, Any]]) -> pa.Table:
    """The rows as a table."""
    return pa.Table.from_pylist(rows, schema=SCHEMA)


def trained(linkage: Linkage = LINKAGE, *, link_at: float = 3.0) -> Trained:
    """A model of plausible shares: the better a level, the likelier among matches and the rarer among others."""
    m, u = {}, {}
    for feature in linkage.features:
        if feature.is_compared:
            levels = len(kinds.levels(feature, {"damerau": "", "alike": "", "hash64": ""})) + 1
            m[feature.key] = [0.05 / (levels - 1)] * (levels - 1) + [0.95]
            u[feature.key] = [1 - 0.002 * (levels - 1), *[0.002] * (levels - 1)]
    u["sex"], m["sex"] = [0.5, 0.5], [0.01, 0.99]
    model = Model(linkage=linkage, prior=1e-3, m=m, u=u, rarest={"name": 0.001}, name="m-test")
    return Trained(
        model=model,
        curves={ANY: model_curve()},
        thresholds={ANY: Thresholds(link_at, 0.0, 0, 0.0, 1.0)},
        trained_on=[1],
        taught_by="a test",
    )


def keep_model(lake, work, model: Trained) -> None:
    """Put the model into the lake as if a run had trained it."""
    from wanjia.linkage.api import state

    terms = pa.table({"term": pa.array([], pa.string()), "share": pa.array([], pa.float64())})
    for feature in model.model.linkage.features:
        if feature.rarity:
            work.put(f"lk_tf_{feature.key}", terms)
    state.save_trained(lake, work, model)


def population(seed: int, persons: int) -> list[dict[str, Any]]:
    """Records of a few people, dense with namesakes, twins, shared, missing and mistyped numbers: a frame where much can go wrong."""
    chance = random.Random(seed)
    rows: list[dict[str, Any]] = []
    births = [
        datetime.date(1990, 1, 2),
        datetime.date(1990, 2, 1),
        datetime.date(1985, 5, 5),
        datetime.date(2018, 7, 7),
    ]
    for person in range(persons):
        number = f"{person:04d}"
        if person and chance.random() < 0.1:
            number = f"{chance.randrange(person):04d}"
        name = chance.choice(SURNAMES) + chance.choice(GIVENS) + chance.choice(["", chance.choice(GIVENS)])
        true = {
            "name": name,
            "birth_on": chance.choice(births),
            "sex": chance.choice("12"),
            "home": f"h{chance.randrange(4)}",
            "household": f"f{chance.randrange(5)}",
        }
        for source in chance.sample(["register", "insurance", "insurance", "school"], chance.randint(1, 4)):
            said = dict(true)
            said["number"] = None if chance.random() < 0.4 else number
            if chance.random() < 0.15:
                said["number"], said["number__state"] = number[:3] + chance.choice(DIGITS), "check_failed"
            for field, others in (
                ("birth_on", births),
                ("sex", "12"),
                ("home", ["h0", "h9"]),
                ("household", [None, "f1"]),
            ):
                if chance.random() < 0.1:
                    said[field] = chance.choice(others)
            if chance.random() < 0.1:
                said["name"] = name[:-1] + chance.choice(GIVENS)
            if chance.random() < 0.1:
                said["mother_number"] = f"{chance.randrange(persons):04d}"
                said["household"] = None
            rows.append(row(len(rows) + 1, source=source, **said))
    return rows

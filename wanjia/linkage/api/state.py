"""What linking keeps between runs, in the lake: model, nodes, scored pairs, links."""

import hashlib
import json
from dataclasses import asdict, dataclass, field

import pyarrow as pa

from wanjia.kernel.lake import Lake
from wanjia.linkage.adapters.model import Model
from wanjia.linkage.adapters.workspace import Workspace
from wanjia.linkage.declared import Linkage
from wanjia.linkage.errors import NoModel
from wanjia.linkage.rules.calibration import Curve, Thresholds

MODEL, CURVE = "linkage/model", "linkage/curve"
NODES, EDGES, LINKS, REVIEW = "linkage/nodes", "linkage/edges", "linkage/links", "linkage/review"
KEYS = "linkage/keys"
REFUSED = "linkage/refused"
#: what officers had decided when the links were made
DECIDED = "linkage/decided"
TERMS = "linkage/terms/"
#: the pair of sources that stands for all that have no thresholds of their own
ANY = "*"


@dataclass(frozen=True)
class Judgement:
    """What hidden records tell about the run to come; None where the profile has no number to hide."""

    blocking_recall: float | None
    points: list[dict[str, float]]


@dataclass
class Trained:
    """A model with its calibration and thresholds; frozen until training is asked for again."""

    model: Model
    curves: dict[str, Curve]
    thresholds: dict[str, Thresholds]
    trained_on: list[int]
    taught_by: str
    rules: list[dict[str, object]] = field(default_factory=list)
    refused_blocks: dict[str, list[int]] = field(default_factory=dict)
    estimates: Judgement = field(default_factory=lambda: Judgement(None, []))


def save_trained(lake: Lake, work: Workspace, trained: Trained) -> None:
    """Keep the model and its frequency tables."""
    for feature in trained.model.linkage.features:
        if feature.rarity:
            lake.write(f"{TERMS}{feature.key}", work.arrow(f"SELECT term, share FROM lk_tf_{feature.key}"))
    kept = {
        "declared": declared_digest(trained.model.linkage),
        "model": json.loads(trained.model.to_json()),
        "curves": {k: asdict(c) for k, c in trained.curves.items()},
        "thresholds": {k: asdict(t) for k, t in trained.thresholds.items()},
        "estimates": asdict(trained.estimates),
        **{k: getattr(trained, k) for k in ("trained_on", "taught_by", "rules", "refused_blocks")},
    }
    lake.write_bytes(MODEL, json.dumps(kept, ensure_ascii=False).encode())


def declared_digest(linkage: Linkage) -> str:
    """Changes whenever anything in `linkage.toml` does that a model or its thresholds rest on."""
    return hashlib.sha256(repr(linkage).encode()).hexdigest()


def fits(lake: Lake, linkage: Linkage) -> bool:
    """Is there a model, and was it trained under these declarations? Levels of others would be read wrongly."""
    return lake.exists(MODEL) and json.loads(lake.read_bytes(MODEL)).get("declared") == declared_digest(linkage)


def load_trained(lake: Lake, linkage: Linkage) -> Trained:
    """The model in force. Raises `NoModel`."""
    if not lake.exists(MODEL):
        raise NoModel
    kept = json.loads(lake.read_bytes(MODEL))
    return Trained(
        model=Model.from_json(json.dumps(kept["model"]), linkage),
        curves={k: Curve(**c) for k, c in kept["curves"].items()},
        thresholds={k: Thresholds(**t) for k, t in kept["thresholds"].items()},
        estimates=Judgement(**kept["estimates"]),
        **{k: kept[k] for k in ("trained_on", "taught_by", "rules", "refused_blocks")},
    )


def load_terms(lake: Lake, work: Workspace, linkage: Linkage) -> None:
    """Put the model's frequency tables before the engine."""
    for feature in linkage.features:
        if feature.rarity:
            work.put(f"lk_tf_{feature.key}", lake.read(f"{TERMS}{feature.key}"))


def nothing_decided() -> pa.Table:
    """No officer's decision: `record_l` and `record_r` are known as founders are (bulk/persons.py), a later `number` counts more."""
    types = {"record_l": pa.int64(), "record_r": pa.int64(), "is_same": pa.bool_(), "number": pa.int64()}
    return pa.table({name: pa.array([], kind) for name, kind in types.items()})


def decided(lake: Lake) -> pa.Table:
    """The officers' decisions that the links in force rest on."""
    return lake.read(DECIDED) if lake.exists(DECIDED) else nothing_decided()


def empty_edges() -> pa.Table:
    """No scored pairs."""
    return pa.table(
        {
            "l": pa.array([], pa.int64()),
            "r": pa.array([], pa.int64()),
            "weight": pa.array([], pa.float64()),
            "pattern": pa.array([], pa.int64()),
        }
    )

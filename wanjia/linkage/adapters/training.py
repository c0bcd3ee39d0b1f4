"""Learning the shares of each level: u from random pairs, m by expectation maximisation with Splink. Never from truth."""

import contextlib
import logging
import math
from dataclasses import dataclass, field, replace
from statistics import median

from wanjia.linkage.adapters.model import Model, comparison
from wanjia.linkage.adapters.workspace import Workspace
from wanjia.linkage.bulk import kinds
from wanjia.linkage.bulk.hidden import sampling_key
from wanjia.linkage.bulk.pairs import key_condition
from wanjia.linkage.declared import Linkage

RANDOM_PAIRS = 5e5
EM_PAIRS = 2e6
#: a training rule whose shares lie this far from the other rules' median has learnt something else (a household, not a person)
MOST_DEVIATION = 0.2


SHARE_DECIMALS = 9


@dataclass
class Taught:
    """What training found: m shares per feature, and per rule why it was used or refused."""

    m: dict[str, list[float]] = field(default_factory=dict)
    rules: list[dict[str, object]] = field(default_factory=list)


@contextlib.contextmanager
def _quiet():
    """Splink reports progress by log records that say nothing to an operator."""
    logger = logging.getLogger("splink")
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(before)


def _linker(work: Workspace, linkage: Linkage, nodes: str, keys: list[str], u: dict[str, list[float]]):
    from splink import Linker

    settings = {
        "link_type": "dedupe_only",
        "unique_id_column_name": "node_id",
        "comparisons": [comparison(f, work.words, None, u.get(f.key)) for f in linkage.features if f.key in keys],
        "blocking_rules_to_generate_predictions": [],
        "retain_intermediate_calculation_columns": False,
        "retain_matching_columns": False,
    }
    return Linker(work.splink().register(nodes), settings, log_level=None, validate_settings=False)


def filled_features(work: Workspace, linkage: Linkage, nodes: str) -> list[str]:
    """Features that some two nodes at least have a value for."""
    counts = ", ".join(f"count({c})" for c in kinds.main_columns(linkage))
    return [
        f.key
        for f, n in zip(linkage.features, work.rows(f"SELECT {counts} FROM {nodes}")[0], strict=True)
        if n > 1 and f.is_compared
    ]


def random_shares(work: Workspace, linkage: Linkage, *, nodes: str, keys: list[str]) -> dict[str, list[float]]:
    """u of every level of the features `keys`, from random pairs; exact agreement counted, since it is rare where it matters most."""
    # drawn by what nodes say: Splink's own drawing depends on the order of rows, which threads change
    wanted = math.isqrt(2 * int(RANDOM_PAIRS))
    every = max(1, -(-work.rows(f"SELECT count(*) FROM {nodes}")[0][0] // wanted))
    work.make(
        "lk_random_nodes",
        f"""SELECT n.* FROM {nodes} n JOIN (SELECT node_id FROM lk_digests WHERE {sampling_key(work)} % {every} = 0) d
        ON d.node_id = n.node_id""",
    )
    work.make(
        "lk_random_pairs",
        "SELECT x.node_id AS l, y.node_id AS r FROM lk_random_nodes x JOIN lk_random_nodes y ON x.node_id < y.node_id",
    )
    # all features in one statement: Splink's own estimate asks for one after the other, each on one thread
    plain = replace(linkage, features=[replace(feature, rarity=False) for feature in linkage.features])
    blank = {key: [0.5] * (len(kinds.levels(linkage.feature(key), work.words)) + 1) for key in keys}
    model = Model(linkage=plain, prior=0.5, m=blank, u=blank)
    sql = model.scoring_sql(
        left="lk_random_nodes", right="lk_random_nodes", pairs="lk_random_pairs", floor=0.0, words=work.words
    )
    seen = {key: [0] * len(shares) for key, shares in blank.items()}
    for pattern, n in work.rows(f"SELECT pattern, count(*) FROM ({sql}) q GROUP BY pattern"):
        for key, level in model.levels_of(int(pattern)).items():
            if level >= 0:
                seen[key][level] += int(n)
    # a level never met among random pairs is rarer than one pair in the sample, not impossible
    found = {key: [n / sum(counts) if n else 0.5 / RANDOM_PAIRS for n in counts] for key, counts in seen.items()}
    for key, share in _colliding(work, linkage, nodes, keys).items():
        found[key][-1] = share
    return found


def _colliding(work: Workspace, linkage: Linkage, nodes: str, keys: list[str]) -> dict[str, float]:
    """Share of random pairs that agree exactly, from how often each value occurs."""
    found = {}
    for key in keys:
        c = kinds.best_value(linkage.feature(key))
        same, filled = work.rows(
            f"SELECT sum(n * (n - 1)), sum(n) FROM (SELECT CAST(count(*) AS DOUBLE) AS n FROM {nodes}"
            f" WHERE {c} IS NOT NULL GROUP BY {c}) v"
        )[0]
        found[key] = max(float(same), 0.5) / max(float(filled) * (float(filled) - 1), 1.0)
    return found


def teach_by_likeness(
    work: Workspace, linkage: Linkage, *, nodes: str, keys: list[str], u: dict[str, list[float]]
) -> Taught:
    """m by expectation maximisation, one session a training rule; sessions that disagree with the rest are refused."""
    sessions: list[tuple[str, dict[str, list[float | None]]]] = []
    taught = Taught()
    for rule in linkage.training:
        with _quiet():
            linker = _linker(work, linkage, nodes, keys, u)
            try:
                session = linker.training.estimate_parameters_using_expectation_maximisation(
                    key_condition(rule.on, linkage), max_pairs=EM_PAIRS, record_sample_proportion=1.0
                )
            except Exception as refused:
                taught.rules.append({"rule": rule.key, "used": False, "why": type(refused).__name__})
                continue
        core = session.core_model_settings
        learnt = {
            c.output_column_name: [
                level._m_probability if isinstance(level._m_probability, float) else None
                for level in sorted(c._comparison_levels_excluding_null, key=lambda v: v.comparison_vector_value)
            ]
            for c in core.comparisons
        }
        sessions.append((rule.key, learnt))
    kept = _stable(sessions, taught)
    for key in keys:
        per_level = zip(*(s[key] for _, s in kept if key in s), strict=False)
        shares = [median([v for v in values if v is not None] or [0.0]) for values in per_level]
        if shares and sum(shares) > 0:
            # engines and threads add up in other orders: without a last digit of its own the same data teach the same model
            taught.m[key] = [round(s / sum(shares), SHARE_DECIMALS) for s in shares]
    return taught


def _stable(sessions, taught: Taught):
    """Drop, worst first, sessions far from the median of the others, as long as two remain."""
    kept = list(sessions)
    while True:
        deviations = {name: _deviation(name, learnt, kept) for name, learnt in kept}
        worst = max(deviations, key=lambda n: (deviations[n], n), default=None)
        if worst is None or deviations[worst] <= MOST_DEVIATION or len(kept) <= 2:
            break
        taught.rules.append({"rule": worst, "used": False, "why": "unstable", "deviation": round(deviations[worst], 4)})
        kept = [(name, learnt) for name, learnt in kept if name != worst]
    for name, _ in kept:
        taught.rules.append({"rule": name, "used": True, "deviation": round(deviations[name], 4)})
    return kept


def _deviation(name: str, learnt, sessions) -> float:
    """Median over features of the largest distance of one session's shares from the others' median."""
    found = []
    for key, shares in learnt.items():
        others = [s[key] for other, s in sessions if other != name and key in s]
        if not others:
            continue
        gaps = []
        for i, share in enumerate(shares):
            values = [o[i] for o in others if o[i] is not None]
            if share is not None and values:
                gaps.append(abs(share - median(values)))
        if gaps:
            found.append(max(gaps))
    return median(found) if found else 0.0

"""Training: the model, how true its probabilities are, and where the bands begin. Nothing here ever sees truth."""

import math
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from wanjia.linkage.adapters import training as learning
from wanjia.linkage.adapters.model import Model
from wanjia.linkage.adapters.workspace import Workspace
from wanjia.linkage.api.state import ANY, Judgement, Trained
from wanjia.linkage.bulk import hidden, pairs, terms
from wanjia.linkage.declared import Linkage
from wanjia.linkage.errors import NothingToLinkBy
from wanjia.linkage.rules import calibration

HIDDEN_WANTED = 30_000
#: below this many hidden records with a known home, levels are learnt by likeness instead
HIDDEN_NEEDED = 500
#: a feature seen in fewer judged pairs than this is not trained, and an untrained feature is not used
LEAST_SEEN = 30
#: pairs below these odds (log2) are dropped at once; a rival that weak changes no probability that matters
FLOOR_BITS = -8.0
NO_FLOOR = -1e9
DRIVERS_FOR_PRIOR = 50_000


def train(work: Workspace, linkage: Linkage, *, trained_on: list[int]) -> Trained:
    """Train on `lk_said`, `lk_members`, `lk_nodes`, `lk_digests`; leaves `lk_keyed` as the model keys the nodes.

    Raises `NothingToLinkBy`.
    """
    keys = learning.filled_features(work, linkage, "lk_nodes")
    if not keys:
        raise NothingToLinkBy
    pairs.make_blocks(work, linkage, nodes="lk_nodes", keyed="lk_keyed")
    refused = pairs.block_sizes(work, linkage, nodes="lk_nodes", keyed="lk_keyed")
    rarest = terms.make_terms(work, linkage, nodes="lk_nodes")
    u = learning.random_shares(work, linkage, nodes="lk_nodes", keys=keys)
    stopped = {rule: [key for key, _ in found] for rule, found in refused.items() if found}
    if stopped:
        pairs.make_blocks(work, linkage, nodes="lk_nodes", keyed="lk_keyed", stopped=stopped)
    # equal shares for both: weights are 0, but the pattern of levels is the final one
    draft = Model(linkage=linkage, prior=0.5, m=u, u=u, rarest=rarest, stopped=stopped)
    count = 0
    if linkage.number is not None:
        count = hidden.make_hidden(
            work,
            linkage,
            said="lk_said",
            members="lk_members",
            nodes="lk_nodes",
            wanted=HIDDEN_WANTED,
        )
    taught_by = "likeness"
    rules: list[dict[str, object]] = []
    if count:
        with_home = work.rows("SELECT count(*) FROM lk_hidden WHERE home_size > 1")[0][0]
        if with_home >= HIDDEN_NEEDED:
            taught_by = "hidden numbers"
    if taught_by == "hidden numbers":
        universe = _meet_hidden(work, draft)
        m = _shares_by_hidden(work, draft, linkage)
        prior = with_home / (count * universe)
    else:
        taught = learning.teach_by_likeness(work, linkage, nodes="lk_nodes", keys=keys, u=u)
        m, rules, prior = taught.m, taught.rules, None
    # the number itself, and what hidden records never show (a newborn's mother), is learnt from the pairs the rest makes likely
    unlabelled = [k for k in keys if k not in m] if taught_by == "hidden numbers" else []
    model = replace(draft, m=m, u={k: u[k] for k in m})
    if not model.compared:
        raise NothingToLinkBy
    if prior is None or unlabelled:
        model = _settle(work, model, u=u, prior=prior, unlabelled=unlabelled)
    else:
        model = replace(model, prior=prior)
    judged = _judge_hidden(work, model, linkage) if taught_by == "hidden numbers" else None
    curves, thresholds, estimates = _calibrate(work, model, linkage, judged)
    name = _name(model, trained_on)
    return Trained(
        model=replace(model, name=name),
        curves=curves,
        thresholds=thresholds,
        trained_on=sorted(trained_on),
        taught_by=taught_by,
        rules=rules,
        refused_blocks={rule: [n for _, n in found] for rule, found in refused.items() if found},
        estimates=estimates,
    )


def _name(model: Model, trained_on: list[int]) -> str:
    import hashlib

    digest = hashlib.sha256((model.to_json() + str(sorted(trained_on))).encode()).hexdigest()
    return f"m-{digest[:12]}"


def _meet_hidden(work: Workspace, draft: Model) -> int:
    """Make `lk_hidden_pairs`, hidden records with the nodes they meet, and `lk_universe`, these nodes; how many nodes there are to meet.

    The rest of a sampled group stands in the group's place, which would know the hidden record by heart.
    """
    linkage = draft.linkage
    pairs.make_keyed(work, draft, nodes="lk_hidden", keyed="lk_hidden_keyed")
    pairs.make_blocks(work, linkage, nodes="lk_rest", keyed="lk_rest_keyed", stopped=draft.stopped)
    others, rest = (
        pairs.cross_pairs_sql(linkage, left="lk_hidden_keyed", right=right) for right in ("lk_keyed", "lk_rest_keyed")
    )
    not_sampled = "LEFT JOIN lk_sampled s ON s.home = q.r WHERE s.home IS NULL"
    work.make("lk_hidden_pairs", f"SELECT q.l, q.r FROM ({others}) q {not_sampled} UNION {rest}")
    columns = work.columns("lk_nodes")
    # Spark leaves out a select that only repeats a table, and then seeks what it knew of the table under columns it has no more: so this one says
    # once more that the rest has no clash
    rest = ", ".join("CAST(NULL AS STRING) AS clash" if column == "clash" else column for column in columns)
    met = f"SELECT DISTINCT q.r FROM lk_hidden_pairs q {not_sampled}"
    work.make(
        "lk_meeting",
        f"""SELECT {", ".join(f"n.{column}" for column in columns)} FROM lk_nodes n JOIN ({met}) m ON m.r = n.node_id
        UNION ALL SELECT {rest} FROM lk_rest""",
    )
    work.make("lk_universe", pairs.compared_sql(draft, "lk_meeting"))
    nodes, sampled, left = (
        work.rows(f"SELECT count(*) FROM {table}")[0][0] for table in ("lk_nodes", "lk_sampled", "lk_rest")
    )
    return nodes - sampled + left


def _shares_by_hidden(work: Workspace, draft: Model, linkage: Linkage) -> dict[str, list[float]]:
    """m of every feature, from hidden records and the rest of their own group."""
    work.make("lk_known", "SELECT node_id AS l, home AS r FROM lk_hidden WHERE home_size > 1")
    sql = draft.scoring_sql(
        left="lk_hidden_keyed", right="lk_universe", pairs="lk_known", floor=NO_FLOOR, words=work.words
    )
    counted = work.rows(f"SELECT pattern, count(*) FROM ({sql}) q GROUP BY pattern")
    return _shares(draft, [(int(p), float(n)) for p, n in counted], keys=draft.compared, least=LEAST_SEEN)


def _shares(model: Model, counted: list[tuple[int, float]], *, keys: list[str], least: float) -> dict[str, list[float]]:
    """Share of each level among weighted patterns; features seen less than `least` times are left out."""
    tally = {key: np.zeros(len(model.u[key])) for key in keys}
    for pattern, n in counted:
        for key, level in model.levels_of(pattern).items():
            if level >= 0 and key in tally:
                tally[key][level] += n
    # half a pair for what was not seen: a level never met among a few thousand matches is rare, not impossible
    return {
        key: [float(s) for s in (seen + 0.5) / (seen.sum() + 0.5 * len(seen))]
        for key, seen in tally.items()
        if seen.sum() >= least
    }


def _settle(
    work: Workspace, model: Model, *, u: dict[str, list[float]], prior: float | None, unlabelled: list[str]
) -> Model:
    """Find what only the real candidate pairs can tell: the prior where it is unknown, and m of the number's own levels."""
    total = work.rows("SELECT count(*) FROM lk_nodes")[0][0]
    lone = work.rows("SELECT count(*) FROM lk_nodes WHERE num IS NULL")[0][0]
    drivers = max(1, (lone if model.linkage.number else total) // DRIVERS_FOR_PRIOR)
    which = "num IS NULL AND " if model.linkage.number else ""
    work.make(
        "lk_drivers",
        f"""SELECT n.node_id FROM lk_nodes n JOIN lk_digests d ON d.node_id = n.node_id
        WHERE {which}{hidden.sampling_key(work)} % {drivers} = 0""",
    )
    driving = work.rows("SELECT count(*) FROM lk_drivers")[0][0]
    if not driving:
        return replace(model, prior=prior or 1.0 / max(total, 2))
    pairs.make_pairs(work, model.linkage, keyed="lk_keyed", drivers="lk_drivers", pairs="lk_pairs")
    wide = replace(
        model, prior=0.5, m={**model.m, **{k: u[k] for k in unlabelled}}, u={**model.u, **{k: u[k] for k in unlabelled}}
    )
    pairs.make_compared(work, wide, nodes="lk_nodes", pairs="lk_pairs", compared="lk_compared")
    sql = wide.scoring_sql(left="lk_compared", right="lk_compared", pairs="lk_pairs", floor=0.0, words=work.words)
    table = work.arrow(f"SELECT weight, pattern FROM ({sql}) q ORDER BY pattern, weight")
    weight, pattern = (table.column(c).to_numpy() for c in ("weight", "pattern"))
    possible = driving * total if drivers > 1 or model.linkage.number else total * (total - 1) / 2
    belief = prior or 1.0 / total
    for _ in range(20):
        likely = calibration.plain_probability(weight + math.log2(belief / (1 - belief)))
        found = max(float(likely.sum()), 1.0) / possible if prior is None else belief
        if abs(found - belief) < 1e-4 * belief:
            break
        belief = found
    likely = calibration.plain_probability(weight + math.log2(belief / (1 - belief)))
    patterns, inverse = np.unique(pattern, return_inverse=True)
    counted = list(zip(patterns.tolist(), np.bincount(inverse, weights=likely).tolist(), strict=True))
    extra = _shares(wide, counted, keys=unlabelled, least=LEAST_SEEN)
    return replace(model, prior=belief, m={**model.m, **extra}, u={**model.u, **{k: u[k] for k in extra}})


def _judge_hidden(work: Workspace, model: Model, linkage: Linkage) -> pa.Table:
    """Lead the hidden records with the model; columns l, r, weight, pattern, source_l, source_r, has_number, is_home."""
    sql = model.scoring_sql(
        left="lk_hidden_keyed", right="lk_universe", pairs="lk_hidden_pairs", floor=FLOOR_BITS, words=work.words
    )
    return work.arrow(
        f"""SELECT q.l, q.r, q.weight, q.pattern, h.source AS source_l, y.source AS source_r,
        y.num IS NOT NULL AS has_number, q.r = h.home AS is_home
        FROM ({sql}) q JOIN lk_hidden h ON q.l = h.node_id JOIN lk_universe y ON q.r = y.node_id ORDER BY q.l, q.r"""
    )


def contradicting(model: Model, pattern: np.ndarray) -> np.ndarray:
    """Which packed patterns disagree on every feature of a declared contradiction."""
    found = np.zeros(len(pattern), bool)
    for group in model.linkage.contradictions:
        if all(term.rstrip("~") in model.compared for term in group):
            disagree = np.ones(len(pattern), bool)
            for term in group:
                level = ((pattern >> (4 * model.compared.index(term.rstrip("~")))) & 15) - 1
                disagree &= np.isin(level, sorted(model.disagreeing(term)))
            found |= disagree
    return found


def _calibrate(work: Workspace, model: Model, linkage: Linkage, judged: pa.Table | None):
    """Curves and thresholds per pair of sources, and what the run may expect of them."""
    targets = linkage.targets
    if judged is None:
        return _believe_model(work, model)
    left, right, weight, pattern = (judged.column(c).to_numpy() for c in ("l", "r", "weight", "pattern"))
    numbered = judged.column("has_number").to_numpy(zero_copy_only=False).astype(np.int64)
    contending = calibration.compete(left, right, weight, np.zeros(len(left), np.int64), numbered)
    home = judged.column("is_home").to_numpy(zero_copy_only=False)
    # only where the far side has a number is it known whether it is the same
    allowed = ~contradicting(model, pattern) & (numbered > 0)
    between = source_pairs(judged.column("source_l"), judged.column("source_r")).to_numpy(zero_copy_only=False)
    homes = dict(work.rows("SELECT h.source, count(*) FROM lk_hidden h WHERE home_size > 1 GROUP BY h.source"))
    reached = work.rows(
        "SELECT count(*) FROM lk_hidden h JOIN lk_hidden_pairs p ON p.l = h.node_id AND p.r = h.home WHERE h.home_size > 1"
    )[0][0]
    curves, thresholds = {}, {}
    for pair in [ANY, *sorted(set(between.tolist()))]:
        mine = allowed & ((between == pair) if pair != ANY else True)
        if pair != ANY and int(home[mine].sum()) < calibration.ENOUGH_JUDGED:
            continue
        w, is_match = contending[mine], home[mine]
        if not len(w):
            continue
        curves[pair] = calibration.fit_curve(w, is_match)
        thresholds[pair] = calibration.choose_thresholds(
            w,
            is_match,
            curve=curves[pair],
            false_links=targets.false_links,
            least_probability=targets.least_probability,
            review_floor=targets.review_floor,
            matches_in_all=float(sum(homes.values())) if pair == ANY else None,
        )
    points = _points(contending[allowed], home[allowed], float(sum(homes.values())))
    return curves, thresholds, Judgement(blocking_recall=reached / max(1, sum(homes.values())), points=points)


def _believe_model(work: Workspace, model: Model):
    """Curve and threshold where nothing can be checked: the model's own probabilities, after competition."""
    sql = model.scoring_sql(
        left="lk_compared", right="lk_compared", pairs="lk_pairs", floor=FLOOR_BITS, words=work.words
    )
    table = work.arrow(
        f"""SELECT q.l, q.r, q.weight, q.pattern, x.uniq AS uniq_l, y.uniq AS uniq_r FROM ({sql}) q
        JOIN lk_nodes x ON x.node_id = q.l JOIN lk_nodes y ON y.node_id = q.r ORDER BY q.l, q.r"""
    )
    left, right, weight, pattern, one, two = (
        table.column(c).to_numpy() for c in ("l", "r", "weight", "pattern", "uniq_l", "uniq_r")
    )
    allowed = ~contradicting(model, pattern) & (one & two == 0)
    contending = calibration.compete(left, right, weight, one, two)[allowed]
    curve = calibration.model_curve()
    targets = model.linkage.targets
    chosen = calibration.choose_thresholds(
        contending,
        None,
        curve=curve,
        false_links=targets.false_links,
        least_probability=targets.least_probability,
        review_floor=targets.review_floor,
    )
    likely = curve.at(contending)
    points = _points(contending, likely, float(likely.sum()))
    return {ANY: curve}, {ANY: chosen}, Judgement(blocking_recall=None, points=points)


def source_pairs(left: pa.Array, right: pa.Array) -> pa.Array:
    """ "a|b" of every pair, the two source codes in order of the alphabet."""
    swap = pc.greater(left, right)
    first, second = pc.if_else(swap, right, left), pc.if_else(swap, left, right)
    return pc.binary_join_element_wise(first.cast(pa.string()), second.cast(pa.string()), "|")


def _points(weight: np.ndarray, home: np.ndarray, matches: float) -> list[dict[str, float]]:
    """The estimated threshold curve: precision and recall of hidden records, by weight."""
    found = []
    for bits in np.arange(-4, 30.5, 1.0):
        taken = weight >= bits
        n, right = int(taken.sum()), float(home[taken].sum())
        found.append(
            {
                "weight": float(bits),
                "precision": right / n if n else 1.0,
                "recall": right / matches if matches else 0.0,
                "links": n,
            }
        )
    return found

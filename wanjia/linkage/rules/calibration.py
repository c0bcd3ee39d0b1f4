"""From weights to probabilities that mean what they say, and from probabilities to thresholds. NumPy arrays in, values out."""

from dataclasses import dataclass

import numpy as np

#: weights beyond this many bits say "certain" and are cut: odds of 2^60 would swamp every sum
MOST_BITS = 60.0
#: a source pair needs this many judged pairs before it gets thresholds of its own
ENOUGH_JUDGED = 400
LEAST_IN_BLOCK = 25
#: probabilities never reach certainty: what was not seen in a sample of n may still happen once in n
LEAST_DOUBT = 1e-5


def compete(
    left: np.ndarray, right: np.ndarray, weight: np.ndarray, exclusive_left: np.ndarray, exclusive_right: np.ndarray
) -> np.ndarray:
    """Weights after competition: a record can belong to one person only, so its other candidates count against each.

    `exclusive_*` is the class of a pair's end: two nodes of one class (two sound numbers, two records of a source that holds nobody
    twice) are two persons; 0 means no class. All arrays have one entry a pair. Returns log2 odds.
    """
    odds = np.exp2(np.clip(weight, -MOST_BITS, MOST_BITS))
    against = _rivals(left, exclusive_right, odds) + _rivals(right, exclusive_left, odds)
    return np.log2(odds / (1.0 + against))


def _rivals(end: np.ndarray, other_class: np.ndarray, odds: np.ndarray) -> np.ndarray:
    """For each pair: the odds of all other pairs of this end whose far side is of the same class as this pair's."""
    rivals = np.zeros(len(odds))
    named = np.flatnonzero(other_class)
    if not len(named):
        return rivals
    order = named[np.lexsort((other_class[named], end[named]))]
    starts = np.flatnonzero(
        np.r_[True, (end[order][1:] != end[order][:-1]) | (other_class[order][1:] != other_class[order][:-1])]
    )
    sums = np.add.reduceat(odds[order], starts)
    lengths = np.diff(np.r_[starts, len(order)])
    # the sum minus the pair's own odds loses all digits when one pair dominates; a lone pair has no rival at all
    rest = np.repeat(sums, lengths) - odds[order]
    single = np.repeat(lengths == 1, lengths)
    rivals[order] = np.where(single, 0.0, np.maximum(rest, 0.0))
    return rivals


@dataclass(frozen=True)
class Curve:
    """A rising step-free function from weight (log2 odds) to probability, by straight lines between knots."""

    weights: list[float]
    probabilities: list[float]

    def at(self, weight: np.ndarray) -> np.ndarray:
        """Probability of each weight."""
        return np.interp(weight, self.weights, self.probabilities)


def plain_probability(weight: np.ndarray) -> np.ndarray:
    """What the model itself claims for log2 odds."""
    return 1.0 / (1.0 + np.exp2(-np.clip(weight, -MOST_BITS, MOST_BITS)))


MODEL_CURVE_BITS = np.linspace(-30, 30, 121)


def model_curve() -> Curve:
    """The curve that believes the model: for profiles with nothing to check it against."""
    claimed = np.clip(plain_probability(MODEL_CURVE_BITS), LEAST_DOUBT, 1 - LEAST_DOUBT)
    return Curve([float(b) for b in MODEL_CURVE_BITS], [float(p) for p in claimed])


def fit_curve(weight: np.ndarray, is_match: np.ndarray) -> Curve:
    """The rising curve nearest to judged pairs (pool adjacent violators), level within a step, straight between steps."""
    # one point a weight: few patterns make few weights, and a cut between equal ones would be arbitrary
    x, at = np.unique(weight, return_inverse=True)
    hits, counts = np.bincount(at, weights=is_match.astype(float)), np.bincount(at)
    blocks: list[list[float]] = []  # matches, pairs, least weight, greatest weight
    for value, hit, count in zip(x.tolist(), hits.tolist(), counts.tolist(), strict=True):
        if blocks and blocks[-1][1] < LEAST_IN_BLOCK:
            # a step resting on a handful of pairs would be noise
            blocks[-1] = [blocks[-1][0] + hit, blocks[-1][1] + count, blocks[-1][2], value]
        else:
            blocks.append([hit, count, value, value])
        while len(blocks) > 1 and blocks[-2][0] * blocks[-1][1] >= blocks[-1][0] * blocks[-2][1]:
            total, pooled, _, greatest = blocks.pop()
            blocks[-1] = [blocks[-1][0] + total, blocks[-1][1] + pooled, blocks[-1][2], greatest]
    weights: list[float] = []
    probabilities: list[float] = []
    for total, count, least, greatest in blocks:
        # half a pair of doubt on each side keeps the ends off 0 and 1
        likely = float(np.clip((total + 0.5) / (count + 1.0), LEAST_DOUBT, 1 - LEAST_DOUBT))
        for edge in sorted({float(least), float(greatest)}):
            if not weights or edge > weights[-1]:
                weights.append(edge)
                probabilities.append(max(likely, probabilities[-1] if probabilities else 0.0))
    return Curve(weights, probabilities)


@dataclass(frozen=True)
class Thresholds:
    """Where the bands of one source pair begin, in log2 odds after competition."""

    link: float
    review: float
    judged: int
    estimated_false_links: float
    estimated_recall: float


def choose_thresholds(
    weight: np.ndarray,
    is_match: np.ndarray | None,
    *,
    curve: Curve,
    false_links: float,
    least_probability: float,
    review_floor: float,
    matches_in_all: float | None = None,
) -> Thresholds:
    """The lowest threshold whose estimated share of wrong links stays within `false_links`.

    Judged pairs decide where there are any; else the probabilities of `curve`. `matches_in_all`: how many true pairs there were to
    be found, missed ones included (for the estimated recall).
    """
    order = np.argsort(-weight, kind="stable")
    w = weight[order]
    wrong = 1.0 - (is_match[order].astype(float) if is_match is not None else curve.at(w))
    count = np.arange(1, len(w) + 1)
    share = np.cumsum(wrong) / count
    # a cut between equal weights is no cut
    may_cut = np.r_[w[1:] != w[:-1], True] if len(w) else np.zeros(0, bool)
    # the average must not carry single links nobody would sign: each must be likely by the judged pairs and by the model
    likely = np.minimum(curve.at(w), plain_probability(w)) >= least_probability
    fitting = np.flatnonzero((share <= false_links) & may_cut & likely)
    if len(fitting):
        last = fitting[-1]
    else:
        cuts = np.flatnonzero(may_cut)
        last = cuts[np.argmin(share[cuts])] if len(cuts) else -1
    link = float(w[last]) if last >= 0 else MOST_BITS
    right = float((1.0 - wrong[: last + 1]).sum()) if last >= 0 else 0.0
    whole = matches_in_all if matches_in_all is not None else float((1.0 - wrong).sum())
    believed = np.minimum(curve.probabilities, plain_probability(np.asarray(curve.weights)))
    floor = np.flatnonzero(believed >= review_floor)
    review = float(curve.weights[floor[0]]) if len(floor) else link
    return Thresholds(
        link=link,
        review=min(review, link),
        judged=len(w) if is_match is not None else 0,
        estimated_false_links=float(share[last]) if last >= 0 else 0.0,
        estimated_recall=right / whole if whole else 1.0,
    )

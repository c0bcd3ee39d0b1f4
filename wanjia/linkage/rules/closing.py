"""From accepted pairs to persons, without chains: who is barred from whom decides, not only who resembles whom.

Plain connected components let one wrong pair fuse two families of records. Here pairs are taken best first, and a pair is refused when
the two clusters hold two sound different numbers, two records of a source that holds nobody twice, two persons already told apart
under one number, or a pair that contradicts; and when their members on the whole do not resemble each other. Simple
components (nearly all) are settled with arrays; only the ambiguous ones are walked in Python.
"""

import heapq
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

#: components larger than this are not completed pair by pair; their best-first order alone decides
LARGEST_COMPLETED = 60
#: one pair's say in how well two clusters fit is limited to this many bits, so that one field cannot outvote all others
MOST_SAY = 15.0

TWO_NUMBERS, TWO_BASELINE, SHARED_NUMBER, CONTRADICTION, UNLIKE, BELOW = (
    "two_numbers",
    "two_baseline_records",
    "shared_number",
    "contradiction",
    "unlike_cluster",
    "uncertain",
)


@dataclass(frozen=True)
class NodeFacts:
    """What bars nodes from one another; one entry a node. Codes are 0 where there is none."""

    number: np.ndarray  # code of the sound number
    clash: np.ndarray  # code of a number several persons share
    uniq: np.ndarray  # bit set of sources that hold nobody twice


@dataclass(frozen=True)
class Pairs:
    """Scored pairs, as positions of nodes."""

    left: np.ndarray
    right: np.ndarray
    weight: np.ndarray  # log2 odds after competition
    raw: np.ndarray  # log2 odds before
    accepted: np.ndarray  # bool: within the link band
    contradicts: np.ndarray  # bool
    forced: frozenset[int] = (
        frozenset()
    )  # places of pairs that an officer found to be one person: nothing but two sound numbers bars them


@dataclass
class Closed:
    """The result: a cluster label per node (the least position in it), and accepted pairs that were refused, with the reason."""

    label: np.ndarray
    refused: list[tuple[int, str]] = field(default_factory=list)
    walked: int = 0


def components(count: int, left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Least position reachable from every node, along the pairs."""
    label = np.arange(count)
    while len(left):
        low = np.minimum(label[left], label[right])
        before = label.copy()
        np.minimum.at(label, left, low)
        np.minimum.at(label, right, low)
        np.minimum.at(label, before[left], low)
        np.minimum.at(label, before[right], low)
        while True:
            jumped = label[label]
            if np.array_equal(jumped, label):
                break
            label = jumped
        if np.array_equal(before, label):
            break
    return label


def close(
    facts: NodeFacts, pairs: Pairs, score_missing: Callable[[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]
) -> Closed:
    """Cluster the nodes. `score_missing(left, right)` gives (raw weight, contradicts) of pairs that no blocking rule produced."""
    count = len(facts.number)
    take = pairs.accepted & ~pairs.contradicts
    left, right = pairs.left[take], pairs.right[take]
    label = components(count, left, right)
    ambiguous = _ambiguous(facts, pairs, label, left, right)
    closed = Closed(label=np.where(ambiguous[label], np.arange(count), label))
    _walk(facts, pairs, label, ambiguous, score_missing, closed)
    return closed


def _ambiguous(facts: NodeFacts, pairs: Pairs, label: np.ndarray, left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Per label: must this component be looked at pair by pair?"""
    count = len(label)
    size = np.bincount(label, minlength=count)
    bad = np.zeros(count, bool)
    numbered = facts.number > 0
    bad |= np.bincount(label[numbered], minlength=count) > 1
    clashing = np.flatnonzero(facts.clash > 0)
    if len(clashing):
        pair = np.stack([label[clashing], facts.clash[clashing]], axis=1)
        _, first, times = np.unique(pair, axis=0, return_index=True, return_counts=True)
        bad[label[clashing[first[times > 1]]]] = True
    bits = int(facts.uniq.max()).bit_length() if count else 0
    for bit in range(bits):
        has = (facts.uniq >> bit) & 1 > 0
        bad |= np.bincount(label[has], minlength=count) > 1
    inside = pairs.contradicts & (label[pairs.left] == label[pairs.right])
    bad[label[pairs.left[inside]]] = True
    # a star around a numbered person has a direct pair for every member: nothing is inferred through a chain
    degree = np.bincount(left, minlength=count) + np.bincount(right, minlength=count)
    hub = np.zeros(count, bool)
    centre = numbered & (degree >= size[label] - 1)
    hub[label[centre]] = True
    bad |= (size > 2) & ~hub
    return bad & (size > 1)


def _walk(
    facts: NodeFacts,
    pairs: Pairs,
    label: np.ndarray,
    ambiguous: np.ndarray,
    score_missing: Callable[[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]],
    closed: Closed,
) -> None:
    in_question = np.flatnonzero(ambiguous[label])
    if not len(in_question):
        return
    members: dict[int, list[int]] = {}
    for node in in_question.tolist():
        members.setdefault(int(label[node]), []).append(node)
    inner = np.flatnonzero(ambiguous[label[pairs.left]] & (label[pairs.left] == label[pairs.right]))
    known: dict[tuple[int, int], tuple[float, bool]] = {}
    queue: dict[int, list[tuple[float, int, int, int]]] = {}
    for at in inner.tolist():
        a, b = int(pairs.left[at]), int(pairs.right[at])
        known[(a, b)] = (float(pairs.raw[at]), bool(pairs.contradicts[at]))
        if pairs.accepted[at]:
            queue.setdefault(int(label[a]), []).append((-float(pairs.weight[at]), a, b, at))
    _complete(members, known, score_missing)
    for component in sorted(members):
        closed.walked += len(members[component])
        _agglomerate(facts, members[component], known, queue.get(component, []), closed, pairs.forced)


def _complete(members, known, score_missing) -> None:
    wanted = [
        (a, b)
        for nodes in members.values()
        if len(nodes) <= LARGEST_COMPLETED
        for i, a in enumerate(nodes)
        for b in nodes[i + 1 :]
        if (a, b) not in known
    ]
    if not wanted:
        return
    asked = np.array(sorted(wanted))
    raw, contradicts = score_missing(asked[:, 0], asked[:, 1])
    for (a, b), weight, bars in zip(asked.tolist(), raw.tolist(), contradicts.tolist(), strict=True):
        known[(a, b)] = (weight, bars)


def _agglomerate(
    facts: NodeFacts, nodes: list[int], known, queue, closed: Closed, forced: frozenset[int] = frozenset()
) -> None:
    cluster = {n: n for n in nodes}
    held = {n: [n] for n in nodes}
    heapq.heapify(queue)
    while queue:
        _, a, b, at = heapq.heappop(queue)
        x, y = cluster[a], cluster[b]
        if x == y:
            continue
        reason = _barred(facts, held[x], held[y], known)
        if reason and (at not in forced or reason == TWO_NUMBERS):
            closed.refused.append((at, reason))
            continue
        keep, gone = (x, y) if x < y else (y, x)
        held[keep] += held.pop(gone)
        for n in held[keep]:
            cluster[n] = keep
    for n in nodes:
        closed.label[n] = cluster[n]


def _barred(facts: NodeFacts, one: list[int], two: list[int], known) -> str | None:
    numbers = {int(facts.number[n]) for n in one} - {0}
    others = {int(facts.number[n]) for n in two} - {0}
    if numbers and others and numbers != others:
        return TWO_NUMBERS
    if {int(facts.clash[n]) for n in one} & {int(facts.clash[n]) for n in two} - {0}:
        return SHARED_NUMBER
    ones, twos = _bits(facts, one), _bits(facts, two)
    if ones & twos:
        return TWO_BASELINE
    said, n = 0.0, 0
    for a in one:
        for b in two:
            found = known.get((a, b) if a < b else (b, a))
            if found is None:
                continue
            if found[1]:
                return CONTRADICTION
            said += max(-MOST_SAY, min(MOST_SAY, found[0]))
            n += 1
    return UNLIKE if n and said / n < 0 else None


def _bits(facts: NodeFacts, nodes: list[int]) -> int:
    found = 0
    for n in nodes:
        found |= int(facts.uniq[n])
    return found

"""Named streams of chance: every part of the city draws from its own, so that adding one part does not change the others."""

import hashlib

import numpy as np


def stream(seed: int, *names: str) -> np.random.Generator:
    """The generator of the part called `names` in the city of `seed`; the same arguments give the same draws for ever."""
    digest = hashlib.sha256("/".join(names).encode()).digest()
    words = np.frombuffer(digest[:16], dtype="<u4").tolist()
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence([seed, *words])))


def cumulative(weights: np.ndarray) -> np.ndarray:
    """Cumulative shares of `weights`, ending in exactly one."""
    total = np.cumsum(weights, dtype=np.float64)
    total /= total[-1]
    total[-1] = 1.0
    return total


def pick(rng: np.random.Generator, shares: np.ndarray, size: int) -> np.ndarray:
    """`size` positions drawn by the cumulative `shares`: much faster than `Generator.choice` for millions."""
    return np.searchsorted(shares, rng.random(size), side="right").astype(np.int32)


def rank_within(groups: np.ndarray) -> np.ndarray:
    """For every element, how many earlier elements belong to the same group (0 for the first)."""
    order = np.argsort(groups, kind="stable")
    ordered = groups[order]
    starts = np.r_[True, ordered[1:] != ordered[:-1]] if len(ordered) else np.zeros(0, dtype=bool)
    first = (
        np.maximum.accumulate(np.where(starts, np.arange(len(ordered)), 0)) if len(ordered) else np.zeros(0, np.int64)
    )
    ranks = np.empty(len(groups), dtype=np.int64)
    ranks[order] = np.arange(len(ordered)) - first
    return ranks

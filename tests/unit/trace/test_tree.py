"""The Merkle tree against RFC 6962: published roots, every size to 700, random larger ones, and tampered proofs."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wanjia.trace.rules.tree import (
    EMPTY_ROOT,
    HASH_BYTES,
    ProofWrong,
    Tree,
    grown,
    is_consistent,
    is_included,
    leaf_hash,
    node_hash,
    right_edge,
)

#: the leaves and roots of Certificate Transparency's own reference tests
CT_LEAVES = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]
CT_ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]


class Log:
    """Tiles in memory, grown as the sequencer grows them."""

    def __init__(self) -> None:
        self.size, self.tiles = 0, {}

    def add(self, leaves: list[bytes]) -> None:
        edge = {(level, index): self.tiles[level, index] for level, index, _ in right_edge(self.size)}
        self.size, changed = grown(self.size, edge, leaves)
        self.tiles.update(changed)

    def tree(self, size: int | None = None) -> Tree:
        return Tree(
            self.size if size is None else size,
            lambda level, index, width: self.tiles[level, index][: width * HASH_BYTES],
        )


def slow_root(leaves: list[bytes]) -> bytes:
    """MTH of RFC 6962, 2.1, word for word."""
    if not leaves:
        return EMPTY_ROOT
    if len(leaves) == 1:
        return leaves[0]
    middle = 1
    while middle * 2 < len(leaves):
        middle *= 2
    return node_hash(slow_root(leaves[:middle]), slow_root(leaves[middle:]))


def slow_path(index: int, leaves: list[bytes]) -> list[bytes]:
    """PATH of RFC 6962, 2.1.1, word for word."""
    if len(leaves) == 1:
        return []
    middle = 1
    while middle * 2 < len(leaves):
        middle *= 2
    if index < middle:
        return [*slow_path(index, leaves[:middle]), slow_root(leaves[middle:])]
    return [*slow_path(index - middle, leaves[middle:]), slow_root(leaves[:middle])]


def slow_proof(old: int, leaves: list[bytes], is_whole: bool = True) -> list[bytes]:
    """SUBPROOF of RFC 6962, 2.1.2, word for word."""
    if old == len(leaves):
        return [] if is_whole else [slow_root(leaves)]
    middle = 1
    while middle * 2 < len(leaves):
        middle *= 2
    if old <= middle:
        return [*slow_proof(old, leaves[:middle], is_whole), slow_root(leaves[middle:])]
    return [*slow_proof(old - middle, leaves[middle:], False), slow_root(leaves[:middle])]


LEAVES = [leaf_hash(number.to_bytes(4, "big")) for number in range(700)]


@pytest.fixture(scope="module")
def log():
    made = Log()
    for start in range(0, 700, 37):
        made.add(LEAVES[start : start + 37])
    return made


def test_the_published_roots():
    log = Log()
    for leaf, root in zip(CT_LEAVES, CT_ROOTS, strict=True):
        log.add([leaf_hash(bytes.fromhex(leaf))])
        assert log.tree().root().hex() == root


def test_one_at_a_time_gives_the_same_tiles_as_all_at_once(log):
    slow, fast = Log(), Log()
    for leaf in LEAVES:
        slow.add([leaf])
    fast.add(LEAVES)
    assert slow.tiles == fast.tiles == log.tiles


def test_every_size_to_700(log):
    chance = random.Random(6962)
    roots = [slow_root(LEAVES[:size]) for size in range(701)]
    for size in range(701):
        tree = log.tree(size)
        assert tree.root() == roots[size], size
        for index in {0, size - 1, chance.randrange(size)} if size else ():
            proof = tree.inclusion(index)
            assert is_included(index, size, LEAVES[index], proof, roots[size]), (index, size)
        for old in {0, size, *(chance.randrange(size + 1) for _ in range(2))}:
            assert is_consistent(old, size, roots[old], roots[size], tree.consistency(old)), (old, size)


def test_proofs_are_those_the_rfc_defines(log):
    for size in (1, 2, 3, 7, 8, 9, 255, 256, 257, 511, 700):
        for index in {0, size // 3, size // 2, size - 1}:
            assert log.tree(size).inclusion(index) == slow_path(index, LEAVES[:size])
            assert log.tree(size).consistency(index + 1) == slow_proof(index + 1, LEAVES[:size])


@pytest.mark.heavy
def test_every_proof_of_every_size_to_700(log):
    roots = [slow_root(LEAVES[:size]) for size in range(701)]
    for size in range(1, 701):
        tree = log.tree(size)
        for other in range(size):
            assert is_included(other, size, LEAVES[other], tree.inclusion(other), roots[size])
            assert is_consistent(other, size, roots[other], roots[size], tree.consistency(other))


@pytest.mark.parametrize("size", [70_000, pytest.param(1_000_000, marks=pytest.mark.heavy)])
def test_random_places_of_larger_trees(size):
    log, chance = Log(), random.Random(size)
    leaves = [leaf_hash(number.to_bytes(4, "big")) for number in range(size)]
    log.add(leaves)
    for _ in range(60):
        now = chance.randrange(2, size + 1)
        old, index = chance.randrange(1, now), chance.randrange(now)
        tree, before = log.tree(now), log.tree(old).root()
        assert is_included(index, now, leaves[index], tree.inclusion(index), tree.root())
        assert is_consistent(old, now, before, tree.root(), tree.consistency(old))
    assert log.tree(size).root() == slow_root(leaves)


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_no_tampered_proof_is_accepted(data):
    log = Log()
    log.add(LEAVES[:300])
    size = data.draw(st.integers(2, 300))
    index, old = data.draw(st.integers(0, size - 1)), data.draw(st.integers(1, size - 1))
    tree, before = log.tree(size), log.tree(old).root()
    proof, growth, root = tree.inclusion(index), tree.consistency(old), tree.root()
    flip = data.draw(st.integers(0, 8 * HASH_BYTES - 1))

    def bent(one: bytes) -> bytes:
        return (int.from_bytes(one) ^ (1 << flip)).to_bytes(HASH_BYTES)

    at = data.draw(st.integers(0, max(len(proof), len(growth)) - 1))
    if at < len(proof):
        assert not is_included(index, size, LEAVES[index], [*proof[:at], bent(proof[at]), *proof[at + 1 :]], root)
        assert not is_included(index, size, LEAVES[index], [*proof[:at], *proof[at + 1 :]], root)
    if at < len(growth):
        assert not is_consistent(old, size, before, root, [*growth[:at], bent(growth[at]), *growth[at + 1 :]])
        assert not is_consistent(old, size, before, root, [*growth[:at], *growth[at + 1 :]])
    assert not is_included(index, size, bent(LEAVES[index]), proof, root)
    assert not is_included(index, size, LEAVES[index], proof, bent(root))
    assert not is_included(index, size, LEAVES[index], [*proof, root], root)
    assert not is_included(index, size, LEAVES[index], [one[:-1] for one in proof], root)
    other = data.draw(st.integers(0, size - 1).filter(lambda one: one != index))
    assert not is_included(other, size, LEAVES[index], proof, root)
    assert not is_consistent(old, size, bent(before), root, growth)
    assert not is_consistent(old, size, before, bent(root), growth)
    assert not is_consistent(old, size, before, root, [*growth, root])


def test_what_is_not_there_has_no_proof(log):
    for wrong in (-1, 700):
        with pytest.raises(ProofWrong):
            log.tree().inclusion(wrong)
    with pytest.raises(ProofWrong):
        log.tree().consistency(701)
    with pytest.raises(ProofWrong, match="cut short"):
        Tree(700, lambda level, index, width: b"").root()
    assert not is_included(0, 0, LEAVES[0], [], LEAVES[0])
    assert is_consistent(0, 0, EMPTY_ROOT, EMPTY_ROOT, [])
    assert not is_consistent(0, 5, LEAVES[0], LEAVES[1], [])

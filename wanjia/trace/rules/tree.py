"""The Merkle tree of RFC 6962 over C2SP tiles: growing it, proving from it, and checking proofs.

A tile is up to 256 hashes of 32 bytes side by side (https://c2sp.org/tlog-tiles): hash i of tile n on level l is the root of the leaves
[(256 n + i) 256^l, (256 n + i + 1) 256^l). Only complete subtrees stand in tiles, so a hash in a tile never changes.
"""

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence

HASH_BYTES = 32
TILE_BITS = 8
TILE_WIDTH = 1 << TILE_BITS
#: the root of a tree without leaves
EMPTY_ROOT = hashlib.sha256(b"").digest()

#: (level, index, width) → the tile's first `width` hashes
ReadTile = Callable[[int, int, int], bytes]

_sha256 = hashlib.sha256


class ProofWrong(ValueError):
    """What a log or a receipt says does not follow from its proof."""


def leaf_hash(entry: bytes) -> bytes:
    """The hash of a leaf."""
    return _sha256(b"\0" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of an inner node."""
    return _sha256(b"\1" + left + right).digest()


def width_of(level: int, index: int, size: int) -> int:
    """How many hashes tile `index` of `level` has in a tree of `size` leaves; 0 or less: it is not there."""
    return min(TILE_WIDTH, (size >> (TILE_BITS * level)) - index * TILE_WIDTH)


def right_edge(size: int) -> list[tuple[int, int, int]]:
    """(level, index, width) of every partial tile of a tree of `size` leaves: what is needed to let it grow."""
    edge, level = [], 0
    while size >> (TILE_BITS * level):
        count = size >> (TILE_BITS * level)
        if count % TILE_WIDTH:
            edge.append((level, count // TILE_WIDTH, count % TILE_WIDTH))
        level += 1
    return edge


def grown(
    size: int, edge: Mapping[tuple[int, int], bytes], leaves: Iterable[bytes]
) -> tuple[int, dict[tuple[int, int], bytes]]:
    """Append leaf hashes to a tree of `size` leaves whose partial tiles are `edge` ((level, index) → hashes).

    Returns the new size and every tile that changed, whole: (level, index) → hashes.
    """
    changed: dict[tuple[int, int], bytearray] = {}
    new_size, level = size, 0
    fresh = list(leaves)
    new_size += len(fresh)
    count = size
    while fresh:
        above: list[bytes] = []
        index = count // TILE_WIDTH
        tile = bytearray(edge.get((level, index), b""))
        if len(tile) != count % TILE_WIDTH * HASH_BYTES:
            raise ProofWrong(f"tile {level}/{index} is not as wide as the size says")
        for one in fresh:
            tile += one
            if len(tile) == TILE_WIDTH * HASH_BYTES:
                changed[level, index] = tile
                above.append(_fold(bytes(tile)))
                index, tile = index + 1, bytearray()
        if tile:
            changed[level, index] = tile
        fresh, count, level = above, count >> TILE_BITS, level + 1
    return new_size, {place: bytes(tile) for place, tile in changed.items()}


def _fold(hashes: bytes) -> bytes:
    """The root of a complete run of hashes (their number is a power of two)."""
    row = [hashes[start : start + HASH_BYTES] for start in range(0, len(hashes), HASH_BYTES)]
    while len(row) > 1:
        row = [_sha256(b"\1" + row[at] + row[at + 1]).digest() for at in range(0, len(row), 2)]
    return row[0]


class Tree:
    """A tree of `size` leaves that is read tile by tile; each tile is read once."""

    def __init__(self, size: int, read_tile: ReadTile) -> None:
        self.size = size
        self._read = read_tile
        self._tiles: dict[tuple[int, int], bytes] = {}

    def root(self, size: int | None = None) -> bytes:
        """The root of the first `size` leaves (default: all). Raises `ProofWrong` for a size the tree does not have."""
        wanted = self.size if size is None else size
        if not 0 <= wanted <= self.size:
            raise ProofWrong("the tree is smaller")
        return self._over(0, wanted) if wanted else EMPTY_ROOT

    def leaf(self, index: int) -> bytes:
        """The hash of leaf `index`. Raises `ProofWrong` when there is none."""
        if not 0 <= index < self.size:
            raise ProofWrong("no such leaf")
        return self._complete(0, index)

    def inclusion(self, index: int) -> list[bytes]:
        """PATH(index, D[size]) of RFC 6962, 2.1.1: from the leaf's sibling up. Raises `ProofWrong` when there is no such leaf."""
        if not 0 <= index < self.size:
            raise ProofWrong("no such leaf")
        path, low, high = [], 0, self.size
        while high - low > 1:
            middle = low + _split(high - low)
            if index < middle:
                path.append(self._over(middle, high))
                high = middle
            else:
                path.append(self._over(low, middle))
                low = middle
        return path[::-1]

    def consistency(self, old: int) -> list[bytes]:
        """PROOF(old, D[size]) of RFC 6962, 2.1.2; empty from the empty tree. Raises `ProofWrong` when `old` is larger."""
        if not 0 <= old <= self.size:
            raise ProofWrong("the tree is smaller")
        if old in (0, self.size):
            return []
        proof, low, high, is_whole = [], 0, self.size, True
        while old != high:
            middle = low + _split(high - low)
            if old <= middle:
                proof.append(self._over(middle, high))
                high = middle
            else:
                proof.append(self._over(low, middle))
                low, is_whole = middle, False
        if not is_whole:
            proof.append(self._over(low, high))
        return proof[::-1]

    def _over(self, low: int, high: int) -> bytes:
        """MTH(D[low:high])."""
        count = high - low
        if count & (count - 1) == 0 and low % count == 0:
            return self._complete(count.bit_length() - 1, low // count)
        middle = low + _split(count)
        return node_hash(self._over(low, middle), self._over(middle, high))

    def _complete(self, height: int, index: int) -> bytes:
        """The root of the complete subtree of 2^height leaves, the `index`-th of its height."""
        level, depth = divmod(height, TILE_BITS)
        first = index << depth
        tile = self._tile(level, first // TILE_WIDTH)
        start = first % TILE_WIDTH * HASH_BYTES
        return _fold(tile[start : start + (HASH_BYTES << depth)])

    def _tile(self, level: int, index: int) -> bytes:
        tile = self._tiles.get((level, index))
        if tile is None:
            width = width_of(level, index, self.size)
            tile = self._read(level, index, width)
            if len(tile) != width * HASH_BYTES:
                raise ProofWrong(f"tile {level}/{index} is cut short")
            self._tiles[level, index] = tile
        return tile


def _split(count: int) -> int:
    """The largest power of two below `count`."""
    return 1 << ((count - 1).bit_length() - 1)


def is_included(index: int, size: int, leaf: bytes, proof: Sequence[bytes], root: bytes) -> bool:
    """Whether `proof` shows the leaf hash `leaf` at `index` of the tree (`size`, `root`): RFC 9162, 2.1.3.2."""
    if not 0 <= index < size or not _are_hashes(leaf, root, *proof):
        return False
    place, last, current = index, size - 1, leaf
    for sibling in proof:
        if last == 0:
            return False
        if place & 1 or place == last:
            current = node_hash(sibling, current)
            if not place & 1:
                while place and not place & 1:
                    place, last = place >> 1, last >> 1
        else:
            current = node_hash(current, sibling)
        place, last = place >> 1, last >> 1
    return last == 0 and current == root


def is_consistent(old: int, new: int, old_root: bytes, new_root: bytes, proof: Sequence[bytes]) -> bool:
    """Whether `proof` shows that the tree (`new`, `new_root`) begins with the tree (`old`, `old_root`): RFC 9162, 2.1.4.2.

    From the empty tree only the empty proof and the empty root count, and equal sizes need equal roots and an empty proof.
    """
    if not 0 <= old <= new or not _are_hashes(old_root, new_root, *proof):
        return False
    if old == 0:
        return old_root == EMPTY_ROOT and not proof and (new > 0 or new_root == EMPTY_ROOT)
    if old == new:
        return old_root == new_root and not proof
    if not proof:
        return False
    path = list(proof) if old & (old - 1) else [old_root, *proof]
    place, last = old - 1, new - 1
    while place & 1:
        place, last = place >> 1, last >> 1
    was = now = path[0]
    for sibling in path[1:]:
        if last == 0:
            return False
        if place & 1 or place == last:
            was, now = node_hash(sibling, was), node_hash(sibling, now)
            while place and not place & 1:
                place, last = place >> 1, last >> 1
        else:
            now = node_hash(now, sibling)
        place, last = place >> 1, last >> 1
    return last == 0 and was == old_root and now == new_root


def _are_hashes(*hashes: bytes) -> bool:
    return all(len(one) == HASH_BYTES for one in hashes)

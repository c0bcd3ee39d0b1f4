"""Checking a log by its public files alone, from a folder or an address: no database, no secret, nothing but what everybody can read."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from wanjia.trace.adapters.files import Source, source_at
from wanjia.trace.errors import ProofRefused, PublicFileMissing
from wanjia.trace.rules.entry import commitment
from wanjia.trace.rules.handover import Generation, Handover, generations, parse_handovers, signed_by
from wanjia.trace.rules.note import Checkpoint, Key, Note, parse_note, parse_vkey
from wanjia.trace.rules.receipt import Receipt, checked, parse_receipt
from wanjia.trace.rules.tiles import CHECKPOINT, HANDOVERS, KEYS, TileName, unbundle
from wanjia.trace.rules.tree import (
    EMPTY_ROOT,
    HASH_BYTES,
    TILE_WIDTH,
    ProofWrong,
    Tree,
    grown,
    is_consistent,
    is_included,
    leaf_hash,
    right_edge,
)

#: so many bundles are folded into the tree at a time
BUNDLES_AT_A_TIME = 64


@dataclass(frozen=True)
class Trust:
    """What the checker goes by: the log's name and keys, the witnesses whose cosignatures it insists on, and how the log came to other keys.

    `keys` are of one generation, any; handovers lead from them to the others, and are believed only as far as those keys vouch for them.
    """

    keys: tuple[Key, ...]
    witnesses: tuple[Key, ...] = ()
    handovers: tuple[Handover, ...] = ()

    @cached_property
    def generations(self) -> list[Generation]:
        """The keys of each time. Raises `ProofWrong` when a handover does not hold."""
        return generations(self.keys, self.handovers)

    def following(self, content: str) -> "Trust":
        """With the handovers of a public file (text). Raises `ProofRefused`."""
        try:
            return replace(self, handovers=tuple(parse_handovers(content)))
        except ProofWrong as wrong:
            raise ProofRefused(reason=str(wrong)) from None

    @property
    def origin(self) -> str:
        """The log's name."""
        return self.keys[0].name

    @classmethod
    def of(cls, keys: Sequence[str], witnesses: Sequence[str] = ()) -> "Trust":
        """From verifier keys as text. Raises `ProofRefused`."""
        try:
            parsed = tuple(map(parse_vkey, keys))
            if len({key.name for key in parsed}) != 1:
                raise ProofWrong("the keys must be of one log")
            return cls(parsed, tuple(map(parse_vkey, witnesses)))
        except ProofWrong as wrong:
            raise ProofRefused(reason=str(wrong)) from None


class PublicLog:
    """A log as its public files show it. Every method raises `ProofRefused` or `PublicFileMissing`."""

    def __init__(self, place: str | Source, trust: Trust | None = None) -> None:
        self._source = source_at(place) if isinstance(place, str) else place
        self.trust = trust or Trust.of(self._text(KEYS).split())
        if not self.trust.handovers:
            self.trust = self.trust.following(self._handovers())

    def newest(self) -> Checkpoint:
        """The head its signed checkpoint shows."""
        return self._head(self._text(CHECKPOINT if not self.trust.witnesses else "checkpoint.cosigned"))

    def verify_all(self, told: Callable[[int, int], None] | None = None) -> Checkpoint:
        """Read every bundle and every tile, fold them anew and compare with the signed root. `told`: (leaves done, leaves in all)."""
        head = self.newest()
        for handed in self.trust.handovers:
            self.ensure_begins_with(handed.head, head)
        tree: dict[tuple[int, int], bytes] = {}
        size = 0
        while size < head.size:
            leaves: list[bytes] = []
            first = size // TILE_WIDTH
            for index in range(first, min(first + BUNDLES_AT_A_TIME, -(-head.size // TILE_WIDTH))):
                width = min(TILE_WIDTH, head.size - index * TILE_WIDTH)
                leaves += self._leaves(TileName(None, index, width))
            edge = {(level, index): tree[level, index] for level, index, _ in right_edge(size)}
            size, changed = grown(size, edge, leaves)
            self._compare(changed, size, head)
            tree = {place: tile for place, tile in {**edge, **changed}.items() if len(tile) < TILE_WIDTH * HASH_BYTES}
            if told:
                told(size, head.size)
        if self._tree(head).root() != head.root or (not head.size and head.root != EMPTY_ROOT):
            raise ProofRefused(reason="the tiles do not fold to the signed root")
        return head

    def verify_entry(self, index: int) -> tuple[Checkpoint, bytes]:
        """The commitment at `index`, shown to be in the newest head."""
        head = self.newest()
        if not 0 <= index < head.size:
            raise ProofRefused(reason="the log has no such entry")
        bundle = TileName(None, index // TILE_WIDTH, min(TILE_WIDTH, head.size - index // TILE_WIDTH * TILE_WIDTH))
        said = self._entries(bundle)[index % TILE_WIDTH]
        if not is_included(index, head.size, leaf_hash(said), self._proof(head, index), head.root):
            raise ProofRefused(reason="the entry is not in the signed tree")
        return head, said

    def verify_since(self, old: str) -> tuple[Checkpoint, Checkpoint]:
        """That the newest head goes on from an older signed checkpoint (text); both heads."""
        before, now = self._head(old), self.newest()
        self.ensure_begins_with(before, now)
        return before, now

    def verify_receipt(self, content: str) -> tuple[Checkpoint, Receipt]:
        """That a receipt holds by itself, and that the log as it is now still goes on from it and holds its entry at its place."""
        then, receipt = verify_receipt(content, self.trust)
        now = self.newest()
        self.ensure_begins_with(then, now)
        if not is_included(
            receipt.index, now.size, leaf_hash(_said(receipt)), self._proof(now, receipt.index), now.root
        ):
            raise ProofRefused(reason="the log no longer holds this entry")
        return now, receipt

    def ensure_begins_with(self, before: Checkpoint, now: Checkpoint) -> None:
        """That the log as of `now` goes on from the head `before`."""
        if before.size > now.size:
            raise ProofRefused(reason="the log is shorter than it was: rolled back")
        try:
            proof = self._tree(now).consistency(before.size)
        except ProofWrong as wrong:
            raise ProofRefused(reason=str(wrong)) from None
        if not is_consistent(before.size, now.size, before.root, now.root, proof):
            raise ProofRefused(reason="the log does not go on from the older checkpoint: a fork")

    def _head(self, text: str) -> Checkpoint:
        try:
            return _checked_head(parse_note(text), self.trust)
        except ProofWrong as wrong:
            raise ProofRefused(reason=str(wrong)) from None

    def _tree(self, head: Checkpoint) -> Tree:
        return Tree(head.size, lambda level, index, width: self._tile(level, index, width))

    def _proof(self, head: Checkpoint, index: int) -> list[bytes]:
        try:
            return self._tree(head).inclusion(index)
        except ProofWrong as wrong:
            raise ProofRefused(reason=str(wrong)) from None

    def _tile(self, level: int, index: int, width: int) -> bytes:
        return self._wide(TileName(level, index, width))[: width * HASH_BYTES]

    def _wide(self, name: TileName) -> bytes:
        """A tile or bundle at least as wide as `name`: where a partial one is gone, the full one has taken its place."""
        try:
            return self._source.read(name.path)
        except PublicFileMissing:
            if name.width == TILE_WIDTH:
                raise
            return self._source.read(TileName(name.level, name.index).path)

    def _entries(self, name: TileName) -> list[bytes]:
        try:
            entries = unbundle(self._wide(name))
        except ProofWrong as wrong:
            raise ProofRefused(reason=str(wrong)) from None
        if len(entries) < name.width:
            raise ProofRefused(reason=f"{name.path} is cut short")
        return entries[: name.width]

    def _leaves(self, name: TileName) -> list[bytes]:
        return [leaf_hash(entry) for entry in self._entries(name)]

    def _compare(self, changed: dict[tuple[int, int], bytes], size: int, head: Checkpoint) -> None:
        for (level, index), tile in changed.items():
            is_full = len(tile) == TILE_WIDTH * HASH_BYTES
            # a partial tile in the middle of the work is not a file of the newest head
            if (is_full or size == head.size) and self._tile(level, index, len(tile) // HASH_BYTES) != tile:
                raise ProofRefused(reason=f"tile {level}/{index} does not follow from the entries")

    def _handovers(self) -> str:
        try:
            return self._text(HANDOVERS)
        except PublicFileMissing:
            # a copy of before there were any
            return ""

    def _text(self, name: str) -> str:
        try:
            return self._source.read(name).decode()
        except UnicodeDecodeError:
            raise ProofRefused(reason=f"{name} is not text") from None


def verify_receipt(content: str, trust: Trust) -> tuple[Checkpoint, Receipt]:
    """That a receipt holds by itself, offline. Raises `ProofRefused`."""
    try:
        receipt = parse_receipt(content)
        signed, _ = signed_by(receipt.note, trust.generations, trust.witnesses)
        return checked(receipt, origin=trust.origin, keys=[*signed.keys, *trust.witnesses]), receipt
    except ProofWrong as wrong:
        raise ProofRefused(reason=str(wrong)) from None


def _checked_head(note: Note, trust: Trust) -> Checkpoint:
    _, head = signed_by(note, trust.generations, trust.witnesses)
    if head.origin != trust.origin:
        raise ProofWrong("the checkpoint is of another log")
    return head


def _said(receipt: Receipt) -> bytes:
    return commitment(receipt.nonce, receipt.entry)

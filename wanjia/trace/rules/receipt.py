"""Receipts: one entry, its proof and a checkpoint in one text file that is checked offline (https://c2sp.org/tlog-proof).

The `extra` line holds nonce (32 bytes) and canonical entry: whoever has the file can read the entry and show that it is in the log.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from wanjia.trace.rules.entry import NONCE_BYTES, commitment
from wanjia.trace.rules.note import Checkpoint, Key, Note, decode, encode, parse_checkpoint, parse_note, verified
from wanjia.trace.rules.tree import HASH_BYTES, ProofWrong, is_included, leaf_hash

FIRST_LINE = "c2sp.org/tlog-proof@v1"
_INDEX = re.compile(r"index (0|[1-9]\d{0,18})")
MOST_HASHES = 63


@dataclass(frozen=True)
class Receipt:
    """A receipt taken apart, not yet verified."""

    nonce: bytes
    entry: bytes
    index: int
    proof: tuple[bytes, ...]
    note: Note

    @property
    def whole(self) -> str:
        """The receipt as a file."""
        lines = [FIRST_LINE, f"extra {encode(self.nonce + self.entry)}", f"index {self.index}"]
        return "\n".join([*lines, *map(encode, self.proof)]) + "\n\n" + self.note.whole


def parse_receipt(content: str) -> Receipt:
    """Take a receipt apart. Raises `ProofWrong`."""
    head, separator, note = content.partition("\n\n")
    lines = head.split("\n")
    if not separator or len(lines) < 3 or lines[0] != FIRST_LINE or not lines[1].startswith("extra "):
        raise ProofWrong("not a receipt")
    extra = decode(lines[1].removeprefix("extra "))
    index = _INDEX.fullmatch(lines[2])
    if index is None or len(extra) <= NONCE_BYTES or len(lines) > 3 + MOST_HASHES:
        raise ProofWrong("not a receipt")
    proof = tuple(decode(line) for line in lines[3:])
    if any(len(one) != HASH_BYTES for one in proof):
        raise ProofWrong("a hash must be 32 bytes")
    return Receipt(extra[:NONCE_BYTES], extra[NONCE_BYTES:], int(index[1]), proof, parse_note(note))


def checked(receipt: Receipt, *, origin: str, keys: Iterable[Key]) -> Checkpoint:
    """The checkpoint under which the receipt's entry is shown to be in the log `origin`, signed by all of `keys`. Raises `ProofWrong`."""
    verified(receipt.note, keys)
    checkpoint = parse_checkpoint(receipt.note)
    if checkpoint.origin != origin:
        raise ProofWrong("the receipt is of another log")
    leaf = leaf_hash(commitment(receipt.nonce, receipt.entry))
    if not is_included(receipt.index, checkpoint.size, leaf, receipt.proof, checkpoint.root):
        raise ProofWrong("the entry is not at this place of the log")
    return checkpoint

"""Names and contents of a log's public files (https://c2sp.org/tlog-tiles)."""

import re
import struct
from collections.abc import Iterable
from dataclasses import dataclass

from wanjia.trace.rules.tree import TILE_WIDTH, ProofWrong

CHECKPOINT = "checkpoint"
KEYS = "keys"
#: how the log came to those keys; empty while they are its first
HANDOVERS = "handovers"
#: a commitment is an HMAC-SHA256
COMMITMENT_BYTES = 32
_LENGTH = struct.Struct(">H")
_TILE = re.compile(r"tile/(entries|0|[1-9]\d?)/((?:x\d{3}/)*\d{3})(?:\.p/([1-9]\d{0,2}))?")


@dataclass(frozen=True)
class TileName:
    """Which tile or bundle a path names: `level` None is an entry bundle; `width` 256 is a full one."""

    level: int | None
    index: int
    width: int = TILE_WIDTH

    @property
    def path(self) -> str:
        """The path below the log's prefix."""
        digits = f"{self.index:03d}"
        digits = digits.zfill(-(-len(digits) // 3) * 3)
        parts = [digits[at : at + 3] for at in range(0, len(digits), 3)]
        number = "/".join([*(f"x{part}" for part in parts[:-1]), parts[-1]])
        level = "entries" if self.level is None else str(self.level)
        return f"tile/{level}/{number}" + ("" if self.width == TILE_WIDTH else f".p/{self.width}")


def parse_path(path: str) -> TileName | None:
    """The tile a path below the prefix names, or None; only the one canonical spelling is a name."""
    found = _TILE.fullmatch(path)
    if not found:
        return None
    level = None if found[1] == "entries" else int(found[1])
    index = int(found[2].replace("x", "").replace("/", ""))
    name = TileName(level, index, int(found[3]) if found[3] else TILE_WIDTH)
    if name.path != path or (level or 0) > 63 or index >= 1 << 56:
        return None
    return name


def bundle(commitments: Iterable[bytes]) -> bytes:
    """An entry bundle: each entry is a commitment, after its length."""
    return b"".join(_LENGTH.pack(len(one)) + one for one in commitments)


def unbundle(content: bytes) -> list[bytes]:
    """The entries of a bundle. Raises `ProofWrong` when it is cut short."""
    entries, at = [], 0
    while at < len(content):
        if at + _LENGTH.size > len(content):
            raise ProofWrong("an entry bundle is cut short")
        (length,) = _LENGTH.unpack_from(content, at)
        at += _LENGTH.size + length
        if at > len(content):
            raise ProofWrong("an entry bundle is cut short")
        entries.append(content[at - length : at])
    return entries

"""The public files in a folder: for any web server, for copies elsewhere, and to go on from after a restore.

Tiles and bundles are written before the checkpoint that needs them, each whole or not at all; so the folder verifies at every moment, and an export
that was cut off goes on from the folder's own checkpoint.
"""

import shutil
from collections.abc import Iterator
from pathlib import Path

from wanjia.kernel import settings
from wanjia.trace.adapters.files import write_atomically
from wanjia.trace.adapters.signer import handovers, public_keys
from wanjia.trace.api.log import COSIGNED, checkpoint, public_file
from wanjia.trace.rules.note import Checkpoint, parse_checkpoint, parse_note
from wanjia.trace.rules.tiles import CHECKPOINT, HANDOVERS, KEYS, TileName
from wanjia.trace.rules.tree import TILE_BITS, TILE_WIDTH, ProofWrong, width_of


def public_folder(home: Path | None = None) -> Path:
    """Where this installation keeps its public files."""
    return (home or settings.home()) / "trace" / "public"


def export(folder: Path, *, whole: bool = False) -> Checkpoint | None:
    """Bring the public files in `folder` up to the newest checkpoint; with `whole`, write all of them anew. None: nothing is published yet.

    Raises OSError when the folder cannot be written; what stands there verifies all the same.
    """
    note = checkpoint()
    if note is None:
        return None
    head = parse_checkpoint(note)
    before = None if whole else _exported(folder, head.origin)
    for name in fresh_names(before.size if before else 0, head.size):
        found = public_file(name.path)
        if found is None:
            raise ProofWrong(f"{name.path} is not in the database")
        write_atomically(folder / name.path, found.content)
        if name.width == TILE_WIDTH:
            # the spec lets partial tiles go as soon as the full one is there
            shutil.rmtree(folder / f"{name.path}.p", ignore_errors=True)
    # before the checkpoint that the new keys sign
    _put(folder / HANDOVERS, handovers(settings.home()).encode())
    _put(folder / KEYS, "".join(f"{key}\n" for key in public_keys(settings.home())).encode())
    write_atomically(folder / CHECKPOINT, note.whole.encode())
    cosigned = checkpoint(cosigned=True)
    if cosigned is not None and parse_checkpoint(cosigned).size <= head.size:
        write_atomically(folder / COSIGNED, cosigned.whole.encode())
    return head


def _put(path: Path, content: bytes) -> None:
    """Write what seldom changes, if it has changed."""
    if not path.exists() or path.read_bytes() != content:
        write_atomically(path, content)


def _exported(folder: Path, origin: str) -> Checkpoint | None:
    try:
        head = parse_checkpoint(parse_note((folder / CHECKPOINT).read_text()))
    except (OSError, UnicodeDecodeError, ProofWrong):
        return None
    return head if head.origin == origin else None


def fresh_names(old: int, new: int) -> Iterator[TileName]:
    """Tiles and bundles that a tree of `new` leaves has and one of `old` had not (or not so wide)."""
    level = 0
    while new >> (TILE_BITS * level):
        was, now = old >> (TILE_BITS * level), new >> (TILE_BITS * level)
        if now > was:
            for index in range(was // TILE_WIDTH, (now - 1) // TILE_WIDTH + 1):
                width = width_of(level, index, new)
                yield TileName(level, index, width)
                if level == 0:
                    yield TileName(None, index, width)
        level += 1

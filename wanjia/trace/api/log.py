"""The public log: its files, proofs and receipts. Nothing here tells what an entry says, but `receipt` and `opening`, which are for who may know."""

import json
from dataclasses import dataclass
from typing import Any

from django.db import connection

from wanjia.kernel import settings
from wanjia.kernel.keyring import Keyring
from wanjia.trace.adapters.signer import handovers, public_keys
from wanjia.trace.errors import EntryErased, NotInLog
from wanjia.trace.rules.entry import canonical
from wanjia.trace.rules.note import Checkpoint, Note, joined, parse_checkpoint, parse_note, parse_signatures
from wanjia.trace.rules.receipt import Receipt
from wanjia.trace.rules.tiles import CHECKPOINT, HANDOVERS, KEYS, TileName, bundle, parse_path
from wanjia.trace.rules.tree import HASH_BYTES, TILE_WIDTH, Tree, width_of

NONCE_PURPOSE = "trace-nonce"
#: the cosigned checkpoint's name beside C2SP's: the newest that a witness signed too
COSIGNED = "checkpoint.cosigned"


@dataclass(frozen=True)
class PublicFile:
    """One public file: its bytes, and whether it will never change."""

    content: bytes
    is_final: bool


def checkpoint(*, cosigned: bool = False) -> Note | None:
    """The newest published checkpoint, or the newest that a witness signed too; None when there is none."""
    with connection.cursor() as cursor:
        where = "WHERE cosigned <> ''" if cosigned else ""
        cursor.execute(f"SELECT note, cosigned FROM trace_checkpoint {where} ORDER BY size DESC LIMIT 1")
        row = cursor.fetchone()
    return _note(*row) if row else None


def _note(signed: str, cosigned: str) -> Note:
    note = parse_note(signed)
    return joined(note, parse_signatures(cosigned)) if cosigned else note


def head() -> Checkpoint | None:
    """Origin, size and root of the newest checkpoint; None before the first."""
    note = checkpoint()
    return parse_checkpoint(note) if note else None


def public_file(name: str) -> PublicFile | None:
    """A public file by its path below the log's prefix: checkpoint, checkpoint.cosigned, keys, handovers, tile/…; None when there is no such file."""
    if name in (CHECKPOINT, COSIGNED):
        note = checkpoint(cosigned=name == COSIGNED)
        return PublicFile(note.whole.encode(), is_final=False) if note else None
    if name == KEYS:
        return PublicFile("".join(f"{key}\n" for key in public_keys(settings.home())).encode(), is_final=False)
    if name == HANDOVERS:
        return PublicFile(handovers(settings.home()).encode(), is_final=False)
    wanted, now = parse_path(name), head()
    if wanted is None or now is None or wanted.width > width_of(wanted.level or 0, wanted.index, now.size):
        return None
    content = _bundle(wanted) if wanted.level is None else read_tile(wanted.level, wanted.index, wanted.width)
    return PublicFile(content, is_final=True)


def read_tile(level: int, index: int, width: int) -> bytes:
    """The first `width` hashes of a tile; fewer bytes when it has not so many."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT substr(hashes, 1, %s) FROM trace_tile WHERE level = %s AND index = %s",
            [width * HASH_BYTES, level, index],
        )
        row = cursor.fetchone()
    return bytes(row[0]) if row else b""


def _bundle(name: TileName) -> bytes:
    first = name.index * TILE_WIDTH
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT commitment FROM trace_place WHERE seq >= %s AND seq < %s ORDER BY seq", [first, first + name.width]
        )
        return bundle(bytes(row[0]) for row in cursor.fetchall())


def inclusion_proof(seq: int, size: int | None = None) -> list[bytes]:
    """The proof that the leaf `seq` is in the tree of `size` leaves (default: the newest checkpoint's). Raises `NotInLog`."""
    now = head()
    wanted = size if size is not None else now.size if now else 0
    if now is None or not 0 <= seq < wanted <= now.size:
        raise NotInLog()
    return Tree(wanted, read_tile).inclusion(seq)


def consistency_proof(old: int, new: int | None = None) -> list[bytes]:
    """The proof that the tree of `new` leaves (default: the newest checkpoint's) begins with the tree of `old`. Raises `NotInLog`."""
    now = head()
    wanted = new if new is not None else now.size if now else 0
    if now is None or not 0 <= old <= wanted <= now.size:
        raise NotInLog()
    return Tree(wanted, read_tile).consistency(old)


def opening(entry_id: int) -> tuple[int, bytes, bytes]:
    """(place, nonce, canonical entry) of an entry: what shows its content to be what the log holds. For who may read the entry.

    Raises `NotInLog`, `EntryErased`.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT p.seq, n.sealed, e.id, e.at, e.kind, e.actor, e.department, e.purpose, e.basis, e.subject, e.reach, e.detail::text"
            " FROM trace_place p LEFT JOIN trace_nonce n USING (seq) LEFT JOIN trace_entry e ON e.id = p.entry_id WHERE p.entry_id = %s",
            [entry_id],
        )
        row = cursor.fetchone()
        names = [column.name for column in cursor.description]
    if row is None:
        raise NotInLog()
    seq, sealed = row[:2]
    if sealed is None or row[2] is None:
        raise EntryErased()
    nonce = Keyring.open(settings.home()).unseal(NONCE_PURPOSE, bytes(sealed), nonce_aad(seq))
    return seq, nonce, canonical(entry_of(dict(zip(names[2:-1], row[2:-1], strict=True)), row[-1]))


def entry_of(columns: dict[str, Any], detail: str) -> dict[str, Any]:
    """An entry for `canonical`, from its columns and the JSON text of its detail."""
    return {**columns, "detail": json.loads(detail)}


def nonce_aad(seq: int) -> bytes:
    """What binds a sealed nonce to its place."""
    return b"trace_nonce|sealed|%d" % seq


def receipt(entry_id: int) -> str:
    """A receipt (tlog-proof) of one entry against the newest cosigned checkpoint that has it, else against the newest of all.

    It holds the entry itself: for the person it is about (ask `is_about`) and for auditors. Raises `NotInLog`, `EntryErased`.
    """
    seq, nonce, entry = opening(entry_id)
    for cosigned in (True, False):
        note = checkpoint(cosigned=cosigned)
        if note is not None and (now := parse_checkpoint(note)).size > seq:
            proof = Tree(now.size, read_tile).inclusion(seq)
            return Receipt(nonce, entry, seq, tuple(proof), note).whole
    raise NotInLog()


def gaps() -> list[dict[str, Any]]:
    """The places whose entries were lost with a restored backup: {first_seq, end_seq, told_at}; that they existed is proven."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT first_seq, end_seq, told_at FROM trace_gap ORDER BY first_seq")
        return [dict(zip(("first_seq", "end_seq", "told_at"), row, strict=True)) for row in cursor.fetchall()]

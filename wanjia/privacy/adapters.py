"""PostgreSQL's binary COPY form of vault rows: written by hand because a million rows pass through it.

Layout: https://www.postgresql.org/docs/current/sql-copy.html (per row a field count and length-prefixed fields).
"""

from datetime import UTC, datetime
from itertools import pairwise

import numpy as np
import pyarrow as pa

_POSTGRES_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
_VAULT_ROW = np.dtype(
    [("fields", ">i2"), ("person_bytes", ">i4"), ("person", ">i8"), ("version_bytes", ">i4"), ("version", ">i4"), ("known_bytes", ">i4"),
     ("known", ">i8"), ("likeness_bytes", ">i4"), ("likeness", "V16"), ("key_bytes", ">i4"), ("key", ">i4"), ("blob_bytes", ">i4")]
)  # fmt: skip
_BLIND_ROW = np.dtype(
    [("fields", ">i2"), ("person_bytes", ">i4"), ("person", ">i8"), ("kind_bytes", ">i4"), ("kind", ">i2"), ("blind_bytes", ">i4"),
     ("blind", "V16"), ("key_bytes", ">i4"), ("key", ">i4")]
)  # fmt: skip

BLIND_ROW_BYTES = _BLIND_ROW.itemsize


def moment(at: datetime) -> int:
    """The moment as PostgreSQL counts it: microseconds since 2000-01-01."""
    since = at - _POSTGRES_EPOCH
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds


def vault_rows(
    persons: np.ndarray, versions: np.ndarray, known_from: int, likenesses: bytes, likeness_key: int, blobs: list[bytes]
) -> bytes:
    """Rows (person_id, version, known_from as `moment`, likeness, key, blob) in binary COPY form, without header and trailer.

    `likenesses` are 16 bytes each, side by side.
    """
    rows = np.zeros(len(persons), _VAULT_ROW)
    rows["fields"], rows["person_bytes"], rows["version_bytes"], rows["known_bytes"] = 6, 8, 4, 8
    rows["likeness_bytes"], rows["key_bytes"], rows["key"] = 16, 4, likeness_key
    rows["person"], rows["version"], rows["known"] = persons, versions, known_from
    rows["likeness"] = np.frombuffer(likenesses, "V16")
    rows["blob_bytes"] = [len(blob) for blob in blobs]
    heads, width = rows.tobytes(), _VAULT_ROW.itemsize
    starts = range(0, len(heads), width)
    return b"".join(
        [piece for start, blob in zip(starts, blobs, strict=True) for piece in (heads[start : start + width], blob)]
    )


def blind_rows(persons: np.ndarray, kind: int, blinds: np.ndarray, key: int) -> bytes:
    """Rows (person_id, `kind`, blind, `key`) in binary COPY form, without header and trailer; `blinds` are 16-byte voids."""
    rows = np.zeros(len(persons), _BLIND_ROW)
    rows["fields"], rows["person_bytes"], rows["kind_bytes"], rows["blind_bytes"], rows["key_bytes"] = 4, 8, 2, 16, 4
    rows["person"], rows["kind"], rows["blind"], rows["key"] = persons, kind, blinds, key
    return rows.tobytes()


#: the rows of some persons (%s) as `blind_rows` writes them, side by side in one value
BLIND_ROWS_HELD = r"""SELECT string_agg('\x000400000008'::bytea || int8send(person_id) || '\x00000002'::bytea || int2send(kind)
    || '\x00000010'::bytea || blind || '\x00000004'::bytea || int4send(blind_key), ''::bytea)
    FROM privacy_blindindex WHERE person_id = ANY(%s)"""


def one_by_one(rows: bytes) -> set[bytes]:
    """What `blind_rows` wrote, row by row."""
    return {rows[start : start + BLIND_ROW_BYTES] for start in range(0, len(rows), BLIND_ROW_BYTES)}


def blind_keys(rows: list[bytes]) -> tuple[list[int], list[int], list[bytes]]:
    """Person, kind and blind of rows in the form of `blind_rows`: what such a row is known by."""
    read = np.frombuffer(b"".join(rows), _BLIND_ROW)
    return read["person"].tolist(), read["kind"].tolist(), [blind.tobytes() for blind in read["blind"]]


def texts(column: pa.Array | pa.ChunkedArray) -> list[bytes]:
    """The column's texts as UTF-8, cut out of its own memory: a Python text for each of a million would be made only to be encoded again."""
    array = column.cast(pa.large_string())
    array = array.combine_chunks() if isinstance(array, pa.ChunkedArray) else array
    if not len(array):
        return []
    _, offsets, content = array.buffers()
    bounds = np.frombuffer(offsets, np.int64, len(array) + 1, array.offset * 8).tolist()
    whole = content.slice(bounds[0], bounds[-1] - bounds[0]).to_pybytes() if content is not None else b""
    first = bounds[0]
    return [whole[begin - first : end - first] for begin, end in pairwise(bounds)]

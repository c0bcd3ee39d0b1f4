"""PostgreSQL's binary COPY form of vault rows: written by hand because a million rows pass through it.

Layout: https://www.postgresql.org/docs/current/sql-copy.html (file header, then per row a field count and length-prefixed fields).
"""

import struct
from collections.abc import Iterable
from datetime import UTC, datetime

import numpy as np

HEADER = b"PGCOPY\n\xff\r\n\0" + struct.pack(">ii", 0, 0)
TRAILER = struct.pack(">h", -1)
_POSTGRES_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
# person_id bigint, version int, known_from timestamptz, likeness bytea(16), likeness_key int, then the blob's length
_VAULT_ROW = struct.Struct(">hiqiiiqi16siii")
_BLIND_ROW = np.dtype(
    [("fields", ">i2"), ("person_bytes", ">i4"), ("person", ">i8"), ("kind_bytes", ">i4"), ("kind", ">i2"), ("blind_bytes", ">i4"),
     ("blind", "V16"), ("key_bytes", ">i4"), ("key", ">i4")]
)  # fmt: skip


def moment(at: datetime) -> int:
    """The moment as PostgreSQL counts it: microseconds since 2000-01-01."""
    since = at - _POSTGRES_EPOCH
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds


def vault_rows(rows: Iterable[tuple[int, int, int, bytes, bytes]], likeness_key: int) -> bytes:
    """Rows (person_id, version, known_from as `moment`, likeness, blob), all of one likeness key, in binary COPY form, without header and trailer."""
    pack = _VAULT_ROW.pack
    return b"".join(
        [
            pack(6, 8, person, 4, version, 8, known_from, 16, likeness, 4, likeness_key, len(blob)) + blob
            for person, version, known_from, likeness, blob in rows
        ]
    )


def blind_rows(persons: np.ndarray, kind: int, blinds: np.ndarray, key: int) -> bytes:
    """Rows (person_id, `kind`, blind, `key`) in binary COPY form, without header and trailer; `blinds` are 16-byte voids."""
    rows = np.zeros(len(persons), _BLIND_ROW)
    rows["fields"], rows["person_bytes"], rows["kind_bytes"], rows["blind_bytes"], rows["key_bytes"] = 4, 8, 2, 16, 4
    rows["person"], rows["kind"], rows["blind"], rows["key"] = persons, kind, blinds, key
    return rows.tobytes()

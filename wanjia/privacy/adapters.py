"""PostgreSQL's binary COPY form of vault rows: written by hand because a million rows pass through it.

Layout: https://www.postgresql.org/docs/current/sql-copy.html (file header, then per row a field count and length-prefixed fields).
"""

import struct
from collections.abc import Iterable
from datetime import UTC, datetime

HEADER = b"PGCOPY\n\xff\r\n\0" + struct.pack(">ii", 0, 0)
TRAILER = struct.pack(">h", -1)
_POSTGRES_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
# person_id bigint, version int, known_from timestamptz, likeness bytea(16), then the blob's length
_VAULT_ROW = struct.Struct(">hiqiiiqi16si")
_BLIND_ROW = struct.Struct(">hiqihi16s")


def moment(at: datetime) -> int:
    """The moment as PostgreSQL counts it: microseconds since 2000-01-01."""
    since = at - _POSTGRES_EPOCH
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds


def vault_rows(rows: Iterable[tuple[int, int, int, bytes, bytes]]) -> bytes:
    """Rows (person_id, version, known_from as `moment`, likeness, blob) in binary COPY form, without header and trailer."""
    pack = _VAULT_ROW.pack
    return b"".join(
        [
            pack(5, 8, person, 4, version, 8, known_from, 16, likeness, len(blob)) + blob
            for person, version, known_from, likeness, blob in rows
        ]
    )


def blind_rows(rows: Iterable[tuple[int, int, bytes]]) -> bytes:
    """Rows (person_id, kind, blind) in binary COPY form, without header and trailer."""
    pack = _BLIND_ROW.pack
    return b"".join([pack(3, 8, person, 2, kind, 16, blind) for person, kind, blind in rows])

"""The door of the vault."""

import json
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from django.db import connection, transaction

from wanjia.kernel import settings
from wanjia.kernel.database import without_indexes
from wanjia.kernel.keyring import BLIND, Keyring
from wanjia.kernel.sealed_stores import BlindColumn, Note, SealedColumn, marks_of
from wanjia.privacy.adapters import HEADER, TRAILER, blind_rows, moment, vault_rows
from wanjia.privacy.errors import PersonNotInVault
from wanjia.privacy.models import BlindKind
from wanjia.privacy.rules import FIELD as DOSSIER_FIELD
from wanjia.privacy.rules import (
    FORM,
    SMALLEST_COUNT,
    Choice,
    Dossier,
    ProtectedCount,
    Statement,
    content_of,
    mask_address,
    mask_name,
    mask_number,
    pack,
    protect_counts,
    read_dossier,
)
from wanjia.privacy.rules import PART as DOSSIER_PART
from wanjia.privacy.rules import RECORD as DOSSIER_RECORD
from wanjia.trace import api as trace

__all__ = [
    "DOSSIER_FIELD",
    "DOSSIER_PART",
    "DOSSIER_RECORD",
    "KEYED",
    "SMALLEST_COUNT",
    "BlindKind",
    "Choice",
    "Dossier",
    "ProtectedCount",
    "Statement",
    "VaultChange",
    "blind_again",
    "blind_purpose",
    "contents",
    "find_by_blind",
    "keep_dossiers",
    "keep_searchable",
    "mask_address",
    "mask_name",
    "mask_number",
    "open_person",
    "protect_counts",
    "searched_under",
]

PURPOSE = "vault"
LIKENESS = "vault-likeness"
ROWS_AT_A_TIME = 20_000
VAULT_COLUMNS = "person_id, version, known_from, likeness, likeness_key, blob"
BLIND_COLUMNS = "person_id, kind, blind, blind_key"


def open_person(
    person_id: int,
    *,
    by: str,
    why: str,
    department: str = "",
    basis: str = "",
    fields: Sequence[str] = (),
    sealed: trace.Sealed | None = None,
) -> Dossier:
    """One person's dossier. The read is in the trace before this returns: reading and writing it are one statement.

    `department`, `basis`, `fields` (codes of the elements that will be shown) and `sealed` are what the entry says besides; see `trace.record`.
    The transaction is the function's own (`durable`): inside a larger one a rollback would erase the trace of a read that happened.
    Raises `PersonNotInVault` (the attempt is traced too), `PurposeMissing`, `KeyUnavailable`, `LogNotShown`, `SealIncomplete`.
    """
    detail = trace.said_of("privacy.open_person", by=by, why=why, fields=fields, sealed=sealed)
    said = {"department": department, "basis": basis, "detail": detail}
    if sealed:
        said["seal"] = detail["sealed"]
    with trace.explained(), transaction.atomic(durable=True), connection.cursor() as cursor:
        cursor.execute(
            "SELECT version, blob FROM privacy_open_person(%s, %s, %s, %s::jsonb)",
            [person_id, by, why, json.dumps(said)],
        )
        row = cursor.fetchone()
    if row is None:
        raise PersonNotInVault()
    version, blob = row
    plain = Keyring.open(settings.home()).unseal(PURPOSE, bytes(blob), vault_aad(person_id, version))
    return read_dossier(plain, person_id, version)


def vault_aad(person_id: int, version: int) -> bytes:
    """What binds a blob to its place: table, column, row, version."""
    return f"privacy_vaultentry|blob|{person_id}|{version}".encode()


class VaultChange:
    """How many dossiers a load added, replaced, closed and left as they were."""

    def __init__(self) -> None:
        self.added = self.replaced = self.closed = self.unchanged = 0
        self._touched: list[list[int]] = []

    def touch(self, persons: list[int]) -> None:
        """Note whose dossiers were added, replaced or closed."""
        self._touched.append(persons)

    def touched(self) -> np.ndarray:
        """The persons whose dossiers were added, replaced or closed."""
        return (
            np.concatenate([np.array(some, np.int64) for some in self._touched]) if self._touched else np.zeros(0, int)
        )

    def counts(self) -> dict[str, int]:
        """The counts as a plain mapping."""
        return {name: count for name, count in vars(self).items() if not name.startswith("_")}


def keep_dossiers(
    batches: Iterable[pa.Table | pa.RecordBatch], *, at: datetime, only: Sequence[int] | None = None
) -> VaultChange:
    """Seal the dossiers in `batches` (person_id int64, content string, locators string) into the vault, as known from `at`.

    Unchanged dossiers are not touched; a changed one gets its next version. Persons without a dossier now (of `only`, or of the whole vault) have
    theirs closed. Must run in the caller's transaction.
    """
    keyring = Keyring.open(settings.home())
    with connection.cursor() as cursor:
        before = _current_versions(cursor, only)
        change = VaultChange()
        pieces = _sealed(batches, before, keyring, moment(at), change)
        if before.is_vault_empty:
            with without_indexes(cursor, "privacy_vaultentry"):
                _copy(cursor, "privacy_vaultentry", VAULT_COLUMNS, pieces)
            return change
        cursor.execute("CREATE TEMP TABLE vault_incoming (LIKE privacy_vaultentry) ON COMMIT DROP")
        _copy(cursor, "vault_incoming", VAULT_COLUMNS, pieces)
        gone = _close_gone(cursor, before, at)
        change.closed = len(gone)
        change.touch(gone)
        cursor.execute(
            "UPDATE privacy_vaultentry v SET known_to = %s FROM vault_incoming i"
            " WHERE v.person_id = i.person_id AND v.known_to IS NULL",
            [at],
        )
        cursor.execute("INSERT INTO privacy_vaultentry SELECT * FROM vault_incoming")
        cursor.execute("DROP TABLE vault_incoming")
    return change


def keep_searchable(values: pa.Table, *, only: Sequence[int] | None = None) -> int:
    """Replace the blind indexes (of the persons `only`, or all) by those of `values` (person_id, kind, value). Returns how many."""
    keyring = Keyring.open(settings.home())
    count = 0

    def pieces() -> Iterator[bytes]:
        nonlocal count
        for persons, kind, blinds, key in _blinded(values, keyring):
            count += len(persons)
            yield blind_rows(persons, kind, blinds, key)

    with connection.cursor() as cursor:
        if only is not None:
            cursor.execute("DELETE FROM privacy_blindindex WHERE person_id = ANY(%s)", [list(only)])
            _copy(cursor, "privacy_blindindex", BLIND_COLUMNS, pieces())
            return count
        cursor.execute("TRUNCATE privacy_blindindex")
        with without_indexes(cursor, "privacy_blindindex"):
            _copy(cursor, "privacy_blindindex", BLIND_COLUMNS, pieces())
    return count


def find_by_blind(kind: BlindKind, values: Iterable[str]) -> dict[str, list[int]]:
    """For each value, the persons who have it. Ids only: nothing is opened, so nothing is traced here."""
    # under every key that exists: while a rotation is under way some persons stand under the old one
    keys = Keyring.open(settings.home()).blinders(blind_purpose(kind))
    wanted = {key.blind(value): value for value in values for key in keys}
    found: dict[str, list[int]] = {}
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT blind, person_id FROM privacy_blindindex WHERE kind = %s AND blind = ANY(%s) ORDER BY person_id",
            [int(kind), list(wanted)],
        )
        for blind, person_id in cursor.fetchall():
            persons = found.setdefault(wanted[bytes(blind)], [])
            if person_id not in persons[-1:]:
                persons.append(person_id)
    return found


def contents() -> Iterator[tuple[int, bytes]]:
    """(person id, content) of every current dossier, opened in this process for the register's digest.

    Only the table's owner can do this: the role of the web process cannot read the vault at all. Callers trace the whole as one act and
    let nothing but a hash of it out.
    """
    sealer = Keyring.open(settings.home()).sealer(PURPOSE)
    with (
        connection.cursor() as cursor,
        cursor.cursor.copy(
            "COPY (SELECT person_id, version, blob FROM privacy_vaultentry WHERE known_to IS NULL) TO STDOUT (FORMAT BINARY)"
        ) as copy,
    ):
        copy.set_types(["int8", "int4", "bytea"])
        for person_id, version, blob in copy.rows():
            yield person_id, content_of(sealer.unseal(blob, vault_aad(person_id, version)))


def searched_under(purpose: str, key_id: int) -> int:
    """How many rows of the search index were hashed under this key of `purpose` ("blind:name", …)."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM privacy_blindindex WHERE kind = ANY(%s) AND blind_key = ANY(%s)",
            [_kinds_of(purpose), marks_of(Keyring.open(settings.home()), purpose, key_id)],
        )
        return cursor.fetchone()[0]


def blind_again(values: pa.Table, *, note: Note) -> int:
    """Hash the search index again under the current keys: `values` (person_id, kind, value) is what holds now. Returns how many rows it made.

    Only what stands under an older key is replaced, person by person and kind by kind: somebody whose rows a load has written anew meanwhile keeps
    those. Rows of persons who are not in the vault any more go. Small transactions; safe to repeat.
    """
    keyring, made = Keyring.open(settings.home()), 0
    for persons, kind, blinds, key in _blinded(values, keyring):
        marks = marks_of(keyring, BLIND + blind_purpose(BlindKind(kind)), key)
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("CREATE TEMP TABLE blind_incoming (LIKE privacy_blindindex) ON COMMIT DROP")
            _copy(cursor, "blind_incoming", BLIND_COLUMNS, [blind_rows(persons, kind, blinds, key)])
            cursor.execute(
                f"""WITH old AS (
                    DELETE FROM privacy_blindindex b WHERE b.kind = %(kind)s AND b.blind_key <> ALL(%(marks)s)
                    AND b.person_id IN (SELECT person_id FROM blind_incoming) RETURNING b.person_id)
                INSERT INTO privacy_blindindex ({BLIND_COLUMNS})
                SELECT {BLIND_COLUMNS} FROM blind_incoming WHERE person_id IN (SELECT person_id FROM old) ON CONFLICT DO NOTHING""",
                {"kind": kind, "marks": marks},
            )
            made += cursor.rowcount
            note(cursor.rowcount)
            cursor.execute("DROP TABLE blind_incoming")
    for purpose in {BLIND + blind_purpose(kind) for kind in BlindKind}:
        current = keyring.blinder(purpose.removeprefix(BLIND)).key_id
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(
                "DELETE FROM privacy_blindindex b WHERE kind = ANY(%s) AND blind_key <> ALL(%s) AND NOT EXISTS"
                " (SELECT FROM privacy_vaultentry v WHERE v.person_id = b.person_id AND v.known_to IS NULL)",
                [_kinds_of(purpose), marks_of(keyring, purpose, current)],
            )
    return made


def _kinds_of(purpose: str) -> list[int]:
    return [int(kind) for kind in BlindKind if BLIND + blind_purpose(kind) == purpose]


def _likeness_text(person_id: int, version: int, blob: bytes) -> str:
    """What a likeness is the hash of: content and locators, as they lie in the blob."""
    plain = Keyring.open(settings.home()).unseal(PURPOSE, bytes(blob), vault_aad(person_id, version))
    return plain[len(FORM) :].decode()


_VAULT_KEYS = (("person_id", "bigint"), ("version", "integer"))
#: what must be made again when a key rotates (kernel/sealed_stores.py); the search index is `blind_again`'s
KEYED = (
    SealedColumn(PURPOSE, "privacy_vaultentry", _VAULT_KEYS, "blob", vault_aad),
    BlindColumn(LIKENESS, "privacy_vaultentry", _VAULT_KEYS, ("blob",), "likeness", "likeness_key", _likeness_text),
)


def _copy(cursor: Any, table: str, columns: str, pieces: Iterable[bytes]) -> None:
    with cursor.cursor.copy(f"COPY {table} ({columns}) FROM STDIN (FORMAT BINARY)") as copy:
        copy.write(HEADER)
        for piece in pieces:
            copy.write(piece)
        copy.write(TRAILER)


class _Versions:
    """The newest version and likeness of many persons, in sorted arrays (a dict of a million would take four times the memory).

    A person who left has no likeness, so that coming back makes the next version.
    """

    def __init__(self, rows: list[tuple[int, int, bytes | None]], is_vault_empty: bool) -> None:
        self.persons = np.array([row[0] for row in rows], np.int64)
        self.versions = np.array([row[1] for row in rows], np.int32)
        self.likenesses = [row[2] and bytes(row[2]) for row in rows]
        self.is_current = np.array([row[2] is not None for row in rows], bool)
        self.seen = np.zeros(len(rows), bool)
        self.is_vault_empty = is_vault_empty


def _current_versions(cursor, only: Sequence[int] | None) -> _Versions:
    cursor.execute("SELECT NOT EXISTS (SELECT FROM privacy_vaultentry)")
    is_empty = cursor.fetchone()[0]
    rows: list = []
    if not is_empty:
        cursor.execute(
            "SELECT DISTINCT ON (person_id) person_id, version, CASE WHEN known_to IS NULL THEN likeness END FROM privacy_vaultentry"
            " WHERE %(all)s OR person_id = ANY(%(only)s) ORDER BY person_id, version DESC",
            {"all": only is None, "only": list(only or [])},
        )
        rows = cursor.fetchall()
    return _Versions(rows, is_empty)


def _sealed(
    batches: Iterable[pa.Table | pa.RecordBatch],
    before: _Versions,
    keyring: Keyring,
    known_from: int,
    change: VaultChange,
) -> Iterator[bytes]:
    """Binary COPY pieces of the dossiers that are not in the vault as they are."""
    sealer = keyring.sealer(PURPOSE)
    likeness_of, *older = keyring.blinders(LIKENESS)
    for batch in batches:
        for start in range(0, batch.num_rows, ROWS_AT_A_TIME):
            piece = batch.slice(start, ROWS_AT_A_TIME)
            persons = np.asarray(piece["person_id"])
            places = np.searchsorted(before.persons, persons)
            rows = []
            for person, place, content, locators in zip(
                persons.tolist(),
                places.tolist(),
                piece["content"].to_pylist(),
                piece["locators"].to_pylist(),
                strict=True,
            ):
                said = content + DOSSIER_PART + locators
                likeness = likeness_of.blind(said)
                version = 1
                if place < len(before.seen) and before.persons[place] == person:
                    before.seen[place] = True
                    if before.likenesses[place] == likeness or (
                        older and before.likenesses[place] in [key.blind(said) for key in older]
                    ):
                        change.unchanged += 1
                        continue
                    version = int(before.versions[place]) + 1
                    change.replaced += 1
                else:
                    change.added += 1
                rows.append(
                    (
                        person,
                        version,
                        known_from,
                        likeness,
                        sealer.seal(pack(content, locators), vault_aad(person, version)),
                    )
                )
            change.touch([row[0] for row in rows])
            yield vault_rows(rows, likeness_of.key_id)


def _close_gone(cursor, before: _Versions, at: datetime) -> list[int]:
    gone = before.persons[~before.seen & before.is_current].tolist()
    if gone:
        cursor.execute(
            "UPDATE privacy_vaultentry SET known_to = %s WHERE known_to IS NULL AND person_id = ANY(%s)", [at, gone]
        )
    return gone


def blind_purpose(kind: BlindKind) -> str:
    """The purpose whose key hashes values of this kind."""
    # numbers named as a relative's are compared with numbers of persons, so both share one key
    return "number" if kind >= BlindKind.NUMBER else kind.label


def _blinded(values: pa.Table, keyring: Keyring) -> Iterator[tuple[np.ndarray, int, np.ndarray, int]]:
    """(person ids, kind, blinds, key) in pieces; each distinct value is hashed once."""
    for kind in BlindKind:
        of_kind = values.filter(pc.equal(values["kind"], kind.label))
        if not of_kind.num_rows:
            continue
        encoded = of_kind["value"].combine_chunks().dictionary_encode()
        key = keyring.blinder(blind_purpose(kind))
        hashes = np.array([key.blind(value) for value in encoded.dictionary.to_pylist()], "V16")
        codes, persons = np.asarray(encoded.indices), np.asarray(of_kind["person_id"])
        for start in range(0, len(persons), ROWS_AT_A_TIME):
            end = start + ROWS_AT_A_TIME
            yield persons[start:end], int(kind), hashes[codes[start:end]], key.key_id

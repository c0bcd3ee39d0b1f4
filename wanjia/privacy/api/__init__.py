"""The door of the vault."""

import json
from collections.abc import Iterable, Iterator, Sequence

import pyarrow as pa
from django.db import connection, transaction

from wanjia.kernel import settings
from wanjia.kernel.database import copy_binary
from wanjia.kernel.keyring import BLIND, Keyring
from wanjia.kernel.sealed_stores import BlindColumn, Note, SealedColumn, marks_of
from wanjia.privacy.adapters import blind_rows
from wanjia.privacy.api.keeping import (
    BLIND_COLUMNS,
    LIKENESS,
    PURPOSE,
    Keeping,
    VaultChange,
    blind_purpose,
    blinded,
    keep_dossiers,
    keep_searchable,
    keeping,
    vault_aad,
)
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
    "Keeping",
    "ProtectedCount",
    "Statement",
    "VaultChange",
    "blind_again",
    "blind_purpose",
    "contents",
    "find_by_blind",
    "keep_dossiers",
    "keep_searchable",
    "keeping",
    "mask_address",
    "mask_name",
    "mask_number",
    "open_person",
    "protect_counts",
    "searched_under",
]


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
    columns = ", ".join(BLIND_COLUMNS)
    for persons, kind, blinds, key in blinded(values, keyring):
        marks = marks_of(keyring, BLIND + blind_purpose(BlindKind(kind)), key)
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("CREATE TEMP TABLE blind_incoming (LIKE privacy_blindindex) ON COMMIT DROP")
            copy_binary(cursor, "blind_incoming", BLIND_COLUMNS, [blind_rows(persons, kind, blinds, key)])
            cursor.execute(
                f"""WITH old AS (
                    DELETE FROM privacy_blindindex b WHERE b.kind = %(kind)s AND b.blind_key <> ALL(%(marks)s)
                    AND b.person_id IN (SELECT person_id FROM blind_incoming) RETURNING b.person_id)
                INSERT INTO privacy_blindindex ({columns})
                SELECT {columns} FROM blind_incoming WHERE person_id IN (SELECT person_id FROM old) ON CONFLICT DO NOTHING""",
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

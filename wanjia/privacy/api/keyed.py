"""What the vault holds under keys, and how it is made again when one rotates (kernel/sealed_stores.py)."""

import pyarrow as pa
from django.db import connection, transaction

from wanjia.kernel import settings
from wanjia.kernel.database import copy_binary
from wanjia.kernel.keyring import BLIND, Keyring
from wanjia.kernel.sealed_stores import BlindColumn, Note, SealedColumn, marks_of
from wanjia.privacy.adapters import blind_rows
from wanjia.privacy.api.amending import AMENDMENTS, AmendmentIndex, amendment_aad
from wanjia.privacy.api.blinding import blind_purpose, blinded
from wanjia.privacy.api.keeping import (
    BLIND_COLUMNS,
    LIKENESS,
    PURPOSE,
    vault_aad,
)
from wanjia.privacy.models import BlindKind
from wanjia.privacy.rules import FORM


class SearchIndex:
    """The rows of the search index that share a key. What was hashed is not kept, so they are made anew from what holds: `blind_again`."""

    def __init__(self, of: str) -> None:
        self.name, self.purpose = f"privacy_blindindex ({of})", BLIND + of

    def under(self, keyring: Keyring, key_id: int) -> int:
        """How many rows were hashed under this key."""
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM privacy_blindindex WHERE kind = ANY(%s) AND blind_key = ANY(%s)",
                [_kinds_of(self.purpose), marks_of(keyring, self.purpose, key_id)],
            )
            return cursor.fetchone()[0]

    def remake(self, keyring: Keyring, note: Note) -> int:
        """Nothing: the vault alone does not know the values in the form they are searched by."""
        return 0


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
                SELECT {columns} FROM blind_incoming i WHERE person_id IN (SELECT person_id FROM old) AND NOT EXISTS
                (SELECT FROM privacy_blindindex b WHERE (b.person_id, b.kind, b.blind) = (i.person_id, i.kind, i.blind))""",
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
#: what must be made again when a key rotates (kernel/sealed_stores.py)
KEYED = (
    SealedColumn(PURPOSE, "privacy_vaultentry", _VAULT_KEYS, "blob", vault_aad),
    SealedColumn(AMENDMENTS, "privacy_amendment", (("id", "bigint"),), "blob", amendment_aad),
    BlindColumn(LIKENESS, "privacy_vaultentry", _VAULT_KEYS, ("blob",), "likeness", "likeness_key", _likeness_text),
    *(
        store(of)
        for of in sorted({blind_purpose(kind) for kind in BlindKind})
        for store in (SearchIndex, AmendmentIndex)
    ),
)

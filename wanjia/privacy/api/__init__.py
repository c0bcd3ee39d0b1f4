"""The door of the vault."""

import json
from collections.abc import Iterable, Iterator, Sequence

from django.db import connection, transaction

from wanjia.kernel import settings
from wanjia.kernel.database import bytes_array
from wanjia.kernel.keyring import Keyring
from wanjia.privacy.api.amending import (
    AMENDMENTS,
    Said,
    amend,
    amended_values,
    amendment_aad,
    amendment_contents,
    end_amendments,
)
from wanjia.privacy.api.blinding import PLACE_BYTES, blind_of, blind_purpose
from wanjia.privacy.api.erasing import erase_person
from wanjia.privacy.api.keeping import (
    PURPOSE,
    Keeping,
    VaultChange,
    keep_dossiers,
    keep_searchable,
    keeping,
    lacks_searchable,
    vault_aad,
)
from wanjia.privacy.api.keyed import KEYED, SearchIndex, blind_again
from wanjia.privacy.errors import PersonNotInVault
from wanjia.privacy.models import BlindKind
from wanjia.privacy.rules import (
    DESK,
    SMALLEST_COUNT,
    Choice,
    Dossier,
    ProtectedCount,
    Statement,
    content_of,
    dossier_made,
    mask_address,
    mask_name,
    mask_number,
    protect_counts,
    read_dossier,
    with_amendments,
)
from wanjia.privacy.rules import FIELD as DOSSIER_FIELD
from wanjia.privacy.rules import PART as DOSSIER_PART
from wanjia.privacy.rules import RECORD as DOSSIER_RECORD
from wanjia.trace import api as trace

#: more people than one home holds
MOST_AT_A_DOOR = 20
_DOORS = "(SELECT person_id, kind, blind FROM privacy_blindindex UNION ALL SELECT person_id, kind, blind FROM privacy_amendmentblind)"
_AT_THE_DOOR = f"""
WITH own AS (SELECT DISTINCT blind FROM {_DOORS} d WHERE d.person_id = %(person)s AND d.kind = %(door)s),
there AS (SELECT DISTINCT own.blind, d.person_id FROM own JOIN {_DOORS} d ON d.blind = own.blind AND d.kind = %(door)s)
SELECT DISTINCT person_id FROM there WHERE blind IN (SELECT blind FROM there GROUP BY blind HAVING count(*) <= %(most)s)
"""
_WITH_BLINDS = "SELECT kind, blind, person_id FROM {table} WHERE kind = {kind} AND blind = ANY(%({kind})s::bytea[])"
# a place's people have doors whose blinds begin with its own; who has two of them is one hit
_AT_PLACES = (
    f"SELECT DISTINCT {{kind}}, p.blind, d.person_id FROM unnest(%({{kind}})s::bytea[]) p(blind) JOIN {{table}} d"
    f" ON d.kind = {BlindKind.DOOR:d} AND d.blind >= p.blind AND d.blind <= p.blind || '\\x{'ff' * PLACE_BYTES}'::bytea"
)

__all__ = [
    "DESK",
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
    "Said",
    "SearchIndex",
    "Statement",
    "VaultChange",
    "amend",
    "amended_values",
    "at_the_same_door",
    "blind_again",
    "contents",
    "dossier_made",
    "end_amendments",
    "erase_person",
    "find_by_blind",
    "keep_dossiers",
    "keep_searchable",
    "keeping",
    "lacks_searchable",
    "look_up",
    "mask_address",
    "mask_name",
    "mask_number",
    "number_marks",
    "open_person",
    "protect_counts",
]


def at_the_same_door(person_id: int) -> set[int]:
    """Ids of the persons of whom an address with the same door is known. Ids only: nothing is opened, so nothing is traced here.

    Empty where more than `MOST_AT_A_DOOR` share it: an address without a door's number is not one home.
    """
    with connection.cursor() as cursor:
        cursor.execute(_AT_THE_DOOR, {"person": person_id, "door": BlindKind.DOOR, "most": MOST_AT_A_DOOR})
        return {row[0] for row in cursor.fetchall()} - {person_id}


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
            "SELECT version, blob, amendments, events, amended FROM privacy_open_person(%s, %s, %s, %s::jsonb)",
            [person_id, by, why, json.dumps(said)],
        )
        row = cursor.fetchone()
    if row is None:
        raise PersonNotInVault()
    version, blob, amendments, events, amended = row
    keyring = Keyring.open(settings.home())
    dossier = Dossier(person_id, 0, [], {})
    if version is not None:
        dossier = read_dossier(keyring.unseal(PURPOSE, bytes(blob), vault_aad(person_id, version)), person_id, version)
    opened = [
        (event, keyring.unseal(AMENDMENTS, bytes(one), amendment_aad(number)))
        for number, event, one in zip(amendments or (), events or (), amended or (), strict=True)
    ]
    return with_amendments(dossier, opened) if opened else dossier


def find_by_blind(kind: BlindKind, values: Iterable[str]) -> dict[str, list[int]]:
    """For each value of a stored kind, the persons who have it. Ids only: nothing is opened, so nothing is traced here."""
    # under every key that exists: while a rotation is under way some persons stand under the old one
    keys = Keyring.open(settings.home()).blinders(blind_purpose(kind))
    wanted = {blind_of(kind, value, key): value for value in values for key in keys}
    found: dict[str, list[int]] = {}
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT blind, person_id FROM privacy_blindindex WHERE kind = %(kind)s AND blind = ANY(%(blinds)s) UNION ALL"
            " SELECT blind, person_id FROM privacy_amendmentblind WHERE kind = %(kind)s AND blind = ANY(%(blinds)s) ORDER BY person_id",
            {"kind": int(kind), "blinds": list(wanted)},
        )
        for blind, person_id in cursor.fetchall():
            persons = found.setdefault(wanted[bytes(blind)], [])
            if person_id not in persons[-1:]:
                persons.append(person_id)
    return found


def number_marks(person_ids: Iterable[int]) -> frozenset[tuple[int, bytes]]:
    """(person, keyed hash) of every citizen number that records or events state of these persons: whether something changed is told by these alone.

    Nothing is opened, so nothing is traced here; a hash says nothing to whoever lacks the key.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT person_id, blind FROM privacy_blindindex WHERE kind = %(kind)s AND person_id = ANY(%(ids)s) UNION ALL"
            " SELECT person_id, blind FROM privacy_amendmentblind WHERE kind = %(kind)s AND person_id = ANY(%(ids)s)",
            {"kind": int(BlindKind.NUMBER), "ids": list(person_ids)},
        )
        return frozenset((person, bytes(blind)) for person, blind in cursor.fetchall())


def look_up(wanted: Sequence[tuple[BlindKind, str]], *, most: int) -> list[tuple[int, int]]:
    """(place in `wanted`, person) of everybody who has one of the values, in one query; at most `most` + 1 rows: a common value costs no more.

    Ids only: nothing is opened, so nothing is traced here.
    """
    if not wanted:
        return []
    keyring = Keyring.open(settings.home())
    # under every key that exists: see `find_by_blind`
    keys = {kind: keyring.blinders(blind_purpose(kind)) for kind in {kind for kind, _ in wanted}}
    places = {
        (int(kind), blind_of(kind, value, key)): place
        for place, (kind, value) in enumerate(wanted)
        for key in keys[kind]
    }
    # kind by kind: of several together the index would be asked for every hash under every kind
    by_kind = {int(kind): [blind for of, blind in places if of == kind] for kind in keys}
    asked = " UNION ALL ".join(
        (_AT_PLACES if kind == BlindKind.PLACE else _WITH_BLINDS).format(table=table, kind=kind)
        for table in ("privacy_blindindex", "privacy_amendmentblind")
        for kind in by_kind
    )
    with connection.cursor() as cursor:
        cursor.execute(
            f"{asked} LIMIT %(most)s",
            {**{str(kind): bytes_array(blinds) for kind, blinds in by_kind.items()}, "most": most + 1},
        )
        rows = cursor.fetchall()
    found = {(places[kind, bytes(blind)], person) for kind, blind, person in rows}
    return sorted(found)


def contents() -> Iterator[tuple[int, bytes]]:
    """(person id, content) of every current dossier and amendment, opened in this process for the register's digest.

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
    yield from amendment_contents()

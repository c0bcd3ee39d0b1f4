"""Amendments: what registered events say of persons, sealed beside their dossiers. Writing one needs no look into the vault."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.db import connection, transaction

from wanjia.kernel import settings
from wanjia.kernel.keyring import BLIND, Keyring
from wanjia.kernel.sealed_stores import Note, marks_of
from wanjia.privacy.api.blinding import STORED, blind_of, blind_purpose
from wanjia.privacy.models import BlindKind
from wanjia.privacy.rules import pack_amendment, read_amendment, sought_in

AMENDMENTS = "amendment"


@dataclass(frozen=True)
class Said:
    """What an event says of one person: values by tag, of the day `as_of`, in the part `subject`; and by what they are found."""

    person_id: int
    subject: str
    as_of: str
    values: Mapping[str, str]
    searchable: Sequence[tuple[BlindKind, str]] = field(default_factory=tuple)


def amendment_aad(amendment_id: int) -> bytes:
    """What binds a blob to its place: table, column, row."""
    return b"privacy_amendment|blob|%d" % amendment_id


def amend(event_id: int, said: Sequence[Said], *, at: datetime) -> int:
    """Seal what an event says of persons, as known from `at`; how many. Must run in the transaction of the event, which traces it."""
    if not said:
        return 0
    keyring = Keyring.open(settings.home())
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT nextval(pg_get_serial_sequence('privacy_amendment', 'id')) FROM generate_series(1, %s)", [len(said)]
        )
        ids = [row[0] for row in cursor.fetchall()]
        plain = [
            pack_amendment(one.subject, one.as_of, one.values, [(int(kind), value) for kind, value in one.searchable])
            for one in said
        ]
        blobs = keyring.sealer(AMENDMENTS).seal_many(plain, [amendment_aad(number) for number in ids])
        cursor.execute(
            "INSERT INTO privacy_amendment (id, person_id, event_id, known_from, blob)"
            " SELECT i, p, %s, %s, b FROM unnest(%s::bigint[], %s::bigint[], %s::bytea[]) AS given(i, p, b)",
            [event_id, at, ids, [one.person_id for one in said], blobs],
        )
        found = [
            (number, one.person_id, kind, value)
            for number, one in zip(ids, said, strict=True)
            for kind, value in one.searchable
            if kind in STORED
        ]
        if found:
            keys = {kind: keyring.blinder(blind_purpose(kind)) for _, _, kind, _ in found}
            cursor.execute(
                "INSERT INTO privacy_amendmentblind (amendment_id, person_id, kind, blind, blind_key)"
                " SELECT * FROM unnest(%s::bigint[], %s::bigint[], %s::smallint[], %s::bytea[], %s::integer[]) ON CONFLICT DO NOTHING",
                [
                    [number for number, _, _, _ in found],
                    [person for _, person, _, _ in found],
                    [int(kind) for _, _, kind, _ in found],
                    [blind_of(kind, value, keys[kind]) for _, _, kind, value in found],
                    [keys[kind].key_id for _, _, kind, _ in found],
                ],
            )
    return len(said)


def end_amendments(event_id: int, *, at: datetime) -> int:
    """What the event says holds no longer, as known from `at`; how many. In the transaction of the event that revokes it."""
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM privacy_amendmentblind b USING privacy_amendment a"
            " WHERE a.id = b.amendment_id AND a.event_id = %s AND a.known_to IS NULL",
            [event_id],
        )
        cursor.execute(
            "UPDATE privacy_amendment SET known_to = %s WHERE event_id = %s AND known_to IS NULL", [at, event_id]
        )
        return cursor.rowcount


def amended_values(tag: str, person_ids: Iterable[int] | None = None) -> Iterator[tuple[int, str]]:
    """(person, value) of every standing amendment that states `tag`: for jobs, by the table's owner. Opens them in this process."""
    for person, plain in _standing(person_ids):
        value = read_amendment(plain)[2].get(tag)
        if value is not None:
            yield person, value


def amendment_contents() -> Iterator[tuple[int, bytes]]:
    """(person, content) of every standing amendment, for the register's digest (see `contents`)."""
    yield from _standing(None)


def _standing(person_ids: Iterable[int] | None) -> Iterator[tuple[int, bytes]]:
    sealer = Keyring.open(settings.home()).sealer(AMENDMENTS)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id, person_id, blob FROM privacy_amendment WHERE known_to IS NULL AND (%(all)s OR person_id = ANY(%(ids)s)) ORDER BY id",
            {"all": person_ids is None, "ids": list(person_ids or [])},
        )
        for number, person, blob in cursor.fetchall():
            yield person, sealer.unseal(bytes(blob), amendment_aad(number))


class AmendmentIndex:
    """The rows by which amended persons are found, as far as they share a key: made anew from the sealed amendments (kernel/sealed_stores.py)."""

    def __init__(self, of: str) -> None:
        self.name, self.purpose = f"privacy_amendmentblind ({of})", BLIND + of
        self._of, self._kinds = of, [int(kind) for kind in STORED if blind_purpose(kind) == of]

    def under(self, keyring: Keyring, key_id: int) -> int:
        """How many rows were hashed under this key."""
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM privacy_amendmentblind WHERE kind = ANY(%s) AND blind_key = ANY(%s)",
                [self._kinds, marks_of(keyring, self.purpose, key_id)],
            )
            return cursor.fetchone()[0]

    def remake(self, keyring: Keyring, note: Note) -> int:
        """One pass: every amendment with a row under an older key gets its rows anew, each in a transaction of its own."""
        blinder, sealer, made = keyring.blinder(self._of), keyring.sealer(AMENDMENTS), 0
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT DISTINCT amendment_id FROM privacy_amendmentblind WHERE kind = ANY(%s) AND blind_key <> ALL(%s)",
                [self._kinds, marks_of(keyring, self.purpose, blinder.key_id)],
            )
            stale = [row[0] for row in cursor.fetchall()]
        for number in stale:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(
                    "SELECT person_id, blob FROM privacy_amendment WHERE id = %s AND known_to IS NULL FOR UPDATE",
                    [number],
                )
                row = cursor.fetchone()
                cursor.execute(
                    "DELETE FROM privacy_amendmentblind WHERE amendment_id = %s AND kind = ANY(%s)",
                    [number, self._kinds],
                )
                sought = sought_in(sealer.unseal(bytes(row[1]), amendment_aad(number))) if row else []
                for kind, value in sought:
                    if kind in self._kinds:
                        cursor.execute(
                            "INSERT INTO privacy_amendmentblind (amendment_id, person_id, kind, blind, blind_key)"
                            " VALUES (%s, %s, %s, %s, %s) ON CONFLICT DO NOTHING",
                            [number, row[0], kind, blind_of(BlindKind(kind), value, blinder), blinder.key_id],
                        )
                made += 1
                note(1)
        return made

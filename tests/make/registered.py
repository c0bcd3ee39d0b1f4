"""A few registered persons put straight into the register and the vault, as a run would leave them: for tests of what stands on both."""

from collections.abc import Sequence
from datetime import UTC, date, datetime

import pyarrow as pa
from django.db import connection, transaction

from wanjia.privacy import api as privacy
from wanjia.privacy.api import DOSSIER_FIELD, DOSSIER_PART, DOSSIER_RECORD
from wanjia.register.rules import tag_of, value_columns
from wanjia.standards import api as standards

AT = datetime(2026, 1, 1, tzinfo=UTC)
DIVISION = "990102001"


def register(
    person_id: int,
    values: dict[str, str],
    *,
    division: str = DIVISION,
    died_on: date | None = None,
    is_sealed: bool = False,
    also: Sequence[tuple[str, dict[str, str]]] = (),
) -> int:
    """One person with these values (column → value), stated by the police register, and by others besides: `also`; the person's id.

    The records' assertion ids are 4, 5, 6 …, in this order.
    """
    ids = pa.array([person_id], pa.int64())
    with transaction.atomic():
        dossier = pa.table({"person_id": ids, "dossier": [written(values, also)]})
        privacy.keep_dossiers([dossier], at=AT, only=[person_id])
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO register_person (id, founded_at, is_sealed) VALUES (%s, %s, %s)", [person_id, AT, is_sealed]
        )
        cursor.execute(
            "INSERT INTO register_personstate (person_id, sex, birth_on, died_on, valid, known, sole)"
            " VALUES (%s, %s, %s, %s, daterange(null, null), tstzrange(%s, null), true)",
            [person_id, values.get("sex"), values.get("birth_on"), died_on, AT],
        )
        cursor.execute(
            "INSERT INTO register_residence (person_id, kind, division, division_now, valid, known, sole)"
            " VALUES (%s, 'domicile', %s, %s, daterange(null, null), tstzrange(%s, null), true)",
            [person_id, division, division, AT],
        )
    return person_id


def written(values: dict[str, str], also: Sequence[tuple[str, dict[str, str]]] = ()) -> str:
    """A dossier's text, as a run would write it: what the police register says holds."""
    tags = {
        column: tag_of(element) if len(value_columns(element)) == 1 else f"{tag_of(element)}/{column}"
        for element in standards.load_profile().elements.values()
        for column in value_columns(element)
    }
    chosen = dict.fromkeys(f"{tags[column].partition('/')[0]}=0r" for column in values)
    records = [
        DOSSIER_FIELD.join(
            [f"{number:04d}", source, "k", "self", "2024-01-01", *(f"{tags[c]}={v}" for c, v in said.items())]
        )
        for number, (source, said) in enumerate([("police_register", values), *also])
    ]
    locators = ",".join(str(4 + number) for number in range(len(records)))
    return DOSSIER_PART.join([DOSSIER_FIELD.join(chosen), DOSSIER_RECORD.join(records), locators])


def household(household_id: int, members: Sequence[tuple[int, str]]) -> int:
    """A household of (person, relation to the head); the head's relation is 02. Its id."""
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO register_household (id, founded_at) VALUES (%s, %s)", [household_id, AT])
        for person_id, relation in members:
            cursor.execute(
                "INSERT INTO register_membership (person_id, household_id, kind, is_head, relation, valid, known, sole)"
                " VALUES (%s, %s, 'domicile', %s, %s, daterange('2000-01-01', null), tstzrange(%s, null), true)",
                [person_id, household_id, relation == "02", relation, AT],
            )
    return household_id


def related(person_id: int, kind: str, other_id: int) -> None:
    """`other_id` is spouse, mother or father of the person."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO register_relation (person_id, kind, other_id, valid, known, sole)"
            " VALUES (%s, %s, %s, daterange(null, null), tstzrange(%s, null), true)",
            [person_id, kind, other_id, AT],
        )

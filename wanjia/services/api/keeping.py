"""How what people wrote is kept: sealed, bound to its row, made again when the key rotates, and erased with the person."""

import json
from typing import Any

from django.db import connection, transaction

from wanjia.kernel import settings
from wanjia.kernel.keyring import Keyring
from wanjia.kernel.sealed_stores import SealedColumn
from wanjia.services.models import Case, Evidence, Step
from wanjia.trace import api as trace

PURPOSE = "services"


def step_place(step_id: int, case_id: int) -> bytes:
    """What a step's words are bound to."""
    return f"services_step|{step_id}|{case_id}".encode()


def evidence_place(evidence_id: int, step_id: int) -> bytes:
    """What a file is bound to."""
    return f"services_evidence|{evidence_id}|{step_id}".encode()


def seal(place: bytes, content: bytes) -> bytes:
    """Content, sealed for one place."""
    return Keyring.open(settings.home()).seal(PURPOSE, content, place)


def unseal(place: bytes, sealed: bytes) -> bytes:
    """What `seal` sealed; nothing where it was erased. Raises `KeyUnavailable`."""
    return Keyring.open(settings.home()).unseal(PURPOSE, bytes(sealed), place) if len(sealed) else b""


def words_of(step: Step) -> dict[str, Any]:
    """What was written in a step; {} where it was erased."""
    plain = unseal(step_place(step.id, step.case_id), step.sealed)
    return json.loads(plain) if plain else {}


def next_id(table: str) -> int:
    """The number of the next row: content is bound to it, so it must be known before the row is written."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT nextval(pg_get_serial_sequence(%s, 'id'))", [table])
        return cursor.fetchone()[0]


@transaction.atomic
def erase_person(person_id: int, *, by: str, why: str) -> int:
    """Erase what was written and sent in the person's cases; how many cases. Traced, to the person too.

    Kind, times and outcome stay, for the figures.
    """
    cases = list(Case.objects.select_for_update().filter(person_id=person_id).values_list("id", flat=True))
    Evidence.objects.filter(step__case_id__in=cases).update(sealed=b"", size=0)
    Step.objects.filter(case_id__in=cases).update(sealed=b"")
    if cases:
        trace.record("services.erase", subject_ids=[person_id], by=by, why=why, detail={"cases": len(cases)})
    return len(cases)


KEYED = (
    SealedColumn(PURPOSE, "services_step", (("id", "bigint"), ("case_id", "bigint")), "sealed", step_place),
    SealedColumn(PURPOSE, "services_evidence", (("id", "bigint"), ("step_id", "bigint")), "sealed", evidence_place),
)

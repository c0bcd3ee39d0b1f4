"""The vault: one way in, sealed in place, traced."""

from datetime import UTC, datetime

import pyarrow as pa
import pytest
from django.db import DatabaseError, connection, transaction

from wanjia.kernel.errors import KeyUnavailable
from wanjia.privacy import api
from wanjia.privacy.api import DOSSIER_FIELD, DOSSIER_PART, BlindKind
from wanjia.privacy.errors import PersonNotInVault
from wanjia.trace import api as trace
from wanjia.trace.errors import PurposeMissing

pytestmark = pytest.mark.django_db

THEN = datetime(2026, 1, 1, tzinfo=UTC)
LATER = datetime(2026, 2, 1, tzinfo=UTC)


def dossiers(**names):
    written = [
        f"GA02=0p{DOSSIER_PART}0000{DOSSIER_FIELD}police_register{DOSSIER_FIELD}k{DOSSIER_FIELD}self{DOSSIER_FIELD}2024-01-01"
        f"{DOSSIER_FIELD}GA02={name}{DOSSIER_PART}4"
        for name in names.values()
    ]
    ids = [int(key[1:]) for key in names]
    return [pa.table({"person_id": pa.array(ids, pa.int64()), "dossier": written})]


def test_the_separators_are_those_the_engine_writes():
    from wanjia.register import rules

    assert (rules.DOSSIER_PART, rules.DOSSIER_FIELD, rules.DOSSIER_RECORD) == (
        DOSSIER_PART,
        DOSSIER_FIELD,
        api.DOSSIER_RECORD,
    )


def test_opening_is_traced_and_says_who_and_why():
    api.keep_dossiers(dossiers(p1="王伟"), at=THEN)
    assert api.open_person(1, by="officer:7", why="certificate").value("GA02") == "王伟"
    [entry] = trace.who_looked(1)
    assert (entry["kind"], entry["actor"], entry["purpose"]) == ("privacy.open_person", "officer:7", "certificate")


def test_opening_nobody_is_traced_too():
    with pytest.raises(PersonNotInVault):
        api.open_person(99, by="officer:7", why="curiosity")
    assert len(trace.who_looked(99)) == 1


@pytest.mark.parametrize("said", [{"by": "", "why": "x"}, {"by": "x", "why": " "}])
def test_no_opening_without_who_and_why(said):
    with pytest.raises(PurposeMissing):
        api.open_person(1, **said)


def test_the_web_role_cannot_read_the_vault_but_can_open_one_person():
    api.keep_dossiers(dossiers(p1="王伟"), at=THEN)
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL ROLE wanjia_web")
        for statement in (
            "SELECT * FROM privacy_vaultentry",
            "DELETE FROM privacy_vaultentry",
            "UPDATE trace_entry SET actor = 'x'",
        ):
            with pytest.raises(DatabaseError, match="permission denied"), transaction.atomic():
                cursor.execute(statement)
        cursor.execute("SELECT version FROM privacy_open_person(1, 'web', 'page')")
        assert cursor.fetchall() == [(1,)]
        cursor.execute("RESET ROLE")
    assert len(trace.who_looked(1)) == 1


def test_a_blob_moved_to_another_person_does_not_open():
    api.keep_dossiers(dossiers(p1="王伟", p2="李娜"), at=THEN)
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE privacy_vaultentry SET blob = (SELECT blob FROM privacy_vaultentry WHERE person_id = 1) WHERE person_id = 2"
        )
    with pytest.raises(KeyUnavailable):
        api.open_person(2, by="t", why="t")


def test_only_what_changed_is_sealed_again():
    first = api.keep_dossiers(dossiers(p1="王伟", p2="李娜", p3="张三"), at=THEN)
    assert first.counts() == {"added": 3, "replaced": 0, "closed": 0, "unchanged": 0}
    second = api.keep_dossiers(dossiers(p1="王伟", p2="李那"), at=LATER)
    assert second.counts() == {"added": 0, "replaced": 1, "closed": 1, "unchanged": 1}
    with connection.cursor() as cursor:
        cursor.execute("SELECT person_id, version, known_to IS NULL FROM privacy_vaultentry ORDER BY 1, 2")
        assert cursor.fetchall() == [(1, 1, True), (2, 1, False), (2, 2, True), (3, 1, False)]


def test_a_scoped_load_leaves_others_alone():
    api.keep_dossiers(dossiers(p1="王伟", p2="李娜"), at=THEN)
    change = api.keep_dossiers(dossiers(p2="李那"), at=LATER, only=[2])
    assert change.counts() == {"added": 0, "replaced": 1, "closed": 0, "unchanged": 0}
    assert api.open_person(1, by="t", why="t").version == 1


def test_blind_indexes_find_without_opening():
    values = pa.table(
        {
            "person_id": pa.array([1, 2, 2, 3], pa.int64()),
            "kind": ["name", "name", "number", "mother_number"],
            "value": ["王伟", "王伟", "990101198001021236", "990101198001021236"],
        }
    )
    assert api.keep_searchable(values) == 4
    assert api.find_by_blind(BlindKind.NAME, ["王伟", "李娜"]) == {"王伟": [1, 2]}
    assert api.find_by_blind(BlindKind.NUMBER, ["990101198001021236"]) == {"990101198001021236": [2]}
    assert api.find_by_blind(BlindKind.MOTHER_NUMBER, ["990101198001021236"]) == {"990101198001021236": [3]}
    api.keep_searchable(values.slice(0, 0), only=[2])
    assert api.find_by_blind(BlindKind.NAME, ["王伟"]) == {"王伟": [1]}

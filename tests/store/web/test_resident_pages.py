"""A resident's pages: the own record whole, and nothing by which somebody else's affairs could be told."""

import re
from datetime import UTC, datetime

import pyarrow as pa
import pytest
from django.db import connection
from django.test import Client

from wanjia.access import api as access
from wanjia.privacy import api as privacy
from wanjia.privacy.api import DOSSIER_FIELD, DOSSIER_PART, DOSSIER_RECORD
from wanjia.register.rules import tag_of, value_columns
from wanjia.standards import api as standards

pytestmark = pytest.mark.django_db

AT = datetime(2026, 1, 1, tzinfo=UTC)
ME, WIFE, FORMER = 71, 72, 73
HOUSEHOLD = 5
#: told to nobody by a page, because they are about others
OF_OTHERS = {"mother_number", "father_number", "spouse_number", "adoption", "birth_certificate_number"}
MARK = re.compile(r"(?:ZQZQZQZQ|\*{4})(\d{4})")


@pytest.fixture(autouse=True)
def plain_static_files(settings):
    """Without collectstatic there is no manifest; names stay as they are."""
    settings.STORAGES = {
        **settings.STORAGES,
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    }


def marked_values(leaving_out: set[str] = frozenset()) -> tuple[list[str], list[str]]:
    """(choices, values) of a statement that says every element, each with a mark of its own."""
    chosen, values = [], []
    for number, (key, element) in enumerate(standards.load_profile().elements.items(), start=1):
        if key in leaving_out:
            continue
        chosen.append(f"{tag_of(element)}=0r")
        for column in (columns := value_columns(element)):
            name = tag_of(element) if len(columns) == 1 and not element.parts else f"{tag_of(element)}/{column}"
            values.append(f"{name}=ZQZQZQZQ{number:04d}")
    return chosen, values


@pytest.fixture(autouse=True)
def keep():
    """keep(person, [source, subject, values …], …, chosen): a dossier of these statements, beside those kept before."""
    held: dict[int, str] = {}

    def add(person: int, *statements: list[str], chosen: list[str]) -> None:
        lines = [
            DOSSIER_FIELD.join([f"{n:04d}", source, f"k{n}", subject, "2024-01-01", *values])
            for n, (source, subject, *values) in enumerate(statements)
        ]
        locators = ",".join(str(4 * (n + 1)) for n in range(len(statements)))
        held[person] = DOSSIER_PART.join([DOSSIER_FIELD.join(chosen), DOSSIER_RECORD.join(lines), locators])
        ids = sorted(held)
        table = {"person_id": pa.array(ids, pa.int64()), "dossier": [held[one] for one in ids]}
        privacy.keep_dossiers([pa.table(table)], at=AT)

    return add


def live(person: int, *, sealed: bool = False, relation: str | None = None, household: int = HOUSEHOLD) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO register_person (id, founded_at, is_sealed) VALUES (%s, %s, %s)", [person, AT, sealed]
        )
        cursor.execute(
            "INSERT INTO register_personstate (person_id, sex, birth_on, valid, known, sole)"
            " VALUES (%s, '2', '1980-01-01', daterange(null, null), tstzrange(%s, null), true)",
            [person, AT],
        )
        cursor.execute(
            "INSERT INTO register_membership (person_id, household_id, kind, is_head, relation, valid, known, sole)"
            " VALUES (%s, %s, 'domicile', %s, %s, daterange('2020-01-01', null), tstzrange(%s, null), true)",
            [person, household, relation is None, relation, AT],
        )


def resident_of(person: int, name: str = "me") -> Client:
    access.open_account(username=name, display_name=name, role="resident", password=None)
    access.bind_resident(name, person, by="test", why="test")
    client = Client()
    client.force_login(access.account_named(name))
    return client


def stripped(page: str) -> str:
    """A page without what differs at each request: tokens, the time of looking."""
    return re.sub(r'value="\w{64}"|\d{4}-\d\d-\d\d \d\d:\d\d', "", page)


def test_the_own_record_is_whole_but_for_what_is_about_others(keep):
    chosen, values = marked_values()
    keep(ME, ["police_register", "self", *values], chosen=chosen)
    live(ME)
    page = resident_of(ME).get("/resident/record/").content.decode()
    keys = list(standards.load_profile().elements)
    shown = {keys[int(mark) - 1] for mark in MARK.findall(page)}
    assert set(keys) - shown == OF_OTHERS


def test_nobody_else_and_no_stranger_is_shown(keep):
    chosen, values = marked_values(OF_OTHERS)
    keep(ME, ["police_register", "self", *values], chosen=chosen)
    live(ME)
    client = resident_of(ME)
    alone = stripped(client.get("/resident/record/").content.decode())
    for sealed in (False, True):
        live(WIFE + sealed, sealed=sealed, relation="10")
        keep(WIFE + sealed, ["police_register", "self", "GA02=别人"], chosen=["GA02=0p"])
        assert stripped(client.get("/resident/record/").content.decode()) == alone


@pytest.mark.parametrize(
    "secret",
    [
        ["birth_certificates", "child", "GA02=生来的名字", "WJ03=990102196001010028"],
        ["marriages", "spouse_a", "GA02=另一说法"],
    ],
)
def test_what_records_about_several_people_say_otherwise_is_told_to_nobody(keep, secret):
    own = ["police_register", "self", "GA02=王明", "GA04=1"]
    keep(ME, own, chosen=["GA02=0p", "GA04=0p"])
    live(ME)
    client = resident_of(ME)
    before = stripped(client.get("/resident/record/").content.decode())
    assert "王明" in before
    keep(ME, own, secret, chosen=["GA02=0p", "GA04=0p"])
    assert stripped(client.get("/resident/record/").content.decode()) == before


def test_an_adopted_child_reads_what_a_child_reads(keep):
    pages = []
    for person, code in ((ME, "20"), (WIFE, "27")):
        keep(person, ["police_register", "self", f"GA13={code}"], chosen=["GA13=0p"])
        live(person, relation=code, household=person)
        pages.append(resident_of(person, f"r{person}").get("/resident/record/").content.decode())
    assert stripped(pages[0]) == stripped(pages[1])


def test_a_source_that_says_otherwise_is_named(keep):
    keep(
        ME,
        ["police_register", "self", "GA21=甲地1号"],
        ["medical_insurance", "self", "GA21=乙地2号"],
        ["school_rolls", "self", "GA21=甲地1号"],
        chosen=["GA21=0p"],
    )
    live(ME)
    page = resident_of(ME).get("/resident/record/").content.decode()
    assert "甲地1号" in page
    assert "乙地2号" in page
    assert "基本医疗保险参保" in page
    assert "2024-01-01" in page


def test_a_merged_person_is_still_themselves(keep):
    keep(ME, ["police_register", "self", "GA02=王明"], chosen=["GA02=0p"])
    live(ME)
    client = resident_of(FORMER)
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO register_personredirect (former_id, person_id, since) VALUES (%s, %s, %s)", [FORMER, ME, AT]
        )
    assert "王明" in client.get("/resident/record/").content.decode()


def test_an_account_bound_to_nobody_is_told_where_to_go():
    access.open_account(username="loose", display_name="loose", role="resident", password=None)
    client = Client()
    client.force_login(access.account_named("loose"))
    for address in ("/resident/", "/resident/record/"):
        answer = client.get(address)
        assert answer.status_code == 409
        assert "ACCESS-011" in answer.content.decode()


def test_the_own_look_is_in_the_trace(keep):
    from wanjia.trace import api as trace

    keep(ME, ["police_register", "self", "GA02=王明"], chosen=["GA02=0p"])
    live(ME)
    resident_of(ME).get("/resident/record/")
    looks = [e for e in trace.who_looked(ME) if e["actor"] == "me"]
    assert {"privacy.open_person", "register.as_of"} <= {e["kind"] for e in looks}
    assert all(e["purpose"] == "own" for e in looks)


def test_residents_log_in_by_a_light_page():
    page = Client().get("/login/?next=/resident/").content.decode()
    assert "parts/resident.css" in page
    assert "tabler" not in page
    wrong = Client().post("/login/", {"login": "", "password": "", "next": "/resident/record/"}).content.decode()
    assert "govuk-error-summary" in wrong
    assert "tabler" in Client().get("/login/?next=/officer/find/").content.decode()

"""No path reveals a masked field: every element of a person carries a mark of its own, and each answer is searched for the marks."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pytest
from django.db import connection
from django.test import Client

from tests.make import access_matrix as matrix
from wanjia.access import api as access
from wanjia.access.api import Action
from wanjia.access.models import Account, Grant
from wanjia.kernel import clock
from wanjia.privacy import api as privacy
from wanjia.privacy.api import DOSSIER_FIELD, DOSSIER_PART
from wanjia.register import api as register
from wanjia.register.rules import tag_of, value_columns
from wanjia.standards import api as standards

pytestmark = pytest.mark.django_db

AT = datetime(2026, 1, 1, tzinfo=UTC)
NUMBER = "990102198001010010"
HERE, THERE = "990102", "990101"
PERSON, SEALED = 71, 72
#: marks stand whole, or as the last four characters of a masked number
MARK = re.compile(r"(?:ZQZQZQZQ|\*{4})(\d{4})")


def marks() -> dict[str, str]:
    """Four digits → the element whose value carries them."""
    return {f"{number:04d}": key for number, key in enumerate(standards.load_profile().elements, start=1)}


@pytest.fixture(autouse=True)
def plain_static_files(settings):
    settings.STORAGES = {
        **settings.STORAGES,
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    }


@pytest.fixture(autouse=True)
def people():
    """Two persons of one division, one of them sealed, whose every element is marked."""
    by_key = {key: mark for mark, key in marks().items()}
    chosen, values = [], []
    for key, element in standards.load_profile().elements.items():
        tag = tag_of(element)
        columns = value_columns(element)
        chosen.append(f"{tag}=0r")
        for column in columns:
            name = tag if len(columns) == 1 and not element.parts else f"{tag}/{column}"
            values.append(f"{name}=ZQZQZQZQ{by_key[key]}")
    lines = DOSSIER_FIELD.join(["0000", "police_register", "k", "self", "2024-01-01", *values])
    dossier = DOSSIER_PART.join([DOSSIER_FIELD.join(chosen), lines, "4"])
    ids = pa.array([PERSON, SEALED], pa.int64())
    privacy.keep_dossiers([pa.table({"person_id": ids, "dossier": [dossier] * 2})], at=AT)
    privacy.keep_searchable(pa.table({"person_id": ids, "kind": ["number"] * 2, "value": [NUMBER] * 2}))
    with connection.cursor() as cursor:
        for person in (PERSON, SEALED):
            cursor.execute(
                "INSERT INTO register_person (id, founded_at, is_sealed) VALUES (%s, %s, %s)",
                [person, AT, person == SEALED],
            )
            cursor.execute(
                "INSERT INTO register_personstate (person_id, sex, birth_on, valid, known, sole) VALUES (%s, '2', '1980-01-01',"
                " daterange(null, null), tstzrange(%s, null), true)",
                [person, AT],
            )
            cursor.execute(
                "INSERT INTO register_residence (person_id, kind, division, division_now, valid, known, sole)"
                " VALUES (%s, 'domicile', '990102001', '990102001', daterange(null, null), tstzrange(%s, null), true)",
                [person, AT],
            )


def account(role: str, area: str) -> Account:
    username = f"{role}-{area}"
    found = Account.objects.filter(username=username).first()
    return found or access.open_account(username=username, display_name=role, role=role, password=None, area=area)


def granted(reader: Account, cell: matrix.Cell) -> None:
    finds, reads, urgent, sealed = matrix.GRANTS[cell.grant]
    Grant.objects.all().delete()
    if cell.grant != "none":
        Grant.objects.create(
            account=reader,
            person_id=SEALED if cell.is_sealed else PERSON,
            purpose=cell.purpose,
            fields=access.book().purposes[cell.purpose].fields,
            finds=finds,
            reads=reads,
            is_urgent=urgent,
            covers_sealed=sealed,
            issued_by="test",
            begins_at=clock.now(),
            ends_at=clock.now() + timedelta(hours=1),
        )


def possible(cell: matrix.Cell) -> bool:
    """Grants the database refuses are no cases."""
    return not cell.is_own and not (cell.grant == "urgent" and cell.is_sealed and matrix.GRANTS[cell.grant][3])


def shown_elements(page: str) -> set[str]:
    return {marks()[mark] for mark in MARK.findall(page) if mark in marks()}


def wrong_pages(cells) -> list[str]:
    """The person's page, as each cell's account sees it, against what is due."""
    found = []
    for cell in cells:
        reader = account(cell.role, HERE if cell.in_area else THERE)
        granted(reader, cell)
        client = Client()
        client.force_login(reader)
        person = SEALED if cell.is_sealed else PERSON
        client.post(f"/officer/persons/{person}/", {"purpose": cell.purpose, "case": ""})
        if access.book().purposes[cell.purpose].is_urgent:
            # an urgent purpose is stated by the emergency page, not by this form
            session = client.session
            kept = {
                "purpose": cell.purpose,
                "why": cell.purpose,
                "until": clock.now().timestamp() + 900,
                "is_number_shown": False,
            }
            session["openings"] = {str(person): kept}
            session.save()
        answer = client.get(f"/officer/persons/{person}/")
        # a grant adds to what the role may anyway, it takes nothing away
        without = replace(cell, grant="none")
        due = access.book().elements(matrix.groups(cell, Action.READ) | matrix.groups(without, Action.READ))
        if (given := shown_elements(answer.content.decode())) != due:
            found.append(
                f"{cell}: {answer.status_code}, shown too much {sorted(given - due)}, too little {sorted(due - given)}"
            )
    return found


def test_the_page_shows_what_is_due_and_nothing_else():
    cells = [c for c in matrix.cells(whole=False) if c.role in matrix.REGISTRY and possible(c)]
    cells = [c for c in cells if c.purpose in ("verify", "emergency")]
    assert not (wrong := wrong_pages(cells[::7])), "\n".join(wrong)


@pytest.mark.heavy
def test_the_page_over_the_whole_matrix():
    cells = [c for c in matrix.cells(whole=True) if possible(c) and not access.book().roles[c.role].is_machine]
    assert not (wrong := wrong_pages(cells)), f"{len(wrong)} pages:\n" + "\n".join(wrong[:20])


def wrong_searches(cells) -> list[str]:
    """What a search lists and counts, as each cell's account makes it, against what is due."""
    found = []
    for cell in cells:
        if not possible(cell) or access.book().roles[cell.role].is_machine:
            continue
        reader = account(cell.role, HERE if cell.in_area else THERE)
        granted(reader, cell)
        scope = access.search_scope(reader, cell.purpose)
        hits = register.find_persons(register.sought_by(NUMBER), scope=scope, by=reader.username, why="test")
        listed = {hit.person_id for hit in hits.hits}
        person = SEALED if cell.is_sealed else PERSON
        if (person in listed) != matrix.may_find(cell) or hits.total != len(listed):
            found.append(f"{cell}: {listed}, total {hits.total}, due {matrix.may_find(cell)}")
    return found


def test_searches_and_their_counts_tell_of_nobody_who_may_not_be_found():
    cells = [c for c in matrix.cells(whole=False) if c.role in matrix.REGISTRY]
    assert not (wrong := wrong_searches(cells[::5])), "\n".join(wrong)


@pytest.mark.heavy
def test_searches_over_the_whole_matrix():
    assert not (wrong := wrong_searches(matrix.cells(whole=True))), f"{len(wrong)} searches:\n" + "\n".join(wrong[:20])


def test_a_sealed_person_is_refused_in_the_words_for_nobody():
    reader = account("officer", HERE)
    client = Client()
    client.force_login(reader)
    pages = [client.get(f"/officer/persons/{person}/") for person in (SEALED, 999_999)]
    said = [
        re.sub(
            r"<dd class=\"code\">[0-9A-F]{8}</dd>|csrfmiddlewaretoken\" value=\"\w+|persons/\d+", "", p.content.decode()
        )
        for p in pages
    ]
    assert pages[0].status_code == pages[1].status_code == 403
    assert said[0] == said[1]


def test_the_read_is_in_the_trace_with_what_decided_it():
    from wanjia.trace import api as trace

    reader = account("officer", HERE)
    client = Client()
    client.force_login(reader)
    client.post(f"/officer/persons/{PERSON}/", {"purpose": "verify", "case": "A-1"})
    client.get(f"/officer/persons/{PERSON}/")
    opened = next(e for e in trace.who_looked(PERSON) if e["kind"] == "privacy.open_person")
    policy, _, hashed = opened["basis"].partition("@")
    assert access.book().hashes[policy] == hashed
    assert set(opened["fields"]) == access.book().elements(access.book().purposes["verify"].fields)
    assert opened["purpose"] == "verify:A-1"
    read = next(e for e in trace.who_looked(PERSON) if e["kind"] == "register.as_of")
    assert read["detail"]["policies"] == {policy: hashed}


def test_counts_of_the_population_are_protected_for_everybody():
    """Statistics hold no element of a person: cells of fewer than ten are held back whoever asks."""
    register.count_population(by="test", why="test")
    for role in ("planner", "officer", "supervisor", "steward"):
        client = Client()
        client.force_login(account(role, HERE))
        for address in ("/planner/population/?area=990102", "/planner/pyramid/?area=990102"):
            page = client.get(address)
            assert page.status_code == 200
            assert not MARK.search(page.content.decode())
    counts = register.population_by_area(basis="domicile", within="9901", areas=["990101", "990102"])
    assert counts.areas["990102"].people is None

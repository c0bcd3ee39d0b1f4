"""One box finds a person by whatever is known, says by what, and tells nothing of those whom the asker may not find."""

from datetime import UTC, datetime

import pyarrow as pa
import pytest
from django.db import connection

from wanjia.access.api import SearchScope, search_scope
from wanjia.access.models import Account
from wanjia.privacy import api as privacy
from wanjia.register import api as register
from wanjia.register.api import Found, finding
from wanjia.register.api.matching import ELEMENTS
from wanjia.trace import api as trace

pytestmark = pytest.mark.django_db

AT = datetime(2026, 1, 1, tzinfo=UTC)
NEEDED = frozenset().union(*ELEMENTS.values())
EVERYWHERE = SearchScope(area="", elements=NEEDED)
NUMBER = "990102198601010014"  # its check character is right
WRONG = "990102198701020019"  # as another person's only record has it: no number at all
#: person → (birth date, division, what the search index holds)
PEOPLE = {
    1: ("1986-01-01", "990102001001", {"name": "王伟", "pinyin": "wang wei", "initials": "ww|1986", "number": NUMBER,
        "household": "990102001000017", "door": "中山路88号|3|501"}),
    2: ("1990-05-05", "990103001001", {"name": "王玮", "pinyin": "wang wei", "initials": "ww|1990", "number": WRONG,
        "household": "990102001000017", "door": "中山路88号|3|502"}),
    3: ("1990-06-06", "990102001002", {"name": "吴微", "pinyin": "wu wei", "initials": "ww|1990", "number": "990102199006060028"}),
    4: (None, None, {"name": "吴薇", "pinyin": "wu wei", "initials": "ww|"}),
}  # fmt: skip


@pytest.fixture(autouse=True)
def people():
    rows = [(person, kind, value) for person, (_, _, held) in PEOPLE.items() for kind, value in held.items()]
    columns = zip(*rows, strict=True)
    privacy.keep_searchable(pa.table(dict(zip(("person_id", "kind", "value"), map(list, columns), strict=True))))
    with connection.cursor() as cursor:
        for person, (born, division, _) in PEOPLE.items():
            cursor.execute(
                "INSERT INTO register_person (id, founded_at, is_sealed) VALUES (%s, %s, false)", [person, AT]
            )
            cursor.execute(
                "INSERT INTO register_personstate (person_id, birth_on, valid, known, sole) VALUES (%s, %s, daterange(null, null),"
                " tstzrange(%s, null), true)",
                [person, born, AT],
            )
            if division:
                cursor.execute(
                    "INSERT INTO register_residence (person_id, kind, division, division_now, valid, known, sole)"
                    " VALUES (%s, 'domicile', %s, %s, daterange(null, null), tstzrange(%s, null), true)",
                    [person, division, division, AT],
                )


def found(query: str, scope: SearchScope = EVERYWHERE, **more) -> list[tuple[int, str]]:
    """(person, by what) in the order of the list."""
    hits = register.find_persons(register.sought_by(query, **more), scope=scope, by="t", why="case")
    return [(hit.person_id, hit.by[0].found.value) for hit in hits.hits]


@pytest.mark.parametrize(
    ("query", "due"),
    [
        (NUMBER, [(1, "number")]),
        (NUMBER.replace("0", "０").lower(), [(1, "number")]),
        ("990102860101001", [(1, "number")]),  # as it stood on the paper of fifteen
        ("王伟", [(1, "name"), (2, "sound")]),
        ("wang wei", [(1, "pinyin"), (2, "pinyin")]),
        ("wángwěi", [(1, "pinyin"), (2, "pinyin")]),
        ("Wang2 Wei3", [(1, "pinyin"), (2, "pinyin")]),
        ("ww", [(1, "initials"), (2, "initials"), (3, "initials"), (4, "initials")]),
        ("ww 1990", [(2, "initials"), (3, "initials")]),
        ("w wei", [(1, "initials"), (2, "initials"), (3, "initials"), (4, "initials")]),
        ("王伟 19860101", [(1, "name")]),
        ("王伟 1990", [(2, "sound")]),
        ("王伟 临江区", [(1, "name")]),
        ("990102001000017", [(1, "household"), (2, "household")]),
        ("990102 001000017", [(1, "household"), (2, "household")]),
        ("中山路88号3栋501室", [(1, "door"), (2, "place")]),
        ("中山路８８號3#2單元501", [(1, "door"), (2, "place")]),
        ("望川市临江区中山路88号", [(1, "place")]),
        ("中山路88号 990", []),
        ("李雷", []),
    ],
)
def test_what_is_found_and_by_what(query, due):
    assert found(query) == due


def test_a_year_of_its_own_field_narrows_too():
    assert found("ww", birth_year=1990) == [(2, "initials"), (3, "initials")]
    assert found(NUMBER, birth_year=1999) == []


@pytest.mark.parametrize("at", range(18))
def test_one_wrong_character_is_found(at):
    typed = NUMBER[:at] + ("3" if NUMBER[at] != "3" else "4") + NUMBER[at + 1 :]
    hits = register.find_persons(register.sought_by(typed), scope=EVERYWHERE, by="t", why="case").hits
    assert [(h.person_id, h.by[0].near) for h in hits] == [(1, ("digit", at + 1))]


@pytest.mark.parametrize("at", [n for n in range(17) if NUMBER[n] != NUMBER[n + 1]])
def test_two_swapped_characters_are_found(at):
    typed = NUMBER[:at] + NUMBER[at + 1] + NUMBER[at] + NUMBER[at + 2 :]
    hits = register.find_persons(register.sought_by(typed), scope=EVERYWHERE, by="t", why="case").hits
    assert [(h.person_id, h.by[0].near) for h in hits] == [(1, ("swap", at + 1))]


@pytest.mark.parametrize("at", range(18))
def test_one_character_left_out_or_too_many(at):
    assert found(NUMBER[:at] + NUMBER[at + 1 :]) == [(1, "near_number")]
    assert found(NUMBER[:at] + "7" + NUMBER[at:]) == [(1, "near_number")]


def test_the_right_number_finds_a_record_in_which_it_was_mistyped():
    right = next(n for n in (WRONG[:17] + c for c in "0123456789X") if register.sought_by(n).number_state == "sound")
    assert found(right) == [(2, "near_number")]


def test_who_may_not_be_found_is_neither_listed_nor_counted():
    linjiang = SearchScope(area="990102", elements=NEEDED)
    assert found("ww", linjiang) == [(1, "initials"), (3, "initials")]
    assert found("王伟", SearchScope(area="990103", elements=NEEDED)) == [(2, "sound")]
    assert found("王伟", SearchScope(elements=NEEDED)) == []
    assert found("王伟", SearchScope(also=(2,), elements=NEEDED)) == [(2, "sound")]


@pytest.mark.parametrize(
    ("scope", "due"),
    [
        ({"area": "99"}, [1, 3]),
        ({"area": "990102"}, [1, 3]),
        ({"area": "990102001"}, [1, 3]),
        ({"area": "990102001002"}, [3]),  # narrower than what was typed
        ({"area": "990103"}, []),
        ({"area": "99010"}, [1, 3]),
        ({"area": "990103", "also": (1, 2)}, [1]),  # 2 may be found, and lives elsewhere
        ({"also": (3,)}, [3]),
        ({"also_sealed": (3,)}, [3]),
        ({"area": None}, []),
    ],
)
def test_an_area_and_a_typed_division_narrow_together(scope, due):
    assert [person for person, _ in found("ww 临江区", SearchScope(elements=NEEDED, **scope))] == due
    with connection.cursor() as cursor:
        cursor.execute("UPDATE register_person SET is_sealed = true WHERE id = 3")
    unsealed = due if 3 in scope.get("also_sealed", ()) else [person for person in due if person != 3]
    assert [person for person, _ in found("ww 临江区", SearchScope(elements=NEEDED, **scope))] == unsealed


def test_where_somebody_lives_is_told_of_those_shown():
    hits = register.find_persons(register.sought_by("ww"), scope=EVERYWHERE, by="t", why="case", shown=slice(1, 3)).hits
    assert [hit.division for hit in hits] == [None, "990103001001", "990102001002", None]


@pytest.mark.parametrize("query", [NUMBER, NUMBER[:17] + "5", "王伟", "wang wei", "ww 1986", "中山路88号3栋501室"])
def test_a_sealed_person_is_found_by_who_may_find_sealed_persons_only(query):
    with connection.cursor() as cursor:
        cursor.execute("UPDATE register_person SET is_sealed = true WHERE id = 1")
    assert 1 not in dict(found(query))
    assert 1 not in dict(found(query, SearchScope(also=(1,), elements=NEEDED)))
    assert 1 in dict(found(query, SearchScope(area="", finds_sealed=True, elements=NEEDED)))
    assert 1 in dict(found(query, SearchScope(also_sealed=(1,), elements=NEEDED)))


def test_a_purpose_that_does_not_need_households_does_not_search_by_them():
    """Or the list of hits would tell who lives together, which the same purpose hides on the page of each."""
    household = PEOPLE[1][2]["household"]
    officer = Account.objects.create(username="o", role="officer", area="99", department="GA")
    assert found(household, search_scope(officer, "case")) == [(1, "household"), (2, "household")]
    assert found(household, search_scope(officer, "verify")) == []
    assert found("王伟", search_scope(officer, "verify")) == [(1, "name"), (2, "sound")]
    assert found("王伟", search_scope(officer, "exchange")) == [], "no purpose of this role"


def test_each_person_listed_is_told():
    before = trace.entries(kind="register.find_persons", limit=500)
    register.find_persons(register.sought_by("ww"), scope=EVERYWHERE, by="t", why="case", shown=slice(0, 2))
    fresh = [e for e in trace.entries(kind="register.find_persons", limit=500) if e not in before]
    assert {e["subject"] for e in fresh} == {1, 2}
    assert all(e["detail"]["hits"] == 4 for e in fresh)


def test_too_many_are_counted_and_not_listed(monkeypatch):
    monkeypatch.setattr(finding, "MOST_HITS", 2)
    hits = register.find_persons(register.sought_by("ww"), scope=EVERYWHERE, by="t", why="case")
    assert (hits.is_too_many, hits.hits, hits.total) == (True, [], 2)
    assert trace.entries(kind="register.find_persons", limit=1)[0]["subject"] is None
    assert found("ww 1986") == [(1, "initials")]


def test_a_value_that_very_many_share_is_not_looked_through(monkeypatch):
    monkeypatch.setattr(finding, "MOST_LOOKED_AT", 3)
    assert register.find_persons(register.sought_by("ww"), scope=EVERYWHERE, by="t", why="case").is_too_many


def test_those_that_only_sound_alike_are_left_out_before_the_right_ones_are(monkeypatch):
    monkeypatch.setattr(finding, "MOST_LOOKED_AT", 1)
    hits = register.find_persons(register.sought_by("王伟"), scope=EVERYWHERE, by="t", why="case")
    assert [hit.person_id for hit in hits.hits] == [1]
    assert hits.left_out == (Found.SOUND,)


def test_more_beside_than_can_be_listed_are_left_out_unless_something_narrows(monkeypatch):
    monkeypatch.setattr(finding, "MOST_HITS", 1)
    hits = register.find_persons(register.sought_by("王伟"), scope=EVERYWHERE, by="t", why="case")
    assert ([hit.person_id for hit in hits.hits], hits.left_out) == ([1], (Found.SOUND,))
    hits = register.find_persons(register.sought_by("王伟 1986"), scope=EVERYWHERE, by="t", why="case")
    assert ([hit.person_id for hit in hits.hits], hits.left_out) == ([1], ())


def test_an_identity_is_taken_from_the_very_number_and_name_only():
    from wanjia.web.public.identities import person_of

    assert person_of(NUMBER, "王伟") == 1
    assert person_of(NUMBER, "王玮") is None, "sounding alike is not being the same"
    assert person_of(NUMBER[:17] + "9", "王伟") is None

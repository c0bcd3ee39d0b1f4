"""What officers decide of conflicts: within reach, once, with a sealed reason, kept by every later run until a source says something else."""

import pytest
from django.db import DatabaseError, connection, transaction

from tests.make import registered
from tests.make.town import officer
from tests.store.catalog.test_findings_and_scores import found
from wanjia.access.errors import RightMissing
from wanjia.catalog import api as catalog
from wanjia.catalog.api import deciding as api
from wanjia.catalog.errors import (
    ConflictChanged,
    ConflictDecided,
    ConflictReasonNeeded,
    ConflictUnknown,
    NoValueChosen,
)
from wanjia.catalog.models import ConflictDecision, Finding
from wanjia.kernel import settings
from wanjia.kernel.keyring import Keyring
from wanjia.privacy import api as privacy
from wanjia.register import api as register
from wanjia.trace.models import Entry

pytestmark = pytest.mark.django_db

WHO, PURPOSE = {"by": "t", "why": "t"}, {"purpose": "case"}
NEAR, FAR = "990104100001", "990105100001"
HELD = {"name": "李兰", "sex": "2", "birth_on": "1980-01-01"}
SCHOOL, INSURED = ("school_rolls", {"birth_on": "1981-01-01"}), ("social_insurance", {"birth_on": "1980-10-01"})
DIFFERS = "differs_from_register"


def row(person, source="school_rolls", assertion=5, *, kind=DIFFERS, element="birth_on", other=None):
    return (kind, source, element, person, other, None, assertion)


#: 1 and 2 are near (of 1 two sources say otherwise), 3 is far, 5 under a protection order, 6 the too young mother of 2
ROWS = [row(1), row(1, "social_insurance", 6), row(3), row(5), row(2, kind="parent_too_young", other=6)]


@pytest.fixture
def li():
    return officer("li", "990104")


def says(person, *also):
    """What the sources say of this person now, as a run reads it."""
    written = registered.written(HELD, also)
    return lambda asked: [privacy.dossier_made(one, written) for one in asked if one == person]


@pytest.fixture
def filed(engine):
    for person, division, also, is_sealed in (
        (1, NEAR, [SCHOOL, INSURED], False), (2, NEAR, [], False), (3, FAR, [SCHOOL], False), (5, NEAR, [SCHOOL], True), (6, NEAR, [], False),
    ):  # fmt: skip
        registered.register(person, HELD, division=division, is_sealed=is_sealed, also=also)

    def again(rows=tuple(ROWS), dossiers=None):
        return catalog.file_findings(catalog.gather_findings(engine, found(engine, *rows)), dossiers=dossiers, **WHO)

    again()
    return again


def number(person, source="school_rolls"):
    return Finding.objects.filter(person_id=person, source=source).latest("pk").pk


def decide(pk, verdict, by, reason="出生证明原件核对一致", right="", mark=None):
    mark = api.open_conflict(pk, officer=by, **PURPOSE).mark if mark is None else mark
    return api.decide_conflict(pk, verdict, reason, mark=mark, right=right, officer=by, **PURPOSE)


def test_the_queue_is_what_is_within_reach_each_conflict_once(filed, li):
    assert api.conflicts_waiting(officer=li, **PURPOSE) == {DIFFERS: 1, "parent_too_young": 1}
    first = api.next_conflict(officer=li, **PURPOSE)
    assert (first.person, first.sources, first.assertions) == (1, ("school_rolls", "social_insurance"), {5, 6})
    second = api.next_conflict(officer=li, after=first.id, **PURPOSE)
    assert (second.person, second.other) == (2, 6)
    assert api.next_conflict(officer=li, after=second.id, **PURPOSE) is None
    assert api.next_conflict(officer=li, kind="parent_too_young", **PURPOSE).id == second.id
    for hidden in (3, 5):
        with pytest.raises(ConflictUnknown):
            api.open_conflict(number(hidden), officer=li, **PURPOSE)
    with pytest.raises(RightMissing):
        api.conflicts_waiting(officer=officer("pl", "99", "planner"), **PURPOSE)
    assert api.conflicts_waiting(officer=officer("gao", "99"), **PURPOSE) == {DIFFERS: 2, "parent_too_young": 1}


def test_what_each_source_says_stands_beside_what_holds_and_is_told(filed, li):
    before = Entry.objects.count()
    seen = api.open_conflict(number(1), officer=li, **PURPOSE)
    [side] = seen.sides
    assert side.held["birth_on"].value == "1980-01-01"
    said = {s.statement.source: s for s in side.sayings if s.column == "birth_on"}
    assert {k: (s.value, s.is_held, s.can_be_right, s.is_objected) for k, s in said.items()} == {
        "police_register": ("1980-01-01", True, False, False),
        "school_rolls": ("1981-01-01", False, True, True),
        "social_insurance": ("1980-10-01", False, True, True),
    }
    assert [(e.kind, e.subject) for e in Entry.objects.order_by("pk")[before:]] == [("privacy.open_person", 1)]
    assert "name" not in side.held, "nothing but what is in question"


def test_the_registers_value_stands_until_a_source_says_something_else(filed, li):
    pk = number(1)
    decide(pk, "stands", li)
    told = Entry.objects.filter(kind="catalog.decide_conflict", purpose=f"case:{pk}")
    assert list(told.values_list("subject", flat=True)) == [1]
    assert DIFFERS not in api.conflicts_waiting(officer=li, **PURPOSE)
    # the sources still have to answer
    assert {f["verdict"] for f in catalog.findings(person_id=1)} == {"stands"}
    same, other = says(1, SCHOOL, INSURED), says(1, ("school_rolls", {"birth_on": "1982-02-02"}), INSURED)
    # stated again in other records: the same conflict; gone and come back: too
    assert filed([row(1, assertion=105), *ROWS[1:]], same)["opened"] == 0
    assert Finding.objects.filter(person_id=1, status="open", decision=None).count() == 0
    filed(ROWS[2:], same)
    assert filed(ROWS, same)["opened"] == 2
    assert DIFFERS not in api.conflicts_waiting(officer=li, **PURPOSE)
    filed(ROWS, other)
    assert api.conflicts_waiting(officer=li, **PURPOSE)[DIFFERS] == 1


def test_a_source_that_joins_in_opens_it_again(filed, li):
    filed([row(1), *ROWS[2:]])
    decide(number(1), "stands", li)
    filed(ROWS, says(1, SCHOOL, INSURED))
    assert api.conflicts_waiting(officer=li, **PURPOSE)[DIFFERS] == 1


def test_another_source_is_right_begins_the_correction_and_settles_its_finding(filed, li):
    pk = number(1)
    [side] = api.open_conflict(pk, officer=li, **PURPOSE).sides
    saying = next(s for s in side.sayings if s.statement.source == "school_rolls")
    with pytest.raises(NoValueChosen):
        decide(pk, "correct", li, right="1:birth_on:4")
    made = decide(pk, "correct", li, right=api.right_of(side, saying))
    case = register.read_case(made.case, officer=li, **PURPOSE)
    assert (case.kind, case.status, case.people or case.form["people"]) == (
        "change_correction",
        "draft",
        {"person": [1]},
    )
    assert case.form["values"]["kind"] == "41"
    assert case.form["values"]["birth_on"] == "1981-01-01"
    assert case.request is None
    assert {f.source: f.status for f in Finding.objects.filter(person_id=1)} == {
        "school_rolls": "settled",
        "social_insurance": "open",
    }
    assert api.reach_conflict(pk, officer=li, **PURPOSE).decided.case == made.case
    # the register's own sources go on saying what they said: not opened again, but when the source that was right says otherwise
    assert filed(ROWS, says(1, SCHOOL, INSURED))["opened"] == 0
    assert filed(ROWS, says(1, ("school_rolls", {"birth_on": "1982-02-02"}), INSURED))["opened"] == 1


def test_a_correction_that_was_withdrawn_leaves_the_conflict_undecided(filed, li):
    pk = number(1)
    [side] = api.open_conflict(pk, officer=li, **PURPOSE).sides
    made = decide(pk, "correct", li, right=api.right_of(side, next(s for s in side.sayings if s.can_be_right)))
    case = register.read_case(made.case, officer=li, **PURPOSE)
    register.move_case(case.id, "withdraw", version=case.version, reason="误", officer=li, **PURPOSE)
    assert filed(ROWS, says(1, SCHOOL, INSURED))["opened"] == 1
    assert api.conflicts_waiting(officer=li, **PURPOSE)[DIFFERS] == 1
    assert Finding.objects.filter(person_id=1, status="open", decision=None).count() == 2


def test_who_is_right_in_one_value_still_answers_for_the_other(filed, li, engine):
    """The school's birth date is right, but its record contradicts itself: that it must put right all the same."""
    filed([row(1, kind="birth_against_number")])
    pk = number(1)
    [side] = api.open_conflict(pk, officer=li, **PURPOSE).sides
    saying = next(s for s in side.sayings if s.statement.source == "school_rolls")
    assert decide(pk, "correct", li, right=api.right_of(side, saying)).case
    assert [f["verdict"] for f in catalog.findings(person_id=1)] == ["correct"]


def test_sent_back_it_stays_the_sources_to_answer(filed, li):
    due = {f["due_on"] for f in catalog.findings(person_id=1)}
    decide(number(1), "returned", li)
    said = {f["source"]: f["verdict"] for f in catalog.findings(person_id=1)}
    assert said == {"school_rolls": "returned", "social_insurance": "returned"}
    assert {f["due_on"] for f in catalog.findings(person_id=1)} == due


def test_a_conflict_is_decided_once_on_what_was_seen(filed, li):
    wu, pk = officer("wu", "990104"), number(1)
    mark = api.open_conflict(pk, officer=wu, **PURPOSE).mark
    with pytest.raises(ConflictChanged):
        decide(pk, "stands", li, mark="0.0")
    decide(pk, "stands", li)
    with pytest.raises(ConflictDecided) as said:
        decide(pk, "returned", wu, mark=mark)
    assert "li" in str(said.value)
    assert ConflictDecision.objects.count() == 1


@pytest.mark.parametrize("reason", ["", " ", "是", "长" * 501])
def test_a_decision_needs_its_reason(filed, li, reason):
    with pytest.raises(ConflictReasonNeeded):
        decide(number(1), "stands", li, reason)
    assert not ConflictDecision.objects.exists()


def test_decisions_stay_and_what_was_written_lies_sealed(filed, li):
    decide(number(1), "stands", li, "李兰本人到场")
    made = ConflictDecision.objects.get()
    for statement in (
        "UPDATE catalog_conflictdecision SET verdict = 'returned'",
        "DELETE FROM catalog_conflictdecision",
    ):
        with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)
    blobs = bytes(made.reason) + bytes(made.said)
    assert "李兰".encode() not in blobs
    assert b"1981" not in blobs
    ring = Keyring.open(settings.home())
    ring.rotate("conflict-decision")
    assert [store.remake(ring, lambda _: None) for store in catalog.KEYED] == [1, 1]
    again = ConflictDecision.objects.get()
    place = b"catalog_conflictdecision|reason|%d" % made.pk
    plain = Keyring.open(settings.home()).unseal("conflict-decision", bytes(again.reason), place)
    assert plain.decode() == "李兰本人到场"
    filed(ROWS, says(1, SCHOOL, INSURED))
    assert DIFFERS not in api.conflicts_waiting(officer=li, **PURPOSE), (
        "what the sources said is known under the new key too"
    )
    assert api.erase_person(1, **WHO) == 1
    erased = ConflictDecision.objects.get()
    assert (bytes(erased.reason), bytes(erased.said)) == (b"", b"")


def test_two_persons_are_both_seen_and_both_told(filed, li):
    pk = Finding.objects.get(kind="parent_too_young").pk
    before = Entry.objects.count()
    seen = api.open_conflict(pk, officer=li, **PURPOSE)
    assert [side.person for side in seen.sides] == [2, 6]
    decide(pk, "returned", li)
    told = {(e.kind, e.subject) for e in Entry.objects.order_by("pk")[before:]}
    assert {
        ("privacy.open_person", 2),
        ("privacy.open_person", 6),
        ("catalog.decide_conflict", 2),
        ("catalog.decide_conflict", 6),
    } <= told


def test_who_was_merged_away_is_in_no_conflict(filed, li):
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO register_personredirect (former_id, person_id, since, event_id) VALUES (1, 2, now(), 7)"
        )
        cursor.execute("UPDATE register_person SET left_at = now() WHERE id = 1")
    assert DIFFERS not in api.conflicts_waiting(officer=li, **PURPOSE)


def test_the_pages_role_decides(filed, li):
    pk = number(1)
    with connection.cursor() as cursor:
        cursor.execute("SET ROLE wanjia_web")
        try:
            assert api.next_conflict(officer=li, **PURPOSE).person == 1
            decide(pk, "stands", li)
            with pytest.raises(DatabaseError), transaction.atomic():
                cursor.execute("DELETE FROM catalog_conflictdecision")
        finally:
            cursor.execute("RESET ROLE")


def test_what_a_run_says_of_a_person_is_what_lies_in_the_vault(engine):
    """The comparison of a decision rests on it: a dossier of the resolution and the sealed one say the same."""
    from tests.make import loaded

    frame, links = loaded.family()
    state = loaded.settle(engine, frame, links)
    register.load(state, **WHO)
    [made] = state.dossiers_of([2, 99])
    kept = privacy.open_person(2, by="t", why="t")
    assert (made.person_id, made.statements, made.choices) == (2, kept.statements, kept.choices)

"""What officers decide of pairs: within reach, once, with a reason that lies sealed, kept for every later run."""

import pytest
from django.db import DatabaseError, connection, transaction

from tests.make import registered
from tests.make.town import officer
from wanjia.access.errors import RightMissing
from wanjia.kernel import clock, settings
from wanjia.kernel.keyring import Keyring
from wanjia.linkage.api import KEYED
from wanjia.linkage.api import reviewing as api
from wanjia.linkage.errors import PairDecided, ReasonNeeded, ReviewCaseUnknown
from wanjia.linkage.models import Decision, ReviewCase
from wanjia.trace.models import Entry

pytestmark = pytest.mark.django_db

PURPOSE = {"purpose": "case"}
NEAR, FAR = "990104100001", "990105100001"


@pytest.fixture
def li():
    return officer("li", "990104")


@pytest.fixture
def pairs():
    """1 and 2 are near; 3 is far; 4 is a record in nobody's state; 5 is under a protection order."""
    for person, division, is_sealed in ((1, NEAR, False), (2, NEAR, False), (3, FAR, False), (5, NEAR, True)):
        registered.register(
            person, {"name": "李兰", "sex": "2", "birth_on": "1980-01-01"}, division=division, is_sealed=is_sealed
        )

    def waits(one, two, probability=0.5, reason="uncertain"):
        return ReviewCase.objects.create(
            assertion_l=one, assertion_r=two, person_l=one, person_r=two, probability=probability, reason=reason, evidence=3, model="m",
            record_l=one * 10, record_r=two * 10, opened_at=clock.now(), band="link" if reason == "two_numbers" else "review",
        ).pk  # fmt: skip

    return {"near": waits(1, 2, 0.9, "two_numbers"), "far": waits(2, 3, 0.8), "lone": waits(1, 4, 0.7), "sealed": waits(2, 5, 0.6)}  # fmt: skip


def decide(case, verdict, by, reason="户口簿与出生证一致"):
    return api.decide_pair(case, verdict, reason, officer=by, **PURPOSE)


def test_the_queue_is_what_is_within_reach_the_likeliest_first(pairs, li):
    assert api.pairs_waiting(officer=li, **PURPOSE) == {"two_numbers": 1, "uncertain": 1}
    first = api.next_pair(officer=li, **PURPOSE)
    assert (first.id, first.is_merge) == (pairs["near"], True)
    second = api.next_pair(officer=li, after=first.id, **PURPOSE)
    assert (second.id, second.is_merge) == (pairs["lone"], False)
    assert api.next_pair(officer=li, after=second.id, **PURPOSE) is None
    assert api.next_pair(officer=li, reason="uncertain", **PURPOSE).id == pairs["lone"]
    for hidden in ("far", "sealed"):
        with pytest.raises(ReviewCaseUnknown):
            api.reach_pair(pairs[hidden], officer=li, **PURPOSE)
        with pytest.raises(ReviewCaseUnknown):
            decide(pairs[hidden], "same", li)
    with pytest.raises(ReviewCaseUnknown):
        decide(10**9, "same", li)
    with pytest.raises(RightMissing):
        api.pairs_waiting(officer=officer("pl", "99", "planner"), **PURPOSE)


def test_a_decision_is_kept_for_linking_and_told_to_both(pairs, li):
    before = api.decisions_made()
    made = decide(pairs["lone"], "same", li)
    assert api.decisions_made() == made.pk > before
    assert api.decided().to_pylist() == [{"record_l": 10, "record_r": 40, "is_same": True, "number": made.pk}]
    told = Entry.objects.filter(kind="linkage.decide_pair", purpose=f"case:{pairs['lone']}")
    assert set(told.values_list("subject", flat=True)) == {1, 4}
    assert ReviewCase.objects.get(pk=pairs["lone"]).status == "confirmed"
    # of two persons of the register a merge makes one, and linking keeps their records apart
    assert decide(pairs["near"], "same", li).is_merge
    assert api.decided().num_rows == 1


def test_a_pair_is_decided_once_but_what_was_put_aside_waits(pairs, li):
    decide(pairs["near"], "aside", li)
    assert api.next_pair(officer=li, **PURPOSE).id == pairs["lone"]
    assert api.pairs_waiting(officer=li, status="aside", **PURPOSE) == {"two_numbers": 1}
    decide(pairs["near"], "different", li)
    with pytest.raises(PairDecided) as said:
        decide(pairs["near"], "same", officer("wu", "990104"))
    assert "li" in str(said.value)
    assert [d.verdict for d in Decision.objects.order_by("pk")] == ["aside", "different"]


@pytest.mark.parametrize("reason", ["", " ", "是", "长" * 501])
def test_a_decision_needs_its_reason(pairs, li, reason):
    with pytest.raises(ReasonNeeded):
        decide(pairs["near"], "different", li, reason)
    assert not Decision.objects.exists()


def test_decisions_stay_and_their_reasons_lie_sealed(pairs, li):
    made = decide(pairs["near"], "different", li, "李兰本人到场")
    blob = bytes(Decision.objects.get(pk=made.pk).reason)
    assert "李兰".encode() not in blob
    for statement in ("UPDATE linkage_decision SET verdict = 'same'", "DELETE FROM linkage_decision"):
        with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)
    ring = Keyring.open(settings.home())
    ring.rotate("review-reason")
    assert KEYED[0].remake(ring, lambda _: None) == 1
    again = bytes(Decision.objects.get(pk=made.pk).reason)
    assert again != blob
    plain = Keyring.open(settings.home()).unseal("review-reason", again, b"linkage_decision|reason|%d" % made.pk)
    assert plain.decode() == "李兰本人到场"
    assert api.erase_person(1, by="test", why="test") == 1
    assert bytes(Decision.objects.get(pk=made.pk).reason) == b""


def test_the_pages_role_decides(pairs, li):
    with connection.cursor() as cursor:
        cursor.execute("SET ROLE wanjia_web")
        try:
            assert api.next_pair(officer=li, **PURPOSE).id == pairs["near"]
            decide(pairs["near"], "aside", li)
            with pytest.raises(DatabaseError), transaction.atomic():
                cursor.execute("DELETE FROM linkage_decision")
        finally:
            cursor.execute("RESET ROLE")


def test_a_pair_is_about_who_its_persons_are_now(pairs, li):
    """1 was merged into 2 since: the pair of both waits no longer, and that of 1 with a record is one of 2."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO register_personredirect (former_id, person_id, since, event_id) VALUES (1, 2, now(), 7)"
        )
        cursor.execute("UPDATE register_person SET left_at = now() WHERE id = 1")
    found = api.next_pair(officer=li, **PURPOSE)
    assert (found.id, found.person_l, found.is_merge) == (pairs["lone"], 2, False)
    assert api.next_pair(officer=li, after=found.id, **PURPOSE) is None

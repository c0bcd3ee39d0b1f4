"""Documents from issue to end: what stands in them, who may, what stays, what the public learns."""

import base64
import hashlib
import json
from datetime import timedelta

import jwt
import pytest
from cryptography import x509
from django.db import DatabaseError, connection, transaction

from tests.make.registered import register
from tests.store.documents.conftest import CHILD, DEAD, HEAD, WIFE, values
from wanjia.access.errors import OutsideArea, RightMissing
from wanjia.documents import api as documents
from wanjia.documents import errors
from wanjia.documents.api import Reason, State
from wanjia.documents.api.holding import unsealed
from wanjia.documents.models import Document, Step
from wanjia.documents.rules import lifecycle, numbers
from wanjia.documents.rules.lifecycle import StepKind
from wanjia.kernel import clock, settings
from wanjia.kernel.keyring import Keyring
from wanjia.keys import api as keys
from wanjia.keys.errors import ChainMissing
from wanjia.trace import api as trace

pytestmark = pytest.mark.django_db


def content(number: str) -> dict:
    return unsealed(Document.objects.get(number=number))[0]


def kinds_about(person: int) -> list[str]:
    return [entry["kind"] for entry in trace.entries(subject=person, limit=100)]


def test_a_book_says_what_the_register_says_in_the_books_order(desk):
    number = documents.issue(desk.officer, "household_book", WIFE, request="a", case="2026-0001")
    frozen = content(number)
    assert [page["name"] for page in frozen["members"]] == ["刘桂生", "欧阳秀英", "刘一"]
    assert [page["relation_to_head"] for page in frozen["members"]] == ["户主", "妻", "子"]
    assert frozen["fields"]["name"] == "刘桂生"
    assert frozen["labels"]["name"]["zh"] == "户主姓名"
    assert (
        frozen["members"][1]["moved_here"] == "1999年05月01日 澜江省望川市望湖区"
        or "1999年05月01日" in frozen["members"][1]["moved_here"]
    )
    assert frozen["members"][0]["moved_here"] == "久居"
    assert frozen["members"][0]["ethnicity"] == "汉族"
    for person in (HEAD, WIFE, CHILD):
        assert {"documents.issue", "privacy.open_person"} <= set(kinds_about(person)), "who stands in it sees it"


def test_the_file_is_made_again_bit_for_bit_and_its_signature_holds(desk):
    number = documents.issue(desk.officer, "household_book", HEAD, request="a")
    once, again = documents.file_of(desk.officer, number), documents.file_of(desk.officer, number)
    assert once == again
    assert hashlib.sha256(once).hexdigest() == content(number)["sha256"]
    assert documents.is_whole(once)
    for place in (200, len(once) // 2, len(once) - 400):
        altered = once[:place] + bytes([once[place] ^ 1]) + once[place + 1 :]
        assert not documents.is_whole(altered)
    assert not documents.is_whole(once + b"\n%% more\n")


def test_later_changes_of_register_and_layout_do_not_reach_an_issued_document(desk, monkeypatch):
    number = documents.issue(desk.officer, "household_certificate", HEAD, request="a")
    before = documents.file_of(desk.officer, number)
    register(75, values("另一人"))
    # the layout in force is another one now; the document keeps its own
    monkeypatch.setattr("wanjia.documents.api.kinds.COMMON", "extract.typ")
    assert documents.file_of(desk.officer, number) == before


def test_a_form_sent_twice_is_one_document(desk):
    first = documents.issue(desk.officer, "household_certificate", HEAD, request="token")
    assert documents.issue(desk.officer, "household_certificate", HEAD, request="token") == first
    assert documents.issue(desk.other, "household_certificate", HEAD, request="token") != first, "another's token"
    assert Document.objects.count() == 2


def test_one_book_is_in_force_and_a_reissue_takes_its_place(desk):
    number = documents.issue(desk.officer, "household_book", HEAD, request="a")
    with pytest.raises(errors.AlreadyInForce, match=documents.grouped(number)):
        documents.issue(desk.other, "household_book", WIFE, request="b")
    later = documents.reissue(desk.other, number, reason=Reason.LOST, request="c")
    assert content(later)["is_reissue"]
    assert content(later)["replaces_shown"] == documents.grouped(number)
    assert documents.check(number).state == "superseded"
    assert documents.check(later).state == "valid"
    with pytest.raises(errors.NotNow):
        documents.reissue(desk.other, number, reason=Reason.LOST, request="d")
    with pytest.raises(errors.NotNow):
        documents.file_of(desk.officer, number)


def test_a_permit_is_printed_once_and_ends_by_its_day(desk):
    number = documents.issue(desk.officer, "move_permit", CHILD, request="a")
    documents.file_of(desk.officer, number)
    with pytest.raises(errors.PrintsUsedUp):
        documents.file_of(desk.officer, number)
    assert documents.check(number).state == "valid"
    last_day = Document.objects.get(number=number).expires_on
    with clock.stopped_at(clock.now() + timedelta(days=29)):
        assert documents.check(number).state == "valid"
    with clock.stopped_at(clock.now() + timedelta(days=32)):
        assert documents.check(number) == documents.Checked(
            number, "expired", documents.check(number).issued_on, last_day
        )


def test_who_is_dead_gets_no_papers_of_the_living_and_the_other_way_round(desk):
    with pytest.raises(errors.NotForThisPerson):
        documents.issue(desk.officer, "household_certificate", DEAD, request="a")
    with pytest.raises(errors.NotForThisPerson):
        documents.issue(desk.officer, "death_extract", HEAD, request="b")
    assert (
        content(documents.issue(desk.officer, "death_extract", DEAD, request="c"))["fields"]["died_at"]
        == "2024年03月05日"
    )
    with pytest.raises(errors.NoHousehold):
        documents.issue(desk.officer, "household_book", register(76, values("无户")), request="d")


def test_what_the_register_lacks_is_named_and_nothing_is_issued(desk):
    with pytest.raises(errors.FactsMissing, match="Moves to"):
        documents.issue(desk.officer, "move_permit", HEAD, request="a")
    assert not Document.objects.exists()


def test_parents_stand_in_the_extract_of_a_birth(desk):
    page = content(documents.issue(desk.officer, "birth_extract", CHILD, request="a"))["fields"]
    assert (page["mother_name"], page["father_name"]) == ("欧阳秀英", "刘桂生")


def test_only_who_may_certify_for_all_in_it(desk):
    number = documents.issue(desk.officer, "household_book", HEAD, request="a")
    with pytest.raises(OutsideArea):
        documents.issue(desk.elsewhere, "household_certificate", HEAD, request="b")
    with pytest.raises(errors.DocumentUnknown):
        documents.file_of(desk.elsewhere, number)
    with pytest.raises(OutsideArea):
        documents.of_person(desk.elsewhere, HEAD)
    with pytest.raises(RightMissing):
        documents.issue(desk.steward, "household_certificate", HEAD, request="c")
    with connection.cursor() as cursor:
        cursor.execute("UPDATE register_person SET is_sealed = true WHERE id = %s", [CHILD])
    with pytest.raises(OutsideArea):
        documents.issue(desk.officer, "household_certificate", CHILD, request="d")
    with pytest.raises(OutsideArea):
        # a book without one of the household would be false, and to say why would tell of the seal
        documents.issue(desk.supervisor, "household_book", HEAD, request="e")


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("刘\U0003fffd", "no font here has it"),
        ("刘\ue123", "private-use"),
        ("刘\u202e生", "control"),
        ("刘葛\U000e01ef", "variant"),
    ],
)
def test_a_name_that_cannot_be_printed_refuses_and_tells_no_name(desk, name, says):
    person = register(77, values(name))
    with pytest.raises(errors.CannotBePrinted, match=says) as refused:
        documents.issue(desk.officer, "birth_extract", person, request="a")
    assert "“Name”" in str(refused.value)
    assert "姓名" in refused.value.sentence("zh")
    assert "刘" not in str(refused.value)
    assert not Document.objects.exists()


def test_a_revocation_needs_two_persons_where_declared(desk):
    number = documents.issue(desk.supervisor, "household_book", HEAD, request="a")
    assert documents.revoke(desk.supervisor, number, reason=Reason.OBTAINED_WRONGLY) is State.ASKED
    assert documents.check(number).state == "valid", "not before it is decided"
    assert [one.number for one in documents.waiting(desk.supervisor)] == [number]
    with pytest.raises(errors.SecondPersonNeeded):
        documents.confirm_revocation(desk.supervisor, number)
    with pytest.raises(RightMissing):
        documents.confirm_revocation(desk.other, number)
    with pytest.raises(DatabaseError), transaction.atomic():
        Document.objects.filter(number=number).update(
            state="revoked", ended_by=desk.supervisor.username, ended_at=clock.now()
        )
    from wanjia.access import api as access

    second = access.open_account(username="s2", display_name="s2", role="supervisor", password=None, area="990102")
    assert documents.refuse_revocation(second, number) is State.VALID
    documents.revoke(desk.officer, number, reason=Reason.MISTAKE)
    assert documents.confirm_revocation(second, number) is State.REVOKED
    assert documents.check(number).state == "revoked"
    assert "documents.revoked" in kinds_about(CHILD)
    with pytest.raises(errors.NotNow):
        documents.revoke(desk.officer, number, reason=Reason.MISTAKE)


def test_the_state_is_the_fold_of_the_steps(desk):
    one = documents.issue(desk.officer, "household_book", HEAD, request="a")
    documents.file_of(desk.officer, one)
    documents.reissue(desk.officer, one, reason=Reason.DAMAGED, request="b")
    two = documents.issue(desk.officer, "household_certificate", HEAD, request="c")
    documents.revoke(desk.officer, two, reason=Reason.MISTAKE)
    for document in Document.objects.all():
        steps = [StepKind(kind) for kind in document.steps.order_by("id").values_list("kind", flat=True)]
        assert lifecycle.fold(steps) == document.state


def test_what_was_issued_cannot_be_changed_in_the_database(desk):
    number = documents.issue(desk.officer, "household_certificate", HEAD, request="a")
    documents.revoke(desk.officer, number, reason=Reason.MISTAKE)
    for change in (
        lambda: Document.objects.filter(number=number).update(holder=1),
        lambda: Document.objects.filter(number=number).update(state="valid", ended_at=None),
        lambda: Document.objects.filter(number=number).delete(),
        lambda: Step.objects.filter(document_id=number).update(by="x"),
        lambda: connection.cursor().execute("DELETE FROM documents_layout"),
    ):
        with pytest.raises(DatabaseError), transaction.atomic():
            change()


def test_the_public_learns_number_day_and_state_only(desk):
    number = documents.issue(desk.officer, "household_certificate", HEAD, request="a")
    asked = documents.check(f" {documents.grouped(number).lower()} ")
    assert (asked.number, asked.state, asked.ended_on) == (number, "valid", None)
    assert set(vars(asked)) == {"number", "state", "issued_on", "ended_on"}
    wrong = number[:-1] + ("0" if number[-1] != "0" else "1")
    assert documents.check(wrong).state == "mistyped"
    from wanjia.documents.rules.numbers import check_character

    body = "H" + "0" * 14
    assert documents.check(body + check_character(body)).state == "unknown"


def test_the_revocation_list_is_signed_and_names_no_number(desk):
    number = documents.issue(desk.officer, "household_certificate", HEAD, request="a")
    kept = documents.issue(desk.officer, "household_certificate", WIFE, request="b")
    documents.revoke(desk.officer, number, reason=Reason.LOST)
    token = documents.revocation_list()
    chain = [x509.load_der_x509_certificate(base64.b64decode(one)) for one in jwt.get_unverified_header(token)["x5c"]]
    payload = jwt.decode(token, chain[0].public_key(), algorithms=["ES256"])
    chain[0].verify_directly_issued_by(chain[1])
    listed = {one["sha256"]: one["state"] for one in payload["documents"]}
    assert listed == {documents.listed_as(number): "revoked"}
    assert number not in json.dumps(payload)
    assert kept not in json.dumps(payload)
    with pytest.raises(jwt.InvalidSignatureError):
        jwt.decode(token[:-8] + "AAAAAAAA", chain[0].public_key(), algorithms=["ES256"])


def test_without_a_certificate_nothing_is_issued(desk):
    Keyring.open(settings.home()).rotate("sign-p256:documents")
    Keyring.open(settings.home())._refresh()
    with pytest.raises(ChainMissing):
        documents.issue(desk.officer, "household_certificate", HEAD, request="a")
    keys.make_test_chain(documents.SIGNS_FOR, by="test", why="test")
    assert documents.issue(desk.officer, "household_certificate", HEAD, request="a")


def test_content_is_sealed_and_moves_to_a_new_key(desk):
    number = documents.issue(desk.officer, "household_certificate", HEAD, request="a")
    before = documents.file_of(desk.officer, number)
    blob = bytes(Document.objects.get(number=number).blob)
    assert "刘桂生".encode() not in blob
    ring = Keyring.open(settings.home())
    ring.rotate("documents")
    ring._refresh()
    assert documents.KEYED[0].remake(ring, lambda _: None) == 1
    assert bytes(Document.objects.get(number=number).blob)[:5] != blob[:5]
    assert documents.file_of(desk.officer, number) == before


def test_erased_content_leaves_number_and_state(desk):
    number = documents.issue(desk.officer, "household_book", HEAD, request="a")
    assert documents.erase_person(CHILD, by="keeper", why="law") == 1
    assert documents.erase_person(CHILD, by="keeper", why="law") == 0
    document = Document.objects.get(number=number)
    assert bytes(document.blob) == b""
    assert documents.check(number).state == "revoked"
    with pytest.raises(errors.ContentErased):
        unsealed(document)


def test_who_loses_a_race_gets_the_first_document_or_is_told(desk, monkeypatch):
    """What the looks before an issue miss, the constraints catch: here the looks see nothing, as when two press at once."""
    from wanjia.documents.api import issuing

    first = documents.issue(desk.officer, "household_book", HEAD, request="same")
    seen, checked = issuing._made_by, issuing._require_none_in_force
    monkeypatch.setattr(issuing, "_made_by", lambda *given: seen(*given) if looks_done() else None)
    monkeypatch.setattr(issuing, "_require_none_in_force", lambda *given: checked(*given) if looks_done() else None)
    committed = issuing._commit
    tries = []

    def looks_done() -> bool:
        return bool(tries)

    def commit(*given):
        tries.append(1)
        with transaction.atomic():
            return committed(*given)

    monkeypatch.setattr(issuing, "_commit", commit)
    assert documents.issue(desk.officer, "household_book", HEAD, request="same") == first
    tries.clear()
    with pytest.raises(errors.AlreadyInForce):
        documents.issue(desk.other, "household_book", HEAD, request="another")
    assert Document.objects.count() == 1


def test_a_number_that_is_taken_is_drawn_again(desk, monkeypatch):
    from wanjia.documents.api import issuing

    taken = documents.issue(desk.officer, "household_certificate", HEAD, request="a")
    drawn = iter([taken])
    monkeypatch.setattr(issuing, "draw", lambda letter, below: next(drawn, None) or numbers.draw(letter, below))
    later = documents.issue(desk.officer, "household_certificate", HEAD, request="b")
    assert later != taken
    assert Document.objects.count() == 2

"""Documents at the counter and the public's question: what each page does, whom it refuses, and that the public learns nothing of anybody."""

import re

import jwt
import pytest
from cryptography import x509
from django.test import Client
from django.utils.timezone import localdate

from tests.store.documents.conftest import HEAD, WIFE, chain, desk
from tests.store.web.test_masked_fields import plain_static_files
from wanjia.access import api as access
from wanjia.documents import api as documents
from wanjia.documents.models import Document
from wanjia.documents.rules.numbers import check_character
from wanjia.kernel import clock

pytestmark = pytest.mark.django_db

__all__ = ["chain", "desk", "plain_static_files"]
PAGE = f"/officer/persons/{HEAD}/documents/"
#: everything the household of `desk` holds that is somebody's
PERSONAL = ["刘桂生", "欧阳秀英", "刘一", "990102198002290017", "990102001000061", "某街道1号", "1980"]


def client_of(account) -> Client:
    access.choose_language(account, "en")
    client = Client()
    client.force_login(account)
    return client


@pytest.fixture
def officer(desk):
    return client_of(desk.officer)


def token_on(client: Client, page: str, field: str = "token") -> str:
    """The token of a form, as the page gives it."""
    text = client.get(page).content.decode()
    return re.search(rf'name="{field}" value="([^"]+)"', text)[1]


def issued(client: Client, kind: str = "household_certificate", page: str = PAGE) -> str:
    """The number of a document issued by the page's form."""
    said = {"kind": kind, "lang": "zh", "case": "2026-0001", "token": token_on(client, page), "act": "issue"}
    answer = client.post(page, said)
    assert answer.status_code == 302, answer.content.decode()
    return answer.headers["Location"].strip("/").rpartition("/")[2]


def test_preview_issue_print_reissue(officer):
    said = {"kind": "household_book", "lang": "zh-en", "case": "", "token": token_on(officer, PAGE), "act": "preview"}
    shown = officer.post(PAGE, said)
    assert shown.headers["Content-Type"] == "application/pdf"
    assert shown.content.startswith(b"%PDF-")
    assert not Document.objects.exists(), "a preview issues nothing"
    once = officer.post(PAGE, said | {"act": "issue"})
    assert officer.post(PAGE, said | {"act": "issue"}).headers["Location"] == once.headers["Location"]
    assert Document.objects.count() == 1
    number = Document.objects.get().number
    page = once.headers["Location"]
    assert page == f"/officer/documents/{number}/"
    told = officer.get(page).content.decode()
    assert documents.grouped(number) in told
    assert ">valid</span>" in told
    assert f"/check/{number}/" in told
    file = officer.post(page, {"act": "print"})
    assert file.headers["Cache-Control"] == "no-store"
    assert documents.is_whole(file.content)
    again = {"again-reason": "lost", "again-case": "", "again-token": token_on(officer, page, "again-token")}
    later = officer.post(page, again | {"act": "reissue"}).headers["Location"]
    assert later != page
    assert documents.grouped(number) in officer.get(later).content.decode(), "it says what it replaces"
    assert "superseded by a reissued one" in officer.get(page).content.decode()
    listed = officer.get(PAGE).content.decode()
    assert "2 documents" in listed
    assert ">reissued</span>" in listed
    refused = officer.post(page, {"act": "print"})
    assert refused.headers["Content-Type"].startswith("text/html")
    assert "Nothing was changed" in refused.content.decode()


def test_why_nothing_was_issued_stands_in_the_form(officer):
    number = issued(officer, "household_book")
    said = {"kind": "household_book", "lang": "zh", "case": "2026-7", "token": "another", "act": "issue"}
    twice = officer.post(PAGE, said)
    assert f"number {documents.grouped(number)}" in twice.content.decode()
    assert 'value="2026-7"' in twice.content.decode(), "the form as it was"
    lacking = officer.post(PAGE, said | {"kind": "move_permit"}).content.decode()
    assert "The register lacks: Moves to" in lacking
    assert "Choose a document." in officer.post(PAGE, said | {"kind": ""}).content.decode()
    assert "do not write a name" in officer.post(PAGE, said | {"case": "刘桂生"}).content.decode()
    assert Document.objects.count() == 1


def test_a_revocation_asked_by_one_and_confirmed_by_another(officer, desk):
    number = issued(officer, "household_book")
    page = f"/officer/documents/{number}/"
    end = {"end-reason": "obtained_wrongly", "end-case": "", "end-token": "t", "act": "revoke"}
    assert "Choose the reason." in officer.post(page, end | {"end-reason": ""}).content.decode()
    assert officer.post(page, end).status_code == 302
    assert "revocation waits for confirmation" in officer.get(page).content.decode()
    assert officer.post(page, {"act": "confirm"}).status_code == 403, "not an officer's to confirm"
    assert documents.check(number).state == "valid"
    supervisor = client_of(desk.supervisor)
    assert documents.grouped(number) in supervisor.get("/officer/documents/").content.decode()
    assert supervisor.post(page, {"act": "confirm"}).status_code == 302
    assert documents.check(number).state == "revoked"
    assert "None waits." in supervisor.get("/officer/documents/").content.decode()
    assert "Confirm the revocation" not in supervisor.get(page).content.decode()


def test_a_supervisor_does_not_confirm_what_it_asked_for(desk):
    supervisor = client_of(desk.supervisor)
    page = f"/officer/documents/{issued(supervisor, 'household_book')}/"
    supervisor.post(page, {"end-reason": "mistake", "end-case": "", "end-token": "t", "act": "revoke"})
    assert "somebody other than who asked" in supervisor.post(page, {"act": "confirm"}).content.decode()
    assert supervisor.post(page, {"act": "refuse"}).status_code == 200, "nor refuses it"


def test_a_document_is_found_by_its_number_as_printed(officer):
    number = issued(officer)
    typed = f" {documents.grouped(number).lower()} "
    assert officer.post("/officer/documents/", {"number": typed}).headers["Location"].endswith(f"/{number}/")
    wrong = number[:-1] + ("0" if number[-1] != "0" else "1")
    assert "This is no number of a document" in officer.post("/officer/documents/", {"number": wrong}).content.decode()


def test_whom_the_counter_refuses(officer, desk):
    number = issued(officer)
    page = f"/officer/documents/{number}/"
    elsewhere, steward = client_of(desk.elsewhere), client_of(desk.steward)
    for client in (elsewhere, steward):
        assert client.get(PAGE).status_code == 403
        answer = client.get(page)
        assert answer.status_code >= 400
        assert documents.grouped(number) not in answer.content.decode()
        assert client.post(page, {"act": "print"}).status_code >= 400
    assert Client().get(page).headers["Location"].startswith("/login/")
    unknown = "H" + "0" * 14
    unknown += check_character(unknown)
    # the same words for a document of another area and for none
    refusals = {re.sub(r"[0-9A-F]{8}", "", elsewhere.get(f"/officer/documents/{one}/").content.decode().partition("<main")[2])
        for one in (number, unknown)}  # fmt: skip
    assert len(refusals) == 1


def test_the_public_learns_number_day_and_state_and_nothing_of_anybody(officer):
    number = issued(officer, page=f"/officer/persons/{WIFE}/documents/")
    anybody = Client(headers={"Accept-Language": "zh"})
    sent = anybody.post("/check/", {"number": documents.grouped(number)})
    assert sent.headers["Location"] == f"/check/{number}/"
    told = anybody.get(f"/check/{number}/")
    text = told.content.decode()
    assert told.status_code == 200
    assert documents.grouped(number) in text
    notice = text[text.index('role="status"') : text.index("<form", text.index('role="status"'))]
    said = re.sub(r"<[^>]*>", " ", notice.partition(">")[2]).split()
    assert said == ["有效", "编号", documents.grouped(number), "签发时间", localdate(clock.now()).isoformat()]
    assert [word for word in [*PERSONAL, "officer-1"] if word in text] == []
    officer.post(
        f"/officer/documents/{number}/", {"end-reason": "lost", "end-case": "", "end-token": "t", "act": "revoke"}
    )
    assert ">已撤销</span>" in anybody.get(f"/check/{number}/").content.decode()


def test_the_public_is_told_of_no_document_and_of_a_mistyped_number(desk):
    body = "H" + "0" * 14
    unknown = Client().get(f"/check/{body}{check_character(body)}/")
    assert (unknown.status_code, "没有此编号的证件" in unknown.content.decode()) == (404, True)
    assert Client().get("/check/%3Cscript%3E/").status_code == 404
    typed = Client().post("/check/", {"number": '"><b>1'})
    assert typed.status_code == 404
    assert "这不是证件编号" in typed.content.decode()
    assert 'value="&quot;&gt;&lt;b&gt;1"' in typed.content.decode()
    assert "请输入证件上印的编号" in Client().post("/check/", {"number": " "}).content.decode()


def test_nobody_tries_numbers_at_leisure(desk):
    answers = [Client().get("/check/0/").status_code for _ in range(61)]
    assert answers == [404] * 60 + [429]
    assert Client().post("/check/", {"number": "1"}).status_code == 429


def test_programs_fetch_the_signed_list_and_who_signed_it(officer):
    number = issued(officer)
    officer.post(
        f"/officer/documents/{number}/", {"end-reason": "lost", "end-case": "", "end-token": "t", "act": "revoke"}
    )
    listed, signers = Client().get("/check/revoked.jwt"), Client().get("/check/certificates.pem")
    assert listed.headers["Cache-Control"] == "public, max-age=300"
    assert listed.headers["Access-Control-Allow-Origin"] == "*"
    signer = x509.load_pem_x509_certificates(signers.content)[0]
    payload = jwt.decode(listed.content.decode(), signer.public_key(), algorithms=["ES256"])
    assert [one["sha256"] for one in payload["documents"]] == [documents.listed_as(number)]


def test_without_a_chain_the_public_gets_a_sentence(db):
    for file in ("revoked.jwt", "certificates.pem"):
        answer = Client().get(f"/check/{file}")
        assert 400 <= answer.status_code < 504
        assert "KEYS-006" in answer.content.decode()

"""The pages of requests: from the current value to the answer, by resident and office; nothing personal in addresses."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from tests.store.web.test_resident_pages import ME, keep, live, plain_static_files, resident_of
from wanjia.access import api as access
from wanjia.services.models import Case
from wanjia.trace import api as trace

pytestmark = pytest.mark.django_db

__all__ = ["keep", "plain_static_files"]
PICTURE = b"\x89PNG\r\n\x1a\n a paper"


@pytest.fixture
def me(keep) -> Client:
    keep(
        ME, ["police_register", "self", "GA02=王明", "GA06=1", "GA21=甲地1号"], chosen=["GA02=0p", "GA06=0p", "GA21=0p"]
    )
    live(ME)
    return resident_of(ME)


def staff(name: str, role: str) -> Client:
    access.open_account(username=name, display_name=name, role=role, password=None, department="GA")
    client = Client()
    client.force_login(access.account_named(name))
    return client


def test_a_correction_begins_with_the_current_value_and_ends_with_its_answer(me):
    record = me.get("/resident/record/").content.decode()
    assert "/resident/record/name/correct/" in record
    page = me.get("/resident/record/name/correct/").content.decode()
    for said in ("王明", "公安", "15 日", "申诉"):
        assert said in page, said
    wrong = me.post("/resident/record/name/correct/", {"wanted": "", "text": ""}).content.decode()
    assert wrong.count("govuk-error-message") >= 2
    assert "govuk-error-summary" in wrong
    refused = me.post(
        "/resident/record/name/correct/",
        {"wanted": "王铭", "text": "见身份证", "files": SimpleUploadedFile("x.png", b"<svg>")},
    )
    assert "JPEG" in refused.content.decode()
    sent = me.post(
        "/resident/record/name/correct/",
        {"wanted": "王铭", "text": "见身份证", "files": SimpleUploadedFile("王铭的身份证.png", PICTURE)},
    )
    case = Case.objects.get()
    assert sent["Location"] == f"/resident/requests/{case.id}/"
    mine = me.get(sent["Location"]).content.decode()
    assert "王铭" in mine
    assert "身份证.png" not in mine, "a file's name may be a person's"

    officer = staff("lin", "officer")
    assert f"/officer/corrections/{case.id}/" in officer.get("/officer/corrections/").content.decode()
    file = f"/officer/corrections/{case.id}/"
    opened = officer.get(file).content.decode()
    assert "王铭" in opened
    [evidence] = [part for part in opened.split('"') if part.startswith(f"{file}evidence/")]
    taken = officer.get(evidence)
    assert taken.content == PICTURE
    assert taken["Content-Disposition"].startswith("attachment")
    assert "请选择处理结果" in officer.post(file, {"text": "x"}).content.decode()
    assert officer.post(file, {"outcome": "refused", "text": "材料不足"}).status_code == 302
    mine = me.get(f"/resident/requests/{case.id}/").content.decode()
    assert "材料不足" in mine
    assert "lin" not in mine.split(), "the office answers, not a name"
    assert me.post(f"/resident/requests/{case.id}/", {"text": "不服"}).status_code == 302
    assert "已申诉" in me.get("/resident/requests/").content.decode()


def test_what_officers_may_not_read_is_not_corrected_here(me):
    page = me.get("/resident/record/").content.decode()
    assert "/record/ethnicity/correct/" not in page
    for column in ("ethnicity", "mother_number", "nothing", "residence_address"):
        answer = me.get(f"/resident/record/{column}/correct/")
        assert answer.status_code == (200 if column == "residence_address" and "residence_address" in page else 409), (
            column
        )


def test_ask_why_and_read_the_answer(me):
    [entry] = trace.record("privacy.open_person", subject_ids=[ME], by="lin", why="case:7", department="GA")
    trace.Sequencer().step()
    assert f"/resident/looks/{entry}/ask/" in me.get("/resident/looks/").content.decode()
    sent = me.post(f"/resident/looks/{entry}/ask/", {"text": "为什么查阅？"})
    number = Case.objects.get().id
    assert sent["Location"] == f"/resident/requests/{number}/"
    steward = staff("st", "steward")
    assert "overdue" not in steward.get("/steward/asked/").content.decode()
    page = steward.get(f"/steward/asked/{number}/").content.decode()
    assert "为什么查阅？" in page
    assert "case:7" not in page
    assert "· 7" in page, "the office sees the case, to know what it was about"
    assert steward.post(f"/steward/asked/{number}/", {"outcome": "justified", "text": "办理迁移"}).status_code == 302
    assert "办理迁移" in me.get(f"/resident/requests/{number}/").content.decode()
    stranger = resident_of(ME + 1, "another")
    for address in (f"/resident/requests/{number}/", f"/resident/looks/{entry}/ask/"):
        assert stranger.get(address).status_code == 409
    public = Client().get("/answers/")
    assert public.status_code == 200
    assert "登记（公安）" in public.content.decode()

"""A resident on a phone asks why and asks for a correction; the office answers on its pages."""

import re

import pytest
from playwright.sync_api import expect

from tests.journeys.test_every_page import faults_of, sideways

pytestmark = [pytest.mark.journey, pytest.mark.timeout(600)]

PICTURE = b"\x89PNG\r\n\x1a\n a paper"


@pytest.mark.parametrize("script", [True, False])
def test_correct_my_data_from_record_to_answer(visit, script):
    page, watch = visit("resident", width=320, script=script)
    page.goto("/resident/record/")
    # without scripts the first value, with them the second: one request at a time about one value
    page.locator("details.value:has(a)").nth(int(script)).locator("summary").click()
    page.locator("details.value[open] a").click()
    current = page.locator(".govuk-summary-list__value").first.inner_text()
    page.fill("#id_wanted", "改")
    page.fill("#id_text", "见证件")
    page.set_input_files("#id_files", {"name": "a.png", "mimeType": "image/png", "buffer": PICTURE})
    page.get_by_role("button", name="提交申请").click()
    page.wait_for_url(re.compile(r"/resident/requests/\d+/$"))
    expect(page.locator("main")).to_contain_text("改")
    number = page.url.rstrip("/").rpartition("/")[2]
    if script:
        assert sideways(page) == 0
        assert not faults_of(page)
        assert not watch.errors

    officer, watched = visit("officer", lang="en", width=320)
    officer.goto(f"/officer/corrections/{number}/")
    if not script:
        expect(officer.locator("main")).to_contain_text(current)
    officer.select_option("#id_outcome", "refused")
    officer.fill("#id_text", "材料不足")
    assert sideways(officer) == 0
    assert not faults_of(officer)
    officer.get_by_role("button", name="Send and record").click()
    assert not watched.errors

    page.reload()
    expect(page.locator("main")).to_contain_text("材料不足")
    page.fill("#id_text", "不服")
    page.get_by_role("button", name="申诉").click()
    expect(page.locator("main")).to_contain_text("已申诉")


def test_ask_why_and_read_the_answer(visit):
    page, watch = visit("resident", lang="en", width=320)
    page.goto("/resident/looks/")
    for look in page.locator(".look details").all():
        look.locator("summary").click()
    page.locator(".look a", has_text="Ask why").first.click()
    assert not faults_of(page)
    page.fill("#id_text", "Why?")
    page.get_by_role("button", name="Send the question").click()
    page.wait_for_url(re.compile(r"/resident/requests/\d+/$"))
    number = page.url.rstrip("/").rpartition("/")[2]
    assert sideways(page) == 0
    assert not faults_of(page)

    steward, watched = visit("steward", width=320)
    steward.goto("/steward/asked/")
    assert not faults_of(steward)
    steward.goto(f"/steward/asked/{number}/")
    assert not faults_of(steward)
    assert sideways(steward) == 0
    steward.select_option("#id_outcome", "justified")
    steward.fill("#id_text", "登记库自身的处理")
    steward.get_by_role("button", name="发送并记录").click()
    page.reload()
    expect(page.locator("main")).to_contain_text("登记库自身的处理")
    assert not watch.errors
    assert not watched.errors


def test_an_accepted_correction_goes_on_as_an_event_until_the_register_says_it(visit):
    page, watch = visit("resident", lang="en", width=320)
    page.goto("/resident/record/birth_on/correct/")
    wanted = "1979-03-04"
    page.fill("#id_wanted", wanted)
    page.fill("#id_text", "见出生证明")
    page.get_by_role("button", name="Send the request").click()
    page.wait_for_url(re.compile(r"/resident/requests/\d+/$"))
    number = page.url.rstrip("/").rpartition("/")[2]

    officer, watched = visit("officer", lang="en", width=320)
    officer.goto(f"/officer/corrections/{number}/")
    officer.select_option("#id_outcome", "accepted")
    officer.fill("#id_text", "同意")
    officer.get_by_role("button", name="Send and record").click()
    officer.wait_for_url(re.compile(r"/officer/cases/\d+/form/$"))
    expect(officer.locator("#v-birth_on")).to_have_value(wanted)
    assert sideways(officer) == 0
    assert not faults_of(officer)
    officer.fill("input[name=no-ground]", "Q-1")
    officer.check("#seen-ground")
    officer.locator("button[value=submit]").click()
    officer.wait_for_url(re.compile(r"/officer/cases/\d+/$"))

    chief, seen = visit("supervisor", lang="zh-hans", width=320)
    chief.goto(officer.url)
    assert not faults_of(chief)
    chief.locator("button[value=register]").click()
    expect(chief.locator("h2").first).to_have_text("已登记")
    page.reload()
    expect(page.locator("main")).to_contain_text(f"The register now says: {wanted}")
    assert sideways(page) == 0
    assert not faults_of(page)
    assert not [*watch.errors, *watched.errors, *seen.errors]

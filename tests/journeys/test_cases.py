"""An officer registers a birth and a death, by keyboard alone; the pages are sound, also with scripts off and at 320 px."""

import csv
import re
from datetime import date, datetime
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Page, expect

from tests.journeys.test_every_page import faults_of, sideways
from tests.journeys.test_officer import _is_sound

pytestmark = [pytest.mark.journey, pytest.mark.timeout(600)]


def mother(site) -> str:
    """The number of a woman between 22 and 40 whose registration stands, as the police register delivered it."""
    inbox = next(site.home.glob("city-*/inbox"))
    for path in sorted(inbox.rglob("police_register*.csv")):
        with path.open(encoding="utf-8-sig", errors="replace", newline="") as file:
            for row in csv.DictReader(file):
                number = row["公民身份号码"]
                if not re.fullmatch(r"99\d{15}[\dX]", number) or not _is_sound(number) or row["户口状态"] != "正常":
                    continue
                if int(number[16]) % 2 == 0 and 22 <= date.today().year - int(number[6:10]) <= 40:
                    return number
    raise AssertionError("no such woman in the police register")


def skip_to_content(page: Page) -> None:
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")


def fill(page: Page, *texts: str | None) -> None:
    """Type into one field after the other; None leaves one as it is."""
    for text in texts:
        page.keyboard.press("Tab")
        if text:
            page.keyboard.type(text)


def press(page: Page, name: str) -> None:
    """Go to the button of that name by Tab alone and press it."""
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.textContent.trim()") == name:
            page.keyboard.press("Enter")
            return
    raise AssertionError(f"no way to {name} by Tab")


def submit_birth(page: Page, mothers_number: str, today: date) -> None:
    """Fill in the form of a birth by keyboard and submit it."""
    skip_to_content(page)
    born = today.replace(day=1).isoformat()
    fill(page, mothers_number, None, "安宁", "女", born, None, "990102", None, None, None, None, None, "30")
    fill(page, "Q330123456")
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"/officer/cases/\d+/(form/)?"))
    expect(page.locator("#what-title")).to_have_text("已提交")


def test_a_birth_and_a_death_by_keyboard(site, visit):
    page, watch = visit("officer")
    page.goto("/officer/cases/new/birth/")
    assert not faults_of(page)
    today = datetime.now(ZoneInfo("Asia/Shanghai")).date()  # the office's day
    submit_birth(page, mother(site), today)
    assert not faults_of(page)
    press(page, "登记")
    expect(page.locator("#what-title")).to_have_text("已登记")
    child = page.locator("dl.facts dt", has_text="新生儿").locator("+ dd a").first.inner_text()

    page.goto(f"/officer/cases/new/death/?deceased={child}")
    skip_to_content(page)
    fill(page, None, None, today.isoformat(), "D2026000123")
    press(page, "提交")
    expect(page.get_by_role("alert")).to_contain_text("死亡医学证明")
    assert not faults_of(page)
    page.locator("#no-death_certificate").focus()
    page.keyboard.type("D2026000123")
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowDown")
    press(page, "提交")
    expect(page.locator("#what-title")).to_have_text("已提交")
    press(page, "登记")
    expect(page.locator("#what-title")).to_have_text("已登记")
    assert not watch.errors
    assert not watch.elsewhere

    auditor, _ = visit("auditor")
    auditor.goto("/auditor/trace/?actor=officer")
    expect(auditor.locator("#rows")).to_contain_text("登记事项")


@pytest.mark.parametrize("lang", ["zh-hans", "en"])
def test_pages_of_events_are_sound_on_a_narrow_screen(visit, lang):
    page, watch = visit("officer", lang=lang, width=320)
    for address in ("/officer/cases/", "/officer/cases/?tab=drafts", "/officer/cases/new/", "/officer/cases/new/birth/",
                    "/officer/cases/new/change_correction/", "/officer/cases/new/split_household/"):  # fmt: skip
        assert page.goto(address).status == 200
        assert sideways(page) == 0, address
        assert not faults_of(page), address
    page.get_by_role("button", name="提交" if lang == "zh-hans" else "Submit", exact=True).click()
    expect(page.get_by_role("alert")).to_be_visible()
    assert sideways(page) == 0
    assert not faults_of(page)
    assert not watch.errors


def test_a_draft_is_kept_without_scripts_and_after_logging_out(visit):
    page, _watch = visit("officer", script=False)
    page.goto("/officer/cases/new/death/")
    page.fill("#v-certificate", "D-777")
    page.get_by_role("button", name="保存草稿").click()
    expect(page.get_by_role("status")).to_be_visible()
    address = page.url.partition("?")[0]
    other, _ = visit("officer", script=False)
    other.goto(address)
    assert other.input_value("#v-certificate") == "D-777"

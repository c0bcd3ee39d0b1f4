"""An officer finds a person, states why, reads the record, and every read is in the trace."""

import csv
import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.journeys.test_every_page import faults_of, sideways

pytestmark = [pytest.mark.journey, pytest.mark.timeout(600)]
with Path("declared/cn/names/readings.csv").open(encoding="utf-8", newline="") as _file:
    READINGS = {letter: row["syllable"] for row in csv.DictReader(_file) for letter in row["characters"]}


def someone(site) -> tuple[str, str]:
    """(name, number) of a resident as the police register delivered it: any row with a sound number."""
    inbox = next(site.home.glob("city-*/inbox"))
    for path in sorted(inbox.rglob("police_register*.csv")):
        with path.open(encoding="utf-8-sig", errors="replace", newline="") as file:
            for row in csv.DictReader(file):
                if re.fullmatch(r"99\d{15}[\dX]", row["公民身份号码"]) and _is_sound(row["公民身份号码"]):
                    return row["姓名"], row["公民身份号码"]
    raise AssertionError("no resident with a sound number in the police register")


def _is_sound(number: str) -> bool:
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    return "10X98765432"[sum(int(d) * w for d, w in zip(number, weights, strict=False)) % 11] == number[17]


def find(page: Page, query: str, case: str = "2026-0001") -> None:
    page.goto("/officer/find/")
    page.fill("#id_query", query)
    page.select_option("#id_purpose", "case")
    page.fill("#id_case", case)
    page.click("form[role=search] button.btn-primary")


def test_find_open_and_leave_a_trace(site, visit):
    _name, number = someone(site)
    page, watch = visit("officer")
    find(page, number)
    assert number not in page.url
    expect(page.locator("#hits-title")).to_be_visible()
    assert not faults_of(page)
    page.locator("td form button").first.click()
    expect(page.locator(".recorded")).to_be_visible()
    assert re.search(r"/officer/persons/\d+/$", page.url)
    assert page.locator("details.value").count() >= 5
    assert number not in page.content(), "the number is masked until asked for"
    page.locator("details.value summary").nth(1).click()
    expect(page.locator("details.value[open] .why-body").first).to_be_visible()
    assert not faults_of(page)
    page.get_by_role("button", name="显示完整号码").click()
    expect(page.locator(".person-head")).to_contain_text(number)
    page.reload()
    assert page.locator("#reads tbody tr").count() >= 3, "every display of the record is a read"
    page.go_back()
    assert not watch.errors
    assert not watch.elsewhere

    auditor, _ = visit("auditor")
    auditor.goto("/auditor/trace/?actor=officer")
    expect(auditor.locator("#rows")).to_contain_text("打开档案")
    expect(auditor.locator("#rows")).to_contain_text("2026-0001")


def test_person_page_on_a_phone_in_english(site, visit):
    _name, number = someone(site)
    page, watch = visit("officer", lang="en", width=320)
    find(page, number)
    page.locator("td form button").first.click()
    expect(page.locator(".recorded")).to_contain_text("This read was recorded")
    assert sideways(page) == 0
    assert not faults_of(page)
    assert not watch.errors


def test_no_record_without_a_purpose(site, visit):
    _name, number = someone(site)
    page, _watch = visit("officer")
    find(page, number)
    page.locator("td form button").first.click()
    address = page.url
    other, _ = visit("officer")
    other.goto(address)
    expect(other.get_by_role("heading", level=1)).to_have_text("为何打开此档案？")
    other.click("main form .btn-primary")
    expect(other.get_by_role("alert")).to_be_visible()
    assert not faults_of(other)


def test_a_mistyped_number_is_named_and_finds_who_was_meant(site, visit):
    _name, number = someone(site)
    wrong = number[:17] + ("1" if number[17] != "1" else "2")
    page, watch = visit("officer")
    find(page, wrong)
    expect(page.locator(".notice-warning")).to_contain_text("校验码")
    expect(page.locator("tbody tr").first).to_contain_text("号码第 18 位不同")
    assert page.input_value("#id_query") == wrong
    assert not faults_of(page)
    assert not watch.errors


@pytest.mark.parametrize("way", ["name", "pinyin", "letters", "year"])
def test_one_box_understands_many_ways(site, visit, way):
    name, number = someone(site)
    syllables = [READINGS[character] for character in name]
    typed = {
        "name": name,
        "pinyin": "".join(syllables),
        "letters": "".join(s[0] for s in syllables) + f" {number[6:10]}",
        "year": f"{name} {number[6:10]}",
    }[way]
    page, watch = visit("officer", lang="en")
    find(page, typed)
    assert page.locator("tbody tr").count() >= 1
    assert name not in page.url
    assert not faults_of(page)
    page.locator("main").press("j")
    assert page.evaluate("document.activeElement.hasAttribute('data-open')")
    page.keyboard.press("Enter")
    expect(page.locator(".recorded")).to_be_visible()
    assert not watch.errors
    assert not watch.elsewhere


def test_back_returns_to_the_hits(site, visit):
    name, _number = someone(site)
    page, _watch = visit("officer")
    find(page, name)
    hits = page.locator("tbody tr").count()
    assert hits >= 1
    page.locator("td form button").first.click()
    expect(page.locator(".recorded")).to_be_visible()
    page.go_back()
    expect(page.locator("#hits-title")).to_be_visible()
    assert page.locator("tbody tr").count() == hits


def test_works_without_script(site, visit):
    _name, number = someone(site)
    page, _watch = visit("officer", script=False)
    find(page, number)
    page.locator("td form button").first.click()
    assert page.locator(".recorded").count() == 1


def test_keyboard_alone_finds_and_opens(site, visit):
    _name, number = someone(site)
    page, _watch = visit("officer")
    page.goto("/officer/find/")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.type(number)
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator("#hits-title")).to_be_visible()


@pytest.mark.parametrize(("lang", "width"), [("zh-hans", 1440), ("en", 320)])
def test_a_document_from_issue_to_the_public_check(site, visit, lang, width):
    _name, number = someone(site)
    page, watch = visit("officer", lang=lang, width=width)
    find(page, number)
    page.locator("td form button").first.click()
    page.locator("nav.sections a[href$='/documents/']").click()
    assert not faults_of(page)
    assert sideways(page) == 0
    page.click("button[value=issue]")
    expect(page.get_by_role("alert")).to_be_visible()
    assert not faults_of(page)
    page.select_option("#id_kind", "household_certificate")
    page.fill("#id_case", "2026-0002")
    page.click("button[value=issue]")
    expect(page.locator("#state-title")).to_be_visible()
    shown = page.locator("#state-title").inner_text()
    assert not faults_of(page)
    assert sideways(page) == 0
    page.select_option("#id_again-reason", "damaged")
    page.click("button[value=reissue]")
    expect(page.locator("#state-title")).not_to_have_text(shown)
    assert page.locator("dd a.code").first.inner_text() == shown, "it says what it replaces"
    page.locator("a[href*='/persons/'][href$='/documents/']").first.click()
    assert page.locator("tbody tr").count() >= 2
    assert not faults_of(page)
    anybody, other = visit(None, lang=lang, width=width)
    anybody.goto("/check/")
    anybody.fill("#number", shown.lower())
    anybody.keyboard.press("Enter")
    expect(anybody.locator("[role=status] .tag.bad")).to_be_visible()
    assert not faults_of(anybody)
    assert sideways(anybody) == 0
    for one in (watch, other):
        assert not one.errors
        assert not one.elsewhere


@pytest.mark.parametrize("lang", ["zh-hans", "en"])
def test_a_household_as_a_tree_on_a_narrow_screen(site, visit, lang):
    _name, number = someone(site)
    page, watch = visit("officer", lang=lang, width=320)
    find(page, number)
    page.locator("td form button").first.click()
    expect(page.locator(".recorded")).to_be_visible()
    page.goto(f"{page.url}household/")
    expect(page.locator("#family-title")).to_be_visible()
    assert page.locator(".family a").count() == page.locator("section[aria-labelledby=now-title] tbody tr").count()
    assert not faults_of(page)
    assert sideways(page) == 0
    assert not watch.errors

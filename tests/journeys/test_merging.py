"""Two entries of one person: beside each other for an officer, who asks; a supervisor decides; and undone. By keyboard, in both languages."""

import csv
import io
import os
import re
import subprocess
import sys

import pytest
from playwright.sync_api import Page, expect

from tests.journeys.test_cases import mother, press, skip_to_content
from tests.journeys.test_every_page import faults_of, sideways
from tests.journeys.test_officer import find

pytestmark = [pytest.mark.journey, pytest.mark.timeout(600)]


#: of whom just one of these says something, mostly without a sound number
RARELY_NUMBERED = ("school_rolls", "birth_certificates", "assistance", "medical_insurance")


def single_entries(site) -> list[str]:
    """Ids of persons whom one record of one department makes."""
    env = {**os.environ, "WANJIA_HOME": str(site.home)}
    env.pop("DATABASE_URL", None)
    command = [sys.executable, "-m", "wanjia", "linkage", "export", "--format", "csv"]
    told = subprocess.run(command, env=env, capture_output=True, text=True, timeout=120, check=True).stdout
    records: dict[str, list[str]] = {}
    for row in csv.DictReader(io.StringIO(told)):
        records.setdefault(row["person_id"], []).append(row["source"])
    found = {person: sources[0] for person, sources in records.items() if len(sources) == 1}
    return [person for source in RARELY_NUMBERED for person in found if found[person] == source]


def someone(page: Page, site) -> str:
    """The id of a woman the officer may read, found by her number."""
    find(page, mother(site))
    page.locator("td form button").first.click()
    return re.search(r"/officer/persons/(\d+)/", page.url)[1]


def mergeable(page: Page, site, one: str) -> str:
    """Somebody whose entry can be taken into hers: nothing but the reason is missing."""
    for other in single_entries(site)[:60]:
        page.goto(f"/officer/persons/{one}/merge/?other={other}")
        if page.get_by_role("alert").count() == 0 and page.locator("#values-title").count():
            return other
    raise AssertionError("no entry of the city can be merged with hers")


def test_a_merge_by_keyboard_decided_by_another_and_undone(site, visit):
    page, watch = visit("officer")
    one = someone(page, site)
    other = mergeable(page, site, one)
    assert not faults_of(page)
    skip_to_content(page)
    page.locator("#v-ground").focus()
    page.keyboard.type("姓名、出生日期与住址相同")
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowDown")
    press(page, "提交他人审核")
    expect(page.locator("#what-title")).to_have_text("已提交")
    case = re.search(r"/cases/(\d+)/", page.url)[1]

    boss, _ = visit("supervisor")
    boss.goto(f"/officer/cases/{case}/")
    boss.get_by_role("link", name="并排核对两条登记与合并结果").click()
    expect(boss.locator("#values-title")).to_be_visible()
    assert not faults_of(boss)
    boss.goto(f"/officer/cases/{case}/")
    press(boss, "登记")
    expect(boss.locator("#what-title")).to_have_text("已登记")
    page.goto(f"/officer/persons/{other}/")
    assert page.url.endswith(f"/officer/persons/{one}/"), "the former id leads to who stays"

    page.goto(f"/officer/persons/{one}/unmerge/{case}/")
    assert not faults_of(page)
    skip_to_content(page)
    press(page, "提交他人审核")
    expect(page.get_by_role("alert")).to_be_visible()
    assert not faults_of(page)
    page.locator("#v-ground").focus()
    page.keyboard.type("指纹不同，确为两人")
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowDown")
    press(page, "提交他人审核")
    expect(page.locator("#what-title")).to_have_text("已提交")
    undo = re.search(r"/cases/(\d+)/", page.url)[1]
    boss.goto(f"/officer/cases/{undo}/")
    press(boss, "登记")
    expect(boss.locator("#what-title")).to_have_text("已登记")
    page.goto(f"/officer/persons/{other}/")
    assert page.url.endswith(f"/officer/persons/{other}/")
    assert not watch.errors
    assert not watch.elsewhere


@pytest.mark.parametrize("lang", ["zh-hans", "en"])
def test_pages_of_merging_are_sound_on_a_narrow_screen(site, visit, lang):
    for width in (320, 1440):
        page, watch = visit("officer", lang=lang, width=width)
        one = someone(page, site)
        other = single_entries(site)[0]
        for address in (
            f"/officer/persons/{one}/merge/",
            f"/officer/persons/{one}/merge/?other={other}",
            f"/officer/persons/{one}/merge/?other={one}",
            f"/officer/persons/{one}/unmerge/1/",
        ):
            assert page.goto(address).status == 200
            assert sideways(page) == 0, address
            assert not faults_of(page), address
        assert not watch.errors


@pytest.mark.parametrize("lang", ["zh-hans", "en"])
def test_pairs_are_decided_by_keyboard(visit, lang):
    words = {
        "zh-hans": ("下一对", "无法判定，暂缓"),
        "en": ("Next pair", "Cannot tell, put aside"),
    }[lang]
    for width in (320, 1440):
        page, watch = visit("officer", lang=lang, width=width)
        page.goto("/officer/pairs/")
        assert sideways(page) == 0
        assert not faults_of(page)
        assert page.locator("a.btn-primary", has_text=words[0]).count() == 1, "the city has pairs that wait"
        page.locator("a.btn-primary", has_text=words[0]).press("Enter")
        page.wait_for_url(re.compile(r"/officer/pairs/\d+/"))
        first = page.url
        expect(page.locator("#values-title")).to_be_visible()
        assert sideways(page) == 0
        assert not faults_of(page)
        if width == 320:
            continue  # few pairs wait in the small city: one is decided in each language
        skip_to_content(page)
        press(page, words[1])
        expect(page.get_by_role("alert")).to_be_visible()
        assert not faults_of(page)
        page.locator("#v-ground").focus()
        page.keyboard.type("两份材料都不在手边")
        press(page, words[1])
        page.wait_for_url(lambda url, was=first: url != was and "/officer/pairs/" in url)
        assert not watch.errors
        assert not watch.elsewhere


@pytest.mark.parametrize("lang", ["zh-hans", "en"])
def test_conflicts_are_decided_by_keyboard(visit, lang):
    """From the queue to a conflict, refused without a reason, decided, and on to the next; and who is right leads to the correction filled in."""
    words = {
        "zh-hans": ("下一条冲突", "退回来源", "所选值正确：更正登记", "此值正确"),
        "en": (
            "Next conflict",
            "Send back to the sources",
            "The chosen value is right: correct the register",
            "this is right",
        ),
    }[lang]
    for width in (320, 1440):
        page, watch = visit("officer", lang=lang, width=width)
        page.goto("/officer/conflicts/")
        assert sideways(page) == 0
        assert not faults_of(page)
        page.locator("a.btn-primary", has_text=words[0]).press("Enter")
        page.wait_for_url(re.compile(r"/officer/conflicts/\d+/"))
        first = page.url
        expect(page.locator("#side-1")).to_be_visible()
        assert sideways(page) == 0
        assert not faults_of(page)
        if width == 320:
            # on a phone the records stand below each other: nothing is beyond the edge of a table either
            assert page.evaluate(
                "[...document.querySelectorAll('.scroll')].every(one => one.scrollWidth <= one.clientWidth)"
            )
            continue
        skip_to_content(page)
        press(page, words[1])
        expect(page.get_by_role("alert")).to_be_visible()
        assert not faults_of(page)
        page.locator("#v-ground").focus()
        page.keyboard.type("与来源单位电话核实")
        press(page, words[1])
        page.wait_for_url(lambda url, was=first: url != was and "/officer/conflicts/" in url)
        page.goto(first)
        assert page.locator("#decision").count() == 0, "decided once"
        page.goto("/officer/conflicts/next/?kind=differs_from_register")
        right = page.get_by_label(words[3]).first
        right.focus()
        page.keyboard.press("Space")
        page.locator("#v-ground").focus()
        page.keyboard.type("出生医学证明核对一致")
        press(page, words[2])
        page.wait_for_url(re.compile(r"/officer/cases/\d+/form/"))
        assert not faults_of(page)
        assert not watch.errors
        assert not watch.elsewhere

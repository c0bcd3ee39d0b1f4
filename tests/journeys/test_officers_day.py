"""An officer's day, by keyboard alone: each act ends with the right household book, entries of the trace, and answers for a day."""

import json
import os
import re
import subprocess
import sys
from datetime import date, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Page, expect

from tests.journeys.test_cases import press
from tests.journeys.test_every_page import faults_of
from tests.journeys.test_merging import mergeable

pytestmark = [pytest.mark.journey, pytest.mark.timeout(900)]
#: where pictures for the docs go, when asked for
SHOTS = os.environ.get("WANJIA_SHOTS")


@pytest.fixture(scope="module")
def day(site, browser):
    """Two officers of two offices and a chief at their desks, and who comes to them today."""
    environment = {**{k: v for k, v in os.environ.items() if k != "DATABASE_URL"}, "WANJIA_HOME": str(site.home)}
    done = subprocess.run(
        [sys.executable, "-m", "tests.make.cast"], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
    cast = json.loads(done.stdout)
    contexts, desks = [], {}
    for name, password in cast["accounts"].items():
        contexts.append(browser.new_context(viewport={"width": 1280, "height": 900}, locale="zh-CN", base_url=site.url))
        page = desks[name] = contexts[-1].new_page()
        page.set_default_timeout(20_000)
        page.goto("/login/")
        type_in(page, "#id_login", name)
        type_in(page, "#id_password", password)
        page.keyboard.press("Enter")
        page.wait_for_url(lambda url: "/login" not in url)
    today = datetime.now(ZoneInfo("Asia/Shanghai")).date()
    yield SimpleNamespace(**cast, **desks, today=today, yesterday=today - timedelta(days=1))
    for context in contexts:
        context.close()


def at(page: Page, selector: str) -> None:
    """Go to a control by Tab alone."""
    for _ in range(150):
        if page.evaluate("s => document.activeElement.matches(s)", selector):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"no way to {selector} by Tab")


def type_in(page: Page, selector: str, text: str) -> None:
    """Write over what stands in a field."""
    at(page, selector)
    page.keyboard.press("Control+a")
    page.keyboard.type(text)


def choose(page: Page, selector: str, label: str) -> None:
    """Choose from a list by the arrow keys."""
    at(page, selector)
    for _ in range(30):
        if page.evaluate("document.activeElement.selectedOptions[0].textContent.trim()") == label:
            return
        page.keyboard.press("ArrowDown")
    raise AssertionError(f"{label} is not offered")


def begin(page: Page, kind: str, **parts: str) -> None:
    """A blank form, with persons in their parts."""
    page.goto(f"/officer/cases/new/{kind}/")
    for part, who in parts.items():
        type_in(page, f"#p-{part}", str(who))


def save(page: Page) -> None:
    """Keep the draft: what the register holds is filled in, and a line for each person who needs a relation stands there."""
    with page.expect_navigation():
        press(page, "保存草稿")
    expect(page.locator(".notice[role=status]")).to_be_visible()


def declare(page: Page, *papers: str, declarant: str = "") -> None:
    """See the papers, name who declares, submit."""
    for paper in papers:
        if page.locator(f"#no-{paper}").count():
            type_in(page, f"#no-{paper}", "Q2026000123")
        at(page, f"#seen-{paper}")
        page.keyboard.press("Space")
    at(page, "#declarant")
    page.keyboard.press("ArrowDown")
    press(page, "提交")
    page.wait_for_url(re.compile(r"/officer/cases/\d+/(form/)?"))
    expect(page.locator("#what-title"), page.locator("main").inner_text()).to_have_text("已提交")


def register(page: Page) -> str:
    """Register the case on the page; its address."""
    press(page, "登记")
    expect(page.locator("#what-title"), page.locator("main").inner_text()).to_have_text("已登记")
    return page.url


def stated(page: Page, person: int, path: str = "") -> None:
    """A page of a person, the purpose stated by keyboard if it is asked for."""
    page.goto(f"/officer/persons/{person}/")
    if page.locator("main select#id_purpose").count():
        choose(page, "#id_purpose", "办理窗口业务")
        press(page, "打开并留痕")
    expect(page.locator(".recorded")).to_be_visible()
    if path:
        page.goto(f"/officer/persons/{person}/{path}")


def book(page: Page, person: int) -> list[tuple[int, str]]:
    """The household of a person in the book's order: (person, what they are to the head)."""
    stated(page, person, "household/")
    assert not faults_of(page)
    rows = page.locator("section[aria-labelledby=now-title] tbody tr")
    return [
        (
            int(re.search(r"/persons/(\d+)/", rows.nth(i).locator("th a").get_attribute("href"))[1]),
            rows.nth(i).locator("td").nth(2).inner_text(),
        )
        for i in range(rows.count())
    ]


def on_a_day(page: Page, person: int, day: date) -> str:
    """What held of a person on a day, as the page of it says."""
    stated(page, person, f"on-a-day/?true_on={day.isoformat()}")
    return page.locator("main").inner_text()


def traced(visit, actor: str, action: str, subject: int) -> None:
    """The auditor finds the act by who did it, what it was and whom it was about."""
    auditor, _watch = visit("auditor")
    auditor.goto(f"/auditor/trace/?actor={actor}&kind={action}&subject={subject}")
    expect(auditor.locator("#rows tbody tr").first, f"{actor} {action} {subject}").to_contain_text(actor)


def shot(page: Page, name: str) -> None:
    """A picture for the docs, when they are asked for."""
    if SHOTS:
        page.screenshot(path=Path(SHOTS) / f"day-{name}-zh.png")


def test_a_birth_to_a_mother_registered_elsewhere(day):
    page = day.north
    begin(page, "birth", mother=day.mother["number"], father=day.father["number"])
    born = day.today - timedelta(days=5)
    for field, text in (("name", "安然"), ("sex", "女"), ("birth_on", born.isoformat()), ("birth_place", day.counties["north"]),
                        ("household", str(day.father["home"]))):  # fmt: skip
        type_in(page, f"#v-{field}", text)
    save(page)
    expect(page.locator("#v-household_number")).not_to_have_value("")
    type_in(page, "#v-relation", "30")
    shot(page, "birth")
    declare(page, "birth_certificate", "household_book")
    register(page)
    child = int(page.locator("dl.facts dt", has_text="新生儿").locator("+ dd a").first.inner_text())
    day.child = child
    members = book(page, day.father["id"])
    assert members[0] == (day.father["id"], "户主")
    assert child in [person for person, _ in members]
    assert day.mother["id"] not in [person for person, _ in members]
    shot(page, "household")
    assert "无" in on_a_day(page, child, born - timedelta(days=1)) or "没有" in on_a_day(
        page, child, born - timedelta(days=1)
    )
    assert str(day.father["id"]) in on_a_day(page, child, day.today)


def test_a_head_dies_and_another_is_chosen(day):
    page, dead = day.north, day.dying_head["id"]
    heir, *others = day.dying_head["others"]
    begin(page, "death", deceased=dead, successor=heir)
    type_in(page, "#v-died_at", day.today.isoformat())
    type_in(page, "#v-certificate", "D2026000777")
    save(page)
    for other in others:
        type_in(page, f"#r-relations-{other}", "97")
    shot(page, "death")
    declare(page, "death_certificate")
    register(page)
    members = book(page, heir)
    assert members[0] == (heir, "户主")
    assert sorted(person for person, _ in members) == sorted([heir, *others])
    before, now = on_a_day(page, heir, day.yesterday), on_a_day(page, heir, day.today)
    assert str(dead) in before
    assert str(dead) not in now.partition("亲属关系")[0]


def test_divorced_and_a_household_of_her_own(day):
    page, wife, husband = day.north, day.wife["id"], day.wife["husband"]
    begin(page, "divorce_note", one=wife, other=husband)
    type_in(page, "#v-on", day.yesterday.isoformat())
    type_in(page, "#v-certificate", "L990102-2026-000777")
    declare(page, "divorce_certificate")
    register(page)
    begin(page, "split_household", head=wife)
    save(page)
    expect(page.locator("#v-division")).not_to_have_value("")
    declare(page, "home")
    shot(page, "split")
    register(page)
    assert book(page, wife) == [(wife, "户主")]
    assert wife not in [person for person, _ in book(page, husband)]
    assert str(husband) in on_a_day(page, wife, day.yesterday - timedelta(days=1))


def test_a_move_by_two_officers(day):
    north, south, mover = day.north, day.south, day.mover["id"]
    begin(north, "move_out", mover=mover)
    type_in(north, "#v-to", day.counties["south"])
    declare(north)
    register(north)
    begin(south, "move_in", mover=day.mover["number"])
    type_in(south, "#v-from", day.counties["north"])
    type_in(south, "#v-household", str(day.host["home"]))
    save(south)
    type_in(south, f"#r-relations-{mover}", "97")
    shot(south, "move-in")
    declare(south, "move_permit")
    register(south)
    members = book(south, mover)
    assert members[0] == (day.host["id"], "户主")
    assert mover in [person for person, _ in members]
    assert str(day.host["id"]) in on_a_day(south, mover, day.today)
    # the north may not read who belongs to the south now
    answer = north.goto(f"/officer/persons/{mover}/")
    assert answer.status == 403


def test_a_birth_date_is_put_right_by_a_certificate(day):
    page, who = day.north, day.misborn["id"]
    wrong = date.fromisoformat(day.misborn["birth_on"])
    right = wrong + timedelta(days=1)
    begin(page, "change_correction", person=who)
    type_in(page, "#v-kind", "41")
    type_in(page, "#v-birth_on", right.isoformat())
    declare(page, "ground")
    address = page.url
    # who submitted it cannot be the one who registers it
    page.goto(address)
    if page.get_by_role("button", name="登记", exact=True).count():
        press(page, "登记")
        expect(page.get_by_role("alert")).to_be_visible()
    day.chief.goto(address)
    register(day.chief)
    # the form asks for a name too, where that is what changes: it stands on no other case
    assert "曾用名" not in day.chief.locator("dl.facts").inner_text()
    shot(day.chief, "correction")
    assert right.isoformat() in on_a_day(page, who, day.today)
    known_before = f"on-a-day/?true_on={day.today.isoformat()}&known_on={day.yesterday.isoformat()}"
    stated(page, who, known_before)
    told = page.locator("main").inner_text()
    assert right.isoformat() not in told


def test_a_wrong_merge_is_undone(day, site, visit):
    # whoever is in one department's records alone belongs to no area: officers of the whole city look at doubles
    (page, _), (chief, _) = visit("officer", width=1280), visit("supervisor")
    one = day.entered_twice["id"]
    members, told = book(page, one), on_a_day(page, one, day.today)
    other = mergeable(page, site, str(one))
    shot(page, "merge")
    merged = asked_of_another(page, "姓名、出生日期与住址相同")
    chief.goto(merged)
    register(chief)
    page.goto(f"/officer/persons/{other}/")
    assert page.url.endswith(f"/officer/persons/{one}/"), "the former id leads to who stays"

    page.goto(f"/officer/persons/{one}/unmerge/{merged.rstrip('/').rpartition('/')[2]}/")
    undone = asked_of_another(page, "确为两人")
    chief.goto(undone)
    register(chief)
    page.goto(f"/officer/persons/{other}/")
    assert page.url.endswith(f"/officer/persons/{other}/")
    assert (book(page, one), on_a_day(page, one, day.today)) == (members, told)


def asked_of_another(page: Page, ground: str) -> str:
    """Say why, submit for another to decide; the address of the case."""
    type_in(page, "#v-ground", ground)
    at(page, "#declarant")
    page.keyboard.press("ArrowDown")
    press(page, "提交他人审核")
    expect(page.locator("#what-title"), page.locator("main").inner_text()).to_have_text("已提交")
    return page.url


def test_a_book_is_printed(day, site, browser, tmp_path):
    page = day.north
    stated(page, day.wife["id"], "documents/")
    choose(page, "#id_kind", "居民户口簿")
    type_in(page, "#id_case", "2026-0777")
    press(page, "签发")
    expect(page.locator("#state-title")).to_be_visible()
    number = page.locator("#state-title").inner_text()
    shot(page, "book")
    assert not faults_of(page)
    printed = tmp_path / "book.pdf"

    # it opens beside the page, in whatever shows PDFs there: what comes over the line is what is looked at
    def keep(route):
        answer = route.fetch()
        printed.write_bytes(answer.body())
        route.fulfill(response=answer)

    page.context.route("**/officer/documents/**", keep)
    with page.expect_popup() as opened:
        press(page, "打开已签名的 PDF 以打印")
    for _ in range(100):
        if printed.exists():
            break
        page.wait_for_timeout(100)
    page.context.unroute("**/officer/documents/**")
    opened.value.close()
    signature = subprocess.run(["pdfsig", str(printed)], capture_output=True, text=True, check=False).stdout
    assert "Signature is Valid" in signature
    anyone = browser.new_context(base_url=site.url)
    try:
        public = anyone.new_page()
        public.goto(f"/check/{number.replace('-', '')}/")
        expect(public.locator("main")).to_contain_text("有效")
    finally:
        anyone.close()


def test_the_day_is_in_the_trace(day, visit):
    for actor, subject in (
        ("north", day.child), ("north", day.dying_head["id"]), ("north", day.wife["id"]), ("north", day.mover["id"]),
        ("south", day.mover["id"]), ("chief", day.misborn["id"]),
    ):  # fmt: skip
        traced(visit, actor, "register.event_register", subject)
    traced(visit, "north", "documents.issue", day.wife["id"])

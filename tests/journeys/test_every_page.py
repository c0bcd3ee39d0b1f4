"""Every page, in both languages and three widths: nothing inaccessible, no sideways scroll, no error, no outside request."""

import pytest
from playwright.sync_api import Page, expect

from tests.journeys.conftest import AXE

pytestmark = [pytest.mark.journey, pytest.mark.timeout(900)]

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
PAGES = {
    "officer": [
        "/officer/find/",
        "/officer/cases/",
        "/officer/cases/new/",
        "/officer/pairs/",
        "/officer/pairs/together/",
        "/officer/conflicts/",
        "/officer/documents/",
        "/planner/population/",
        "/officer/corrections/",
    ],
    "steward": [
        "/steward/runs/",
        "/steward/quarantine/",
        "/steward/scorecards/",
        "/steward/scorecards/police_register/",
        "/steward/findings/",
        "/steward/linkage/",
        "/steward/asked/",
        "/steward/divisions/",
        "/steward/divisions/new/",
        "/divisions/",
        "/divisions/990103003/",
    ],
    "planner": [
        "/planner/population/",
        "/planner/population/?area=990103&by=domicile",
        "/planner/pyramid/",
        "/planner/pyramid/?area=990102",
        "/planner/population/years/",
        "/planner/population/years/?area=990103&by=domicile&divisions_on=2020-12-31",
    ],
    "auditor": [
        "/auditor/trace/",
        "/auditor/log/",
        "/auditor/seals/",
        "/steward/runs/",
        "/auditor/alerts/",
        "/auditor/incidents/",
        "/auditor/reviews/",
        "/auditor/records/",
    ],
    "security_admin": ["/admin/keys/"],
    "resident": [
        "/residents/",
        "/resident/",
        "/resident/record/",
        "/resident/looks/",
        "/resident/looks/?own=1",
        "/resident/looks/check/",
        "/resident/requests/",
        "/resident/record/name/correct/",
        "/answers/",
    ],
}


def faults_of(page: Page) -> list[str]:
    """What axe finds. Its source goes in through the debugger, which the page's policy does not bind."""
    page.evaluate(AXE.read_text(encoding="utf-8") + "; void 0")
    found = page.evaluate("rules => axe.run(document, {runOnly: {type: 'tag', values: rules}})", RULES)
    return [f"{v['id']}: {v['nodes'][0]['html'][:160]} ({len(v['nodes'])} times)" for v in found["violations"]]


def settled(page: Page) -> None:
    """Wait for the page's pictures to stand."""
    for chart in page.locator(".chart").all():
        expect(chart).to_have_attribute("data-ready", "1")


def sideways(page: Page) -> int:
    """How many pixels the page is wider than its window."""
    return page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")


@pytest.mark.parametrize("lang", ["zh-hans", "en"])
@pytest.mark.parametrize("user", list(PAGES))
def test_page_is_sound(visit, user, lang):
    for width in (1440, 390, 320):
        page, watch = visit(user, lang=lang, width=width)
        for address in PAGES[user]:
            answer = page.goto(address)
            settled(page)
            assert answer.status == 200, address
            assert answer.headers["cache-control"] == "no-store", address
            assert page.get_attribute("html", "lang") == lang
            assert sideways(page) == 0, f"{address} at {width} px"
            assert not faults_of(page), f"{address} at {width} px in {lang}"
        assert not watch.errors
        assert not watch.elsewhere
        assert page.evaluate("localStorage.length + sessionStorage.length") == 0


@pytest.mark.parametrize("lang", ["zh-hans", "en"])
def test_log_in_and_its_errors_are_sound(visit, lang):
    page, watch = visit(None, lang=lang, width=320)
    page.goto("/login/")
    assert not faults_of(page)
    page.click("main form .btn-primary")
    expect(page.get_by_role("alert")).to_be_visible()
    assert not faults_of(page)
    assert sideways(page) == 0
    page.fill("#id_login", "officer")
    page.fill("#id_password", "wrong")
    page.click("main form .btn-primary")
    expect(page.get_by_role("alert")).to_be_visible()
    assert not watch.errors


@pytest.mark.parametrize("lang", ["zh-hans", "en"])
def test_checking_a_document_is_sound_without_log_in(visit, lang):
    page, watch = visit(None, lang=lang, width=320)
    for address, status in {"/check/": 200, "/check/C000000000000000/": 404, "/check/1/": 404}.items():
        answer = page.goto(address)
        assert answer.status == status
        assert page.get_attribute("html", "lang") == lang
        assert sideways(page) == 0, address
        assert not faults_of(page), address
    page.fill("#number", "1234")
    page.click("main form .btn-primary")
    expect(page.locator("[role=status]")).to_be_visible()
    # a browser says in its console that an answer was 404; nothing else is wrong
    assert not [error for error in watch.errors if "404" not in error]
    assert not watch.elsewhere


def test_large_text_does_not_break_a_narrow_page(visit):
    page, _watch = visit("steward", width=320)
    page.get_by_role("button", name="大字版").click()
    for address in PAGES["steward"]:
        page.goto(address)
        assert page.get_attribute("html", "data-text") == "large"
        assert sideways(page) == 0, address

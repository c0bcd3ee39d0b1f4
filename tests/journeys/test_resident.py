"""A resident on a phone: the own record, light, without scripts, by keyboard."""

import pytest
from playwright.sync_api import Page, expect

from tests.journeys.test_every_page import faults_of, sideways

pytestmark = [pytest.mark.journey, pytest.mark.timeout(600)]

LIGHT_BYTES = 50 * 1024


def weight_of(page: Page, address: str) -> int:
    """Bytes over the wire for a page and all it loads, headers included, with nothing kept by the browser before."""
    session = page.context.new_cdp_session(page)
    session.send("Network.enable")
    session.send("Network.setCacheDisabled", {"cacheDisabled": True})
    sizes: list[int] = []
    session.on("Network.loadingFinished", lambda event: sizes.append(int(event["encodedDataLength"])))
    page.goto(address, wait_until="networkidle")
    session.detach()
    assert len(sizes) >= 3, "page, look, seal"
    return sum(sizes)


def test_first_pages_are_light(visit):
    stranger, _ = visit(None, width=390)
    resident, _ = visit("resident", width=390)
    pages = {"/residents/": stranger, "/login/?next=/resident/": stranger, "/resident/": resident}
    weights = {address: weight_of(page, address) for address, page in pages.items()}
    weights["/resident/record/"] = weight_of(resident, "/resident/record/")
    assert max(weights.values()) <= LIGHT_BYTES, weights


def test_log_in_and_read_the_own_record_without_scripts(site, visit):
    page, _watch = visit(None, width=390, script=False)
    page.goto("/residents/")
    page.get_by_role("link", name="登录").click()
    page.fill("#id_login", "resident")
    page.fill("#id_password", site.passwords["resident"])
    page.get_by_role("button", name="登录").click()
    page.get_by_role("link", name="我的档案").last.click()
    assert page.locator("details.value").count() >= 8
    page.locator("details.value summary").first.click()
    expect(page.locator("details.value[open] .why").first).to_contain_text("采用规则")


def test_the_record_by_keyboard_at_320_in_english(visit):
    page, watch = visit("resident", lang="en", width=320)
    page.goto("/resident/record/")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "govuk-skip-link"
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator("details.value[open] .why")).to_be_visible()
    assert sideways(page) == 0
    assert not faults_of(page)
    assert not watch.errors
    assert page.evaluate("localStorage.length + sessionStorage.length") == 0

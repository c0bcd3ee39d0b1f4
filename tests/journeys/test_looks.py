"""A resident finds who looked, keeps a receipt, and checks it in the own browser against the public log."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.journeys.test_every_page import faults_of, sideways

pytestmark = [pytest.mark.journey, pytest.mark.timeout(600)]


def opened_look(page: Page) -> None:
    """Open the ground and proof of the newest look that has its place in the log."""
    page.goto("/resident/record/")
    page.goto("/resident/looks/?own=1")
    for _ in range(20):
        if page.locator(".look [data-receipt]").count():
            break
        page.wait_for_timeout(500)
        page.reload()
    page.locator(".look:has([data-receipt]) summary").first.click()


def test_check_one_look_and_a_kept_receipt(visit, tmp_path):
    page, watch = visit("resident", width=320)
    opened_look(page)
    page.locator("[data-receipt]:visible").first.click()
    told = page.locator(".checked:visible").first
    expect(told).to_have_attribute("data-state", "good")
    expect(told).to_contain_text("核对通过")
    assert sideways(page) == 0
    assert not faults_of(page)
    with page.expect_download() as kept:
        page.locator(".look-actions a:visible").first.click()
    file = tmp_path / "kept.tlog-proof"
    kept.value.save_as(file)
    assert re.fullmatch(r"look-\d+\.tlog-proof", kept.value.suggested_filename)

    page.goto("/resident/looks/check/")
    expect(page.locator("#kept-keys")).not_to_have_value("")
    page.set_input_files("#kept-receipt", file)
    page.get_by_role("button", name="核对").click()
    expect(page.locator("form .checked")).to_have_attribute("data-state", "good")
    assert not faults_of(page)
    # one letter of the entry changed
    lines = file.read_text().split("\n")
    lines[1] = lines[1][:90] + ("A" if lines[1][90] != "A" else "B") + lines[1][91:]
    file.write_text("\n".join(lines))
    page.set_input_files("#kept-receipt", file)
    page.get_by_role("button", name="核对").click()
    expect(page.locator("form .checked")).to_have_attribute("data-state", "bad")
    assert not watch.errors
    assert not watch.elsewhere
    assert page.evaluate("localStorage.length + sessionStorage.length") == 0


def test_a_server_that_says_another_purpose_than_the_log_is_caught(visit):
    page, _watch = visit("resident")
    opened_look(page)
    page.evaluate("document.querySelector('[data-receipt]').dataset.purpose = 'case'")
    page.locator("[data-receipt]:visible").first.click()
    expect(page.locator(".checked:visible").first).to_have_attribute("data-state", "bad")


def test_who_looked_without_scripts(visit):
    page, _watch = visit("resident", width=390, script=False)
    opened_look_without_scripts(page)
    with page.expect_download() as kept:
        page.locator(".look-actions a:visible").first.click()
    assert kept.value.suggested_filename.endswith(".tlog-proof")
    assert page.locator(".look-actions button:visible").count() == 0


def opened_look_without_scripts(page: Page) -> None:
    page.goto("/resident/record/")
    page.wait_for_timeout(3000)
    page.goto("/resident/looks/?own=1")
    page.locator(".look:has(.look-actions) summary").first.click()

"""A steward reads why a row was refused, shows its cells for a reason, and filters lists with and without script."""

import pytest
from playwright.sync_api import expect

from tests.journeys.test_every_page import faults_of, sideways

pytestmark = [pytest.mark.journey, pytest.mark.timeout(600)]


def test_cells_only_for_a_reason(visit):
    page, watch = visit("steward")
    page.goto("/steward/quarantine/")
    page.locator("#rows tbody a").first.click()
    assert page.locator("table").count() == 0, "cells are sealed until a reason is given"
    page.click("main form .btn-primary")
    expect(page.get_by_role("alert")).to_be_visible()
    assert not faults_of(page)
    page.select_option("#why", "mend_source")
    page.click("main form .btn-primary")
    expect(page.locator("table tbody tr").first).to_be_visible()
    expect(page.locator(".recorded")).to_be_visible()
    assert not faults_of(page)
    assert not watch.errors

    admin, _ = visit("system_admin")
    admin.goto(page.url)
    assert admin.locator("#why").count() == 0, "an administrator may not show cells"


@pytest.mark.parametrize("script", [True, False])
def test_filter_is_in_the_address(visit, script):
    page, _watch = visit("steward", script=script)
    page.goto("/steward/quarantine/")
    value = page.locator("#f-source option").nth(1).get_attribute("value")
    page.select_option("#f-source", value)
    page.click("form.filters .btn-primary")
    page.wait_for_url(f"**source={value}**")
    names = page.locator("#rows tbody th").all_inner_texts()
    assert len(set(names)) == 1


@pytest.mark.parametrize("script", [True, False])
def test_pages_of_a_list_keep_the_address_and_back_restores(visit, script):
    page, watch = visit("steward", script=script)
    place = page.locator("#rows .pages > span")

    def numbers() -> list[str]:
        return page.locator("#rows tbody tr td:first-child").all_inner_texts()

    page.goto("/steward/findings/")
    first = numbers()
    assert len(first) == 50
    page.locator(".pages nav a", has_text="下一页").click()
    page.wait_for_url("**page=2**")
    expect(place).to_contain_text("51–")
    second = numbers()
    assert second
    assert not set(first) & set(second)
    page.go_back()
    expect(place).to_contain_text("1–50")
    assert numbers() == first
    assert page.url.endswith("/steward/findings/")
    page.go_forward()
    expect(place).to_contain_text("51–")
    assert numbers() == second
    page.reload()
    assert numbers() == second, "the address alone gives the page"
    page.locator(".pages nav a", has_text="上一页").click()
    expect(place).to_contain_text("1–50")
    assert numbers() == first
    assert not watch.errors


def test_switching_language_keeps_page_and_filter(visit):
    page, _watch = visit("steward", width=390)
    page.goto("/steward/findings/?source=police_register")
    page.get_by_role("button", name="English").click()
    assert page.url.endswith("/steward/findings/?source=police_register")
    expect(page.get_by_role("heading", level=1)).to_have_text("Findings")
    page.get_by_role("button", name="中文").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("质量问题")
    assert sideways(page) == 0


def test_rows_in_equal_rows_out(visit):
    page, _watch = visit("steward")
    page.goto("/steward/runs/")

    def number(cell: str) -> int:
        return int(cell.replace(",", ""))

    rows = page.locator("section[aria-labelledby=deliveries-title] tbody tr").all()
    assert rows
    for row in rows:
        cells = row.locator("td").all_inner_texts()
        rows_in, accepted, quarantined, repeats = (number(cell) for cell in cells[2:6])
        assert rows_in == accepted + quarantined + repeats


def test_other_roles_are_refused(visit):
    page, _watch = visit("planner")
    answer = page.goto("/steward/quarantine/")
    assert answer.status == 403
    expect(page.locator("main")).to_contain_text("ACCESS-001")
    assert not faults_of(page)

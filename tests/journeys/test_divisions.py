"""Divisions at the desk: chosen by keyboard from a list while typing, asked about without scripts; changed by a steward; over the years."""

import os
import re
import subprocess
import sys

import pytest
from playwright.sync_api import expect

from tests.journeys.test_every_page import faults_of, sideways

pytestmark = [pytest.mark.journey, pytest.mark.timeout(600)]


def test_a_division_is_chosen_by_keyboard(visit):
    page, watch = visit("officer", width=320)
    page.goto("/officer/cases/new/birth/")
    field = page.locator("#v-birth_place")
    field.focus()
    page.keyboard.type("qingfeng")
    options = page.locator("#v-birth_place-list [role=option]")
    expect(options.first).to_be_visible()
    expect(field).to_have_attribute("aria-expanded", "true")
    assert not faults_of(page)
    assert sideways(page) == 0
    page.keyboard.press("ArrowDown")
    expect(field).to_have_attribute("aria-activedescendant", re.compile("v-birth_place-list-0"))
    expect(options.first).to_have_attribute("aria-selected", "true")
    assert not faults_of(page)
    page.keyboard.press("Enter")
    assert field.input_value().startswith("990104 ")
    expect(field).to_have_attribute("aria-expanded", "false")
    field.fill("")
    page.keyboard.type("qfq")
    expect(options).to_have_count(2)
    page.keyboard.press("Escape")
    expect(field).to_have_attribute("aria-expanded", "false")
    assert field.input_value() == "qfq"
    assert not watch.errors
    assert not watch.elsewhere
    assert "qfq" not in page.url


def test_without_scripts_the_form_asks_which_one_is_meant(visit):
    page, _watch = visit("officer", script=False, width=320)
    page.goto("/officer/cases/new/birth/")
    page.fill("#v-birth_place", "qfq")
    page.locator("button[name=do][value=check]").click()
    choices = page.locator("input[name=pick-birth_place]")
    expect(choices).to_have_count(3)
    assert sideways(page) == 0
    page.locator("input[name=pick-birth_place][value='990104']").check()
    page.locator("button[name=do][value=check]").click()
    assert page.input_value("#v-birth_place").startswith("990104 ")
    expect(page.locator("input[name=pick-birth_place]")).to_have_count(0)


def test_a_steward_renames_a_division_and_planners_compare_years(site, visit):
    page, watch = visit("steward", lang="en", width=320)
    page.goto("/steward/divisions/new/")
    page.locator("button[value=plan]").click()
    expect(page.get_by_role("alert")).to_be_visible()
    assert not faults_of(page)
    assert sideways(page) == 0
    for name, text in {
        "code": "2026-01-liudi", "on": "2026-01-01", "law_zh": "第1号令", "law_en": "Order 1", "moves": "990103002 990103002",
        "begins": "990103002 | 柳岸街道 | Liu'an Sub-district",
    }.items():  # fmt: skip
        page.fill(f"#{name}", text)
    page.locator("button[value=plan]").click()
    expect(page.locator("#plan-title")).to_be_visible()
    assert not faults_of(page)
    assert sideways(page) == 0
    page.locator("button[value=order]").click()
    page.wait_for_url("**/steward/divisions/**")
    expect(page.locator("[id='2026-01-liudi']")).to_be_visible()
    assert not faults_of(page)

    env = {**os.environ, "WANJIA_HOME": str(site.home)}
    env.pop("DATABASE_URL", None)
    done = [sys.executable, "-m", "wanjia", "timetable", "do", "minutely.change_divisions_due"]
    subprocess.run(done, env=env, check=True, capture_output=True, timeout=120)

    page.goto("/divisions/990103002/")
    expect(page.locator("main")).to_contain_text("Liudi Sub-district")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Liu'an")
    assert not faults_of(page)
    assert sideways(page) == 0
    page.goto("/steward/divisions/")
    expect(page.locator("[id='2026-01-liudi'] .tag.good")).to_be_visible()

    planner, heard = visit("planner", lang="en", width=320)
    planner.goto("/planner/population/years/?area=990103")
    expect(planner.locator("tbody")).to_contain_text("Liu'an")
    planner.fill("#divisions_on", "2020-12-31")
    planner.locator("main form .btn-primary").click()
    planner.wait_for_url("**divisions_on=2020-12-31**")
    expect(planner.locator("tbody")).to_contain_text("Liudi")
    expect(planner.locator("tbody")).to_contain_text("Bailu Sub-district")
    assert not faults_of(planner)
    assert sideways(planner) == 0
    # a browser says in its console that an answer was 400; nothing else is wrong
    assert not [error for error in (*watch.errors, *heard.errors) if "400" not in error]
    assert not watch.elsewhere
    assert not heard.elsewhere

"""The practice register beside the register in earnest: plainly marked on every page, and nothing done in it touches the other."""

import json
import os
import re
import subprocess
import sys
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import expect

from tests.journeys.conftest import Site, served
from tests.journeys.test_cases import mother, press, submit_birth
from tests.journeys.test_every_page import faults_of, sideways

pytestmark = [pytest.mark.journey, pytest.mark.timeout(600)]
BAND = {"zh-hans": "练习登记册", "en": "Practice register"}
STATE = """
import json
from wanjia.kernel.database import setup_django
setup_django()
from django.db import connection
with connection.cursor() as cursor:
    cursor.execute("SELECT (SELECT count(*) FROM trace_entry), (SELECT count(*) FROM register_event)")
    print(json.dumps(cursor.fetchone()))
"""


def wanjia(home, *arguments: str) -> str:
    """What `wanjia …` prints in a home."""
    environment = {**{k: v for k, v in os.environ.items() if k != "DATABASE_URL"}, "WANJIA_HOME": str(home)}
    done = subprocess.run(
        [sys.executable, *arguments], env=environment, capture_output=True, text=True, timeout=280, check=False
    )
    assert done.returncode in (0, 3), done.stderr[-3000:]
    return done.stdout


@pytest.fixture(scope="module")
def practice(site):
    """The practice register of the site, made and served as its how-to says."""
    said = wanjia(site.home, "-m", "wanjia", "practice", "serve", "--no-serve")
    passwords = dict(re.findall(r"^\s+\w+\s+(\w+)\s+(\S{4}-\S{4}-\S{4})$", said, re.MULTILINE))
    home = site.home / "practice"
    with served(home) as url:
        yield Site(url, passwords, home)


def log_in(page, site: Site, user: str) -> None:
    page.goto(f"{site.url}/login/")
    page.fill("#id_login", user)
    page.fill("#id_password", site.passwords[user])
    page.click("main form .btn-primary")
    page.wait_for_url(lambda url: "/login" not in url)


def test_what_is_practised_touches_nothing_in_earnest(site, practice, visit):
    page, watch = visit("officer")
    digest = json.loads(wanjia(site.home, "-m", "wanjia", "register", "digest", "--format", "json"))["digest"]
    before = json.loads(wanjia(site.home, "-c", STATE))
    practised = json.loads(wanjia(practice.home, "-c", STATE))

    log_in(page, practice, "officer")
    expect(page.locator(".practice-band")).to_contain_text(BAND["zh-hans"])
    assert page.title().startswith("练习 · ")
    page.goto(f"{practice.url}/officer/cases/new/birth/")
    submit_birth(page, mother(practice), datetime.now(ZoneInfo("Asia/Shanghai")).date())
    press(page, "登记")
    expect(page.locator("#what-title")).to_have_text("已登记")

    after = json.loads(wanjia(practice.home, "-c", STATE))
    assert after[0] > practised[0]
    assert after[1] == practised[1] + 1
    assert json.loads(wanjia(site.home, "-c", STATE)) == before
    assert json.loads(wanjia(site.home, "-m", "wanjia", "register", "digest", "--format", "json"))["digest"] == digest

    # one browser, both registers: neither logs the other out
    page.goto(f"{site.url}/officer/cases/")
    assert "/login" not in page.url
    assert page.locator(".practice-band").count() == 0
    page.goto(f"{practice.url}/officer/cases/")
    assert "/login" not in page.url
    assert not watch.errors


@pytest.mark.parametrize("lang", ["zh-hans", "en"])
def test_every_look_is_marked(practice, browser, lang):
    context = browser.new_context(viewport={"width": 320, "height": 700}, locale="en-GB")
    context.add_cookies([{"name": "wanjia_language", "value": lang, "url": practice.url}])
    page = context.new_page()
    try:
        for address in ("/login/", "/residents/", "/check/", "/nothing-here/"):
            page.goto(practice.url + address)
            expect(page.locator(".practice-band")).to_contain_text(BAND[lang])
            assert sideways(page) == 0, address
            assert not faults_of(page), address
        log_in(page, practice, "resident")
        expect(page.locator(".practice-band")).to_contain_text(BAND[lang])
        assert not faults_of(page)
    finally:
        context.close()


def test_who_practises_is_led_there_from_the_register_in_earnest(site, browser):
    with served(site.home, WANJIA_PRACTICE_URL="http://127.0.0.1:9/") as url:
        context = browser.new_context()
        page = context.new_page()
        try:
            log_in(page, Site(url, site.passwords, site.home), "officer")
            expect(page.get_by_role("link", name="去练习")).to_have_attribute("href", "http://127.0.0.1:9/")
            log_in_again = context.browser.new_context()
            other = log_in_again.new_page()
            log_in(other, Site(url, site.passwords, site.home), "auditor")
            assert other.get_by_role("link", name="去练习").count() == 0
            log_in_again.close()
        finally:
            context.close()

"""The auditor in a browser: an unusual read becomes an alert, an incident goes to its close, a review is answered."""

import subprocess
import sys
import time

import pytest
from playwright.sync_api import expect

from tests.journeys.test_every_page import faults_of, sideways

pytestmark = [pytest.mark.journey, pytest.mark.timeout(600)]

CANARY = """
from wanjia.kernel.database import setup_django
setup_django()
from django.db import connection
from wanjia.oversight import api as oversight
from wanjia.trace import api as trace
with connection.cursor() as cursor:
    cursor.execute("SELECT min(person_id) FROM privacy_vaultentry WHERE known_to IS NULL")
    person = cursor.fetchone()[0]
oversight.tell_canary(person, by="auditor", why="test")
trace.record("privacy.open_person", subject_ids=[person], by="officer", why="case:1")
trace.Sequencer().step()
oversight.look(by="test", why="test")
print(person)
"""


@pytest.fixture(scope="module")
def canary(site):
    """A canary resident whom the demo officer has opened; its id."""
    import os

    env = {**os.environ, "WANJIA_HOME": str(site.home)}
    env.pop("DATABASE_URL", None)
    for _ in range(5):
        # the sequencer of the served pages may hold the log for a moment
        made = subprocess.run([sys.executable, "-c", CANARY], env=env, capture_output=True, text=True, timeout=60)
        if made.returncode == 0:
            return made.stdout.strip()
        time.sleep(1)
    raise AssertionError(made.stderr[-2000:])


@pytest.mark.parametrize("lang", ["zh-hans", "en"])
def test_from_an_alert_to_a_closed_incident(visit, canary, lang):
    page, watch = visit("auditor", lang=lang, width=320)

    def is_sound():
        assert sideways(page) == 0, page.url
        assert not faults_of(page), page.url

    page.goto("/auditor/alerts/")
    expect(page.locator("table")).to_contain_text("officer")
    is_sound()
    page.locator("tbody a").first.click()
    is_sound()
    if page.locator("#note").count():
        page.locator("form.stack button").click()
        expect(page.get_by_role("alert")).to_be_visible()
        is_sound()
        page.select_option("#outcome", "founded")
        page.fill("#note", "无事项编号")
        page.locator("form.stack button").click()
        expect(page.locator("main")).to_contain_text("无事项编号")
    page.goto("/auditor/incidents/")
    page.fill("#text", "诱饵人员被打开")
    page.locator("form.stack button").click()
    expect(page.locator("main")).to_contain_text("诱饵人员被打开")
    is_sound()
    for kind in ("contain", "assess"):
        page.select_option("#kind", kind)
        page.fill("#text", f"done {kind}")
        page.locator("form.stack button").first.click()
        expect(page.locator("main")).to_contain_text(f"done {kind}")
    is_sound()
    for part in ("kinds", "cause", "harm", "remedies", "own_measures", "contact"):
        page.fill(f"#{part}", f"said {part}")
    page.locator("form.stack button").last.click()
    expect(page.locator("main")).to_contain_text("第五十七条" if lang == "zh-hans" else "article 57")
    is_sound()
    page.select_option("#kind", "close")
    page.fill("#text", "learnt")
    page.locator("form.stack button").first.click()
    expect(page.locator("main")).to_contain_text("learnt")
    expect(page.locator("form.stack")).to_have_count(0)
    is_sound()
    assert not watch.errors
    assert not watch.elsewhere


@pytest.mark.parametrize("lang", ["zh-hans", "en"])
def test_a_review_and_a_time_line_without_script(visit, canary, lang):
    page, _watch = visit("auditor", lang=lang, width=390, script=False)
    page.goto("/auditor/reviews/")
    page.locator(".panel-body form button").click()
    row = page.locator("tr", has=page.locator("th", has_text="officer")).first
    row.locator("button[value=no]").click()
    row = page.locator("tr", has=page.locator("th", has_text="officer")).first
    expect(row).to_contain_text("auditor")
    page.goto("/auditor/records/")
    page.fill("#f-person", canary)
    page.locator("form.filters button").click()
    expect(page.locator("table")).to_contain_text("officer")


def test_narrow_review_and_time_line_are_sound(visit, canary):
    page, watch = visit("auditor", width=320)
    page.goto("/auditor/reviews/")
    page.locator(".panel-body form button").click()
    page.wait_for_url("**/auditor/reviews/*/")
    assert sideways(page) == 0
    assert not faults_of(page)
    page.goto(f"/auditor/records/?person={canary}")
    assert sideways(page) == 0
    assert not faults_of(page)
    assert not watch.errors

"""A real server with a small fictional city behind it, and a real browser: what a person meets, end to end."""

import os
import re
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote_plus

import pytest

playwright = pytest.importorskip("playwright.sync_api", reason="the browser journeys need the extra `heavy`")

CHROMIUM = Path("/usr/bin/chromium")
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
RESIDENTS = 2000  # so many that lists have more than one page
AXE = Path(__file__).resolve().parents[2] / "node_modules/axe-core/axe.min.js"


@dataclass(frozen=True)
class Site:
    """A served city: where it is, who may log in, and its state folder."""

    url: str
    passwords: dict[str, str]
    home: Path


@dataclass
class Watch:
    """What the browser complained about or asked elsewhere for."""

    errors: list[str] = field(default_factory=list)
    elsewhere: list[str] = field(default_factory=list)


@pytest.fixture(scope="session")
def site(tmp_path_factory) -> Iterator[Site]:
    """`wanjia demo` over a small city, then `wanjia serve`: the commands a newcomer types."""
    home = tmp_path_factory.mktemp("home")
    env = {**os.environ, "WANJIA_HOME": str(home)}
    env.pop("DATABASE_URL", None)
    command = [sys.executable, "-m", "wanjia"]
    made = subprocess.run(
        [*command, "demo", "--residents", str(RESIDENTS), "--no-serve"],
        env=env,
        capture_output=True,
        text=True,
        timeout=280,
    )
    assert made.returncode in (0, 3), made.stderr[-3000:]
    passwords = dict(re.findall(r"^\s+\w+\s+(\w+)\s+(\S{4}-\S{4}-\S{4})$", made.stdout, re.MULTILINE))
    with served(home) as url:
        yield Site(url, passwords, home)


def free_port() -> int:
    """A port nobody listens on."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


@contextmanager
def served(home: Path, *, port: int = 0, **settings: str) -> Iterator[str]:
    """`wanjia serve` over a home, with more settings if given; the pages' address."""
    env = {**os.environ, "WANJIA_HOME": str(home), **settings}
    env.pop("DATABASE_URL", None)
    port = port or free_port()
    server = subprocess.Popen([sys.executable, "-m", "wanjia", "serve", "--port", str(port), "--no-worker"], env=env)
    url = f"http://127.0.0.1:{port}"
    try:
        _wait_for(f"{url}/health/", server)
        yield url
    finally:
        server.terminate()
        server.wait(timeout=30)


def _wait_for(address: str, server: subprocess.Popen) -> None:
    for _ in range(240):
        assert server.poll() is None, "the server ended before it answered"
        try:
            urllib.request.urlopen(address, timeout=2)
            return
        except (urllib.error.URLError, OSError):
            time.sleep(0.25)
    raise AssertionError("the server does not answer")


@pytest.fixture(scope="session")
def browser(request):
    """Debian's chromium, driven by Playwright. Every address it asks for is listened to (tests/make/secrecy.py)."""
    heard = request.config.pluginmanager.get_plugin("secrecy").watch
    if not CHROMIUM.exists():
        pytest.skip("no /usr/bin/chromium: apt-get install chromium")
    with playwright.sync_playwright() as driver:
        started = driver.chromium.launch(executable_path=str(CHROMIUM), args=FLAGS)
        opened = started.new_context

        def new_context(**wanted):
            context = opened(**wanted)
            context.on("request", lambda asked: heard.listen(unquote_plus(asked.url), "address in a browser"))
            return context

        started.new_context = new_context
        yield started
        started.close()


@pytest.fixture
def visit(site, browser):
    """visit(user, lang="zh-hans", width=1440, script=True) → (page, watch): a browser of that person, logged in."""
    contexts = []

    def open_for(user: str | None, *, lang: str = "zh-hans", width: int = 1440, script: bool = True):
        context = browser.new_context(
            viewport={"width": width, "height": 900}, locale="en-GB", java_script_enabled=script, base_url=site.url
        )
        contexts.append(context)
        if lang != "zh-hans":
            context.add_cookies([{"name": "wanjia_language", "value": lang, "url": site.url}])
        page, watch = context.new_page(), Watch()
        page.set_default_timeout(20_000)
        page.on("console", lambda m: watch.errors.append(m.text) if m.type in ("error", "warning") else None)
        page.on("pageerror", lambda e: watch.errors.append(str(e)))
        page.on(
            "request",
            lambda r: None if r.url.startswith((site.url, "data:", "blob:")) else watch.elsewhere.append(r.url),
        )
        if user:
            page.goto("/login/")
            page.fill("#id_login", user)
            page.fill("#id_password", site.passwords[user])
            page.click("main form .btn-primary")
            page.wait_for_url(lambda url: "/login" not in url)
            if page.get_attribute("html", "lang") != lang:
                # the account keeps what another journey chose
                with page.expect_navigation():
                    page.locator(f"button[name=language][value={lang}]").dispatch_event("click")
        return page, watch

    yield open_for
    for context in contexts:
        context.close()

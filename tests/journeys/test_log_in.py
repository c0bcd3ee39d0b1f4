"""Every way in, in a real browser: password, authenticator app, passkey, recovery code, outside provider; and every way out."""

import base64
import hashlib
import hmac
import os
import re
import struct
import subprocess
import sys
import time

import pytest
from playwright.sync_api import Page, expect

from tests.journeys.conftest import Site, free_port, served
from tests.journeys.test_every_page import faults_of, sideways

pytestmark = [pytest.mark.journey, pytest.mark.timeout(600)]

OWN_PAGES = ["/account/", "/account/devices/", "/account/passkeys/", "/account/outside/", "/account/password/"]


def one_time_code(seed: str, at: float | None = None) -> str:
    """The six digits of a seed (RFC 6238, 30 s, SHA-1), computed here as a telephone would."""
    key = base64.b32decode(seed + "=" * (-len(seed) % 8))
    mark = hmac.digest(key, struct.pack(">Q", int((at or time.time()) // 30)), hashlib.sha1)
    place = mark[-1] & 15
    return f"{(struct.unpack('>I', mark[place : place + 4])[0] & 0x7FFFFFFF) % 1_000_000:06d}"


def open_account(site: Site, name: str, role: str = "steward") -> str:
    """A fresh account by the command an administrator types; its password."""
    made = run(site, "access", "open", name, "--role", role)
    return made.stdout.strip()


def run(site: Site, *words: str) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "WANJIA_HOME": str(site.home)}
    env.pop("DATABASE_URL", None)
    done = subprocess.run([sys.executable, "-m", "wanjia", *words], env=env, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done


def log_in(page: Page, name: str, password: str) -> None:
    page.goto("/login/")
    page.fill("#id_login", name)
    page.fill("#id_password", password)
    page.click("main form .btn-primary")


def confirm(page: Page, password: str) -> None:
    """Show once more who it is, if that is asked for."""
    if "/account/again/" in page.url:
        page.fill("#id_password", password)
        page.click("main form .btn-primary")


def local(site: Site) -> str:
    """The site by its name: browsers give no passkey to a bare address."""
    return site.url.replace("127.0.0.1", "localhost")


def test_authenticator_app_and_recovery_code(site, visit):
    password = open_account(site, "totp")
    page, watch = visit(None)
    log_in(page, "totp", password)
    page.goto("/account/app/")
    confirm(page, password)
    seed = page.inner_text("#seed").strip()
    assert not faults_of(page)
    page.fill("#id_code", "000000")
    page.click("main form .btn-primary")
    expect(page.get_by_role("alert")).to_be_visible()
    assert page.inner_text("#seed").strip() == seed
    page.fill("#id_code", one_time_code(seed))
    page.click("main form .btn-primary")
    page.wait_for_url("**/account/codes/")
    codes = [code.strip() for code in page.locator(".codes li").all_inner_texts()]
    assert len(codes) == 10
    assert not faults_of(page)

    other, _ = visit(None)
    log_in(other, "totp", password)
    other.wait_for_url("**/login/second/")
    assert not faults_of(other)
    other.fill("#id_code", one_time_code(seed, time.time() - 3600))
    other.click("main form .btn-primary")
    expect(other.get_by_role("alert")).to_be_visible()
    other.fill("#id_code", codes[0])
    other.click("main form .btn-primary")
    other.wait_for_url(lambda url: "/login" not in url)
    again, _ = visit(None)
    log_in(again, "totp", password)
    again.fill("#id_code", codes[0])
    again.click("main form .btn-primary")
    expect(again.get_by_role("alert")).to_be_visible()
    assert not watch.errors
    seeds = subprocess.run(["grep", "-rl", seed, str(site.home)], capture_output=True, text=True, check=False).stdout
    assert not seeds, "the seed lies in clear on the disk"


def test_passkey_alone_logs_in(site, browser):
    password = open_account(site, "passkey")
    context = browser.new_context(base_url=local(site), locale="en-GB")
    page = context.new_page()
    page.set_default_timeout(20_000)
    keys = context.new_cdp_session(page)
    keys.send("WebAuthn.enable")
    keys.send(
        "WebAuthn.addVirtualAuthenticator",
        {
            "options": {
                "protocol": "ctap2",
                "transport": "internal",
                "hasResidentKey": True,
                "hasUserVerification": True,
                "isUserVerified": True,
            }
        },
    )
    log_in(page, "passkey", password)
    page.goto("/account/passkeys/add/")
    confirm(page, password)
    assert not faults_of(page)
    page.fill("#id_name", "测试密钥")
    page.click("form[data-passkey] button")
    page.wait_for_url("**/account/codes/")
    page.goto("/account/passkeys/")
    expect(page.locator("tbody tr")).to_have_count(1)
    expect(page.locator("tbody")).to_contain_text("可单独登录")
    page.click(".settings form:last-child button")
    page.wait_for_url("**/login/**")
    page.click("form[data-passkey=login] button")
    page.wait_for_url(lambda url: "/login" not in url)
    assert page.locator(".who b").inner_text() == "passkey"
    # a password alone is now not enough: the passkey is the second step
    page.click(".settings form:last-child button")
    log_in(page, "passkey", password)
    page.wait_for_url("**/login/second/")
    page.click("form[data-passkey=authenticate] button")
    page.wait_for_url(lambda url: "/login" not in url)
    context.close()


def test_locked_after_failures_and_unlocked_by_the_security_administrator(site, visit):
    password = open_account(site, "clumsy")
    page, watch = visit(None)
    for _ in range(5):
        log_in(page, "clumsy", "wrong-wrong-wrong")
        expect(page.get_by_role("alert")).to_be_visible()
    log_in(page, "clumsy", password)
    expect(page.get_by_role("alert")).to_contain_text("锁定")
    assert not faults_of(page)
    run(site, "access", "unlock", "clumsy")
    log_in(page, "clumsy", password)
    page.wait_for_url(lambda url: "/login" not in url)
    assert not watch.errors


def test_devices_are_listed_and_signed_out(site, visit):
    password = open_account(site, "devices")
    here, watch = visit(None)
    log_in(here, "devices", password)
    there, _ = visit(None)
    log_in(there, "devices", password)
    here.goto("/account/devices/")
    expect(here.locator("tbody tr")).to_have_count(2)
    here.locator("tbody form button").click()
    expect(here.locator("tbody tr")).to_have_count(1)
    there.goto("/steward/runs/")
    assert "/login/" in there.url
    here.goto("/steward/runs/")
    assert "/steward/runs/" in here.url
    assert not watch.errors


def test_an_idle_session_ends_and_says_so(site, browser):
    with served(site.home, WANJIA_IDLE_SECONDS="3") as url:
        context = browser.new_context(base_url=url, locale="en-GB")
        page = context.new_page()
        log_in(page, "officer", site.passwords["officer"])
        page.goto("/officer/find/")
        assert "/officer/find/" in page.url
        time.sleep(4.5)
        page.goto("/officer/find/")
        assert "/login/" in page.url
        expect(page.locator(".notice")).to_contain_text("会话已自动结束")
        assert not faults_of(page)
        log_in(page, "officer", site.passwords["officer"])
        page.goto("/login/")
        context.close()


def test_works_without_script(site, visit):
    password = open_account(site, "plain")
    page, _ = visit(None, script=False)
    log_in(page, "plain", password)
    page.goto("/account/app/")
    confirm(page, password)
    page.fill("#id_code", one_time_code(page.inner_text("#seed").strip()))
    page.click("main form .btn-primary")
    page.wait_for_url("**/account/codes/")


@pytest.mark.parametrize("lang", ["zh-hans", "en"])
def test_own_pages_are_sound(site, visit, lang):
    for width in (1440, 320):
        page, watch = visit("planner", lang=lang, width=width)
        for address in OWN_PAGES:
            page.goto(address)
            confirm(page, site.passwords["planner"])
            assert sideways(page) == 0, f"{address} at {width} px"
            assert not faults_of(page), f"{address} at {width} px in {lang}"
        assert not watch.errors
        assert not watch.elsewhere
        assert page.evaluate("localStorage.length + sessionStorage.length") == 0


def test_another_house_as_provider(site, browser, tmp_path_factory):
    """Two real processes: one house lets people in with accounts of the other. Neither learns a name of the register."""
    other = tmp_path_factory.mktemp("provider")
    with served(other) as provider:
        # by another name, because cookies do not tell ports apart
        away = Site(provider.replace("127.0.0.1", "localhost"), {}, other)
        password = open_account(away, "wei", "planner")
        port = free_port()
        here = f"http://127.0.0.1:{port}"
        settings = client_settings(away, here)
        with served(site.home, port=port, **settings) as url:
            own = open_account(site, "wei-own", "planner")
            context = browser.new_context(base_url=url, locale="en-GB")
            page = context.new_page()
            page.set_default_timeout(20_000)
            errors: list[str] = []
            page.on("console", lambda m: errors.append(m.text) if m.type == "error" else None)
            log_in(page, "wei-own", own)
            page.goto("/account/outside/")
            page.click("a.btn-primary")
            page.fill("#id_login", "wei")
            page.fill("#id_password", password)
            page.click("main form .btn-primary")
            expect(page.locator("h1")).to_contain_text("请求确认您的身份")
            assert not faults_of(page)
            page.click("button[value=grant]")
            page.wait_for_url(f"{url}/account/outside/")
            expect(page.locator(".check")).to_have_count(1)
            # and now in by it alone
            fresh = browser.new_context(base_url=url, locale="en-GB")
            page = fresh.new_page()
            page.goto("/login/")
            page.click("a[href*='/login/outside/']")
            page.fill("#id_login", "wei")
            page.fill("#id_password", password)
            page.click("main form .btn-primary")
            page.click("button[value=grant]")
            page.wait_for_url(lambda address: address.startswith(url) and "/login" not in address)
            assert page.locator(".who b").inner_text() == "wei-own"
            # somebody nobody connected is told so and let in to nothing
            stranger = open_account(away, "stranger", "planner")
            third = browser.new_context(base_url=url, locale="en-GB").new_page()
            third.goto("/login/")
            third.click("a[href*='/login/outside/']")
            third.fill("#id_login", "stranger")
            third.fill("#id_password", stranger)
            third.click("main form .btn-primary")
            third.click("button[value=grant]")
            expect(third.locator("h1")).to_contain_text("该身份没有对应账号")
            assert not errors
            for one in (context, fresh, third.context):
                one.close()


def client_settings(away: Site, here: str) -> dict[str, str]:
    made = run(away, "access", "client", "house", "--redirect", f"{here}/login/outside/back/").stdout
    client, secret = re.search(r"client (\S+)\s+secret (\S+)", made).groups()
    return {
        "WANJIA_OIDC_URL": away.url,
        "WANJIA_OIDC_CLIENT_ID": client,
        "WANJIA_OIDC_SECRET": secret,
        "WANJIA_OIDC_NAME": "另一系统",
    }

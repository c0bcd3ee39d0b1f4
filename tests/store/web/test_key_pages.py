"""The security administrator's page of keys: purposes with state and age, progress, certificates; no secret, and for nobody else."""

import pytest
from django.db import connection
from django.test import Client

from wanjia.access import api as access
from wanjia.kernel import clock
from wanjia.kernel.keyring import Keyring
from wanjia.keys import api as keys
from wanjia.trace import api as trace

pytestmark = pytest.mark.django_db
WHO = {"by": "keeper", "why": "yearly"}


@pytest.fixture(autouse=True)
def plain_static_files(settings, home):
    """Without collectstatic there is no manifest; names stay as they are."""
    storage = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    settings.STORAGES = {**settings.STORAGES, "staticfiles": storage}


def client_of(role: str, language: str = "en") -> Client:
    account = access.open_account(username=role, display_name=role, role=role, password=None)
    access.choose_language(account, language)
    client = Client()
    client.force_login(account)
    return client


@pytest.fixture
def rotated(home):
    """Two vault keys, a re-encryption that stopped half-way, and a certificate of an erased person."""
    ring = Keyring.open(home)
    ring.seal("vault", b"x", b"y")
    keys.rotate("vault", **WHO)
    trace.Sequencer(home).step()
    keys.rotate("trace-log", **WHO)
    run = keys.start_reencryption(400, **WHO)
    keys.advance(run, 100)
    gone = [{"what": "dossier", "count": 3, "zh": "三个版本", "en": "three versions"}]
    return keys.issue_certificate("person", 4711, basis="PIPL art. 47", destroyed=gone, left=[], **WHO)


def test_the_page_tells_states_progress_and_certificates(rotated, home):
    client = client_of("security_admin")
    page = client.get("/admin/keys/").content.decode()
    for said in (
        "vault",
        "in force",
        "opens older content only",
        "announced",
        "running, or killed",
        rotated,
        "4711",
        "wanjia keys rotate trace-log",
    ):
        assert said in page, said
    for key in (home / "trace/public/keys").read_text().split():
        assert key[:71] in page
    secrets = [path.read_bytes() for path in (home / "keys").iterdir() if path.suffix in (".key", ".bin")]
    assert all(one.hex() not in page for one in secrets)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE keys_reencryption SET finished_at = %s, done = total", [clock.now()])
    assert '<span class="tag good">finished</span>' in client.get("/admin/keys/").content.decode()


def test_a_certificate_is_told_in_both_languages_and_given_to_keep(rotated):
    address = f"/admin/keys/certificates/{rotated}/"
    client = client_of("security_admin", "zh-hans")
    page = client.get(address).content.decode()
    assert "三个版本" in page
    assert "签名有效" in page
    kept = client.get(f"{address}?as=file")
    assert kept["Content-Disposition"].startswith("attachment")
    assert keys.verified(kept.content.decode(), keys.public_key())["subject"] == 4711
    assert client.get("/admin/keys/certificates/20260101-000009/").status_code == 409


@pytest.mark.parametrize("role", ["system_admin", "audit_admin", "auditor", "officer", "supervisor", "steward"])
def test_nobody_else_enters(rotated, role):
    client = client_of(role)
    assert client.get("/admin/keys/").status_code == 403
    assert client.get(f"/admin/keys/certificates/{rotated}/").status_code == 403


def test_the_security_administrator_begins_there_and_may_do_nothing_with_it(home):
    client = client_of("security_admin")
    assert client.get("/").headers["Location"] == "/admin/keys/"
    before = [use.key for use in keys.listed()]
    assert client.post("/admin/keys/", {"purpose": "vault"}).status_code == 405
    assert [use.key for use in keys.listed()] == before

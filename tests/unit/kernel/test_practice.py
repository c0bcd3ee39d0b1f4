"""A practice home is told by its mark, and nothing there leads to the register in earnest."""

import fcntl

import pytest

from wanjia.kernel import practice, settings
from wanjia.kernel.errors import NotAPracticeHome, PracticeInUse

EARNEST = {
    "DATABASE_URL": "postgres://register/earnest",
    "WANJIA_KEK": "pkcs11:token=earnest",
    "WANJIA_TRACE_WITNESSES": "https://witness key",
    "WANJIA_OIDC_URL": "https://provider",
    "WANJIA_PUBLIC_URL": "https://register",
}


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("WANJIA_HOME", str(tmp_path))
    for name, value in EARNEST.items():
        monkeypatch.setenv(name, value)
    return tmp_path


def leads() -> tuple:
    return (
        settings.database_url(), settings.kek_address(), settings.trace_witnesses(), settings.identity_providers(),
        settings.public_url(),
    )  # fmt: skip


def test_nothing_leads_from_practice_to_earnest(home):
    assert not settings.is_practice()
    assert leads()[0] == EARNEST["DATABASE_URL"]
    entered = practice.enter(makes=True)
    assert entered == home / "practice" == settings.home()
    assert settings.is_practice()
    assert leads() == (None, "file", [], [], settings.PRACTICE_URL)
    assert practice.enter(makes=True) == entered, "inside it, it is this one"


def test_a_folder_that_is_no_practice_home_is_not_touched(home):
    (home / "practice").mkdir()
    (home / "practice" / "keys").touch()
    with pytest.raises(NotAPracticeHome):
        practice.enter(makes=True)
    assert [path.name for path in (home / "practice").iterdir()] == ["keys"]
    assert settings.home() == home


def test_what_is_used_cannot_be_reset(home):
    entered = practice.enter(makes=True)
    practice.ensure_unused(entered)
    (entered / "database").mkdir()
    with open(entered / "database" / "users.lock", "w") as held:
        fcntl.flock(held, fcntl.LOCK_SH)
        with pytest.raises(PracticeInUse):
            practice.ensure_unused(entered)
    practice.ensure_unused(entered)

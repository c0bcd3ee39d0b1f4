"""A process of the pages reads what is declared before the first request, whatever the profile is like."""

import subprocess
import sys

import pytest

from wanjia.kernel.settings import PROJECT_ROOT
from wanjia.register.api import declaring
from wanjia.web import words

ASKED = "import wanjia.web.wsgi as wsgi; from wanjia.web import words; print(callable(wsgi.application), words._read.cache_info().currsize)"


def test_the_first_request_finds_everything_read(monkeypatch):
    from wanjia.web import wsgi

    words._read.cache_clear()
    monkeypatch.setattr(declaring, "_looked", {})
    wsgi._read_declared()
    assert words._read.cache_info().currsize == 1
    assert len(declaring._looked) == 1


@pytest.mark.parametrize(("profile", "read"), [("declared/febrl", 1), ("declared/nothing_of_the_kind", 0)])
def test_another_countrys_profile_and_a_broken_one_start_too(profile, read, tmp_path, monkeypatch):
    monkeypatch.setenv("WANJIA_DECLARED", str(PROJECT_ROOT / profile))
    monkeypatch.setenv("DATABASE_URL", "postgresql://nobody@/nothing?host=/nowhere")
    done = subprocess.run([sys.executable, "-c", ASKED], capture_output=True, text=True, check=False)
    assert done.stdout.split() == ["True", str(read)], done.stderr

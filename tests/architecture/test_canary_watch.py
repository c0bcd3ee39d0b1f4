"""The watch over the whole run (tests/make/secrecy.py) hears every kind of leak, names test and place, and stays silent otherwise."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.make.secrecy import Secrecy

ROOT = Path(__file__).resolve().parents[2]

CONFTEST = """
import django
from django.conf import settings

settings.configure(ROOT_URLCONF="pages", ALLOWED_HOSTS=["*"], SECRET_KEY="-", ALLOW_TEST=True)
django.setup()

from tests.make.secrecy import Secrecy


def pytest_configure(config):
    config.pluginmanager.register(Secrecy(), "secrecy")
"""
PAGES = """
from django.http import HttpResponse, HttpResponseRedirect, JsonResponse
from django.urls import path

urlpatterns = [
    path("find/", lambda request: HttpResponse("fine: 李娜")),
    path("gone/", lambda request: HttpResponseRedirect("/find/?q=%E6%9D%8E%E5%A8%9C")),
    path("list/", lambda request: HttpResponse('<a class="x" href="/person/?name=%E6%9D%8E%E5%A8%9C">one</a>')),
    path("refused/", lambda request: JsonResponse({"detail": "no right to see 李娜"}, status=403)),
    path("metrics", lambda request: HttpResponse('reads{who="11010519491231002X"} 1')),
]
"""
LEAKS = {
    "log": "logging.getLogger('x').warning('cannot open %s', '李娜')",
    "log_of_an_exception": """
try:
    raise ValueError('bad number 11010519491231002x')
except ValueError:
    logging.getLogger('y').exception('failed')""",
    "error": """
from wanjia.kernel.errors import DatabaseUnavailable
DatabaseUnavailable(reason='duplicate key (李娜)')""",
    "stderr_of_a_child": "subprocess.run([sys.executable, '-c', SAY], capture_output=True)",
    "stderr_of_a_child_that_inherits_it": "subprocess.run([sys.executable, '-c', SAY])",
    "stderr_into_a_file": "subprocess.run([sys.executable, '-c', SAY], stderr=open(tmp_path / 'said', 'w'))",
    "stdout_of_a_server": "subprocess.run([sys.executable, '-c', SAY.replace('stderr', 'stdout'), 'worker'], capture_output=True)",
    "log_of_the_database": "(tmp_path / 'server.log').write_text('ERROR: 11010519491231002X')",
    "address": "Client().get('/find/', {'q': '李娜'})",
    "redirect": "Client().get('/gone/')",
    "link": "Client().get('/list/')",
    "refusal": "Client().get('/refused/')",
    "metric": "Client().get('/metrics')",
    "resident_of_the_city": "logging.getLogger('x').warning('see %s', CITY[700])",
}
CLEAN = {
    "answers": "print('李娜'); subprocess.run([sys.executable, '-c', SAY.replace('stderr', 'stdout')], capture_output=True)",
    "page": "assert '李娜' in Client().get('/find/').content.decode()",
    "words": "logging.getLogger('x').warning('户籍地址 人员编号 110105194912310021 20261121142233000000')",
}
HEAD = """
import logging, subprocess, sys
from pathlib import Path
import pyarrow as pa, pyarrow.parquet as pq
from django.test import Client

SAY = "import sys; print('no such person: \\u674e\\u5a1c', file=sys.stderr)"
CITY = ["\\u9f98" + chr(0x4e00 + n // 50) + chr(0x5000 + n % 50) for n in range(RESIDENTS)]

def test_city(tmp_path):
    (tmp_path / "truth").mkdir()
    pq.write_table(pa.table({"name": CITY}), tmp_path / "truth" / "persons.parquet")
"""


def run(folder: Path, tests: dict[str, str], residents: int, processes: int) -> subprocess.CompletedProcess[str]:
    """A pytest run of its own with the watch on; `processes` beside it, or none."""
    folder.mkdir()
    (folder / "conftest.py").write_text(CONFTEST)
    (folder / "pages.py").write_text(PAGES)
    text = HEAD.replace("RESIDENTS", str(residents))
    for name, body in tests.items():
        text += f"\ndef test_{name}(tmp_path):\n" + "\n".join(f"    {line}" for line in body.strip().split("\n")) + "\n"
    (folder / "test_inner.py").write_text(text)
    environment = {k: v for k, v in os.environ.items() if k not in ("DJANGO_SETTINGS_MODULE", "WANJIA_HOME")}
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:django", "-p", "no:cacheprovider", "-c", os.devnull, "--rootdir", str(folder),
         "-n", str(processes), "--basetemp", str(folder.parent / f"{folder.name}-tmp"), str(folder)],
        env={**environment, "PYTHONPATH": os.pathsep.join([str(ROOT), str(folder)]), "PYTHONIOENCODING": "utf-8"},
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, timeout=120,
    )  # fmt: skip


@pytest.fixture(scope="module", params=[0, 2], ids=["alone", "side_by_side"])
def leaking(request) -> Iterator[subprocess.CompletedProcess[str]]:
    # not in this run's own folders: the watch over this run would find the leak too
    with tempfile.TemporaryDirectory() as folder:
        yield run(Path(folder) / "leaking", {**LEAKS, **CLEAN}, 1200, request.param)


def test_a_leak_fails_the_run_though_every_test_passed(leaking):
    assert leaking.returncode == 1, leaking.stdout
    assert f"{1 + len(LEAKS) + len(CLEAN)} passed" in leaking.stdout
    assert "canaries in clear" in leaking.stdout


@pytest.mark.parametrize("leak", LEAKS)
def test_every_kind_of_leak_is_heard_with_its_test(leaking, leak):
    # of a database's log the test is not known, only the file
    where = "server.log" if leak == "log_of_the_database" else f"test_inner.py::test_{leak}:"
    assert where in leaking.stdout.partition("canaries in clear")[2], leaking.stdout


@pytest.mark.parametrize("name", CLEAN)
def test_answers_and_other_words_are_no_leaks(leaking, name):
    assert f"test_{name}" not in leaking.stdout.partition("canaries in clear")[2]


@pytest.mark.parametrize(("residents", "is_blind"), [(0, False), (10, True), (1200, False)])
def test_a_run_with_too_few_canaries_shows_nothing(tmp_path, monkeypatch, residents, is_blind):
    monkeypatch.setenv("WANJIA_HOME", str(tmp_path))
    (tmp_path / "truth").mkdir()
    names = ["龘" + chr(0x4E00 + n // 50) + chr(0x5000 + n % 50) for n in range(residents)]
    pq.write_table(pa.table({"name": pa.array(names, pa.string())}), tmp_path / "truth" / "persons.parquet")
    session = SimpleNamespace(config=SimpleNamespace(), exitstatus=pytest.ExitCode.OK)
    watch = Secrecy()
    watch.pytest_sessionfinish(session)
    assert bool(watch.blind) == is_blind
    assert (session.exitstatus == pytest.ExitCode.OK) != is_blind

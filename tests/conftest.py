"""One home and one database server for each process of the test run, in a temporary folder."""

import atexit
import os
import shutil
import tempfile

_HOME = tempfile.mkdtemp(prefix="wanjia-tests-")
os.environ["WANJIA_HOME"] = _HOME
os.environ.pop("WANJIA_DECLARED", None)
os.environ.setdefault("WANJIA_THREADS", "2")
# said here and not in pyproject.toml: pytest-django would read the settings, and so start a server, before the home is chosen
os.environ["DJANGO_SETTINGS_MODULE"] = "wanjia.settings"
# WhiteNoise warns of a folder that `wanjia serve` would have made
os.mkdir(os.path.join(_HOME, "static"))
# registered before the server's own farewell, so it runs after it
atexit.register(shutil.rmtree, _HOME, ignore_errors=True)

import django  # noqa: E402
import pytest  # noqa: E402

django.setup()

from tests.make.secrecy import Secrecy  # noqa: E402

SECRECY = Secrecy()


def pytest_configure(config):
    """Watch the whole run: no canary in a log, an error, an address. Several processes have short temporary folders."""
    config.pluginmanager.register(SECRECY, "secrecy")
    if getattr(config.option, "numprocesses", None) and config.option.basetemp is None:
        # each process has a folder of its own in it, and tests put database sockets below those: a socket's path may have 107 bytes
        config.option.basetemp = tempfile.mkdtemp(prefix="wj-")
        atexit.register(shutil.rmtree, config.option.basetemp, ignore_errors=True)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_setupnodes():
    """The processes that run the tests choose homes of their own, before anything reads the settings: see above."""
    os.environ.pop("DJANGO_SETTINGS_MODULE", None)


@pytest.fixture
def home(tmp_path, monkeypatch):
    """An empty WANJIA_HOME of this test's own (the database server stays the shared one)."""
    from wanjia.kernel.database import ensure_server

    monkeypatch.setenv("DATABASE_URL", ensure_server())
    monkeypatch.setenv("WANJIA_HOME", str(tmp_path / "home"))
    (tmp_path / "home").mkdir()
    return tmp_path / "home"


@pytest.fixture
def engine():
    """A DuckDB engine, closed afterwards."""
    from wanjia.kernel.engine import get_engine

    with get_engine("duckdb") as duckdb_engine:
        yield duckdb_engine


@pytest.fixture(scope="session")
def spark_engine():
    """One Spark session (local mode) for all tests that need it."""
    from wanjia.kernel.engine import get_engine

    with get_engine("spark") as spark:
        yield spark

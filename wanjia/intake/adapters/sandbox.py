"""Formats read by foreign native code (workbooks, Parquet) are read in a process of their own, with limits.

A hostile file may make a native reader ask for a terabyte, spin, or crash; that must end one reading, not the worker. Bytes go in by
stdin and Arrow comes back by stdout, so nothing in clear touches the disk.
"""

import json
import os
import resource
import subprocess
import sys
from typing import Any

import pyarrow as pa

from wanjia.intake.errors import DamagedFile, ReadingStopped, SheetMissing
from wanjia.kernel import settings

MEMORY_BYTES = 12 * 1024**3  # of address space; the readers' own allocators reserve more than they use
SECONDS = 60
SECONDS_PER_MEGABYTE = 1.0
DAMAGED, NO_SHEET = 3, 4  # exit codes of the child


def read_apart(kind: str, raw: bytes, options: dict[str, Any]) -> tuple[dict[str, Any], pa.Table]:
    """Read `raw` as `kind` ("xlsx", "parquet") in a child process: (what the reader noted, a table of text columns).

    Raises `DamagedFile`, `SheetMissing`, and `ReadingStopped` when the child passed its limits or died.
    """
    try:
        child = subprocess.run(
            [sys.executable, "-m", "wanjia.intake.adapters.sandbox", kind, json.dumps(options)],
            input=raw,
            capture_output=True,
            timeout=SECONDS + SECONDS_PER_MEGABYTE * len(raw) / 1e6,
            cwd="/",
            env={**os.environ, "PYTHONPATH": str(settings.PROJECT_ROOT), "PYTHONHASHSEED": "0"},
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise ReadingStopped(kind=kind) from None
    if child.returncode == DAMAGED:
        raise DamagedFile(kind=kind)
    if child.returncode == NO_SHEET:
        raise SheetMissing(sheet=options.get("sheet"))
    if child.returncode != 0:
        raise ReadingStopped(kind=kind)
    head, _, body = child.stdout.partition(b"\n")
    with pa.ipc.open_stream(body) as stream:
        return json.loads(head), stream.read_all()


def _main() -> int:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a core dump would hold the delivery in clear
    kind, options = sys.argv[1], json.loads(sys.argv[2])
    raw = sys.stdin.buffer.read()
    from wanjia.intake.adapters import parquet_file, workbook

    reader = {"xlsx": workbook.cells_of, "parquet": parquet_file.cells_of}[kind]
    try:
        noted, table = reader(raw, **options)
    except MemoryError:
        return 1
    except LookupError:
        return NO_SHEET
    # BaseException: a panic of a Rust reader is no Exception
    except BaseException:
        return DAMAGED
    out = sys.stdout.buffer
    out.write(json.dumps(noted, ensure_ascii=False).encode() + b"\n")
    with pa.ipc.new_stream(out, table.schema) as stream:
        stream.write_table(table)
    out.flush()
    return 0


if __name__ == "__main__":
    # os._exit: destructors of a damaged native library must not turn a clean answer into a crash
    code = _main()
    sys.stdout.flush()
    os._exit(code)

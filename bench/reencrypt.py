"""How fast values are made anew after keys rotate: vault, likenesses, search index, nonces of the trace, in a home of its own.

    python -m bench.reencrypt [--persons 100000]

Made-up dossiers of the size real ones have (about 700 bytes). Prints one JSON line: rows per second by store, for AES-256-GCM and for SM4-GCM.
"""

import argparse
import atexit
import json
import os
import shutil
import tempfile
import time
from datetime import UTC, datetime


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--persons", type=int, default=100_000)
    chosen = parser.parse_args()
    home = tempfile.mkdtemp(prefix="wanjia-bench-")
    os.environ["WANJIA_HOME"] = home
    os.environ.pop("DATABASE_URL", None)
    # registered before the server's own farewell, so it runs after it
    atexit.register(shutil.rmtree, home, ignore_errors=True)
    print(json.dumps(_measured(chosen.persons)))


def _measured(persons: int) -> dict:
    from wanjia.kernel.database import migrate, setup_django

    setup_django()
    migrate()
    import pyarrow as pa
    from django.db import transaction

    from wanjia.jobs import on_rotation
    from wanjia.keys import api as keys
    from wanjia.privacy import api as privacy

    who = {"by": "bench", "why": "bench"}
    said = "GA02=0p" + privacy.DOSSIER_PART + "0000" + privacy.DOSSIER_FIELD + "police_register" + privacy.DOSSIER_FIELD
    pieces = [
        pa.table(
            {
                "person_id": pa.array(range(start, min(start + 50_000, persons)), pa.int64()),
                "dossier": [
                    f"{said}{n}{'登记内容' * 50}{privacy.DOSSIER_PART}4"
                    for n in range(start, min(start + 50_000, persons))
                ],
            }
        )
        for start in range(0, persons, 50_000)
    ]
    with transaction.atomic():
        privacy.keep_dossiers(pieces, at=datetime.now(UTC))
    found: dict = {"persons": persons, "rows_per_second": {}}
    for suite in ("aes-256-gcm", "sm4-gcm"):
        keys.rotate("vault", suite=suite, **who)
        keys.rotate("blind:vault-likeness", **who)
        began = time.perf_counter()
        report = on_rotation.reencrypt(**who)
        assert not report.left
        found["rows_per_second"][suite] = {
            name: round(count / report.seconds[name]) for name, count in report.done.items()
        }
        found["rows_per_second"][suite]["seconds_in_all"] = round(time.perf_counter() - began, 1)
    began = time.perf_counter()
    name = keys.rotate("kek", **who)["new"]
    found["kek_seconds"] = round(time.perf_counter() - began, 3)
    assert name
    return found


if __name__ == "__main__":
    main()

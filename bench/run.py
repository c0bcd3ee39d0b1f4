"""make bench: the whole main job beside plain Splink on the same rows, at several sizes, and FEBRL4.

    python -m bench.run 10k 100k [1m] [febrl4] [push]

Each size runs in a fresh home; times are of whole processes, memory is the peak of the largest one. The largest size runs twice, job and
reference in turn, and what is reported is their mean: a noisy neighbour of this machine moves either of them by a tenth. `push` measures how
long until a pushed row is in a register of 100,000 residents (bench/push.py), for five minutes. Writes bench/results/<size>.json, the table
docs/reference/benchmarks.md and the plot docs/images/benchmark.svg. Bounds come from bench/thresholds.toml.
"""

import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
import tomllib
from pathlib import Path

from bench.page import RESULTS, ROOT, write_page

#: how often the job and its reference run
RUNS = {"1m": 2}
SIZES = {"5k": 5_000, "10k": 10_000, "20k": 20_000, "100k": 100_000, "1m": 1_000_000}


def main(wanted: list[str]) -> None:
    RESULTS.mkdir(exist_ok=True)
    for name in [*wanted, *(["febrl4"] if "febrl4" not in wanted else [])]:
        result = {"febrl4": _febrl4, "push": _push}[name]() if name not in SIZES else _city(name, SIZES[name])
        (RESULTS / f"{name}.json").write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n")
        print(json.dumps({k: v for k, v in result.items() if k != "stages"}, ensure_ascii=False))
    write_page()


def _city(name: str, residents: int) -> dict:
    with tempfile.TemporaryDirectory(prefix="wanjia-bench-") as folder:
        city = Path(folder) / "city"
        truth = city / "truth" / "records.parquet"
        made = _measured(
            ["wanjia", "city", "make", "--residents", str(residents), "--seed", "1", "--out", str(city)], {}
        )
        runs = []
        for number in range(RUNS.get(name, 1)):
            environment = {
                "WANJIA_HOME": str(Path(folder) / f"home-{number}"),
                "WANJIA_SOCIAL_INSURANCE_URL": f"sqlite:///{city / 'databases' / 'social_insurance.sqlite'}",
            }
            # an empty first run makes the database and its tables: set-up is not the job
            _measured(["wanjia", "run", "--format", "json"], {"WANJIA_HOME": environment["WANJIA_HOME"]})
            job = _measured(
                ["wanjia", "run", "--inbox", str(city / "inbox"), "--format", "json"], environment, ends=(0, 3)
            )
            plain = _plain_splink(Path(folder), truth, environment)
            runs.append({"job_seconds": job["seconds"], "plain_splink_seconds": plain["seconds"]})
        report = json.loads(job["stdout"])
        score = _measured(["wanjia", "linkage", "score", "--truth", str(truth), "--format", "json"], environment)
        rows = sum(d["accepted"] for d in report["deliveries"])
        seconds, reference = (round(statistics.mean(run[of] for run in runs), 2) for of in runs[0])
        return {
            **machine(),
            "residents": residents,
            "rows": rows,
            "city_seconds": made["seconds"],
            "runs": runs,
            "job_seconds": seconds,
            "job_peak_mb": job["peak_mb"],
            "seconds_per_million_rows": round(seconds / rows * 1e6, 2),
            "plain_splink": plain | {"seconds": reference},
            "ratio_to_plain_splink": round(seconds / reference, 2),
            "linkage": report["linkage"],
            "score": _headline(json.loads(score["stdout"])),
            "review_share_of_persons": round(report["linkage"]["review"] / report["linkage"]["persons"], 5),
            "stages": report["stages"],
        }


def _push() -> dict:
    bounds = tomllib.loads((ROOT / "bench" / "thresholds.toml").read_text())["push"]
    with tempfile.TemporaryDirectory(prefix="wanjia-bench-") as folder:
        city, home = Path(folder) / "city", Path(folder) / "home"
        _measured(["wanjia", "city", "make", "--residents", "100000", "--seed", "1", "--out", str(city)], {})
        environment = {
            "WANJIA_HOME": str(home),
            "WANJIA_SOCIAL_INSURANCE_URL": f"sqlite:///{city / 'databases' / 'social_insurance.sqlite'}",
        }
        _measured(["wanjia", "run", "--inbox", str(city / "inbox"), "--format", "json"], environment, ends=(0, 3))
        pace = ["--rate", str(bounds["rows_per_second"]), "--seconds", str(60 * bounds["minutes"])]
        found = _measured([sys.executable, "-m", "bench.push", str(city), *pace], environment)
        return json.loads(found["stdout"].splitlines()[-1])


def _febrl4() -> dict:
    with tempfile.TemporaryDirectory(prefix="wanjia-bench-") as folder:
        from bench.febrl import write_inbox, write_records

        inbox, truth = write_inbox(Path(folder), "febrl4")
        environment = {"WANJIA_HOME": str(Path(folder) / "home"), "WANJIA_DECLARED": str(ROOT / "declared" / "febrl")}
        job = _measured(["wanjia", "run", "--inbox", str(inbox), "--format", "json"], environment, ends=(0, 3))
        report = json.loads(job["stdout"])
        score = _measured(["wanjia", "linkage", "score", "--truth", str(truth), "--format", "json"], environment)
        records, plain_truth = write_records(Path(folder), "febrl4")
        plain = json.loads(
            _measured([sys.executable, "-m", "bench.plain_splink", str(records), str(plain_truth)], {})[
                "stdout"
            ].splitlines()[-1]
        )
        return {
            **machine(),
            "rows": sum(d["accepted"] for d in report["deliveries"]),
            "job_seconds": job["seconds"],
            "job_peak_mb": job["peak_mb"],
            "plain_splink": plain,
            "linkage": report["linkage"],
            "score": _headline(json.loads(score["stdout"])),
            "stages": report["stages"],
        }


def _plain_splink(folder: Path, truth: Path, environment: dict[str, str]) -> dict:
    records, judged = folder / "records.parquet", folder / "judged.parquet"
    _measured([sys.executable, "-m", "bench.records", str(records), str(truth), str(judged)], environment)
    found = _measured([sys.executable, "-m", "bench.plain_splink", str(records), str(judged)], {})
    return json.loads(found["stdout"].splitlines()[-1])


def _headline(score: dict) -> dict:
    whole = score.get("whole", score)
    return {key: whole[key] for key in ("precision", "recall", "f1") if key in whole}


def _measured(command: list[str], environment: dict[str, str], ends: tuple[int, ...] = (0,)) -> dict:
    """Run a command to its end: seconds, peak memory of its largest process, stdout."""
    if command[0] == "wanjia":
        command = [sys.executable, "-m", "wanjia", *command[1:]]
    clean = {k: v for k, v in os.environ.items() if k not in ("DATABASE_URL", "WANJIA_DECLARED", "WANJIA_HOME")}
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
        began = time.perf_counter()
        process = subprocess.Popen(command, env={**clean, **environment}, stdout=out, stderr=err, text=True, cwd=ROOT)
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - began
        code = os.waitstatus_to_exitcode(status)
        out.seek(0), err.seek(0)
        if code not in ends:
            raise SystemExit(f"{' '.join(command)} ended with {code}:\n{err.read()[-3000:]}")
        return {"seconds": round(seconds, 2), "peak_mb": usage.ru_maxrss // 1024, "stdout": out.read()}


def machine() -> dict:
    """What was measured on, and when."""
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**30
    return {
        "machine": f"{os.cpu_count()} cores, {total} GiB, Python {platform.python_version()}",
        "measured_on": time.strftime("%Y-%m-%d"),
    }


if __name__ == "__main__":
    main(sys.argv[1:] or ["10k", "100k"])

# ruff: noqa: E501 - table rows are one line each
"""The results as a page and a plot."""

import json
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "bench" / "results"
ORDER = ["5k", "10k", "20k", "100k", "1m"]


def write_page() -> None:
    """Write docs/reference/benchmarks.md and its plot from the results that are there."""
    page, plot = ROOT / "docs" / "reference" / "benchmarks.md", ROOT / "docs" / "images" / "benchmark.svg"
    thresholds = tomllib.loads((ROOT / "bench" / "thresholds.toml").read_text())
    found = {path.stem: json.loads(path.read_text()) for path in RESULTS.glob("*.json")}
    cities = [(name, found[name]) for name in ORDER if name in found]
    lines = ["# Benchmarks", "", "Written by `make bench`; do not edit. Bounds: `bench/thresholds.toml`. The reference, plain Splink 5, runs on the same rows",
             "in a process of its own; ratios count, because machines differ.", ""]  # fmt: skip
    if cities:
        lines += [
            f"Machine: {cities[-1][1]['machine']}, {cities[-1][1]['measured_on']}.",
            "",
            "![whole job beside plain Splink](../images/benchmark.svg)",
            "",
        ]
        lines += _city_tables(cities, thresholds)
        plot.parent.mkdir(parents=True, exist_ok=True)
        plot.write_text(_svg(cities))
    if "febrl4" in found:
        lines += _febrl(found["febrl4"], thresholds)
    if "pages" in found:
        lines += _pages(found["pages"], thresholds)
    if "officers" in found:
        lines += _officers(found["officers"], thresholds)
    if "push" in found:
        lines += _push(found["push"], thresholds)
    if "access" in found:
        lines += _access(found["access"], thresholds)
    if "divisions" in found:
        lines += _divisions(found["divisions"], thresholds)
    if "trace" in found:
        lines += _trace(found["trace"], thresholds)
    if "trace_search" in found:
        lines += _trace_search(found["trace_search"], thresholds)
    page.parent.mkdir(parents=True, exist_ok=True)
    page.write_text("\n".join(lines) + "\n")


def _access(r: dict, thresholds: dict) -> list[str]:
    bound = thresholds["access"]
    return ["## Decisions and tokens", "", "One process; a decision to read is about ten field groups.", "",
            "| | per second | bound |", "|---|---:|---:|",
            f"| decisions, as pages ask | {r['decisions_per_second']:,.0f} | {bound['decisions_per_second']:,} |",
            f"| decisions, nothing remembered | {r['decisions_unremembered_per_second']:,.0f} | |",
            f"| Cedar alone, one question (reference) | {r['cedar_alone_per_second']:,.0f} | |",
            f"| machine tokens | {r['tokens_per_second']:,.0f} | {bound['tokens_per_second']} |",
            f"| machine tokens with Django's slow hash (reference) | {r['tokens_with_slow_hash_per_second']:,.1f} | |", ""]  # fmt: skip


def _trace(r: dict, thresholds: dict) -> list[str]:
    bound = thresholds["trace"]
    flood = (
        ("bare SELECT", "bare_select"),
        ("bare SELECT + INSERT", "select_and_insert"),
        ("logged read", "logged_read"),
    )
    steady = r["logged_at_1000"]
    return ["## The trace", "", f"{r['entries']:,} entries, {r['clients']} clients, {r['cpus']} cores, the sequencer running; the machine's load was {r['load_before']} before.", "",
            "| | per second | p50 ms | p99 ms | longest ms |", "|---|---:|---:|---:|---:|",
            *(f"| {name} | {r[key]['per_second']:,} | {r[key]['p50_ms']} | {r[key]['p99_ms']} | {r[key]['longest_ms']} |" for name, key in flood),
            f"| logged read, 1,000 a second asked for | {steady['per_second']:,} | {steady['p50_ms']} | {steady['p99_ms']} | {steady['longest_ms']} |", "",
            f"Bounds: ≥ {bound['logged_reads_per_second']:,} logged reads a second, p99 ≤ {bound['logged_read_p99_ms']} ms. From the commit to a published "
            f"checkpoint: p99 {r['publish']['p99_seconds']} s (bound {bound['publish_p99_seconds']} s).", "",
            "| one answer, ms | p50 | p99 | longest | bound |", "|---|---:|---:|---:|---:|",
            *(f"| {name} | {r[key]['p50']} | {r[key]['p99']} | {r[key]['longest']} | {limit} |" for name, key, limit in (
                ("inclusion proof", "inclusion_ms", bound["inclusion_ms"]), ("consistency proof", "consistency_ms", ""), ("receipt", "receipt_ms", ""),
                ("who looked", "who_looked_ms", bound["who_looked_ms"]))), ""]  # fmt: skip


def _divisions(r: dict, thresholds: dict) -> list[str]:
    rows = (
        ("the page that answers (log-in, right, JSON; without the network)", r["request"]),
        ("of which finding", r["in_process"]),
        ("the same keys asked of PostgreSQL", r["postgresql"]),
    )
    return [f"## Choosing among {r['divisions']:,} divisions while typing", "",
            f"{r['asked']:,} beginnings of {r['keys']:,} keys (codes, names, pinyin, first letters), from one character to the whole, the eight best of each. "
            f"PostgreSQL has the same keys in one indexed table. Bound: p95 ≤ {thresholds['divisions']['typed_p95_ms']} ms. The table is read in "
            f"{r['load_seconds']} s and its keys are made in {r['keys_made_seconds']} s, once in each process.", "",
            "| | p50 ms | p95 ms | p99 ms |", "|---|---:|---:|---:|",
            *(f"| {name} | {one['p50_ms']:.2f} | {one['p95_ms']:.2f} | {one['p99_ms']:.2f} |" for name, one in rows), ""]  # fmt: skip


def _trace_search(r: dict, thresholds: dict) -> list[str]:
    slowest = sorted(r["page_ms"].items(), key=lambda one: -one[1]["longest"])
    return [f"## An auditor's search over {r['entries']:,} entries", "",
            "The whole page, first and next, for common values, rare ones, and such as never meet. Bound: "
            f"{thresholds['trace']['search_seconds']} s. The ten slowest again with the server just started and nothing of it in memory: longest "
            f"{r['cold_longest_ms'] / 1000:.2f} s.", "",
            "| filter | pages asked | median ms | longest ms |", "|---|---:|---:|---:|",
            *(f"| {name} | {one['asked']} | {one['median']:.0f} | {one['longest']:.0f} |" for name, one in slowest), ""]  # fmt: skip


def _city_tables(cities: list[tuple[str, dict]], thresholds: dict) -> list[str]:
    lines = ["## The fictional city", "", "| residents | records | whole job s | peak MB | plain Splink s | its peak MB | ratio | s per 1M records |",
             "|---:|---:|---:|---:|---:|---:|---:|---:|"]  # fmt: skip
    for _, r in cities:
        plain = r["plain_splink"]
        lines.append(
            f"| {r['residents']:,} | {r['rows']:,} | {r['job_seconds']:.1f} | {r['job_peak_mb']:,} | {plain['seconds']:.1f} | {plain['peak_mb']:,} "
            f"| {r['ratio_to_plain_splink']:.2f} | {r['seconds_per_million_rows']:.1f} |"
        )
    lines += ["", f"Bound on the ratio at 1M residents: {thresholds['main_job']['ratio_to_plain_splink']}.", "",
              "| residents | precision | recall | review share of persons | plain Splink at 0.95: precision | recall |", "|---:|---:|---:|---:|---:|---:|"]  # fmt: skip
    for _, r in cities:
        score, plain = r["score"], r["plain_splink"]
        lines.append(
            f"| {r['residents']:,} | {score['precision']:.5f} | {score['recall']:.5f} | {r['review_share_of_persons']:.4f} "
            f"| {plain['precision']:.5f} | {plain['recall']:.5f} |"
        )
    bounds = thresholds["linkage_city_100k"]
    lines += ["", f"Bounds at 100,000: precision ≥ {bounds['precision']}, recall ≥ {bounds['recall']}, review ≤ {bounds['review_share_of_persons']}.", "",
              "### Where the time goes (seconds)", "", "| stage | " + " | ".join(name for name, _ in cities) + " |", "|---|" + "---:|" * len(cities)]  # fmt: skip
    for stage in [s["name"] for s in cities[-1][1]["stages"]]:
        cells = [next((f"{s['seconds']:.1f}" for s in r["stages"] if s["name"] == stage), "") for _, r in cities]
        lines.append(f"| {stage} | " + " | ".join(cells) + " |")
    return [*lines, ""]


def _febrl(r: dict, thresholds: dict) -> list[str]:
    score, plain = r["score"], r["plain_splink"]
    return [
        "## FEBRL4 (10,000 records, public)", "", "| | precision | recall | F1 | s |", "|---|---:|---:|---:|---:|",
        f"| Wanjia, thresholds chosen by itself (whole job) | {score['precision']:.4f} | {score['recall']:.4f} | {score['f1']:.4f} | {r['job_seconds']:.1f} |",
        f"| plain Splink at 0.95 | {plain['precision']:.4f} | {plain['recall']:.4f} | {_f1(plain):.4f} | {plain['seconds']:.1f} |", "",
        f"Bound: cluster F1 ≥ {thresholds['febrl4']['cluster_f1']}.",
    ]  # fmt: skip


def _pages(r: dict, thresholds: dict) -> list[str]:
    return [
        "", f"## Pages of staff at {r['persons']:,} persons", "",
        f"Over HTTP, one visitor, {r['measured_on']}. The database's share is that of the same queries sent alone. Bound: p95 ≤ {thresholds['pages']['p95_ms']} ms.", "",
        "| page | p50 ms | p95 ms | longest ms | database p95 ms |", "|---|---:|---:|---:|---:|",
        *(f"| {p['page']} | {p['p50_ms']:.0f} | {p['p95_ms']:.0f} | {p['longest_ms']:.0f} | {p['database_p95_ms']:.0f} |" for p in r["pages"]),
        "",
    ]  # fmt: skip


def _officers(r: dict, thresholds: dict) -> list[str]:
    bound, desks = thresholds["officers"], r["desks"]

    def table(rows: list[dict]) -> list[str]:
        return [f"| {row['kind']} | {row['times']:,} | {row['p50_ms']:,.1f} | {row['p95_ms']:,.1f} | {row['longest_ms']:,.1f} | "
                f"{'' if row['database_p95_ms'] is None else format(row['database_p95_ms'], ',.1f')} |" for row in rows]  # fmt: skip

    head = ["| | times | p50 ms | p95 ms | longest ms | statements p95 ms |", "|---|---:|---:|---:|---:|---:|"]
    cold = [] if not r.get("cold") else [
        "The same on a machine that was just started, before anything of the register is in memory (no bound).",
        f"`wanjia serve` reads {r['cold']['read_mb']:,} MB ahead meanwhile, here in {r['cold']['read_seconds']} s.", "", *head, *table(r["cold"]["searches"]), ""]  # fmt: skip
    review = (
        []
        if "review" not in desks
        else [
            f"Pairs under review, one officer. Bound: p95 ≤ {bound['next_pair_p95_ms']} ms.",
            "",
            *head,
            *table([desks["review"]]),
            "",
        ]
    )
    return [f"## The officer's desk at {r['persons']:,} persons", "", f"{r['machine']}, {r['measured_on']}. The last column: what the database's statements took of the same calls.", "",
            f"Searches, each in the trace. Bound: p95 ≤ {bound['search_p95_ms']} ms.", "", *head, *table(r["searches"]), "", *cold,
            f"A change of name, by two officers. Bound for registering: p95 ≤ {bound['register_p95_ms']} ms.", "", *head, *table(r["events"]), "", *review,
            f"{desks['officers']} officers for {desks['seconds']} s over HTTP, ten seconds of thought between two pages: {desks['requests']:,} requests, {len(desks['errors'])} errors. Bound: p95 ≤ {bound['page_p95_ms']} ms.", "",
            *head, *table(desks["pages"]), ""]  # fmt: skip


def _push(r: dict, thresholds: dict) -> list[str]:
    bound = thresholds["push"]
    shown = {name: "never" if r[name] is None else f"{r[name]:.2f}" for name in ("p50", "p90", "p99", "longest")}
    return [
        "## A pushed row, until it can be read in the register", "",
        "Single rows by HTTP at a steady rate; the time runs from when a row was due to be sent until another database connection reads what it",
        "says. Sender, pages, worker, database and the reader share the machine.", "",
        "| persons | rows/s | seconds | rows | never read | p50 s | p90 s | p99 s | longest s | worker peak MB | pages peak MB |",
        "|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|",
        f"| {r['persons']:,} | {r['rate']} | {r['seconds']} | {r['rows']:,} | {r['unseen']} | {shown['p50']} | {shown['p90']} | {shown['p99']} "
        f"| {shown['longest']} | {r['peak_mb'].get('worker', 0):,} | {r['peak_mb'].get('pages', 0):,} |", "",
        *([f"Processor time of a row in ms: {', '.join(f'{part} {spent}' for part, spent in r['processor_ms_per_row'].items())}; "
           f"{r['refused']} rows were refused, with their receipts.", ""] if "processor_ms_per_row" in r else []),
        f"Bound: p99 ≤ {bound['p99_seconds']} s at {bound['rows_per_second']} rows/s for {bound['minutes']} minutes. "
        f"Measured on {r['machine']}, {r['measured_on']}.", "",
    ]  # fmt: skip


def _f1(score: dict) -> float:
    both = score["precision"] + score["recall"]
    return 2 * score["precision"] * score["recall"] / both if both else 0.0


def _svg(cities: list[tuple[str, dict]]) -> str:
    """Seconds per million records at each size: bars of the whole job (blue) beside plain Splink (grey)."""
    bars = [(name, r["seconds_per_million_rows"], r["plain_splink"]["seconds"] / r["rows"] * 1e6) for name, r in cities]
    highest = max(max(job, plain) for _, job, plain in bars)
    width, height, step = 120 * len(bars) + 80, 300, 120
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="12" role="img">',
        "<title>Seconds per million records: whole job beside plain Splink</title>",
        '<text x="10" y="18">seconds per 1,000,000 records (■ whole job, □ plain Splink)</text>',
    ]  # fmt: skip
    for number, (name, job, plain) in enumerate(bars):
        for offset, value, fill in ((0, job, "#1d4ed8"), (45, plain, "#9ca3af")):
            tall = value / highest * (height - 80)
            x, y = 50 + number * step + offset, height - 30 - tall
            parts.append(f'<rect x="{x}" y="{y:.1f}" width="40" height="{tall:.1f}" fill="{fill}"/>')
            parts.append(f'<text x="{x + 20}" y="{y - 4:.1f}" text-anchor="middle">{value:.0f}</text>')
        parts.append(f'<text x="{50 + number * step + 42}" y="{height - 10}" text-anchor="middle">{name}</text>')
    return "\n".join([*parts, "</svg>"]) + "\n"

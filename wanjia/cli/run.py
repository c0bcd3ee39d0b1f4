"""wanjia run: the main job."""

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from wanjia.cli import _options

if TYPE_CHECKING:
    from wanjia.jobs.on_delivery import Report

REFUSED_ROWS = 3


@click.command()
@click.option(
    "--inbox", type=click.Path(exists=True, file_okay=False, path_type=Path), help="Folder with the departments' files."
)
@click.option(
    "--declared",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Folder of the profile (default: cn).",
)
@click.option(
    "--engine", type=click.Choice(["duckdb", "spark"]), help="Engine of bulk work (default: WANJIA_ENGINE or duckdb)."
)
@click.option("--format", "shape", type=click.Choice(["text", "json", "ndjson"]), default="text", show_default=True)
@click.option("--dry-run", is_flag=True, help="Read and check everything, write nothing.")
@click.option(
    "--resume",
    is_flag=True,
    help="Only finish what a stopped run had received; look for nothing new (no --inbox, no pulls).",
)
@click.option("--force", is_flag=True, help="Compute again even when nothing changed.")
@_options.by
@_options.why("main job")
def command(
    inbox: Path | None, declared: Path | None, engine: str | None, shape: str, dry_run: bool, resume: bool, force: bool,
    by: str, why: str,
) -> None:  # fmt: skip
    """Departments' files become one register.

    Receives what lies in the inbox and pulls what is due, standardises, links, resolves and loads. Killed at any moment, the same command goes
    on where it stopped. Exit code 3 when rows or files were refused.
    """
    if declared is not None:
        os.environ["WANJIA_DECLARED"] = str(declared.resolve())
    from wanjia.kernel.database import setup_django
    from wanjia.kernel.progress import for_terminal

    setup_django()
    from wanjia.jobs import on_delivery

    if resume and (inbox is not None or dry_run):
        raise click.UsageError(
            "--resume finishes what was received before: it goes with neither --inbox nor --dry-run."
        )
    if dry_run:
        report = on_delivery.preview(inbox, progress=for_terminal())
    else:
        report = on_delivery.run(
            inbox, by=by, why=why, progress=for_terminal(), engine_name=engine, force=force, receives=not resume
        )
    show(report, shape)
    if report.refused_rows or report.refused:
        sys.exit(REFUSED_ROWS)


def show(report: "Report", shape: str = "text") -> None:
    """Print a report of the main job on stdout."""
    if shape == "json":
        click.echo(json.dumps(report.as_json(), ensure_ascii=False))
        return
    if shape == "ndjson":
        for kind, rows in (("delivery", report.deliveries), ("stage", report.stages)):
            for row in rows:
                click.echo(json.dumps({"schema": 1, "kind": kind, **row.__dict__}, ensure_ascii=False))
        whole = {k: v for k, v in report.as_json().items() if k not in ("deliveries", "stages")}
        click.echo(json.dumps({"kind": "run", **whole}, ensure_ascii=False))
        return
    _show_text(report)


def _show_text(report: "Report") -> None:
    from rich.console import Console
    from rich.table import Table

    console = Console(width=None if sys.stdout.isatty() else 120)
    if report.deliveries:
        table = Table("source", "rows in", "accepted", "quarantined", "repeats", title="Deliveries")
        for row in report.deliveries:
            table.add_row(row.source, *(f"{n:,}" for n in (row.rows_in, row.accepted, row.quarantined, row.repeats)))
        console.print(table)
    for refusal in report.refused:
        console.print(
            f"[bold]refused[/bold] delivery {refusal['delivery']} ({refusal['source'] or '?'}): {refusal['code']} {refusal['en']}"
        )
    if report.known_again or report.unmatched:
        console.print(f"{report.known_again} files were known already; {report.unmatched} match no source.")
    if report.is_unchanged:
        console.print("Nothing changed since the last run.")
        return
    if report.linkage:
        bands = ", ".join(f"{band} {n:,}" for band, n in sorted(report.linkage["bands"].items()))
        console.print(
            f"{report.linkage['assertions']:,} assertions → {report.linkage['persons']:,} persons ({bands}); {report.linkage['review']:,} to review"
        )
    if report.findings:
        console.print("Findings: " + ", ".join(f"{kind} {n:,}" for kind, n in sorted(report.findings.items())))
    table = Table("stage", "seconds", "rows", "peak MB", title="Stages")
    for stage in report.stages:
        table.add_row(
            stage.name,
            f"{stage.seconds:.1f}",
            f"{stage.rows_out:,}" if stage.rows_out is not None else "",
            f"{stage.peak_mb:,}",
        )
    console.print(table)

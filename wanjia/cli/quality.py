"""`wanjia quality score|findings`: how good each source is, and what it must answer."""

import json

import click

from wanjia.cli import _options
from wanjia.cli._options import SHAPES


@click.group()
def command() -> None:
    """Quality of sources: scorecards and findings."""
    _options.ready()


@command.command()
@click.option("--source", help="Only this source.")
@click.option("--worst", type=int, default=20, show_default=True, help="How many lines (0: all).")
@click.option("--format", "shape", type=SHAPES, default="text", show_default=True)
def score(source: str | None, worst: int, shape: str) -> None:
    """The scorecards of the last run, worst first: six indicators of GB/T 36344, each with numerator and denominator."""
    from wanjia.catalog import api

    cells = api.scorecard(source=source)[: worst or None]
    if shape == "json":
        click.echo(json.dumps({"schema": 1, "scores": cells}, ensure_ascii=False))
        return
    for cell in cells:
        if shape == "ndjson":
            click.echo(json.dumps(cell, ensure_ascii=False))
        else:
            share = f"{cell['ratio']:.4f}" if cell["ratio"] is not None else "-"
            ratio = f"{cell['good']:,} / {cell['counted']:,}"
            click.echo(f"{share}  {ratio:>24}  {cell['dimension']:<13} {cell['source']:<24} {cell['element']}")


@command.command()
@click.option("--format", "shape", type=SHAPES, default="text", show_default=True)
def findings(shape: str) -> None:
    """Open findings by source and kind, with how many are overdue."""
    from wanjia.catalog import api

    lines = api.findings_summary()
    if shape == "json":
        click.echo(json.dumps({"schema": 1, "findings": lines}, ensure_ascii=False, default=str))
        return
    for line in lines:
        if shape == "ndjson":
            click.echo(json.dumps(line, ensure_ascii=False, default=str))
        else:
            due = f"next due {line['next_due_on']}" if line["next_due_on"] else ""
            click.echo(
                f"{line['open']:>8,}  {line['source']:<24} {line['kind']:<26} overdue {line['overdue']:,}  {due}"
            )

"""`wanjia linkage score|export|curve`: how good the links are, and what they are."""

import csv
import json
import sys
from pathlib import Path

import click

from wanjia.cli import _options
from wanjia.cli._options import SHAPES


@click.group()
def command() -> None:
    """Who is the same person: scores, links, thresholds."""


@command.command()
@click.option(
    "--truth",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    required=True,
    help="CSV or Parquet with source, record_key, person (optional: subject, faults).",
)
@click.option("--format", "shape", type=SHAPES, default="text", show_default=True)
def score(truth: Path, shape: str) -> None:
    """Pairwise precision, recall and F1 of the links, per pair of sources and per fault, with the threshold curve."""
    from wanjia.kernel import settings
    from wanjia.kernel.engine import get_engine
    from wanjia.kernel.lake import Lake
    from wanjia.linkage import api

    with get_engine() as engine:
        found = api.score(engine, lake=Lake.open(settings.home()), truth=truth)
    if shape != "text":
        click.echo(json.dumps({"schema": 1, **found.as_json()}, ensure_ascii=False))
        return
    row = found.whole.as_row()
    click.echo(f"precision {row['precision']:.5f}   recall {row['recall']:.5f}   F1 {row['f1']:.5f}")
    click.echo(
        f"{found.records:,} records, {found.persons:,} persons (truth: {found.true_persons:,}), "
        f"{found.fused_persons:,} hold more than one true person"
    )
    click.echo(
        f"review queue {found.review:,} ({found.review_share:.2%} of persons), {found.review_true:,} of them one person"
    )
    click.echo("\nper pair of sources")
    for pair, figures in found.by_source_pair.items():
        click.echo(_line(pair.replace("|", " – "), figures))
    if found.by_fault:
        click.echo("\nper fault (pairs of the records that bear it)")
        for fault, (records, figures) in found.by_fault.items():
            click.echo(_line(f"{fault} ({records:,})", figures))
    click.echo("\nscored pairs by weight (log2 odds): precision and recall at and above it")
    for point in found.curve:
        click.echo(f"  {point['weight']:>6.0f}  {point['pairs']:>12,}  {point['precision']:.5f}  {point['recall']:.5f}")


@command.command()
@click.option("--format", "shape", type=click.Choice(["csv", "ndjson"]), default="csv", show_default=True)
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="Write to a file instead of stdout.")
@_options.by
@_options.why("linkage export")
def export(shape: str, out: Path | None, by: str, why: str) -> None:
    """Every record with its person: source, record key, subject, person id, probability. One trace entry, about everybody."""
    from wanjia.kernel import settings
    from wanjia.kernel.lake import Lake
    from wanjia.linkage import api
    from wanjia.trace import api as trace

    _options.ready()
    # before the first row leaves: an export that is cut off has been read all the same
    trace.record_job("linkage.export", persons=None, by=by, why=why)
    batches = api.export_rows(Lake.open(settings.home()))
    sink = open(out, "w", newline="", encoding="utf-8") if out else sys.stdout
    try:
        writer = csv.writer(sink)
        head = True
        for batch in batches:
            if shape == "csv":
                if head:
                    writer.writerow(batch.schema.names)
                writer.writerows(zip(*(column.to_pylist() for column in batch.columns), strict=True))
            else:
                for row in batch.to_pylist():
                    sink.write(json.dumps(row, ensure_ascii=False) + "\n")
            head = False
    finally:
        if out:
            sink.close()


@command.command()
@click.option("--format", "shape", type=SHAPES, default="text", show_default=True)
def curve(shape: str) -> None:
    """What linking expects of itself, estimated without any truth: error by threshold, and the thresholds chosen."""
    from wanjia.kernel import settings
    from wanjia.kernel.lake import Lake
    from wanjia.linkage import api

    found = api.curve(Lake.open(settings.home()))
    if shape != "text":
        click.echo(json.dumps({"schema": 1, **found}, ensure_ascii=False))
        return
    click.echo(f"model {found['model']}, taught by {found['taught_by']}")
    if found["blocking_recall_estimated"] is not None:
        click.echo(f"blocking recall (estimated) {found['blocking_recall_estimated']:.5f}")
    click.echo("\npair of sources: link from, review from (log2 odds), estimated share of wrong links, judged pairs")
    for pair, chosen in found["thresholds"].items():
        click.echo(
            f"  {pair:<50} {chosen['link']:>7.2f} {chosen['review']:>7.2f} {chosen['estimated_false_links']:>9.5f} {chosen['judged']:>8,}"
        )
    click.echo("\nweight, links, precision, recall (estimated)")
    for point in found["points"]:
        click.echo(
            f"  {point['weight']:>6.0f}  {point['links']:>9,.0f}  {point['precision']:.5f}  {point['recall']:.5f}"
        )


def _line(name: str, figures) -> str:
    row = figures.as_row()
    return (
        f"  {name:<52} P {row['precision']:.5f}  R {row['recall']:.5f}  F1 {row['f1']:.5f}"
        f"  wrong {row['wrong']:,.0f}  missed {row['missed']:,.0f}"
    )

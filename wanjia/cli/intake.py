"""`wanjia intake VERB`: what departments sent, what was refused, and withdrawing a delivery."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from wanjia.cli import _options
from wanjia.cli._options import SHAPES

DONE_WITH_REFUSALS = 3


def _signed(function: Callable) -> Callable:
    """Every verb that changes something says who and why."""
    return _options.by(_options.why()(function))


def _shaped(function: Callable) -> Callable:
    return click.option("--format", "shape", type=SHAPES, default="text", show_default=True)(function)


@click.group()
def command() -> None:
    """Deliveries of departments: receive, look at, withdraw."""


def _door() -> Any:
    _options.ready()
    from wanjia.intake import api

    return api


def _show(rows: list[dict[str, Any]], shape: str, line: Callable[[dict[str, Any]], str]) -> None:
    if shape == "json":
        click.echo(json.dumps({"schema": 1, "rows": rows}, ensure_ascii=False))
        return
    for row in rows:
        click.echo(json.dumps({"schema": 1, **row}, ensure_ascii=False) if shape == "ndjson" else line(row))


def _delivery(delivery: Any) -> dict[str, Any]:
    return {
        "delivery": delivery.id,
        "source": delivery.source,
        "sequence": delivery.sequence,
        "status": delivery.status,
        "received_at": delivery.received_at.isoformat(timespec="seconds"),
        "format": delivery.kind,
        "bytes": delivery.size,
        "rows_in": delivery.rows_in,
        "accepted": delivery.accepted,
        "quarantined": delivery.quarantined,
        "repeats": delivery.repeats,
        "failure": delivery.failure_code or None,
    }


def _delivery_line(row: dict[str, Any]) -> str:
    head = f"{row['delivery']:>6}  {row['source']} #{row['sequence']}  {row['status']}"
    if row["rows_in"] is None or row["status"] not in ("standardised", "withdrawn"):
        return f"{head}  {row['failure'] or ''}".rstrip()
    return (
        f"{head}  {row['rows_in']:,} in = {row['accepted']:,} accepted + {row['quarantined']:,} quarantined "
        f"+ {row['repeats']:,} repeats"
    )


@command.command()
@click.argument("paths", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@click.option("--source", help="Code of the source, when the file's name does not tell.")
@click.option("--dry-run", is_flag=True, help="Check and count, keep nothing.")
@_signed
@_shaped
def receive(paths: tuple[Path, ...], source: str | None, dry_run: bool, by: str, why: str, shape: str) -> None:
    """Land files (or every file of a folder) and standardise them. The same file twice changes nothing."""
    from wanjia.intake.errors import IntakeError
    from wanjia.kernel.engine import get_engine

    api = _door()
    if dry_run:
        _preview(api, paths, source, shape)
        return
    refused: list[IntakeError] = []
    deliveries = []
    for path in paths:
        if path.is_dir():
            report = api.receive_inbox(path, by=by, why=why)
            deliveries += [*report.received, *report.known]
            refused += [error for _, _, error in report.refused]
        else:
            try:
                deliveries.append(api.receive_file(path, source=source, by=by, why=why).delivery)
            except IntakeError as error:
                refused.append(error)
    with get_engine() as engine:
        _, failed = api.standardise_pending(engine, by=by, why=why)
    refused += [error for _, error in failed]
    rows = [_delivery(api.delivery_named(delivery.id)) for delivery in deliveries]
    _show(rows, shape, _delivery_line)
    _tell(refused)
    if refused or any(row["quarantined"] for row in rows):
        sys.exit(DONE_WITH_REFUSALS)


def _preview(api: Any, paths: tuple[Path, ...], source: str | None, shape: str) -> None:
    from wanjia.intake.errors import IntakeError
    from wanjia.kernel.engine import get_engine

    refused: list[IntakeError] = []
    rows: list[dict[str, Any]] = []
    files = [
        file for path in paths for file in (sorted(path.rglob("*")) if path.is_dir() else [path]) if file.is_file()
    ]
    with get_engine() as engine:
        for number, file in enumerate(files, start=1):
            try:
                code, found = api.preview_file(engine, file, source=source)
            except IntakeError as error:
                refused.append(error)
                continue
            rows.append(
                {
                    "file": number,
                    "source": code,
                    "rows_in": found.rows_in,
                    "accepted": found.accepted,
                    "quarantined": len(found.refused),
                    "repeats": found.repeats,
                }
            )
    _show(
        rows,
        shape,
        lambda r: (
            f"{r['file']:>4}  {r['source']}  {r['rows_in']:,} in = {r['accepted']:,} accepted + "
            f"{r['quarantined']:,} quarantined + {r['repeats']:,} repeats"
        ),
    )
    _tell(refused)
    if refused or any(row["quarantined"] for row in rows):
        sys.exit(DONE_WITH_REFUSALS)


def _tell(refused: list[Any]) -> None:
    from wanjia.cli import _language

    for error in refused:
        click.echo(f"{error.code}: {error.sentence(_language())}", err=True)


@command.command("list")
@click.option("--source")
@click.option("--status", type=click.Choice(["received", "standardised", "failed", "withdrawn"]))
@_shaped
def list_deliveries(source: str | None, status: str | None, shape: str) -> None:
    """Deliveries, newest first."""
    rows = [_delivery(d) for d in _door().deliveries(source=source, status=status)]
    _show(rows, shape, _delivery_line)


@command.command()
@click.argument("delivery", type=int)
@_shaped
def show(delivery: int, shape: str) -> None:
    """One delivery: how it was read, what was refused, what happened to it."""
    from wanjia.cli import _language

    api = _door()
    row = _delivery(api.delivery_named(delivery)) | api.delivery_story(delivery, lang=_language())
    if shape != "text":
        click.echo(json.dumps({"schema": 1, **row}, ensure_ascii=False))
        return
    click.echo(_delivery_line(row))
    if row["failure_sentence"]:
        click.echo(f"        {row['failure']}: {row['failure_sentence']}")
    for name, value in (row["reading"] or {}).items():
        if value not in (None, [], {}, 0):
            click.echo(f"        {name}: {json.dumps(value, ensure_ascii=False)}")
    for refusal in row["refusals"]:
        click.echo(f"        {refusal['rows']:>8,}  {refusal['reason']}")
    for event in row["events"]:
        click.echo(f"        {event['at']}  {event['status']}  {event['by']}  {event['why']}")


@command.command()
@click.argument("delivery", type=int)
@_signed
def withdraw(delivery: int, by: str, why: str) -> None:
    """Take a delivery back whole. Later deliveries that repeated its rows are made again at the next run."""
    leaning = _door().withdraw_delivery(delivery, by=by, why=why)
    click.echo(f"Delivery {delivery} is withdrawn. {len(leaning)} later deliveries are made again; now run: wanjia run")


@command.command()
@click.argument("source", required=False)
@_signed
@_shaped
def pull(source: str | None, by: str, why: str, shape: str) -> None:
    """Fetch what a source's database has since the last time (without SOURCE: of every source whose address is set)."""
    api = _door()
    codes = [source] if source else [s.code for s in api.pullable_sources()]
    pulled = [api.pull(code, by=by, why=why) for code in codes]
    _show([_delivery(p.delivery) for p in pulled if p is not None], shape, _delivery_line)


@command.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--every", default=2.0, show_default=True, help="Seconds between looks.")
@click.option("--once", is_flag=True, help="Take what is whole now, then end.")
@_signed
def watch(folder: Path, every: float, once: bool, by: str, why: str) -> None:
    """Receive and standardise files as they appear in a folder, each when it has stopped growing. Ends with Ctrl-C."""
    from wanjia.kernel.engine import get_engine

    api = _door()
    with get_engine() as engine:
        for seen in api.watch(folder, engine, every=every, once=once, by=by, why=why):
            if isinstance(seen, Exception):
                _tell([seen])
            else:
                click.echo(_delivery_line(_delivery(seen)))


@command.command()
@click.option("--delivery", type=int)
@click.option("--source")
@click.option("--reason")
@click.option("--limit", default=100, show_default=True)
@click.option("--counts", is_flag=True, help="How many rows per source and reason, instead of the rows.")
@_shaped
def quarantine(
    delivery: int | None, source: str | None, reason: str | None, limit: int, counts: bool, shape: str
) -> None:
    """Refused rows with row number, column, reason and sentence. Cells stay sealed: they are opened in the browser."""
    from dataclasses import asdict

    from wanjia.cli import _language

    api = _door()
    if counts:
        rows = api.refusal_counts(delivery=delivery)
        _show(rows, shape, lambda r: f"{r['rows']:>10,}  {r['source']}  {r['reason']}")
        return
    found = api.refusals(delivery=delivery, source=source, reason=reason, lang=_language(), limit=limit)
    _show(
        [asdict(r) for r in found],
        shape,
        lambda r: f"{r['delivery']:>6}  {r['source']}  {r['reason']}  {r['sentence']}",
    )


@command.command()
@click.argument("source")
@click.option("--label", required=True, help="Which machine it is for.")
@_signed
def token(source: str, label: str, by: str, why: str) -> None:
    """Issue a machine's secret for pushing to SOURCE. It is shown this once."""
    click.echo(_door().issue_token(source, label=label, by=by, why=why))

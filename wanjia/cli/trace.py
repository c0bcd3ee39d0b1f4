"""`wanjia trace …`: the public log, made, checked and witnessed. `verify` and `witness` need no database and nothing secret of the log's."""

import json
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click

from wanjia.cli import _options
from wanjia.cli._options import TEXT_OR_JSON


def _opener(_: click.Context, __: click.Parameter, username: str) -> str:
    """The account's name, if its role may open sealed reads."""
    _options.ready()
    from wanjia.access import api as access

    access.require(access.account_named(username), access.Right.OPEN_SEALS)
    return username


@click.group()
def command() -> None:
    """The trace's public log: publish it, check it, witness it."""


@command.command()
def sequence() -> None:
    """Publish the log until Ctrl-C: places, tiles and a signed checkpoint every second or so. `wanjia serve` runs this."""
    _options.ready()
    from wanjia.trace import api

    is_stopping, pause = _options.until_told()
    cosigning = api.Cosigning().begin(is_stopping, pause)
    api.Sequencer().serve(is_stopping)
    if cosigning is not None:
        cosigning.join(10)


@command.command()
@click.option("--cosigned", is_flag=True, help="The newest that a witness signed too.")
def checkpoint(cosigned: bool) -> None:
    """Print the newest published checkpoint. Exit code 1 when there is none."""
    _options.ready()
    from wanjia.trace import api

    note = api.checkpoint(cosigned=cosigned)
    if note is None:
        click.echo("Nothing is published yet.", err=True)
        sys.exit(1)
    click.echo(note.whole, nl=False)


@command.command()
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@click.option("--whole", is_flag=True, help="Write every file anew, not only what is new.")
def export(folder: Path, whole: bool) -> None:
    """Write the public files (checkpoint, keys, tiles, entry bundles) into FOLDER, for any web server or for safe keeping elsewhere."""
    _options.ready()
    from wanjia.trace import api

    head = api.export(folder, whole=whole)
    click.echo(f"{head.size:,} entries in {folder}" if head else "Nothing is published yet.", err=head is None)


@command.command()
@click.argument("entry", type=int)
@_options.by
@click.option("--why", required=True, help="The purpose, for the trace.")
def receipt(entry: int, by: str, why: str) -> None:
    """Print the receipt (tlog-proof) of an ENTRY (its id): it holds the entry itself. Traced."""
    _options.ready()
    from wanjia.trace import api

    content = api.receipt(entry)
    api.record("trace.receipt", by=by, why=why, detail={"entry": entry})
    click.echo(content, nl=False)


@command.command()
@click.argument("place", required=False)
@click.option(
    "--key",
    "keys",
    multiple=True,
    help="The log's verifier key, or a file of them (several: all must have signed). Default: as the log itself says.",
)
@click.option(
    "--witness",
    "witnesses",
    multiple=True,
    help="A witness's verifier key, or a file of them, whose cosignature must be there.",
)
@click.option(
    "--handovers",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The log's file 'handovers', for a receipt of before or after its keys changed. Default: as the log at PLACE says.",
)
@click.option("--entry", type=click.IntRange(0), help="Only: the entry at this place is in the signed tree.")
@click.option(
    "--since",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Only: the log goes on from this older checkpoint.",
)
@click.option(
    "--receipt",
    "receipts",
    multiple=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Only: this receipt holds.",
)
@click.option("--format", "shape", type=TEXT_OR_JSON, default="text", show_default=True)
def verify(
    place: str | None, keys: tuple[str, ...], witnesses: tuple[str, ...], handovers: Path | None, entry: int | None, since: Path | None,
    receipts: tuple[Path, ...], shape: str,
) -> None:  # fmt: skip
    """Check a log by its public files at PLACE (a folder or an address): all of it, one entry, its growth, or a receipt.

    A receipt is checked offline when no PLACE is given; the log's keys must be given then. Keys of any generation will do: the log's handovers lead
    from them to the others. Exit code 1 when something does not hold.
    """
    from wanjia.trace.api import checking

    if place is None and not (receipts and keys):
        raise click.UsageError("Give a PLACE, or a --receipt with the log's --key.")
    keys, witnesses = _keys_in(keys), _keys_in(witnesses)
    trust = checking.Trust.of(keys, witnesses) if keys else None
    if trust is not None and handovers is not None:
        trust = trust.following(handovers.read_text())
    log = checking.PublicLog(place, trust) if place else None
    if log is not None and not keys:
        if witnesses:
            log.trust = checking.Trust.of([key.vkey for key in log.trust.keys], witnesses)
        click.echo("The log's own keys are trusted: give --key to check that it is the log you know.", err=True)
    told: dict[str, Any] = {}
    for path in receipts:
        content = path.read_text()
        head, found = log.verify_receipt(content) if log else checking.verify_receipt(content, trust)
        told.setdefault("receipts", []).append(
            {"file": path.name, "index": found.index, "entry": json.loads(found.entry), "size": head.size}
        )
    if log is not None and since is not None:
        before, now = log.verify_since(since.read_text())
        told["since"] = {"from": before.size, "to": now.size}
    if log is not None and entry is not None:
        head, said = log.verify_entry(entry)
        told["entry"] = {"index": entry, "commitment": said.hex(), "size": head.size}
    if log is not None and not told:
        head = log.verify_all(_progress())
        told["log"] = {"origin": head.origin, "size": head.size, "root": head.root.hex()}
    if shape == "json":
        click.echo(json.dumps({"schema": 1, "holds": True, **told}, ensure_ascii=False))
        return
    for line in _in_words(told):
        click.echo(line)
    if not witnesses:
        click.echo(
            "No witness was asked for: give --witness to know that an outside office has seen this log grow.", err=True
        )


def _keys_in(given: tuple[str, ...]) -> tuple[str, ...]:
    """Verifier keys; what names a file stands for the keys in it, a line each."""
    found: list[str] = []
    for one in given:
        found += Path(one).read_text(encoding="utf-8").split() if "+" not in one and Path(one).is_file() else [one]
    return tuple(found)


def _in_words(told: dict[str, Any]) -> Iterator[str]:
    for one in told.get("receipts", ()):
        entry = one["entry"]
        who = f"{entry['actor']}{' of ' + entry['department'] if entry['department'] else ''}"
        whom = f", about person {entry['subject']}" if entry["subject"] else ""
        yield f"holds: {one['file']}: place {one['index']:,} of {one['size']:,}"
        yield f"       {entry['at']} {who}: {entry['kind']} for {entry['purpose']}{whom}"
        yield f"       {json.dumps(entry, ensure_ascii=False)}"
    if since := told.get("since"):
        yield f"holds: the log of {since['to']:,} entries goes on from the one of {since['from']:,}"
    if entry := told.get("entry"):
        yield f"holds: place {entry['index']:,} of {entry['size']:,} is {entry['commitment']}"
    if log := told.get("log"):
        yield f"holds: all {log['size']:,} entries of {log['origin']}, root {log['root']}"


@command.command("open-seal")
@click.argument("entry", type=int)
@click.option("--by", required=True, callback=_opener, help="Your account: it must hold the right 'open_seals'.")
@click.option("--why", required=True, help="The reason, for the trace.")
def open_seal(entry: int, by: str, why: str) -> None:
    """Open a sealed read (ENTRY, its id) before its day. The first call asks; the same by another account agrees and opens. Traced."""
    from wanjia.trace import api

    if api.open_early(entry, by=by, why=why):
        click.echo("open: the person now sees the read, and who opened it")
    else:
        click.echo("asked for; it opens when another account with the right gives the same command")


@command.command()
@click.option("--limit", type=click.IntRange(1, 10_000), default=50, show_default=True)
@click.option("--format", "shape", type=TEXT_OR_JSON, default="text", show_default=True)
def seals(limit: int, shape: str) -> None:
    """List sealed reads, newest first: number, entry, law, approver, opening day, state. Neither who read nor about whom."""
    _options.ready()
    from wanjia.trace import api

    found = api.seals(limit=limit)
    if shape == "json":
        click.echo(
            json.dumps({"schema": 1, "counts": api.sealed_counts(), "seals": found}, default=str, ensure_ascii=False)
        )
        return
    for seal in found:
        state = "open" if seal["opened_at"] else f"asked for by {seal['asked_by']}" if seal["asked_by"] else "sealed"
        click.echo(
            f"{seal['number']:>6} {seal['entry_id']:>10} {seal['opens_on']} {state:<24} {seal['basis']} ({seal['approver']})"
        )


def _progress() -> Callable[[int, int], None] | None:
    if not sys.stderr.isatty():
        return None
    return lambda done, size: click.echo(f"\r{done:,} of {size:,}", nl=done == size, err=True)


@command.command("self-check")
@_options.by
@click.option("--why", default="self-check", show_default=True, help="The purpose, for the trace.")
@click.option("--format", "shape", type=TEXT_OR_JSON, default="text", show_default=True)
def self_check(by: str, why: str, shape: str) -> None:
    """Make the whole log anew from the database and compare; say how it stands. Exit code 4 when anything is wrong."""
    _options.ready()
    from dataclasses import asdict

    from wanjia.trace import api

    api.confirm()
    wrong = api.self_check(by=by, why=why, told=_progress())
    health = api.health()
    if shape == "json":
        click.echo(json.dumps({"schema": 1, "findings": wrong, "health": asdict(health)}, default=str))
    else:
        click.echo(
            f"{health.size:,} entries published, {health.pending:,} waiting, gate {'open' if health.is_open else 'SHUT'}"
        )
        click.echo("".join(f"WRONG: {one}\n" for one in wrong) or "All is well.\n", nl=False)
        if "no_witness" in health.alarms:
            click.echo(
                "No witness is set: nobody else would notice a rewritten log (docs/how-to/witness.md).", err=True
            )
    sys.exit(4 if wrong else 0)


@command.command()
@click.argument("store", type=click.Path(file_okay=False, path_type=Path))
@click.option(
    "--name", required=True, help="The witness's name, e.g. library.example/witness; kept from the first start."
)
@click.option(
    "--log",
    "logs",
    multiple=True,
    required=True,
    help="A verifier key of a log to watch (repeat for each key), or a file of them.",
)
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", type=click.IntRange(0, 65535), default=8700, show_default=True)
def witness(store: Path, name: str, logs: tuple[str, ...], host: str, port: int) -> None:
    """Witness other offices' logs: cosign what goes on from what was seen, refuse rollback and fork. Key and heads lie in STORE."""
    from wanjia.trace.api import checking, serving_witness

    own = serving_witness.Witness(
        store, name, [key for text in _keys_in(logs) for key in checking.Trust.of([text]).keys]
    )
    server = serving_witness.server_of(own, host, port)
    is_stopping, _ = _options.until_told()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://{host}:{server.server_address[1]}"
    click.echo(f"{address} {own.keys[0].vkey}")
    click.echo("The line above is one value of WANJIA_TRACE_WITNESSES at the log.", err=True)
    sys.stdout.flush()
    while not is_stopping():
        time.sleep(0.2)
    server.shutdown()


@command.command()
@click.option(
    "--from", "copy", help="A copy of the public files (folder or address) that holds what the restored database lost."
)
@_options.by
@click.option("--why", required=True, help="The reason, for the trace.")
def reopen(copy: str | None, by: str, why: str) -> None:
    """After a restore: take the lost places over from a copy of the public files, publish the gap, and let persons be read again."""
    _options.ready()
    from wanjia.trace import api

    gap = api.reopen(copy or str(api.public_folder()), by=by, why=why)
    click.echo(f"lost: {gap[0]} to {gap[1] - 1}, {gap[1] - gap[0]:,} entries" if gap else "nothing was lost")

"""`wanjia keys list|rotate|reencrypt|destroy|erase|certificate|chain`: the work of the security administrator."""

import json
import sys
from pathlib import Path
from typing import Any

import click

from wanjia.cli import _options

SHAPES = click.Choice(["text", "json"])
LEFT = 3


def _who(function):
    function = click.option("--why", default="key management", show_default=True, help="The purpose, for the trace.")(
        function
    )
    return click.option("--by", required=True, callback=_keeper, help="Your account: it must hold the right 'keys'.")(
        function
    )


def _keeper(_: click.Context, __: click.Parameter, username: str) -> str:
    """The account's name, if its role may keep keys. The shell is the system administrator's; keys are not theirs to change."""
    from wanjia.access import api as access

    access.require(access.account_named(username), access.Right.KEYS)
    return username


def _shape(function):
    return click.option("--format", "shape", type=SHAPES, default="text", show_default=True)(function)


def _dry(function):
    return click.option("--dry-run", is_flag=True, help="Say what would happen; change nothing.")(function)


@click.group()
def command() -> None:
    """Keys: list, rotate, re-encrypt, destroy; certificates of what is gone."""
    # an erasure writes of a person and re-encryption of their search keys: both are refused while the log is not known to go on
    _options.ready()


@command.command("list")
@click.option("--count", "is_counted", is_flag=True, help="Also count what is under each key (reads every store).")
@_shape
def list_keys(is_counted: bool, shape: str) -> None:
    """All keys: purpose, suite, state, since when, and under which key-encryption key. No secret is shown."""
    from wanjia.keys import api

    uses, keks, runs = api.listed(is_counted=is_counted), api.key_encryption_keys(), api.progress(limit=5)
    log_keys = api.log_keys()
    if shape == "json":
        rows = [
            {**vars(use.key), "suite": use.key.suite_name, "state": use.key.state, "under": use.under} for use in uses
        ]
        told = {
            "keys": rows,
            "key_encryption_keys": keks,
            "reencryptions": runs,
            "certificate_key": api.public_key(),
            "log_keys": [vars(one) for one in log_keys],
        }
        _json(told)
        return
    for name, is_current in keks.items():
        click.echo(f"{'current' if is_current else 'unused':<10} {name}")
    for use in uses:
        key = use.key
        under = "" if use.under is None else f"  {sum(use.under.values()):,} values"
        click.echo(
            f"{key.state:<10} {key.id:>4} {key.purpose:<24} {key.suite_name:<12} {key.made_at or '-':<30} {key.kek or '-'}{under}"
        )
    for one in log_keys:
        for key in one.keys:
            click.echo(f"{one.state:<10} trace-log {key[:60]}{'…' if len(key) > 60 else ''}")
    for run in runs:
        state = "finished" if run["finished_at"] else "running, or killed"
        click.echo(f"re-encryption {run['id']}: {run['done']:,} of {run['total']:,}, {state}")


@command.command()
@click.argument("purposes", nargs=-1, required=True)
@click.option("--suite", type=click.Choice(["aes-256-gcm", "sm4-gcm"]), help="Seal with this suite from now on.")
@_dry
@_shape
@_who
def rotate(purposes: tuple[str, ...], suite: str | None, dry_run: bool, shape: str, by: str, why: str) -> None:
    """Give PURPOSES (vault, lake, quarantine, blind:number, …) new keys; "kek" rotates the key-encryption key.

    Everything goes on; what is under the old key opens until 'wanjia keys reencrypt' has made it anew. "trace-log" are the keys that sign the log's
    checkpoints: the first call announces new ones in the log, the next puts them in force.
    """
    from wanjia.keys import api

    done = [api.rotate(purpose, suite=suite, by=by, why=why, dry_run=dry_run) for purpose in purposes]
    if shape == "json":
        _json({"rotated": done, "dry_run": dry_run})
        return
    for one in done:
        if "state" in one:
            click.echo(_told_of_log(one, is_dry=dry_run))
            continue
        click.echo(f"{one['purpose']}: key {one['old']} → {one['new'] if one['new'] else 'a new one (dry run)'}")


def _told_of_log(done: dict[str, Any], *, is_dry: bool) -> str:
    new = "".join(f"\n  {key}" for key in done["new"] or ())
    if done["state"] == "announced":
        said = "would be made and announced in the log (dry run)" if is_dry else f"are announced in the log:{new}"
        return f"{done['purpose']}: new keys {said}\nWitnesses of another make need them by hand. Give the same command again to put them in force."
    since = (
        "would be put in force (dry run)"
        if is_dry
        else f"are in force from size {done['size']:,} on; the old secrets are gone"
    )
    return f"{done['purpose']}: the announced keys {since}{new}"


@command.command()
@click.argument("purposes", nargs=-1)
@_dry
@_shape
@_who
def reencrypt(purposes: tuple[str, ...], dry_run: bool, shape: str, by: str, why: str) -> None:
    """Make anew what is under older keys (of PURPOSES, or of all). Killed, the same command goes on. Exit code 3: something is left."""
    from wanjia.jobs import on_rotation
    from wanjia.kernel.progress import for_terminal

    report = on_rotation.reencrypt(purposes or None, by=by, why=why, progress=for_terminal(), dry_run=dry_run)
    if shape == "json":
        _json({**report.as_json(), "dry_run": dry_run})
    else:
        if not report.found:
            click.echo("Nothing is under an older key.")
        for name, count in report.found.items():
            seconds = report.seconds.get(name, 0.0)
            speed = f"  {seconds:.1f} s, {report.done.get(name, 0) / seconds:,.0f}/s" if seconds else ""
            click.echo(f"{name}: {report.done.get(name, 0):,} of {count:,}{speed}")
        for name, count in report.left.items():
            click.echo(f"left under an older key: {name} {count:,}")
    if report.left:
        sys.exit(LEFT)


@command.command()
@click.argument("keys", nargs=-1, required=True)
@_dry
@_shape
@_who
def destroy(keys: tuple[str, ...], dry_run: bool, shape: str, by: str, why: str) -> None:
    """Destroy old KEYS (their numbers, or the names of key-encryption keys). Refused while anything is under one; those before it are destroyed."""
    from wanjia.keys import api

    gone = []
    for key in keys:
        number = api.destroy(key, by=by, why=why, dry_run=dry_run)
        gone.append({"key": key, "certificate": number})
        if shape == "json":
            continue
        if dry_run:
            click.echo(f"nothing stands against destroying {key} (dry run)")
        else:
            click.echo(f"{key} is destroyed" + (f"; certificate {number}" if number else ""))
    if shape == "json":
        _json({"destroyed": gone, "dry_run": dry_run})


@command.command()
@click.argument("person", type=int)
@click.option(
    "--basis", required=True, help="The law or decision under which the content goes; stands in the certificate."
)
@click.option("--landings", is_flag=True, help="Also destroy the deliveries' landed bytes that hold the rows.")
@_dry
@_shape
@_who
def erase(person: int, basis: str, landings: bool, dry_run: bool, shape: str, by: str, why: str) -> None:
    """Erase all content about a PERSON (id), run the main job, and issue a certificate. Others' proofs hold."""
    from wanjia.jobs import on_erasure
    from wanjia.kernel.progress import for_terminal
    from wanjia.linkage import api as linkage

    if dry_run:
        records = linkage.current_links()["person_id"].to_pylist().count(person)
        if shape == "json":
            _json({"person": person, "records": records, "dry_run": True})
        else:
            click.echo(f"{records} records speak of {person} now (dry run)")
        return
    number = on_erasure.erase_person(person, basis=basis, landings=landings, by=by, why=why, progress=for_terminal())
    if shape == "json":
        _json({"person": person, "certificate": number, "dry_run": False})
    else:
        click.echo(f"{person} is erased; certificate {number}")


@command.command()
@click.argument("number", required=False)
@click.option(
    "--verify", "path", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Check this document."
)
@click.option("--public-key", help="Check with this key (base64) instead of this installation's own.")
@_shape
def certificate(number: str | None, path: Path | None, public_key: str | None, shape: str) -> None:
    """Show certificate NUMBER (json: the signed document), list all, or --verify one. Exit code 1 when it does not verify."""
    from wanjia.cli import _language
    from wanjia.keys import api

    if path:
        content = api.verified(path.read_text(encoding="utf-8"), public_key or api.public_key())
        if shape == "json":
            _json({"is_valid": content is not None, "content": content})
        else:
            click.echo("the signature fits" if content else "NOT valid: altered, or signed with another key")
        sys.exit(0 if content else 1)
    if number is None:
        found = api.certificates()
        if shape == "json":
            _json({"certificates": found})
        for one in found if shape == "text" else ():
            click.echo(f"{one['number']}  {one['kind']} {one['subject']}")
        return
    document = api.certificate(number)
    click.echo(document if shape == "json" else api.as_text(document, _language()))


@command.command()
@click.argument("purpose", default="documents")
@click.option(
    "--test", "is_test", is_flag=True, help="Certify the key by a root of this installation's own, for trials."
)
@click.option("--request", "is_request", is_flag=True, help="Print a request for a certificate authority (PKCS #10).")
@click.option(
    "--install", "path", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Use this chain (PEM, the key's own first)."
)  # fmt: skip
@_who
def chain(purpose: str, is_test: bool, is_request: bool, path: Path | None, by: str, why: str) -> None:
    """The certificates of the key that signs for PURPOSE (documents): show them, request, install, or make a test chain."""
    from wanjia.keys import api

    if is_test + is_request + (path is not None) > 1:
        raise click.UsageError("choose one of --test, --request and --install")
    if is_request:
        click.echo(api.signing_request(purpose), nl=False)
        return
    if is_test:
        api.make_test_chain(purpose, by=by, why=why)
    elif path:
        api.install_chain(purpose, path.read_text(encoding="ascii", errors="replace"), by=by, why=why)
    click.echo(api.signing_chain(purpose), nl=False)


def _json(content: dict[str, Any]) -> None:
    click.echo(json.dumps({"schema": 1, **content}, ensure_ascii=False, default=str))

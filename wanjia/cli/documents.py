"""`wanjia documents …`: issue, preview, print, reissue, revoke, check. What is done for a person is done as an account that may."""

import json
import secrets
import sys
from pathlib import Path
from typing import Any

import click

from wanjia.cli import _options

SHAPES = click.Choice(["text", "json"])
OUT = click.option(
    "--out", type=click.Path(dir_okay=False, path_type=Path), required=True, help="Write the PDF to this file."
)
CASE = click.option("--case", default="", help="Case number, for the trace: letters, digits, - and / only.")
LANGUAGE = click.option(
    "--lang", type=click.Choice(["zh", "zh-en"]), default="zh", show_default=True, help="zh-en: with English labels."
)
REQUEST = click.option("--request", help="A token of yours: the same again is the same document.")
REASON = click.option("--reason", required=True, help="mistake, lost, damaged, outdated, obtained_wrongly or ended.")


def _as(function):
    return click.option("--as", "account", required=True, callback=_account, help="The account whose work it is.")(
        function
    )


def _shape(function):
    return click.option("--format", "shape", type=SHAPES, default="text", show_default=True)(function)


def _account(_: click.Context, __: click.Parameter, username: str) -> Any:
    from wanjia.access import api as access

    return access.account_named(username)


def _reason(said: str) -> Any:
    from wanjia.documents.api import Reason

    if said not in list(Reason):
        raise click.BadParameter(f"is one of {', '.join(Reason)}", param_hint="--reason")
    return Reason(said)


@click.group()
def command() -> None:
    """Documents: household books, certificates, permits and extracts; their numbers and what became of them."""
    _options.ready()


@command.command()
@_shape
def kinds(shape: str) -> None:
    """The declared kinds of documents."""
    from wanjia.documents import api

    known = api.declared().kinds
    if shape == "json":
        rows = [{"key": k.key, "zh": k.name.zh, "en": k.name.en, "subject": k.subject} for k in known.values()]
        click.echo(json.dumps({"schema": 1, "kinds": rows}, ensure_ascii=False))
        return
    for kind in known.values():
        click.echo(f"{kind.key:<24} {kind.letter}  {kind.subject:<10} {kind.name.zh}  {kind.name.en}")


@command.command()
@_shape
def fonts(shape: str) -> None:
    """The declared fonts that are on this machine, and how much of each block of characters they can draw together."""
    from wanjia.documents import api

    here = api.fonts_here()
    blocks = api.coverage()
    if shape == "json":
        rows = [{"family": family, "path": str(path)} for family, path in here.items()]
        click.echo(json.dumps({"schema": 1, "fonts": rows, "coverage": blocks}, ensure_ascii=False))
        return
    for family, path in here.items():
        click.echo(f"{family:<20} {path}")
    for block, (drawn, whole) in blocks.items():
        click.echo(f"{block:<20} {drawn:,} of {whole:,}")


@command.command("list")
@click.argument("person", type=int)
@_shape
@_as
def list_documents(person: int, shape: str, account: Any) -> None:
    """The documents a PERSON (id) stands in."""
    from wanjia.documents import api

    rows = api.of_person(account, person)
    if shape == "json":
        click.echo(json.dumps({"schema": 1, "documents": [vars(row) for row in rows]}, ensure_ascii=False, default=str))
        return
    for row in rows:
        click.echo(f"{api.grouped(row.number)}  {row.kind:<24} {row.issued_at:%Y-%m-%d}  {row.state}")


@command.command()
@click.argument("kind")
@click.argument("person", type=int)
@OUT
@LANGUAGE
@CASE
@_as
def preview(kind: str, person: int, out: Path, lang: str, case: str, account: Any) -> None:
    """What a document of KIND about a PERSON (id) would be, marked as a preview; nothing is issued."""
    from wanjia.documents import api

    out.write_bytes(api.preview(account, kind, person, lang=lang, case=case))
    click.echo(str(out))


@command.command()
@click.argument("kind")
@click.argument("person", type=int)
@LANGUAGE
@CASE
@REQUEST
@_as
def issue(kind: str, person: int, lang: str, case: str, request: str | None, account: Any) -> None:
    """Issue a document of KIND about a PERSON (id), or about the person's household; prints its number."""
    from wanjia.documents import api

    number = api.issue(account, kind, person, request=request or secrets.token_hex(16), lang=lang, case=case)
    click.echo(api.grouped(number))


@command.command("print")
@click.argument("number")
@OUT
@CASE
@_as
def print_document(number: str, out: Path, case: str, account: Any) -> None:
    """Write the signed PDF of a document in force, the same bytes each time. Counted: its kind says how often it may be printed."""
    from wanjia.documents import api

    out.write_bytes(api.file_of(account, number, case=case))
    click.echo(str(out))


@command.command()
@click.argument("number")
@REASON
@CASE
@REQUEST
@_as
def reissue(number: str, reason: str, case: str, request: str | None, account: Any) -> None:
    """A new document in place of NUMBER, from what the register says now, marked 补发; prints the new number."""
    from wanjia.documents import api

    token = request or secrets.token_hex(16)
    click.echo(api.grouped(api.reissue(account, number, reason=_reason(reason), request=token, case=case)))


@command.command()
@click.argument("number")
@REASON
@CASE
@_as
def revoke(number: str, reason: str, case: str, account: Any) -> None:
    """Revoke NUMBER, or ask for it where its kind needs a second person; prints the state it has now."""
    from wanjia.documents import api

    click.echo(api.revoke(account, number, reason=_reason(reason), case=case))


@command.command()
@click.argument("number")
@click.option("--refuse", is_flag=True, help="Refuse it: the document goes on to be valid.")
@CASE
@_as
def confirm(number: str, refuse: bool, case: str, account: Any) -> None:
    """Confirm a revocation that somebody else asked for; prints the state it has now."""
    from wanjia.documents import api

    act = api.refuse_revocation if refuse else api.confirm_revocation
    click.echo(act(account, number, case=case))


@command.command()
@click.argument("number", required=False)
@click.option(
    "--file", "path", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Check this PDF too."
)
@_shape
def check(number: str | None, path: Path | None, shape: str) -> None:
    """Whether a document's NUMBER is valid, or a file is whole and signed by us. Tells what the public may know. Exit code 1: not so."""
    from wanjia.documents import api

    if number is None and path is None:
        raise click.UsageError("give a number, or --file")
    told: dict[str, Any] = {}
    if number is not None:
        told = vars(api.check(number)).copy()
    if path is not None:
        told["is_whole"] = api.is_whole(path.read_bytes())
    if shape == "json":
        click.echo(json.dumps({"schema": 1, **told}, default=str))
    else:
        click.echo("  ".join(f"{key} {value}" for key, value in told.items() if value not in (None, "")))
    sys.exit(0 if told.get("state", "valid") == "valid" and told.get("is_whole", True) else 1)


@command.command()
def revoked() -> None:
    """The signed list of documents that count no more (a JWS), as the public gets it."""
    from wanjia.documents import api

    click.echo(api.revocation_list())

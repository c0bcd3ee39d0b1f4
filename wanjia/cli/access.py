"""`wanjia access …`: accounts, clients, grants, and whether what is declared about access holds together."""

import json

import click

from wanjia.cli import _options
from wanjia.cli._options import TEXT_OR_JSON


@click.group()
@_options.by
@_options.why("access command")
@click.pass_context
def command(ctx: click.Context, by: str, why: str) -> None:
    """Accounts, roles and policies."""
    _options.ready()
    ctx.obj = {"by": by, "why": why}


@command.command()
@click.option("--format", "shape", type=TEXT_OR_JSON, default="text", show_default=True)
def roles(shape: str) -> None:
    """The declared roles with their rights."""
    from wanjia.access import api

    declared = api.book().roles
    if shape == "json":
        click.echo(json.dumps({"schema": 1, "roles": {code: role.rights for code, role in declared.items()}}))
        return
    for code, role in declared.items():
        click.echo(f"{code:<15} {role.name.zh}  {', '.join(role.rights)}")


@command.command()
def check() -> None:
    """Read roles, purposes, field groups and policies; list every mistake (exit 2), or say how much was read."""
    from wanjia.access import api

    book = api.book()
    click.echo(
        f"{len(book.roles)} roles, {len(book.purposes)} purposes, {len(book.fields)} field groups, {len(book.texts)} policies"
    )
    for policy, hashed in book.hashes.items():
        click.echo(f"{hashed}  {policy}")


@command.command("open")
@click.argument("username")
@click.option("--role", required=True, help="A declared role.")
@click.option("--name", "display_name", default="", help="The name shown.")
@click.option("--area", default="", help="Division code the account works for; empty: all.")
@click.option("--department", default="")
@click.option("--password-env", help="Environment variable with the password; none: a random one is printed once.")
@click.pass_obj
def open_(
    who: dict[str, str], username: str, role: str, display_name: str, area: str, department: str, password_env: str
) -> None:
    """Open an account."""
    import os

    from wanjia.access import api

    password = os.environ[password_env] if password_env else api.random_password()
    api.open_account(
        username=username,
        display_name=display_name or username,
        role=role,
        password=password,
        area=area,
        department=department,
        **who,
    )
    if not password_env:
        click.echo(password)


@command.command()
@click.argument("username")
@click.pass_obj
def close(who: dict[str, str], username: str) -> None:
    """Close an account."""
    from wanjia.access import api

    api.close_account(username, **who)


@command.command()
@click.argument("username")
@click.argument("person", type=int)
@click.pass_obj
def bind(who: dict[str, str], username: str, person: int) -> None:
    """Let a resident's account stand for a PERSON (id), after its owner was identified as that person."""
    from wanjia.access import api
    from wanjia.register import api as register
    from wanjia.register.errors import PersonUnknown

    if register.subject_of(person) is None:
        raise PersonUnknown()
    api.bind_resident(username, person, **who)


@command.command()
@click.argument("username")
@click.pass_obj
def unbind(who: dict[str, str], username: str) -> None:
    """End that an account stands for a person."""
    from wanjia.access import api

    api.unbind_resident(username, **who)


@command.command()
@click.argument("username")
@click.pass_obj
def unlock(who: dict[str, str], username: str) -> None:
    """Let an account log in again that was locked after failures."""
    from wanjia.access import api

    api.lift_lock(username, **who)


@command.command()
@click.argument("name")
@click.option("--area", default="", help="Division code whose persons it may be given; empty: all.")
@click.option("--department", default="")
@click.option("--role", default="machine", show_default=True, help="A declared role of machines.")
@click.pass_obj
def machine(who: dict[str, str], name: str, role: str, area: str, department: str) -> None:
    """Open an account for a program; prints its client id and secret once (tokens: POST /identity/o/api/token)."""
    from wanjia.access import api

    made = api.open_machine(name, role=role, area=area, department=department, **who)
    click.echo(f"client {made.client_id}  secret {made.secret}")


@command.command()
@click.argument("name")
@click.option("--redirect", "redirects", multiple=True, required=True, help="Address the answers may go to.")
@click.pass_obj
def client(who: dict[str, str], name: str, redirects: tuple[str, ...]) -> None:
    """Let another system log its users in with accounts of this house (OpenID Connect); prints id and secret once."""
    from wanjia.access import api

    made = api.open_client(name, redirects, **who)
    click.echo(f"client {made.client_id}  secret {made.secret}")


@command.command()
@click.argument("person", type=int)
@click.option("--as", "supervisor", required=True, help="The supervisor's account.")
@click.option("--end", is_flag=True, help="End the protection.")
def seal(person: int, supervisor: str, end: bool) -> None:
    """Seal the record of a PERSON (id) under a protection order, or end that."""
    from wanjia.access import api
    from wanjia.register import api as register

    register.seal_person(person, supervisor=api.account_named(supervisor), purpose="protection", is_sealed=not end)


@command.command()
@click.argument("username")
@click.argument("person", type=int)
@click.option("--as", "supervisor", required=True, help="The supervisor's account.")
@click.option("--purpose", default="protection", show_default=True)
@click.option("--days", type=click.IntRange(1, 90), default=7, show_default=True)
@click.option("--reason", required=True)
@click.option("--find-only", is_flag=True, help="The account may find the person, but not read.")
def grant(username: str, person: int, supervisor: str, purpose: str, days: int, reason: str, find_only: bool) -> None:
    """Let an account find and read one PERSON (id), for a time."""
    from wanjia.access import api
    from wanjia.register import api as register

    number = api.grant_person(
        api.account_named(supervisor),
        api.account_named(username),
        register.subject_of(person),
        purpose=purpose,
        days=days,
        reason=reason,
        reads=not find_only,
    )
    click.echo(number)


@command.command()
@click.argument("grant_id", type=int)
@click.option("--as", "supervisor", required=True, help="The supervisor's account.")
@click.pass_obj
def revoke(who: dict[str, str], grant_id: int, supervisor: str) -> None:
    """End a grant."""
    from wanjia.access import api

    api.revoke_grant(api.account_named(supervisor), grant_id, why=who["why"])

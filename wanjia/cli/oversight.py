"""`wanjia oversight rules|look|alerts|canary|own-person`: what the auditor's rules need to know, and what they found."""

import json
from typing import Any

import click

from wanjia.cli import _options
from wanjia.kernel import clock

SHAPES = click.Choice(["text", "json"])


def _auditor(_: click.Context, __: click.Parameter, username: str) -> str:
    from wanjia.access import api as access

    access.require(access.account_named(username), access.Right.OVERSEE)
    return username


def _who(function):
    function = click.option("--why", default="oversight", show_default=True, help="The purpose, for the trace.")(
        function
    )
    return click.option(
        "--by", required=True, callback=_auditor, help="Your account: it must hold the right 'oversee'."
    )(function)


def _shape(function):
    return click.option("--format", "shape", type=SHAPES, default="text", show_default=True)(function)


@click.group()
def command() -> None:
    """Unusual reads by staff: rules, alerts, canary residents. Residents are never watched."""
    _options.ready()


@command.command()
@_shape
def rules(shape: str) -> None:
    """The watch rules of the profile in force."""
    from wanjia.cli import _language
    from wanjia.oversight import api

    declared = api.declared_rules()
    if shape == "json":
        _json({"rules": [{"code": r.code, "version": r.version, "kind": r.kind, "is_on": r.is_on} for r in declared]})
        return
    for rule in declared:
        state = "on " if rule.is_on else "off"
        click.echo(f"{state} {rule.code:<16} v{rule.version}  {rule.meaning.in_language(_language())}")


@command.command()
@_shape
@_who
def look(shape: str, by: str, why: str) -> None:
    """Look at what was published since the last look; the timetable does this every minute."""
    from wanjia.oversight import api

    raised = api.look(by=by, why=why)
    if shape == "json":
        _json({"alerts": raised})
    else:
        click.echo(f"{len(raised)} new alerts" + (f": {' '.join(map(str, raised))}" if raised else ""))


@command.command()
@click.option("--state", type=click.Choice(["open", "explained", "founded"]), help="Only these.")
@_shape
def alerts(state: str | None, shape: str) -> None:
    """Alerts, newest first: which rule, which account, how many entries."""
    from wanjia.oversight import api

    found = api.alerts(state=state or "")
    if shape == "json":
        names = ("id", "rule", "rule_version", "severity", "actor", "occasion", "entries", "raised_at", "state")
        _json({"alerts": [{name: getattr(alert, name) for name in names} for alert in found]})
        return
    for alert in found:
        click.echo(
            f"{alert.id:>6} {clock.at_office(alert.raised_at):%Y-%m-%d %H:%M} {alert.severity:<4} {alert.rule:<14} {alert.actor:<20}"
            f" {len(alert.entries):>5} entries  {alert.state}"
        )


@command.command()
@click.argument("person", type=int)
@_who
def canary(person: int, by: str, why: str) -> None:
    """Note that PERSON (id) is made up: whoever opens them is an alert."""
    from wanjia.oversight import api

    api.tell_canary(person, by=by, why=why)
    click.echo("noted")


@command.command("own-person")
@click.argument("username")
@click.argument("person", type=int)
@_who
def own_person(username: str, person: int, by: str, why: str) -> None:
    """Note that the member of staff USERNAME is PERSON (id), so that reads of their family are seen."""
    from wanjia.oversight import api

    api.tell_own_person(username, person, by=by, why=why)
    click.echo("noted")


def _json(content: dict[str, Any]) -> None:
    click.echo(json.dumps({"schema": 1, **content}, ensure_ascii=False, default=str))

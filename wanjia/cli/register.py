"""`wanjia register digest|rebuild|as-of|show`: the state, its proof, and what held when."""

import json
from datetime import date, datetime
from typing import Any

import click

from wanjia.cli import _options
from wanjia.cli._options import SHAPES

DAY = click.DateTime(formats=["%Y-%m-%d"])
MOMENT = click.DateTime(formats=["%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"])


@click.group()
@_options.by
@_options.why("register command")
@click.pass_context
def command(ctx: click.Context, by: str, why: str) -> None:
    """The register's state: prove it, rebuild it, ask it."""
    _options.ready()
    ctx.obj = {"by": by, "why": why}


@command.command()
@click.option("--format", "shape", type=SHAPES, default="text", show_default=True)
@click.pass_obj
def digest(who: dict[str, str], shape: str) -> None:
    """A hash of the current content, vault included: the same wherever the same records lead to the same state."""
    from wanjia.register import api

    found = api.digest(**who)
    click.echo(found if shape == "text" else json.dumps({"schema": 1, "digest": found}))


@command.command()
@click.option("--check", is_flag=True, help="Change nothing: exit code 4 when the state would differ.")
@click.option("--format", "shape", type=SHAPES, default="text", show_default=True)
@click.pass_obj
def rebuild(who: dict[str, str], check: bool, shape: str) -> None:
    """Compute the state anew from all active records and their links."""
    from wanjia.intake import api as intake
    from wanjia.kernel import settings
    from wanjia.kernel.engine import get_engine
    from wanjia.kernel.lake import Lake
    from wanjia.register import api
    from wanjia.standards import api as standards

    with get_engine() as engine:
        columns = ["assertion_id", "person_id", "probability", "band"]
        links = engine.load("rebuild_links", Lake.open(settings.home()).read("linkage/links").select(columns))
        resolution = api.resolve(
            engine,
            intake.active_by_source(engine),
            links,
            sources=intake.load_sources(settings.profile_dir()),
            elements=standards.load_profile().elements.values(),
        )
        before, after, result = api.rebuild(resolution, expect_equal=check, **who)
    if shape != "text":
        click.echo(
            json.dumps(
                {"schema": 1, "before": before, "after": after, "changed": result.changed, "persons": result.persons}
            )
        )
        return
    click.echo(f"{result.persons:,} persons, {result.changed:,} changes")
    click.echo(f"before {before}\nafter  {after}{'   (equal)' if before == after else ''}")


@command.command("as-of")
@click.argument("person", type=int, required=False)
@click.option("--household", type=int, help="Ask who belonged to a household (id) instead.")
@click.option("--area", help="Ask who was registered in a division (code) instead.")
@click.option("--count", "is_counted", is_flag=True, help="With --area: only how many.")
@click.option("--basis", type=click.Choice(["domicile", "residence"]), default="domicile", show_default=True)
@click.option("--true-on", type=DAY, help="What was true on this day (default: a person at any time, others today).")
@click.option("--known-on", type=MOMENT, help="As known at this moment, UTC (default: now).")
@click.option("--as", "account", help="Ask with the rights of this account (needed for a household, an area, a count).")
@click.option("--purpose", default="case", show_default=True, help="For what the account asks.")
@click.option("--format", "shape", type=SHAPES, default="text", show_default=True)
@click.pass_obj
def as_of(
    who: dict[str, str], person: int | None, household: int | None, area: str | None, is_counted: bool, basis: str,
    true_on: datetime | None, known_on: datetime | None, account: str | None, purpose: str, shape: str,
) -> None:  # fmt: skip
    """What held of a PERSON (id), a household or an area on a day, as it was known at a moment."""
    from dataclasses import asdict
    from datetime import UTC

    from wanjia.access import api as access
    from wanjia.register import api

    if sum(one is not None for one in (person, household, area)) != 1 or (is_counted and area is None):
        raise click.UsageError("Ask about one of: a PERSON, --household, --area (which may be counted).")
    when: dict[str, Any] = {
        "true_on": true_on.date() if true_on else None,
        "known_on": known_on.replace(tzinfo=UTC) if known_on else None,
    }
    if person is not None and account is None:
        _tell(api.as_of([person], **when, **who)[person], shape)
        return
    if account is None:
        raise click.UsageError("Say with whose rights: --as ACCOUNT.")
    officer = access.account_named(account)
    if person is not None:
        _tell(api.person_as_of(person, **when, officer=officer, purpose=purpose), shape)
    elif household is not None:
        members = api.household_as_of(household, **when, officer=officer, purpose=purpose)
        _tell({"member": [asdict(one) for one in members]}, shape)
    elif is_counted:
        count = api.count_as_of(str(area), basis=basis, **when, officer=officer)
        _tell({"count": [{"division": area, "people": count.people, "held_back": count.is_held_back}]}, shape)
    else:
        found = api.area_as_of(str(area), basis=basis, **when, officer=officer, purpose=purpose)
        if found.is_too_many:
            click.echo(f"More than {len(found.people) or 500} persons: ask about a smaller area.", err=True)
        _tell({"person": [asdict(one) for one in found.people]}, shape)


@command.command()
@click.argument("person", type=int)
@click.option("--open", "is_open", is_flag=True, help="Open the vault too: values with their provenance (traced).")
@click.option("--format", "shape", type=SHAPES, default="text", show_default=True)
@click.pass_obj
def show(who: dict[str, str], person: int, is_open: bool, shape: str) -> None:
    """What the register holds of a PERSON (id) now; with --open, who they are and why we believe it."""
    from wanjia.privacy import api as privacy
    from wanjia.register import api
    from wanjia.standards import api as standards

    facts: dict[str, Any] = dict(api.person_facts(person, **who))
    if is_open:
        dossier = privacy.open_person(person, **who)
        facts["value"] = [
            {
                "column": belief.column,
                "value": belief.value,
                "rule": belief.rule,
                "source": belief.winner.source if belief.winner else None,
                "as_of": belief.winner.as_of if belief.winner else None,
                "agreeing": len(belief.agreeing),
                "losing": [{"value": value, "source": statement.source} for value, statement in belief.losing],
            }
            for belief in api.beliefs(dossier, standards.load_profile().elements.values())
        ]
    _tell(facts, shape)


def _tell(facts: dict[str, list[dict[str, Any]]], shape: str) -> None:
    if shape == "json":
        click.echo(json.dumps({"schema": 1, **facts}, ensure_ascii=False, default=_plain))
        return
    for kind, rows in facts.items():
        for row in rows:
            if shape == "ndjson":
                click.echo(json.dumps({"kind_of_fact": kind, **row}, ensure_ascii=False, default=_plain))
            else:
                said = "  ".join(
                    f"{name}={_plain(value)}" for name, value in row.items() if value not in (None, [], "")
                )
                click.echo(f"{kind:<11} {said}")


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date | datetime) else value

"""`wanjia divisions plan|apply|list|withdraw|lineage|count|restate|publish`: divisions through time."""

import json
from datetime import date, datetime
from pathlib import Path
from typing import Any

import click

from wanjia.cli import _options
from wanjia.cli._options import TEXT_OR_JSON

DAY = click.DateTime(formats=["%Y-%m-%d"])
FILE = click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
SHAPE = click.option("--format", "shape", type=TEXT_OR_JSON, default="text", show_default=True)


@click.group()
@_options.by
@_options.why("change of divisions")
@click.pass_context
def command(ctx: click.Context, by: str, why: str) -> None:
    """Divisions through time: change them, and restate numbers of one year in the divisions of another."""
    _options.ready()
    ctx.obj = {"by": by, "why": why}


@command.command()
@FILE
@SHAPE
def plan(file: Path, shape: str) -> None:
    """What the change in FILE would do; changes nothing. Exit code 2 with every mistake of the file."""
    from wanjia.register import api

    _tell_plan(api.plan_change(file.read_text(encoding="utf-8")), shape)


@command.command()
@FILE
@click.option("--dry-run", is_flag=True, help="Only look: the same as plan.")
@SHAPE
@click.pass_obj
def apply(who: dict[str, str], file: Path, dry_run: bool, shape: str) -> None:
    """Order the change in FILE and, if its day has come, carry it out at once; else the job of the minute does so on its day."""
    from wanjia.kernel import clock
    from wanjia.register import api

    text = file.read_text(encoding="utf-8")
    if dry_run:
        _tell_plan(api.plan_change(text), shape)
        return
    code = api.order_change(text, **who)
    on = next(one.on for one in api.changes() if one.code == code)
    counts = api.carry_out(code, **who) if on <= clock.today() else None
    if shape == "json":
        click.echo(json.dumps({"schema": 1, "change": code, "on": on.isoformat(), "counts": counts}))
    elif counts is None:
        click.echo(f"{code}: ordered; it is carried out on {on}")
    else:
        click.echo(
            f"{code}: carried out. {counts['residences']:,} residences, {counts['cases']:,} open cases and "
            f"{counts['accounts']:,} accounts follow"
        )


@command.command("list")
@SHAPE
def list_changes(shape: str) -> None:
    """Every change ordered, with what it moved."""
    from wanjia.register import api

    rows = [
        {
            "change": one.code, "kind": one.kind, "on": one.on.isoformat(), "state": one.state, "law": {"zh": one.law.zh, "en": one.law.en},
            "ordered_by": one.ordered_by, "counts": dict(one.counts),
        }
        for one in api.changes()
    ]  # fmt: skip
    if shape == "json":
        click.echo(json.dumps({"schema": 1, "changes": rows}, ensure_ascii=False))
        return
    for row in rows:
        counts = "  ".join(f"{name}={number:,}" for name, number in row["counts"].items())
        click.echo(f"{row['on']}  {row['change']:<30} {row['kind']:<9} {row['state']:<12} {counts}".rstrip())


@command.command()
@click.argument("code")
@click.pass_obj
def withdraw(who: dict[str, str], code: str) -> None:
    """Take back a change that waits for its day."""
    from wanjia.register import api

    api.withdraw_change(code, **who)
    click.echo(f"{code}: withdrawn")


@command.command()
@click.pass_obj
def publish(who: dict[str, str]) -> None:
    """Write the changes carried out to the home folder again, as after restoring a backup of the database."""
    from wanjia.register import api

    written = api.publish()
    click.echo(f"{len(written)} changes written" + "".join(f"\n{code}" for code in written))


@command.command()
@click.argument("code")
@SHAPE
def lineage(code: str, shape: str) -> None:
    """What CODE stood for, what it came from, what it became."""
    from wanjia.standards import api as standards

    profile = standards.load_profile()
    profile.division(code)
    rows = [
        {
            "code": one.code, "name": {"zh": one.name_zh, "en": one.name_en}, "parent": one.parent,
            "valid_from": _day(one.valid_from), "valid_to": _day(one.valid_to), "precision": one.precision,
            "came_from": [before.code for before in profile.divisions.came_from(one)],
            "became": [after.code for after in profile.divisions.became(one)] if one.valid_to else [], "source": one.source,
        }
        for one in profile.divisions.spans(code)
    ]  # fmt: skip
    if shape == "json":
        click.echo(json.dumps({"schema": 1, "spans": rows}, ensure_ascii=False))
        return
    for row in rows:
        click.echo(f"{row['valid_from'] or '…'} – {row['valid_to'] or '…'}  {row['name']['zh']} {row['name']['en']}")
        for word in ("came_from", "became"):
            if row[word]:
                click.echo(f"  {word.replace('_', ' ')}: {', '.join(row[word])}")


@command.command()
@click.option(
    "--day", "days", type=DAY, multiple=True, help="A day (may be repeated); none: ends of ten years, and today."
)
@SHAPE
@click.pass_obj
def count(who: dict[str, str], days: tuple[datetime, ...], shape: str) -> None:
    """Count the living by written division for the years that are restated (the night does so too)."""
    from wanjia.register import api

    counted = api.count_years([one.date() for one in days] or None, **who)
    if shape == "json":
        click.echo(json.dumps({"schema": 1, "days": {day.isoformat(): people for day, people in counted.items()}}))
        return
    for day, people in counted.items():
        click.echo(f"{day}  {people:,}")


@command.command()
@click.option(
    "--within", default=None, help="Code of the area whose parts are told (default: the smallest that holds everybody)."
)
@click.option("--divisions-on", type=DAY, help="In the divisions of this day (default: today).")
@click.option("--from", "first", type=int, help="First year.")
@click.option("--to", "last", type=int, help="Last year.")
@click.option("--basis", type=click.Choice(["domicile", "residence"]), default="residence", show_default=True)
@click.option("--as", "account", required=True, help="Ask with the rights of this account.")
@SHAPE
def restate(
    within: str | None, divisions_on: datetime | None, first: int | None, last: int | None, basis: str, account: str, shape: str
) -> None:  # fmt: skip
    """The population of past years in the divisions of a day. Small counts are held back; what only shares tell is marked with ~."""
    from wanjia.access import api as access
    from wanjia.register import api

    series = api.restated_series(
        officer=access.account_named(account), basis=basis, within=api.whole_area() if within is None else within,
        divisions_on=divisions_on.date() if divisions_on else None, years=(first or 0, last or 9999),
    )  # fmt: skip
    if shape == "json":
        click.echo(json.dumps(api.series_told(series), ensure_ascii=False))
        return
    click.echo(f"{'':24}" + "".join(f"{day.as_of.isoformat():>13}" for day in series.days))
    for area in series.areas:
        told = [day.areas[area.code] for day in series.days]
        click.echo(
            f"{area.code:<13}{area.name_zh:<8}" + "".join(f"{_number(one.count, one.is_estimate):>13}" for one in told)
        )
    click.echo(f"{'not told apart':<24}" + "".join(f"{_number(day.apart):>13}" for day in series.days))
    click.echo(f"{'total':<24}" + "".join(f"{_number(day.total):>13}" for day in series.days))
    for one in sorted(
        {share for day in series.days for share in day.used}, key=lambda share: (share.on, share.old, share.new)
    ):
        click.echo(f"share: {float(one.share):.4g} of {one.old} is {one.new} ({one.on})")


def _tell_plan(plan: Any, shape: str) -> None:
    from wanjia.register import api

    told = api.plan_told(plan)
    if shape == "json":
        click.echo(json.dumps(told, ensure_ascii=False))
        return
    click.echo(
        f"{plan.change.code}: {plan.change.kind}, from {plan.change.on}. {plan.change.law.zh} / {plan.change.law.en}"
    )
    for move in told["moves"]:
        share = f"  share {move['share']}" if move["share"] is not None else ""
        click.echo(
            f"  {move['old']} {move['old_name']['zh']} → {move['new']} {move['new_name']['zh']}{share}  people {_held(move['people'])}"
        )
    click.echo(f"residences that follow: {_number(plan.following)} ({_number(plan.households)} households)")
    click.echo(f"known only to a divided area, kept with the area above: {_number(plan.apart)}")
    click.echo(
        f"open cases that go to another office: {len(plan.cases)}; accounts whose area follows: {len(plan.accounts)}"
    )
    if plan.left:
        click.echo(f"no office is told for: {', '.join(plan.left)}")


def _held(people: int | None) -> str:
    return "held back" if people is None else f"{people:,}"


def _number(count: Any, is_estimate: bool = False) -> str:
    return ("~" if is_estimate else "") + ("…" if count.people is None else f"{count.people:,}")


def _day(day: date | None) -> str | None:
    return day.isoformat() if day else None

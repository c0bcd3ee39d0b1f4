"""`wanjia timetable VERB`: what runs by itself, and when."""

import json

import click

from wanjia.cli import _options
from wanjia.cli._options import TEXT_OR_JSON


@click.group()
def command() -> None:
    """What runs by itself: look at it, work on it, do one job by hand."""
    _options.ready()


@command.command()
@click.option("--format", "shape", type=TEXT_OR_JSON, default="text", show_default=True)
def show(shape: str) -> None:
    """Every job: when it is due next, and how its last time ended."""
    from wanjia.jobs import timetable
    from wanjia.kernel import clock

    ended = timetable.latest()
    rows = []
    for job in timetable.jobs():
        state, at = ended.get(job.name, (None, None))
        due = timetable.next_time(job, clock.now())
        rows.append(
            {
                "job": job.name,
                "says": job.says,
                "next": due.isoformat(timespec="seconds"),
                "last": state,
                "last_at": at.isoformat(timespec="seconds") if at else None,
            }
        )
    if shape == "json":
        click.echo(json.dumps({"schema": 1, "jobs": rows}, ensure_ascii=False))
        return
    for row in rows:
        click.echo(f"{row['job']:<36} next {row['next']}  last {row['last'] or '–'} {row['last_at'] or ''}".rstrip())
        click.echo(f"    {row['says']}")


@command.command()
def work() -> None:
    """Do the jobs at their times, until Ctrl-C. Part of 'wanjia serve'."""
    from wanjia.jobs import timetable

    timetable.work()


@command.command()
@click.argument("job")
def do(job: str) -> None:
    """Do one JOB now, whatever the time."""
    from wanjia.jobs import timetable

    timetable.do(job)

"""wanjia worker: the fast lane."""

import click

from wanjia.cli import _options


@click.command()
def command() -> None:
    """Bring pushed records into the register within seconds, until Ctrl-C."""
    _options.ready()
    from wanjia.jobs.on_push import FastLane

    is_stopping, _ = _options.until_told()
    lane = FastLane()
    try:
        lane.serve(is_stopping, tell=lambda: click.echo("ready", err=True))
    finally:
        lane.close()

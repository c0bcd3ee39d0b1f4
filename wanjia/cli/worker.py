"""wanjia worker: the fast lane."""

import signal

import click


@click.command()
def command() -> None:
    """Bring pushed records into the register within seconds, until Ctrl-C."""
    from wanjia.kernel.database import migrate, setup_django

    setup_django()
    migrate()
    from wanjia.jobs.on_push import FastLane

    stopping = False

    def stop(*_: object) -> None:
        nonlocal stopping
        stopping = True

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    lane = FastLane()
    try:
        lane.serve(lambda: stopping)
    finally:
        lane.close()

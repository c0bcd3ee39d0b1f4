"""wanjia serve: the pages, the worker that brings pushed records into the register within seconds, and the sequencer of the public log."""

import os
import signal
import subprocess
import sys
import time

import click

SEQUENCER = [sys.executable, "-m", "wanjia", "trace", "sequence"]


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", type=click.IntRange(1, 65535), default=8000, show_default=True)
@click.option(
    "--workers", type=click.IntRange(1, 64), default=1, show_default=True, help="Processes that answer requests."
)
@click.option("--worker/--no-worker", default=True, help="Also run the worker of the fast lane and the timetable.")
def command(host: str, port: int, workers: int, worker: bool) -> None:
    """Serve the pages until Ctrl-C."""
    prepare()
    children = start(host, port, workers, with_worker=worker)
    click.echo(f"http://{host}:{port}/", err=True)
    wait(children)


def prepare() -> None:
    """Bring tables and static files up to date."""
    from django.core.management import call_command

    from wanjia.kernel.database import migrate, setup_django

    setup_django()
    migrate()
    call_command("collectstatic", verbosity=0, interactive=False)


def start(host: str, port: int, workers: int = 1, *, with_worker: bool) -> list[subprocess.Popen]:
    """Start the server, the sequencer of the trace's public log (and the worker and the timetable) as child processes."""
    from wanjia.kernel.database import WEB_ROLE

    # the pages' processes give up the right to read the vault; only the opening function may
    pages = {**os.environ, "WANJIA_DATABASE_ROLE": WEB_ROLE, "DJANGO_SETTINGS_MODULE": "wanjia.settings"}
    command = [
        sys.executable, "-m", "granian", "--interface", "wsgi", "--host", host, "--port", str(port), "--workers", str(workers),
        "--blocking-threads", "4", "--no-ws", "--log-level", "warning", "wanjia.web.wsgi:application",
    ]  # fmt: skip
    children = [subprocess.Popen(command, env=pages), subprocess.Popen(SEQUENCER)]
    if with_worker:
        children.append(subprocess.Popen([sys.executable, "-m", "wanjia", "worker"]))
        children.append(subprocess.Popen([sys.executable, "-m", "wanjia", "timetable", "work"]))
    return children


def wait(children: list[subprocess.Popen]) -> None:
    """Until one child ends or we are told to stop; then end them all."""
    stopping = False

    def stop(*_: object) -> None:
        nonlocal stopping
        stopping = True

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    while not stopping and all(child.poll() is None for child in children if child.args != SEQUENCER):
        time.sleep(0.2)
        for at, child in enumerate(children):
            # without a sequencer reads go on but nothing is published: it comes back by itself
            if child.args == SEQUENCER and child.poll() is not None:
                time.sleep(1)
                children[at] = subprocess.Popen(SEQUENCER)
    for child in children:
        if child.poll() is None:
            child.terminate()
    for child in children:
        try:
            child.wait(timeout=20)
        except subprocess.TimeoutExpired:
            child.kill()

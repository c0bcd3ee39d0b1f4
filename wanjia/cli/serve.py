"""wanjia serve: the pages, the worker that brings pushed records into the register within seconds, and the sequencer of the public log."""

import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable

import click

from wanjia.cli import _options

REVIVE_SECONDS = 1
#: planning small statements means allocating and freeing very many small pieces. glibc keeps seven of each size at hand by default; with
#: thousands the worker takes a quarter less processor time for a push. Other C libraries ignore it; what the operator has set stays
ALLOCATOR = ("GLIBC_TUNABLES", "glibc.malloc.tcache_count=4000")
#: what searches, records and events read. Not the vault: a record reads two or three of its pages, and it is larger than all else
READ_AHEAD = {"indexes": ("privacy", "register", "access"), "tables": ("register",)}


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
    wait(children, host, port, answering=lambda: click.echo(f"http://{host}:{port}/", err=True))


def prepare() -> None:
    """Bring tables and static files up to date."""
    from django.core.management import call_command

    _options.ready()
    from wanjia.access import api as access

    access.forget_ended()
    access.keep_policies(by=_options.account(), why="policies in force")
    call_command("collectstatic", verbosity=0, interactive=False)


def start(host: str, port: int, workers: int = 1, *, with_worker: bool) -> list[subprocess.Popen]:
    """Start the server, then the sequencer of the trace's public log (and the worker and the timetable) as child processes."""
    from wanjia.kernel.database import WEB_ROLE

    # the pages' processes give up the right to read the vault; only the opening function may
    pages = {**os.environ, "WANJIA_DATABASE_ROLE": WEB_ROLE, "DJANGO_SETTINGS_MODULE": "wanjia.settings"}
    command = [
        sys.executable, "-m", "granian", "--interface", "wsgi", "--host", host, "--port", str(port), "--workers", str(workers),
        "--blocking-threads", "4", "--no-ws", "--log-level", "warning", "wanjia.web.wsgi:application",
    ]  # fmt: skip
    beside = ["trace sequence", *(["worker", "timetable work"] if with_worker else [])]
    threading.Thread(target=_read_ahead, daemon=True).start()
    wanjia = [sys.executable, "-m", "wanjia"]
    return [subprocess.Popen(command, env=pages), *(_start_beside([*wanjia, *verb.split()]) for verb in beside)]


def _start_beside(command: list[str]) -> subprocess.Popen:
    name, value = ALLOCATOR
    return subprocess.Popen(command, env={name: value, **os.environ})


def _read_ahead() -> None:
    """Fill the memory while the pages are answering already."""
    from django.db import connection

    from wanjia.kernel.table_files import read_ahead

    try:
        read_ahead(**READ_AHEAD)
    finally:
        connection.close()


def wait(children: list[subprocess.Popen], host: str, port: int, *, answering: Callable[[], None]) -> None:
    """Until the pages end or we are told to stop; then end them all. `answering` is called once they take visitors at `host` and `port`."""
    pages, is_told = children[0], False
    is_stopping, pause = _options.until_told()
    while not is_stopping() and pages.poll() is None:
        if not is_told and (is_told := _takes_visitors(host, port)):
            answering()
        pause(0.2)
        for at, child in enumerate(children[1:], start=1):
            # the pages go on without the others, and what they did not do waits for them: they come back by themselves
            if child.poll() is not None and not is_stopping():
                pause(REVIVE_SECONDS)
                children[at] = _start_beside(child.args)
    for child in children:
        if child.poll() is None:
            child.terminate()
    for child in children:
        try:
            child.wait(timeout=20)
        except subprocess.TimeoutExpired:
            child.kill()


def _takes_visitors(host: str, port: int) -> bool:
    try:
        with socket.create_connection((host, port), timeout=1):
            return True
    except OSError:
        return False

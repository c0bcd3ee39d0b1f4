"""What several nouns ask alike: who and why, the shape of the answer, being ready, being told to stop."""

import getpass
import signal
import threading
from collections.abc import Callable
from typing import Any

import click

SHAPES = click.Choice(["text", "json", "ndjson"])
TEXT_OR_JSON = click.Choice(["text", "json"])


def account() -> str:
    """Who types, as the trace names it."""
    return f"cli:{getpass.getuser()}"


#: `--by`: who does it; the function gets `by`
by = click.option("--by", default=account, help="Who does it, for the trace (default: the account).")


def why(default: str | None = None) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """`--why`: the purpose; without a default it must be said."""
    said = {"required": True} if default is None else {"default": default, "show_default": True}
    return click.option("--why", help="The purpose, for the trace.", **said)


def ready() -> None:
    """Django loaded, the database started, its tables up to date; persons may be read if the trace's log goes on from what was published."""
    from wanjia.kernel.database import migrate
    from wanjia.trace import api as trace

    migrate()
    # the embedded server starts anew with nearly every command, and after each start somebody must look; reads are refused if it does not hold
    trace.confirm()


def until_told() -> tuple[Callable[[], bool], Callable[[float], object]]:
    """(are we stopping?, pause for so many seconds or until we are): SIGTERM and Ctrl-C tell."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    return stop.is_set, stop.wait

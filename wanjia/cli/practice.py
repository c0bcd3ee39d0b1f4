"""wanjia practice: a register of fictional people to learn on, apart from the register in earnest."""

import shutil

import click

from wanjia.kernel import practice


@click.group()
def command() -> None:
    """A practice register beside the register in earnest: every page says so, everybody in it is made up, and nothing done in it counts.

    It has a home, a database and keys of its own (WANJIA_HOME/practice), and takes no delivery but its own fictional city.
    """


@command.command()
@click.option("--residents", type=click.IntRange(200, 50_000), default=2_000, show_default=True)
@click.option("--seed", type=int, default=1, show_default=True)
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", type=click.IntRange(1, 65535), default=8001, show_default=True)
@click.option("--serve/--no-serve", default=True, help="Serve the pages at the end.")
def serve(residents: int, seed: int, host: str, port: int, serve: bool) -> None:
    """Make the practice register if there is none, print who may log in, and serve its pages until Ctrl-C.

    What was practised before is still there; `wanjia practice reset` begins afresh. Set WANJIA_PRACTICE_URL for the register in earnest, and
    its officers find the way here in their menu.
    """
    from wanjia.cli import demo

    practice.enter(makes=True)
    demo.make_ready(residents, seed)
    if serve:
        demo.serve_at(host, port)


@command.command()
@click.confirmation_option("--yes", prompt="Forget everything practised so far?", help="Do not ask.")
def reset() -> None:
    """Forget everything practised so far: the practice register's home is deleted. Refused while it is being served."""
    home = practice.enter(makes=False)
    if not home.exists():
        click.echo("There is no practice register.")
        return
    practice.ensure_unused(home)
    shutil.rmtree(home)
    click.echo("The practice register is gone. `wanjia practice serve` makes a new one.")

"""`wanjia city make`: the fictional city with its truth."""

from pathlib import Path

import click


@click.group()
def command() -> None:
    """The fictional city: people, what departments send, and the truth."""


@command.command()
@click.option("--residents", type=click.IntRange(200, 20_000_000), default=20_000, show_default=True, help="People living in the city.")
@click.option("--seed", type=click.IntRange(0), default=1, show_default=True, help="Same seed, same city.")
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), required=True, help="Folder to write to.")
@click.option("--wave", type=click.Choice(["1", "2"]), default="1", show_default=True, help="2: what is sent three months later, added to OUT.")
def make(residents: int, seed: int, out: Path, wave: str) -> None:
    """Make a city in OUT: inbox, push and databases (what departments send), and truth (for scoring only)."""
    from wanjia.city.make import make_city
    from wanjia.kernel.progress import for_terminal

    content = make_city(residents, seed, out, for_terminal(), wave=int(wave))
    click.echo(f"{out}: {content['residents']:,} residents, {sum(content['rows'].values()):,} records")
    for source, count in content["rows"].items():
        click.echo(f"  {source:<24}{count:>12,}")

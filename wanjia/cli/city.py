"""`wanjia city make`: the fictional city with its truth."""

import json
from pathlib import Path

import click


@click.group()
def command() -> None:
    """The fictional city: people, what departments send, and the truth."""


@command.command()
@click.option(
    "--residents",
    type=click.IntRange(200, 20_000_000),
    default=20_000,
    show_default=True,
    help="People living in the city.",
)
@click.option("--seed", type=click.IntRange(0), default=1, show_default=True, help="Same seed, same city.")
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), required=True, help="Folder to write to.")
@click.option(
    "--wave",
    type=click.Choice(["1", "2"]),
    default="1",
    show_default=True,
    help="2: what is sent three months later, added to OUT.",
)
@click.option("--format", "shown", type=click.Choice(["text", "json"]), default="text", show_default=True)
def make(residents: int, seed: int, out: Path, wave: str, shown: str) -> None:
    """Make a city in OUT: inbox, push and databases (what departments send), and truth (for scoring only)."""
    from wanjia.city.make import make_city
    from wanjia.kernel.progress import for_terminal

    content = make_city(residents, seed, out, for_terminal(), wave=int(wave))
    if shown == "json":
        click.echo(json.dumps({key: value for key, value in content.items() if key not in ("by_town", "age_groups")}))
        return
    click.echo(f"{out}: {content['residents']:,} residents, {sum(content['rows'].values()):,} records")
    for source, count in content["rows"].items():
        click.echo(f"  {source:<24}{count:>12,}")


@command.command()
@click.option(
    "--out",
    type=click.Path(file_okay=False, exists=True, path_type=Path),
    required=True,
    help="Folder of the divisions.",
)
def areas(out: Path) -> None:
    """Draw the fictional divisions anew: 99.csv and 99.geojson in OUT (declared/cn/divisions holds them)."""
    from wanjia.city.areas import draw_areas

    for name, text in zip(("99.csv", "99.geojson"), draw_areas(), strict=True):
        (out / name).write_text(text, encoding="utf-8")
        click.echo(out / name)

"""wanjia demo: a fictional city, the whole job, and the pages, in one command."""

import json
import os
import time
from pathlib import Path

import click

WHY = "demonstration"
BY = "cli:demo"


@click.command()
@click.option("--residents", type=click.IntRange(200, 2_000_000), default=20_000, show_default=True)
@click.option("--seed", type=int, default=1, show_default=True)
@click.option("--port", type=click.IntRange(1, 65535), default=8000, show_default=True)
@click.option("--serve/--no-serve", default=True, help="Serve the pages at the end.")
def command(residents: int, seed: int, port: int, serve: bool) -> None:
    """Make a fictional city, run the whole job over it, serve the pages and print URL and accounts."""
    make_ready(residents, seed)
    if serve:
        serve_at("127.0.0.1", port)


def make_ready(residents: int, seed: int) -> None:
    """The city, the whole job over it, an account for every role; says how long it took and who may log in."""
    began = time.monotonic()
    from wanjia.kernel import settings
    from wanjia.kernel.progress import for_terminal

    city = settings.home() / f"city-{residents}-{seed}"
    if not (city / "truth" / "summary.json").exists():
        from wanjia.city.make import make_city

        make_city(residents, seed, city, for_terminal())
    os.environ["WANJIA_SOCIAL_INSURANCE_URL"] = f"sqlite:///{city / 'databases' / 'social_insurance.sqlite'}"

    from wanjia.cli import serve as serving

    serving.prepare()
    from wanjia.access import api as access
    from wanjia.cli.run import show
    from wanjia.documents import api as documents
    from wanjia.jobs import on_delivery
    from wanjia.register import api as register

    _push(city / "push")
    report = on_delivery.run(city / "inbox", by=BY, why=WHY, progress=for_terminal())
    show(report)
    register.count_years(by=BY, why=WHY)
    documents.ensure_test_chain(by=BY, why=WHY)
    accounts = access.make_demo_accounts(resident=register.somebody())
    click.echo(f"\nReady after {time.monotonic() - began:.0f} s.\n")
    for account in accounts:
        click.echo(f"  {account.role:<15} {account.username:<15} {account.password}")


def serve_at(host: str, port: int) -> None:
    """Serve the pages until told to stop, and say where."""
    from wanjia.cli import serve as serving

    children = serving.start(host, port, with_worker=True)
    serving.wait(children, host, port, answering=lambda: click.echo(f"\n  http://{host}:{port}/    (Ctrl-C stops)\n"))


def _push(folder: Path) -> None:
    """Deliver the records one department pushes; its own keys make sending them again harmless."""
    from wanjia.intake import api as intake

    for path in sorted(folder.glob("*.jsonl")):
        with open(path, encoding="utf-8") as lines:
            for line in lines:
                batch = json.loads(line)
                intake.receive_rows(
                    batch["source"], batch["body"], idempotency_key=batch["idempotency_key"], by=BY, why=WHY
                )

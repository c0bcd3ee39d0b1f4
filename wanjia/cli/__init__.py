"""The command `wanjia NOUN VERB`. Each file of this folder is one noun; the folder is the list."""

import atexit
import importlib
import os
import pkgutil
import sys

import click


class _NounsOnDemand(click.Group):
    """Finds commands by the files of this folder and imports one only when it is called, so that start-up stays quick."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(module.name for module in pkgutil.iter_modules(__path__) if not module.name.startswith("_"))

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in self.list_commands(ctx):
            return None
        return importlib.import_module(f"{__name__}.{name}").command

    def resolve_command(self, ctx: click.Context, args: list[str]):
        from wanjia.kernel.declared import did_you_mean

        if args and args[0] not in self.list_commands(ctx):
            near = did_you_mean(args[0], self.list_commands(ctx))
            ctx.fail(f"No such command {args[0]!r}." + (f" Did you mean {near!r}?" if near else ""))
        return super().resolve_command(ctx, args)


@click.group(cls=_NounsOnDemand, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="wanjia")
def _wanjia() -> None:
    """One authoritative register of people and households. 一个权威的人口与家庭登记册。"""


def main() -> None:
    """Run the command line and end the process; an error a user can act on ends as its sentence and exit code, never as a traceback."""
    # what is registered first is called last
    atexit.register(_leave, ended := _Ended())
    try:
        _run()
    except SystemExit as done:
        ended.code = done.code
        raise


class _Ended:
    """How the command ended: the exit's code as Python takes it, or a text where there is something left to say."""

    code: int | str | None = "an exception nobody caught"


def _leave(ended: _Ended) -> None:
    """The last step of the process's end. Everything that has to be put in order is; Python would now take apart what it holds, object by object,
    and after a main job of a million residents that takes over a second.
    """
    if isinstance(ended.code, str):
        return
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except (OSError, ValueError):
        return  # Python itself says what it could not write, and ends with an exit code for that
    os._exit(ended.code or 0)


def _run() -> None:
    from wanjia.kernel.errors import WanjiaError

    try:
        sys.exit(_wanjia(standalone_mode=False) or 0)
    except click.ClickException as wrong:
        wrong.show()
        sys.exit(wrong.exit_code)
    except (click.Abort, KeyboardInterrupt):
        click.echo("Interrupted. Run the same command again to go on where it stopped.", err=True)
        sys.exit(130)
    except WanjiaError as error:
        click.echo(f"{error.code}: {error.sentence(_language())}", err=True)
        sys.exit(error.exit_code)


def _language() -> str:
    """The language of messages: WANJIA_LANG, else the locale's."""
    return os.environ.get("WANJIA_LANG") or ("zh" if os.environ.get("LANG", "").startswith("zh") else "en")

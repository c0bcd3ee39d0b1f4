"""Write docs/reference/commands.md from the commands' own help, so that the page cannot say something else.

python tools/write_commands.py            writes the page
python tools/write_commands.py --check    exit 1 if the page is not what the commands say
"""

import sys
from pathlib import Path

import click

from wanjia.cli import _wanjia

PAGE = Path(__file__).resolve().parent.parent / "docs" / "reference" / "commands.md"
HEAD = """# Commands

Made from the commands' own help (`python tools/write_commands.py`); do not edit.

Results go to stdout, progress to stderr. Exit codes: 0 done, 1 run error, 2 usage or declaration error, 3 done with refused rows, 4 quality
gate failed, 5 locked (another job runs), 130 interrupted. Messages come in Chinese or English by `WANJIA_LANG` or the locale.
"""


def page() -> str:
    """The whole page."""
    parts = [HEAD]
    for path, command in _commands(_wanjia, ("wanjia",)):
        context = click.Context(command, info_name=" ".join(path), terminal_width=110, max_content_width=110)
        parts.append(f"## {' '.join(path)}\n\n```text\n{command.get_help(context).rstrip()}\n```\n")
    return "\n".join(parts)


def _commands(command: click.Command, path: tuple[str, ...]):
    if not isinstance(command, click.Group):
        yield path, command
        return
    context = click.Context(command)
    for name in command.list_commands(context):
        yield from _commands(command.get_command(context, name), (*path, name))


if __name__ == "__main__":
    fresh = page()
    if "--check" in sys.argv:
        sys.exit(fresh != PAGE.read_text(encoding="utf-8"))
    PAGE.parent.mkdir(parents=True, exist_ok=True)
    PAGE.write_text(fresh, encoding="utf-8")

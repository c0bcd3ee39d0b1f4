"""Collect the pages' messages into the catalogues: `python tools/extract_messages.py` (needs the package `babel`, not GNU gettext).

Django's own command wants the xgettext program. Here Django turns templates into text that looks like Python, and Babel reads both.
With `--check` nothing is written: exit 1 when a catalogue lacks a message, has a fuzzy or empty one, or keeps one that is gone.
"""

from __future__ import annotations

import io
import sys
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).resolve().parent.parent
WEB = ROOT / "wanjia" / "web"
KEYWORDS = {
    "_": None, "gettext": None, "gettext_lazy": None, "gettext_noop": None, "ngettext": (1, 2), "ngettext_lazy": (1, 2),
    "pgettext": ((1, "c"), 2), "npgettext": ((1, "c"), 2, 3),
}  # fmt: skip


def messages() -> Catalog:
    """Every message of the pages, in the order of files and lines, without line numbers (they would change each commit)."""
    from django.conf import settings

    if not settings.configured:
        settings.configure(USE_I18N=True)
    from django.utils.translation.template import templatize

    found = Catalog(project="wanjia", charset="utf-8", fuzzy=False)
    for path in sorted([*WEB.rglob("*.py"), *WEB.rglob("*.html")]):
        text = path.read_text(encoding="utf-8")
        if path.suffix == ".html":
            text = templatize(text, origin=str(path))
        for _line, message, _comments, context in extract(
            "python", io.BytesIO(text.encode()), keywords=KEYWORDS, comment_tags=()
        ):
            found.add(message, locations=[(str(path.relative_to(ROOT)), 0)], context=context)
    return found


def catalogues() -> list[Path]:
    """The catalogues that exist: one for each language other than the English of the sources."""
    return sorted((WEB / "locale").glob("*/LC_MESSAGES/django.po"))


def shortcomings(path: Path, wanted: Catalog) -> list[str]:
    """What a catalogue lacks or has too much."""
    with path.open("rb") as file:
        kept = read_po(file, locale=path.parent.parent.name)
    ids = {message.id if isinstance(message.id, str) else message.id[0] for message in kept if message.id}
    lacking = []
    for message in wanted:
        if not message.id:
            continue
        known = kept.get(message.id, message.context)
        if known is None or not known.string or (isinstance(known.string, tuple) and not all(known.string)):
            lacking.append(f"{path.parent.parent.name}: no translation of {message.id!r}")
        elif known.fuzzy:
            lacking.append(f"{path.parent.parent.name}: fuzzy translation of {message.id!r}")
    wanted_ids = {message.id if isinstance(message.id, str) else message.id[0] for message in wanted if message.id}
    return lacking + [
        f"{path.parent.parent.name}: {gone!r} is in no page any more" for gone in sorted(ids - wanted_ids)
    ]


def main() -> int:
    """Update all catalogues, or with --check say what they lack."""
    wanted = messages()
    if "--check" in sys.argv:
        faults = [fault for path in catalogues() for fault in shortcomings(path, wanted)]
        print("\n".join(faults) or "every message is translated", file=sys.stderr if faults else sys.stdout)
        return bool(faults)
    for path in catalogues():
        with path.open("rb") as file:
            kept = read_po(file, locale=path.parent.parent.name)
        created = kept.creation_date
        kept.update(wanted, no_fuzzy_matching=True)
        # a date that changes with every run would be a change in git with every run; a fuzzy catalogue would not be compiled
        kept.creation_date, kept.fuzzy, kept.project = created, False, "wanjia"
        kept.obsolete.clear()
        with path.open("wb") as file:
            write_po(file, kept, omit_header=False, no_location=True, sort_output=False, width=120)
        print(f"{path.relative_to(ROOT)}: {len(kept)} messages")
    return 0


if __name__ == "__main__":
    sys.exit(main())

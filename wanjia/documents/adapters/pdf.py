"""Setting a document: typst with a layout's texts, a set of fonts and data as JSON. The same input gives the same bytes.

Values are data to the layout, never markup, so nothing a source writes can be read as an instruction. No package is fetched, no system font is used.
"""

import atexit
import json
import shutil
import tempfile
import threading
from collections.abc import Mapping, Sequence
from datetime import datetime
from io import BytesIO
from pathlib import Path
from typing import Any

from wanjia.documents.adapters.fonts import Font
from wanjia.documents.errors import LayoutFails

MAIN = "main.typ"
#: tagged for screen readers, and for keeping
STANDARDS = ("ua-1", "a-2a")
#: compilers keep fonts and what they have set before; so many layouts with so many sets of fonts are in use at a time
MOST_COMPILERS = 24

_lock = threading.Lock()
_compilers: dict[tuple, Any] = {}
_folder: Path | None = None


def typesetter() -> str:
    """Name and version of what sets documents: another version may set the same text a hair's breadth elsewhere."""
    from importlib.metadata import version

    return f"typst {version('typst')}"


def made(
    files: Mapping[str, str],
    digest: str,
    fonts: Sequence[Font],
    content: Mapping[str, Any],
    *,
    address: str,
    at: datetime,
) -> bytes:
    """The PDF of frozen content. `files` and `digest`: the layout; `address`: what the QR code says; `at`: the moment the file names.

    Raises `LayoutFails` for an error and for any warning: a warning may be a missing font.
    """
    import typst

    given = {
        "data": json.dumps({**content, "fonts": [font.family for font in fonts]}, ensure_ascii=False),
        "qr": _qr(address),
    }
    with _lock:
        compiler = _compiler(files, digest, fonts)
        try:
            pdf, warnings = compiler.compile_with_warnings(
                format="pdf", sys_inputs=given, pdf_standards=list(STANDARDS), timestamp=int(at.timestamp())
            )
        except typst.TypstError as wrong:
            raise LayoutFails(layout=digest[:12], reason=str(wrong.message)) from None
    if warnings:
        raise LayoutFails(layout=digest[:12], reason=str(warnings[0].message))
    return pdf


def _compiler(files: Mapping[str, str], digest: str, fonts: Sequence[Font]) -> Any:
    global _folder
    import typst

    key = (digest, *(font.path for font in fonts))
    found = _compilers.pop(key, None)
    if found is None:
        if _folder is None:
            _folder = Path(tempfile.mkdtemp(prefix="wanjia-layouts-"))
            atexit.register(shutil.rmtree, _folder, ignore_errors=True)
        place = Path(tempfile.mkdtemp(dir=_folder))
        for name, text in files.items():
            (place / name).write_text(text, encoding="utf-8")
        (place / "fonts").mkdir()
        for number, font in enumerate(fonts):
            (place / "fonts" / f"{number}{font.path.suffix}").symlink_to(font.path)
        faces = typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=[str(place / "fonts")])
        found = typst.Compiler(str(place / MAIN), root=str(place), font_paths=faces, ignore_system_fonts=True)
    # newest last; the oldest goes
    _compilers[key] = found
    while len(_compilers) > MOST_COMPILERS:
        _compilers.pop(next(iter(_compilers)))
    return found


def _qr(address: str) -> str:
    import segno

    out = BytesIO()
    segno.make(address, error="m", micro=False).save(out, kind="svg", border=2, xmldecl=False, svgns=True, nl=False)
    return out.getvalue().decode()

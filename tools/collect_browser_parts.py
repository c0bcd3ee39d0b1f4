"""Copy the few third-party files a page may load from node_modules/ to wanjia/web/static_parts/, and compile the residents' look from its Sass.

Only what is named here is ever served: whole `dist/` folders would bring source maps, demo pages and 118 MB, and
collectstatic fails on the maps they refer to. Run after `npm ci --ignore-scripts`; the target is not in git.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MODULES = ROOT / "node_modules"
TARGET = ROOT / "wanjia" / "web" / "static_parts" / "parts"

#: package → its files, each copied to parts/<file name>, beside the licence as parts/<file name>.LICENSE
FILES: dict[str, tuple[str, ...]] = {
    "@tabler/core": ("dist/css/tabler.min.css",),
    "htmx.org": ("dist/htmx.min.js",),
    "echarts": ("dist/echarts.min.js",),
}

#: names in @tabler/icons/icons/outline drawn into one sprite, used as <use href="…/icons.svg#name">
ICONS = (
    "affiliate", "alert-triangle", "arrow-left", "building-community", "chart-bar", "chart-line", "check",
    "chevron-right", "clipboard-check", "clock", "database", "eye", "file-alert", "fingerprint", "home-2",
    "info-circle", "language", "letter-case", "link", "lock", "logout", "map", "menu-2", "search", "shield-check",
    "timeline", "upload", "user", "users",
)  # fmt: skip

#: the residents' look: govuk-frontend's Sass with our names for font and colours (its ready-made sheet names a font that is GOV.UK's alone)
LOOK = ROOT / "wanjia" / "web" / "resident" / "look.scss"

SOURCE_MAP = re.compile(rb"(/\*#\s*sourceMappingURL=.*?\*/|//#\s*sourceMappingURL=[^\n]*)")


def copy_files(modules: Path = MODULES, target: Path = TARGET) -> list[Path]:
    """Copy every named file without its source-map comment; return what was written."""
    written = []
    for package, names in FILES.items():
        licence = next(iter(sorted((modules / package).glob("LICENSE*"))), None)
        for name in names:
            destination = target / Path(name).name
            destination.write_bytes(SOURCE_MAP.sub(b"", (modules / package / name).read_bytes()))
            written.append(destination)
            if licence is not None:
                shutil.copyfile(licence, target / f"{destination.name}.LICENSE.txt")
    return written


def draw_sprite(modules: Path = MODULES, target: Path = TARGET) -> Path:
    """Put the named icons into one SVG: one request, no inline markup, allowed by `img-src 'self'`."""
    symbols = []
    for name in ICONS:
        source = (modules / "@tabler/icons/icons/outline" / f"{name}.svg").read_text(encoding="utf-8")
        drawing = re.sub(r"\s+", " ", source[source.index(">") + 1 : source.rindex("</svg>")]).strip()
        symbols.append(f'<symbol id="{name}" viewBox="0 0 24 24">{drawing}</symbol>')
    sprite = target / "icons.svg"
    sprite.write_text(f'<svg xmlns="http://www.w3.org/2000/svg">{"".join(symbols)}</svg>\n', encoding="utf-8")
    return sprite


def compile_look(modules: Path = MODULES, target: Path = TARGET) -> Path:
    """Compile the residents' look to parts/resident.css."""
    beside = Path(sys.executable).with_name("node")
    node = str(beside) if beside.exists() else "node"
    compiler = modules / "sass" / "sass.js"
    if not compiler.exists():
        raise FileNotFoundError(2, "missing", str(compiler))
    sheet = target / "resident.css"
    options = ["--no-source-map", "--style=compressed", "--no-charset", "--quiet-deps", f"--load-path={modules}"]
    subprocess.run([node, str(compiler), *options, str(LOOK), str(sheet)], check=True)
    return sheet


def main() -> int:
    """Collect all parts; exit 1 with the missing file's name when npm has not run."""
    shutil.rmtree(TARGET, ignore_errors=True)
    TARGET.mkdir(parents=True)
    try:
        written = [*copy_files(), draw_sprite(), compile_look()]
    except FileNotFoundError as missing:
        print(f"{missing.filename} is missing: run `npm ci --ignore-scripts` first", file=sys.stderr)
        return 1
    print(f"{len(written)} browser parts in {TARGET.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())

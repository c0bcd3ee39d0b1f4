"""What is declared about documents in the profile in force: kinds, layouts, fonts; read strictly and checked as a whole."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from wanjia.documents.adapters.fonts import installed
from wanjia.documents.adapters.pdf import MAIN
from wanjia.documents.declared import DocumentKind, FontList
from wanjia.documents.errors import KindUnknown
from wanjia.kernel import settings
from wanjia.kernel.declared import DeclarationErrors, Mistake, did_you_mean, load_file, load_folder
from wanjia.standards import api as standards

COMMON = "common.typ"


@dataclass(frozen=True, eq=False)
class LayoutText:
    """A layout's files as they are now, and their digest."""

    files: Mapping[str, str]
    digest: str


@dataclass(frozen=True, eq=False)
class Declared:
    """Kinds by key, the layout of each, and the families of fonts in order. Empty where a profile declares none."""

    kinds: Mapping[str, DocumentKind]
    layouts: Mapping[str, LayoutText]
    families: tuple[str, ...]

    def kind(self, key: str) -> DocumentKind:
        """The kind. Raises `KindUnknown`."""
        if key not in self.kinds:
            raise KindUnknown(kind=key[:40], known=", ".join(self.kinds) or "-")
        return self.kinds[key]


def declared() -> Declared:
    """What the profile in force declares about documents. Raises `DeclarationErrors` with every mistake of every file."""
    folder = settings.profile_dir() / "documents"
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return _read(folder, tuple((str(path), path.stat().st_mtime_ns) for path in files))


@lru_cache(maxsize=4)
def _read(folder: Path, stamp: tuple) -> Declared:
    if not stamp:
        return Declared({}, {}, ())
    kinds = load_folder(folder / "kinds", DocumentKind)
    families = load_file(folder / "fonts.toml", FontList).families
    profile = standards.load_profile(folder.parent)
    common = (folder / "layouts" / COMMON).read_text(encoding="utf-8")
    mistakes, layouts, letters = [], {}, {}
    for key, kind in kinds.items():
        file = f"kinds/{key}.toml"
        for field in kind.all_fields:
            if field.column and field.column not in profile.parts:
                near = did_you_mean(field.column, profile.parts)
                mistakes.append(
                    Mistake(
                        file, f"fields.{field.column}", f"is no column of an element{f'; did you mean {near!r}?' if near else ''}",
                        f"不是数据元的列{f'；是否应为 {near!r}？' if near else ''}",
                    )
                )  # fmt: skip
        if letters.setdefault(kind.letter, key) != key:
            mistakes.append(Mistake(file, "letter", f"is that of {letters[kind.letter]} too", "与另一种类重复"))
        path = folder / "layouts" / kind.layout
        if not path.is_file():
            mistakes.append(
                Mistake(file, "layout", f"there is no layouts/{kind.layout}", f"没有 layouts/{kind.layout}")
            )
            continue
        files = {MAIN: path.read_text(encoding="utf-8"), COMMON: common}
        layouts[key] = LayoutText(files, digest_of(files))
    if mistakes:
        raise DeclarationErrors(mistakes)
    return Declared(kinds, layouts, tuple(families))


def digest_of(files: Mapping[str, str]) -> str:
    """SHA-256 over a layout's files, in hex."""
    return hashlib.sha256(json.dumps(dict(files), sort_keys=True, ensure_ascii=False).encode()).hexdigest()


#: blocks of Han characters, first and last code point
BLOCKS = {
    "CJK (URO)": (0x4E00, 0x9FFF),
    "Extension A": (0x3400, 0x4DBF),
    "Extension B": (0x20000, 0x2A6DF),
    "Extension C": (0x2A700, 0x2B739),
    "Extension D": (0x2B740, 0x2B81D),
    "Extension E": (0x2B820, 0x2CEA1),
    "Extension F": (0x2CEB0, 0x2EBE0),
    "Extension I": (0x2EBF0, 0x2EE5D),
    "Extension G": (0x30000, 0x3134A),
    "Extension H": (0x31350, 0x323AF),
}


def fonts_here() -> dict[str, Path]:
    """The declared fonts that are on this machine, by family, in order."""
    return {font.family: font.path for font in installed(declared().families).values()}


def coverage() -> dict[str, tuple[int, int]]:
    """Block of Han characters → (how many the fonts here can draw, how many it has)."""
    drawn = frozenset().union(*(font.characters for font in installed(declared().families).values()))
    return {
        block: (sum(code in drawn for code in range(first, last + 1)), last - first + 1)
        for block, (first, last) in BLOCKS.items()
    }

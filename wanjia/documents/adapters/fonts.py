"""The declared fonts that are on this machine, what they can draw, and the choice of those a document needs. Nothing is fetched."""

import hashlib
import importlib.util
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path

from wanjia.documents.errors import CannotBePrinted, FontMissing
from wanjia.documents.rules.content import is_forbidden
from wanjia.kernel import settings

#: of Debian's packages fonts-noto-cjk, fonts-hanazono, fonts-babelstone-han
SYSTEM_FOLDERS = (Path("/usr/share/fonts"), Path("/usr/local/share/fonts"))
SELECTORS = (range(0xFE00, 0xFE10), range(0xE0100, 0xE01F0))

WHY = {
    "control": ("它是不可见的控制字符。请在登记中删去。", "it is an invisible control character. Take it out of the register."),
    "private": (
        "它是专用区字符，只在某些机器上有字形。请在登记中改为其国家标准（GB 18030）编码。",
        "it is a private-use character, which has a shape on some machines only. Register its code of the national standard (GB 18030).",
    ),
    "variant": (
        "所装字体没有这一异体字形。请安装含该字形的字体（WANJIA_FONTS），或更正登记。",
        "no font here has this variant of the character. Install one that has it (WANJIA_FONTS), or correct the register.",
    ),
    "glyph": (
        "所装字体都没有这个字。请安装含该字的字体：fonts-hanazono（扩展B至F区）、fonts-babelstone-han，"
        "或将字体放入 WANJIA_FONTS 文件夹并列入 fonts.toml。",
        "no font here has it. Install one that does: fonts-hanazono (extensions B to F), fonts-babelstone-han, or put a font into the folder"
        " WANJIA_FONTS and its name into fonts.toml.",
    ),
}  # fmt: skip


@dataclass(frozen=True)
class Font:
    """One face of a file: its family, where it lies, which one in a collection."""

    family: str
    path: Path
    index: int

    @cached_property
    def _tables(self) -> tuple[frozenset[int], frozenset[tuple[int, int]]]:
        from fontTools.ttLib import TTFont

        with TTFont(self.path, fontNumber=self.index, lazy=True) as font:
            variants = font["cmap"].getcmap(0, 5)
            listed = variants.uvsDict.items() if variants else ()
            known = frozenset((base, selector) for selector, pairs in listed for base, _ in pairs)
            return frozenset(font.getBestCmap()), known

    @property
    def characters(self) -> frozenset[int]:
        """The code points it has a glyph for."""
        return self._tables[0]

    @property
    def variants(self) -> frozenset[tuple[int, int]]:
        """(character, selector) of the variants it knows."""
        return self._tables[1]

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the file, in hex."""
        with self.path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()


def folders() -> list[Path]:
    """Where fonts are looked for, in order: WANJIA_FONTS, the home's own, the Python package, the system's."""
    found = [Path(one) for one in os.environ.get("WANJIA_FONTS", "").split(os.pathsep) if one]
    found.append(settings.home() / "fonts")
    package = importlib.util.find_spec("noto_cjk_sans_otc")
    if package and package.origin:
        found.append(Path(package.origin).parent)
    return [one for one in (*found, *SYSTEM_FOLDERS) if one.is_dir()]


def installed(families: Sequence[str]) -> dict[str, Font]:
    """Those of `families` that are on this machine, in their order; of a family found twice, the first folder's."""
    return _installed(tuple(families), tuple(map(str, folders())))


@lru_cache(maxsize=8)
def _installed(families: tuple[str, ...], places: tuple[str, ...]) -> dict[str, Font]:
    import typst

    found: dict[str, Font] = {}
    for place in places:
        known = typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=[place])
        # of a family in several weights the one nearest the regular: a document is set in one
        for face in sorted(known.fonts(), key=lambda one: abs(one.weight - 400)):
            if face.family in families and face.path and face.style == "normal":
                found.setdefault(face.family, Font(face.family, Path(face.path).resolve(), face.index))
    return {family: found[family] for family in families if family in found}


def chosen(labelled: Iterable[tuple[Mapping[str, str], str]], families: Sequence[str]) -> list[Font]:
    """The fonts that draw all these texts: the first declared one, and of the others as many as are needed, in order.

    `labelled`: (label in zh and en, text). Raises `CannotBePrinted` with the label, never with the text, and `FontMissing`.
    """
    here = list(installed(families).values())
    if not here:
        raise FontMissing(families=", ".join(families))
    used = {0}
    for label, text in labelled:
        before = ""
        for character in text:
            if any(ord(character) in span for span in SELECTORS):
                _require_variant(here, before, character, label)
                continue
            before = character
            if why := is_forbidden(character):
                _refuse(label, why)
            place = next((n for n, font in enumerate(here) if ord(character) in font.characters), None)
            if place is None:
                _refuse(label, "glyph")
            used.add(place)
    return [here[place] for place in sorted(used)]


def _require_variant(here: Sequence[Font], base: str, selector: str, label: Mapping[str, str]) -> None:
    # set is what the first font with the character draws; it must know the variant itself
    font = next((font for font in here if base and ord(base) in font.characters), None)
    if font is None or (ord(base), ord(selector)) not in font.variants:
        _refuse(label, "variant")


def _refuse(label: Mapping[str, str], why: str) -> None:
    zh, en = WHY[why]
    raise CannotBePrinted(zh_element=label["zh"], en_element=label["en"], zh_why=zh, en_why=en)


def same_as(frozen: Sequence[Mapping[str, str]], families: Sequence[str]) -> list[Font] | None:
    """The fonts that a document was set in (family and digest), or None when one is here no more or is another one now."""
    here = installed([*families, *(one["family"] for one in frozen)])
    fonts = [here.get(one["family"]) for one in frozen]
    is_same = all(font and font.digest == one["sha256"] for font, one in zip(fonts, frozen, strict=True))
    return [font for font in fonts if font] if is_same else None

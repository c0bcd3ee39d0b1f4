"""The door of standards: the profile, what its words mean, the limits, and the standardising of written values."""

import datetime
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path

from wanjia.kernel import settings
from wanjia.kernel.declared import DeclarationErrors, Mistake, did_you_mean, load_file, load_folder
from wanjia.standards import adapters
from wanjia.standards.bulk import Reading
from wanjia.standards.bulk.lookups import forget_texts
from wanjia.standards.bulk.meanings import standardise
from wanjia.standards.declared import Code, CodeSet, Element, ElementPart, ProfileFile, unknown_references
from wanjia.standards.errors import UnknownCodeSet, UnknownDivision, UnknownElement
from wanjia.standards.rules import limit_breaches, protected_breaches, spellings
from wanjia.standards.rules.divisions import Division, Divisions, Resolution, number_prefixes
from wanjia.standards.rules.names import homophone_heads
from wanjia.standards.rules.near_numbers import Near, near_numbers
from wanjia.standards.rules.reasons import REASONS, Reason
from wanjia.standards.rules.spoken import ways_to_part, without_tones
from wanjia.standards.rules.typed import Reader, TypedAddress, TypedName, TypedNumber

__all__ = [
    "REASONS", "Code", "CodeSet", "Division", "Divisions", "Element", "ElementPart", "Near", "Profile", "Reader", "Reading", "Reason", "Resolution",
    "TypedAddress", "TypedName", "TypedNumber", "check_limits", "element", "forget_texts", "load_profile", "near_numbers",
    "protected_breaches", "standardise", "ways_to_part", "without_tones",
]  # fmt: skip


@dataclass(frozen=True, eq=False)
class Profile:
    """A loaded profile: what its declared files say, checked as a whole. `departments` are the declared departments' codes."""

    folder: Path
    file: ProfileFile
    elements: dict[str, Element]
    code_sets: dict[str, CodeSet]
    divisions: Divisions
    departments: tuple[str, ...]

    @property
    def code(self) -> str:
        """The profile's code ("cn")."""
        return self.file.code

    @cached_property
    def parts(self) -> dict[str, ElementPart]:
        """Column → its part, over all elements, whether on by default or not."""
        return {column.key: column for one in self.elements.values() for column in one.columns}

    @cached_property
    def active_elements(self) -> dict[str, Element]:
        """The elements that are on by default: religion, where a profile declares it, is not among them (limit 3)."""
        return {key: one for key, one in self.elements.items() if one.default_on}

    @cached_property
    def protected(self) -> dict[str, str | None]:
        """Element key → its protected kind (ethnicity, religion, health, biometrics), None for the others."""
        return {key: one.protected for key, one in self.elements.items()}

    @cached_property
    def number_prefixes(self) -> frozenset[str]:
        """What an identity number may begin with: division codes, 81/82/83 0000, 9 + province + ISO numeric, ISO alpha-3."""
        countries = self.code_sets.get("countries")
        return number_prefixes(self.divisions, countries.codes if countries else ())

    @cached_property
    def readings(self) -> dict[str, str]:
        """Character → its usual toneless reading."""
        rows = adapters.read_pairs(self.folder / "names" / "readings.csv", ("syllable", "characters"))
        return {character: syllable for syllable, characters in rows for character in characters}

    @cached_property
    def variants(self) -> dict[str, str]:
        """Variant or traditional character → the one it is folded to."""
        rows = adapters.read_pairs(self.folder / "names" / "variants.csv", ("character", "variants"))
        return {variant: character for character, variants in rows for variant in variants}

    @cached_property
    def surnames(self) -> list[tuple[str, str]]:
        """(surname, reading) of compound surnames, and of single ones that are read otherwise than their character usually is."""
        return [
            (row[0], row[1])
            for row in adapters.read_pairs(self.folder / "names" / "surnames.csv", ("surname", "reading"))
        ]

    @cached_property
    def homophone_heads(self) -> list[tuple[str, str]]:
        """(surname, characters whose usual reading is the surname's): what a name is read as, so that one table of readings does."""
        rows = adapters.read_pairs(self.folder / "names" / "readings.csv", ("syllable", "characters"))
        return homophone_heads(self.surnames, dict(rows))

    @cached_property
    def reader(self) -> Reader:
        """Reads one typed text as `standardise` reads a column, without an engine."""
        return Reader(
            missing=frozenset(text.strip() for text in self.file.missing),
            variants=self.variants,
            readings=self.readings,
            surnames=frozenset(surname for surname, _ in self.surnames if len(surname) > 1),
            homophone_heads=self.homophone_heads,
            prefixes=self.number_prefixes,
            paths=self.divisions.written_paths,
            places=self.divisions.places_below,
        )

    def element(self, key: str) -> Element:
        """The element `key`. Raises `UnknownElement` with the nearest known one."""
        if key not in self.elements:
            raise _unknown(key, self.elements)
        return self.elements[key]

    def part(self, key: str) -> ElementPart:
        """The column `key` of some element. Raises `UnknownElement` with the nearest known one."""
        if key not in self.parts:
            raise _unknown(key, self.parts)
        return self.parts[key]

    def part_of(self, element_key: str, part_key: str | None = None) -> ElementPart:
        """The column a source means by an element and, for a composite element, a part. Raises `UnknownElement`."""
        columns = {column.key: column for column in self.element(element_key).columns}
        if part_key is None and len(columns) == 1:
            return next(iter(columns.values()))
        if part_key not in columns:
            raise _unknown(part_key or element_key, columns)
        return columns[part_key]

    def code_set(self, key: str) -> CodeSet:
        """The code set `key`. Raises `UnknownCodeSet`."""
        if key not in self.code_sets:
            raise UnknownCodeSet(key=key)
        return self.code_sets[key]

    def spellings(self, key: str) -> dict[str, str]:
        """Spelling key (half-width, upper case, no spaces) → code, for the code set `key`. Raises `UnknownCodeSet`."""
        return _spellings(self, key)

    def division(self, code: str, on: datetime.date | None = None) -> Resolution:
        """What a division code stood for on a day, and its successors today. Raises `UnknownDivision`."""
        found = self.divisions.resolve(code, on)
        if found is None:
            raise UnknownDivision(code=code)
        return found

    def label(self, part_key: str, value: str | None, lang: str = "zh") -> str:
        """How a canonical value of a column is shown: the name of a code or division, else the value itself."""
        if value is None:
            return ""
        part = self.part(part_key)
        if part.codes:
            row = self.code_set(part.codes).by_code.get(value)
            return value if row is None else row.zh if lang.startswith("zh") else row.en
        if part.type == "division":
            path = self.divisions.path(value) or self.divisions.path(value[:6])
            names = [d.name(lang) for d in path]
            return value if not names else "".join(names) if lang.startswith("zh") else ", ".join(reversed(names))
        return value


def load_profile(folder: Path | str | None = None) -> Profile:
    """The profile in `folder` (the one the settings choose, if none is given), read strictly and checked against the limits.

    Cached while its files are unchanged. Raises `DeclarationErrors` with every mistake of every file.
    """
    base = Path(folder) if folder is not None else settings.profile_dir()
    files = [base / "profile.toml", *sorted(p for p in base.rglob("*") if p.suffix in (".toml", ".csv"))]
    stamp = tuple((str(p), p.stat().st_mtime_ns) for p in files if p.exists() and "sources" not in p.parts)
    return _load(base, stamp)


def element(key: str) -> Element:
    """The element `key` of the profile the settings choose. Raises `UnknownElement`."""
    return load_profile().element(key)


def check_limits(words: Mapping[str, str], *, judged: bool = True) -> list[tuple[str, str, str]]:
    """Breaches of limits 1 and 2 in a declaration's own words: where → the word (key, name, label, column, source type).

    For the ``check`` of any declared class: each breach is (where, sentence in English, sentence in Chinese).
    """
    return limit_breaches(words, judged=judged)


@lru_cache(maxsize=8)
def _load(base: Path, stamp: tuple) -> Profile:
    mistakes: list[Mistake] = []
    file = _collected(mistakes, lambda: load_file(base / "profile.toml", ProfileFile), None)
    elements = _collected(mistakes, lambda: load_folder(base / "elements", Element), {})
    code_sets = _collected(mistakes, lambda: load_folder(base / "codes", CodeSet), {})
    rows = _collected(mistakes, lambda: adapters.read_divisions(base / "divisions"), [])
    departments = tuple(sorted(p.stem for p in (base / "departments").glob("*.toml")))
    for key, (where, en, zh) in unknown_references(elements.values(), code_sets, departments):
        mistakes.append(Mistake(f"elements/{key}.toml", where, en, zh))
    mistakes += _shared_columns(elements.values())
    if mistakes or file is None:
        raise DeclarationErrors(mistakes)
    return Profile(base, file, _in_order(elements), code_sets, Divisions(rows), departments)


def _collected(mistakes: list[Mistake], read, instead):
    try:
        return read()
    except DeclarationErrors as wrong:
        mistakes.extend(wrong.mistakes)
        return instead


def _in_order(elements: Mapping[str, Element]) -> dict[str, Element]:
    return {one.key: one for one in sorted(elements.values(), key=lambda e: e.code)}


def _shared_columns(elements: Iterable[Element]) -> list[Mistake]:
    owner: dict[str, str] = {}
    found = []
    for one in elements:
        for column in one.columns:
            if owner.setdefault(column.key, one.key) != one.key:
                found.append(
                    Mistake(
                        f"elements/{one.key}.toml",
                        column.key,
                        f"is already a column of {owner[column.key]}",
                        f"已是 {owner[column.key]} 的列",
                    )
                )
    return found


@lru_cache(maxsize=256)
def _spellings(profile: Profile, key: str) -> dict[str, str]:
    return spellings((row.code, (row.zh, row.en, *row.spellings)) for row in profile.code_set(key).codes)


def _unknown(key: str, known: Iterable[str]) -> UnknownElement:
    near = did_you_mean(key, known)
    return UnknownElement(
        key=key, near_zh=f"，是否应为 {near}" if near else "", near_en=f"; did you mean {near!r}?" if near else ""
    )

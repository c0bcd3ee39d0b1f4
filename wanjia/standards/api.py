"""The door of standards: the profile, what its words mean, the limits, and the standardising of written values."""

import datetime
import os
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from pathlib import Path

from wanjia.kernel import settings
from wanjia.kernel.declared import DeclarationErrors, Mistake, did_you_mean, load_file, load_folder, load_text
from wanjia.standards import adapters
from wanjia.standards.bulk import Reading
from wanjia.standards.bulk.lookups import forget_texts
from wanjia.standards.bulk.meanings import Sought, meant, prepare, sought, standardise
from wanjia.standards.declared import (
    Anchors,
    Begins,
    Code,
    CodeSet,
    DivisionChange,
    Element,
    ElementPart,
    Moved,
    ProfileFile,
    unknown_references,
)
from wanjia.standards.errors import UnknownCodeSet, UnknownDivision, UnknownElement, UnknownUse
from wanjia.standards.rules import limit_breaches, protected_breaches, spellings
from wanjia.standards.rules.anchoring import Days, Place, anchored, place_of
from wanjia.standards.rules.changes import changed, mistakes_of, significant, tops
from wanjia.standards.rules.divisions import Division, Divisions, Resolution, number_prefixes
from wanjia.standards.rules.names import homophone_heads
from wanjia.standards.rules.near_numbers import Near, near_numbers
from wanjia.standards.rules.picking import Pick, Picker, standing
from wanjia.standards.rules.reasons import REASONS, Reason
from wanjia.standards.rules.restating import Carried, Restated, UsedShare, carried, restate, tellable
from wanjia.standards.rules.spoken import ways_to_part, without_tones
from wanjia.standards.rules.typed import Reader, TypedAddress, TypedName, TypedNumber

__all__ = [
    "REASONS", "Anchors", "Begins", "Carried", "Code", "CodeSet", "Days", "Division", "DivisionChange", "Divisions", "Element", "ElementPart",
    "Moved", "Near", "Pick", "Place", "Profile", "Reader", "Reading", "Reason", "Resolution", "Restated", "Sought", "TypedAddress", "TypedName",
    "TypedNumber", "UsedShare", "carried", "changes_folder", "changes_stamp", "check_limits", "divisions_after", "element",
    "forget_texts", "load_profile", "meant", "near_numbers", "prepare", "protected_breaches", "read_change", "restate", "significant", "sought",
    "standardise", "standing", "tellable", "tops", "ways_to_part", "without_tones",
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
    anchors: Anchors = field(default_factory=lambda: Anchors([]))
    changes: tuple[DivisionChange, ...] = ()
    divisions_declared: Divisions | None = None

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

    @cached_property
    def picker(self) -> Picker:
        """Finds divisions by what somebody types: code, name, pinyin, first letters, English name."""
        return Picker(self.divisions, self.readings)

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

    @cached_property
    def redrawn(self) -> dict[str, str]:
        """Code → its code of today, of all codes for which changes of divisions of this house say another than the declared table."""
        before = self.divisions_declared
        if before is None:
            return {}
        codes = {division.code for division in self.divisions}
        now = {code: self.divisions.current_code(code) or code for code in codes}
        return {code: one for code, one in now.items() if (before.current_code(code) or code) != one}

    def code_now(self, code: str) -> str:
        """The code of today for a written one: also of a finer code that the table does not hold, by what holds it."""
        for known in (code, code[:9], code[:6]):
            if known in self.divisions:
                now = self.divisions.current_code(known)
                return code if now is None or now == known else now
        return code

    def day_of_use(self, use: str, days: Days) -> datetime.date:
        """The day by which a division code of this use is read (divisions/anchors.toml). Raises `UnknownUse`."""
        return anchored(self._anchor(use), days)

    def place(self, use: str, code: str, days: Days, lang: str = "zh") -> Place:
        """What a division code of this use is called on its day, and today where that differs. Raises `UnknownUse`."""
        return place_of(self.divisions, code, anchored(self._anchor(use), days), days.today, lang)

    def _anchor(self, use: str) -> str:
        found = next((one.anchor for one in self.anchors.uses if one.use == use), None)
        if found is None:
            near = did_you_mean(use, [one.use for one in self.anchors.uses])
            raise UnknownUse(
                use=use,
                near_zh=f"，是否应为 {near}" if near else "",
                near_en=f"; did you mean {near!r}?" if near else "",
            )
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


#: how long a process goes on with the profile in force as it has read it before it looks at the files again
LOOK_AGAIN_SECONDS = 2.0
_looked: dict[Path, tuple[float, tuple, Profile]] = {}


def load_profile(folder: Path | str | None = None) -> Profile:
    """The profile in `folder` (the one the settings choose, if none is given), read strictly and checked against the limits.

    Cached while its files are unchanged: those of the profile in force are looked at again every few seconds (a form asks for the profile at each
    field, and looking takes milliseconds), changes of divisions that were carried out at once. Raises `DeclarationErrors` with every mistake of
    every file.
    """
    if folder is not None and Path(folder) != settings.profile_dir():
        return _load(Path(folder), _stamp(Path(folder)), ())
    base, changes, now = settings.profile_dir(), changes_stamp(), time.monotonic()
    kept = _looked.get(base)
    if folder is not None or kept is None or kept[1] != changes or now - kept[0] > LOOK_AGAIN_SECONDS:
        kept = _looked[base] = (now, changes, _load(base, _stamp(base), changes))
    return kept[2]


def _stamp(base: Path) -> tuple[tuple[str, int], ...]:
    """What tells whether a file of the profile in `base` changed: each file with its moment, in order. Sources are read by intake."""
    found = []
    for folder, below, names in os.walk(base):
        below[:] = [name for name in below if name != "sources"]
        paths = [os.path.join(folder, name) for name in names if name.endswith((".toml", ".csv"))]
        found += [(path, os.stat(path).st_mtime_ns) for path in paths]
    return tuple(sorted(found))


def changes_folder() -> Path:
    """Where the changes of divisions that were carried out lie for every process to read, one file each."""
    return settings.home() / "divisions"


def changes_stamp() -> tuple[tuple[str, int], ...]:
    """What tells whether a change of divisions was carried out since: each file with its moment. Cheap enough for every request."""
    try:
        with os.scandir(changes_folder()) as found:
            return tuple(sorted((one.path, one.stat().st_mtime_ns) for one in found if one.name.endswith(".toml")))
    except FileNotFoundError:
        return ()


def read_change(text: str, *, shown: str = "change") -> DivisionChange:
    """A change of divisions as declared text says it; whether it fits the table says `divisions_after`. Raises `DeclarationErrors`."""
    return load_text(text, DivisionChange, shown=shown)


def divisions_after(change: DivisionChange, divisions: Divisions) -> Divisions:
    """The table after a change; the one given is not touched. Raises `DeclarationErrors` with everything that is wrong with the change."""
    if wrong := mistakes_of(change, divisions):
        raise DeclarationErrors(Mistake(change.code, where, en, zh) for where, en, zh in wrong)
    after = changed(change, divisions)
    return Divisions(after.rows, {**divisions.shares, **after.shares})


def element(key: str) -> Element:
    """The element `key` of the profile the settings choose. Raises `UnknownElement`."""
    return load_profile().element(key)


def check_limits(words: Mapping[str, str], *, judged: bool = True) -> list[tuple[str, str, str]]:
    """Breaches of limits 1 and 2 in a declaration's own words: where → the word (key, name, label, column, source type).

    For the ``check`` of any declared class: each breach is (where, sentence in English, sentence in Chinese).
    """
    return limit_breaches(words, judged=judged)


def _with_changes(
    declared: Divisions, changes: tuple[tuple[str, int], ...], mistakes: list[Mistake]
) -> tuple[Divisions, tuple[DivisionChange, ...]]:
    """The declared table and over it, in the order of their days, the changes this house carried out."""
    told = [_collected(mistakes, lambda p=path: load_file(Path(p), DivisionChange), None) for path, _ in changes]
    in_order = tuple(sorted((one for one in told if one is not None), key=lambda one: (one.on, one.code)))
    divisions = declared
    for change in in_order:
        # a newer edition of the declared table may hold what was a change of this house before
        if all(_ended_so(change, declared, code) for code in {move.old for move in change.moves}):
            continue
        divisions = _collected(mistakes, lambda c=change, d=divisions: divisions_after(c, d), divisions)
    return divisions, in_order


def _ended_so(change: DivisionChange, declared: Divisions, code: str) -> bool:
    into = {move.new for move in change.moves if move.old == code}
    return any(span.valid_to == change.on and into == set(span.successors) for span in declared.spans(code))


@lru_cache(maxsize=8)
def _load(base: Path, stamp: tuple, changes: tuple[tuple[str, int], ...]) -> Profile:
    mistakes: list[Mistake] = []
    file = _collected(mistakes, lambda: load_file(base / "profile.toml", ProfileFile), None)
    elements = _collected(mistakes, lambda: load_folder(base / "elements", Element), {})
    code_sets = _collected(mistakes, lambda: load_folder(base / "codes", CodeSet), {})
    rows = _collected(mistakes, lambda: adapters.read_divisions(base / "divisions"), [])
    departments = tuple(sorted(p.stem for p in (base / "departments").glob("*.toml")))
    for key, (where, en, zh) in unknown_references(elements.values(), code_sets, departments):
        mistakes.append(Mistake(f"elements/{key}.toml", where, en, zh))
    mistakes += _shared_columns(elements.values())
    anchors = Anchors([])
    if (base / "divisions" / "anchors.toml").exists():
        anchors = _collected(mistakes, lambda: load_file(base / "divisions" / "anchors.toml", Anchors), anchors)
    mistakes += _unanchored(elements.values(), anchors) if rows else []
    declared = Divisions(rows)
    divisions, carried_out = _with_changes(declared, changes, mistakes)
    if mistakes or file is None:
        raise DeclarationErrors(mistakes)
    return Profile(
        base,
        file,
        _in_order(elements),
        code_sets,
        divisions,
        departments,
        anchors,
        carried_out,
        declared if carried_out else None,
    )


def _unanchored(elements: Iterable[Element], anchors: Anchors) -> list[Mistake]:
    """A column that holds division codes says by which day they are read."""
    said = {one.use for one in anchors.uses}
    columns = [column.key for one in elements for column in one.columns if column.type == "division"]
    en, zh = "holds division codes: say by which day they are read", "含区划代码：须写明按哪一天理解"
    return [Mistake("divisions/anchors.toml", key, en, zh) for key in columns if key not in said]


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

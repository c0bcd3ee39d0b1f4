"""Names: surnames by frequency, given names by birth cohort and sex, and the ways one name comes to be written as another."""

import csv
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import pyarrow as pa

from wanjia.city import calendar, chance

LISTS = Path(__file__).parent / "lists"
NO_CHARACTER = -1
HAN, UYGHUR, TIBETAN, FOREIGN = 0, 1, 2, 3

# A clerk's other spelling of the same surname, both legal (simplification of 1977, undone in 1986).
SURNAME_VARIANTS = {"肖": "萧", "付": "傅", "闫": "阎", "戴": "代", "余": "佘", "邱": "丘", "于": "於", "萧": "肖"}


@dataclass(frozen=True)
class NameParts:
    """Names of many persons as positions in the character table; `kind` says how to put them together."""

    surname: np.ndarray
    first: np.ndarray
    second: np.ndarray  # NO_CHARACTER for one-character given names
    kind: np.ndarray


@cache
def surname_table() -> tuple[list[str], np.ndarray]:
    """Surnames and their cumulative shares."""
    with (LISTS / "surnames.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    return [row["surname"] for row in rows], chance.cumulative(np.array([float(row["weight"]) for row in rows]))


@cache
def _given_lists() -> dict:
    return tomllib.loads((LISTS / "given_names.toml").read_text(encoding="utf-8"))


@cache
def characters() -> tuple[list[str], dict[str, int]]:
    """Every character of the given-name lists, and its position."""
    lists = _given_lists()
    every = (
        "".join(part["male"] + part["female"] for part in lists["cohort"] + lists["general"]) + lists["rare"]["both"]
    )
    table = list(dict.fromkeys(every))
    return table, {character: position for position, character in enumerate(table)}


@cache
def minority_names() -> dict[str, dict[str, list[str]]]:
    """Names that are not surname plus one or two characters."""
    return tomllib.loads((LISTS / "minority_names.toml").read_text(encoding="utf-8"))


@cache
def sounding_alike() -> dict[str, str]:
    """Character → other characters with the same syllable and tone."""
    found: dict[str, str] = {}
    for line in (LISTS / "homophones.txt").read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            group = line.split()[1]
            for character in group:
                found[character] = group.replace(character, "")
    return found


@cache
def looking_alike() -> dict[str, str]:
    """Character → characters it is mistaken for."""
    found: dict[str, str] = {}
    for line in (LISTS / "look_alikes.txt").read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            first, second = line[0], line[1]
            found[first] = found.get(first, "") + second
            found[second] = found.get(second, "") + first
    return found


def draw_surnames(rng: np.random.Generator, size: int) -> np.ndarray:
    """Surnames by national frequency, as positions in `surname_table`."""
    return chance.pick(rng, surname_table()[1], size)


def draw_given(rng: np.random.Generator, birth: np.ndarray, sex: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """First and second character of given names that fit the year of birth and the sex."""
    lists = _given_lists()
    position = characters()[1]
    years = calendar.parts(birth)[0]
    starts = np.array([cohort["from"] for cohort in lists["cohort"]])
    cohort_of = np.clip(np.searchsorted(starts, years, side="right") - 1, 0, len(starts) - 1)
    first = np.empty(len(birth), dtype=np.int32)
    second = np.empty(len(birth), dtype=np.int32)
    for number, cohort in enumerate(lists["cohort"]):
        for code, word in ((1, "male"), (2, "female")):
            chosen = np.flatnonzero((cohort_of == number) & (sex == code))
            pool = _pool(cohort[word], position)
            for target in (first, second):
                target[chosen] = _draw_characters(rng, pool, lists, word, position, len(chosen))
            single = rng.random(len(chosen)) < cohort["single"]
            second[chosen[single]] = NO_CHARACTER
    rare = np.array([position[character] for character in lists["rare"]["both"]])
    chosen = np.flatnonzero(rng.random(len(birth)) < lists["rare"]["share"])
    first[chosen] = rng.choice(rare, len(chosen))
    return first, second


def _pool(text: str, position: dict[str, int]) -> tuple[np.ndarray, np.ndarray]:
    """Characters most used first; the r-th is used about in proportion to 1/(r+9)."""
    numbers = np.array([position[character] for character in dict.fromkeys(text)])
    return numbers, chance.cumulative(1.0 / (np.arange(len(numbers)) + 9.0))


def _draw_characters(rng, pool, lists, word, position, size) -> np.ndarray:
    numbers, shares = pool
    drawn = numbers[chance.pick(rng, shares, size)]
    general = lists["general"][0]
    wide = np.array([position[character] for character in dict.fromkeys(general[word])])
    other = rng.random(size) < general["share"]
    drawn[other] = rng.choice(wide, int(other.sum()))
    return drawn


def spelled(parts: NameParts, sex: np.ndarray) -> pa.Array:
    """The names as texts."""
    surnames = np.array(surname_table()[0], dtype=object)
    table = np.array([*characters()[0], ""], dtype=object)  # position -1 is the empty text
    texts = surnames[parts.surname] + table[parts.first] + table[parts.second]
    lists = minority_names()
    for number in np.flatnonzero(parts.kind != HAN):
        word = "male" if sex[number] == 1 else "female"
        a, b = int(parts.first[number]), int(parts.second[number])
        match parts.kind[number]:
            case 1:
                given, fathers = lists["uyghur"][word], lists["uyghur"]["male"]
                texts[number] = f"{given[a % len(given)]}·{fathers[b % len(fathers)]}"
            case 2:
                given = lists["tibetan"][word]
                texts[number] = given[a % len(given)] + given[b % len(given)]
            case 3:
                given = lists["foreign"][word]
                texts[number] = given[a % len(given)]
    return pa.array(texts, pa.string())


def _changed(name: str, others: dict[str, str], rng: np.random.Generator, keep_surname: bool) -> str:
    """`name` with one character replaced by one of `others`; unchanged where none of its characters has one."""
    start = 1 if keep_surname and len(name) > 1 else 0
    places = [p for p in range(start, len(name)) if others.get(name[p])]
    if not places:
        return name
    place = places[int(rng.integers(len(places)))]
    candidates = others[name[place]]
    # characters used in names stand first in each group, and a clerk is offered those first
    offered = candidates[: max(1, min(4, len(candidates)))]
    return name[:place] + offered[int(rng.integers(len(offered)))] + name[place + 1 :]


def as_homophone(name: str, rng: np.random.Generator) -> str:
    """Typed by sound: one character of the given name replaced by another of the same sound."""
    return _changed(name, sounding_alike(), rng, keep_surname=True)


def as_look_alike(name: str, rng: np.random.Generator) -> str:
    """Copied from paper: one character replaced by one of similar shape."""
    return _changed(name, looking_alike(), rng, keep_surname=False)


def as_variant(name: str, rng: np.random.Generator) -> str:
    """The surname's other legal spelling, else a homophone."""
    other = SURNAME_VARIANTS.get(name[:1])
    return other + name[1:] if other else as_homophone(name, rng)

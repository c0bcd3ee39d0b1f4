"""Pinyin as people type it: with tones or without, with spaces or without, or just the first letters."""

import re
import unicodedata
from collections.abc import Collection, Iterator
from itertools import islice, product

MOST_WAYS = 24
LONGEST_SYLLABLE = 6
_TONES = re.compile("[\u0300\u0301\u0304\u030c]")


def without_tones(text: str) -> str:
    """Small Latin letters and single spaces: tone marks and tone digits gone, ü as v, other signs as spaces."""
    plain = unicodedata.normalize("NFD", text.casefold())
    plain = plain.replace("u:", "v").replace("u\u0308", "v")
    plain = re.sub("u([\u0300\u0301\u0304\u030c])\u0308", "v", plain)
    plain = _TONES.sub("", plain).replace("v\u0308", "v")
    plain = re.sub("(?<=[a-z])[0-5](?![0-9])", " ", plain)
    return re.sub(" +", " ", re.sub("[^a-z0-9]", " ", plain)).strip()


def ways_to_part(text: str, syllables: Collection[str]) -> list[str]:
    """The ways to read letters (of `without_tones`) as whole syllables, each parted by spaces: "xian" is xian and xi an."""
    words = [list(islice(_partings(word, syllables), MOST_WAYS)) for word in text.split()]
    if not words or not all(words):
        return []
    return [" ".join(chosen) for chosen in islice(product(*words), MOST_WAYS)]


def _partings(word: str, syllables: Collection[str]) -> Iterator[str]:
    """Lazily; never tries what cannot be finished, or "xianxianxian…q" would be tried in as many ways as 2 to the number of its xian."""
    ends_well = [False] * len(word) + [True]
    for start in range(len(word) - 1, -1, -1):
        reach = range(start + 1, min(start + LONGEST_SYLLABLE, len(word)) + 1)
        ends_well[start] = any(ends_well[end] and word[start:end] in syllables for end in reach)

    def onwards(start: int) -> Iterator[str]:
        for end in range(min(start + LONGEST_SYLLABLE, len(word)), start, -1):
            head = word[start:end]
            if ends_well[end] and head in syllables:
                yield from (f"{head} {more}" for more in onwards(end)) if end < len(word) else (head,)

    return onwards(0)

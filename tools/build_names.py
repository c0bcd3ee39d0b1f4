"""Builds declared/cn/names/readings.csv and variants.csv. Run by hand, not by the product.

    pip install pypinyin opencc-python-reimplemented && python tools/build_names.py

pypinyin (MIT): the usual reading of every character, toneless. OpenCC (Apache-2.0): traditional and variant characters and the simple ones
they are folded to for comparing. Characters of personal names that are simplified in texts but kept in names are left out.
"""

import csv
import importlib.metadata
import unicodedata
from collections import defaultdict
from pathlib import Path

from pypinyin import pinyin_dict

FOLDER = Path(__file__).resolve().parent.parent / "declared" / "cn" / "names"
# simplified in running text, but registered as they are in names since the national list of 2013
KEPT_IN_NAMES = set("喆堃淼犇昇乾晧祎甦濬镕菉")
# variants that OpenCC leaves alone because they are no traditional forms
MORE_VARIANTS = {
    "峯": "峰",
    "羣": "群",
    "啓": "启",
    "甯": "宁",
    "衞": "卫",
    "説": "说",
    "靑": "青",
    "眞": "真",
    "髙": "高",
    "﨑": "崎",
    "吳": "吴",
}


def main() -> None:
    by_syllable: dict[str, list[str]] = defaultdict(list)
    for point, readings in sorted(pinyin_dict.pinyin_dict.items()):
        first = readings.split(",")[0]
        syllable = _toneless(first)
        by_syllable[syllable].append(chr(point))
    _write("readings.csv", ("syllable", "characters"), sorted((s, "".join(c)) for s, c in by_syllable.items()))
    folded: dict[str, list[str]] = defaultdict(list)
    for variant, simple in {**_opencc(), **_compatibility(), **MORE_VARIANTS}.items():
        if variant not in KEPT_IN_NAMES and variant != simple:
            folded[simple].append(variant)
    _write("variants.csv", ("character", "variants"), sorted((s, "".join(sorted(v))) for s, v in folded.items()))


def _toneless(reading: str) -> str:
    plain = unicodedata.normalize("NFD", reading).replace("u\u0308", "v")
    return "".join(c for c in plain if c.isascii() and c.isalpha()).lower()


def _opencc() -> dict[str, str]:
    files = importlib.metadata.files("opencc-python-reimplemented")
    path = next(f for f in files if f.name == "TSCharacters.txt").locate()
    pairs = (line.split("\t") for line in Path(path).read_text(encoding="utf-8").splitlines() if "\t" in line)
    # several simple forms: the first is the usual one; a character that may stay as it is stays
    return {old: new.split(" ")[0] for old, new in pairs if old not in new.split(" ")}


def _compatibility() -> dict[str, str]:
    points = [*range(0xF900, 0xFAD9), *range(0x2F800, 0x2FA1E)]
    return {chr(p): n for p in points if len(n := unicodedata.normalize("NFC", chr(p))) == 1 and n != chr(p)}


def _write(name: str, fields: tuple[str, str], rows: list[tuple[str, str]]) -> None:
    with (FOLDER / name).open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(fields)
        writer.writerows(rows)
    print(name, len(rows), sum(len(r[1]) for r in rows))


if __name__ == "__main__":
    main()

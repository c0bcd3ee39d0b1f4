"""Reading the declared tables of a profile: divisions, and the characters and surnames of its names."""

import csv
import datetime
from collections.abc import Iterator
from pathlib import Path

from wanjia.kernel.declared import DeclarationErrors, Mistake
from wanjia.standards.rules.divisions import LEVELS, Division

DIVISION_FIELDS = (
    "code", "name_zh", "name_en", "level", "parent", "valid_from", "valid_to", "precision", "successors", "source",
)  # fmt: skip


def read_divisions(folder: Path) -> list[Division]:
    """Every row of `folder`'s CSV files. Raises `DeclarationErrors` with all mistakes of all files."""
    rows: list[Division] = []
    mistakes: list[Mistake] = []
    for path in sorted(folder.glob("*.csv")):
        shown = f"{folder.name}/{path.name}"
        for number, record in _records(path, DIVISION_FIELDS, shown, mistakes):
            try:
                rows.append(_division(record))
            except ValueError as wrong:
                mistakes.append(
                    Mistake(shown, f"line {number}", f"is not a division: {wrong}", f"不是有效的区划行：{wrong}")
                )
    known = {row.code for row in rows}
    for row in rows:
        for other in (*row.successors, *([row.parent] if row.parent else [])):
            if other not in known:
                mistakes.append(
                    Mistake(folder.name, row.code, f"names {other}, which is no code here", f"所指 {other} 不在表中")
                )
    if mistakes:
        raise DeclarationErrors(mistakes)
    return rows


def read_pairs(path: Path, fields: tuple[str, ...]) -> list[tuple[str, ...]]:
    """The rows of a CSV file with exactly these columns; an absent file is an empty table."""
    if not path.exists():
        return []
    mistakes: list[Mistake] = []
    rows = [
        tuple(record[f] for f in fields)
        for _, record in _records(path, fields, f"{path.parent.name}/{path.name}", mistakes)
    ]
    if mistakes:
        raise DeclarationErrors(mistakes)
    return rows


def _records(
    path: Path, fields: tuple[str, ...], shown: str, mistakes: list[Mistake]
) -> Iterator[tuple[int, dict[str, str]]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file)
        if tuple(reader.fieldnames or ()) != fields:
            mistakes.append(Mistake(shown, "line 1", f"should be {','.join(fields)}", f"应为 {','.join(fields)}"))
            return
        yield from enumerate(reader, start=2)


def _division(record: dict[str, str]) -> Division:
    if not record["code"].isdigit() or len(record["code"]) not in (6, 9, 12):
        raise ValueError("the code should have 6, 9 or 12 digits")
    if record["level"] not in LEVELS:
        raise ValueError(f"level should be one of {', '.join(LEVELS)}")
    if record["precision"] not in ("day", "month", "year"):
        raise ValueError("precision should be day, month or year")
    return Division(
        code=record["code"],
        name_zh=record["name_zh"],
        name_en=record["name_en"],
        level=record["level"],
        parent=record["parent"] or None,
        valid_from=datetime.date.fromisoformat(record["valid_from"]) if record["valid_from"] else None,
        valid_to=datetime.date.fromisoformat(record["valid_to"]) if record["valid_to"] else None,
        precision=record["precision"],
        successors=tuple(record["successors"].split("|")) if record["successors"] else (),
        source=record["source"],
    )

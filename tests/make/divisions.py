"""Changes of divisions for tests: their text, and a folder of this test's own where they are published."""

from collections.abc import Iterable
from datetime import UTC, date, datetime

from django.db import connection

HUXIN, LIUDI = "990103001", "990103002"


def change_text(
    code: str,
    kind: str,
    on: date,
    moves: Iterable[tuple],
    names: dict[str, str] | None = None,
    parents: dict[str, str] | None = None,
    office: str | None = None,
) -> str:
    """The file of a change. `moves`: (old, new[, share[, brought]])."""
    lines = [f'code = "{code}"', f'kind = "{kind}"', f"on = {on}", 'law = { zh = "市政府令第1号", en = "Order 1" }']
    lines += [f'office = "{office}"'] if office else []
    for one in dict.fromkeys((*(names or {}), *(parents or {}))):
        lines += ["[[begins]]", f'code = "{one}"']
        if names and one in names:
            lines.append(f'name = {{ zh = "{names[one]}", en = "{names[one]}" }}')
        if parents and one in parents:
            lines.append(f'parent = "{parents[one]}"')
    for old, new, *told in moves:
        lines += ["[[moves]]", f'old = "{old}"', f'new = "{new}"']
        lines += [f"{word} = {number}" for word, number in zip(("share", "brought"), told, strict=False) if number]
    return "\n".join(lines) + "\n"


def split_of_huxin(on: date = date(2026, 3, 1), code: str = "2026-03-huxin") -> str:
    """Huxin (six communities) becomes Huxin East (the first, third, fifth) and Huxin West; who is known by the town only: 40 to 60."""
    villages = [(f"{HUXIN}{n:03d}", f"{'990103020' if n % 2 else '990103021'}{n:03d}") for n in range(1, 7)]
    towns = [(HUXIN, "990103020", 0.4), (HUXIN, "990103021", 0.6)]
    return change_text(
        code,
        "split",
        on,
        [*towns, *villages],
        {"990103020": "湖心东街道", "990103021": "湖心西街道"},
        office="990103020",
    )


def people(division: str, count: int, start: int) -> None:
    """So many persons registered in a division since ever, with ids from `start` on: facts only, nothing in the vault."""
    known = datetime(2026, 1, 1, tzinfo=UTC)
    ids = list(range(start, start + count))
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO register_person (id, founded_at, is_sealed) SELECT unnest(%s), %s, false", [ids, known]
        )
        cursor.execute(
            "INSERT INTO register_personstate (person_id, sex, valid, known, sole)"
            " SELECT unnest(%s), '1', daterange(null, null), tstzrange(%s, null), true",
            [ids, known],
        )
        cursor.execute(
            "INSERT INTO register_residence (person_id, kind, division, division_now, valid, known, sole)"
            " SELECT unnest(%s), 'domicile', %s, %s, daterange(null, null), tstzrange(%s, null), true",
            [ids, division, division, known],
        )

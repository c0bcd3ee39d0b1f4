"""A small made-up population as assertions and links: what the register is given, without any stage before it.

Households of three (father, mother, child), every record of a person linked to it; faults are put in by the caller, by hand.
Large frames are made by columns (numpy), so the same population serves a test of five people and a measurement of a million.
"""

from datetime import date, timedelta

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

EPOCH = date(1970, 1, 1)
TODAY = date(2025, 6, 30)
SOURCES = (
    "police_register",
    "birth_certificates",
    "death_certificates",
    "marriages",
    "social_insurance",
    "medical_insurance",
    "residence_registration",
)
_WEIGHTS = np.array([7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2])
_CHECKS = np.array(list("10X98765432"))
_SURNAMES = np.array(list("王李张刘陈杨黄吴赵周徐孙马朱胡林郭何高罗"))
_GIVEN = np.array(list("伟芳娜敏静秀丽强磊军洋勇艳杰娟涛明超兰霞平刚桂英"))
_PINYIN = np.array([f"syl{n}" for n in range(24)])

COLUMNS: dict[str, pa.DataType] = {
    "assertion_id": pa.int64(),
    "source": pa.string(),
    "delivery_id": pa.int32(),
    "row_no": pa.int32(),
    "record_key": pa.string(),
    "subject": pa.string(),
    "as_of": pa.date32(),
    "citizen_number": pa.string(),
    "citizen_number__state": pa.string(),
    "name": pa.string(),
    "name__norm": pa.string(),
    "name__pinyin": pa.string(),
    "sex": pa.string(),
    "birth_on": pa.date32(),
    "ethnicity": pa.string(),
    "domicile_division": pa.string(),
    "domicile_division__current": pa.string(),
    "domicile_address": pa.string(),
    "household_number": pa.string(),
    "relation_to_head": pa.string(),
    "registration_state": pa.string(),
    "moved_in_on": pa.date32(),
    "residence_division": pa.string(),
    "residence_division__current": pa.string(),
    "residence_address": pa.string(),
    "mother_number": pa.string(),
    "mother_number__state": pa.string(),
    "father_number": pa.string(),
    "father_number__state": pa.string(),
    "spouse_number": pa.string(),
    "spouse_number__state": pa.string(),
    "marriage_event_on": pa.date32(),
    "marriage_event_kind": pa.string(),
    "marital_status": pa.string(),
    "died_at": pa.timestamp("us"),
    "pension_insurance": pa.string(),
    "medical_insurance": pa.string(),
}


def days(when: date) -> int:
    """The day's number since 1970-01-01, as Arrow's date32 holds it."""
    return (when - EPOCH).days


def frame(rows: list[dict]) -> pa.Table:
    """Assertions from a few hand-written rows: missing columns are null, ids and dates are filled in where left out."""
    filled = []
    for number, row in enumerate(rows, start=1):
        base = {
            "assertion_id": (1 << 32) | (number << 2),
            "source": "police_register",
            "delivery_id": 1,
            "row_no": number,
            "record_key": f"r{number}",
            "subject": "self",
            "as_of": TODAY,
        }
        base.update(row)
        for element in ("citizen_number", "mother_number", "father_number", "spouse_number"):
            if base.get(element) and f"{element}__state" not in base:
                base[f"{element}__state"] = "sound"
        for element in ("domicile_division", "residence_division"):
            if base.get(element):
                base.setdefault(f"{element}__current", base[element])
        if base.get("name"):
            base.setdefault("name__norm", base["name"])
        filled.append({column: base.get(column) for column in COLUMNS})
    return pa.Table.from_pylist(filled, schema=pa.schema(list(COLUMNS.items())))


def links(assertions: pa.Table, persons: list[int]) -> pa.Table:
    """Links in the link band: the assertion at each place of the frame belongs to the person at the same place."""
    count = assertions.num_rows
    return pa.table(
        {
            "assertion_id": assertions["assertion_id"],
            "person_id": pa.array(persons, pa.int64()),
            "probability": pa.array(np.full(count, 0.999, np.float32)),
            "band": pa.array(["link"] * count),
        }
    )


def numbers(division: np.ndarray, born: np.ndarray, sex: np.ndarray, serial: np.ndarray) -> np.ndarray:
    """Identity numbers with a right check character (GB 11643), by columns."""
    order = (serial * 2 + (sex == "1")) % 1000
    born_text = np.char.replace(born.astype("datetime64[D]").astype(str), "-", "")
    text = np.char.add(np.char.add(division.astype(str), born_text), np.char.zfill(order.astype(str), 3))
    digits = text.view("U1").reshape(len(text), -1)[:, :17].astype(np.int16)
    return np.char.add(text, _CHECKS[(digits * _WEIGHTS).sum(axis=1) % 11])


def population(persons: int, seed: int = 7) -> tuple[pa.Table, pa.Table]:
    """(assertions, links) of about `persons` people, some 3.7 records each, in households of three."""
    rng = np.random.default_rng(seed)
    households = max(1, persons // 3)
    household = np.repeat(np.arange(households), 3)
    place = np.tile(np.arange(3), households)  # 0 father, 1 mother, 2 child
    count = len(household)
    sex = np.where(place == 0, "1", np.where(place == 1, "2", rng.choice(["1", "2"], count)))
    adult = rng.integers(days(date(1950, 1, 1)), days(date(1990, 1, 1)), households)
    born = np.where(place == 2, adult[household] + rng.integers(9000, 12000, count), adult[household] + place * 300)
    division = rng.integers(990101, 990110, households)[household]
    number = numbers(division, born, sex, rng.integers(0, 500, count))
    surname = rng.integers(0, len(_SURNAMES), households)[household]
    given = rng.integers(0, len(_GIVEN), (count, 2))
    name = np.char.add(np.char.add(_SURNAMES[surname], _GIVEN[given[:, 0]]), _GIVEN[given[:, 1]])
    pinyin = np.char.add(np.char.add(_PINYIN[surname % 24], " "), _PINYIN[given[:, 0]])
    person = rng.permutation(count).astype(np.int64) * 9_000_000_001 + 17
    mother, father = household * 3 + 1, household * 3
    dead = rng.random(count) < 0.02
    died = np.where(dead, days(TODAY) - rng.integers(1, 3000, count), 0)

    parts: list[dict] = []

    def add(source: str, who: np.ndarray, columns: dict, subject: str = "self", key: np.ndarray | None = None) -> None:
        identity = {
            "citizen_number": number[who],
            "citizen_number__state": np.full(len(who), "sound"),
            "name": name[who],
            "name__norm": name[who],
            "name__pinyin": pinyin[who],
        }
        parts.append(
            {
                "source": source,
                "subject": subject,
                "who": who,
                "key": who if key is None else key,
                "as_of": days(TODAY) - rng.integers(0, 2000, len(who)),
                **identity,
                **columns,
            }
        )

    everyone = np.arange(count)
    code = np.char.add(division.astype(str), "001")
    address = np.char.add(np.char.add("福安街道解放路", (household % 997).astype(str)), "号3栋402室")
    add(
        "police_register",
        everyone,
        {
            "sex": sex,
            "birth_on": born,
            "ethnicity": np.full(count, "01"),
            "domicile_division": code,
            "domicile_division__current": code,
            "domicile_address": address,
            "household_number": np.char.add("H", household.astype(str)),
            "relation_to_head": np.where(place == 0, "02", np.where(place == 1, "10", "20")),
            "registration_state": np.full(count, "1"),
            "marital_status": np.where(place == 2, "10", "20"),
        },
    )
    children = everyone[place == 2]
    add(
        "birth_certificates",
        children,
        {
            "sex": sex[children],
            "birth_on": born[children],
            "mother_number": number[mother[children]],
            "mother_number__state": np.full(len(children), "sound"),
            "father_number": number[father[children]],
            "father_number__state": np.full(len(children), "sound"),
        },
    )
    gone = everyone[dead]
    add("death_certificates", gone, {"died_at": died[gone], "sex": sex[gone]})
    married = days(TODAY) - rng.integers(2000, 9000, households)
    for role, wanted in (("spouse_a", 0), ("spouse_b", 1)):
        who = everyone[place == wanted]
        add(
            "marriages",
            who,
            {
                "marriage_event_on": married,
                "marriage_event_kind": np.full(households, "1"),
                "spouse_number": number[who + 1 - 2 * wanted],
                "spouse_number__state": np.full(households, "sound"),
            },
            subject=role,
            key=household[who],
        )
    insured = everyone[rng.random(count) < 0.6]
    add(
        "social_insurance",
        insured,
        {"sex": sex[insured], "birth_on": born[insured], "pension_insurance": np.full(len(insured), "1")},
    )
    covered = everyone[rng.random(count) < 0.95]
    add("medical_insurance", covered, {"sex": sex[covered], "medical_insurance": np.full(len(covered), "1")})
    floating = everyone[rng.random(count) < 0.1]
    add(
        "residence_registration",
        floating,
        {
            "sex": sex[floating],
            "residence_division": code[floating],
            "residence_division__current": code[floating],
            "residence_address": address[floating],
        },
    )

    tables, owners = [], []
    for delivery, part in enumerate(parts, start=1):
        size = len(part["who"])
        row = np.arange(1, size + 1)
        arrays = {
            "assertion_id": (np.int64(delivery) << 32) + (row << 2) + (part["subject"] == "spouse_b"),
            "delivery_id": np.full(size, delivery, np.int32),
            "row_no": row.astype(np.int32),
            "source": np.full(size, part["source"]),
            "subject": np.full(size, part["subject"]),
            "record_key": np.char.add("k", part["key"].astype(str)),
            **{name: value for name, value in part.items() if name in COLUMNS and name not in ("source", "subject")},
        }
        columns = []
        for column, kind in COLUMNS.items():
            if column not in arrays:
                columns.append(pa.nulls(size, kind))
            elif pa.types.is_timestamp(kind):
                columns.append(pa.array(arrays[column].astype(np.int64) * 86_400_000_000, pa.int64()).cast(kind))
            elif pa.types.is_date32(kind):
                columns.append(pa.array(arrays[column].astype(np.int32), pa.int32()).cast(kind))
            else:
                columns.append(pa.array(arrays[column], kind))
        tables.append(pa.table(columns, schema=pa.schema(list(COLUMNS.items()))))
        owners.append(person[part["who"]])
    assertions = pa.concat_tables(tables).combine_chunks()
    return assertions, links(assertions, list(np.concatenate(owners)))


def day_after(when: date) -> date:
    """The next day."""
    return when + timedelta(days=1)


def by_source(frame: pa.Table) -> dict[str, pa.Table]:
    """The frame source by source, each with only the columns it fills: as intake gives assertions."""
    found = {}
    for source in sorted(set(frame["source"].to_pylist())):
        rows = frame.filter(pc.equal(frame["source"], source))
        found[source] = rows.select([name for name in rows.column_names if rows[name].null_count < rows.num_rows])
    return found

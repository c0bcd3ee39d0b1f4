"""Sequences that are given out once: citizen numbers of a county, day and sex; household numbers of an office."""

from datetime import date
from typing import Any

from django.db import connection

from wanjia.kernel import settings
from wanjia.kernel.keyring import Keyring
from wanjia.kernel.sealed_stores import BlindColumn, SealedColumn
from wanjia.privacy import api as privacy
from wanjia.privacy.api import BlindKind
from wanjia.register import rules
from wanjia.register.errors import NumbersUsedUp
from wanjia.register.rules.numbers import LAST_SEQUENCE, citizen_number

SERIES = "number-series"
MOST_HOUSEHOLDS = 99_999
SERIES_LOCK = 0x57414E53  # "WANS"


def series_aad(number: int) -> bytes:
    """What binds a series' sealed name to its row."""
    return b"register_numberseries|name|%d" % number


def _series_name(number: int, name: bytes) -> str:
    return Keyring.open(settings.home()).unseal(SERIES, bytes(name), series_aad(number)).decode()


KEYED = (
    SealedColumn(SERIES, "register_numberseries", (("id", "bigint"),), "name", series_aad),
    BlindColumn(SERIES, "register_numberseries", (("id", "bigint"),), ("name",), "blind", "blind_key", _series_name),
)


def issue_citizen_number(division: str, born_on: date, sex: str) -> str:
    """The next number of the county, day of birth and sex, never given out before nor held by anybody; the series is locked until the transaction
    ends. Raises `NumbersUsedUp`.
    """
    is_man = sex == "1"
    with connection.cursor() as cursor:
        while True:
            nth = _next(cursor, f"citizen|{division[:6]}|{born_on.isoformat()}|{'1' if is_man else '2'}")
            sequence = 2 * nth - 1 if is_man else 2 * nth
            if sequence > LAST_SEQUENCE:
                raise NumbersUsedUp()
            number = citizen_number(division, born_on, sequence)
            # those whom departments numbered long ago are in the register too
            if not privacy.find_by_blind(BlindKind.NUMBER, [number]):
                return number


def issue_household_number(division: str) -> tuple[str, int]:
    """(number, id) of a new household of the office: its division to nine digits, E, and a running number."""
    office = division[:9].ljust(9, "0")
    with connection.cursor() as cursor:
        while True:
            nth = _next(cursor, f"household|{office}")
            if nth > MOST_HOUSEHOLDS:
                raise NumbersUsedUp()
            number = f"{office}E{nth:05d}"
            household = rules.household_id(None, number)
            cursor.execute("SELECT EXISTS (SELECT FROM register_household WHERE id = %s)", [household])
            if not cursor.fetchone()[0]:
                return number, household


def _next(cursor: Any, name: str) -> int:
    """One more of the series; its row stays locked until the transaction ends."""
    keyring = Keyring.open(settings.home())
    blinds = [key.blind(name) for key in keyring.blinders(SERIES)]
    counting = "UPDATE register_numberseries SET last = last + 1 WHERE blind = ANY(%s) RETURNING last"
    cursor.execute(counting, [blinds])
    if row := cursor.fetchone():
        return row[0]
    # one at a time begins a series: while the key rotates two might hash its name by different keys, and both would count from one
    cursor.execute("SELECT pg_advisory_xact_lock(%s)", [SERIES_LOCK])
    cursor.execute(counting, [blinds])
    if row := cursor.fetchone():
        return row[0]
    key = keyring.blinder(SERIES)
    cursor.execute("SELECT nextval(pg_get_serial_sequence('register_numberseries', 'id'))")
    number = cursor.fetchone()[0]
    sealed = keyring.seal(SERIES, name.encode(), series_aad(number))
    cursor.execute(
        "INSERT INTO register_numberseries (id, blind, blind_key, name, last) VALUES (%s, %s, %s, %s, 1)",
        [number, key.blind(name), key.key_id, sealed],
    )
    return 1

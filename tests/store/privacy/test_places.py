"""Who lives at a place is found among the doors there: places have no rows of their own in the search index."""

from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
import pytest
from django.db import connection

from wanjia.kernel.blinding import Blinder
from wanjia.kernel.keyring import Keyring
from wanjia.privacy import api
from wanjia.privacy.adapters import BLIND_ROW_BYTES
from wanjia.privacy.api import BlindKind, Said
from wanjia.privacy.api.blinding import PLACE_BYTES, blind_of, blind_pieces, kinds_in

pytestmark = pytest.mark.django_db

AT = datetime(2026, 1, 1, tzinfo=UTC)
ROAD = "中山路88号"
KEY = Blinder(1, b"k" * 32)


def values(*rows: tuple[int, str, str]) -> pa.Table:
    columns = dict(zip(("person_id", "kind", "value"), map(list, zip(*rows, strict=True)), strict=True))
    return pa.table(columns | {"person_id": pa.array(columns["person_id"], pa.int64())})


def at_place(place: str, most: int = 10) -> list[int]:
    return [person for _, person in api.look_up([(BlindKind.PLACE, place)], most=most)]


@pytest.fixture
def doors():
    api.keep_searchable(
        values(
            (1, "door", f"{ROAD}|3|501"),
            (1, "door", f"{ROAD}|3"),
            (2, "door", f"{ROAD}|3|502"),
            (3, "door", "中山路8号|8|501"),
            (4, "door", ROAD),
            (4, "pinyin", "li na"),
            (4, "initials", "ln|1990"),
        )
    )


def test_a_doors_blind_begins_with_its_places():
    place = blind_of(BlindKind.PLACE, ROAD, KEY)
    one, other = (blind_of(BlindKind.DOOR, f"{ROAD}|3|{room}", KEY) for room in (501, 502))
    assert len(place) == PLACE_BYTES
    assert one.startswith(place)
    assert other.startswith(place)
    assert one != other
    assert not blind_of(BlindKind.DOOR, "中山路8号|3|501", KEY).startswith(place)


def test_people_of_a_place_are_those_of_all_its_doors(doors):
    assert at_place(ROAD) == [1, 2, 4]
    assert at_place("中山路8号") == [3]
    assert at_place("中山路") == []
    assert len(at_place(ROAD, most=1)) == 2, "one more than was asked for says that they are too many"
    both = api.look_up([(BlindKind.DOOR, f"{ROAD}|3|501"), (BlindKind.PLACE, ROAD)], most=10)
    assert both == [(0, 1), (1, 1), (1, 2), (1, 4)]


def test_what_an_event_says_of_an_address_is_found_likewise(doors):
    said = [(BlindKind.DOOR, f"{ROAD}|3|502"), (BlindKind.PLACE, ROAD)]  # older cases name the place too
    api.amend(7, [Said(5, "self", "2026-01-01", {"GA02": "王伟"}, said)], at=AT)
    assert at_place(ROAD) == [1, 2, 4, 5]
    assert api.at_the_same_door(2) == {5}


def test_an_index_made_before_places_were_in_doors_is_made_anew(doors):
    api.amend(7, [Said(5, "self", "2026-01-01", {}, [(BlindKind.DOOR, f"{ROAD}|3|502")])], at=AT)
    assert not api.lacks_searchable()
    with connection.cursor() as cursor:
        cursor.execute("UPDATE privacy_blindindex SET kind = %s WHERE kind = %s", [BlindKind.PLACE, BlindKind.DOOR])
        cursor.execute("UPDATE privacy_amendmentblind SET blind_key = -1, blind = decode(repeat('00', 16), 'hex')")
    assert at_place(ROAD) == []
    # a push brings one person's rows up to date, and the others are still of before
    api.keep_searchable(values((1, "door", f"{ROAD}|3|501"), (1, "initials", "ww|1986")), only=[1])
    assert at_place(ROAD) == [1]
    assert api.lacks_searchable()
    api.keep_searchable(values((2, "door", f"{ROAD}|3|502")))
    assert at_place(ROAD) == [2, 5]
    assert api.at_the_same_door(2) == {5}
    assert not api.lacks_searchable()


def test_rows_come_in_the_order_of_the_index(home):
    rows = values(*((n, "door", f"{n % 7}路{n % 3}号|{n % 5}|{n}") for n in range(500)), (1, "name", "王伟"))
    made = b"".join(blind_pieces(kinds_in(rows), Keyring.open(home)))
    row = np.frombuffer(made, f"V{BLIND_ROW_BYTES}")
    # a row's kind and blind: see `adapters.blind_rows`
    keys = [(one.tobytes()[18:20], one.tobytes()[24:40]) for one in row]
    assert keys == sorted(keys)
    assert len(set(keys)) == 501

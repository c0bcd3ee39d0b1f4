"""What persons are found by: the same values from resolving and from re-encryption, or a rotation would lose somebody."""

from datetime import date, datetime

import pyarrow as pa

from tests.make import profile
from wanjia.kernel import settings
from wanjia.privacy.api import BlindKind
from wanjia.register.api.resolving import resolve, searchable_values
from wanjia.standards import api as standards

A = 11
STATED = {
    "assertion_id": [1, 2],
    "source": ["police_register", "birth_certificates"],
    "record_key": ["k1", "k2"],
    "subject": ["self", "child"],
    "as_of": [date(2025, 1, 1), date(2020, 1, 1)],
    "name": ["王伟", "王玮"],
    "name__norm": ["王伟", "王玮"],
    "name__pinyin": ["wang wei", "wang wei"],
    "citizen_number": ["990101202001011234", None],
    "citizen_number__state": ["sound", None],
    "birth_on": pa.array([None, None], pa.date32()),
    "born_at": [None, datetime(2020, 1, 1, 8, 30)],
    "household_number": ["990101001000017", None],
    "domicile_address": ["中山路88号3栋501室", None],
    "domicile_address__place": ["中山路88号", None],
    "domicile_address__building": ["3", None],
    "domicile_address__room": ["501", None],
    "mother_number": [None, "990101199001011234"],
    "mother_number__state": [None, "sound"],
    "father_number": [None, "990101199001011235"],
    "father_number__state": [None, "sound"],
    "spouse_number": ["990101199001011236", None],
    "spouse_number__state": ["sound", None],
}


def test_the_search_index_is_made_again_as_it_was(engine):
    frame = pa.table({name: pa.array(values) for name, values in STATED.items()})
    links = pa.table({"assertion_id": [1, 2], "person_id": [A, A], "band": ["link", "link"]})
    table, linked = engine.load("a", frame), engine.load("l", links)
    elements = standards.load_profile(settings.PROJECT_ROOT / "declared" / "cn").elements.values()
    resolution = resolve(engine, table, linked, sources=profile.sources(), elements=elements)
    made = {tuple(row.values()) for row in resolution.searchable().to_pylist()}
    again = {tuple(row.values()) for row in searchable_values(engine, table, linked).to_pylist()}
    assert made == again
    by_kind = list(resolution.searchable_by_kind())
    assert {(row["person_id"], kind, row["value"]) for kind, rows in by_kind for row in rows.to_pylist()} == made
    stored = [kind.label for kind in BlindKind if kind is not BlindKind.PLACE]
    assert [kind for kind, _ in by_kind] == stored, "the index over them is built in this order"
    assert {kind for _, kind, _ in made} == set(stored)
    found = {(kind, value) for _, kind, value in made}
    assert ("initials", "ww|2020") in found, "the day of a birth time is a birth day"
    assert ("door", "中山路88号|3|501") in found
    assert ("name", "王玮") in found

"""Whatever the sources say about places and ends, a person's places of one kind never overlap."""

import itertools
from datetime import date, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.make import assertions as make
from tests.make import profile
from wanjia.kernel.engine import get_engine
from wanjia.register import rules
from wanjia.register.bulk import facts, statements, survivors

DAYS = st.integers(0, 40).map(lambda n: date(2020, 1, 1) + timedelta(days=n))
STATEMENT = st.fixed_dictionaries(
    {
        "source": st.sampled_from(["police_register", "residence_registration", "medical_insurance"]),
        "as_of": DAYS,
        "domicile_division": st.sampled_from([None, "990101001", "990102001", "990103001"]),
        "residence_division": st.sampled_from([None, "990101001", "990102001"]),
        "moved_in_on": st.none() | DAYS,
        "died_at": st.none() | DAYS.map(lambda d: datetime(d.year, d.month, d.day)),
        "birth_on": st.none() | DAYS,
    }
)


@settings(max_examples=15, deadline=None, derandomize=True)
@given(st.lists(st.lists(STATEMENT, min_size=1, max_size=6), min_size=1, max_size=25))
def test_places_of_one_kind_never_overlap(people):
    frame = make.frame([statement for person in people for statement in person])
    links = make.links(frame, [number for number, person in enumerate(people, start=1) for _ in person])
    with get_engine("duckdb") as engine:
        element_rules = rules.element_rules(profile.elements(), frame.column_names)
        ranks = survivors.Ranks.of(element_rules, profile.sources())
        table = engine.load("a", frame)
        ranked = statements.rank(engine, table, engine.load("l", links), profile.sources())
        rows = statements.linked(engine, table, ranked, element_rules)
        resolved = survivors.resolve(engine, rows, element_rules, ranks)
        states = facts.states(engine, resolved)
        pieces = engine.arrow(facts.residences(engine, rows, resolved, states, element_rules, ranks)).to_pylist()
    by_kind: dict = {}
    for piece in pieces:
        assert piece["valid_to"] is None or piece["valid_from"] < piece["valid_to"]
        by_kind.setdefault((piece["person_id"], piece["kind"]), []).append(piece)
    for places in by_kind.values():
        places.sort(key=lambda p: p["valid_from"])
        for earlier, later in itertools.pairwise(places):
            assert earlier["valid_to"] is not None
            assert earlier["valid_to"] <= later["valid_from"]
    known = {n for n, person in enumerate(people, start=1) if any(s["domicile_division"] for s in person)}
    assert known == {person for person, kind in by_kind if kind == "domicile"}

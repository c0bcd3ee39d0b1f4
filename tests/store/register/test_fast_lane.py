"""The fast lane: a few persons settled one by one give the state of the bulk lane."""

from datetime import date, datetime

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from django.db import connection

from tests.make import assertions as make
from tests.make.loaded import GIVEN, WHO, digest, family, load, rows
from wanjia.register import api
from wanjia.register.errors import FewTooMany

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def town():
    return make.population(90, seed=3)


@pytest.fixture(scope="module")
def engine():
    from wanjia.kernel.engine import get_engine

    with get_engine("duckdb") as duckdb_engine:
        yield duckdb_engine


@pytest.fixture(scope="module", autouse=True)
def lane():
    """An engine told, as the worker tells its own, that only small work follows."""
    from wanjia.kernel.engine import get_engine

    with get_engine("duckdb") as small:
        small.small_from_now_on()
        TestFastLane.lane = small
        yield small


class TestFastLane:
    def few(self, _engine, assertions, links, persons):
        mine = links.filter(pc.is_in(links["person_id"], pa.array(persons, pa.int64())))
        stated = assertions.filter(pc.is_in(assertions["assertion_id"], mine["assertion_id"]))
        return api.resolve_few(self.lane, stated, mine, **GIVEN, **WHO)

    def test_settling_anybody_again_changes_nothing(self, engine, town):
        assertions, links = town
        load(engine, *town)
        before = digest()
        persons = sorted(set(links["person_id"].to_pylist()))
        for chosen in ([persons[0]], persons[3:5], persons[::7], persons):
            assert self.few(engine, assertions, links, chosen).changed == 0
        assert digest() == before

    def test_household_by_household_gives_the_state_of_the_bulk_lane(self, engine, town):
        assertions, links = town
        load(engine, *town)
        whole = digest()
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT array_agg(person_id) FROM register_membership GROUP BY household_id ORDER BY household_id"
            )
            households = [row[0] for row in cursor.fetchall()]
            for table in ("register_personstate", "register_membership", "register_residence", "register_relation",
                          "register_person", "register_household", "privacy_vaultentry", "privacy_blindindex"):  # fmt: skip
                cursor.execute(f"DELETE FROM {table}")
        for persons in households:
            self.few(engine, assertions, links, persons)
        assert digest() == whole

    def test_person_by_person_gives_the_state_of_the_bulk_lane(self, engine, town):
        """Relatives arrive in any order: whoever comes later is found by the number the earlier one named."""
        assertions, links = town
        chosen = sorted(set(links["person_id"].to_pylist()))[:12]
        with connection.cursor() as cursor:
            load(engine, *town)
            cursor.execute(
                "SELECT array_agg(DISTINCT person_id) FROM register_membership WHERE household_id IN"
                " (SELECT household_id FROM register_membership WHERE person_id = ANY(%s))",
                [chosen],
            )
            chosen = cursor.fetchone()[0]
        mine = links.filter(pc.is_in(links["person_id"], pa.array(chosen, pa.int64())))
        stated = assertions.filter(pc.is_in(assertions["assertion_id"], mine["assertion_id"]))
        load(engine, stated, mine)
        whole = digest()
        with connection.cursor() as cursor:
            for table in ("register_personstate", "register_membership", "register_residence", "register_relation",
                          "register_person", "register_household", "privacy_vaultentry", "privacy_blindindex"):  # fmt: skip
                cursor.execute(f"DELETE FROM {table}")
        for person in np.random.default_rng(5).permutation(chosen).tolist():
            self.few(engine, assertions, links, [person])
        assert digest() == whole

    def test_a_newborn_gets_mother_and_household(self, engine):
        number = make.numbers(
            np.array([990101]), np.array([make.days(date(1980, 1, 1))]), np.array(["2"]), np.array([3])
        )[0]
        load(engine, *family(citizen_number=str(number)))
        baby = make.frame(
            [{"source": "birth_certificates", "subject": "child", "mother_number": str(number), "birth_on": date(2025, 5, 5), "sex": "1",
              "assertion_id": 9 << 32 | 4}]
        )  # fmt: skip
        api.resolve_few(engine, baby, make.links(baby, [3]), **GIVEN, **WHO)
        assert rows("SELECT kind, other_id, lower(valid) FROM register_relation WHERE person_id = 3") == [
            ("mother", 1, date(2025, 5, 5))
        ]

    def test_an_existing_head_stays(self, engine):
        load(engine, *family())
        claimant = make.frame([{"household_number": "H1", "relation_to_head": "02", "assertion_id": 9 << 32 | 4}])
        api.resolve_few(engine, claimant, make.links(claimant, [3]), **GIVEN, **WHO)
        assert rows("SELECT person_id FROM register_membership WHERE is_head AND upper_inf(known)") == [(1,)]

    def test_the_dead_remain_relatives_and_a_spouse_keeps_other_relatives(self, engine):
        """A household's head dies, then his wife, each settled alone; his father stays his father, and the marriage ended with the first death."""
        frame = make.frame(
            [
                {"sex": "1", "birth_on": date(1970, 1, 1), "household_number": "H1", "relation_to_head": "02"},
                {"sex": "2", "birth_on": date(1972, 1, 1), "household_number": "H1", "relation_to_head": "12"},
                {"sex": "1", "birth_on": date(1945, 1, 1), "household_number": "H1", "relation_to_head": "51"},
            ]
        )
        load(engine, frame, make.links(frame, [1, 2, 3]))
        for person, day in ((1, date(2026, 7, 2)), (2, date(2026, 7, 1))):
            death = make.frame(
                [
                    {"source": "death_certificates", "died_at": datetime.combine(day, datetime.min.time()), "as_of": date(2026, 7, 9),
                     "assertion_id": (9 << 32) + 4 * person}
                ]
            )  # fmt: skip
            frame = pa.concat_tables([frame, death])
            self.few(engine, frame, make.links(frame, [1, 2, 3, 1, 2][: frame.num_rows]), [person])
        piecemeal = digest()
        assert rows("SELECT person_id, kind, other_id, upper(valid) FROM register_relation WHERE upper_inf(known) ORDER BY 1, 2") == [
            (1, "father", 3, None),
            (1, "spouse", 2, date(2026, 7, 1)),
            (2, "spouse", 1, date(2026, 7, 1)),
        ]  # fmt: skip
        load(engine, frame, make.links(frame, [1, 2, 3, 1, 2]))
        assert digest() == piecemeal

    def test_a_spouse_known_by_the_marriage_record_alone_is_settled_too(self, engine):
        married = {
            "source": "marriages",
            "record_key": "M1",
            "marriage_event_on": date(2000, 1, 1),
            "marriage_event_kind": "1",
        }
        frame = make.frame(
            [
                {"sex": "1", "birth_on": date(1970, 1, 1), "household_number": "H1", "relation_to_head": "02"},
                {"sex": "1", "birth_on": date(1945, 1, 1), "household_number": "H1", "relation_to_head": "51"},
                {**married, "subject": "spouse_a"},
                {**married, "subject": "spouse_b", "sex": "2"},
            ]
        )
        load(engine, frame, make.links(frame, [1, 3, 1, 2]))
        before = rows("SELECT person_id, kind, other_id FROM register_relation WHERE upper_inf(known) ORDER BY 1, 2")
        assert before == [(1, "father", 3), (1, "spouse", 2), (2, "spouse", 1)]
        death = make.frame(
            [
                {
                    "source": "death_certificates",
                    "died_at": datetime(2026, 7, 1),
                    "as_of": date(2026, 7, 9),
                    "assertion_id": 9 << 32,
                }
            ]
        )
        frame = pa.concat_tables([frame, death])
        links = make.links(frame, [1, 3, 1, 2, 2])
        self.few(engine, frame, links, [2])
        after = rows("SELECT person_id, kind, other_id FROM register_relation WHERE upper_inf(known) ORDER BY 1, 2")
        assert after == before, "what rests on another's record stands"
        assert api.spouses_of([2]) == [1]
        self.few(engine, frame, links, [2, *api.spouses_of([2])])
        piecemeal = digest()
        load(engine, frame, links)
        assert digest() == piecemeal

    def test_who_has_no_record_left_leaves(self, engine):
        number = make.numbers(
            np.array([990101]), np.array([make.days(date(1980, 1, 1))]), np.array(["2"]), np.array([3])
        )[0]
        frame, links = family(citizen_number=str(number))
        load(engine, frame, links)
        assert rows("SELECT kind, other_id FROM register_relation WHERE person_id = 2 AND upper_inf(known)") == [
            ("mother", 1)
        ]
        # the mother's record turns out to be the child's
        api.resolve_few(engine, frame, make.links(frame, [2, 2]), persons=[1, 2], **GIVEN, **WHO)
        piecemeal = digest()
        assert rows("SELECT id FROM register_person WHERE left_at IS NULL") == [(2,)]
        assert not rows("SELECT 1 FROM register_relation WHERE upper_inf(known)")
        load(engine, frame, make.links(frame, [2, 2]))
        assert digest() == piecemeal

    def test_a_rehearsal_writes_nothing(self, engine):
        frame, links = family()
        load(engine, frame, links)
        before = digest(), rows("SELECT count(*) FROM register_load")
        api.rehearse_few(engine, frame, links, **GIVEN)
        assert (digest(), rows("SELECT count(*) FROM register_load")) == before

    def test_too_many_are_refused(self, engine):
        frame = make.frame([{"sex": "1"}] * 2001)
        with pytest.raises(FewTooMany):
            api.resolve_few(engine, frame, make.links(frame, list(range(1, 2002))), **GIVEN, **WHO)

"""The state in PostgreSQL: first load, difference, two times, digest."""

from datetime import UTC, date, datetime, timedelta

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from django.db import IntegrityError, connection, transaction

from tests.make import assertions as make
from tests.make import profile
from tests.make.loaded import WHO, digest, family, load, rows, settle
from wanjia.kernel import clock
from wanjia.privacy import api as privacy
from wanjia.register import api
from wanjia.register.errors import LinksNotUnique, PersonUnknown, RebuildDiffers

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def town():
    return make.population(90, seed=3)


@pytest.fixture(scope="module")
def engine():
    from wanjia.kernel.engine import get_engine

    with get_engine("duckdb") as duckdb_engine:
        yield duckdb_engine


def test_a_first_load_holds_everybody(engine, town):
    result = load(engine, *town)
    assert result.counts["register_person.begun"] == 90
    assert rows("SELECT count(*) FROM register_personstate WHERE sole AND upper_inf(known)") == [(90,)]
    assert rows("SELECT count(*), count(*) FILTER (WHERE is_head) FROM register_membership") == [(90, 30)]
    assert rows("SELECT count(*) FROM privacy_vaultentry WHERE known_to IS NULL") == [(90,)]


def test_indexes_and_constraints_are_back_after_a_first_load(engine, town):
    listed = (
        "SELECT relname, pg_get_indexdef(indexrelid) FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid"
        " WHERE relname ~ '^(register|privacy)_' UNION SELECT relname, pg_get_constraintdef(o.oid) FROM pg_constraint o"
        " JOIN pg_class c ON c.oid = o.conrelid WHERE relname ~ '^(register|privacy)_' ORDER BY 1, 2"
    )
    before = rows(listed)
    load(engine, *town)
    assert rows(listed) == before
    assert rows(
        "SELECT count(*) FROM pg_trigger WHERE tgrelid = 'register_relation'::regclass AND tgenabled = 'D'"
    ) == [(0,)]


def test_the_same_again_changes_nothing(engine, town):
    load(engine, *town)
    before = digest()
    again = load(engine, *town)
    assert again.changed == 0
    assert again.counts["vault.unchanged"] == 90
    assert digest() == before


def test_the_digest_does_not_depend_on_order_ids_or_time(engine, town):
    load(engine, *town)
    before = digest()
    with connection.cursor() as cursor:
        for table in ("register_personstate", "register_membership", "register_residence", "register_relation"):
            cursor.execute(f"DELETE FROM {table}")
        for table in ("register_person", "register_household", "privacy_vaultentry", "privacy_blindindex"):
            cursor.execute(f"DELETE FROM {table}")
    assertions, links = town
    shuffled = np.random.default_rng(1).permutation(assertions.num_rows)
    with clock.stopped_at(datetime(2031, 1, 1, tzinfo=UTC)):
        load(engine, assertions.take(shuffled), links)
    assert digest() == before


def test_the_digest_sees_a_changed_vault_and_a_changed_fact(engine):
    load(engine, *family())
    before = digest()
    load(engine, *family(name="李岚"))
    renamed = digest()
    load(engine, *family(name="李岚", marital_status="20"))
    assert len({before, renamed, digest()}) == 3


def test_a_change_ends_the_old_row_and_begins_the_new(engine):
    load(engine, *family())
    result = load(engine, *family(domicile_division="990102001"))
    assert (result.counts["register_residence.ended"], result.counts["register_residence.begun"]) == (1, 1)
    assert (result.counts["register_personstate.ended"], result.counts["vault.replaced"]) == (0, 1)
    assert rows("SELECT division, sole, upper_inf(known) FROM register_residence WHERE person_id = 1 ORDER BY id") == [
        ("990101001", False, False),
        ("990102001", False, True),
    ]


def test_what_was_known_before_can_still_be_asked(engine):
    load(engine, *family())
    then = clock.now()
    load(engine, *family(domicile_division="990102001"))
    known = api.as_of([1], known_on=then, **WHO)[1]
    assert [r["division"] for r in known["residence"]] == ["990101001"]
    assert [r["division"] for r in api.person_facts(1, **WHO)["residence"]] == ["990102001"]
    assert api.as_of([1], true_on=date(1990, 1, 1), **WHO)[1]["state"][0]["sex"] == "2"
    with pytest.raises(PersonUnknown):
        api.as_of([1], true_on=date(1970, 1, 1), **WHO)
    with pytest.raises(PersonUnknown):
        api.as_of([1], known_on=then - timedelta(days=1), **WHO)


def test_a_withdrawn_delivery_leaves_the_state_as_if_it_had_never_come(engine, town):
    assertions, links = town
    without = pc.not_equal(assertions["delivery_id"], 5)
    fewer = assertions.filter(without)
    fewer_links = links.filter(pc.is_in(links["assertion_id"], fewer["assertion_id"]))
    load(engine, fewer, fewer_links)
    before = digest()
    load(engine, assertions, links)
    assert digest() != before
    load(engine, fewer, fewer_links)
    assert digest() == before


def test_a_person_without_records_leaves_and_may_come_back(engine):
    frame, links = family()
    load(engine, frame, links)
    load(engine, frame.slice(0, 1), links.slice(0, 1))
    assert rows("SELECT id FROM register_person WHERE left_at IS NOT NULL") == [(2,)]
    with pytest.raises(privacy_error()):
        privacy.open_person(2, **WHO)
    load(engine, frame, links)
    assert rows("SELECT count(*) FROM register_person WHERE left_at IS NULL") == [(2,)]
    assert privacy.open_person(2, **WHO).version == 2


def privacy_error():
    from wanjia.privacy.errors import PersonNotInVault

    return PersonNotInVault


def test_the_dossier_says_who_won_and_keeps_what_lost(engine):
    frame = make.frame(
        [
            {"name": "王伟", "birth_on": date(1980, 1, 2), "citizen_number": "990101198001021236"},
            {"source": "medical_insurance", "name": "王玮", "birth_on": date(1980, 2, 1), "record_key": "m1"},
        ]
    )
    load(engine, frame, make.links(frame, [5, 5]))
    dossier = privacy.open_person(5, **WHO)
    tag = profile.tag("name")
    assert dossier.value(tag) == "王伟"
    assert dossier.choices[tag].rule == "p"
    assert [(s.source, s.record_key, s.values[tag]) for s in dossier.losing(tag)] == [
        ("medical_insurance", "m1", "王玮")
    ]
    assert [s.assertion_id for s in dossier.statements] == frame["assertion_id"].to_pylist()


def test_no_name_number_or_address_is_in_clear(engine):
    frame = make.frame(
        [
            {
                "name": "独特之名",
                "citizen_number": "990101198001021236",
                "domicile_address": "稀有街9号",
                "household_number": "H777",
                "sex": "1",
            }
        ]
    )
    load(engine, frame, make.links(frame, [5]))
    for (table,) in rows(
        "SELECT relname FROM pg_class WHERE relkind = 'r' AND relname ~ '^(register|privacy|trace|catalog)_'"
    ):
        for (line,) in rows(f"SELECT t::text FROM {table} t"):
            assert not any(
                secret in line for secret in ("独特", "990101198001021236", "稀有", "H777", "独特".encode().hex())
            )


def test_an_assertion_with_two_persons_loads_nothing(engine):
    frame, links = family()
    with pytest.raises(LinksNotUnique):
        load(engine, frame, pa.concat_tables([links, links.slice(0, 1)]))
    assert rows("SELECT count(*) FROM register_person") == [(0,)]


def test_rebuilding_from_history_gives_the_same_state(engine, town):
    load(engine, *town)
    before, after, result = api.rebuild(settle(engine, *town), expect_equal=True, **WHO)
    assert before == after
    assert result.changed == 0


def test_a_rebuild_that_differs_is_refused_and_undone(engine):
    load(engine, *family())
    before = digest()
    with pytest.raises(RebuildDiffers), transaction.atomic():
        api.rebuild(settle(engine, *family(sex="1")), expect_equal=True, **WHO)
    assert digest() == before


def test_every_load_leaves_one_trace_entry_with_counts(engine):
    load(engine, *family())
    [(actor, detail)] = rows("SELECT actor, detail FROM trace_entry WHERE kind = 'register.load'")
    assert actor == "test"
    assert '"register_person.begun": 2' in str(detail).replace("'", '"')


def test_a_standing_clock_does_not_stop_loads(engine):
    with clock.stopped_at(datetime(2030, 1, 1, tzinfo=UTC)):
        first = load(engine, *family())
        second = load(engine, *family(sex="1"))
    assert second.at > first.at


class TestConstraints:
    def put(self, table, columns, values):
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f"INSERT INTO {table} ({columns}, known) VALUES ({values}, tstzrange('2020-01-01', NULL))")

    def test_two_residences_of_a_kind_cannot_overlap(self):
        columns = "person_id, kind, division, division_now, valid, sole"
        self.put("register_residence", columns, "1, 'domicile', '99', '99', '[2000-01-01,2010-01-01)', false")
        self.put("register_residence", columns, "1, 'domicile', '99', '99', '[2010-01-01,)', false")
        with pytest.raises(IntegrityError, match="register_residence_apart"):
            self.put("register_residence", columns, "1, 'domicile', '99', '99', '[2009-01-01,2009-02-01)', false")

    def test_a_sole_row_stands_alone(self):
        columns = "person_id, valid, sole"
        self.put("register_personstate", columns, "1, '[2000-01-01,)', true")
        for sole in ("true", "false"):
            with pytest.raises(IntegrityError):
                self.put("register_personstate", columns, f"1, '[1990-01-01,1991-01-01)', {sole}")

    def test_a_row_cannot_become_sole_beside_another(self):
        columns = "person_id, valid, sole"
        self.put("register_personstate", columns, "1, '[2000-01-01,)', false")
        self.put("register_personstate", columns, "1, '[1990-01-01,1991-01-01)', false")
        with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("UPDATE register_personstate SET sole = true WHERE upper_inf(valid)")

    def test_a_household_has_one_head_now(self):
        columns = "person_id, household_id, kind, is_head, valid, sole"
        self.put("register_membership", columns, "1, 9, 'domicile', true, '[2000-01-01,)', true")
        with pytest.raises(IntegrityError, match="register_one_head"):
            self.put("register_membership", columns, "2, 9, 'domicile', true, '[2001-01-01,)', true")

    def test_nobody_is_their_own_relative(self):
        with pytest.raises(IntegrityError, match="register_not_own_relative"):
            self.put(
                "register_relation", "person_id, kind, other_id, valid, sole", "1, 'spouse', 1, '[2000-01-01,)', true"
            )


def cells():
    return rows("SELECT basis, division, sex, age, people FROM register_populationcell ORDER BY 1, 2, 3, 4")


def test_the_living_are_counted_where_they_are_registered_and_where_they_live(engine):
    frame = make.frame(
        [
            {"sex": "2", "birth_on": date(2000, 2, 29), "domicile_division": "990101001"},
            {"sex": "2", "birth_on": date(2000, 3, 1), "domicile_division": "990101001", "residence_division": "990102001",
             "as_of": date(2020, 1, 1)},
            {"sex": "1", "birth_on": date(1950, 1, 1), "died_at": datetime(2020, 1, 1), "domicile_division": "990101001"},
            {"domicile_division": "990101001", "as_of": date(2020, 1, 1)},
            {"sex": "1", "birth_on": date(2025, 3, 1), "domicile_division": "990101001"},
        ]
    )  # fmt: skip
    settled = settle(engine, frame, make.links(frame, [1, 2, 3, 4, 5]))
    api.load(settled, **WHO)
    unknown = [("domicile", "990101001", "0", -1, 1), ("residence", "990101001", "0", -1, 1)]

    def women(age):
        return [
            ("domicile", "990101001", "2", age, 2),
            ("residence", "990101001", "2", age, 1),
            ("residence", "990102001", "2", age, 1),
        ]

    api.count_population(resolution=settled, as_of=date(2025, 2, 28), **WHO)
    assert cells() == sorted(unknown + women(24)), "the day before their birthdays, and one is not born yet"
    api.count_population(as_of=date(2025, 3, 1), **WHO)
    newborn = [("domicile", "990101001", "1", 0, 1), ("residence", "990101001", "1", 0, 1)]
    assert cells() == sorted(unknown + women(25) + newborn)


def test_counting_a_town_from_the_database_gives_what_its_resolution_gave(engine, town):
    settled = settle(engine, *town)
    api.load(settled, **WHO)
    api.count_population(resolution=settled, **WHO)
    before = cells()
    assert before
    api.count_population(**WHO)
    assert cells() == before
    assert rows("SELECT count(*) FROM register_populationcount") == [(1,)]

"""Who wins, and what follows: the engine's expressions on a handful of hand-written statements."""

from datetime import date, datetime

import pyarrow as pa
import pytest

from tests.make import assertions as make
from tests.make import profile
from wanjia.kernel import settings
from wanjia.kernel.declared import load_folder
from wanjia.register import rules
from wanjia.register.api.resolving import FACTS, resolve
from wanjia.register.bulk import facts, relations, statements, survivors
from wanjia.register.declared import Check

A, B, C, D = 11, 12, 13, 14


class Settled:
    """The tables of a resolution, as lists of rows."""

    def __init__(self, engine, stated, persons, elements=None, sources=None):
        frame = make.frame(stated)
        table, links = engine.load("a", frame), engine.load("l", make.links(frame, persons))
        sources = sources or profile.sources()
        element_rules = rules.element_rules(elements or profile.elements(), frame.column_names)
        ranks = survivors.Ranks.of(element_rules, sources)
        ranked = statements.rank(engine, table, links, sources)
        rows = statements.linked(engine, table, ranked, element_rules)
        resolved = survivors.resolve(engine, rows, element_rules, ranks)
        states = facts.states(engine, resolved)
        members = facts.memberships(engine, resolved, states)
        claims = relations.claims(engine, rows, states, members, relations.holders(engine, states))
        self.resolved = {r["person_id"]: r for r in engine.arrow(resolved.pick(*resolved.columns)).to_pylist()}
        self.states = {r["person_id"]: r for r in engine.arrow(states).to_pylist()}
        self.residences = engine.arrow(
            facts.residences(engine, rows, resolved, states, element_rules, ranks)
        ).to_pylist()
        self.members = {r["person_id"]: r for r in engine.arrow(members).to_pylist()}
        related = engine.arrow(relations.relations(engine, claims, states)).to_pylist()
        self.relations = {(r["person_id"], r["kind"]): r for r in related}
        assert len(self.relations) == len(related)


def number(birth="19800102", serial="123"):
    import numpy as np

    born = np.array([make.days(datetime.strptime(birth, "%Y%m%d").date())])
    return str(
        make.numbers(
            np.array([990101]), born, np.array(["1" if int(serial) % 2 else "2"]), np.array([int(serial) // 2])
        )[0]
    )


def test_law_comes_before_recency(engine):
    settled = Settled(
        engine,
        [
            {
                "source": "birth_certificates",
                "subject": "child",
                "as_of": date(1990, 1, 1),
                "birth_on": date(1989, 12, 30),
            },
            {"source": "police_register", "as_of": date(2025, 1, 1), "birth_on": date(1989, 12, 31)},
            {"source": "social_insurance", "as_of": date(2025, 6, 1), "birth_on": date(1990, 1, 1)},
        ],
        [A, A, A],
    )
    assert settled.states[A]["birth_on"] == date(1989, 12, 30)
    assert settled.resolved[A]["birth_on__said"] == 3


def test_without_precedence_newer_and_more_reliable_wins(engine):
    newer = [
        {"source": "social_insurance", "as_of": date(2020, 1, 1), "marital_status": "10"},
        {"source": "medical_insurance", "as_of": date(2024, 1, 1), "marital_status": "20"},
    ]
    assert Settled(engine, newer, [A, A]).states[A]["marital_status"] == "20"
    # an eighth of the reliability is three half-lives: twelve years
    trusted = profile.sources(medical_insurance=0.1)
    assert Settled(engine, newer, [A, A], sources=trusted).states[A]["marital_status"] == "10"


def test_a_sound_number_is_preferred_to_an_unsound_one_of_a_better_source(engine):
    settled = Settled(
        engine,
        [
            {"citizen_number": "990101198001021230", "citizen_number__state": "check_failed"},
            {"source": "medical_insurance", "as_of": date(2001, 1, 1), "citizen_number": number()},
        ],
        [A, A],
    )
    assert settled.resolved[A]["citizen_number"] == number()
    assert settled.states[A]["number"] == number()


def test_an_unsound_number_finds_no_relatives(engine):
    settled = Settled(engine, [{"citizen_number": "99010119800102", "citizen_number__state": "malformed"}], [A])
    assert settled.resolved[A]["citizen_number"] == "99010119800102"
    assert settled.states[A]["number"] is None


def test_a_vote_weighs_sources_by_reliability_and_age(engine):
    statements = [
        {"source": "police_register", "as_of": date(2025, 1, 1), "ethnicity": "03"},
        {"source": "social_insurance", "as_of": date(2025, 1, 1), "ethnicity": "01"},
        {"source": "medical_insurance", "as_of": date(2024, 1, 1), "ethnicity": "01"},
    ]
    voting = profile.elements(ethnicity="vote")
    assert Settled(engine, statements, [A] * 3, elements=voting).resolved[A]["ethnicity"] == "01"
    statements[1]["as_of"] = statements[2]["as_of"] = date(2010, 1, 1)
    assert Settled(engine, statements, [A] * 3, elements=voting).resolved[A]["ethnicity"] == "03"


def test_a_vote_names_the_best_statement_of_the_winning_value(engine):
    statements = [
        {"ethnicity": "01", "as_of": date(2024, 1, 1)},
        {"ethnicity": "01", "as_of": date(2025, 1, 1)},
        {"ethnicity": "03"},
    ]
    settled = Settled(engine, statements, [A] * 3, elements=profile.elements(ethnicity="vote"))
    assert settled.resolved[A]["ethnicity__won"] % rules.ORDINAL_SPAN == 1


def test_birth_and_death_bound_the_state(engine):
    settled = Settled(
        engine,
        [{"birth_on": date(1940, 5, 1)}, {"source": "death_certificates", "died_at": datetime(2020, 3, 4, 12, 30)}],
        [A, A],
    )
    state = settled.states[A]
    assert (state["valid_from"], state["valid_to"], state["died_on"]) == (
        date(1940, 5, 1),
        date(2020, 3, 4),
        date(2020, 3, 4),
    )


def test_a_death_before_the_birth_leaves_the_state_without_a_beginning(engine):
    settled = Settled(
        engine,
        [{"birth_on": date(2000, 5, 1)}, {"source": "death_certificates", "died_at": datetime(1999, 3, 4)}],
        [A, A],
    )
    assert settled.states[A]["valid_from"] is None


class TestResidences:
    def test_a_place_without_move_in_is_since_birth(self, engine):
        settled = Settled(engine, [{"birth_on": date(1990, 2, 3), "domicile_division": "990101001"}], [A])
        [piece] = settled.residences
        assert (piece["valid_from"], piece["valid_to"]) == (date(1990, 2, 3), None)

    def test_a_move_ends_the_place_before(self, engine):
        settled = Settled(
            engine,
            [
                {
                    "domicile_division": "990101001",
                    "as_of": date(2010, 1, 1),
                    "birth_on": date(1990, 2, 3),
                    "record_key": "old",
                },
                {
                    "domicile_division": "990102001",
                    "as_of": date(2020, 1, 1),
                    "moved_in_on": date(2015, 6, 1),
                    "record_key": "young",
                },
            ],
            [A, A],
        )
        pieces = sorted((p["valid_from"], p["valid_to"], p["division"]) for p in settled.residences if p["valid_to"])
        assert pieces == [(date(1990, 2, 3), date(2015, 6, 1), "990101001")]
        [last] = [p for p in settled.residences if p["valid_to"] is None]
        assert (last["valid_from"], last["division"]) == (date(2015, 6, 1), "990102001")

    def test_a_stale_address_of_a_lesser_source_is_no_move(self, engine):
        settled = Settled(
            engine,
            [
                {"domicile_division": "990101001", "as_of": date(2010, 1, 1)},
                {"source": "medical_insurance", "domicile_division": "990103001", "as_of": date(2024, 1, 1)},
            ],
            [A, A],
        )
        assert [p["division"] for p in settled.residences] == ["990101001"]

    def test_death_ends_a_residence(self, engine):
        settled = Settled(
            engine,
            [
                {"domicile_division": "990101001", "birth_on": date(1940, 1, 1)},
                {"source": "death_certificates", "died_at": datetime(2020, 3, 4)},
            ],
            [A, A],
        )
        assert [p["valid_to"] for p in settled.residences] == [date(2020, 3, 4)]

    def test_a_successor_code_is_not_a_move(self, engine):
        settled = Settled(
            engine,
            [
                {
                    "domicile_division": "990101001",
                    "domicile_division__current": "990109001",
                    "as_of": date(2010, 1, 1),
                },
                {"domicile_division": "990109001", "as_of": date(2020, 1, 1)},
            ],
            [A, A],
        )
        assert len(settled.residences) == 1
        assert settled.residences[0]["division_now"] == "990109001"


class TestHouseholds:
    def test_a_household_has_one_head(self, engine):
        family = [
            {"household_number": "H1", "relation_to_head": "02", "as_of": date(2020, 1, 1)},
            {"household_number": "H1", "relation_to_head": "02", "as_of": date(2024, 1, 1)},
            {"household_number": "H1", "relation_to_head": "20"},
        ]
        settled = Settled(engine, family, [A, B, C])
        assert [settled.members[p]["is_head"] for p in (A, B, C)] == [False, True, False]
        assert [settled.members[p]["claims_head"] for p in (A, B, C)] == [True, True, False]

    def test_the_living_head_comes_before_the_dead_one(self, engine):
        settled = Settled(
            engine,
            [
                {"household_number": "H1", "relation_to_head": "02", "as_of": date(2024, 1, 1)},
                {"source": "death_certificates", "died_at": datetime(2024, 2, 1)},
                {"household_number": "H1", "relation_to_head": "02", "as_of": date(2020, 1, 1)},
            ],
            [A, A, B],
        )
        assert not settled.members[A]["is_head"]
        assert settled.members[B]["is_head"]

    def test_the_engine_and_the_rule_give_one_household_id(self, engine):
        settled = Settled(engine, [{"household_number": "990104100000061"}, {"household_number": "H·2"}], [A, B])
        assert settled.members[A]["household_id"] == rules.household_id(None, "990104100000061")
        assert settled.members[B]["household_id"] == rules.household_id(None, "H·2")

    def test_relatives_follow_from_the_relation_to_the_head(self, engine):
        family = [
            {"household_number": "H1", "relation_to_head": "02", "sex": "1", "birth_on": date(1980, 1, 1)},
            {"household_number": "H1", "relation_to_head": "12", "sex": "2"},
            {"household_number": "H1", "relation_to_head": "31", "birth_on": date(2010, 1, 1)},
            {"household_number": "H1", "relation_to_head": "52"},
        ]
        related = Settled(engine, family, [A, B, C, D]).relations
        assert related[A, "spouse"]["other_id"] == B
        assert related[B, "spouse"]["other_id"] == A
        assert related[C, "father"]["other_id"] == A
        assert related[A, "mother"]["other_id"] == D
        assert related[C, "father"]["valid_from"] == date(2010, 1, 1)


class TestRelations:
    def test_a_mother_is_found_by_her_number(self, engine):
        related = Settled(
            engine,
            [
                {"citizen_number": number()},
                {"source": "birth_certificates", "subject": "child", "mother_number": number()},
            ],
            [A, B],
        ).relations
        assert related[B, "mother"]["other_id"] == A

    def test_a_number_of_two_people_names_nobody(self, engine):
        shared = [
            {"citizen_number": number()},
            {"citizen_number": number()},
            {"mother_number": number(), "subject": "child"},
        ]
        assert not Settled(engine, shared, [A, B, C]).relations

    def test_marriage_and_divorce(self, engine):
        wedding = {
            "source": "marriages",
            "record_key": "m1",
            "marriage_event_on": date(2010, 5, 1),
            "marriage_event_kind": "1",
        }
        divorce = {
            "source": "marriages",
            "record_key": "m2",
            "marriage_event_on": date(2018, 5, 1),
            "marriage_event_kind": "2",
        }
        both = [{**wedding, "subject": "spouse_a"}, {**wedding, "subject": "spouse_b"}]
        married = Settled(engine, both, [A, B]).relations
        assert (married[A, "spouse"]["valid_from"], married[A, "spouse"]["valid_to"]) == (date(2010, 5, 1), None)
        both += [{**divorce, "subject": "spouse_a"}, {**divorce, "subject": "spouse_b"}]
        divorced = Settled(engine, both, [A, B, A, B]).relations
        assert divorced[B, "spouse"]["valid_to"] == date(2018, 5, 1)

    def test_of_several_marriages_the_last_holds_and_is_mutual(self, engine):
        def wedding(key, day):
            return {"source": "marriages", "record_key": key, "marriage_event_on": day, "marriage_event_kind": "1"}

        first, second = wedding("m1", date(2010, 5, 1)), wedding("m2", date(2019, 5, 1))
        statements = [
            {**first, "subject": "spouse_a"}, {**first, "subject": "spouse_b"},
            {**second, "subject": "spouse_a"}, {**second, "subject": "spouse_b"},
        ]  # fmt: skip
        related = Settled(engine, statements, [A, B, A, C]).relations
        assert related[A, "spouse"]["other_id"] == C
        assert related[C, "spouse"]["other_id"] == A
        assert (B, "spouse") not in related

    def test_nobody_is_their_own_spouse(self, engine):
        statement = {
            "citizen_number": number(),
            "spouse_number": number(),
            "source": "marriages",
            "marriage_event_on": date(2010, 1, 1),
        }
        assert not Settled(engine, [statement], [A]).relations


def test_review_links_do_not_count(engine):
    frame = make.frame([{"sex": "1"}, {"sex": "2"}])
    links = make.links(frame, [A, B])
    links = links.set_column(3, "band", [["link", "review"]])
    ranked = statements.rank(engine, engine.load("a", frame), engine.load("l", links), profile.sources())
    assert engine.arrow(ranked)["person_id"].to_pylist() == [A]


@pytest.mark.parametrize(
    "missing", ["household_number", "citizen_number", "residence_division", "marital_status", "birth_on"]
)
def test_a_source_without_a_column_is_no_error(engine, missing):
    frame = make.frame([{"sex": "1", "birth_on": date(1980, 1, 1), "household_number": "H1", "relation_to_head": "02"}])
    frame = frame.drop_columns([c for c in frame.column_names if c == missing or c.startswith(f"{missing}__")])
    table, links = engine.load("a", frame), engine.load("l", make.links(frame, [A]))
    element_rules = rules.element_rules(profile.elements(), frame.column_names)
    ranks = survivors.Ranks.of(element_rules, profile.sources())
    ranked = statements.rank(engine, table, links, profile.sources())
    rows = statements.linked(engine, table, ranked, element_rules)
    resolved = survivors.resolve(engine, rows, element_rules, ranks)
    states = facts.states(engine, resolved)
    members = facts.memberships(engine, resolved, states)
    claims = relations.claims(engine, rows, states, members, relations.holders(engine, states))
    relations.relations(engine, claims, states)
    facts.residences(engine, rows, resolved, states, element_rules, ranks)
    assert engine.arrow(states).num_rows == 1


def test_source_by_source_gives_what_all_together_gives(engine):
    frame, links = make.population(120, seed=5)
    links = engine.load("l", links)
    whole = outcome(engine, engine.load("a", frame), links)
    by_source = {source: engine.load(f"a_{source}", rows) for source, rows in make.by_source(frame).items()}
    assert len({len(table.columns) for table in by_source.values()}) > 1
    assert outcome(engine, by_source, links) == whole


def outcome(engine, assertions, links):
    found = resolve(
        engine, assertions, links, sources=profile.sources(),
        elements=profile.elements(ethnicity="vote"),
    )  # fmt: skip
    checks = load_folder(settings.profile_dir() / "checks", Check)
    rows = {fact.frame: found.fact_rows(fact) for fact in FACTS}
    rows |= {"dossiers": pa.concat_tables(found.dossiers()), "searchable": found.searchable()}
    rows |= {"findings": engine.arrow(found.findings(checks))}
    listed = {name: sorted(map(str, table.to_pylist())) for name, table in rows.items()}
    given = [row for row in found.agreement() if row["given"]]
    return listed | {"agreement": sorted(map(str, given))}

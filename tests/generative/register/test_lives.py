"""Whatever legal events follow each other in a small town, the register stays whole; and the database holds what the rules say."""

import copy
import itertools
from collections import Counter
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.make.lives import HAPPENS, Done, Lives
from wanjia.kernel import settings as house
from wanjia.register.api.declaring import load_events
from wanjia.register.rules.folding import fold, is_nobody, open_piece

KINDS = load_events(house.profile_dir()).kinds
LIFE = st.lists(st.integers(0, 2**32 - 1), min_size=1, max_size=12)


def ensure_town_is_whole(lives: Lives) -> None:
    """The invariants of the register, on what it holds now."""
    heads: Counter = Counter()
    members: Counter = Counter()
    places: Counter = Counter()
    for person, facts in lives.facts.items():
        state = facts["state"]
        for fact in ("membership", "residence", "relation"):
            for kind in {piece["kind"] for piece in facts[fact]}:
                pieces = sorted((p for p in facts[fact] if p["kind"] == kind), key=lambda p: p["from"] or "")
                for piece in pieces:
                    assert piece["to"] is None or piece["from"] is None or piece["from"] < piece["to"], (
                        person,
                        fact,
                        piece,
                    )
                for earlier, later in itertools.pairwise(pieces):
                    assert earlier["to"] is not None, (person, fact, pieces)
                    assert earlier["to"] <= later["from"], (person, fact, pieces)
        home, place = open_piece(facts, "membership", "domicile"), open_piece(facts, "residence", "domicile")
        assert (home is None) == (place is None), f"{person} has a household or a domicile, not both"
        if home:
            members[home["household_id"]] += 1
            heads[home["household_id"]] += home["is_head"]
            assert home["is_head"] == (home["relation"] in ("01", "02"))
            places[place["division"]] += 1
            assert place["division"] == lives.placed[home["household_id"]], (
                f"{person} is registered where the household is"
            )
        if state and state["died_on"]:
            assert home is None, f"{person} is dead, and belongs to no household"
            assert open_piece(facts, "residence", "residence") is None
            assert open_piece(facts, "relation", "spouse") is None
            assert state["from"] is None or state["from"] < state["to"]
        if state and not state["died_on"] and state["registration_state"] == "1":
            assert home is not None, f"{person} lives and is registered, so belongs to a household"
        spouse = open_piece(facts, "relation", "spouse")
        assert spouse is None or open_piece(lives.facts[spouse["other_id"]], "relation", "spouse")["other_id"] == person
    assert set(heads.values()) <= {1}, "one head in each household"
    assert sum(places.values()) == sum(members.values()), "what areas count is what households count"


def live(seeds: list[int]) -> Lives:
    lives = Lives.begin(KINDS)
    ensure_town_is_whole(lives)
    for seed in seeds:
        died = {p for p in lives.facts if not lives.is_living(p)}
        what = lives.step(seed)
        if what is None:
            continue
        ensure_town_is_whole(lives)
        assert lives.facts == lives.folded(), "state is the fold of basis and acts"
        if what not in ("revoked", "reinstated"):
            newest = lives.done[-1]
            touched = {p for p, act in newest.acts if act["do"] != "touch"}
            assert KINDS[what].is_correction or not touched & died, f"{what} after death"
    before = lives.folded()
    counted = [event.counts for event in lives.done]
    # taking back everything, the last first, leaves what sources say
    for event in reversed(lives.done):
        event.counts = False
    assert lives.folded() == lives.basis
    for event, counts in zip(lives.done, counted, strict=True):
        event.counts = counts
    assert lives.folded() == before
    return lives


@settings(max_examples=150, deadline=None, derandomize=True)
@given(LIFE)
def test_a_few_lives(seeds):
    live(seeds)


@pytest.mark.heavy
@settings(max_examples=10_000, deadline=None, derandomize=True)
@given(LIFE)
def test_ten_thousand_lives(seeds):
    live(seeds)


def test_the_town_does_live():
    """Each kind is registered, and something revoked and reinstated, in a few hundred random lives: the tests above are about something."""
    happened: Counter = Counter()
    for number in range(150):
        lives = Lives.begin(KINDS)
        for place in range(12):
            happened[lives.step(number * 1000 + place)] += 1
    wanted = {"birth", "death", "arrival", "move_out", "move_in", "set_up_household", "split_household", "join_household", "marriage_note",
              "divorce_note", "change_of_head", "change_correction", "cancellation", "restoration", "adoption",
              "residence_registration", "residence_end", "merge", "revoked", "reinstated"}  # fmt: skip
    assert wanted <= set(happened), wanted - set(happened)


def merged(lives: Lives, chance: Random) -> Done | None:
    """Two of the town made one, if any two can be."""
    for _ in range(20):
        if lives.register("merge", *HAPPENS["merge"](lives, chance)):
            return lives.done[-1]
    return None


def undone_is_identity(seed: int) -> bool:
    """Random lives, a merge, more lives; whether it could be undone, and then both are what they were."""
    chance, lives = Random(seed), Lives.begin(KINDS)
    for _ in range(chance.randrange(8)):
        lives.step(chance.randrange(2**32))
    before, stood = copy.deepcopy(lives.facts), [event.counts for event in lives.done]
    merge = merged(lives, chance)
    if merge is None:
        return False
    one, other = merge.people["person"][0], merge.people["other"][0]
    assert is_nobody(lives.facts[other])
    assert not any(r["other_id"] == other for facts in lives.facts.values() for r in facts["relation"])
    ensure_town_is_whole(lives)
    since = [lives.step(chance.randrange(2**32)) for _ in range(chance.choice((0, 0, 1, 3)))]
    if not merge.counts or not lives.refold(merge):
        return False
    ensure_town_is_whole(lives)
    assert lives.facts == lives.folded()
    if [event.counts for event in lives.done[: len(stood)]] != stood:
        return False  # what was before the merge was itself undone since, or done again: another past
    # a relative may have been merged since; nothing else may differ
    led = {p: a["into"] for e in lives.done if e.counts for p, a in e.acts if a["do"] == "absorb"}
    assert [lives.facts[p] for p in (one, other)] == [fold(before[p], [], absorbed=led) for p in (one, other)]
    if not any(since):
        assert lives.facts == before
    return True


def test_undoing_a_merge_is_identity():
    done = sum(undone_is_identity(seed) for seed in range(150))
    assert done > 40, f"only {done} merges of 150 were undone: the test would be about nothing"


@pytest.mark.heavy
def test_undoing_many_merges_is_identity():
    assert sum(undone_is_identity(seed) for seed in range(150, 10_000)) > 3000

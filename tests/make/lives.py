"""A small town that lives: random events, judged and folded by the register's own rules, without a database."""

import copy
from dataclasses import dataclass, field
from datetime import date, timedelta
from random import Random
from typing import Any

from tests.make.town import FAMILIES, PLACES, QINGFENG, SHIQIAO
from wanjia.register.api.settling import ensure_whole
from wanjia.register.declared import EventKind
from wanjia.register.errors import HouseholdWouldBreak
from wanjia.register.rules import checks, effects
from wanjia.register.rules.folding import Facts, fold, is_nobody, nothing, open_piece
from wanjia.register.rules.scene import Scene

FIRST_DAY = date(2026, 1, 1)
CANCELLED = "2"
TO_HEAD = "99"
#: kinds that stand after death too
CORRECTIONS = ("change_correction", "restoration")


@dataclass
class Done:
    """An event that was registered: what it did to whom, and whether it counts."""

    number: int
    kind: str
    people: dict[str, list[int]]
    acts: list[tuple[int, dict[str, Any]]]
    counts: bool = True
    answers: int | None = None  # the move-out that this move-in or new household goes with


@dataclass
class Lives:
    """What the register holds of everybody, and all that was registered, in order."""

    kinds: dict[str, EventKind]
    basis: dict[int, Facts] = field(default_factory=dict)
    facts: dict[int, Facts] = field(default_factory=dict)
    placed: dict[int, str] = field(default_factory=dict)
    done: list[Done] = field(default_factory=list)
    today: date = FIRST_DAY
    last_person: int = 100
    last_household: int = 1000

    @classmethod
    def begin(cls, kinds: dict[str, EventKind]) -> "Lives":
        """The town as sources know it."""
        lives = cls(kinds)
        households = {name: 900 + number for number, name in enumerate(PLACES)}
        heads = {household: n for n, (_, household, *_, relation) in enumerate(FAMILIES, start=1) if relation == "02"}
        for person, (_, household, _, sex, born, relation) in enumerate(FAMILIES, start=1):
            facts = nothing()
            facts["state"] = {"sex": sex, "birth_on": born.isoformat(), "died_on": None, "registration_state": "1",
                              "marital_status": "10", "marital_since": None, "from": born.isoformat(), "to": None}  # fmt: skip
            facts["membership"].append({"kind": "domicile", "household_id": households[household], "is_head": relation == "02",
                                        "relation": relation, "from": None, "to": None})  # fmt: skip
            facts["residence"].append({"kind": "domicile", "division": PLACES[household], "division_now": PLACES[household],
                                       "from": born.isoformat(), "to": None})  # fmt: skip
            if relation == "10":
                for one, other in ((person, heads[household]), (heads[household], person)):
                    lives.basis.get(one, facts)["relation"].append({"kind": "spouse", "other_id": other, "from": None, "to": None})  # fmt: skip
            lives.basis[person] = facts
            lives.placed[households[household]] = PLACES[household]
        lives.facts = copy.deepcopy(lives.basis)
        return lives

    # --- looking

    def home(self, person: int) -> int | None:
        """The household somebody belongs to now."""
        piece = open_piece(self.facts[person], "membership", "domicile")
        return piece["household_id"] if piece else None

    def mates(self, person: int) -> list[int]:
        """The others of somebody's household."""
        home = self.home(person)
        return [p for p in self.facts if p != person and home is not None and self.home(p) == home]

    def is_living(self, person: int) -> bool:
        """Held, and not dead."""
        state = self.facts[person]["state"]
        return state is not None and state["died_on"] is None

    def spouse(self, person: int) -> int | None:
        """Whom somebody is married to now."""
        piece = open_piece(self.facts[person], "relation", "spouse")
        return piece["other_id"] if piece else None

    # --- living

    def step(self, seed: int) -> str | None:
        """Something happens, or is refused (None)."""
        chance = Random(seed)
        self.today += timedelta(days=chance.randrange(0, 40))
        which = chance.randrange(20)
        if which < 2:
            return self._turn_back(chance, counted=which == 1)
        kind = chance.choice(sorted(HAPPENS))
        given = HAPPENS[kind](self, chance)
        return kind if given is not None and self.register(kind, *given) else None

    def register(self, kind: str, people: dict[str, list[int]], values: dict[str, Any]) -> bool:
        """Register an event if its checks let it, as wanjia.register.api.registering does."""
        declared = self.kinds[kind]
        new = [party.role for party in declared.parties if party.is_new]
        if any(is_nobody(self.facts[person]) for ids in people.values() for person in ids):
            return False  # SubjectGone
        people = {role: ids for role, ids in people.items() if ids} | {role: [self.last_person + 1] for role in new}
        facts = {**self.facts, **{one: nothing() for role in new for one in people[role]}}
        scene = Scene(
            declared, people, values, facts, self._rosters(), self.today, placed=self.placed, pair=self._pair(declared, people)
        )  # fmt: skip
        missing = [p.role for p in declared.parties if p.is_required and not p.is_new and not people.get(p.role)]
        if missing or checks.problems(scene):
            return False
        if effects.makes_household(scene):
            scene.new_household = self.last_household + 1
        acts = effects.acts(scene)
        after = {person: fold(facts[person], [a for p, a in acts if p == person]) for person, _ in acts}
        try:
            ensure_whole(facts, {**facts, **after})
        except HouseholdWouldBreak:
            return False
        if scene.new_household:
            self.last_household += 1
            self.placed[scene.new_household] = values["division"]
        for role in new:
            self.last_person += 1
            self.basis[people[role][0]] = nothing()
        self.facts |= after
        answers = scene.pair["event"] if scene.pair and not scene.pair["is_used"] else None
        self.done.append(Done(len(self.done), kind, people, acts, answers=answers))
        return True

    def folded(self) -> dict[int, Facts]:
        """Everybody folded anew from the basis and the acts of all events that count."""
        acts = [(p, a) for event in self.done if event.counts for p, a in event.acts]
        absorbed = {p: a["into"] for p, a in acts if a["do"] == "absorb"}
        return {
            person: fold(basis, [a for p, a in acts if p == person], absorbed=absorbed)
            for person, basis in self.basis.items()
        }

    def _rosters(self) -> dict[int, list[int]]:
        rosters: dict[int, list[int]] = {}
        for person in self.facts:
            if (home := self.home(person)) is not None:
                rosters.setdefault(home, []).append(person)
        return rosters

    def _pair(self, declared: EventKind, people: dict[str, list[int]]) -> dict[str, Any] | None:
        movers = [one for ids in people.values() for one in ids]
        for event in reversed(self.done):
            if event.counts and event.kind == declared.pairs_with and movers and movers[0] in event.people["mover"]:
                is_used = any(
                    e.counts and e.answers == event.number and {p for ids in e.people.values() for p in ids} & set(movers)
                    for e in self.done
                )  # fmt: skip
                return {"event": event.number, "people": event.people["mover"], "is_used": is_used}
        return None

    def _turn_back(self, chance: Random, *, counted: bool) -> str | None:
        # a merge that was undone is made anew, never reinstated
        chosen = [event for event in self.done if event.counts is counted and (counted or event.kind != "merge")]
        if not chosen or not self.refold(chance.choice(chosen)):
            return None
        return "revoked" if counted else "reinstated"

    def refold(self, event: Done) -> bool:
        """Revoke or reinstate an event, if nothing stands against it, as registering.revoke_case and reinstate_case do."""
        concerned = {person for person, act in event.acts if act["do"] != "rename"}
        founded = {person for person, act in event.acts if act["do"] == "found"}
        stayed = {act["into"] for _, act in event.acts if act["do"] == "absorb"}
        later = any(
            stayed & {p for ids in e.people.values() for p in ids}
            # a relative merged since took the relation along as it was then
            or any(act["do"] == "take" and act["piece"].get("other_id") in stayed for _, act in e.acts)
            or any(person in concerned and act["do"] not in ("touch", "rename") for person, act in e.acts)
            for e in self.done
            if e.counts and e.number > event.number
        )
        concerned = {person for person, _ in event.acts}
        if stayed:
            concerned |= {p for p, f in self.facts.items() if any(r["other_id"] in stayed for r in f["relation"])}
        if later or (not event.counts and any(is_nobody(self.facts[p]) for p in concerned - founded)):
            return False
        event.counts = not event.counts
        after = {person: facts for person, facts in self.folded().items() if person in concerned}
        try:
            ensure_whole(self.facts, {**self.facts, **after})
        except HouseholdWouldBreak:
            event.counts = not event.counts
            return False
        self.facts |= after
        return True


def _someone(lives: Lives, chance: Random, such: Any = lambda person: True) -> int | None:
    found = [person for person in lives.facts if such(person)]
    return chance.choice(found) if found else None


def _day(lives: Lives, chance: Random) -> str:
    return (lives.today - timedelta(days=chance.choice((0, 0, 0, 1, 5, 60)))).isoformat()


def _related(lives: Lives) -> dict[str, str]:
    return {str(person): TO_HEAD for person in lives.facts}


def _settled(lives: Lives, chance: Random, person: int) -> dict[str, Any]:
    """A household to enter, and the rest of what such forms ask."""
    homes = sorted({home for one in lives.facts if (home := lives.home(one)) is not None})
    if not homes:
        return {}
    return {
        "on": _day(lives, chance),
        "household": chance.choice(homes),
        "relation": TO_HEAD,
        "relations": _related(lives),
    }


def _leaving(lives: Lives, chance: Random, person: int) -> list[int]:
    """Somebody who may follow as head."""
    return [chance.choice(mates)] if (mates := lives.mates(person)) else []


def _birth(lives: Lives, chance: Random) -> Any:
    mother = _someone(lives, chance, lambda p: lives.is_living(p) and lives.facts[p]["state"]["sex"] == "2")
    if mother is None or not (values := _settled(lives, chance, mother)):
        return None
    father = lives.spouse(mother)
    values |= {"birth_on": values.pop("on"), "sex": chance.choice("12")}
    return {"mother": [mother], "father": [father] if father else []}, values


def _arrival(lives: Lives, chance: Random) -> Any:
    values = _settled(lives, chance, 0)
    if not values:
        return None
    born = date(1990, 1, 1) + timedelta(days=chance.randrange(3000))
    return {}, {**values, "birth_on": born.isoformat(), "sex": chance.choice("12"), "marital_status": "10"}


def _death(lives: Lives, chance: Random) -> Any:
    person = _someone(lives, chance)
    return {"deceased": [person], "successor": _leaving(lives, chance, person)}, {
        "died_at": _day(lives, chance),
        "relations": _related(lives),
    }


def _move_out(lives: Lives, chance: Random) -> Any:
    person = _someone(lives, chance)
    movers = [person, *(p for p in lives.mates(person) if chance.random() < 0.4)]
    staying = [p for p in lives.mates(person) if p not in movers]
    return {"mover": movers, "successor": staying[:1]}, {"on": _day(lives, chance), "relations": _related(lives)}


def _move_in(lives: Lives, chance: Random) -> Any:
    person = _someone(lives, chance, lambda p: lives.home(p) is None)
    if person is None or not (values := _settled(lives, chance, person)):
        return None
    return {"mover": [person]}, values


def _set_up(lives: Lives, chance: Random) -> Any:
    person = _someone(lives, chance, lambda p: lives.home(p) is None)
    if person is None:
        return None
    others = [p for p in lives.facts if p != person and lives.home(p) is None and chance.random() < 0.3]
    values = {"on": _day(lives, chance), "division": chance.choice((QINGFENG, SHIQIAO)), "relations": _related(lives)}
    return {"head": [person], "member": others}, values


def _split(lives: Lives, chance: Random) -> Any:
    person = _someone(lives, chance)
    members = [p for p in lives.mates(person) if chance.random() < 0.4]
    staying = [p for p in lives.mates(person) if p not in members]
    values = {"on": _day(lives, chance), "division": chance.choice((QINGFENG, SHIQIAO)), "relations": _related(lives)}
    return {"head": [person], "member": members, "successor": staying[:1]}, values


def _join(lives: Lives, chance: Random) -> Any:
    person = _someone(lives, chance)
    movers = [person, *(p for p in lives.mates(person) if chance.random() < 0.3)]
    staying = [p for p in lives.mates(person) if p not in movers]
    values = _settled(lives, chance, person)
    return ({"mover": movers, "successor": staying[:1]}, values) if values else None


def _marriage(lives: Lives, chance: Random) -> Any:
    one = _someone(lives, chance, lambda p: lives.spouse(p) is None)
    other = _someone(lives, chance, lambda p: lives.spouse(p) is None and p != one)
    if one is None or other is None:
        return None
    return {"one": [one], "other": [other]}, {"on": _day(lives, chance), "status_one": "21", "status_other": "22"}


def _divorce(lives: Lives, chance: Random) -> Any:
    one = _someone(lives, chance, lambda p: lives.spouse(p) is not None)
    return None if one is None else ({"one": [one], "other": [lives.spouse(one)]}, {"on": _day(lives, chance)})


def _head(lives: Lives, chance: Random) -> Any:
    return {"head": [_someone(lives, chance)]}, {"on": _day(lives, chance), "relations": _related(lives)}


def _correction(lives: Lives, chance: Random) -> Any:
    person = _someone(lives, chance)
    values = {"on": _day(lives, chance), "kind": "41"}
    born = (lives.facts[person]["state"] or {}).get("birth_on")
    if born is None:
        return None
    near = date.fromisoformat(born) + timedelta(days=chance.randrange(-20, 20))
    return {"person": [person]}, {**values, "birth_on": min(near, lives.today).isoformat()}


def _cancellation(lives: Lives, chance: Random) -> Any:
    person = _someone(lives, chance)
    values = {"on": _day(lives, chance), "reason": "3", "kind": "2", "relations": _related(lives)}
    return {"person": [person], "successor": _leaving(lives, chance, person)}, values


def _restoration(lives: Lives, chance: Random) -> Any:
    person = _someone(lives, chance, lambda p: lives.home(p) is None)
    if person is None or not (values := _settled(lives, chance, person)):
        return None
    return {"person": [person]}, values


def _adoption(lives: Lives, chance: Random) -> Any:
    child = _someone(lives, chance)
    parent = _someone(lives, chance, lambda p: p != child)
    values = _settled(lives, chance, child)
    if parent is None or not values:
        return None
    role = "mother" if (lives.facts[parent]["state"] or {}).get("sex") == "2" else "father"
    return {"child": [child], role: [parent]}, values


def _merge(lives: Lives, chance: Random) -> Any:
    one = _someone(lives, chance)
    other = _someone(lives, chance, lambda p: p != one)
    homes = [lives.home(one), lives.home(other)]
    chosen = chance.choice(homes) if None not in homes and homes[0] != homes[1] else None
    return {"person": [one], "other": [other]}, {"on": _day(lives, chance), "ground": "-", "household": chosen}


def _living_at(lives: Lives, chance: Random) -> Any:
    return {"person": [_someone(lives, chance)]}, {
        "on": _day(lives, chance),
        "division": chance.choice((QINGFENG, SHIQIAO)),
    }


def _living_no_more(lives: Lives, chance: Random) -> Any:
    return {"person": [_someone(lives, chance)]}, {"on": _day(lives, chance)}


HAPPENS: dict[str, Any] = {
    "birth": _birth,
    "arrival": _arrival,
    "death": _death,
    "move_out": _move_out,
    "move_in": _move_in,
    "set_up_household": _set_up,
    "split_household": _split,
    "join_household": _join,
    "marriage_note": _marriage,
    "divorce_note": _divorce,
    "change_of_head": _head,
    "change_correction": _correction,
    "cancellation": _cancellation,
    "restoration": _restoration,
    "adoption": _adoption,
    "residence_registration": _living_at,
    "residence_end": _living_no_more,
    "merge": _merge,
}

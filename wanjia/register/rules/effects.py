"""The named effects of events (pure): what a registered event does to persons and households, as acts of rules/folding.py.

A file of a kind names an effect and says what it changes; a new effect is one function here. Effects read the scene as it was before the event.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from wanjia.register.declared.events import EffectUse
from wanjia.register.rules.folding import PIECES, STATE_COLUMNS, open_piece, piece_on
from wanjia.register.rules.scene import Scene

Done = tuple[int, dict[str, Any]]
HEAD, ACTIVE, CANCELLED, WIDOWED = "02", "1", "2", "30"
MARRIED = ("20", "21", "22", "23")


@dataclass(frozen=True)
class NamedEffect:
    """An effect and the keys its declaration must have."""

    run: Callable[[Scene, EffectUse], Iterable[Done]]
    needs: tuple[str, ...]


EFFECTS: dict[str, NamedEffect] = {}


def _named(*needs: str) -> Callable[[Callable], Callable]:
    def keep(run: Callable[[Scene, EffectUse], Iterable[Done]]) -> Callable:
        EFFECTS[run.__name__] = NamedEffect(run, needs)
        return run

    return keep


def acts(scene: Scene) -> list[Done]:
    """(person, act) of the event, in the declared order of effects."""
    return [done for use in scene.kind.effects if scene.holds(use.when) for done in EFFECTS[use.do].run(scene, use)]


def needs_number(scene: Scene) -> EffectUse | None:
    """The effect by which a number must be issued, if there is one that holds."""
    return next((use for use in scene.kind.effects if use.do == "number" and scene.holds(use.when)), None)


def makes_household(scene: Scene) -> bool:
    """Whether the event sets up a household."""
    return any(use.do == "set_up" and scene.holds(use.when) for use in scene.kind.effects)


def begin(fact: str, kind: str, day: str, **values: Any) -> dict[str, Any]:
    """The act by which a piece begins, and whatever held of that kind ends."""
    return {"do": "begin", "fact": fact, "kind": kind, "from": day, "values": values}


def end(fact: str, kind: str, day: str) -> dict[str, Any]:
    """The act by which a piece ends."""
    return {"do": "end", "fact": fact, "kind": kind, "from": day}


@_named("person", "set")
def found(scene: Scene, use: EffectUse) -> Iterable[Done]:
    """A new person, with the state columns in `set`."""
    for person in scene.all_of(use.person):
        yield person, {"do": "found", "set": {column: _plain(scene.value(spec)) for column, spec in use.set.items()}}


@_named("person")
def number(scene: Scene, use: EffectUse) -> Iterable[Done]:
    """A citizen number is issued: nothing of it is a fact outside the vault."""
    return ()


@_named("person", "set")
def state(scene: Scene, use: EffectUse) -> Iterable[Done]:
    """Columns of the person's state hold these values."""
    for person in scene.all_of(use.person):
        yield person, {"do": "state", "set": {column: _plain(scene.value(spec)) for column, spec in use.set.items()}}


@_named("person")
def say(scene: Scene, use: EffectUse) -> Iterable[Done]:
    """Only the dossier says something (`says`)."""
    for person in scene.all_of(use.person):
        yield person, {"do": "touch"}


@_named("person", "on")
def born(scene: Scene, use: EffectUse) -> Iterable[Done]:
    """The day of birth was entered wrong."""
    for person in scene.all_of(use.person):
        yield person, {"do": "born", "on": scene.day(use.on)}


@_named("person", "household", "relation")
def join(scene: Scene, use: EffectUse) -> Iterable[Done]:
    """Everybody in the part enters the household; `relation` is a code, or a field that says it of each."""
    household = scene.value(use.household)
    for person in scene.all_of(use.person):
        yield person, _membership(scene, household, _relation(scene, use.relation, person), scene.day(use.on))


@_named("person")
def set_up(scene: Scene, use: EffectUse) -> Iterable[Done]:
    """A new household, with `person` as head; `other` come along, with the relations in the field `relation`."""
    day, head = scene.day(use.on), scene.one(use.person)
    for person in dict.fromkeys((*scene.all_of(use.person), *(scene.all_of(use.other) if use.other else ()))):
        relation = HEAD if person == head else _relation(scene, use.relation, person)
        yield person, _membership(scene, scene.new_household, relation, day)


@_named("person")
def leave_household(scene: Scene, use: EffectUse) -> Iterable[Done]:
    """Everybody in the part leaves their household."""
    for person in scene.all_of(use.person):
        yield person, end("membership", "domicile", scene.day(use.on))


@_named("person", "other", "relation")
def succeed(scene: Scene, use: EffectUse) -> Iterable[Done]:
    """Where the head is among those who leave, `other` is head of who stays, with the relations in the field `relation`."""
    leaving = scene.all_of(use.person)
    household = next((scene.household_of(p) for p in leaving if scene.is_head(p)), None)
    if household is None or (successor := scene.one(use.other)) is None:
        return
    yield from _headed(scene, household, successor, scene.others_in(household, leaving), use)


@_named("person", "relation")
def head(scene: Scene, use: EffectUse) -> Iterable[Done]:
    """The person becomes head of their household; what the others are to them is in the field `relation`."""
    chosen = scene.one(use.person)
    household = scene.household_of(chosen)
    if chosen is not None and household is not None:
        yield from _headed(scene, household, chosen, scene.others_in(household), use)


def _headed(scene: Scene, household: int, chosen: int, members: list[int], use: EffectUse) -> Iterable[Done]:
    for person in members:
        relation = HEAD if person == chosen else _relation(scene, use.relation, person)
        yield person, _membership(scene, household, relation, scene.day(use.on))


@_named("person", "relation")
def relation(scene: Scene, use: EffectUse) -> Iterable[Done]:
    """What the person is to the head of their household from that day on."""
    for person in scene.all_of(use.person):
        household = scene.household_of(person)
        if household is not None and not scene.is_head(person):
            yield person, _membership(scene, household, _relation(scene, use.relation, person), scene.day(use.on))


@_named("person", "kind", "division")
def reside(scene: Scene, use: EffectUse) -> Iterable[Done]:
    """Everybody in the part is registered (kind "domicile") or lives ("residence") in a division: a field's, or that of a household's field."""
    code = scene.value(use.division)
    if isinstance(code, int):
        code = scene.placed.get(code)
    if code:
        for person in scene.all_of(use.person):
            values = {"division": code, "division_now": scene.current.get(code, code)}
            yield person, begin("residence", use.kind, scene.day(use.on), **values)


@_named("person", "kind")
def leave_residence(scene: Scene, use: EffectUse) -> Iterable[Done]:
    """Nobody in the part is registered, or lives, there any more."""
    for person in scene.all_of(use.person):
        yield person, end("residence", use.kind, scene.day(use.on))


@_named("person", "other", "kind")
def relate(scene: Scene, use: EffectUse) -> Iterable[Done]:
    """`other` is the mother, father or spouse (`kind`) of `person`; a marriage is both's."""
    one, other = scene.one(use.person), scene.one(use.other)
    if one is None or other is None:
        return
    yield one, begin("relation", use.kind, scene.day(use.on), other_id=other)
    if use.kind == "spouse":
        yield other, begin("relation", use.kind, scene.day(use.on), other_id=one)


@_named("person", "kind")
def part(scene: Scene, use: EffectUse) -> Iterable[Done]:
    """A relation of that kind ends; a marriage for both."""
    for person in scene.all_of(use.person):
        yield person, end("relation", use.kind, scene.day(use.on))
        if use.kind == "spouse" and (other := scene.spouse_of(person)) is not None:
            yield other, end("relation", use.kind, scene.day(use.on))


@_named("person")
def leave(scene: Scene, use: EffectUse) -> Iterable[Done]:
    """Nothing holds of the person any more: dead (`died`), or cancelled. A dead person's spouse is widowed."""
    day = scene.day(use.on)
    for person in scene.all_of(use.person):
        yield person, {"do": "leave", "on": day, "died": use.died}
        yield person, {"do": "state", "set": {"registration_state": CANCELLED}}
        spouse = piece_on(scene.of(person), "relation", "spouse", day) or open_piece(
            scene.of(person), "relation", "spouse"
        )
        if use.died and spouse is not None and open_piece(scene.of(spouse["other_id"]), "relation", "spouse"):
            yield spouse["other_id"], end("relation", "spouse", day)
            yield spouse["other_id"], {"do": "state", "set": {"marital_status": WIDOWED, "marital_since": day}}


@_named("person")
def come_back(scene: Scene, use: EffectUse) -> Iterable[Done]:
    """Somebody taken for dead or gone is registered again."""
    for person in scene.all_of(use.person):
        yield person, {"do": "return"}
        yield person, {"do": "state", "set": {"registration_state": ACTIVE}}


@_named("person", "other", "household")
def merge(scene: Scene, use: EffectUse) -> Iterable[Done]:
    """`person` and `other` are one: `person` stays, with what was held of `other` alone, in the household of the field (else in their own)."""
    one, other = scene.one(use.person), scene.one(use.other)
    if one is None or other is None:
        return
    mine, theirs = scene.of(one), scene.of(other)
    state, said = mine["state"] or {}, theirs["state"] or {}
    lacking = _said_in(said, *(c for c in STATE_COLUMNS if state.get(c) is None))
    if takes_home_of_other(scene, one, other, scene.value(use.household)):
        yield one, {"do": "drop", "fact": "membership", "kind": "domicile"}
        yield one, {"do": "drop", "fact": "residence", "kind": "domicile"}
        lacking |= _said_in(said, "registration_state")
    if open_piece(theirs, "relation", "spouse") and not open_piece(mine, "relation", "spouse"):
        lacking |= _said_in(said, "marital_status", "marital_since")
    if lacking:
        yield one, {"do": "state", "set": lacking}
    for fact in PIECES:
        for piece in theirs[fact]:
            yield one, {"do": "take", "fact": fact, "piece": piece}
    yield other, {"do": "absorb", "into": one}
    for person, facts in scene.facts.items():
        if person not in (one, other) and any(piece["other_id"] == other for piece in facts["relation"]):
            yield person, {"do": "rename", "other_id": other, "into": one}


def _said_in(state: Mapping[str, Any], *columns: str) -> dict[str, Any]:
    return {column: state[column] for column in columns if state.get(column) is not None}


def takes_home_of_other(scene: Scene, one: int, other: int, chosen: Any) -> bool:
    """Whether who stays belongs to the household of who goes: it was chosen, they have none, or it is theirs with the other as its head."""
    mine, theirs = (open_piece(scene.of(p), "membership", "domicile") for p in (one, other))
    if theirs is None:
        return False
    if mine is None:
        return True
    if mine["household_id"] == theirs["household_id"]:
        return theirs["is_head"] and not mine["is_head"]
    return chosen == theirs["household_id"]


@_named("person", "event")
def undo(scene: Scene, use: EffectUse) -> Iterable[Done]:
    """The event in the field is undone (register/api/merging.py folds everybody without it): nothing else happens to anybody."""
    return ()


def _membership(scene: Scene, household: Any, code: str | None, day: str) -> dict[str, Any]:
    values = {"household_id": household, "is_head": code in ("01", HEAD), "relation": code}
    return begin("membership", "domicile", day, **values)


def _relation(scene: Scene, spec: str, person: int) -> str | None:
    said = scene.value(spec)
    return said.get(str(person)) if isinstance(said, dict) else said


def _plain(value: Any) -> Any:
    # a state's days are days, also where a form says the minute
    return value[:10] if isinstance(value, str) and len(value) > 10 and value[4] == value[7] == "-" else value


@_named("person", "other", "relation", "kind")
def split_succeed(scene: Scene, use: EffectUse) -> Iterable[Done]:
    """Where the head is among `person` and `other`, who leave, the part `kind` is head of who stays."""
    leaving = [*scene.all_of(use.person), *scene.all_of(use.other)]
    household = next((scene.household_of(p) for p in leaving if scene.is_head(p)), None)
    if household is not None and (successor := scene.one(use.kind)) is not None:
        yield from _headed(scene, household, successor, scene.others_in(household, leaving), use)

"""The named checks of events (pure). A file of a kind names a check and says what it looks at; a new check is one function here.

A check yields (field or part, what is wrong). `needs` are the keys its declaration must have.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from wanjia.register.declared.events import CheckUse
from wanjia.register.errors import checks as wrong
from wanjia.register.errors.fields import FieldError
from wanjia.register.rules import numbers
from wanjia.register.rules.folding import open_piece, piece_on
from wanjia.register.rules.scene import Scene, years_between

Problem = tuple[str, FieldError]
CANCELLED = "2"
KINDS = {"mother": ("母亲", "mother"), "father": ("父亲", "father")}
#: births of one mother this near are one birth (twins around midnight)
TWIN_DAYS = 3
SHORTEST_PREGNANCY_DAYS = 150


@dataclass(frozen=True)
class NamedCheck:
    """A check and the keys its declaration must have."""

    run: Callable[[Scene, CheckUse], Iterable[Problem]]
    needs: tuple[str, ...]


CHECKS: dict[str, NamedCheck] = {}


def _named(*needs: str) -> Callable[[Callable], Callable]:
    def keep(run: Callable[[Scene, CheckUse], Iterable[Problem]]) -> Callable:
        CHECKS[run.__name__] = NamedCheck(run, needs)
        return run

    return keep


def problems(scene: Scene) -> list[Problem]:
    """What the kind's checks object to, in their declared order. The form itself must be in order."""
    return [found for use in scene.kind.checks if scene.holds(use.when) for found in CHECKS[use.rule].run(scene, use)]


def _label(scene: Scene, key: str) -> dict[str, str]:
    name = scene.kind.fields[key].name
    return {"first_zh": name.zh if name else key, "first_en": name.en if name else key}


@_named("field", "first")
def in_order(scene: Scene, use: CheckUse) -> Iterable[Problem]:
    """The day in `field` is not before the day in `first`."""
    later, first = scene.values.get(use.field), scene.values.get(use.first)
    if later and first and later[:10] < first[:10]:
        yield use.field, wrong.DaysOutOfOrder(**_label(scene, use.first))


@_named("field", "first")
def time_passed(scene: Scene, use: CheckUse) -> Iterable[Problem]:
    """Between `first` and `field` lie `least` days."""
    later, first = scene.values.get(use.field), scene.values.get(use.first)
    if later and first and (date.fromisoformat(later[:10]) - date.fromisoformat(first[:10])).days < use.least:
        yield use.field, wrong.TooSoon(days=use.least, **_label(scene, use.first))


@_named("person", "field")
def after_birth(scene: Scene, use: CheckUse) -> Iterable[Problem]:
    """The day in `field` is not before the person was born."""
    day = scene.values.get(use.field)
    for person in scene.all_of(use.person):
        born = scene.state(person, "birth_on")
        if day and born and day[:10] < born:
            yield use.field, wrong.DaysOutOfOrder(first_zh="出生日期", first_en="day of birth")


@_named("person")
def living(scene: Scene, use: CheckUse) -> Iterable[Problem]:
    """The person was living on the day of the event, or had died at most `least` days before (a father before the birth)."""
    for person in scene.all_of(use.person):
        died = scene.state(person, "died_on")
        if died and (date.fromisoformat(scene.day(use.field)) - date.fromisoformat(died)).days > use.least:
            yield use.person, wrong.PersonNotLiving()


@_named("person")
def not_dead(scene: Scene, use: CheckUse) -> Iterable[Problem]:
    """The person is not registered as dead."""
    if any(scene.state(person, "died_on") for person in scene.all_of(use.person)):
        yield use.person, wrong.PersonNotLiving()


@_named("person", "field")
def parent_age(scene: Scene, use: CheckUse) -> Iterable[Problem]:
    """Between the parent's birth and the child's, the day in `field`, lie `least` to `most` years."""
    born, child = scene.state(scene.one(use.person), "birth_on"), scene.values.get(use.field)
    if born and child and not use.least <= (years := years_between(born, child)) <= use.most:
        yield use.person, wrong.ParentAgeUnlikely(years=years, least=use.least, most=use.most)


@_named("person", "sex")
def sex_is(scene: Scene, use: CheckUse) -> Iterable[Problem]:
    """The person is registered with that sex, or none is known."""
    if scene.state(scene.one(use.person), "sex") not in (None, "0", "9", use.sex):
        yield use.person, wrong.ParentSexWrong()


@_named("person")
def age(scene: Scene, use: CheckUse) -> Iterable[Problem]:
    """The person's age on the day of the event lies from `least` to `most`."""
    for person in scene.all_of(use.person):
        born = scene.state(person, "birth_on")
        if born and not use.least <= (years := years_between(born, scene.day(use.field))) <= use.most:
            yield use.person, wrong.AgeOutside(years=years, least=use.least, most=use.most)


@_named("person")
def monogamy(scene: Scene, use: CheckUse) -> Iterable[Problem]:
    """The person has no spouse on the day of the event, nor later."""
    for person in scene.all_of(use.person):
        facts = scene.of(person)
        if piece_on(facts, "relation", "spouse", scene.day(use.field)) or open_piece(facts, "relation", "spouse"):
            yield use.person, wrong.AlreadyMarried()


@_named("person", "other")
def married_together(scene: Scene, use: CheckUse) -> Iterable[Problem]:
    """The two are each other's spouse now."""
    one, other = scene.one(use.person), scene.one(use.other)
    if one is not None and other is not None and (scene.spouse_of(one) != other or scene.spouse_of(other) != one):
        yield use.other, wrong.NotMarriedTogether()


@_named("person", "other")
def different(scene: Scene, use: CheckUse) -> Iterable[Problem]:
    """Nobody plays both parts."""
    if set(scene.all_of(use.person)) & set(scene.all_of(use.other)):
        yield use.other, wrong.SamePersonTwice()


@_named("person")
def domiciled(scene: Scene, use: CheckUse) -> Iterable[Problem]:
    """Everybody in the part belongs to a household now."""
    if any(scene.household_of(person) is None for person in scene.all_of(use.person)):
        yield use.person, wrong.NotDomiciled()


@_named("person")
def not_domiciled(scene: Scene, use: CheckUse) -> Iterable[Problem]:
    """Nobody in the part belongs to a household now: a move-in without a move-out stops here."""
    if any(scene.household_of(person) is not None for person in scene.all_of(use.person)):
        yield use.person, wrong.StillDomiciled()


@_named("person")
def cancelled(scene: Scene, use: CheckUse) -> Iterable[Problem]:
    """The person's registration is cancelled, by death or otherwise."""
    for person in scene.all_of(use.person):
        if scene.state(person, "registration_state") != CANCELLED and not scene.state(person, "died_on"):
            yield use.person, wrong.NotCancelled()


@_named("person", "household")
def member(scene: Scene, use: CheckUse) -> Iterable[Problem]:
    """Everybody in the part belongs to the household in the field."""
    wanted = scene.values.get(use.household)
    if wanted is not None and any(scene.household_of(person) != wanted for person in scene.all_of(use.person)):
        yield use.person, wrong.NotOfHousehold()


@_named("person", "other")
def same_household(scene: Scene, use: CheckUse) -> Iterable[Problem]:
    """All in both parts belong to one household."""
    both = {scene.household_of(person) for person in (*scene.all_of(use.person), *scene.all_of(use.other))}
    if len(both) > 1 or None in both:
        yield use.other, wrong.NotOfHousehold()


@_named("person", "household")
def other_household(scene: Scene, use: CheckUse) -> Iterable[Problem]:
    """Nobody in the part belongs to the household in the field already."""
    wanted = scene.values.get(use.household)
    if wanted is not None and any(scene.household_of(person) == wanted for person in scene.all_of(use.person)):
        yield use.household, wrong.NotInCollective()


@_named("person")
def others_remain(scene: Scene, use: CheckUse) -> Iterable[Problem]:
    """Somebody stays in the household that the part leaves."""
    leaving = scene.all_of(use.person)
    if leaving and not scene.others_in(scene.household_of(leaving[0]), leaving):
        yield use.person, wrong.OthersExpected()


@_named("person", "other", "field")
def succeeded(scene: Scene, use: CheckUse) -> Iterable[Problem]:
    """Where the head is among those who leave and others stay, `other` becomes head, and `field` says what everybody is to the new head."""
    yield from _unsucceeded(scene, scene.all_of(use.person), use.other, use.field)


@_named("person", "field")
def relations_complete(scene: Scene, use: CheckUse) -> Iterable[Problem]:
    """`field` says what every other member of the household of `person` is to them."""
    head = scene.one(use.person)
    yield from _incomplete(scene, use.field, scene.others_in(scene.household_of(head), [head] if head else []))


@_named("person", "field")
def movers_related(scene: Scene, use: CheckUse) -> Iterable[Problem]:
    """`field` says what everybody in the part is to the head; with `other`, all but who plays that part."""
    heads = scene.all_of(use.other) if use.other else []
    yield from _incomplete(scene, use.field, [p for p in scene.all_of(use.person) if p not in heads])


def _unsucceeded(scene: Scene, leaving: Sequence[int], successor_in: str, relations_in: str) -> Iterable[Problem]:
    """What is wrong where a head is among those who leave and others stay: no successor among these, or relations to them left out."""
    household = next((scene.household_of(p) for p in leaving if scene.is_head(p)), None)
    staying = scene.others_in(household, leaving)
    if household is None or not staying:
        return
    successor = scene.one(successor_in)
    if successor not in staying:
        yield successor_in, wrong.HeadNotSucceeded()
        return
    yield from _incomplete(scene, relations_in, [p for p in staying if p != successor])


def _incomplete(scene: Scene, key: str, members: list[int]) -> Iterable[Problem]:
    said = scene.values.get(key) or {}
    missing = [person for person in members if said.get(str(person)) in (None, "", "01", "02")]
    if missing:
        yield key, wrong.RelationsIncomplete(count=len(missing))


@_named("field")
def number_free(scene: Scene, use: CheckUse) -> Iterable[Problem]:
    """Nobody but `person` holds the number in the field."""
    number = scene.values.get(use.field)
    if number and set(scene.holders.get(number, ())) - set(scene.all_of(use.person) if use.person else ()):
        yield use.field, wrong.NumberTaken()


@_named("field")
def number_fits(scene: Scene, use: CheckUse) -> Iterable[Problem]:
    """The number says the day of birth of the field `first` (or of `person`), and the sex of the field `kind` (or of `person`)."""
    number = scene.values.get(use.field)
    if not number:
        return
    born = scene.values.get(use.first) if use.first else scene.state(scene.one(use.person), "birth_on")
    sex = scene.values.get(use.kind) if use.kind else scene.state(scene.one(use.person), "sex")
    if (born and number[6:14] != born[:10].replace("-", "")) or not numbers.parity_fits(number, sex):
        yield use.field, wrong.NumberAgainstForm()


@_named("person", "field")
def twins(scene: Scene, use: CheckUse) -> Iterable[Problem]:
    """The mother has no other child whose birth lies so near that it can be neither a twin's nor a sibling's."""
    mother, born = scene.one(use.person), scene.values.get(use.field)
    if mother is None or not born:
        return
    for facts in scene.facts.values():
        piece = open_piece(facts, "relation", "mother")
        if piece and piece["other_id"] == mother and facts["state"] and facts["state"]["birth_on"]:
            days = abs((date.fromisoformat(born[:10]) - date.fromisoformat(facts["state"]["birth_on"])).days)
            if TWIN_DAYS < days < SHORTEST_PREGNANCY_DAYS:
                yield use.field, wrong.BornTwice(days=days)
                return


@_named("person", "kind")
def no_parent(scene: Scene, use: CheckUse) -> Iterable[Problem]:
    """The person has no mother, or no father (`kind`), in the register; `other` may be the one who is there."""
    piece = open_piece(scene.of(scene.one(use.person)), "relation", use.kind)
    if piece and piece["other_id"] != (scene.one(use.other) if use.other else None):
        zh, en = KINDS[use.kind]
        yield use.person, wrong.AlreadyRelated(kind_zh=zh, kind_en=en)


@_named("person")
def paired(scene: Scene, use: CheckUse) -> Iterable[Problem]:
    """The other half is registered, not used yet, and about everybody in the part."""
    pair = scene.pair
    if pair is None or pair["is_used"] or not set(scene.all_of(use.person)) <= set(pair["people"]):
        yield use.person, wrong.PairMissing(kind_zh=use.kind or "迁出", kind_en=use.kind or "move-out")


@_named("person")
def paired_if_cancelled(scene: Scene, use: CheckUse) -> Iterable[Problem]:
    """Whose registration was cancelled, it was by the other half, which is registered and not used yet; all else is for a restoration."""
    gone = {one for one in scene.all_of(use.person) if scene.state(one, "registration_state") == CANCELLED}
    pair = scene.pair
    if gone and (pair is None or pair["is_used"] or not gone <= set(pair["people"])):
        yield use.person, wrong.PairMissing(kind_zh=use.kind or "迁出", kind_en=use.kind or "move-out")


@_named("person")
def not_head(scene: Scene, use: CheckUse) -> Iterable[Problem]:
    """Nobody in the part is head of a household that has other members."""
    for person in scene.all_of(use.person):
        if scene.is_head(person) and scene.others_in(scene.household_of(person), [person]):
            yield use.person, wrong.HeadNotSucceeded()


@_named("person", "other")
def household_keeps_somebody(scene: Scene, use: CheckUse) -> Iterable[Problem]:
    """`person` leaves with `other`, and somebody stays."""
    leaving = [*scene.all_of(use.person), *scene.all_of(use.other)]
    if leaving and not scene.others_in(scene.household_of(leaving[0]), leaving):
        yield use.person, wrong.OthersExpected()


@_named("person", "other", "field", "kind")
def split_succeeded(scene: Scene, use: CheckUse) -> Iterable[Problem]:
    """Where the head is among `person` and `other`, who leave, the part `kind` is head of who stays, with relations in `field`."""
    yield from _unsucceeded(scene, [*scene.all_of(use.person), *scene.all_of(use.other)], use.kind, use.field)


@_named("person")
def marriage_age(scene: Scene, use: CheckUse) -> Iterable[Problem]:
    """A man of 22, a woman of 20 (民法典第一千零四十七条)."""
    for person in scene.all_of(use.person):
        born, least = scene.state(person, "birth_on"), 20 if scene.state(person, "sex") == "2" else 22
        if born and (years := years_between(born, scene.day(use.field))) < least:
            yield use.person, wrong.AgeOutside(years=years, least=least, most=use.most)


@_named("person", "other", "household")
def one_person(scene: Scene, use: CheckUse) -> Iterable[Problem]:
    """`person` and `other` can be one: nothing that is held of both says they are two, and nobody is at work on either."""
    one, other = scene.one(use.person), scene.one(use.other)
    if one is None or other is None:
        return
    mine, theirs, double = scene.of(one), scene.of(other), scene.double
    if double.is_sealed:
        yield use.other, wrong.ProtectedNotMerged()
    if double.are_numbers_apart:
        yield use.other, wrong.TwoSoundNumbers()
    if double.cases:
        yield use.other, wrong.CasesOpen(count=len(double.cases), numbers=", ".join(map(str, double.cases[:5])))
    if bool(scene.state(one, "died_on")) != bool(scene.state(other, "died_on")):
        yield use.other, wrong.OneIsDead()
    if any(p["other_id"] == b for a, b in ((mine, other), (theirs, one)) for p in a["relation"]):
        yield use.other, wrong.RelatedToEachOther()
    spouses = {scene.spouse_of(one), scene.spouse_of(other)} - {None}
    if len(spouses) > 1:
        yield use.other, wrong.TwoSpouses()
    homes = [scene.household_of(one), scene.household_of(other)]
    chosen = scene.values.get(use.household)
    if chosen is not None and chosen not in homes:
        yield use.household, wrong.NotOfHousehold()
    elif None not in homes and homes[0] != homes[1]:
        if chosen is None:
            yield use.household, wrong.HouseholdNotChosen()
        left = one if chosen == homes[1] else other
        if scene.is_head(left) and scene.others_in(scene.household_of(left), [left]):
            yield use.household, wrong.HeadNotSucceeded()


@_named("person")
def resident(scene: Scene, use: CheckUse) -> Iterable[Problem]:
    """Everybody in the part has a registered residence now."""
    if any(open_piece(scene.of(person), "residence", "residence") is None for person in scene.all_of(use.person)):
        yield use.person, wrong.NotDomiciled()

"""Two entries made one, looked at beforehand and undone again: a merge is an event (ADR 0010), so the rest of its life is that of any case."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from django.db import connection, transaction

from wanjia.access.models import Account
from wanjia.kernel import clock
from wanjia.privacy import api as privacy
from wanjia.register.api import registering
from wanjia.register.api.casework import enter, opened, people_of, reach, stepped, verbs_of
from wanjia.register.api.declaring import event_book
from wanjia.register.api.doubles import Looked, are_numbers_apart, carried, look, look_at_names, open_both
from wanjia.register.api.explaining import Belief, beliefs
from wanjia.register.api.forms import Judged, judge, told_of_check
from wanjia.register.api.staging import acts_of_scene, listed, makes_one, rehearsed_scene
from wanjia.register.declared import EventKind
from wanjia.register.errors import FieldError, FormRefused
from wanjia.register.errors.checks import NothingToUndo, SamePersonTwice
from wanjia.register.models import Event, EventParty
from wanjia.register.rules import checks
from wanjia.register.rules.effects import takes_home_of_other
from wanjia.register.rules.folding import Facts, fold
from wanjia.standards import api as standards

MERGE, UNMERGE = "merge", "unmerge"
#: fields that go with the household
HOME = ("household_number", "address")


@dataclass(frozen=True)
class Beside:
    """One value of two persons, beside each other. `stays`: "person" or "other", whose value holds afterwards; `field`: the form's field by which the
    other's is chosen, where one may choose.
    """

    column: str
    mine: Belief | None
    theirs: Belief | None
    stays: str
    field: str = ""

    @property
    def element(self) -> str:
        """The element the column is of."""
        return (self.mine or self.theirs).element

    @property
    def differs(self) -> bool:
        """Whether both say something, and not the same."""
        return self.mine is not None and self.theirs is not None and self.mine.value != self.theirs.value


@dataclass(frozen=True)
class Preview:
    """What a merge would do, before anything is done.

    `values`: those the purpose shows; facts are those of rules/folding.py: of both before, of who stays afterwards; `renamed`: whose relative would
    be another person; `problems`: field or part → why it cannot be; `form`: the case's form for just this.
    """

    person: int
    other: int
    values: list[Beside]
    mine: Facts
    theirs: Facts
    after: Facts
    renamed: list[int]
    problems: Mapping[str, list[FieldError]]
    form: Mapping[str, Any]


def preview_merge(
    form: Mapping[str, Any], *, take: Collection[str] = (), case: int = 0, officer: Account, purpose: str
) -> Preview:
    """What a merge by this form would do; `take`: fields of the form in which the other's value is chosen; `case`: whose form it is, if it is one's.

    Changes nothing; both dossiers are opened, and the check is traced for both, before this returns. Never called inside a transaction.

    Raises `RightMissing`, `PurposeUnknown`, `FormRefused` (nobody, or no two persons, within reach), `OutsideArea`.
    """
    enter(officer, purpose)
    kind = event_book().kind(MERGE)
    judged = judge(kind, form, officer=officer, purpose=purpose, today=clock.today())
    at_parties = {key: said for key, said in judged.problems.items() if kind.party(key)}
    one, other = (next(iter(judged.people.get(role, ())), None) for role in ("person", "other"))
    if one is not None and one == other:
        at_parties = {"other": [SamePersonTwice()]}
    if at_parties or one is None or other is None:
        raise FormRefused(at_parties, people=judged.everybody)
    why = f"{purpose}:{MERGE}"
    marks = privacy.number_marks([one, other])
    mine, theirs, shown = open_both(one, other, officer=officer, purpose=purpose, why=why)
    looked = Looked(are_numbers_apart(mine, theirs), marks, *carried(mine, theirs))
    judged.values["on"] = judged.values.get("on") or clock.today().isoformat()
    held, said = beliefs_of(mine), beliefs_of(theirs)
    with transaction.atomic(), connection.cursor() as cursor:
        scene = rehearsed_scene(cursor, kind, judged, looked=looked, case=case)
        if takes_home_of_other(scene, one, other, judged.values.get("household")):
            take = {*take, *HOME}
        chosen = {
            key: said[field.element].value
            for key, field in kind.fields.items()
            if key in take and field.element in said and field.element in held
        }
        judged.values |= chosen
        problems = {**judged.problems}
        for where, found in listed(checks.problems(scene)).items():
            problems[where] = [*problems.get(where, ()), *found]
        told_of_check(problems, judged.everybody, officer=officer, why=why, kind=kind.code)
    acts = acts_of_scene(scene)
    return Preview(
        person=one,
        other=other,
        values=[one for one in _beside(kind, held, said, judged.values) if one.element in shown],
        mine=scene.of(one),
        theirs=scene.of(other),
        after=fold(scene.of(one), acts.get(one, ())),
        renamed=sorted(p for p, done in acts.items() if any(act["do"] == "rename" for act in done)),
        problems=problems,
        form={
            "values": {**form.get("values", {}), "on": judged.values["on"], **chosen},
            "people": {"person": one, "other": other},
            "declarant": form.get("declarant", ""),
        },
    )


def beliefs_of(dossier: privacy.Dossier) -> dict[str, Belief]:
    """Column → what holds and why."""
    return {one.column: one for one in beliefs(dossier, standards.load_profile().elements.values())}


def _beside(
    kind: EventKind, mine: Mapping[str, Belief], theirs: Mapping[str, Belief], chosen: Mapping[str, Any]
) -> list[Beside]:
    elements = standards.load_profile().elements.values()
    fields = {one.element: key for key, one in kind.fields.items() if one.element}
    held = {one.element for one in mine.values()}
    columns = dict.fromkeys(part.key for element in elements for part in element.columns)
    return [
        Beside(
            column, mine.get(column), theirs.get(column),
            "other" if _is_of_other(column, mine, theirs, held, chosen.get(fields.get(column, ""))) else "person",
            fields.get(column, ""),
        )
        for column in columns
        if column in mine or column in theirs
    ]  # fmt: skip


def _is_of_other(
    column: str, mine: Mapping[str, Belief], theirs: Mapping[str, Belief], held: set[str], chosen: Any
) -> bool:
    if column not in theirs:
        return False
    if chosen not in (None, ""):
        return str(chosen) == theirs[column].value and (
            column not in mine or mine[column].value != theirs[column].value
        )
    return theirs[column].element not in held


def look_before(case_id: int, verb: str, *, officer: Account, purpose: str) -> Looked | None:
    """Before a merge is registered: what the dossiers of both say, opened for who decides; before a birth is said anew: the person's names. None for
    all else.

    Never called inside a transaction. Raises `CaseUnknown`, `OutsideArea`.
    """
    if verb != "register":
        return None
    # of nearly every case the kind says that nobody need be looked at
    code = Event.objects.filter(pk=case_id).values_list("kind", flat=True).first()
    kind = event_book().kinds.get(code)
    if kind is None or not (makes_one(kind) or (born := _born_anew(kind))):
        return None
    with transaction.atomic():
        event = Event.objects.filter(pk=case_id).first()
        if event is None:
            return None
        reach(event, officer, purpose)
        people = people_of(event)
        if not makes_one(kind) and not (opened(event).get("judged") or {}).get("values", {}).get(born[0]):
            return None
    if not makes_one(kind):
        one = next(iter(people.get(born[1], ())), None)
        if one is None or verb not in verbs_of(event, officer):
            return None
        return look_at_names(one, officer=officer, purpose=purpose, why=f"{purpose}:{case_id}")
    both = [next(iter(people.get(role, ())), None) for role in ("person", "other")]
    if None in both or verb not in verbs_of(event, officer):
        return None
    return look(*both, officer=officer, purpose=purpose, why=f"{purpose}:{case_id}")


def _born_anew(kind: EventKind) -> tuple[str, str] | None:
    """(field, part) by which events of the kind say a birth date of somebody whom the register holds already."""
    known = {party.role for party in kind.parties if not party.is_new}
    return next(
        ((key, one.of) for key, one in kind.fields.items() if one.element == "birth_on" and one.of in known), None
    )


def undoes(kind: EventKind) -> bool:
    """Whether events of the kind undo others."""
    return any(use.do == "undo" for use in kind.effects)


def undo_case(event: Event, kind: EventKind, judged: Judged, *, officer: Account, purpose: str) -> None:
    """Everybody of the merge that the case names is as before it; the caller holds the case's row.

    Raises `FormRefused` (no such merge), `LaterEventStands`, `DeciderNotAllowed`, `RegisterBusy`, `HouseholdWouldBreak`.
    """
    use = next(use for use in kind.effects if use.do == "undo")
    person = next(iter(judged.people.get(use.person, ())), None)
    undone = _standing(judged.values.get(use.event), kind, person)
    if undone is None:
        raise FormRefused({use.event: [NothingToUndo()]}, people=judged.everybody)
    registering.ensure_decider(officer, kind, event.office)
    event.about = undone
    event.happened_on = clock.today()
    registering.revoke_case(undone, event, officer=officer, purpose=purpose)
    stepped(undone, "revoke", event_book().lifecycle.move("revoke").to, officer, judged.values.get("ground") or "")
    known = set(EventParty.objects.filter(event=event).values_list("person_id", flat=True))
    EventParty.objects.bulk_create(
        [
            EventParty(event=event, role=p.role, person_id=p.person_id)
            for p in EventParty.objects.filter(event=undone)
            if p.person_id not in known
        ]
    )


def _standing(number: Any, kind: EventKind, person: int | None) -> Event | None:
    """The counting event of that number which only events of `kind` undo, about the person; its row locked."""
    codes = [one.code for one in event_book().kinds.values() if one.undone_by == kind.code]
    standing = Event.objects.select_for_update().filter(kind__in=codes, status__in=event_book().counting)
    event = standing.filter(pk=number or 0).first()
    if event is None:
        return None
    with connection.cursor() as cursor:
        cursor.execute("SELECT EXISTS (SELECT FROM register_people_of(%s) WHERE person_id = %s)", [event.pk, person])
        return event if cursor.fetchone()[0] else None


def merges_of(person_id: int) -> list[int]:
    """Case numbers of the standing merges that others were taken into this person by, the newest first."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT DISTINCT r.event_id FROM register_personredirect r JOIN register_event e ON e.id = r.event_id"
            " WHERE r.person_id = %s AND e.kind = %s ORDER BY 1 DESC",
            [person_id, MERGE],
        )
        return [row[0] for row in cursor.fetchall()]

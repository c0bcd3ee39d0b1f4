"""From a judged form to the scene its rules look at, to acts, and to what the vault is told."""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from wanjia.kernel import clock
from wanjia.privacy import api as privacy
from wanjia.privacy.api import BlindKind, Said
from wanjia.register import rules
from wanjia.register.api.declaring import event_book
from wanjia.register.api.doubles import Looked, double_of
from wanjia.register.api.finding import subjects_of
from wanjia.register.api.forms import Judged
from wanjia.register.api.matching import address_forms, initials_of, match_forms
from wanjia.register.api.redirecting import forwarded
from wanjia.register.api.settling import Held, read, say_writing
from wanjia.register.declared import EventKind
from wanjia.register.errors import FieldError
from wanjia.register.rules import checks, effects
from wanjia.register.rules.folding import Act, Facts, nothing
from wanjia.register.rules.scene import Scene
from wanjia.standards import api as standards

#: ids of the new persons of a scene that is only rehearsed
REHEARSED = -1
#: what an act changes is also said in the dossier: state column → column of the profile
STATED = {
    "sex": "sex",
    "birth_on": "birth_on",
    "registration_state": "registration_state",
    "marital_status": "marital_status",
}
PLACED = {"domicile": "domicile_division", "residence": "residence_division"}
ADDRESSES = ("domicile_address", "residence_address")
SOUGHT = {
    "name": (BlindKind.NAME, BlindKind.PINYIN),
    "former_name": (BlindKind.NAME,),
    "citizen_number": (BlindKind.NUMBER,),
    "household_number": (BlindKind.HOUSEHOLD,),
    "mother_number": (BlindKind.MOTHER_NUMBER,),
    "father_number": (BlindKind.FATHER_NUMBER,),
    "spouse_number": (BlindKind.SPOUSE_NUMBER,),
}


def rehearsed(
    cursor: Any, kind: EventKind, judged: Judged, *, looked: Looked | None = None, case: int = 0
) -> dict[str, list[FieldError]]:
    """What the checks object to, without locking or changing anything."""
    return listed(checks.problems(rehearsed_scene(cursor, kind, judged, looked=looked, case=case)))


def rehearsed_scene(
    cursor: Any, kind: EventKind, judged: Judged, *, looked: Looked | None = None, case: int = 0
) -> Scene:
    """The scene as it would be if the event were registered now."""
    concerned = concerned_by(cursor, judged, households_of(cursor, kind, judged))
    say_writing(cursor, concerned)
    new = {p.role: REHEARSED for p in kind.parties if p.is_new}
    return scene_of(cursor, kind, judged, read(cursor, concerned), new=new, looked=looked, case=case)


def listed(found: Iterable[tuple[str, FieldError]]) -> dict[str, list[FieldError]]:
    """Field → sentences."""
    problems: dict[str, list[FieldError]] = {}
    for where, problem in found:
        problems.setdefault(where, []).append(problem)
    return problems


def households_of(cursor: Any, kind: EventKind, judged: Judged) -> list[int]:
    """The households an event touches: those its parties belong to, and those its form names."""
    cursor.execute("SELECT household_id FROM register_homes(%s)", [judged.everybody])
    homes = {row[0] for row in cursor.fetchall()}
    named = {judged.values.get(key) for key, one in kind.fields.items() if one.type == "household"}
    return sorted(homes | {one for one in named if one is not None})


def concerned_by(cursor: Any, judged: Judged, households: list[int]) -> list[int]:
    """Everybody whose facts the rules may look at: the parties, members of the households, spouses, and those whose relatives the parties are."""
    cursor.execute("SELECT person_id FROM register_concerned(%s, %s)", [judged.everybody, households])
    return sorted({row[0] for row in cursor.fetchall()})


def scene_of(
    cursor: Any,
    kind: EventKind,
    judged: Judged,
    held: Held,
    *,
    new: Mapping[str, int],
    pair: Mapping[str, Any] | None = None,
    looked: Looked | None = None,
    case: int = 0,
) -> Scene:
    """The scene, with the persons `new` (part → id) that the event founds; `looked` and `case` for a kind that makes two persons one."""
    profile = standards.load_profile()
    facts = {**held.facts, **{person: nothing() for person in new.values()}}
    rosters: dict[int, list[int]] = {}
    for person, one in held.facts.items():
        for piece in one["membership"]:
            if piece["to"] is None:
                rosters.setdefault(piece["household_id"], []).append(person)
    cursor.execute("SELECT household_id, division FROM register_places(%s)", [sorted(rosters) + _named(kind, judged)])
    placed = dict(cursor.fetchall())
    codes = {*placed.values(), *(v for k, v in judged.values.items() if kind.fields[k].type == "division" and v)}
    typed = [judged.values.get(key) for key, one in kind.fields.items() if one.type == "identity_number"]
    numbers = [number for number in typed if number]
    scene = Scene(
        kind=kind,
        people={**judged.people, **{role: [person] for role, person in new.items()}},
        values=judged.values,
        facts=facts,
        rosters=rosters,
        today=clock.today(),
        holders={
            number: [forwarded(one) for one in ids]
            for number, ids in (privacy.find_by_blind(BlindKind.NUMBER, numbers).items() if numbers else ())
        },
        placed=placed,
        current={code: _today_of(profile, code) for code in codes},
    )
    scene.pair = pair if pair is not None else pair_of(cursor, scene)
    if makes_one(kind):
        scene.double = double_of(cursor, scene, looked, case)
    return scene


def makes_one(kind: EventKind) -> bool:
    """Whether events of the kind make two persons one."""
    return any(use.do == "merge" for use in kind.effects)


def _named(kind: EventKind, judged: Judged) -> list[int]:
    return [judged.values[k] for k, one in kind.fields.items() if one.type == "household" and judged.values.get(k)]


def _today_of(profile: standards.Profile, code: str) -> str:
    """The code of today for a division; itself where the list does not know it."""
    return profile.divisions.current_code(code) or code


def pair_of(cursor: Any, scene: Scene) -> dict[str, Any] | None:
    """The newest standing event of the kind this goes with, about the first mover: {"event", "people", "is_used"}."""
    movers = [person for ids in scene.people.values() for person in ids if person > 0]
    if not scene.kind.pairs_with or not movers:
        return None
    cursor.execute(
        "SELECT event_id, people, is_used FROM register_pair(%s, %s, %s)",
        [scene.kind.pairs_with, movers, list(event_book().counting)],
    )
    row = cursor.fetchone()
    return None if row is None else {"event": row[0], "people": row[1], "is_used": row[2]}


def acts_of_scene(scene: Scene) -> dict[int, list[Act]]:
    """person → acts of the event, in order."""
    found: dict[int, list[Act]] = {}
    for person, act in effects.acts(scene):
        found.setdefault(person, []).append(act)
    return found


def said_of_scene(
    scene: Scene,
    judged: Judged,
    acts: Mapping[int, list[Act]],
    *,
    issued: Mapping[int, str],
    household_number: str | None,
    match: Mapping[str, Any],
    looked: Looked | None = None,
) -> list[Said]:
    """What the event says of everybody it is about, for the vault: what the form says, what the acts change, what is carried to who stays."""
    kind, day = scene.kind, scene.day()
    columns: dict[int, dict[str, str]] = {person: {} for person in acts}
    if looked and (one := scene.one("person")) is not None:
        columns[one] = dict(looked.carried)
        match = {**looked.match, **match}
    subjects = {person: role for role, ids in scene.people.items() for person in ids}
    for key, one in kind.fields.items():
        value = judged.values.get(key)
        if one.element and one.of and value not in (None, ""):
            for person in scene.all_of(one.of):
                columns.setdefault(person, {})[one.element] = _text(value)
    for person, done in acts.items():
        for act in done:
            columns[person] |= _stated(act, scene, household_number)
    for use in kind.effects:
        if use.says and scene.holds(use.when):
            people = scene.all_of(use.person) + (scene.all_of(use.other) if use.do == "set_up" and use.other else [])
            for person in people:
                said = {column: scene.value(spec) for column, spec in use.says.items()}
                columns.setdefault(person, {}).update({c: _text(v) for c, v in said.items() if v not in (None, "")})
        if use.do == "relate" and scene.holds(use.when) and (number := judged.numbers.get(use.other)):
            for person in scene.all_of(use.person):
                columns.setdefault(person, {})[f"{use.kind}_number"] = number
    for person, number in issued.items():
        columns.setdefault(person, {})["citizen_number"] = number
    tags = tags_of_columns()
    return [
        Said(
            person_id=person,
            subject=subjects.get(person, "member"),
            as_of=day,
            values={tags[column]: value for column, value in said.items() if column in tags},
            searchable=_searchable(said, match, _born_in(scene, person, said), names=looked.names if looked else {}),
        )
        for person, said in columns.items()
        if said
    ]


def match_values(scene_values: Mapping[str, Any], kind: EventKind) -> dict[str, dict[str, str]]:
    """Typed names in the forms by which persons are found: name → {"norm", "pinyin"}. Takes an engine: done when a form is submitted."""
    names = {str(v) for k, v in scene_values.items() if kind.fields[k].element in ("name", "former_name") and v}
    return match_forms(sorted(names)) if names else {}


def tags_of_columns() -> dict[str, str]:
    """Column of the profile → its mark in a dossier."""
    profile = standards.load_profile()
    return {
        column: f"{rules.tag_of(element)}/{column}" if element.parts else rules.tag_of(element)
        for element in profile.elements.values()
        for column in (part.key for part in element.columns)
    }


def _stated(act: Act, scene: Scene, household_number: str | None) -> dict[str, str]:
    """What an act says in the words of the dossier."""
    if act["do"] in ("state", "found"):
        return {STATED[c]: _text(v) for c, v in act["set"].items() if c in STATED and v not in (None, "")}
    if act["do"] == "born":
        return {"birth_on": act["on"]}
    if act["do"] == "begin" and act["fact"] == "membership":
        values = act["values"]
        said = {"relation_to_head": values["relation"]} if values["relation"] else {}
        if household_number and values["household_id"] == scene.new_household:
            said["household_number"] = household_number
        return said
    if act["do"] == "begin" and act["fact"] == "residence":
        return {PLACED[act["kind"]]: act["values"]["division"]}
    return {}


def _born_in(scene: Scene, person: int, said: Mapping[str, str]) -> str:
    """The year of birth that initials are hashed with; empty if nobody knows it."""
    return str(said.get("birth_on") or scene.state(person, "birth_on") or "")[:4]


def _searchable(
    said: Mapping[str, str], match: Mapping[str, Any], born_in: str, *, names: Mapping[str, Any]
) -> list[tuple[BlindKind, str]]:
    """`names`: of who keeps them while the birth is said anew, in the forms by which persons are found."""
    found: list[tuple[BlindKind, str]] = []
    if name := match.get(said.get("name", "")):
        found.append((BlindKind.INITIALS, initials_of(name["pinyin"], born_in)))
    elif "birth_on" in said:
        letters = dict.fromkeys(initials_of(one["pinyin"], born_in) for one in names.values() if one.get("pinyin"))
        found += [(BlindKind.INITIALS, value) for value in letters]
    for column in ADDRESSES:
        doors = [form for form in address_forms(said.get(column, "")) if form[0] is BlindKind.DOOR]
        found += [form for form in doors if form not in found]
    for column, kinds in SOUGHT.items():
        value = said.get(column)
        if not value:
            continue
        if column in ("name", "former_name"):
            forms = match.get(value, {})
            found += [(kind, forms[of]) for kind, of in zip(kinds, ("norm", "pinyin"), strict=False) if forms.get(of)]
        else:
            found += [(kind, value) for kind in kinds]
    return found


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    # moments stand in dossiers as the engine writes them
    return str(value).replace("T", " ") if len(str(value)) == 19 and str(value)[10] == "T" else str(value)


def office_of(scene: Scene) -> str:
    """The division whose office the event belongs to: that of a field, or where the person of a part is registered (or lives)."""
    named = scene.values.get(scene.kind.office)
    if isinstance(named, int):
        return scene.placed.get(named, "")
    if named:
        return str(named)
    return office_of_person(scene.of(scene.one(scene.kind.office)))


def office_before(cursor: Any, kind: EventKind, judged: Judged) -> str:
    """`office_of` without looking at anybody's facts, so that a submitted case is in the right queue."""
    named = judged.values.get(kind.office)
    if isinstance(named, int):
        cursor.execute("SELECT division FROM register_places(%s)", [[named]])
        row = cursor.fetchone()
        return row[0] if row else ""
    if named:
        return str(named)
    person = next(iter(judged.people.get(kind.office, ())), None)
    subject = subjects_of([person]).get(person) if person is not None else None
    return subject.divisions[0] if subject and subject.divisions else ""


def office_of_person(facts: Facts) -> str:
    """Where a person is registered now, else lives now, else was registered last."""
    places = sorted(
        facts["residence"], key=lambda p: (p["to"] is None, p["kind"] == "domicile", p["to"] or "", p["from"] or "")
    )
    return places[-1]["division"] if places else ""


def age_in_days(since: str, until: date) -> int:
    """Days from a day to another."""
    return (until - date.fromisoformat(since[:10])).days


__all__ = [
    "acts_of_scene", "age_in_days", "concerned_by", "households_of", "listed", "makes_one", "match_values", "office_before",
    "office_of", "office_of_person", "pair_of", "rehearsed", "rehearsed_scene", "said_of_scene", "scene_of", "tags_of_columns",
]  # fmt: skip

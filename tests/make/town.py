"""A small town in the register: families in two districts, as the police register would deliver them, resolved and loaded by the real rules."""

from dataclasses import dataclass, field
from datetime import date
from typing import Any

from tests.make import assertions as make
from wanjia.access import api as access
from wanjia.access.models import Account
from wanjia.intake import api as intake
from wanjia.kernel import settings
from wanjia.register import api, rules
from wanjia.register.api.resolving import FACTS
from wanjia.register.rules.numbers import citizen_number
from wanjia.standards import api as standards

WHO = {"by": "test", "why": "test"}
QINGFENG, SHIQIAO = "990104100001", "990105100001"
PURPOSE = "case"


@dataclass
class Town:
    """Who lives there: key → person id, citizen number, household id and number."""

    persons: dict[str, int] = field(default_factory=dict)
    numbers: dict[str, str] = field(default_factory=dict)
    households: dict[str, int] = field(default_factory=dict)
    household_numbers: dict[str, str] = field(default_factory=dict)
    frame: Any = None
    links: Any = None

    def address_of(self, household: str) -> str:
        """The address of a household."""
        return f"云台镇建设街{self.household_numbers[household][-2:]}号"


#: key, household, name, sex, born, relation to head
FAMILIES = [
    ("wei", "A", "王伟", "1", date(1980, 5, 1), "02"),
    ("lan", "A", "李兰", "2", date(1982, 6, 2), "10"),
    ("ming", "A", "王明", "1", date(2008, 7, 3), "22"),
    ("hua", "A", "王华", "2", date(1952, 1, 9), "52"),
    ("qiang", "B", "张强", "1", date(1990, 2, 28), "02"),
    ("fang", "C", "刘芳", "2", date(1992, 3, 1), "02"),
    ("gui", "C", "刘桂", "1", date(1960, 8, 8), "51"),
    ("jie", "D", "陈杰", "1", date(1985, 9, 9), "02"),
    ("min", "D", "赵敏", "2", date(1986, 10, 10), "10"),
    ("xin", "D", "陈欣", "2", date(2012, 2, 29), "32"),
]
#: second entries of 王伟, 赵敏 and 刘桂, from records without a number
DOUBLES = ("wei2", "min2", "gui2", "gui3")
WITH_DOUBLES = [
    *FAMILIES,
    ("wei2", "E", "王卫", "1", date(1980, 5, 1), "02"),
    ("min2", "F", "赵敏", "2", date(1986, 10, 10), "02"),
    ("gui2", "F", "刘桂", "1", date(1960, 8, 8), "51"),
    ("gui3", "G", "刘贵", "1", date(1960, 8, 8), "02"),
]
PLACES = {"A": QINGFENG, "B": QINGFENG, "C": SHIQIAO, "D": SHIQIAO}
PLACES_OF_DOUBLES = {**PLACES, "E": SHIQIAO, "F": QINGFENG, "G": SHIQIAO}


def rows_of(families=FAMILIES, places=PLACES) -> list[dict[str, Any]]:
    """The town's people as rows of a frame of assertions."""
    rows = []
    for place, (_, household, name, sex, born, relation) in enumerate(families):
        division = places[household]
        rows.append(
            {
                "citizen_number": citizen_number(division, born, 101 + 2 * place + (sex == "2")),
                "name": name,
                "sex": sex,
                "birth_on": born,
                "household_number": number_of(household, places),
                "relation_to_head": relation,
                "domicile_division": division,
                "domicile_address": f"云台镇建设街{number_of(household, places)[-2:]}号",
                "registration_state": "1",
                "marital_status": "20" if household in "AD" and relation in ("02", "10") else "10",
                "as_of": date(2025, 1, 1),
            }
        )
    return rows


def number_of(household: str, places=PLACES) -> str:
    """The number of a household of the town: its office and a running number."""
    return f"{places[household][:9]}0000{ord(household[0]):02d}"


def build(engine, families=FAMILIES, places=PLACES, *, unnumbered=()) -> Town:
    """Load the town into the (empty) register; of those `unnumbered` the sources say no citizen number."""
    rows = rows_of(families, places)
    for family, row in zip(families, rows, strict=True):
        if family[0] in unnumbered:
            row["citizen_number"] = None
    town = Town(frame=make.frame(rows))
    ids = town.frame["assertion_id"].to_pylist()
    town.links = make.links(town.frame, ids)
    for (key, household, *_), row, person in zip(families, rows, ids, strict=True):
        town.persons[key], town.numbers[key] = person, row["citizen_number"]
        town.household_numbers[household] = row["household_number"]
        town.households[household] = rules.household_id(None, row["household_number"])
    run(engine, town)
    return town


def run(engine, town: Town):
    """What `wanjia run` does with the town's records: resolve them all and load the whole state."""
    return api.load(resolved(engine, town), **WHO)


class Resolved:
    """A resolution asked once for everything a load asks: the same records resolve to the same, and asking the engine takes seconds."""

    def __init__(self, asked: Any) -> None:
        self.persons, self.engine = asked.persons, asked.engine
        self._rows = {fact.frame: asked.fact_rows(fact) for fact in FACTS}
        self._persons, self._households = asked.person_ids(), asked.household_ids()
        self._dossiers, self._searchable = list(asked.dossiers()), asked.searchable()
        self._by_kind = list(asked.searchable_by_kind())

    def person_ids(self):
        """Ids of everybody."""
        return self._persons

    def household_ids(self):
        """Ids of all households."""
        return self._households

    def fact_rows(self, fact):
        """The rows of one kind of fact."""
        return self._rows[fact.frame]

    def dossiers(self):
        """Everybody's dossier."""
        return iter(self._dossiers)

    def searchable(self):
        """By what people are found."""
        return self._searchable

    def searchable_by_kind(self):
        """The same kind by kind."""
        return iter(self._by_kind)


_resolved: dict[str, Resolved] = {}


def resolved(engine, town: Town) -> Resolved:
    """`resolution`, once for the same records in a test run."""
    key = str(town.frame.to_pylist()) + str(town.links["person_id"].to_pylist())
    if key not in _resolved:
        _resolved[key] = Resolved(resolution(engine, town))
    return _resolved[key]


def resolution(engine, town: Town):
    """What all records of the town resolve to."""
    return api.resolve(
        engine,
        engine.load("town_a", town.frame),
        engine.load("town_l", town.links),
        sources=intake.load_sources(settings.profile_dir()),
        elements=standards.load_profile().elements.values(),
    )


def officer(name: str, area: str, role: str = "officer") -> Account:
    """An account of the registry for a district."""
    return access.open_account(
        username=name, display_name=name, role=role, password=None, area=area, department="GA", **WHO
    )


def register(kind: str, form: dict[str, Any], *, by: Account, second: Account | None = None):
    """A case from draft to registered by one officer (or a second, where the kind asks for one)."""
    case = api.open_case(kind, form, officer=by, purpose=PURPOSE)
    case = api.submit_case(case.id, version=case.version, officer=by, purpose=PURPOSE)
    return api.move_case(case.id, "register", version=case.version, officer=second or by, purpose=PURPOSE)

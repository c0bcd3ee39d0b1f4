"""How persons on a page of several are called: name, sex and birth of each, as far as the purpose shows them, each opened and traced on its own."""

from collections.abc import Iterable
from dataclasses import dataclass

from wanjia.access.api import Action, decide_many
from wanjia.access.models import Account
from wanjia.privacy.api import open_person
from wanjia.privacy.errors import PersonNotInVault
from wanjia.register.api import beliefs, subjects_of
from wanjia.web.words import sex_words, vocabulary

CALLED_BY = ("name", "sex", "birth_on")
#: a collective household may hold hundreds; beyond so many a page shows ids, and nobody else is read
MOST_NAMED = 40


@dataclass(frozen=True)
class Called:
    """What a page calls somebody; empty where the purpose does not show it."""

    name: str = ""
    sex: str = ""
    born: str = ""


def called(person_ids: Iterable[int], *, officer: Account, purpose: str, why: str) -> dict[int, Called]:
    """The first `MOST_NAMED` of these persons whom the account may read for the purpose, in the order given. Each is one read in the trace, as on the
    person's own page; never inside a transaction.
    """
    wanted = list(dict.fromkeys(person_ids))[:MOST_NAMED]
    decided = decide_many(officer, Action.READ, subjects_of(wanted).values(), purpose)
    elements = [element for key, element in vocabulary().elements.items() if key in CALLED_BY]
    found = {}
    for person in wanted:
        decision = decided.get(person)
        shown = [e for e in elements if decision and decision.is_allowed and e.key in decision.elements]
        if not shown:
            continue
        try:
            dossier = open_person(
                person,
                by=officer.username,
                why=why,
                department=officer.department,
                basis=decision.basis,
                fields=sorted(element.key for element in shown),
            )
        except PersonNotInVault:
            continue  # erased: the attempt is in the trace, and the id stands for itself
        held = {belief.column: belief.value for belief in beliefs(dossier, shown)}
        found[person] = Called(
            held.get("name", ""), sex_words(held["sex"]) if "sex" in held else "", held.get("birth_on", "")
        )
    return found

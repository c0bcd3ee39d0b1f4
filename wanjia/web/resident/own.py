"""The one person a resident's pages are about, and what they may have of it."""

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest

from wanjia.access.api import Action, Decision, require_decision
from wanjia.access.errors import NoOwnPerson
from wanjia.privacy.api import Dossier, open_person
from wanjia.register.api import forwarded, person_facts, subject_of

READ_FOR = "own"


@dataclass(frozen=True)
class OwnRecord:
    """The own record as opened: what was decided, the dossier, the register's facts."""

    decision: Decision
    dossier: Dossier
    facts: dict[str, list[dict[str, Any]]]


def own_person(request: HttpRequest) -> int:
    """The person this account stands for, under today's id. Raises `NoOwnPerson`."""
    account = request.user
    if account.person_id is None:
        raise NoOwnPerson()
    # two records found to be one person: the account goes with the person, for this request and without a write
    account.person_id = forwarded(account.person_id)
    return account.person_id


def own_decision(request: HttpRequest) -> Decision:
    """What policies let the resident have of their own record. Raises `NoOwnPerson`, `OutsideArea`."""
    person_id = own_person(request)
    return require_decision(request.user, Action.READ, subject_of(person_id), READ_FOR)


def open_own(request: HttpRequest) -> OwnRecord:
    """Open the own record; that is a read like any other, and the resident finds it among the looks."""
    decision = own_decision(request)
    person_id, by = request.user.person_id, request.user.username
    dossier = open_person(person_id, by=by, why=READ_FOR, basis=decision.basis, fields=sorted(decision.elements))
    facts = person_facts(person_id, by=by, why=READ_FOR, basis=decision.basis, detail=decision.detail())
    return OwnRecord(decision, dossier, facts)

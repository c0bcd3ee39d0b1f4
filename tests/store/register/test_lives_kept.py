"""Random lives in PostgreSQL: the database accepts, refuses and holds exactly what the rules in memory do; and a load changes nothing of it."""

import copy
from random import Random
from typing import Any

import pytest
from django.db import connection, transaction

from tests.generative.register.test_lives import KINDS, ensure_town_is_whole
from tests.make import town as make
from tests.make.lives import Done, Lives
from tests.store.register.test_events import engine, town
from wanjia.privacy.api import number_marks
from wanjia.register import api
from wanjia.register.api import casework, registering
from wanjia.register.api.doubles import Looked
from wanjia.register.api.forms import Judged
from wanjia.register.api.settling import read, say_cases
from wanjia.register.errors import FormRefused, HouseholdWouldBreak, LaterEventStands, SubjectGone
from wanjia.register.models import Event, EventParty

__all__ = ["engine", "town"]
pytestmark = pytest.mark.django_db

WHO = {"by": "test", "why": "test"}
STEPS = 12


class Kept(Lives):
    """Lives in the database; the one in memory is told the ids and must then say the same."""

    def __init__(self, town: make.Town, officer: Any) -> None:
        super().__init__(KINDS)
        self.officer = officer
        with connection.cursor() as cursor:
            self.basis = read(cursor, town.persons.values()).facts
        self.facts = copy.deepcopy(self.basis)
        self.placed = {town.households[name]: division for name, division in make.PLACES.items()}
        self.events: dict[int, tuple[Event, list]] = {}

    def register(self, kind: str, people: dict[str, list[int]], values: dict[str, Any]) -> bool:
        """Register in the database, then in memory."""
        people = {role: ids for role, ids in people.items() if ids}
        if any(p.is_required and not p.is_new and not people.get(p.role) for p in KINDS[kind].parties):
            return False
        values = {key: value for key, value in values.items() if key in KINDS[kind].fields}
        event = Event.objects.create(kind=kind, status="submitted", opened_by=self.officer.username)
        say_cases(event.pk)
        try:
            with transaction.atomic():
                EventParty.objects.bulk_create(
                    [EventParty(event=event, role=role, person_id=one) for role, ids in people.items() for one in ids]
                )
                looked = None
                if kind == "merge":
                    # all of the town have a number, and they differ: as if it had been found that those are not sound
                    looked = Looked(False, number_marks([*people["person"], *people["other"]]))
                said = registering.register_case(
                    event, KINDS[kind], Judged(values, people), {}, looked=looked, officer=self.officer, purpose="case"
                )
                event.status = "registered"
                event.save()
            is_done = True
        except (FormRefused, HouseholdWouldBreak, SubjectGone):
            is_done = False
        if is_done:
            new = EventParty.objects.filter(event=event, role__in=[p.role for p in KINDS[kind].parties if p.is_new])
            self.last_person = next((party.person_id for party in new), 0) - 1
            self.last_household = (event.household_id or 0) - 1
        assert super().register(kind, people, values) == is_done, (kind, people, values)
        if is_done:
            self.events[self.done[-1].number] = event, said
        self.ensure_kept()
        return is_done

    def refold(self, event: Done) -> bool:
        """Revoke or reinstate in the database, then in memory."""
        row, said = self.events[event.number]
        try:
            with transaction.atomic():
                if event.counts:
                    registering.revoke_case(
                        row, self._about(row, casework.REVOCATION), officer=self.officer, purpose="case"
                    )
                    row.status = "revoked"
                else:
                    Event.objects.filter(pk=row.pk).update(status="registered")
                    registering.reinstate_case(
                        row, self._about(row, casework.REINSTATEMENT), said, officer=self.officer, purpose="case"
                    )
                    row.status = "registered"
                row.save()
            is_done = True
        except (LaterEventStands, HouseholdWouldBreak, SubjectGone):
            row.refresh_from_db()
            is_done = False
        assert super().refold(event) == is_done, event
        self.ensure_kept()
        return is_done

    def _about(self, row: Event, kind: str) -> Event:
        return Event.objects.create(kind=kind, status="registered", opened_by=self.officer.username, about=row)

    def ensure_kept(self) -> None:
        """The database holds what the memory does."""
        with connection.cursor() as cursor:
            held = read(cursor, self.facts).facts
        assert {p: ordered(f) for p, f in held.items()} == {p: ordered(f) for p, f in self.facts.items()}


def ordered(facts: dict[str, Any]) -> dict[str, Any]:
    return {"state": facts["state"]} | {
        fact: sorted((sorted(piece.items(), key=str) for piece in facts[fact]), key=str)
        for fact in ("membership", "residence", "relation")
    }


def live(engine, town, seeds: range) -> None:
    officer = make.officer("gao", "", "supervisor")
    before = api.digest(**WHO)
    for seed in seeds:
        with transaction.atomic():
            lives = Kept(town, officer)
            chance = Random(seed)
            for _ in range(STEPS):
                lives.step(chance.randrange(2**32))
                ensure_town_is_whole(lives)
            now = api.digest(**WHO)
            assert api.rebuild(make.resolved(engine, town), expect_equal=True, **WHO)[:2] == (now, now)
            transaction.set_rollback(True)
    assert api.digest(**WHO) == before


def test_a_few_lives_in_the_database(engine, town):
    live(engine, town, range(6))


@pytest.mark.heavy
def test_many_lives_in_the_database(engine, town):
    live(engine, town, range(6, 200))

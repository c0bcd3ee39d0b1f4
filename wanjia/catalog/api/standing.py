"""Which decisions of officers still stand when findings are filed: those about conflicts whose sources say what they said then."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from wanjia.catalog.api.keyed import DECISIONS, said_aad
from wanjia.catalog.rules import Stated, said_of
from wanjia.kernel import settings
from wanjia.kernel.declared import load_folder
from wanjia.kernel.keyring import Keyring
from wanjia.privacy.api import Dossier
from wanjia.register.api import event_book, statements_about
from wanjia.register.declared import Check
from wanjia.register.models import Event
from wanjia.standards import api as standards
from wanjia.standards.declared import Element

#: person ids → their dossiers as sources alone make them
Dossiers = Callable[[Sequence[int]], Iterable[Dossier]]
COMPARED_WITH_HELD = ("differs_from_register", "two_sound_numbers")
CONFLICT = ("kind", "element", "person_id", "other_person_id", "household_id")

_LAST_OF_FOUND = """
SELECT d.id, d.kind, d.element, d.person_id, d.other_person_id, d.said, d.case_id, d.sources @> n.sources AS is_of_these
FROM (SELECT kind, element, person_id, other_person_id, household_id, array_agg(DISTINCT source) AS sources
      FROM catalog_found WHERE person_id IS NOT NULL GROUP BY kind, element, person_id, other_person_id, household_id) n
JOIN LATERAL (SELECT * FROM catalog_conflictdecision d WHERE d.kind = n.kind AND d.element = n.element AND d.person_id = n.person_id
    AND d.other_person_id IS NOT DISTINCT FROM n.other_person_id AND d.household_id IS NOT DISTINCT FROM n.household_id
    ORDER BY d.id DESC LIMIT 1) d ON true
"""


def looked_at(kind: str, element: str) -> list[Element]:
    """The elements that whoever decides a conflict of this kind looks at: the one found wrong, then those beside it."""
    check = _checks(settings.profile_dir()).get(kind)
    elements = standards.load_profile().elements
    return [elements[key] for key in dict.fromkeys((element, *(check.beside if check else ()))) if key in elements]


def said_about(kind: str, element: str, dossiers: Iterable[Dossier]) -> str:
    """What sources say of a conflict, as a text to be compared: what events say is left out."""
    elements = looked_at(kind, element)
    return said_of(
        [
            Stated(place, statement.source, statement.subject, column, value)
            for place, dossier in enumerate(dossiers)
            for column, value, statement in statements_about(dossier, elements)
            if statement.event_id is None
        ]
    )


def unchanged(cursor: Any, dossiers: Dossiers | None) -> list[int]:
    """Decisions about what lies in `catalog_found` that still stand: no source objects that did not, all say what they said, and the correction that
    was begun, if one was, did not end in vain.

    Without `dossiers` nobody can tell what is said now, and the values count as unchanged.
    """
    cursor.execute("SELECT EXISTS (SELECT FROM catalog_conflictdecision)")
    if not cursor.fetchone()[0]:
        return []
    cursor.execute(_LAST_OF_FOUND)
    found = cursor.fetchall()
    vain = _in_vain({row[-2] for row in found} - {None})
    rows = [row for row in found if row[-1] and row[-2] not in vain]
    if dossiers is None or not rows:
        return [row[0] for row in rows]
    people = sorted({one for row in rows for one in row[3:5] if one is not None})
    now: Mapping[int, Dossier] = {dossier.person_id: dossier for dossier in dossiers(people)}
    sealer = Keyring.open(settings.home()).sealer(DECISIONS)
    standing = []
    for decision, kind, element, person, other, said, *_ in rows:
        both = [now[one] for one in (person, other) if one in now]
        if said and sealer.unseal(bytes(said), said_aad(decision)).decode() == said_about(kind, element, both):
            standing.append(decision)
    return standing


def waits_at(finding: str) -> str:
    """SQL for the division at whose office a finding waits: where its person is registered, else where they live."""
    return (
        "coalesce((SELECT r.division_now FROM register_residence r"
        f"  WHERE r.person_id = {finding}.person_id AND upper_inf(r.known)"
        " ORDER BY r.kind = 'domicile' DESC, upper(r.valid) DESC NULLS FIRST LIMIT 1), '')"
    )


def keep(cursor: Any, standing: list[int], scope: str, given: Mapping[str, Any], *, since: int) -> None:
    """Let each open finding know the decision that stands for it, and, up to number `since`, at which office it waits now (newer ones know). `scope`
    narrows which findings `f`."""
    same = " AND ".join(f"f.{key} IS NOT DISTINCT FROM d.{key}" for key in CONFLICT)
    said = {**given, "standing": standing, "since": since}
    cursor.execute(
        "UPDATE catalog_finding f SET decision_id = NULL WHERE f.status = 'open' AND f.decision_id IS NOT NULL"
        " AND f.decision_id <> ALL(%(standing)s)" + scope,
        said,
    )
    if standing:
        cursor.execute(
            "UPDATE catalog_finding f SET decision_id = d.id FROM catalog_conflictdecision d WHERE d.id = ANY(%(standing)s) AND f.status = 'open'"
            f" AND f.person_id = d.person_id AND f.decision_id IS DISTINCT FROM d.id AND {same}" + scope,
            said,
        )
    cursor.execute(
        f"UPDATE catalog_finding f SET division = p.division FROM (SELECT w.id, {waits_at('w')} AS division FROM catalog_finding w"
        " WHERE w.status = 'open' AND w.decision_id IS NULL AND w.person_id IS NOT NULL AND w.id <= %(since)s) p"
        " WHERE p.id = f.id AND f.division <> p.division" + scope,
        said,
    )


def is_about_the_value(kind: str) -> bool:
    """Whether checks of this kind object that a record says something else than what holds: then a record that is right has nothing to answer."""
    check = _checks(settings.profile_dir()).get(kind)
    return check is not None and check.rule in COMPARED_WITH_HELD


def _in_vain(cases: set[int]) -> set[int]:
    """Cases that are closed and changed nothing: refused, withdrawn or revoked."""
    lifecycle = event_book().lifecycle
    ended = {one.key for one in lifecycle.statuses if not one.is_open and not one.counts}
    return set(Event.objects.filter(pk__in=cases, status__in=ended).values_list("pk", flat=True))


@lru_cache(maxsize=4)
def _checks(profile: Path) -> Mapping[str, Check]:
    return {check.code: check for check in load_folder(profile / "checks", Check).values()}

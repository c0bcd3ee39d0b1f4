"""Incidents: contain, assess, notify, close. Every step says who and when, and stays."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import connection, transaction

from wanjia.kernel import clock
from wanjia.oversight import rules
from wanjia.oversight.api.keeping import open_words, seal_words, step_place
from wanjia.oversight.errors import AlertUnknown, IncidentUnknown, StepNotYet
from wanjia.oversight.models import Alert, Incident, IncidentStep
from wanjia.oversight.rules import NOTICE_PARTS
from wanjia.trace import api as trace

Kind = IncidentStep.Kind


@transaction.atomic
def open_incident(what: str, *, alerts: Sequence[int] = (), by: str, why: str) -> int:
    """Open an incident: what happened, and the alerts it came from. Returns its number. Raises `AlertUnknown`."""
    incident = Incident.objects.create(opened_at=clock.now(), opened_by=by[:120])
    for number in alerts:
        if not Alert.objects.filter(id=number, incident=None).update(incident=incident):
            raise AlertUnknown(number=number)
    _step(incident, Kind.OPEN, {"text": what}, by=by, why=why)
    return incident.id


@transaction.atomic
def take_step(number: int, kind: str, text: str, *, by: str, why: str) -> None:
    """Contain, assess, or note: what was done, in words. Raises `IncidentUnknown`, `StepNotYet`."""
    if kind not in (Kind.CONTAIN, Kind.ASSESS, Kind.NOTE):
        raise StepNotYet(missing_zh="没有这种步骤", missing_en="there is no such step")
    _step(_ready(number, kind), kind, {"text": text}, by=by, why=why)


@transaction.atomic
def notify(number: int, parts: Mapping[str, str], *, needs_no_notice_because: str = "", by: str, why: str) -> None:
    """Note that the authority and the persons were told; `parts` are the contents PIPL art. 57 asks for (NOTICE_PARTS).

    Where measures effectively keep harm away, the law lets the persons go untold: `needs_no_notice_because` then says why. Raises
    `IncidentUnknown`, `StepNotYet` (also when a part is missing).
    """
    incident = _ready(number, Kind.NOTIFY)
    missing = [part for part in NOTICE_PARTS if not parts.get(part, "").strip()]
    if missing and not needs_no_notice_because.strip():
        raise StepNotYet(
            missing_zh=f"通知缺少法定内容 {', '.join(missing)}", missing_en=f"the notice lacks {', '.join(missing)}"
        )
    words = {"parts": {part: parts.get(part, "") for part in NOTICE_PARTS}, "no_notice": needs_no_notice_because}
    _step(incident, Kind.NOTIFY, words, by=by, why=why)


@transaction.atomic
def close_incident(number: int, text: str, *, by: str, why: str) -> None:
    """Close an incident: what was learnt. Raises `IncidentUnknown`, `StepNotYet`."""
    incident = _ready(number, Kind.CLOSE)
    _step(incident, Kind.CLOSE, {"text": text}, by=by, why=why)
    Incident.objects.filter(id=incident.id).update(closed_at=clock.now())


def incidents(limit: int = 100) -> list[dict[str, Any]]:
    """Incidents, newest first: {id, opened_at, opened_by, closed_at, steps (kinds taken, in order)}."""
    found = Incident.objects.order_by("-id").prefetch_related("steps")[:limit]
    return [
        {
            "id": one.id,
            "opened_at": one.opened_at,
            "opened_by": one.opened_by,
            "closed_at": one.closed_at,
            "steps": [step.kind for step in sorted(one.steps.all(), key=lambda step: step.id)],
        }
        for one in found
    ]


@transaction.atomic
def incident_story(number: int, *, by: str, why: str) -> dict[str, Any]:
    """{incident, steps, alerts, next}: all of an incident with its words opened; `next` are the steps that may be taken now.

    Opening is traced. Raises `IncidentUnknown`.
    """
    incident = Incident.objects.filter(id=number).first()
    if incident is None:
        raise IncidentUnknown(number=number)
    trace.record("oversight.open_incident_file", by=by, why=why, detail={"incident": number})
    steps = [
        {"kind": step.kind, "at": step.at, "by": step.by, **open_words(step_place(step.id, number), step.sealed)}
        for step in incident.steps.order_by("id")
    ]
    taken = {step["kind"] for step in steps}
    possible = [Kind.CONTAIN, Kind.ASSESS, Kind.NOTIFY, Kind.NOTE, Kind.CLOSE]
    return {
        "incident": incident,
        "steps": steps,
        "alerts": list(incident.alerts.order_by("id")),
        "next": [str(kind) for kind in possible if rules.missing_before(kind, taken) is None],
    }


def _ready(number: int, kind: str) -> Incident:
    incident = Incident.objects.select_for_update().filter(id=number).first()
    if incident is None:
        raise IncidentUnknown(number=number)
    missing = rules.missing_before(kind, set(incident.steps.values_list("kind", flat=True)))
    if missing:
        raise StepNotYet(missing_zh=missing[0], missing_en=missing[1])
    return incident


def _step(incident: Incident, kind: str, words: dict[str, Any], *, by: str, why: str) -> None:
    with connection.cursor() as cursor:
        # the words are bound to the row's number, so it must be known before the row is written
        cursor.execute("SELECT nextval(pg_get_serial_sequence('oversight_incidentstep', 'id'))")
        step_id = cursor.fetchone()[0]
    sealed = seal_words(step_place(step_id, incident.id), words)
    IncidentStep.objects.create(id=step_id, incident=incident, kind=kind, at=clock.now(), by=by[:120], sealed=sealed)
    trace.record("oversight.incident_step", by=by, why=why, detail={"incident": incident.id, "step": str(kind)})

"""Notices for others: each event that is registered, revoked or reinstated leaves a CloudEvent in the outbox, in the same transaction.

A notice says which event and of what kind, and nothing about anybody. Chains (declared) add tasks for departments: the same, with a day.
"""

import uuid
from datetime import datetime, timedelta
from typing import Any

from wanjia.kernel import clock
from wanjia.register.api.declaring import event_book
from wanjia.register.models import Event, Notice

TYPES = "wanjia.register."
SOURCE = "/register/events"


def tell(event: Event, what: str, *, at: datetime, kind: str, about: int | None = None) -> None:
    """Leave the notice `what` ("birth.registered") of an event, and the tasks of the chains that follow a registration of its kind."""
    data = {"event": event.pk, "kind": kind} | ({"about": about} if about is not None else {})
    rows = [_notice(event, f"{TYPES}{what}", at, data)]
    if what.endswith(".registered"):
        for chain in event_book().chains.values():
            if kind in chain.after:
                due = clock.today() + timedelta(days=chain.days)
                said = {**data, "chain": chain.code, "department": chain.department, "due_on": due.isoformat()}
                rows.append(_notice(event, f"{TYPES}task.{chain.code}", at, said, chain.department, due))
    Notice.objects.bulk_create(rows)


def pending_notices(limit: int = 100) -> list[dict[str, Any]]:
    """The notices that wait for delivery, oldest first, as CloudEvents 1.0 (https://github.com/cloudevents/spec)."""
    return [row.said for row in Notice.objects.filter(delivered_at=None).order_by("id")[:limit]]


def mark_delivered(uids: list[str]) -> int:
    """These notices were delivered; how many waited."""
    return Notice.objects.filter(uid__in=uids, delivered_at=None).update(delivered_at=clock.now())


def _notice(
    event: Event, kind: str, at: datetime, data: dict[str, Any], department: str = "", due: Any = None
) -> Notice:
    uid = uuid.uuid4()
    said = {
        "specversion": "1.0",
        "id": str(uid),
        "source": SOURCE,
        "type": kind,
        "subject": str(event.pk),
        "time": at.isoformat(),
        "datacontenttype": "application/json",
        "data": data,
    }
    return Notice(uid=uid, event=event, type=kind, at=at, department=department, due_on=due, said=said)

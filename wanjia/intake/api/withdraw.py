"""Withdrawing: a delivery stops counting, and everything that leant on it is made again without it."""

from django.db import transaction

from wanjia.intake.api.heads import forget_heads
from wanjia.intake.api.receive import note_event
from wanjia.intake.api.sources import lake
from wanjia.intake.errors import DeliveryNotReady, DeliveryUnknown
from wanjia.intake.models import Delivery, Status
from wanjia.trace.api import record

DERIVED = ("assertions", "value_issues", "heads")


def withdraw_delivery(delivery_id: int, *, by: str, why: str) -> list[int]:
    """Withdraw a delivery whole: its assertions no longer count; its landing and its history stay as the trace.

    Rows that later deliveries of the source repeated were counted as repeats because of this one; those deliveries are put back to
    "received", so that standardising makes their rows count. Returns their ids. Raises `DeliveryUnknown`, `DeliveryNotReady` when it
    is withdrawn already.
    """
    with transaction.atomic():
        delivery = Delivery.objects.select_for_update().filter(id=delivery_id).first()
        if delivery is None:
            raise DeliveryUnknown(delivery=delivery_id)
        if delivery.status == Status.WITHDRAWN:
            raise DeliveryNotReady(delivery=delivery_id, status=delivery.status)
        was_counted = delivery.status == Status.STANDARDISED
        note_event(delivery, Status.WITHDRAWN, by=by, why=why)
        leaning = []
        if was_counted:
            later = Delivery.objects.select_for_update().filter(
                source=delivery.source, status=Status.STANDARDISED, id__gt=delivery_id
            )
            for other in later.order_by("id"):
                note_event(other, Status.RECEIVED, by=by, why=f"delivery {delivery_id} was withdrawn")
                leaning.append(other.id)
        record(
            "intake.withdraw",
            by=by,
            why=why,
            detail={"delivery": delivery_id, "source": delivery.source, "made_again": leaning},
        )
    forget_heads()
    # after the commit: a withdrawn delivery's derived files are of no use, and what cannot be read cannot leak
    for kind in DERIVED:
        lake().delete(f"{kind}/{delivery_id}")
    return leaning

"""Permission review: does everybody still need what they may do?"""

from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models import Count, Q

from wanjia.access.api import staff_accounts
from wanjia.kernel import clock
from wanjia.oversight import rules
from wanjia.oversight.errors import ReviewUnknown
from wanjia.oversight.models import Review, ReviewItem
from wanjia.trace import api as trace

DAYS_TO_ANSWER = 30


@transaction.atomic
def open_review(*, by: str, why: str) -> int:
    """Open a campaign over all open accounts of staff, with when each last did anything; its number."""
    now = clock.now()
    review = Review.objects.create(
        opened_at=now, opened_by=by[:120], due_on=clock.today() + timedelta(days=DAYS_TO_ANSWER)
    )
    accounts = [account for account in staff_accounts() if account.is_active]
    used = trace.last_used([account.username for account in accounts])
    ReviewItem.objects.bulk_create(
        [
            ReviewItem(
                review=review,
                account_id=account.pk,
                username=account.username,
                role=account.role,
                last_used_at=used.get(account.username),
                is_unused=rules.is_unused(used.get(account.username), account.opened_at, now),
            )
            for account in accounts
        ]
    )
    trace.record("oversight.open_review", by=by, why=why, detail={"review": review.id, "accounts": len(accounts)})
    return review.id


def reviews(limit: int = 20) -> list[dict[str, Any]]:
    """Campaigns, newest first: {id, opened_at, opened_by, due_on, accounts, unanswered, unneeded, unused}."""
    counted = Review.objects.annotate(
        accounts=Count("items"),
        unanswered=Count("items", filter=Q(items__is_needed=None)),
        unneeded=Count("items", filter=Q(items__is_needed=False)),
        unused=Count("items", filter=Q(items__is_unused=True)),
    )
    return list(counted.order_by("-id").values()[:limit])


def review_items(number: int) -> list[dict[str, Any]]:
    """The accounts of a campaign, unused ones first: as ReviewItem, with is_open (whether the account still is). Raises `ReviewUnknown`."""
    if not Review.objects.filter(id=number).exists():
        raise ReviewUnknown()
    open_now = {account.pk for account in staff_accounts() if account.is_active}
    items = ReviewItem.objects.filter(review_id=number).order_by("-is_unused", "username")
    return [{**item, "is_open": item["account_id"] in open_now} for item in items.values()]


@transaction.atomic
def answer(number: int, account_id: int, *, is_needed: bool, by: str, why: str) -> None:
    """Say whether an account is still needed. It may be said again; the trace keeps both. Nobody answers for themselves.

    A "no" closes nothing by itself: that is for the system administrator. Raises `ReviewUnknown`.
    """
    changed = (
        ReviewItem.objects.filter(review_id=number, account_id=account_id)
        .exclude(username=by)
        .update(is_needed=is_needed, answered_by=by[:120], answered_at=clock.now())
    )
    if not changed:
        raise ReviewUnknown()
    trace.record(
        "oversight.answer_review", by=by, why=why, detail={"review": number, "account": account_id, "needed": is_needed}
    )

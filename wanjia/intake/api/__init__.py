"""The door of intake."""

from wanjia.intake.api.batch import Standardised
from wanjia.intake.api.keyed import KEYED
from wanjia.intake.api.pushes import (
    Receipt,
    bearer_of,
    gather_pushes,
    issue_token,
    parse_body,
    receipt,
    receive_rows,
    revoke_token,
)
from wanjia.intake.api.reads import (
    Refusal,
    active_assertions,
    active_deliveries,
    active_issues,
    deliveries,
    delivery_assertions,
    delivery_issues,
    delivery_named,
    delivery_story,
    has_pending,
    history,
    open_refusal,
    reason_words,
    refusal_counts,
    refusal_named,
    refusals,
    source_name,
)
from wanjia.intake.api.receive import InboxReport, Received, pull, receive_file, receive_inbox, sweep_landings
from wanjia.intake.api.sources import load_sources, pullable_sources, source_named, sources
from wanjia.intake.api.standardise import (
    preview_file,
    standardise_delivery,
    standardise_pending,
    standardise_rows,
)
from wanjia.intake.api.watching import watch
from wanjia.intake.api.withdraw import withdraw_delivery

__all__ = [
    "KEYED",
    "InboxReport",
    "Receipt",
    "Received",
    "Refusal",
    "Standardised",
    "active_assertions",
    "active_deliveries",
    "active_issues",
    "bearer_of",
    "deliveries",
    "delivery_assertions",
    "delivery_issues",
    "delivery_named",
    "delivery_story",
    "gather_pushes",
    "has_pending",
    "history",
    "issue_token",
    "load_sources",
    "open_refusal",
    "parse_body",
    "preview_file",
    "pull",
    "pullable_sources",
    "reason_words",
    "receipt",
    "receive_file",
    "receive_inbox",
    "receive_rows",
    "refusal_counts",
    "refusal_named",
    "refusals",
    "revoke_token",
    "source_name",
    "source_named",
    "sources",
    "standardise_delivery",
    "standardise_pending",
    "standardise_rows",
    "sweep_landings",
    "watch",
    "withdraw_delivery",
]

"""The door of oversight."""

from wanjia.oversight.api.incidents import (
    close_incident,
    incident_story,
    incidents,
    notify,
    open_incident,
    take_step,
)
from wanjia.oversight.api.keeping import KEYED
from wanjia.oversight.api.reviewing import answer, open_review, review_items, reviews
from wanjia.oversight.api.watching import (
    alert_story,
    alerts,
    decide_alert,
    declared_rules,
    look,
    record_timeline,
    tell_canary,
    tell_own_person,
)
from wanjia.oversight.rules import NOTICE_PARTS, notice_text

__all__ = [
    "KEYED",
    "NOTICE_PARTS",
    "alert_story",
    "alerts",
    "answer",
    "close_incident",
    "decide_alert",
    "declared_rules",
    "incident_story",
    "incidents",
    "look",
    "notice_text",
    "notify",
    "open_incident",
    "open_review",
    "record_timeline",
    "review_items",
    "reviews",
    "take_step",
    "tell_canary",
    "tell_own_person",
]

"""The door of the trace."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.db import connection

from wanjia.trace.errors import DetailHoldsPersonalData, PurposeMissing
from wanjia.trace.models import Entry
from wanjia.trace.rules import personal_key

__all__ = ["entries", "entries_about", "kinds", "record"]


def record(
    kind: str, *, subject_ids: Iterable[int] = (), by: str, why: str, detail: Mapping[str, Any] | None = None
) -> int:
    """Write down that `by` did `kind` for the purpose `why`: one entry for each subject, or one without a subject.

    Joins the caller's transaction, so the entry stands or falls with what it records. `detail` holds counts and codes only.
    Returns how many entries were written. Raises `PurposeMissing`, `DetailHoldsPersonalData`.
    """
    if not by.strip() or not why.strip():
        raise PurposeMissing(kind=kind)
    if (key := personal_key(detail or {})) is not None:
        raise DetailHoldsPersonalData(key=key)
    subjects = list(subject_ids) or [None]
    Entry.objects.bulk_create(
        [Entry(kind=kind, actor=by, purpose=why, subject=subject, detail=dict(detail or {})) for subject in subjects],
        batch_size=1000,
    )
    return len(subjects)


def entries_about(person_id: int, *, limit: int = 100) -> list[dict[str, Any]]:
    """The newest entries about one person, as {at, kind, actor, purpose, detail}: what the person may see."""
    about = Entry.objects.filter(subject=person_id).order_by("-at", "-id")
    return list(about.values("at", "kind", "actor", "purpose", "detail")[:limit])


def entries(
    *, kind: str = "", actor: str = "", subject: int | None = None, before: int | None = None, limit: int = 50
) -> list[dict[str, Any]]:
    """The newest entries for an auditor, as {id, at, kind, actor, purpose, subject, seq}; `before`: only those with a smaller id.

    Pages by id, not by number of pages: the trace grows while it is read, and an offset into millions is slow.
    """
    wanted = Entry.objects.order_by("-id")
    if kind:
        wanted = wanted.filter(kind=kind)
    if actor:
        wanted = wanted.filter(actor=actor)
    if subject is not None:
        wanted = wanted.filter(subject=subject)
    if before is not None:
        wanted = wanted.filter(id__lt=before)
    return list(wanted.values("id", "at", "kind", "actor", "purpose", "subject", "seq")[:limit])


def kinds() -> list[str]:
    """Every kind of act that stands in the trace, by skipping from one to the next (a plain DISTINCT reads the whole trace)."""
    with connection.cursor() as cursor:
        cursor.execute(
            "WITH RECURSIVE skip AS (SELECT min(kind) AS kind FROM trace_entry UNION ALL"
            " SELECT (SELECT min(kind) FROM trace_entry e WHERE e.kind > skip.kind) FROM skip WHERE skip.kind IS NOT NULL)"
            " SELECT kind FROM skip WHERE kind IS NOT NULL"
        )
        return [row[0] for row in cursor.fetchall()]

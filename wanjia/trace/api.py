"""The door of the trace."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.db import connection

from wanjia.trace.errors import DetailHoldsPersonalData, PurposeMissing
from wanjia.trace.models import Entry
from wanjia.trace.rules import personal_key

__all__ = ["entries_about", "record"]


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
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT at, kind, actor, purpose, detail FROM trace_entry WHERE subject = %s ORDER BY at DESC, id DESC LIMIT %s",
            [person_id, limit],
        )
        names = [column.name for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

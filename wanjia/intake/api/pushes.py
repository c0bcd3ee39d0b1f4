"""The fast lane: rows pushed by a department's machine are promised at once and gathered into small deliveries by the worker.

A push is promised when its sealed body is in the database; nothing is lost if the worker is killed. Gathering many pushes into one
delivery keeps a hundred single rows a second from being a hundred deliveries; each push still knows its own rows.
"""

import dataclasses
import hashlib
import hmac
import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection, transaction

from wanjia.intake.adapters.rows import ReadingReport, accept_header
from wanjia.intake.api.receive import land_pushed
from wanjia.intake.api.sources import keyring, source_named, sources
from wanjia.intake.api.standardise import json_lines
from wanjia.intake.errors import (
    IdempotencyConflict,
    PracticeTakesNoRecords,
    PushRefused,
    ReceiptUnknown,
    SourceUnknown,
    TokenRefused,
)
from wanjia.intake.models import Delivery, Push, PushToken, QuarantinedRow, Status
from wanjia.intake.rules import MAX_PUSH_ROWS, match_header, reason_sentence
from wanjia.kernel import clock, settings
from wanjia.trace.api import record

SECRET_BYTES = 32
IDEMPOTENCY = "idempotency"
#: so long a push that is sent again is known for sure; afterwards a retired key may take the memory of it along
REMEMBERED_DAYS = 30


@dataclass(frozen=True)
class Receipt:
    """What a pusher is told. `state` is "waiting", or the state of the delivery the rows went into; refused rows by their place."""

    id: int
    source: str
    rows: int
    state: str
    delivery: int | None
    was_known: bool
    refused: list[dict[str, Any]]


def receive_rows(source: str, rows: Sequence[dict[str, Any]], *, idempotency_key: str, by: str, why: str) -> Receipt:
    """Promise pushed rows: they are kept, and the worker will take them up. One transaction, a few milliseconds.

    The same key with the same rows is the same push (`was_known`). Raises `SourceUnknown` (also for a source that takes no push),
    `PushRefused`, `MissingColumns`, `MovementRefused`, `IdempotencyConflict`.
    """
    declared = source_named(source)
    if declared.cadence.kind != "push":
        raise SourceUnknown(source=source, known=", ".join(c for c, s in sources().items() if s.cadence.kind == "push"))
    if not rows or len(rows) > MAX_PUSH_ROWS or not all(isinstance(row, dict) for row in rows):
        raise PushRefused(limit=MAX_PUSH_ROWS)
    columns = list(dict.fromkeys(str(name) for row in rows for name in row))
    match = match_header(columns, declared.columns(), declared.required_columns())
    accept_header(dataclasses.replace(match, doubled=[]), columns, declared, ReadingReport("push"))
    body = json_lines(rows)
    asked, said = f"{source}|{idempotency_key}", f"body|{source}|{hashlib.sha256(body).hexdigest()}"
    keys = keyring().blinders(IDEMPOTENCY)
    key, digests = keys[0].blind(asked), [one.blind(said) for one in keys]
    # under an older key first: while the key rotates, what was promised before is known by that alone
    older = [one.blind(asked) for one in keys[1:]]
    with transaction.atomic():
        push = Push.objects.filter(source=source, idempotency_key__in=older).first() if older else None
        if push is None:
            fresh = {
                "source": source,
                "idempotency_key": key,
                "digest": digests[0],
                "blind_key": keys[0].key_id,
                "rows": len(rows),
                "received_at": clock.now(),
                "by": by[:120],
                "why": why[:300],
                "sealed": keyring().seal("push", body, key),
            }
            if (number := _promised(fresh)) is not None:
                record("intake.push", by=by, why=why, detail={"push": number, "source": source, "rows": len(rows)})
                return Receipt(number, source, len(rows), "waiting", None, False, [])
            push = Push.objects.get(source=source, idempotency_key=key)
    if bytes(push.digest) not in digests:
        raise IdempotencyConflict()
    return _receipt(push, was_known=True, lang="en")


def _promised(push: dict[str, Any]) -> int | None:
    """The number of the push that is kept now; None when there is one under this key already. One statement: a hundred a second come."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"""INSERT INTO intake_push ({", ".join(push)}) VALUES ({", ".join(["%s"] * len(push))})
            ON CONFLICT (source, idempotency_key) DO NOTHING RETURNING id""",
            list(push.values()),
        )
        row = cursor.fetchone()
    return row[0] if row else None


def gather_pushes(*, limit: int = 200, by: str, why: str) -> list[Delivery]:
    """Make one delivery for each source with waiting pushes, of up to `limit` rows (one larger push is taken whole).

    The deliveries are "received"; standardise them next. Safe with several workers: a push is taken by one of them.
    """
    gathered = []
    for source in Push.objects.filter(delivery=None).order_by("source").values_list("source", flat=True).distinct():
        with transaction.atomic():
            waiting = Push.objects.select_for_update(skip_locked=True).filter(source=source, delivery=None)
            taken: list[Push] = []
            rows = 0
            for push in waiting.order_by("id")[:limit]:
                if taken and rows + push.rows > limit:
                    break
                taken.append(push)
                rows += push.rows
            if taken:
                gathered.append(_land_together(source, taken, by=by, why=why))
    return gathered


def gathered_pushes() -> list[Delivery]:
    """Deliveries that pushes were gathered into and nobody standardised: what a killed worker left behind."""
    return list(Delivery.objects.filter(status=Status.RECEIVED, pushes__isnull=False).distinct().order_by("id"))


def receipt(receipt_id: int, *, source: str, lang: str = "en") -> Receipt:
    """What became of a push, with the sentence for every refused row. Raises `ReceiptUnknown`."""
    push = Push.objects.select_related("delivery").filter(id=receipt_id, source=source).first()
    if push is None:
        raise ReceiptUnknown()
    return _receipt(push, was_known=True, lang=lang)


def issue_token(source: str, *, label: str, by: str, why: str) -> str:
    """A new secret with which a machine may push to `source`. It is shown once; only its hash is kept. Raises `SourceUnknown`."""
    source_named(source)
    secret = secrets.token_urlsafe(SECRET_BYTES)
    with transaction.atomic():
        token = PushToken.objects.create(
            source=source, label=label[:80], digest=_token_digest(secret), issued_at=clock.now(), issued_by=by[:120]
        )
        record("intake.issue_token", by=by, why=why, detail={"token": token.id, "source": source})
    return secret


def revoke_token(token_id: int, *, by: str, why: str) -> None:
    """End a machine's right to push. Raises `TokenRefused` when there is no such token in force."""
    with transaction.atomic():
        ended = PushToken.objects.filter(id=token_id, revoked_at=None).update(revoked_at=clock.now())
        if not ended:
            raise TokenRefused()
        record("intake.revoke_token", by=by, why=why, detail={"token": token_id})


def bearer_of(secret: str, *, source: str) -> str:
    """Who holds this token for `source`, as the trace names machines ("machine:<id>"). Raises `TokenRefused`, `PracticeTakesNoRecords`."""
    if settings.is_practice():
        raise PracticeTakesNoRecords()
    digest = _token_digest(secret)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id, digest FROM intake_pushtoken WHERE digest = %s AND source = %s AND revoked_at IS NULL",
            [digest, source],
        )
        token = cursor.fetchone()
    if token is None or not hmac.compare_digest(bytes(token[1]), digest):
        raise TokenRefused()
    return f"machine:{token[0]}"


def _land_together(source: str, pushes: list[Push], *, by: str, why: str) -> Delivery:
    sealer = keyring().sealer("push")
    bodies, first_rows, place = [], [], 1
    for push in pushes:
        bodies.append(sealer.unseal(bytes(push.sealed), bytes(push.idempotency_key)))
        first_rows.append(place)
        place += push.rows
    delivery = land_pushed(source_named(source), b"".join(bodies), by=by, why=why)
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE intake_push p SET delivery_id = %s, first_row = g.first_row, sealed = NULL"
            " FROM unnest(%s::bigint[], %s::int[]) g(id, first_row) WHERE p.id = g.id",
            [delivery.id, [push.id for push in pushes], first_rows],
        )
    return delivery


def _receipt(push: Push, *, was_known: bool, lang: str) -> Receipt:
    refused: list[dict[str, Any]] = []
    if push.delivery_id and push.delivery.status == Status.STANDARDISED:
        last = push.first_row + push.rows - 1
        for row in QuarantinedRow.objects.filter(
            delivery_id=push.delivery_id, row_no__range=(push.first_row, last)
        ).order_by("row_no"):
            place = row.row_no - push.first_row + 1
            refused.append(
                {
                    "row": place,
                    "column": row.column,
                    "reason": row.reason,
                    "sentence": reason_sentence(row.reason, row.column, place, lang),
                }
            )
    return Receipt(
        id=push.id,
        source=push.source,
        rows=push.rows,
        state=push.delivery.status if push.delivery_id else "waiting",
        delivery=push.delivery_id,
        was_known=was_known,
        refused=refused,
    )


def parse_body(body: bytes) -> list[dict[str, Any]]:
    """The rows of a pushed body: one JSON object, or an array of them. Raises `PushRefused`."""
    try:
        content = json.loads(body)
    except (ValueError, RecursionError):
        raise PushRefused(limit=MAX_PUSH_ROWS) from None
    rows = [content] if isinstance(content, dict) else content
    if not isinstance(rows, list) or not rows or not all(isinstance(row, dict) for row in rows):
        raise PushRefused(limit=MAX_PUSH_ROWS)
    return rows


def _token_digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode("utf-8", "replace")).digest()

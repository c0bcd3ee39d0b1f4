"""What intake holds under keys, and how it is made again when one rotates (kernel/sealed_stores.py)."""

import os
from datetime import timedelta

from django.db import connection, transaction
from django.db.models import Q

from wanjia.intake.api.pushes import IDEMPOTENCY, REMEMBERED_DAYS
from wanjia.intake.api.receive import DIGEST, said_of
from wanjia.intake.api.sources import lake
from wanjia.intake.api.standardise import cells_aad
from wanjia.intake.models import Push
from wanjia.kernel import clock
from wanjia.kernel.blinding import BLIND_BYTES
from wanjia.kernel.errors import LakeFileMissing
from wanjia.kernel.keyring import BLIND, Keyring
from wanjia.kernel.sealed_stores import BlindColumn, KeyedStore, Note, SealedColumn, SealedLake, marks_of


def _cells_place(_: int, delivery_id: int, row_no: int) -> bytes:
    return cells_aad(delivery_id, row_no)


def _push_place(_: int, idempotency_key: bytes) -> bytes:
    return bytes(idempotency_key)


def _said_again(delivery_id: int, source: str) -> str | None:
    """What the digest of a delivery is made of, from its landing; None where the landing was not kept (movement data)."""
    try:
        raw = lake().read_bytes(f"landing/{delivery_id}")
    except LakeFileMissing:
        return None
    is_pushed = Push.objects.filter(delivery_id=delivery_id).exists()
    # gathered pushes were salted with their moment, which nobody asks for again: it only must not meet another delivery's
    return said_of(source, raw, f"pushed {delivery_id}" if is_pushed else "")


def _forgotten() -> bytes:
    return os.urandom(BLIND_BYTES)


class RememberedPushes:
    """What pushes are known by when they are sent again. It cannot be made anew, because the caller's key was not kept.

    So look-ups go by every key there is, and pushes older than 30 days are forgotten: they take a random value instead. Until then the old key
    stays.
    """

    name, purpose = "intake_push.idempotency_key", BLIND + IDEMPOTENCY

    def under(self, keyring: Keyring, key_id: int) -> int:
        """How many pushes are remembered under this key."""
        return Push.objects.filter(blind_key__in=marks_of(keyring, self.purpose, key_id)).count()

    def remake(self, keyring: Keyring, note: Note) -> int:
        """Forget landed pushes of older keys that are out of their time."""
        current = keyring.blinder(IDEMPOTENCY).key_id
        long_ago = clock.now() - timedelta(days=REMEMBERED_DAYS)
        stale = Push.objects.filter(~Q(blind_key__in=marks_of(keyring, self.purpose, current)))
        out_of_time = stale.filter(received_at__lt=long_ago, delivery__isnull=False)
        with transaction.atomic():
            ids = list(out_of_time.values_list("id", flat=True))
            random = [[_forgotten() for _ in ids] for _ in range(2)]
            with connection.cursor() as cursor:
                cursor.execute(
                    "UPDATE intake_push p SET idempotency_key = u.k, digest = u.d, blind_key = %s"
                    " FROM unnest(%b::bigint[], %b::bytea[], %b::bytea[]) u(id, k, d) WHERE p.id = u.id",
                    [current, ids, *random],
                )
            note(len(ids))
        return len(ids)


_PUSH = (("id", "bigint"), ("idempotency_key", "bytea"))
_ROW = (("id", "bigint"), ("delivery_id", "integer"), ("row_no", "integer"))
KEYED: tuple[KeyedStore, ...] = (
    SealedLake(lake),
    SealedColumn("quarantine", "intake_quarantinedrow", _ROW, "cells", _cells_place),
    SealedColumn("push", "intake_push", _PUSH, "sealed", _push_place),
    # one at a time: each reads a landing, and nobody should wait for many
    BlindColumn(
        DIGEST, "intake_delivery", (("id", "integer"),), ("source",), "digest", "digest_key", _said_again, _forgotten, 1
    ),
    RememberedPushes(),
)

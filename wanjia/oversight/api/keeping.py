"""How what people wrote is kept: sealed, bound to its row, and made again when the key rotates."""

import json
from typing import Any

from wanjia.kernel import settings
from wanjia.kernel.keyring import Keyring
from wanjia.kernel.sealed_stores import SealedColumn

PURPOSE = "oversight"


def seal_words(place: bytes, words: dict[str, Any]) -> bytes:
    """Words, sealed for one place."""
    return Keyring.open(settings.home()).seal(PURPOSE, json.dumps(words, ensure_ascii=False).encode(), place)


def open_words(place: bytes, sealed: bytes) -> dict[str, Any]:
    """What `seal_words` sealed. Raises `KeyUnavailable`."""
    return json.loads(Keyring.open(settings.home()).unseal(PURPOSE, bytes(sealed), place))


def alert_place(alert_id: int) -> bytes:
    """What an alert's note is bound to."""
    return f"oversight_alert|{alert_id}".encode()


def step_place(step_id: int, incident_id: int) -> bytes:
    """What an incident step's words are bound to."""
    return f"oversight_incidentstep|{step_id}|{incident_id}".encode()


KEYED = (
    SealedColumn(PURPOSE, "oversight_alert", (("id", "bigint"),), "sealed_note", alert_place),
    SealedColumn(
        PURPOSE, "oversight_incidentstep", (("id", "bigint"), ("incident_id", "bigint")), "sealed", step_place
    ),
)

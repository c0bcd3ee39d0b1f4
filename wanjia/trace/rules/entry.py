"""What of an entry goes into the public log: a commitment, from which nothing can be learnt without its nonce.

Leaf = H(0x00 ‖ HMAC-SHA256(nonce, entry)). Who holds entry and nonce can show that just this entry stands at its index; when both are deleted,
the leaf stays, every proof stays, and what it said is gone.
"""

import hashlib
import hmac
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

NONCE_BYTES = 32
VERSION = 1
#: the columns of an entry that are bound, in no particular order: the canonical form sorts
FIELDS = ("id", "at", "kind", "actor", "department", "purpose", "basis", "subject", "reach", "detail")


def canonical(entry: Mapping[str, Any]) -> bytes:
    """The entry as the bytes that are committed to: JSON with sorted names, no spaces, UTF-8, times in UTC with microseconds."""
    at: datetime = entry["at"]
    said = {name: entry[name] for name in FIELDS}
    said["at"] = at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    said["v"] = VERSION
    return json.dumps(said, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()


def commitment(nonce: bytes, entry: bytes) -> bytes:
    """What stands in the public log for an entry."""
    return hmac.digest(nonce, entry, hashlib.sha256)

"""What may stand in a trace entry (pure)."""

import re
from collections.abc import Mapping
from typing import Any

# an identity number inside any text; names cannot be told from other words, so detail texts are kept to codes as well
_NUMBER = re.compile(r"(?<!\d)(\d{15}|\d{17}[\dXx])(?!\d)")
_CODE = re.compile(r"[A-Za-z0-9_.:/+ -]{0,120}")
# a hash in hex, which may hold 15 digits in a row by chance
_HASH = re.compile(r"(?=.*[a-f])([0-9a-f]{32}|[0-9a-f]{64})")


def personal_key(detail: Mapping[str, Any]) -> str | None:
    """The first key of `detail` whose value may not stand in a trace entry, or None.

    Allowed are numbers, booleans, null, codes (short ASCII words without an identity number in them), and lists or maps of those.
    """
    for key, value in detail.items():
        if not _is_plain(value) or not _is_plain(key):
            return key
    return None


def _is_plain(value: Any) -> bool:
    if value is None or isinstance(value, bool | int | float):
        return True
    if isinstance(value, str):
        return bool(_HASH.fullmatch(value)) or (bool(_CODE.fullmatch(value)) and not _NUMBER.search(value))
    if isinstance(value, list | tuple):
        return all(_is_plain(one) for one in value)
    if isinstance(value, Mapping):
        return all(_is_plain(key) and _is_plain(one) for key, one in value.items())
    return False

"""The code of today beside each residence, where a change of divisions came after it was written down."""

from collections.abc import Iterable
from typing import Any

import pyarrow as pa

from wanjia.standards import api as standards


def followed(rows: pa.Table) -> pa.Table:
    """Rows of residences with the code of today, also where a change of divisions came after the records were read."""
    if not rows.num_rows or not standards.changes_stamp():
        return rows
    profile = standards.load_profile()
    written = rows["division"].to_pylist()
    now = {code: _redrawn(profile, code) for code in set(written)}
    today = [now[code] or was for code, was in zip(written, rows["division_now"].to_pylist(), strict=True)]
    return rows.set_column(rows.column_names.index("division_now"), "division_now", pa.array(today, pa.string()))


def renewed(pieces: Iterable[dict[str, Any]]) -> None:
    """The same for pieces of facts that acts and their basis were kept with."""
    if not standards.changes_stamp():
        return
    profile = standards.load_profile()
    for piece in pieces:
        if now := _redrawn(profile, piece["division"]):
            piece["division_now"] = now


def _redrawn(profile: standards.Profile, code: str) -> str | None:
    known = next((one for one in (code, code[:9], code[:6]) if one in profile.divisions), None)
    return profile.code_now(code) if known in profile.redrawn else None

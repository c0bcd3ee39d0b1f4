"""What a person's state was on a day, from rows that say what it is (pure).

The state is one row for a life; of what changes in a life it holds the last. So a question about an earlier day looks at what stood there before.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

ACTIVE = "1"


def state_on(
    state: Mapping[str, Any], earlier: Sequence[Mapping[str, Any]], day: date, *, is_registered: bool
) -> dict[str, Any]:
    """`state` as it was on `day`. `earlier`: what was known before, the newest first; `is_registered`: a domicile held on that day."""
    found = dict(state)
    if found["died_on"] is not None and found["died_on"] > day:
        found["died_on"] = None
    if is_registered:
        found["registration_state"] = ACTIVE
    if found["marital_since"] is not None and found["marital_since"] > day:
        before = next((one for one in earlier if one["marital_since"] is None or one["marital_since"] <= day), None)
        found["marital_status"] = before["marital_status"] if before else None
        found["marital_since"] = before["marital_since"] if before else None
    return found

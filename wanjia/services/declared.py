"""What a service for residents may say: declared/<profile>/services/*.toml."""

from collections.abc import Iterable
from dataclasses import dataclass

from wanjia.kernel.declared import Text

Breach = tuple[str, str, str]


@dataclass(frozen=True)
class Service:
    """A service: `department` answers (questions: where the entry names none) within `days`; appeals come within `appeal_days` of the answer."""

    code: str
    name: Text
    law: str
    department: str
    days: int
    appeal_days: int

    def check(self) -> Iterable[Breach]:
        """An answer has a day."""
        for key in ("days", "appeal_days"):
            if not 1 <= getattr(self, key) <= 365:
                yield key, "must be from 1 to 365", "应在 1 到 365 之间"

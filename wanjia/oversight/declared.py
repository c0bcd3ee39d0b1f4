"""What a watch rule's file may say (declared/<profile>/oversight/<code>.toml)."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import ClassVar, Literal

from wanjia.kernel.declared import Text

Kind = Literal["no_case", "own_family", "out_of_hours", "volume", "canary"]


@dataclass(frozen=True)
class WatchRule:
    """One way in which a read by staff is unusual. There is no way to declare a rule about the conduct of residents.

    `purposes`: those that need a case (no_case). `opens`, `closes`: hours of the office's day, `weekend`: whether it works then (out_of_hours).
    `most`: different persons within `minutes` (volume).
    """

    IDENTITY: ClassVar[str] = "code"

    code: str
    version: int
    kind: Kind
    name: Text
    meaning: Text
    severity: Literal["low", "high"] = "low"
    purposes: list[str] = field(default_factory=list)
    opens: int = 0
    closes: int = 24
    weekend: bool = True
    most: int = 0
    minutes: int = 60
    is_on: bool = True

    def check(self) -> Iterable[tuple[str, str, str]]:
        """Each kind has what it needs."""
        if self.version < 1:
            yield "version", "counts from 1", "须从 1 起"
        if self.kind == "no_case" and not self.purposes:
            yield "purposes", "must name the purposes that need a case", "须列出需要事项编号的用途"
        if self.kind == "out_of_hours" and not 0 <= self.opens < self.closes <= 24:
            yield "opens", "opens must be before closes, both from 0 to 24", "开始须早于结束，且在 0 至 24 之间"
        if self.kind == "volume" and (self.most < 1 or not 1 <= self.minutes <= 1440):
            yield "most", "needs most ≥ 1 and minutes from 1 to 1440", "须有 most ≥ 1，minutes 在 1 至 1440 之间"

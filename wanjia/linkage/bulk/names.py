"""Names of linking's tables in the engine."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Names:
    """One set of tables; the fast lane has a small set of its own beside the whole one."""

    prefix: str = "lk"

    def __getattr__(self, part: str) -> str:
        if part.startswith("_"):
            raise AttributeError(part)
        return f"{self.prefix}_{part}"


WHOLE = Names("lk")
FEW = Names("few")

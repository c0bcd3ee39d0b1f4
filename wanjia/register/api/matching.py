"""What a person types, brought to the form in which blind indexes were made: by the one definition of every rule, as a batch of one."""

import threading
from dataclasses import dataclass
from functools import lru_cache

import pyarrow as pa

from wanjia.kernel.engine import Engine, get_engine
from wanjia.privacy.api import BlindKind
from wanjia.standards import api as standards

# the engine's connection is not for two threads at a time
_one_at_a_time = threading.Lock()


@dataclass(frozen=True)
class Sought:
    """What a query may mean. `number_state` is None for a name; "check_failed" and "malformed" numbers match nobody reliably."""

    forms: list[tuple[BlindKind, str]]
    number_state: str | None = None


def sought_by(query: str) -> Sought:
    """The match forms of a typed query: a citizen number (15 or 18 digits, any width, x or X), a name, or its pinyin syllables."""
    with _one_at_a_time:
        engine = _engine()
        profile = standards.load_profile()
        typed, read = pa.array([query]), {}
        for key in ("name", "citizen_number"):
            reading = standards.Reading(profile.part(key))
            read |= standards.standardise(typed, reading, engine, profile).to_pylist()[0]
    if sum(character.isdigit() for character in query) >= len(query.replace(" ", "")) / 2:
        state = read.get("citizen_number__state") or "malformed"
        number = read["citizen_number"]
        return Sought([(BlindKind.NUMBER, number)] if number else [], state)
    norm, spoken = read["name__norm"], read.get("name__pinyin")
    forms = [(BlindKind.NAME, norm)] if norm else []
    if spoken and query.isascii():
        forms.append((BlindKind.PINYIN, spoken))
    return Sought(forms)


@lru_cache(maxsize=1)
def _engine() -> Engine:
    return get_engine("duckdb")

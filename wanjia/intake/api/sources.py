"""Declared sources and the stores intake works with."""

from functools import lru_cache
from pathlib import Path

from wanjia.intake.adapters.database import address_of
from wanjia.intake.declared import Source
from wanjia.intake.errors import SourceUnknown
from wanjia.intake.models import SourceState
from wanjia.kernel import clock, settings
from wanjia.kernel.declared import load_folder
from wanjia.kernel.keyring import Keyring
from wanjia.kernel.lake import Lake


def sources() -> dict[str, Source]:
    """All sources of the profile in force, by code. Raises `DeclarationErrors` with every mistake of every file."""
    return load_sources(settings.profile_dir())


def load_sources(profile_dir: Path) -> dict[str, Source]:
    """All sources declared in the profile folder, by code. Raises `DeclarationErrors`."""
    return _sources_in(profile_dir / "sources")


def source_named(code: str) -> Source:
    """The declared source `code`. Raises `SourceUnknown`."""
    known = sources()
    if code not in known:
        raise SourceUnknown(source=code[:64], known=", ".join(known) or "-")
    return known[code]


def pullable_sources() -> list[Source]:
    """Sources that are pulled from a database whose address is set in this installation."""
    return [s for s in sources().values() if s.format.kind == "table" and address_of(s)]


def sources_due() -> list[Source]:
    """Pullable sources whose cadence has come round since their last pull; a pull that failed does not count as one."""
    pulled = dict(SourceState.objects.values_list("source", "pulled_at"))
    now = clock.now()
    return [
        source
        for source in pullable_sources()
        if (interval := source.cadence.interval) is not None
        and ((last := pulled.get(source.code)) is None or last + interval <= now)
    ]


@lru_cache(maxsize=8)
def _sources_in(folder: Path) -> dict[str, Source]:
    return load_folder(folder, Source)


def lake() -> Lake:
    """The lake of this installation."""
    return _lake_at(settings.home())


def keyring() -> Keyring:
    """The keyring of this installation."""
    return _keyring_at(settings.home())


@lru_cache(maxsize=8)
def _lake_at(home: Path) -> Lake:
    return Lake.open(home)


@lru_cache(maxsize=8)
def _keyring_at(home: Path) -> Keyring:
    return Keyring.open(home)

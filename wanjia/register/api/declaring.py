"""What is declared about events: kinds, what may happen next, chains. Read strictly; every mistake of every file is told at once."""

import dataclasses
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path

from wanjia.access import api as access
from wanjia.kernel import settings
from wanjia.kernel.declared import DeclarationErrors, Mistake, Text, did_you_mean, load_file, load_folder
from wanjia.register.declared import Chain, EventKind, FormField, Lifecycle
from wanjia.register.errors import KindUnknown
from wanjia.register.rules.checks import CHECKS
from wanjia.register.rules.effects import EFFECTS
from wanjia.register.rules.folding import STATE_COLUMNS
from wanjia.standards import api as standards

LOOK_AGAIN_SECONDS = 2.0


@dataclass(frozen=True, eq=False)
class EventBook:
    """Everything declared about events in one profile. Fields have got type, code set and name from the elements they name."""

    kinds: Mapping[str, EventKind]
    lifecycle: Lifecycle
    chains: Mapping[str, Chain]

    def kind(self, code: str) -> EventKind:
        """The kind of that code. Raises `KindUnknown` with the nearest known one."""
        if code not in self.kinds:
            near = did_you_mean(code, self.kinds)
            raise KindUnknown(
                kind=code,
                near_zh=f"，是否应为 {near}" if near else "",
                near_en=f"; did you mean {near!r}?" if near else "",
            )
        return self.kinds[code]

    @cached_property
    def counting(self) -> tuple[str, ...]:
        """The states in which a case's acts are part of the register."""
        return tuple(one.key for one in self.lifecycle.statuses if one.counts)


_looked: dict[Path, tuple[float, EventBook]] = {}


def event_book() -> EventBook:
    """What is declared about events in the profile in force; looked at anew every few seconds. Raises `DeclarationErrors`."""
    folder, now = settings.profile_dir(), time.monotonic()
    kept = _looked.get(folder)
    if kept is None or now - kept[0] > LOOK_AGAIN_SECONDS:
        kept = _looked[folder] = (now, load_events(folder))
    return kept[1]


def event_kinds() -> list[EventKind]:
    """All kinds in the order in which they are offered."""
    return sorted(event_book().kinds.values(), key=lambda kind: (kind.order, kind.code))


def load_events(folder: Path) -> EventBook:
    """The events of the profile in `folder`; cached while its files are unchanged. A profile without events has none."""
    files = [*(folder / "events").glob("*.toml"), *(folder / "chains").glob("*.toml"), folder / "lifecycle.toml"]
    stamp = tuple(sorted((str(path), path.stat().st_mtime_ns) for path in files if path.exists()))
    return _load(folder, stamp, standards.load_profile(folder))


@lru_cache(maxsize=8)
def _load(folder: Path, stamp: tuple, profile: standards.Profile) -> EventBook:
    mistakes: list[Mistake] = []
    kinds = _collected(mistakes, lambda: load_folder(folder / "events", EventKind), {})
    chains = _collected(mistakes, lambda: load_folder(folder / "chains", Chain), {})
    lifecycle = Lifecycle(code="lifecycle", first="", statuses=[], moves=[])
    if kinds or (folder / "lifecycle.toml").exists():
        lifecycle = _collected(mistakes, lambda: load_file(folder / "lifecycle.toml", Lifecycle), lifecycle)
    roles = access.book().roles if folder == settings.profile_dir() else None
    for code, kind in kinds.items():
        mistakes += [Mistake(f"events/{code}.toml", *one) for one in _references(kind, kinds, profile, roles)]
    for code, chain in chains.items():
        for named in chain.after:
            if named not in kinds:
                mistakes.append(Mistake(f"chains/{code}.toml", *_unknown("after", named, kinds)))
        if chain.department not in profile.departments:
            mistakes.append(
                Mistake(f"chains/{code}.toml", *_unknown("department", chain.department, profile.departments))
            )
    if mistakes:
        raise DeclarationErrors(mistakes)
    return EventBook({code: _completed(kind, profile) for code, kind in kinds.items()}, lifecycle, chains)


def _collected(mistakes: list[Mistake], read, instead):
    try:
        return read()
    except DeclarationErrors as wrong:
        mistakes.extend(wrong.mistakes)
        return instead


def _unknown(where: str, named: str, known: Iterable[str]) -> tuple[str, str, str]:
    near = did_you_mean(named, known)
    return (
        where,
        f"{named!r} is not known{f'; did you mean {near!r}?' if near else ''}",
        f"没有 {named!r}{f'；是否应为 {near!r}？' if near else ''}",
    )


def _references(
    kind: EventKind, kinds: Mapping[str, EventKind], profile: standards.Profile, roles: Mapping | None
) -> Iterable[tuple[str, str, str]]:
    """What a kind speaks of that is declared elsewhere: elements, code sets, rules, effects, roles."""
    for key, one in kind.fields.items():
        if one.element and one.element not in profile.parts:
            yield _unknown(f"{key}.element", one.element, profile.parts)
        if one.codes and one.codes not in profile.code_sets:
            yield _unknown(f"{key}.codes", one.codes, profile.code_sets)
    for number, use in enumerate(kind.checks):
        if use.rule not in CHECKS:
            yield _unknown(f"checks[{number}].rule", use.rule, CHECKS)
        else:
            yield from _needed(f"checks[{number}]", use, CHECKS[use.rule].needs)
    for number, use in enumerate(kind.effects):
        if use.do not in EFFECTS:
            yield _unknown(f"effects[{number}].do", use.do, EFFECTS)
            continue
        yield from _needed(f"effects[{number}]", use, EFFECTS[use.do].needs)
        for column in use.set:
            if column not in STATE_COLUMNS:
                yield _unknown(f"effects[{number}].set", column, STATE_COLUMNS)
        for column in use.says:
            if column not in profile.parts:
                yield _unknown(f"effects[{number}].says", column, profile.parts)
    known = set(profile.code_set("declarant").by_code) if "declarant" in profile.code_sets else set()
    for capacity in kind.declared_by:
        if capacity not in known:
            yield _unknown("declared_by", capacity, known)
    for role in kind.decided_by if roles is not None else ():
        if role not in roles:
            yield _unknown("decided_by", role, roles)
    if kind.corrects and (by := kind.fields.get(kind.corrects.by)) and by.codes in profile.code_sets:
        known = profile.code_set(by.codes).by_code
        for column, code in kind.corrects.columns.items():
            if code not in known:
                yield _unknown(f"corrects.columns.{column}", code, known)
    if kind.pairs_with and kind.pairs_with not in kinds:
        yield _unknown("pairs_with", kind.pairs_with, kinds)


def _needed(where: str, use: object, needs: Iterable[str]) -> Iterable[tuple[str, str, str]]:
    for name in needs:
        if not getattr(use, name):
            yield f"{where}.{name}", "is needed by this rule", "此规则需要此项"


def _completed(kind: EventKind, profile: standards.Profile) -> EventKind:
    sections = [
        dataclasses.replace(section, fields=[_completed_field(one, profile) for one in section.fields])
        for section in kind.sections
    ]
    return dataclasses.replace(kind, sections=sections)


def _completed_field(one: FormField, profile: standards.Profile) -> FormField:
    if not one.element:
        return one
    part = profile.part(one.element)
    element = profile.elements[part.element]
    name = one.name or part.name
    return dataclasses.replace(
        one,
        type=one.type or part.type,
        codes=one.codes or part.codes or "",
        name=name if isinstance(name, Text) else Text(*name),
        is_protected=one.is_protected or element.protected is not None,
    )

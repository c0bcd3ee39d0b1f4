"""Changes of divisions: looked at beforehand, ordered, carried out once under the lock of loads, and seen by every process.

What history says is not touched: each residence keeps the code it was written with. What follows is what speaks of today: the code of today
beside it, the offices of open cases, the areas staff serve.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from django.db import connection, transaction

from wanjia.access import api as access
from wanjia.access.api import Right
from wanjia.access.models import Account
from wanjia.kernel import clock
from wanjia.kernel.declared import Text
from wanjia.privacy.api import ProtectedCount, protect_counts
from wanjia.register.api.counting import count_population
from wanjia.register.api.declaring import event_book
from wanjia.register.api.settling import LOAD_LOCK
from wanjia.register.errors.divisions import ChangeAhead, ChangeKnown, ChangeUnknown
from wanjia.register.models import DivisionChange, Event, PopulationCount
from wanjia.standards import api as standards
from wanjia.standards.api import Division, Divisions
from wanjia.trace import api as trace

WAITING, WITHDRAWN, DONE = "waiting", "withdrawn", "carried_out"
_STATES = {WAITING: ("待执行", "it waits"), WITHDRAWN: ("已撤回", "withdrawn"), DONE: ("已执行", "carried out")}


@dataclass(frozen=True)
class PlannedMove:
    """One line of a plan: what becomes of a division, and how many people of its own are registered there (a share told is a share, not a count)."""

    old: Division
    new: Division
    share: float | None
    people: ProtectedCount


@dataclass(frozen=True)
class Plan:
    """What a change would do. Counts are of residences written for a division, protected; `apart`: who stays with the area above, because
    nothing finer than a divided area is known of them. `cases` and `accounts` go to another office; those `left` have none told.
    """

    change: standards.DivisionChange
    moves: list[PlannedMove]
    following: ProtectedCount
    households: ProtectedCount
    apart: ProtectedCount
    cases: dict[int, str]
    accounts: dict[str, str]
    left: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Ordered:
    """A change in the list of changes."""

    code: str
    kind: str
    on: date
    law: Text
    state: str
    ordered_by: str
    ordered_at: datetime
    carried_out_at: datetime | None
    counts: Mapping[str, int]
    text: str


def plan_change(text: str, *, officer: Account | None = None) -> Plan:
    """What a change of divisions, as declared text says it, would do; changes nothing. `officer`: with whose rights (None: the operator's).

    Raises `RightMissing`, `DeclarationErrors` with everything that is wrong with it, `ChangeKnown`.
    """
    if officer is not None:
        access.require(officer, Right.CHANGE_DIVISIONS)
    change = standards.read_change(text)
    _ensure_unknown(change.code)
    before = standards.load_profile().divisions
    after = standards.divisions_after(change, before)
    with connection.cursor() as cursor:
        written = _written(cursor, change, before)
    return _plan(change, before, after, written)


@transaction.atomic
def order_change(text: str, *, by: str, why: str, officer: Account | None = None) -> str:
    """Order a change to be carried out on its day (at once, if that has come) by the job of the minute. Traced. Its code.

    Raises what `plan_change` raises.
    """
    plan = plan_change(text, officer=officer)
    row = DivisionChange(code=plan.change.code, kind=plan.change.kind, on=plan.change.on, text=text, ordered_by=by)
    row.save()
    trace.record(
        "register.order_change",
        by=by,
        why=why,
        department=officer.department if officer else "",
        detail={"change": row.pk, "kind": row.kind},
    )
    return row.code


@transaction.atomic
def withdraw_change(code: str, *, by: str, why: str) -> None:
    """Take back a change that waits. Traced. Raises `ChangeUnknown`."""
    row = _waiting(code)
    row.withdrawn_at = clock.now()
    row.save(update_fields=["withdrawn_at"])
    trace.record("register.withdraw_change", by=by, why=why, detail={"change": row.pk})


def carry_out(code: str, *, by: str, why: str) -> dict[str, int]:
    """Carry out an ordered change, once, while no load and no event runs. What it moved: residences, cases, accounts. Traced.

    Raises `ChangeUnknown`, `ChangeAhead`, `DeclarationErrors` where another change came between and it fits no more: then nothing has changed.
    """
    with _register_held():
        counts = _carry_out(code, by=by, why=why)
        publish()
    if PopulationCount.objects.exists():
        count_population(by=by, why=why)
    return counts


@contextmanager
def _register_held() -> Iterator[None]:
    """No load and no event meanwhile, beyond the end of a transaction: an event that came between the change and its being published would write
    the codes of before, which nothing follows any more.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [LOAD_LOCK])
        try:
            yield
        finally:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [LOAD_LOCK])


def _carry_out(code: str, *, by: str, why: str) -> dict[str, int]:
    with transaction.atomic(), connection.cursor() as cursor:
        row = _waiting(code)
        if row.on > clock.today():
            raise ChangeAhead(change=code, on=row.on)
        change = standards.read_change(row.text)
        before = standards.load_profile().divisions
        after = standards.divisions_after(change, before)
        counts = {
            "residences": _follow(cursor, _following(after, _written(cursor, change, before))),
            "cases": _hand_over(change, before, after),
            "accounts": len(access.move_areas(_areas(change, before, after), by=by, why=change.code)),
        }
        row.carried_out_at, row.counts = clock.now(), counts
        row.save(update_fields=["carried_out_at", "counts"])
        trace.record("register.change_divisions", by=by, why=why, detail={"change": row.pk, **counts})
    return counts


def carry_out_due(*, by: str, why: str) -> list[str]:
    """Carry out every waiting change whose day has come, in order of their days; their codes. One that fits no more waits for a person."""
    done = []
    waiting = DivisionChange.objects.filter(carried_out_at=None, withdrawn_at=None, on__lte=clock.today())
    for code in list(waiting.order_by("on", "id").values_list("code", flat=True)):
        # somebody else may have been faster
        with suppress(ChangeUnknown):
            carry_out(code, by=by, why=why)
            done.append(code)
    return done


def publish() -> list[str]:
    """Write every change that was carried out where each process reads it; those that were missing, as after a restored backup. Their codes."""
    folder = standards.changes_folder()
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for row in DivisionChange.objects.exclude(carried_out_at=None).order_by("on", "id"):
        place = folder / f"{row.code}.toml"
        if not place.exists() or place.read_text(encoding="utf-8") != row.text:
            # whole or not at all: another process may be reading the folder
            being = folder / f".{row.code}.being"
            being.write_text(row.text, encoding="utf-8")
            being.replace(place)
            written.append(row.code)
    return written


def changes() -> list[Ordered]:
    """Every change ever ordered, the latest day first. Says nothing of anybody: no trace."""
    return [
        Ordered(
            code=row.code, kind=row.kind, on=row.on, law=standards.read_change(row.text).law, state=_state(row),
            ordered_by=row.ordered_by, ordered_at=row.ordered_at, carried_out_at=row.carried_out_at, counts=row.counts, text=row.text,
        )
        for row in DivisionChange.objects.order_by("-on", "-id")
    ]  # fmt: skip


def _state(row: DivisionChange) -> str:
    return WITHDRAWN if row.withdrawn_at else DONE if row.carried_out_at else WAITING


def _ensure_unknown(code: str) -> None:
    row = DivisionChange.objects.filter(code=code).first()
    if row is not None:
        in_zh, in_en = _STATES[_state(row)]
        raise ChangeKnown(change=code, state_zh=in_zh, state_en=in_en)


def _waiting(code: str) -> DivisionChange:
    row = DivisionChange.objects.select_for_update().filter(code=code, carried_out_at=None, withdrawn_at=None).first()
    if row is None:
        raise ChangeUnknown(change=code)
    return row


Written = list[tuple[str, str, str, int, int]]  # kind, written code, its code of today, people, households


def _written(cursor: Any, change: standards.DivisionChange, before: Divisions) -> Written:
    """Present residences in what changes, by written code."""
    prefixes = sorted({standards.significant(code) for code in standards.tops(change, before)})
    cursor.execute("SELECT * FROM register_written_in(%s)", [prefixes])
    return cursor.fetchall()


def _following(after: Divisions, written: Written) -> dict[tuple[str, str], str]:
    """(written code, its code of today before) → its code of today after, where that is another."""
    found = {}
    for code, was in {(row[1], row[2]) for row in written}:
        now = _now(after, code)
        if now != was:
            found[code, was] = now
    return found


def _now(after: Divisions, code: str) -> str:
    known = next((one for one in (code, code[:9], code[:6]) if one in after), None)
    now = after.current_code(known) if known else None
    return code if now is None or now == known else now


def _follow(cursor: Any, following: Mapping[tuple[str, str], str]) -> int:
    if not following:
        return 0
    pairs = sorted(following)
    cursor.execute(
        "UPDATE register_residence r SET division_now = m.new FROM unnest(%s::text[], %s::text[], %s::text[]) m(code, was, new)"
        " WHERE r.division = m.code AND r.division_now = m.was AND upper_inf(r.known)",
        [[code for code, _ in pairs], [was for _, was in pairs], [following[one] for one in pairs]],
    )
    return cursor.rowcount


def _office_of(change: standards.DivisionChange, before: Divisions, after: Divisions, code: str) -> str | None:
    """The office (or area) that takes over from that of `code`; itself where the change does not touch it, None where none is told."""
    padded = code if code in before else code.ljust(6, "0")
    known = next((one for one in (padded, padded[:9], padded[:6]) if one in before), None)
    if known is None or known not in {move.old for move in change.moves}:
        return code
    now = after.current_code(known)
    if now in {move.new for move in change.moves}:
        return now
    return change.office


def _open_cases() -> list[Event]:
    waiting = [one.key for one in event_book().lifecycle.statuses if one.is_open and not one.counts]
    return list(Event.objects.filter(status__in=waiting).exclude(office="").only("id", "office"))


def _hand_over(change: standards.DivisionChange, before: Divisions, after: Divisions) -> int:
    """Open cases go to the office that takes over; registered ones stay with the office that registered them."""
    moved = 0
    for event in _open_cases():
        office = _office_of(change, before, after, event.office)
        if office and office != event.office:
            moved += Event.objects.filter(pk=event.pk).update(office=office[:12])
    return moved


def _areas(change: standards.DivisionChange, before: Divisions, after: Divisions) -> dict[str, str]:
    """Area of an account → the one it serves from then on, of areas that change and have an office told."""
    found = {}
    for area in access.areas_served():
        now = _office_of(change, before, after, area)
        if now and standards.significant(now) != standards.significant(area):
            found[area] = standards.significant(now)
    return found


def _plan(change: standards.DivisionChange, before: Divisions, after: Divisions, written: Written) -> Plan:
    targets = {move.new for move in change.moves}
    own: dict[str, int] = {move.old: 0 for move in change.moves}
    totals = {"following": 0, "households": 0, "apart": 0}
    for kind, code, was, people, households in written:
        now = _now(after, code)
        if kind == "domicile" and was in own:
            own[was] += people
        if now != was:
            is_apart = now not in targets and now[:9] not in targets and now[:6] not in targets
            totals["apart" if is_apart else "following"] += people
            totals["households"] += households if kind == "domicile" and not is_apart else 0
    shown = protect_counts(own, is_total_shown=False)
    told = {key: protect_counts({"": number})[""] for key, number in totals.items()}
    cases, left = {}, []
    for event in _open_cases():
        office = _office_of(change, before, after, event.office)
        if office is None:
            left.append(f"case {event.pk}")
        elif office != event.office:
            cases[event.pk] = office
    accounts = {}
    for name, area in access.accounts_by_area():
        office = _office_of(change, before, after, area)
        if office is None:
            left.append(name)
        elif standards.significant(office) != standards.significant(area):
            accounts[name] = standards.significant(office)
    moves = [
        PlannedMove(before.find(move.old), after.find(move.new), move.share, shown[move.old]) for move in change.moves
    ]
    return Plan(change=change, moves=moves, cases=cases, accounts=accounts, left=left, **told)

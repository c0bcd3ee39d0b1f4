"""Which reads are unusual, and what an incident needs before it may be closed (pure)."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta, tzinfo

from wanjia.oversight.declared import WatchRule

#: reads of persons or raw rows; what else stands in the trace is no read
READS = (
    "privacy.open_person", "privacy.show_number", "register.find_persons", "register.person_facts", "register.as_of",
    "register.household_members", "register.household_as_of", "register.area_as_of", "register.event_check", "register.event_read",
    "intake.open_quarantined",
)  # fmt: skip
#: of these, those that show a person; a name that merely stands in a list of hits was not chosen
OPENINGS = (
    "privacy.open_person",
    "privacy.show_number",
    "register.person_facts",
    "register.as_of",
    "register.event_read",
)
UNUSED_DAYS = 90
#: contents of a notice under PIPL art. 57, in the order of the law
NOTICE_PARTS = ("kinds", "cause", "harm", "remedies", "own_measures", "contact")


@dataclass(frozen=True)
class Read:
    """One read by one account of staff, as the trace has it."""

    entry: int
    at: datetime
    actor: str
    kind: str
    purpose: str  # code, or code:case
    subject: int | None


@dataclass(frozen=True)
class Known:
    """What rules may know besides the reads: whom each account must not read, canaries, and recent reads per account."""

    near: Mapping[str, Collection[int]] = field(default_factory=dict)
    canaries: Collection[int] = ()
    recent: Mapping[str, Sequence[Read]] = field(default_factory=dict)


@dataclass(frozen=True)
class Hit:
    """A rule met by an account; `entries` are those that show it. `key` keeps one occasion from being many alerts."""

    rule: str
    version: int
    severity: str
    actor: str
    key: str
    entries: tuple[int, ...]


def hits(rules: Iterable[WatchRule], reads: Sequence[Read], known: Known, zone: tzinfo) -> list[Hit]:
    """The hits of all rules that are on, one for each occasion."""
    found = []
    for rule in rules:
        if rule.is_on:
            occasions: dict[tuple[str, str], list[int]] = {}
            for actor, key, entries in _OCCASIONS[rule.kind](rule, reads, known, zone):
                occasions.setdefault((actor, key), []).extend(entries)
            found += [
                Hit(rule.code, rule.version, rule.severity, actor, key, tuple(sorted(set(entries))))
                for (actor, key), entries in occasions.items()
            ]
    return found


def _no_case(rule: WatchRule, reads: Sequence[Read], known: Known, zone: tzinfo):
    for read in reads:
        code, _, case = read.purpose.partition(":")
        if code in rule.purposes and not case.strip():
            yield read.actor, f"{read.at.astimezone(zone):%Y-%m-%d}", [read.entry]


def _own_family(rule: WatchRule, reads: Sequence[Read], known: Known, zone: tzinfo):
    for read in reads:
        if read.kind in OPENINGS and read.subject in known.near.get(read.actor, ()):
            yield read.actor, f"{read.at.astimezone(zone):%Y-%m-%d}", [read.entry]


def _out_of_hours(rule: WatchRule, reads: Sequence[Read], known: Known, zone: tzinfo):
    for read in reads:
        here = read.at.astimezone(zone)
        if not rule.opens <= here.hour < rule.closes or (not rule.weekend and here.weekday() >= 5):
            yield read.actor, f"{here:%Y-%m-%d}", [read.entry]


def _volume(rule: WatchRule, reads: Sequence[Read], known: Known, zone: tzinfo):
    span = timedelta(minutes=rule.minutes)
    for actor in sorted({read.actor for read in reads}):
        opened = [read for read in known.recent.get(actor, ()) if read.kind in OPENINGS]
        ordered = sorted(opened, key=lambda read: (read.at, read.entry))
        fresh = {read.entry for read in reads if read.actor == actor}
        begin = 0
        for end, last in enumerate(ordered):
            while ordered[begin].at < last.at - span:
                begin += 1
            window = ordered[begin : end + 1]
            if last.entry in fresh and len({read.subject for read in window if read.subject is not None}) > rule.most:
                yield actor, f"{last.at.astimezone(zone):%Y-%m-%d %H}", [last.entry]


def _canary(rule: WatchRule, reads: Sequence[Read], known: Known, zone: tzinfo):
    for read in reads:
        if read.kind in OPENINGS and read.subject in known.canaries:
            # one visit opens the record and reads its state
            yield read.actor, f"{read.at.astimezone(zone):%Y-%m-%d %H:%M}", [read.entry]


_OCCASIONS = {
    "no_case": _no_case,
    "own_family": _own_family,
    "out_of_hours": _out_of_hours,
    "volume": _volume,
    "canary": _canary,
}


def missing_before(step: str, taken: Collection[str]) -> tuple[str, str] | None:
    """What must come before a step of an incident, as (zh, en); None when it may be taken now."""
    if "close" in taken:
        return "事件已关闭", "the incident is closed"
    needs = {
        "assess": ("contain", "请先记录控制措施", "first say how it was contained"),
        "notify": ("assess", "请先评估影响", "first assess the harm"),
        "close": ("notify", "请先通知，或说明为何不需通知", "first notify, or say why no notice is needed"),
    }
    if step in needs and needs[step][0] not in taken:
        return needs[step][1:]
    return None


def notice_text(parts: Mapping[str, str], lang: str) -> str:
    """The notice to the authority and the persons: the contents that PIPL art. 57 asks for, in its order."""
    if lang.startswith("zh"):
        return (
            "个人信息安全事件通知\n依据《中华人民共和国个人信息保护法》第五十七条，现通知如下：\n"
            f"一、发生或者可能发生泄露、篡改、丢失的信息种类：{parts['kinds']}\n原因：{parts['cause']}\n可能造成的危害：{parts['harm']}\n"
            f"二、已采取的补救措施：{parts['remedies']}\n您可以采取的减轻危害的措施：{parts['own_measures']}\n"
            f"三、联系方式：{parts['contact']}\n"
        )
    return (
        "Notice of a personal information incident\nUnder article 57 of the Personal Information Protection Law we notify you:\n"
        f"1. Kinds of information leaked, altered or lost, or possibly so: {parts['kinds']}\nCause: {parts['cause']}\n"
        f"Harm that may follow: {parts['harm']}\n2. What we have done: {parts['remedies']}\n"
        f"What you can do to lessen the harm: {parts['own_measures']}\n3. Contact: {parts['contact']}\n"
    )


def is_unused(last_used: datetime | None, opened_at: datetime, now: datetime) -> bool:
    """Whether an account (or a right of it) lay unused for 90 days; one that is younger than that is not judged."""
    return (last_used or opened_at) < now - timedelta(days=UNUSED_DAYS)

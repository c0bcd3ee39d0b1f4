"""Looking through the trace for unusual reads by staff, and what became of the alerts."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings as django_settings
from django.db import transaction

from wanjia.access.api import account_named, staff_accounts
from wanjia.kernel import clock, settings
from wanjia.kernel.declared import load_folder
from wanjia.oversight import rules
from wanjia.oversight.api.keeping import alert_place, open_words, seal_words
from wanjia.oversight.declared import WatchRule
from wanjia.oversight.errors import AlertUnknown, NotStaff
from wanjia.oversight.models import Alert, Canary, OwnPerson, Watch
from wanjia.oversight.rules import Known, Read
from wanjia.privacy.api import at_the_same_door
from wanjia.register import api as register
from wanjia.trace import api as trace

PLACES_AT_A_TIME = 20_000
MOST_RECENT = 5_000
MOST_SHOWN = 50


def declared_rules() -> list[WatchRule]:
    """The watch rules of the profile in force, by code; none where it declares none. Raises `DeclarationErrors`."""
    folder = settings.profile_dir() / "oversight"
    return list(load_folder(folder, WatchRule).values()) if folder.is_dir() else []


def look(*, by: str, why: str) -> list[int]:
    """Look at what was published since the last look; the ids of new alerts. Safe to repeat; one looks at a time.

    Only reads by accounts of staff are looked at; whose record it was matters only for the reader's own family and for canaries.
    """
    raised: list[int] = []
    while True:
        with transaction.atomic():
            watch, _ = Watch.objects.select_for_update().get_or_create(id=1)
            found, seen = trace.published_after(watch.seen_seq, kinds=rules.READS, limit=PLACES_AT_A_TIME)
            staff = {account.username: account for account in staff_accounts()}
            reads = [_read(entry) for entry in found if entry["actor"] in staff]
            raised += _raise(reads, staff, by=by, why=why)
            is_done = seen == watch.seen_seq
            watch.seen_seq, watch.looked_at = seen, clock.now()
            watch.save()
        if is_done:
            return raised


def alerts(*, state: str = "", before: int | None = None, limit: int = 50) -> list[Alert]:
    """Alerts, newest first."""
    found = Alert.objects.order_by("-id")
    if state:
        found = found.filter(state=state)
    if before is not None:
        found = found.filter(id__lt=before)
    return list(found[:limit])


@transaction.atomic
def alert_story(number: int, *, by: str, why: str) -> dict[str, Any]:
    """{alert, note, entries}: an alert with its outcome's words opened, and what the trace says of the reads that met the rule (the first of them).

    Opening the words is traced. Raises `AlertUnknown`.
    """
    alert = Alert.objects.select_related("incident").filter(id=number).first()
    if alert is None:
        raise AlertUnknown(number=number)
    note = None
    if alert.sealed_note:
        trace.record("oversight.open_note", by=by, why=why, detail={"alert": number})
        note = open_words(alert_place(number), alert.sealed_note)["note"]
    return {"alert": alert, "note": note, "entries": trace.entries_by_id(alert.entries[:MOST_SHOWN])}


@transaction.atomic
def decide_alert(number: int, *, is_founded: bool, note: str, by: str, why: str) -> Alert:
    """Give an alert its outcome: founded, or explained by `note`. Once, and never by the account it is about. Raises `AlertUnknown`."""
    alert = Alert.objects.select_for_update().filter(id=number, state=Alert.State.OPEN).exclude(actor=by).first()
    if alert is None:
        raise AlertUnknown(number=number)
    alert.state = Alert.State.FOUNDED if is_founded else Alert.State.EXPLAINED
    alert.decided_at, alert.decided_by = clock.now(), by[:120]
    alert.sealed_note = seal_words(alert_place(number), {"note": note})
    alert.save()
    trace.record("oversight.decide_alert", by=by, why=why, detail={"alert": number, "state": str(alert.state)})
    return alert


@transaction.atomic
def tell_own_person(username: str, person_id: int, *, by: str, why: str) -> None:
    """Note which person a member of staff is. Traced, also to the person. Raises `AccountUnknown`, `NotStaff`."""
    account = account_named(username)
    if account.pk not in {one.pk for one in staff_accounts()}:
        raise NotStaff(username=username)
    OwnPerson.objects.update_or_create(account_id=account.pk, defaults={"person_id": person_id, "told_by": by[:120]})
    trace.record("oversight.own_person", subject_ids=[person_id], by=by, why=why, detail={"account": account.pk})


@transaction.atomic
def tell_canary(person_id: int, *, by: str, why: str) -> None:
    """Note that a person is made up, so that nobody has a reason to open them. Traced, without saying who it is."""
    Canary.objects.get_or_create(person_id=person_id, defaults={"told_by": by[:120]})
    trace.record("oversight.canary", by=by, why=why, detail={"canaries": Canary.objects.count()})


@transaction.atomic
def record_timeline(
    person_id: int, *, before: int | None = None, limit: int = 50, by: str, why: str
) -> list[dict[str, Any]]:
    """What was done with one record, newest first (as `trace.who_looked`). That somebody asked stands in the trace, for the person to see."""
    found = trace.who_looked(person_id, before=before, limit=limit)
    trace.record("oversight.timeline", subject_ids=[person_id], by=by, why=why, detail={"entries": len(found)})
    return found


def _raise(reads: Sequence[Read], staff: dict[str, Any], *, by: str, why: str) -> list[int]:
    if not reads:
        return []
    declared = declared_rules()
    zone = ZoneInfo(django_settings.TIME_ZONE)
    raised = []
    for hit in rules.hits(declared, reads, _known(declared, reads, staff), zone):
        alert, is_new = Alert.objects.get_or_create(
            rule=hit.rule,
            actor=hit.actor,
            occasion=hit.key,
            defaults={
                "rule_version": hit.version,
                "severity": hit.severity,
                "entries": list(hit.entries),
                "raised_at": clock.now(),
            },
        )
        if is_new:
            raised.append(alert.id)
        elif alert.state == Alert.State.OPEN:
            alert.entries = sorted({*alert.entries, *hit.entries})
            alert.save(update_fields=["entries"])
    if raised:
        trace.record("oversight.raise_alerts", by=by, why=why, detail={"alerts": raised[:1000]})
    return raised


def _known(declared: Sequence[WatchRule], reads: Sequence[Read], staff: dict[str, Any]) -> Known:
    actors = {read.actor for read in reads}
    told = OwnPerson.objects.filter(account_id__in=[staff[actor].pk for actor in actors])
    own = dict(told.values_list("account_id", "person_id"))
    near = {
        actor: {own[staff[actor].pk], *register.kin_of(own[staff[actor].pk]), *at_the_same_door(own[staff[actor].pk])}
        for actor in actors
        if staff[actor].pk in own
    }
    spans = [rule.minutes for rule in declared if rule.kind == "volume" and rule.is_on]
    recent = {}
    if spans:
        since = min(read.at for read in reads) - timedelta(minutes=max(spans))
        for actor in actors:
            entries = trace.entries(actor=actor, since=since, limit=MOST_RECENT)
            recent[actor] = [_read(entry) for entry in entries if entry["kind"] in rules.READS]
    return Known(near, set(Canary.objects.values_list("person_id", flat=True)), recent)


def _read(entry: dict[str, Any]) -> Read:
    return Read(entry["id"], entry["at"], entry["actor"], entry["kind"], entry["purpose"], entry["subject"])

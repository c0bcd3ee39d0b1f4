"""What is granted for one person and a time: by a supervisor, or in an emergency by oneself, with notice to supervisor and resident."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q

from wanjia.access import rules
from wanjia.access.api.deciding import book, decide, require, require_decision, require_purpose
from wanjia.access.errors import GrantRefused, NotGranted
from wanjia.access.models import Account, Grant, Notice
from wanjia.access.rules import Action, Right, Subject
from wanjia.kernel import clock, settings
from wanjia.kernel.keyring import Keyring
from wanjia.kernel.sealed_stores import SealedColumn
from wanjia.trace import api as trace

REASON_PURPOSE = "access-reason"
SHORTEST_REASON = 10
LONGEST_MINUTES = 240
LONGEST_DAYS = 90
BREAK_GLASS = "break_glass"
GRANTED = "granted"
REVOKED = "revoked"


def reason_place(grant_id: int) -> bytes:
    """What binds a sealed reason to its row."""
    return f"access_grant|sealed_reason|{grant_id}".encode()


#: for the re-encryption after a rotation (kernel/sealed_stores.py)
SEALED_REASONS = SealedColumn(REASON_PURPOSE, "access_grant", (("id", "bigint"),), "sealed_reason", reason_place)


@dataclass(frozen=True)
class Told:
    """A notice as its reader sees it: what happened, who may read whom until when and why, whether it still holds."""

    id: int
    kind: str
    at: datetime
    actor: str
    actor_name: str
    department: str
    person_id: int | None
    purpose: str
    reason: str
    ends_at: datetime
    is_live: bool
    is_seen: bool
    grant_id: int


@transaction.atomic
def break_glass(account: Account, subject: Subject | None, *, purpose: str, reason: str, minutes: int = 60) -> int:
    """Open a record outside the own area in an emergency, for `minutes`. Supervisors and the resident are told at once. Returns the grant.

    Raises `RightMissing`, `PurposeUnknown`, `OutsideArea` (also for a sealed person and an id of nobody), `GrantRefused` (no reason, too long).
    """
    require(account, Right.BREAK_GLASS)
    declared = require_purpose(account, purpose)
    if len(reason.strip()) < SHORTEST_REASON:
        raise GrantRefused(
            reason_zh=f"紧急查阅须写明事由（至少 {SHORTEST_REASON} 个字）",
            reason_en=f"an emergency needs its reason in words (at least {SHORTEST_REASON} characters)",
        )
    if not 0 < minutes <= LONGEST_MINUTES:
        raise GrantRefused(reason_zh=f"时限最长 {LONGEST_MINUTES} 分钟", reason_en=f"at most {LONGEST_MINUTES} minutes")
    decision = require_decision(account, Action.BREAK_GLASS, subject, purpose)
    assert subject is not None
    grant = _grant(
        account,
        subject,
        purpose=purpose,
        fields=declared.fields,
        ends_at=clock.now() + timedelta(minutes=minutes),
        reason=reason,
        by=account.username,
        is_urgent=True,
    )
    _tell(BREAK_GLASS, grant, supervisors_of(account), subject.person_id)
    trace.record(
        "access.break_glass",
        subject_ids=[subject.person_id],
        by=account.username,
        why=purpose,
        department=account.department,
        basis=decision.basis,
        detail={"grant": grant.id, "minutes": minutes},
    )
    return grant.id


@transaction.atomic
def grant_person(
    issuer: Account,
    account: Account,
    subject: Subject | None,
    *,
    purpose: str,
    days: int,
    reason: str,
    fields: Iterable[str] | None = None,
    finds: bool = True,
    reads: bool = True,
) -> int:
    """Let `account` find, or find and read, one person for a purpose, sealed or not. Returns the grant.

    A supervisor grants within the own reach, never to oneself, never more fields than the purpose needs. The resident is told.
    Raises `RightMissing`, `OutsideArea`, `GrantRefused`.
    """
    require(issuer, Right.GRANT_PERSON)
    require_decision(issuer, Action.FIND, subject, purpose)
    assert subject is not None
    declared = book().purposes[purpose]
    wanted = list(declared.fields if fields is None else fields) if reads else []
    faults = [
        (issuer.pk == account.pk, "不能授权给自己", "nobody grants to oneself"),
        (account.role not in declared.roles, "对方的角色不能使用该用途", "the purpose is not for that account's role"),
        (declared.is_urgent, "紧急用途不能预先授权", "an emergency is not granted in advance"),
        (not set(wanted) <= set(declared.fields), "超出用途所需的字段", "more fields than the purpose needs"),
        (not (finds or reads), "既不可查找也不可读取", "neither finding nor reading"),
        (not 0 < days <= LONGEST_DAYS, f"期限最长 {LONGEST_DAYS} 天", f"at most {LONGEST_DAYS} days"),
        (len(reason.strip()) < SHORTEST_REASON, "缺少事由", "the reason is missing"),
    ]
    for is_wrong, zh, en in faults:
        if is_wrong:
            raise GrantRefused(reason_zh=zh, reason_en=en)
    grant = _grant(
        account,
        subject,
        purpose=purpose,
        fields=wanted,
        ends_at=clock.now() + timedelta(days=days),
        reason=reason,
        by=issuer.username,
        finds=finds,
        reads=reads,
        covers_sealed=subject.is_sealed,
    )
    _tell(GRANTED, grant, [], subject.person_id)
    trace.record(
        "access.grant_person",
        subject_ids=[subject.person_id],
        by=issuer.username,
        why=purpose,
        department=issuer.department,
        detail={"grant": grant.id, "account": account.pk, "days": days, "groups": wanted},
    )
    return grant.id


@transaction.atomic
def revoke_grant(issuer: Account, grant_id: int, *, why: str) -> None:
    """End a grant now. Raises `RightMissing`, `NotGranted`."""
    require(issuer, Right.GRANT_PERSON)
    grant = Grant.objects.select_for_update().filter(id=grant_id, revoked_at=None, ends_at__gt=clock.now()).first()
    if grant is None or not rules.covers_one(issuer.area, [grant.account.area] if grant.account.area else []):
        raise NotGranted()
    grant.revoked_at = clock.now()
    grant.save(update_fields=["revoked_at"])
    trace.record(
        "access.revoke_grant",
        subject_ids=[grant.person_id] if grant.person_id else [],
        by=issuer.username,
        why=why,
        detail={"grant": grant.id},
    )


def supervisors_of(account: Account) -> list[Account]:
    """Who is told when this account breaks the glass: everybody with that right whose area covers the account's."""
    roles = [code for code, role in book().roles.items() if Right.SEE_NOTICES in role.rights]
    open_ones = Account.objects.filter(role__in=roles, is_active=True).exclude(pk=account.pk)
    return [one for one in open_ones if rules.covers_one(one.area, [account.area] if account.area else [])]


def notices(account: Account, *, limit: int = 100) -> list[Told]:
    """What this account is told, newest first."""
    return [_told(notice) for notice in _newest(Q(account=account), limit)]


def notices_about(person_id: int, *, limit: int = 100) -> list[Told]:
    """What a resident is told about grants on the own record, newest first."""
    return [_told(notice) for notice in _newest(Q(person_id=person_id), limit)]


def unseen(account: Account) -> int:
    """How many notices this account has not seen yet."""
    return Notice.objects.filter(account=account, seen_at=None).count()


def mark_seen(account: Account) -> None:
    """All notices of this account have been seen."""
    Notice.objects.filter(account=account, seen_at=None).update(seen_at=clock.now())


def may_break_glass(account: Account, subject: Subject, purpose: str) -> bool:
    """Whether an emergency could open this record to this account."""
    return decide(account, Action.BREAK_GLASS, subject, purpose).is_allowed


def _grant(
    account: Account,
    subject: Subject,
    *,
    purpose: str,
    fields: Iterable[str],
    ends_at: datetime,
    reason: str,
    by: str,
    finds: bool = True,
    reads: bool = True,
    is_urgent: bool = False,
    covers_sealed: bool = False,
) -> Grant:
    begins_at, (boot, seconds) = clock.now(), clock.running()
    grant = Grant.objects.create(
        account=account,
        person_id=subject.person_id,
        purpose=purpose,
        fields=sorted(fields),
        finds=finds,
        reads=reads,
        covers_sealed=covers_sealed,
        is_urgent=is_urgent,
        issued_by=by,
        begins_at=begins_at,
        ends_at=ends_at,
        boot=boot,
        boot_ends=seconds + (ends_at - begins_at).total_seconds() if boot else None,
    )
    grant.sealed_reason = Keyring.open(settings.home()).seal(
        REASON_PURPOSE, reason.strip().encode(), reason_place(grant.id)
    )
    grant.save(update_fields=["sealed_reason"])
    return grant


def _tell(kind: str, grant: Grant, accounts: Iterable[Account], person_id: int) -> None:
    told = [Notice(kind=kind, grant=grant, account=account) for account in accounts]
    Notice.objects.bulk_create([*told, Notice(kind=kind, grant=grant, person_id=person_id)])


def _newest(whose: Q, limit: int) -> Iterable[Notice]:
    return Notice.objects.filter(whose).select_related("grant__account").order_by("-id")[:limit]


def _told(notice: Notice) -> Told:
    grant = notice.grant
    assert grant is not None
    reason = Keyring.open(settings.home()).unseal(REASON_PURPOSE, bytes(grant.sealed_reason), reason_place(grant.id))
    return Told(
        id=notice.id,
        kind=notice.kind,
        at=notice.at,
        actor=grant.account.username,
        actor_name=grant.account.display_name,
        department=grant.account.department,
        person_id=grant.person_id,
        purpose=grant.purpose,
        reason=reason.decode(),
        ends_at=grant.revoked_at or grant.ends_at,
        is_live=grant.revoked_at is None and grant.ends_at > clock.now(),
        is_seen=notice.seen_at is not None,
        grant_id=grant.id,
    )

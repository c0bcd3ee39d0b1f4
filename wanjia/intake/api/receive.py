"""Receiving: files, inboxes and pulls become deliveries. The bytes are sealed in the lake before anything looks inside."""

import hashlib
from collections.abc import Iterable, Iterator
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field, replace
from pathlib import Path

import pyarrow as pa
from django.db import connection, transaction

from wanjia.intake.adapters.database import Pulled, pull_rows
from wanjia.intake.adapters.files import check_envelope, suffix_of
from wanjia.intake.api.sources import keyring, lake, source_named, sources
from wanjia.intake.declared import Source
from wanjia.intake.errors import (
    AmbiguousSource,
    DeliveryTooLarge,
    IntakeError,
    MovementRefused,
    NoSourceForFile,
    NotAFile,
    PracticeTakesNoRecords,
    PullNotConfigured,
)
from wanjia.intake.models import Delivery, DeliveryEvent, SourceState, Status
from wanjia.intake.rules import MAX_FILE_BYTES, sources_for_file
from wanjia.kernel import clock, settings
from wanjia.trace.api import record

DIGEST = "delivery"
LANDING_LOCK = (
    0x696E74616B65  # "intake": one receiver at a time, so that an orphan landing can be told from one being written
)


@dataclass(frozen=True)
class Received:
    """What became of one file or pull: the delivery, whether its content had been received before, and the rows' texts, if they are at hand."""

    delivery: Delivery
    was_known: bool
    texts: pa.Table | None = None


@dataclass
class InboxReport:
    """What became of an inbox. `refused` holds (number of the file in order of name, source or None, error)."""

    received: list[Delivery] = field(default_factory=list)
    known: list[Delivery] = field(default_factory=list)
    refused: list[tuple[int, str | None, IntakeError]] = field(default_factory=list)
    unmatched: int = 0


def receive_file(path: Path, *, source: str | None = None, by: str, why: str) -> Received:
    """Land one file as a delivery of `source`, or of the source whose declared pattern its name fits.

    A file with content that is already here is that delivery again: nothing changes (`was_known`). A withdrawn delivery may be sent
    again and is then a new one. Raises `PracticeTakesNoRecords`, `NotAFile`, `NoSourceForFile`, `AmbiguousSource`, `DeliveryTooLarge`, and whatever
    `check_envelope` refuses; the refused file stays landed with its code, except one with movement data, which is not kept.
    """
    _ensure_may_come(path)
    chosen = source_named(source) if source else source_of(path)
    raw = bytes_of(path)
    return _land(chosen, raw, suffix_of(path.name), said_of(chosen.code, raw), by=by, why=why)


def receive_inbox(folder: Path, *, by: str, why: str) -> InboxReport:
    """Land every file of a folder as `land_inbox` does; what became of them all."""
    report = InboxReport()
    for _ in land_inbox(folder, report, by=by, why=why):
        pass
    return report


def land_inbox(folder: Path, report: InboxReport, *, by: str, why: str) -> Iterator[Delivery]:
    """Land every file of a folder (and its folders) that fits a source, each delivery given as soon as it has landed.

    One refused file does not stop the others. Files that were withdrawn stay withdrawn: lying in the inbox is not sending again. Files that
    fit no pattern are counted. `report` says so far what became of them. Raises `PracticeTakesNoRecords`, `NotAFile`.
    """
    _ensure_may_come(folder)
    sweep_landings()
    if not folder.is_dir():
        raise NotAFile()
    for number, path in enumerate(sorted(p for p in folder.rglob("*") if p.is_file()), start=1):
        code = None
        try:
            try:
                source = source_of(path)
            except NoSourceForFile:
                report.unmatched += 1
                continue
            code = source.code
            raw = bytes_of(path)
            said = said_of(code, raw)
            withdrawn = Delivery.objects.filter(source=code, digest__in=_digests(said), status=Status.WITHDRAWN).first()
            if withdrawn:
                report.known.append(withdrawn)
                continue
            received = _land(source, raw, suffix_of(path.name), said, by=by, why=why)
        except IntakeError as error:
            report.refused.append((number, code, error))
            continue
        if received.was_known:
            report.known.append(received.delivery)
            continue
        report.received.append(received.delivery)
        del raw
        yield received.delivery


def _ensure_may_come(path: Path) -> None:
    """A practice register never gets records of real people: only what lies in its own home, where its fictional city is."""
    if settings.is_practice() and not path.resolve().is_relative_to(settings.home()):
        raise PracticeTakesNoRecords()


def begin_pull(source: str, pool: Executor) -> Future[Pulled]:
    """Let `pool` fetch what a source's database has since the last pull, for `pull`. Raises `PullNotConfigured`; the future, what `pull` does."""
    chosen = _pullable(source)
    return pool.submit(pull_rows, chosen, _watermark(source))


def pull(source: str, *, by: str, why: str, begun: Future[Pulled] | None = None) -> Received | None:
    """Fetch what a source's database has since the last pull, as one delivery; None when there is nothing to tell.

    What `begin_pull` has `begun` is taken instead of fetched. The watermark moves in the transaction that lands the rows: a killed pull
    is simply done again. Raises `PullNotConfigured`, `PullFailed`, `MissingColumns`.
    """
    chosen = _pullable(source)
    pulled = begun.result() if begun else pull_rows(chosen, _watermark(source))
    with transaction.atomic():
        received = None
        if pulled.rows:
            received = _land(chosen, pulled.raw, ".jsonl", said_of(source, pulled.raw), by=by, why=why)
            received = replace(received, texts=pulled.texts)
        SourceState.objects.update_or_create(
            source=source, defaults={"watermark": pulled.watermark, "pulled_at": clock.now()}
        )
    return received


def _pullable(source: str) -> Source:
    chosen = source_named(source)
    if chosen.format.kind != "table":
        raise PullNotConfigured(source=source, setting="format.kind")
    return chosen


def _watermark(source: str) -> str | None:
    state = SourceState.objects.filter(source=source).first()
    return state.watermark if state else None


def land_pushed(source: Source, raw: bytes, *, by: str, why: str) -> Delivery:
    """Land gathered pushed rows as one delivery. Same rows pushed on two days are two deliveries: each push was asked for."""
    said = said_of(source.code, raw, str(clock.now().timestamp()))
    return _land(source, raw, ".jsonl", said, by=by, why=why).delivery


def sweep_landings() -> int:
    """Delete landed bytes that no delivery speaks of (a receiver was killed before its transaction ended). Returns how many."""
    with transaction.atomic():
        _lock_landings()
        kept_ids = Delivery.objects.exclude(failure_code=MovementRefused.code).values_list("id", flat=True)
        kept = {f"landing/{delivery_id}" for delivery_id in kept_ids}
        orphans = [name for name in lake().names("landing/") if name not in kept]
        for name in orphans:
            lake().delete(name)
    return len(orphans)


def note_event(
    delivery: Delivery, status: str, *, by: str, why: str, counts: dict[str, int] | None = None
) -> DeliveryEvent:
    """Append what happened to a delivery, and let its row say so. The caller holds the transaction and saves other fields."""
    delivery.status = status
    delivery.save()
    return DeliveryEvent.objects.create(
        delivery=delivery, status=status, at=clock.now(), by=by[:120], why=why[:300], counts=counts or {}
    )


def note_failure(delivery: Delivery, error: IntakeError, *, by: str, why: str) -> None:
    """Write down that a delivery is refused whole. Movement data is not kept: its landing is deleted.

    The same refusal again (the file still lies in the inbox) is nothing new to write down.
    """
    if isinstance(error, MovementRefused):
        lake().delete(f"landing/{delivery.id}")
    if delivery.status == Status.FAILED and delivery.failure_code == error.code:
        return
    with transaction.atomic():
        delivery.failure_code, delivery.failure = error.code, error.fields
        note_event(delivery, Status.FAILED, by=by, why=why)
        record(
            "intake.refuse",
            by=by,
            why=why,
            detail={"delivery": delivery.id, "source": delivery.source, "code": error.code},
        )


def _land(source: Source, raw: bytes, suffix: str, said: str, *, by: str, why: str) -> Received:
    digests = _digests(said)
    with transaction.atomic():
        _lock_landings()
        known = Delivery.objects.filter(source=source.code, digest__in=digests).exclude(status=Status.WITHDRAWN).first()
        if known and known.status != Status.FAILED:
            return Received(known, True)
        delivery = known or _open_delivery(source, len(raw), said)
        # before the commit: a delivery without its bytes must not exist, bytes without a delivery are swept
        lake().write_bytes(f"landing/{delivery.id}", raw)
        refusal: IntakeError | None = None
        try:
            delivery.kind = check_envelope(raw, suffix, source)
        except IntakeError as error:
            refusal = error
            note_failure(delivery, error, by=by, why=why)
        else:
            delivery.failure_code, delivery.failure = "", None
            note_event(delivery, Status.RECEIVED, by=by, why=why)
            record(
                "intake.receive",
                by=by,
                why=why,
                detail={"delivery": delivery.id, "source": source.code, "bytes": len(raw), "format": delivery.kind},
            )
    if refusal:
        raise refusal
    return Received(delivery, False)


def _open_delivery(source: Source, size: int, said: str) -> Delivery:
    key = keyring().blinder(DIGEST)
    last = Delivery.objects.filter(source=source.code).order_by("-sequence").values_list("sequence", flat=True).first()
    return Delivery.objects.create(
        source=source.code,
        sequence=(last or 0) + 1,
        digest=key.blind(said),
        digest_key=key.key_id,
        kind=source.format.kind,
        size=size,
        received_at=clock.now(),
    )


def _lock_landings() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LANDING_LOCK])


def _digests(said: str) -> list[bytes]:
    """What the content is known by: under every key that exists, because one may be rotating."""
    return [key.blind(said) for key in keyring().blinders(DIGEST)]


def said_of(source: str, raw: bytes, salt: str = "") -> str:
    """What a delivery's digest is the hash of."""
    return f"{source}|{hashlib.sha256(raw).hexdigest()}|{salt}"


def bytes_of(path: Path) -> bytes:
    """A delivered file's bytes. Raises `NotAFile`, `DeliveryTooLarge` (before reading)."""
    try:
        size = path.stat().st_size
        if not path.is_file():
            raise NotAFile()
        if size > MAX_FILE_BYTES:
            raise DeliveryTooLarge(size=size, limit=MAX_FILE_BYTES)
        return path.read_bytes()
    except OSError:
        raise NotAFile() from None


def source_of(path: Path) -> Source:
    """The source whose declared pattern the file's name fits. Raises `NoSourceForFile`, `AmbiguousSource`."""
    found = sources_for_file(path.name, _patterns(sources().values()))
    if not found:
        raise NoSourceForFile(suffix=suffix_of(path.name) or "-")
    if len(found) > 1:
        raise AmbiguousSource(sources=", ".join(found))
    return source_named(found[0])


def _patterns(declared: Iterable[Source]) -> dict[str, list[str]]:
    return {source.code: source.format.files for source in declared}

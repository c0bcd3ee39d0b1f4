"""The door of keys. Every change of a key is in the trace before it happens, and again when it is done."""

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.serialization import Encoding
from django.db import connection, transaction
from django.db.models import F, Max

from wanjia.kernel import clock, settings
from wanjia.kernel.keyring import Key, Keyring
from wanjia.kernel.lake import Lake
from wanjia.kernel.sealed_stores import KeyedStore
from wanjia.kernel.suites import SUITE_NAMES
from wanjia.keys import rules
from wanjia.keys.adapters import earlier_transactions_end, keyed_stores
from wanjia.keys.errors import (
    CertificateUnknown,
    ChainMissing,
    ChainUnfit,
    KeyInForce,
    KeyStillNeeded,
    KeyTooYoung,
    KeyUnknown,
)
from wanjia.keys.models import Certificate, Reencryption, SigningChain
from wanjia.keys.rules import as_text, verified
from wanjia.trace import api as trace
from wanjia.trace.api import record

__all__ = [
    "KeyUse",
    "SigningIdentity",
    "advance",
    "as_text",
    "certificate",
    "certificates",
    "destroy",
    "finish_reencryption",
    "install_chain",
    "issue_certificate",
    "key_encryption_keys",
    "keyed_stores",
    "left_under_older_keys",
    "listed",
    "log_keys",
    "make_test_chain",
    "progress",
    "public_key",
    "rotate",
    "signing_chain",
    "signing_identity",
    "signing_request",
    "start_reencryption",
    "verified",
]

KEK = "kek"
#: the keys that sign the log's checkpoints; "trace-signing" is what they lie sealed under
LOG = "trace-log"
CERTIFICATES = "certificate"
#: a reader may have fetched a blob under the old key just before the last one was made anew
SETTLE_SECONDS = 2.0
#: how long destroying waits for transactions that were open
WAIT_SECONDS = 30.0


@dataclass(frozen=True)
class KeyUse:
    """A key and what is under it: store → how many values; None when it was not counted."""

    key: Key
    under: dict[str, int] | None


def listed(*, is_counted: bool = False) -> list[KeyUse]:
    """All keys of the ring; with `is_counted` also how much is under each (reads every store: a second for a million rows)."""
    keyring = _keyring()
    stores = keyed_stores() if is_counted else []
    return [
        KeyUse(key, _under(keyring, key, stores) if is_counted and not key.destroyed_at else None)
        for key in keyring.listed()
    ]


def key_encryption_keys() -> dict[str, bool]:
    """The key-encryption keys that exist → whether the ring is wrapped by it."""
    keyring = _keyring()
    return {name: name == keyring.kek for name in keyring.keks()}


def log_keys() -> list[trace.SigningKeys]:
    """The keys that sign the log's checkpoints, former, current and announced."""
    return trace.signing_keys()


def rotate(purpose: str, *, suite: str | None = None, by: str, why: str, dry_run: bool = False) -> dict[str, Any]:
    """A new key for `purpose` from now on ("kek": a new key-encryption key). Returns {purpose, old, new}; `dry_run`: new is None.

    Readers and writers go on; what is under the old key opens until re-encryption has made it anew. "trace-log", the keys that sign the log's
    checkpoints: the first call announces new ones in the log ({…, state: "announced"}), the next puts them in force ({…, state: "in_force", size}).
    Raises `KeyUnknown`, `PurposeMissing`, `KeysNotYetTold`.
    """
    if purpose == LOG:
        return _rotate_log(by=by, why=why, dry_run=dry_run)
    keyring = _keyring()
    if purpose == KEK:
        found: dict[str, Any] = {"purpose": KEK, "old": keyring.kek, "new": None}
        if not dry_run:
            with _traced("keys.rotate", {"purpose": KEK, "old": found["old"]}, by=by, why=why) as told:
                told["new"] = found["new"] = keyring.rotate_kek()
        return found
    old = next((key for key in keyring.listed() if key.purpose == purpose and key.is_current), None)
    chosen = next((number for number, name in SUITE_NAMES.items() if name == suite), None)
    if old is None or (suite and (chosen is None or old.suite_name not in SUITE_NAMES.values())):
        raise KeyUnknown(key=suite if old else purpose)
    found = {"purpose": purpose, "old": old.id, "new": None}
    if not dry_run:
        with _traced("keys.rotate", {"purpose": purpose, "old": old.id, "suite": suite}, by=by, why=why) as told:
            told["new"] = found["new"] = keyring.rotate(purpose, chosen)
    return found


def _rotate_log(*, by: str, why: str, dry_run: bool) -> dict[str, Any]:
    known = trace.signing_keys()
    current, following = (
        next((one for one in known if one.state == state), None) for state in ("current", "announced")
    )
    found: dict[str, Any] = {
        "purpose": LOG,
        "old": list(current.keys),
        "new": list(following.keys) if following else None,
    }
    found["state"] = "in_force" if following else "announced"
    if not dry_run:
        with _traced("keys.rotate", {"purpose": LOG, "state": found["state"]}, by=by, why=why) as told:
            if following:
                told["size"] = found["size"] = trace.take_up_keys(by=by, why=why)
            else:
                found["new"] = trace.announce_keys(by=by, why=why)
    return found


def left_under_older_keys(purposes: Sequence[str] | None = None) -> list[tuple[KeyedStore, int]]:
    """The stores that hold values under a key that is not current any more, with how many; of `purposes` or all."""
    keyring = _keyring()
    older: dict[str, list[int]] = {}
    for key in keyring.listed():
        if key.state == "opening" and (purposes is None or key.purpose in purposes):
            older.setdefault(key.purpose, []).append(key.id)
    counted = [
        (store, sum(store.under(keyring, key_id) for key_id in older[store.purpose]))
        for store in keyed_stores()
        if store.purpose in older
    ]
    return [(store, count) for store, count in counted if count]


def destroy(key: str, *, young_seconds: int | None = None, by: str, why: str, dry_run: bool = False) -> str | None:
    """Destroy an old key (its id, or the name of a key-encryption key): what may still lie under it in a backup never opens again.

    Returns the number of the certificate; None for a key-encryption key or a `dry_run`. Raises `KeyUnknown`, `KeyInForce`,
    `KeyStillNeeded` (something is under it), `KeyTooYoung` (somebody may still be writing with it), `PurposeMissing`.
    """
    keyring = _keyring()
    if ":" in key:
        if key not in keyring.keks():
            raise KeyUnknown(key=key)
        if any(one.kek == key for one in keyring.listed()) or key == keyring.kek:
            raise KeyInForce(key=key)
        if not dry_run:
            with _traced("keys.destroy", {"key": key}, by=by, why=why):
                keyring.destroy_kek(key)
        return None
    found = next((one for one in keyring.listed() if str(one.id) == key and not one.destroyed_at), None)
    if found is None:
        raise KeyUnknown(key=key)
    _refuse_if_needed(keyring, found, rules.YOUNG_SECONDS if young_seconds is None else young_seconds)
    if dry_run:
        return None
    time.sleep(SETTLE_SECONDS)
    # whatever was being written while we waited is visible now
    _refuse_if_needed(keyring, found, 0)
    with _traced("keys.destroy", {"key": found.id, "purpose": found.purpose}, by=by, why=why):
        keyring.destroy(found.id)
    gone = {
        "what": "data_key",
        "count": 1,
        "zh": f"数据密钥 {found.id}（用途 {found.purpose}，{found.suite_name}）：本装置中其下内容不可再解开",
        "en": f"data key {found.id} (purpose {found.purpose}, {found.suite_name}): nothing under it opens in this installation any more",
    }
    # what we cannot see we do not vouch for
    left = {
        "what": "copies",
        "count": 0,
        "zh": f"密钥文件的备份副本不在本证明之内；销毁密钥加密密钥 {found.kek} 后，其副本也不可再用",
        "en": f"copies of the ring in backups are not covered; they are of no use once the key-encryption key {found.kek} is destroyed",
    }
    return issue_certificate("key", found.id, basis=why, destroyed=[gone], left=[left], by=by, why=why)


def start_reencryption(total: int, *, by: str, why: str) -> int:
    """Note that a re-encryption begins; its number."""
    with transaction.atomic():
        run = Reencryption.objects.create(started_at=clock.now(), by=by[:120], why=why[:300], total=total)
        record("keys.reencrypt", by=by, why=why, detail={"run": run.id, "total": total, "phase": "asked"})
    return run.id


def advance(run: int, count: int) -> None:
    """`count` more values are made anew; joins the transaction that makes them."""
    Reencryption.objects.filter(id=run).update(done=F("done") + count)


def finish_reencryption(run: int, left: Mapping[str, int], *, by: str, why: str) -> None:
    """Note that a re-encryption has ended, and what is still under older keys."""
    with transaction.atomic():
        Reencryption.objects.filter(id=run).update(finished_at=clock.now(), left=dict(left))
        done = Reencryption.objects.get(id=run).done
        detail = {"run": run, "done": done, "left": sum(left.values()), "phase": "done"}
        record("keys.reencrypt", by=by, why=why, detail=detail)


def progress(limit: int = 20) -> list[dict[str, Any]]:
    """The newest runs of re-encryption: {id, started_at, finished_at, by, why, total, done, left}."""
    return list(Reencryption.objects.order_by("-id").values()[:limit])


def public_key() -> str:
    """The key (base64) that certificates of this installation are checked with; publish it where nobody can change it unseen."""
    import base64

    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    public = _keyring().signing_key(CERTIFICATES).public_key()
    return base64.b64encode(public.public_bytes(Encoding.Raw, PublicFormat.Raw)).decode()


def issue_certificate(
    kind: str,
    subject: int,
    *,
    basis: str,
    destroyed: Sequence[Mapping[str, Any]],
    left: Sequence[Mapping[str, Any]],
    proofs: Mapping[str, Any] | None = None,
    by: str,
    why: str,
) -> str:
    """Sign and keep a certificate; its number. `destroyed` and `left` are lists of {what, count, zh, en}; nothing personal in them."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            # numbers without holes: one that vanished would show
            cursor.execute("LOCK TABLE keys_certificate IN SHARE ROW EXCLUSIVE MODE")
        place = (Certificate.objects.aggregate(last=Max("id"))["last"] or 0) + 1
        number = f"{clock.today():%Y%m%d}-{place:06d}"
        issued_at = clock.now()
        content = {
            "number": number,
            "issued_at": issued_at.isoformat(timespec="seconds"),
            "kind": kind,
            "subject": subject,
            "basis": basis,
            "by": by,
            "destroyed": [dict(one) for one in destroyed],
            "left": [dict(one) for one in left],
            "proofs": dict(proofs or {}),
        }
        document = rules.signed(content, _keyring().signing_key(CERTIFICATES))
        made = Certificate.objects.create(id=place, issued_at=issued_at, kind=kind, subject=subject, document=document)
        record(
            "keys.certificate",
            subject_ids=[subject] if kind == "person" else [],
            by=by,
            why=why,
            detail={"certificate": made.id, "kind": kind},
        )
    return number


def certificate(number: str) -> str:
    """The signed document of a certificate. Raises `CertificateUnknown`."""
    last = number.rpartition("-")[2]
    found = Certificate.objects.filter(id=int(last)).first() if last.isdigit() and len(last) < 10 else None
    if found is None or f'"number": "{number}"' not in found.document:
        raise CertificateUnknown(number=number[:40])
    return found.document


def certificates(limit: int = 100) -> list[dict[str, Any]]:
    """The newest certificates: {id, number, issued_at, kind, subject}."""
    rows = Certificate.objects.order_by("-id").values("id", "issued_at", "kind", "subject", "document")[:limit]
    # the number says the day where the office is, which is not the day in UTC
    return [{**row, "number": json.loads(row.pop("document"))["content"]["number"]} for row in rows]


@dataclass(frozen=True)
class SigningIdentity:
    """A key with which documents are signed and its certificates, its own first."""

    key: EllipticCurvePrivateKey
    chain: tuple[x509.Certificate, ...]
    is_test: bool


def signing_identity(purpose: str) -> SigningIdentity:
    """Key and certificates in force for `purpose`. Raises `ChainMissing` when nobody has certified the key, or the certificate has ended."""
    key_id, key = _keyring().p256_key(purpose)
    row = SigningChain.objects.filter(purpose=purpose, key=key_id).order_by("-id").first()
    if row is None or rules.unfit(row.chain, key.public_key(), clock.now()):
        raise ChainMissing(purpose=purpose)
    return SigningIdentity(key, tuple(x509.load_pem_x509_certificates(row.chain.encode())), row.is_test)


def signing_chain(purpose: str) -> str:
    """The certificates in force for `purpose` as PEM, for those who check. Raises `ChainMissing`."""
    return "".join(one.public_bytes(Encoding.PEM).decode() for one in signing_identity(purpose).chain)


def signing_request(purpose: str) -> str:
    """A request (PKCS #10, PEM) for a certificate authority to certify the key of `purpose`."""
    return rules.request_for(purpose, _keyring().p256_key(purpose)[1])


def make_test_chain(purpose: str, *, by: str, why: str) -> str:
    """Certify the key of `purpose` by a root of this installation's own, which nobody trusts: for trials. Returns the chain as PEM."""
    ring = _keyring()
    # the same root and office for every purpose, so that who trusts the root for a trial does so once
    keys = [ring.p256_key(name)[1] for name in ("test-root", "test-office", purpose)]
    made = rules.chain_for_trials(purpose, keys, [x509.random_serial_number() for _ in keys], clock.now())
    _keep_chain(purpose, made, is_test=True, by=by, why=why)
    return made


def install_chain(purpose: str, chain: str, *, by: str, why: str) -> None:
    """Use the certificates (PEM, the key's own first) that an authority gave for the key of `purpose`. Raises `ChainUnfit`."""
    if reason := rules.unfit(chain, _keyring().p256_key(purpose)[1].public_key(), clock.now()):
        raise ChainUnfit(reason=reason)
    _keep_chain(purpose, chain, is_test=False, by=by, why=why)


@transaction.atomic
def _keep_chain(purpose: str, chain: str, *, is_test: bool, by: str, why: str) -> None:
    key_id, _ = _keyring().p256_key(purpose)
    SigningChain.objects.create(purpose=purpose, key=key_id, chain=chain, is_test=is_test, made_at=clock.now())
    record("keys.chain", by=by, why=why, detail={"purpose": purpose, "key": key_id, "is_test": is_test})


def _keyring() -> Keyring:
    return Keyring.open(settings.home())


def _under(keyring: Keyring, key: Key, stores: Sequence[KeyedStore]) -> dict[str, int]:
    return {store.name: store.under(keyring, key.id) for store in stores if store.purpose == key.purpose}


def _refuse_if_needed(keyring: Keyring, key: Key, young_seconds: int) -> None:
    if key.is_current:
        raise KeyInForce(key=key.id)
    now, replaced_at = clock.now(), datetime.fromisoformat(key.replaced_at or key.made_at or clock.now().isoformat())
    if seconds := rules.waiting_time(key.purpose, replaced_at, now, young_seconds):
        raise KeyTooYoung(key=key.id, reason="replaced just now", seconds=seconds)
    stores = [store for store in keyed_stores() if store.purpose == key.purpose]
    if not stores and not key.purpose.startswith((rules.SESSION, "sign:", "sign-p256:")):
        # nobody says what is sealed for this purpose, so nobody can say that nothing is
        raise KeyStillNeeded(key=key.id, count="?", where=key.purpose)
    if key.purpose == "lake" and Lake.open(settings.home()).unfinished():
        raise KeyTooYoung(key=key.id, reason="a file is being written", seconds=60)
    if not earlier_transactions_end(WAIT_SECONDS):
        raise KeyTooYoung(key=key.id, reason="a transaction is open", seconds=60)
    for store in stores:
        if count := store.under(keyring, key.id):
            raise KeyStillNeeded(key=key.id, count=count, where=store.name)


@contextmanager
def _traced(kind: str, detail: dict[str, Any], *, by: str, why: str) -> Iterator[dict[str, Any]]:
    """One entry before the act and one after: files do not roll back, so a single entry could be missing or untrue after a kill."""
    with transaction.atomic():
        record(kind, by=by, why=why, detail={**detail, "phase": "asked"})
    yield detail
    with transaction.atomic():
        record(kind, by=by, why=why, detail={**detail, "phase": "done"})

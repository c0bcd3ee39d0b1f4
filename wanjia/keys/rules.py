"""Decisions about keys, and the form of a certificate (pure)."""

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

#: a process notices a rotation within a second; a minute leaves room for what it had sealed and not yet written
YOUNG_SECONDS = 60
#: what is sealed for a session lives no longer than a session does (settings.SESSION_COOKIE_AGE)
SESSION = "session-"
SESSION_SECONDS = 8 * 3600
FORM = "wanjia-erasure-certificate/1"


@dataclass(frozen=True)
class Obstacle:
    """What stands against destroying a key: content left under it, or seconds to wait."""

    count: int = 0
    where: str = ""
    seconds: int = 0


def waiting_time(purpose: str, replaced_at: datetime, now: datetime, young: int = YOUNG_SECONDS) -> int:
    """Seconds until a replaced key may be destroyed, 0 when it may be now as far as time goes."""
    least = SESSION_SECONDS if purpose.startswith(SESSION) else young
    return max(0, round(least - (now - replaced_at).total_seconds()))


def canonical(content: Mapping[str, Any]) -> bytes:
    """The bytes that are signed: JSON with sorted keys, no spaces, UTF-8 as it is."""
    return json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def signed(content: Mapping[str, Any], key: Ed25519PrivateKey) -> str:
    """The certificate's document: {form, content, key, signature}, the last two in base64."""
    public = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    document = {
        "form": FORM,
        "content": dict(content),
        "key": base64.b64encode(public).decode(),
        "signature": base64.b64encode(key.sign(_to_sign(content))).decode(),
    }
    return json.dumps(document, ensure_ascii=False, indent=1, sort_keys=True)


def verified(document: str, public_key: str) -> dict[str, Any] | None:
    """The content of a certificate that was signed with `public_key` (base64), or None when it was not, or anything was altered."""
    try:
        read = json.loads(document)
        if read["form"] != FORM or read["key"] != public_key:
            return None
        key = Ed25519PublicKey.from_public_bytes(base64.b64decode(public_key, validate=True))
        key.verify(base64.b64decode(read["signature"], validate=True), _to_sign(read["content"]))
    except (InvalidSignature, ValueError, KeyError, TypeError):
        return None
    return read["content"]


def _to_sign(content: Mapping[str, Any]) -> bytes:
    # the form is signed too: a signature for another kind of document must not fit
    return FORM.encode() + b"\n" + canonical(content)


_WORDS = {
    "zh": {
        "title": "销毁证明", "number": "编号", "issued": "签发时间", "subject": "对象", "person": "人员编号", "key": "密钥编号",
        "basis": "依据", "destroyed": "已销毁", "left": "未销毁及原因", "nothing": "无",
        "proofs": "他人的证明", "signature": "签名", "public": "公钥",
    },
    "en": {
        "title": "Certificate of erasure", "number": "Number", "issued": "Issued", "subject": "Subject", "person": "person id", "key": "key id",
        "basis": "Basis", "destroyed": "Destroyed", "left": "Not destroyed, and why", "nothing": "nothing", "proofs": "Proofs of others",
        "signature": "Signature", "public": "Public key",
    },
}  # fmt: skip


def as_text(document: str, lang: str = "en") -> str:
    """The certificate for people, in one language. It says what the signed document says; the document is what counts."""
    read = json.loads(document)
    content, words = read["content"], _WORDS["zh" if lang.startswith("zh") else "en"]
    chosen = "zh" if lang.startswith("zh") else "en"
    lines = [
        f"{words['title']}  {words['number']} {content['number']}",
        f"{words['issued']}: {content['issued_at']}",
        f"{words['subject']}: {words[content['kind']]} {content['subject']}",
        f"{words['basis']}: {content['basis']}",
        "",
        f"{words['destroyed']}:",
        *_listed(content["destroyed"], chosen, words["nothing"]),
        f"{words['left']}:",
        *_listed(content["left"], chosen, words["nothing"]),
    ]
    if content.get("proofs"):
        lines += [f"{words['proofs']}:", *(f"  {name}: {value}" for name, value in content["proofs"].items())]
    return "\n".join([*lines, "", f"{words['public']}: {read['key']}", f"{words['signature']}: {read['signature']}"])


def _listed(items: Sequence[Mapping[str, Any]], lang: str, nothing: str) -> list[str]:
    return [f"  {item['count']:>8,}  {item[lang]}" for item in items] or [f"  {nothing}"]

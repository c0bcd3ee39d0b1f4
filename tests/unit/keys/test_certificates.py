"""The certificate: what is signed is what is said, and no altered byte passes."""

import base64
import json
import random
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from wanjia.keys.rules import SESSION_SECONDS, YOUNG_SECONDS, as_text, signed, verified, waiting_time

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
PUBLIC = base64.b64encode(KEY.public_key().public_bytes_raw()).decode()
CONTENT = {
    "number": "20261121-000001", "issued_at": "2026-11-21T09:00:00+00:00", "kind": "person", "subject": 42, "basis": "court order 7",
    "by": "keeper", "destroyed": [{"what": "vault", "count": 3, "zh": "保险库条目", "en": "vault entries"}],
    "left": [], "proofs": {"size": 100},
}  # fmt: skip
DOCUMENT = signed(CONTENT, KEY)


def test_a_certificate_verifies_with_the_key_that_was_published():
    assert verified(DOCUMENT, PUBLIC) == CONTENT
    stranger = Ed25519PrivateKey.generate()
    other = base64.b64encode(stranger.public_key().public_bytes_raw()).decode()
    assert verified(DOCUMENT, other) is None
    assert verified(signed(CONTENT, stranger), PUBLIC) is None


def test_no_altered_character_passes():
    chance = random.Random(5)
    for place in range(len(DOCUMENT)):
        letter = chance.choice([c for c in 'ab01"{}é' if c != DOCUMENT[place]])
        altered = DOCUMENT[:place] + letter + DOCUMENT[place + 1 :]
        # space between tokens may change; what is said may not
        assert verified(altered, PUBLIC) in (None, CONTENT), f"place {place}"
        if verified(altered, PUBLIC) == CONTENT:
            assert json.loads(altered)["content"] == CONTENT


@pytest.mark.parametrize("broken", ["", "{}", "[]", "null", '{"form": "wanjia-erasure-certificate/1"}', DOCUMENT[:-1]])
def test_what_is_no_certificate_is_not_valid(broken):
    assert verified(broken, PUBLIC) is None


def test_the_text_says_what_the_document_says_in_both_languages():
    for lang, title, item in (("zh", "销毁证明", "保险库条目"), ("en", "Certificate of erasure", "vault entries")):
        text = as_text(DOCUMENT, lang)
        for said in (title, item, "20261121-000001", "42", "court order 7", PUBLIC):
            assert said in text


@pytest.mark.parametrize(
    ("purpose", "age", "wait"),
    [("vault", 0, YOUNG_SECONDS), ("vault", YOUNG_SECONDS, 0), ("vault", 10**6, 0), ("session-search", 3600, SESSION_SECONDS - 3600)],
)  # fmt: skip
def test_a_key_is_old_enough_when_nobody_can_write_with_it(purpose, age, wait):
    now = datetime(2026, 11, 21, tzinfo=UTC)
    assert waiting_time(purpose, now - timedelta(seconds=age), now) == wait

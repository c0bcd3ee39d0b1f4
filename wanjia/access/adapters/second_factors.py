"""Seeds of one-time and recovery codes, sealed as allauth keeps them, and made again when their key rotates."""

import base64
from typing import Any

from django.db import transaction

from wanjia.kernel import settings
from wanjia.kernel.keyring import Keyring
from wanjia.kernel.sealed_stores import Note
from wanjia.kernel.sealing import HEAD

PURPOSE = "second-factor"
PLACE = b"mfa_authenticator|data"
#: where allauth keeps what it has given to `encrypt`
SECRETS = ("secret", "seed")


def seal_text(text: str) -> str:
    """A seed as it stands in the database: base64 of a sealed blob."""
    return base64.b64encode(_keyring().seal(PURPOSE, text.encode(), PLACE)).decode()


def open_text(sealed: str) -> str:
    """The seed in a sealed text. Raises `KeyUnavailable`."""
    return _keyring().unseal(PURPOSE, base64.b64decode(sealed), PLACE).decode()


class SealedSeeds:
    """All seeds, for the re-encryption after a rotation (see kernel/sealed_stores.py)."""

    name, purpose = "mfa_authenticator.data", PURPOSE

    def under(self, keyring: Keyring, key_id: int) -> int:
        """How many seeds are under this key."""
        return sum(_key_of(row.data[key]) == key_id for row in _rows() for key in SECRETS if key in row.data)

    def remake(self, keyring: Keyring, note: Note) -> int:
        """Seal anew what is not under the current key, one authenticator in a transaction."""
        current = HEAD.unpack(keyring.sealer(PURPOSE).head)[1]
        done = 0
        for row in _rows():
            stale = [key for key in SECRETS if key in row.data and _key_of(row.data[key]) != current]
            if stale:
                with transaction.atomic():
                    for key in stale:
                        row.data[key] = seal_text(open_text(row.data[key]))
                    row.save(update_fields=["data"])
                    note(1)
                done += 1
        return done


def _rows() -> Any:
    from allauth.mfa.models import Authenticator

    return Authenticator.objects.exclude(type="webauthn")


def _key_of(sealed: str) -> int:
    return HEAD.unpack_from(base64.b64decode(sealed))[1]


def _keyring() -> Keyring:
    return Keyring.open(settings.home())

"""How random secrets of machines are hashed: once. 256 random bits cannot be guessed, so a slow hash would guard nothing and cost a token."""

import hashlib
import secrets

from django.contrib.auth.hashers import BasePasswordHasher
from django.utils.crypto import constant_time_compare

SECRET_BYTES = 32


def random_secret() -> str:
    """A secret for a machine: 256 random bits."""
    return secrets.token_urlsafe(SECRET_BYTES)


class RandomSecretHasher(BasePasswordHasher):
    """SHA-256 of a random secret. Never the first hasher of the settings: passwords of people are hashed slowly."""

    algorithm = "random_secret_sha256"

    def encode(self, password: str, salt: str) -> str:
        """The hash as it is kept; the salt is not needed, because no two secrets are alike."""
        return f"{self.algorithm}${hashlib.sha256(password.encode()).hexdigest()}"

    def decode(self, encoded: str) -> dict[str, str]:
        """The parts of a kept hash."""
        algorithm, _, hashed = encoded.partition("$")
        return {"algorithm": algorithm, "hash": hashed, "salt": ""}

    def verify(self, password: str, encoded: str) -> bool:
        """Whether the secret is the one."""
        return constant_time_compare(encoded, self.encode(password, ""))

    def safe_summary(self, encoded: str) -> dict[str, str]:
        """What may be shown of a kept hash: that it is one."""
        return {"algorithm": self.algorithm}

    def harden_runtime(self, password: str, encoded: str) -> None:
        """Nothing to equalise: there is one work factor."""

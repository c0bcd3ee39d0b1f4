"""What the trace holds under keys, and how it is sealed again when one rotates (kernel/sealed_stores.py)."""

from wanjia.kernel import settings
from wanjia.kernel.keyring import Keyring
from wanjia.kernel.sealed_stores import Note, SealedColumn
from wanjia.trace.adapters.signer import PURPOSE, seal_seeds_again, seeds_under
from wanjia.trace.api.log import NONCE_PURPOSE, nonce_aad


class SigningSeeds:
    """The seeds of the log's signing keys, sealed in a file of the key folder. Their sealing rotates; the log's keys stay what they are."""

    name, purpose = "trace-log.json", PURPOSE

    def under(self, keyring: Keyring, key_id: int) -> int:
        """How many seeds are under this key."""
        return seeds_under(settings.home()).count(key_id)

    def remake(self, keyring: Keyring, note: Note) -> int:
        """Seal them again."""
        done = seal_seeds_again(settings.home(), keyring)
        note(done)
        return done


KEYED = (SealedColumn(NONCE_PURPOSE, "trace_nonce", (("seq", "bigint"),), "sealed", nonce_aad), SigningSeeds())

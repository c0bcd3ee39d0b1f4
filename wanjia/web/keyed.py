"""What the pages keep under keys, and how it is made again when one rotates (kernel/sealed_stores.py)."""

from wanjia.kernel.sealed_stores import SealedFile
from wanjia.web.public.provider import PLACE, PURPOSE

KEYED = (SealedFile(PURPOSE, "oidc_signing_key", PLACE),)

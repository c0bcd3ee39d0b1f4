"""Witnesses: other offices' small processes that cosign our checkpoints and refuse rollback and fork."""

from wanjia.trace.adapters.signer import Signer
from wanjia.trace.rules.note import Checkpoint


def witnessed(signer: Signer) -> list[Checkpoint]:
    """The newest checkpoints the set witnesses know of our log; a witness that does not answer is left out."""
    return []

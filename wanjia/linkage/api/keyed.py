"""What linkage keeps under keys: the reasons of officers' decisions (kernel/sealed_stores.py)."""

from wanjia.kernel.sealed_stores import SealedColumn

REASONS = "review-reason"


def reason_aad(decision_id: int) -> bytes:
    """What binds a reason's blob to its row."""
    return b"linkage_decision|reason|%d" % decision_id


KEYED = (SealedColumn(REASONS, "linkage_decision", (("id", "bigint"),), "reason", reason_aad),)

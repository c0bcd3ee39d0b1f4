"""What the catalog keeps under keys: the reasons of officers' decisions, and what the sources said then (kernel/sealed_stores.py)."""

from wanjia.kernel.sealed_stores import SealedColumn

DECISIONS = "conflict-decision"


def reason_aad(decision_id: int) -> bytes:
    """What binds a reason's blob to its row."""
    return b"catalog_conflictdecision|reason|%d" % decision_id


def said_aad(decision_id: int) -> bytes:
    """What binds the blob of what the sources said to its row."""
    return b"catalog_conflictdecision|said|%d" % decision_id


KEYED = (
    SealedColumn(DECISIONS, "catalog_conflictdecision", (("id", "bigint"),), "reason", reason_aad),
    SealedColumn(DECISIONS, "catalog_conflictdecision", (("id", "bigint"),), "said", said_aad),
)

"""What documents keep under keys (kernel/sealed_stores.py)."""

from wanjia.kernel.sealed_stores import SealedColumn

PURPOSE = "documents"


def place(number: str) -> bytes:
    """What binds a blob to its document."""
    return f"documents_document|blob|{number}".encode()


KEYED = (SealedColumn(PURPOSE, "documents_document", (("number", "text"),), "blob", place),)

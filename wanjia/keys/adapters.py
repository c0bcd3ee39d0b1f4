"""What all contexts keep under keys, found by the convention that a context declares it as `KEYED` in its api."""

import importlib
import importlib.util
import time

from django.apps import apps
from django.db import connection

from wanjia.kernel.sealed_stores import KeyedStore


def keyed_stores() -> list[KeyedStore]:
    """Every store of every context, in the order of the contexts' names."""
    found: list[KeyedStore] = []
    for config in sorted(apps.get_app_configs(), key=lambda one: one.name):
        if config.name.startswith("wanjia.") and importlib.util.find_spec(f"{config.name}.api"):
            found += getattr(importlib.import_module(f"{config.name}.api"), "KEYED", ())
    return found


def earlier_transactions_end(within: float) -> bool:
    """Wait until every transaction that runs now has ended; False when one still runs after `within` seconds.

    What such a transaction sealed before it noticed a rotation becomes visible only when it commits.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_snapshot_xmax(pg_current_snapshot())::text")
        horizon = cursor.fetchone()[0]
        until = time.monotonic() + within
        while True:
            # our own transaction, if we are in one, is not in its own snapshot
            cursor.execute(
                "SELECT EXISTS (SELECT FROM pg_snapshot_xip(pg_current_snapshot()) running WHERE running < %s::xid8)",
                [horizon],
            )
            if not cursor.fetchone()[0]:
                return True
            if time.monotonic() > until:
                return False
            time.sleep(0.1)

"""What all contexts keep under keys, found by the convention that a context declares it as `KEYED` in its api (the pages: in keyed.py)."""

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
        for door in ("api", "keyed"):
            if config.name.startswith("wanjia.") and importlib.util.find_spec(f"{config.name}.{door}"):
                found += getattr(importlib.import_module(f"{config.name}.{door}"), "KEYED", ())
    return found


def earlier_transactions_end(within: float) -> bool:
    """Wait until every transaction that runs now has ended; False when one still runs after `within` seconds.

    What such a transaction sealed before it noticed a rotation becomes visible only when it commits.
    """
    # every transaction that writes holds a lock on its own number until it ends
    running = (
        "SELECT coalesce(array_agg(transactionid::text), '{}') FROM pg_locks WHERE locktype = 'transactionid'"
        " AND granted AND mode = 'ExclusiveLock' AND pid <> pg_backend_pid()"
    )
    with connection.cursor() as cursor:
        cursor.execute(running)
        earlier = set(cursor.fetchone()[0])
        until = time.monotonic() + within
        while earlier and time.monotonic() < until:
            time.sleep(0.1)
            cursor.execute(running)
            earlier &= set(cursor.fetchone()[0])
    return not earlier

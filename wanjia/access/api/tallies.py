"""Lock-out after failures: counted in the database, so that every process of the server counts together and a restart forgets nothing."""

from datetime import datetime, timedelta

from django.db import connection, transaction
from django.utils.crypto import salted_hmac

from wanjia.access.api.accounts import account_named
from wanjia.access.models import Account, LogInTally
from wanjia.kernel import clock
from wanjia.trace import api as trace

LOCK_AFTER = 5
#: failures further apart than this are not in a row; a lock lasts as long
LOCK_MINUTES = 15


def locked_until(name: str) -> datetime | None:
    """Until when log-in under this name is refused, whoever tries and whether or not there is such an account; None: it is open."""
    row = LogInTally.objects.filter(name_hash=_hash(name)).first()
    return row.locked_until if row and row.locked_until and row.locked_until > clock.now() else None


def count_failure(name: str) -> bool:
    """Count a failed log-in under this name; True when it is locked by that. One statement, so that attempts at the same time all count.

    Traced with the account's number if there is one, never with what was typed.
    """
    now = clock.now()
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO access_logintally AS t (name_hash, failures, last_at) VALUES (%(name)s, 1, %(now)s)
            ON CONFLICT (name_hash) DO UPDATE SET
                failures = CASE WHEN t.last_at < %(stale)s THEN 1 ELSE t.failures + 1 END, last_at = %(now)s,
                locked_until = CASE WHEN t.last_at >= %(stale)s AND t.failures + 1 >= %(most)s THEN %(until)s ELSE t.locked_until END
            RETURNING failures >= %(most)s
            """,
            {
                "name": _hash(name),
                "now": now,
                "stale": now - timedelta(minutes=LOCK_MINUTES),
                "until": now + timedelta(minutes=LOCK_MINUTES),
                "most": LOCK_AFTER,
            },
        )
        is_locked: bool = cursor.fetchone()[0]
        account = Account.objects.filter(username=name).first()
        trace.record(
            "access.lock_out" if is_locked else "access.log_in_failed",
            by=account.username if account else "anonymous",
            why="log in",
            detail={"account": account.pk if account else None},
        )
    return is_locked


def forget_failures(name: str) -> None:
    """After a log-in that went well nothing is counted any more."""
    LogInTally.objects.filter(name_hash=_hash(name)).delete()


@transaction.atomic
def lift_lock(username: str, *, by: str, why: str) -> None:
    """Let an account log in again before its time. Traced. Raises `AccountUnknown`."""
    account = account_named(username)
    forget_failures(username)
    trace.record("access.lift_lock", by=by, why=why, detail={"account": account.pk})


def _hash(name: str) -> bytes:
    return salted_hmac("wanjia.access.tally", name.strip().casefold(), algorithm="sha256").digest()

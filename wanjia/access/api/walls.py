"""For whom a transaction reads: told to the database, whose row-level security lets only that account's persons through.

The second wall. The first is `decide`; this one holds when a page forgets to ask it. Settings are of the transaction only: on a pooled connection a
setting of the session would still hold for whoever comes next.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from wanjia.access.api.deciding import book, granted_persons, own_area, purposes_of
from wanjia.access.models import Account

_reader: ContextVar[Account | None] = ContextVar("wanjia_reader", default=None)
_settings: ContextVar[tuple[int, dict[str, str]] | None] = ContextVar("wanjia_wall", default=None)


@contextmanager
def reading_for(account: Account) -> Iterator[None]:
    """Inside the block, reads of the register are this account's reads."""
    reader, settings = _reader.set(account), _settings.set(None)
    try:
        yield
    finally:
        _reader.reset(reader)
        _settings.reset(settings)


def raise_wall(cursor: Any) -> None:
    """Tell the transaction of this cursor for whom it reads. Nobody (a job, a command): nothing is told, and only the owner's role sees rows."""
    account = _reader.get()
    if account is None:
        return
    known = _settings.get()
    if known is None:
        known = (account.pk, settings_for(account))
        _settings.set(known)
    cursor.execute(
        "SELECT set_config('wanjia.' || name, value, true) FROM unnest(%s::text[], %s::text[]) AS given(name, value)",
        [list(known[1]), list(known[1].values())],
    )


def settings_for(account: Account) -> dict[str, str]:
    """What the database is told about an account: area ("*": all; "": none), whether sealed persons and the own household are seen; by id
    `persons` (sealed or not) and `granted` (unless sealed).
    """
    purposes = purposes_of(account)
    own = [own_area(account, purpose) for purpose in purposes]
    areas = {area or "*" for area, _ in own if area is not None}
    # one look at the grants for all purposes: this is told before each page
    persons, granted = granted_persons(account, purposes)
    role = book().roles.get(account.role)
    is_resident = bool(role and role.is_resident and account.is_active and account.person_id is not None)
    if is_resident:
        persons.add(account.person_id)
    return {
        "area": min(areas) if areas else "",
        "persons": _array(persons),
        "granted": _array(granted),
        "sealed": "yes" if any(finds_sealed for _, finds_sealed in own) else "",
        "household": "yes" if is_resident else "",
    }


def _array(ids: set[int]) -> str:
    return "{" + ",".join(map(str, sorted(ids))) + "}"

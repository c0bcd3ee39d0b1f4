"""Whether persons may be read: only when the log is shown to go on from what was published last.

What was published is remembered outside the database (`trace/published` in the home, and by the witnesses), because a restored backup forgets.
The gate in the database is bound to the running server and its tables: after every restart or restore it is shut until somebody looked.
"""

import logging
from pathlib import Path
from typing import Any

from django.db import connection, transaction

from wanjia.kernel import clock, settings
from wanjia.trace.adapters.files import write_atomically
from wanjia.trace.adapters.signer import Signer
from wanjia.trace.api.log import read_tile
from wanjia.trace.errors import LogBroken, LogIdentityChanged
from wanjia.trace.rules.note import Checkpoint, Note, parse_checkpoint, parse_note
from wanjia.trace.rules.tree import EMPTY_ROOT, ProofWrong, Tree

#: only who holds this lock may grow the log or open the gate; it ends with its transaction
LOG_LOCK = 0x57414E4A54524345
ROLLBACK, FORK, UNPROVEN = "rollback", "fork", "unproven"

log = logging.getLogger("wanjia.trace")


def published_path(home: Path | None = None) -> Path:
    """Where this installation remembers the last checkpoint it published."""
    return (home or settings.home()) / "trace" / "published"


def remembered(signer: Signer, home: Path | None = None) -> Note | None:
    """The last checkpoint this installation published, by its own file. A file that our keys did not sign counts as none.

    Raises OSError when the file is there but cannot be read now: that is no reason to think it gone.
    """
    path = published_path(home)
    try:
        note = parse_note(path.read_text())
        signer.own_head(note)
    except (FileNotFoundError, ProofWrong, UnicodeDecodeError):
        return None
    return note


def remember(note: Note, home: Path | None = None) -> None:
    """Remember what was published."""
    write_atomically(published_path(home), note.whole.encode())


def confirm(*, home: Path | None = None) -> bool:
    """Open the gate if the log in the database goes on from all that is known to be published; shut it otherwise.

    Cheap when it is open already. Returns whether it is open. Called by the sequencer and by commands that read persons.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        if _is_bound(cursor):
            return True
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOG_LOCK])
        try:
            ensure_continues(cursor, Signer.open(home or settings.home()), home=home)
        except (LogBroken, LogIdentityChanged) as broken:
            shut(cursor, getattr(broken, "fields", {}).get("reason", FORK))
            return False
        bind(cursor)
        return True


def ensure_continues(cursor: Any, signer: Signer, *, home: Path | None = None) -> None:
    """Raises `LogBroken` unless the log in the database begins with every checkpoint known from outside it, `LogIdentityChanged`."""
    from wanjia.trace.api.witnessing import witnessed

    here = newest(cursor)
    if here is not None and here.origin != signer.origin:
        raise LogIdentityChanged(own=signer.origin, found=here.origin)
    own = remembered(signer, home)
    known = [parse_checkpoint(note) for note in ([own] if own else [])]
    known += witnessed(signer)
    if not known and here is None:
        # remembered before the first commit: a log killed right after it must not look like one of unknown length
        remember(signer.sign(Checkpoint(signer.origin, 0, EMPTY_ROOT), int(clock.now().timestamp())), home)
    if not known and here is not None and here.size:
        # neither our own file nor a witness says how far the log had come: nobody can tell a restored backup from the newest state
        raise LogBroken(reason=UNPROVEN, here=here.size, published="?")
    for published in known:
        ensure_begins_with(here, published)


def ensure_begins_with(here: Checkpoint | None, published: Checkpoint) -> None:
    """Raises `LogBroken` unless the tree in the database begins with the published one."""
    size = here.size if here else 0
    if size < published.size:
        raise LogBroken(reason=ROLLBACK, here=size, published=published.size)
    try:
        is_same = Tree(size, read_tile).root(published.size) == published.root
    except ProofWrong:
        is_same = False
    if not is_same:
        raise LogBroken(reason=FORK, here=size, published=published.size)


def newest(cursor: Any) -> Checkpoint | None:
    """The newest checkpoint in the database."""
    cursor.execute("SELECT note FROM trace_checkpoint ORDER BY size DESC LIMIT 1")
    row = cursor.fetchone()
    return parse_checkpoint(parse_note(row[0])) if row else None


def _is_bound(cursor: Any) -> bool:
    cursor.execute("SELECT reason = '' AND bound_to = trace_incarnation() FROM trace_gate WHERE id = 1")
    row = cursor.fetchone()
    return bool(row and row[0])


def is_open() -> bool:
    """Whether entries about persons are let in now."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT NOT EXISTS (SELECT FROM trace_gate WHERE reason <> '' OR bound_to NOT IN ('', trace_incarnation()))"
        )
        return cursor.fetchone()[0]


def shut_because() -> str:
    """Why the gate was shut: "rollback", "fork", "unproven"; empty when it was not."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT reason FROM trace_gate WHERE id = 1")
        row = cursor.fetchone()
    return row[0] if row else ""


def bind(cursor: Any) -> None:
    """Open the gate for this database as it runs now."""
    cursor.execute(
        "INSERT INTO trace_gate (id, bound_to) VALUES (1, trace_incarnation()) ON CONFLICT (id) DO UPDATE"
        " SET bound_to = trace_incarnation(), reason = '', since = clock_timestamp()"
        " WHERE trace_gate.reason <> '' OR trace_gate.bound_to <> trace_incarnation()"
    )


def shut(cursor: Any, reason: str) -> None:
    """Shut the gate: from the next statement on no entry about a person is let in, so nobody can be read."""
    cursor.execute(
        "INSERT INTO trace_gate (id, bound_to, reason) VALUES (1, '', %(reason)s) ON CONFLICT (id) DO UPDATE"
        " SET reason = %(reason)s, since = clock_timestamp() WHERE trace_gate.reason <> %(reason)s",
        {"reason": reason},
    )
    if cursor.rowcount:
        log.error("TRACE-004 the gate is shut: %s", reason)

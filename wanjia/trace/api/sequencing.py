"""The sequencer: gives waiting entries their places, lets the tree grow, and publishes a signed checkpoint, all in one commit.

One at a time, under an advisory lock that ends with its transaction: several may run, a killed one leaves nothing behind. After the commit the public
folder is brought up to date, and only then is the checkpoint remembered outside the database: what is remembered can be taken over from the folder.
"""

import logging
import secrets
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
from django.db import Error, connection, transaction

from wanjia.kernel import clock, settings
from wanjia.kernel.database import copy_rows, ensure_server
from wanjia.kernel.errors import WanjiaError
from wanjia.kernel.keyring import Keyring
from wanjia.trace.adapters.signer import Signer
from wanjia.trace.api.exporting import export, public_folder
from wanjia.trace.api.gate import LOG_LOCK, bind, ensure_begins_with, ensure_continues, newest, remember, shut
from wanjia.trace.api.log import NONCE_PURPOSE, checkpoint, entry_of, nonce_aad, read_tile
from wanjia.trace.errors import LogBroken, LogIdentityChanged
from wanjia.trace.rules.entry import NONCE_BYTES, canonical, commitment
from wanjia.trace.rules.note import Checkpoint, Note, parse_checkpoint
from wanjia.trace.rules.tree import HASH_BYTES, ProofWrong, Tree, grown, leaf_hash, right_edge

#: a round takes so many entries at most, so that a long queue is published piece by piece
ROUND_ENTRIES = 20_000
PAUSE_SECONDS = 0.5
PAUSE_AFTER_FAILURE_SECONDS = 2.0
#: checkpoints older than this are thinned to the last of each hour
KEEP_ALL_HOURS = 24

log = logging.getLogger("wanjia.trace")

_TAKE = """
WITH taken AS (
    DELETE FROM trace_pending WHERE entry_id IN (SELECT entry_id FROM trace_pending ORDER BY entry_id LIMIT %s) RETURNING entry_id
)
SELECT e.id, e.at, e.kind, e.actor, e.department, e.purpose, e.basis, e.subject, e.reach, e.detail::text
FROM taken JOIN trace_entry e ON e.id = taken.entry_id ORDER BY e.id
"""
_THIN = """
DELETE FROM trace_checkpoint c WHERE at < clock_timestamp() - make_interval(hours => %s) AND cosigned = '' AND EXISTS (
    SELECT FROM trace_checkpoint later WHERE later.size > c.size AND date_trunc('hour', later.at) = date_trunc('hour', c.at))
"""


class Sequencer:
    """Makes the public log of one installation."""

    def __init__(self, home: Path | None = None) -> None:
        self._home = home or settings.home()
        self._signer = Signer.open(self._home)
        self._sealer = Keyring.open(self._home).sealer(NONCE_PURPOSE)
        self._seen: Checkpoint | None = None
        self._out: tuple[Note, Note | None] | None = None
        self._has_more = False
        self._thinned = 0.0

    def step(self) -> Note | None:
        """One round: the checkpoint it published, or None when nothing waited or another sequencer was at it.

        Raises `LogBroken` (the gate is shut then) and the database's own errors, after which nothing has changed.
        """
        try:
            note = self._grow()
        except (LogBroken, LogIdentityChanged) as broken:
            with transaction.atomic(), connection.cursor() as cursor:
                shut(cursor, broken.fields.get("reason", "fork"))
            raise
        if note is not None:
            self._seen = parse_checkpoint(note)
        self._put_out()
        return note

    def _put_out(self) -> None:
        """Bring the public folder up to the newest checkpoint and remember it; cheap when nothing is new."""
        note, cosigned = checkpoint(), checkpoint(cosigned=True)
        if note is None or (note, cosigned) == self._out:
            return
        export(public_folder(self._home))
        remember(note, self._home)
        self._out = (note, cosigned)

    @transaction.atomic
    def _grow(self) -> Note | None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [LOG_LOCK])
            if not cursor.fetchone()[0]:
                return None
            # under the lock: whoever takes up new keys holds it
            self._signer = self._signer.fresh(self._home)
            before = newest(cursor)
            self._look(cursor, before)
            cursor.execute(_TAKE, [ROUND_ENTRIES])
            rows = cursor.fetchall()
            self._has_more = len(rows) == ROUND_ENTRIES
            if not rows:
                return None
            size = before.size if before else 0
            return self._append(cursor, size, rows)

    def _look(self, cursor: Any, before: Checkpoint | None) -> None:
        """Make sure the log goes on from what was published; open the gate for this run of the database."""
        if self._seen is None:
            ensure_continues(cursor, self._signer, home=self._home)
            self._seen = before
        elif before != self._seen:
            # another sequencer was here, or somebody changed the tables
            ensure_begins_with(before, self._seen)
            self._seen = before
        bind(cursor)

    def _append(self, cursor: Any, size: int, rows: list[tuple]) -> Note:
        places, nonces, leaves = [], [], []
        names = ("id", "at", "kind", "actor", "department", "purpose", "basis", "subject", "reach")
        for seq, row in enumerate(rows, start=size):
            nonce = secrets.token_bytes(NONCE_BYTES)
            said = commitment(nonce, canonical(entry_of(dict(zip(names, row[:-1], strict=True)), row[-1])))
            places.append((seq, row[0], said))
            nonces.append((seq, self._sealer.seal(nonce, nonce_aad(seq))))
            leaves.append(leaf_hash(said))
        copy_rows(cursor, "trace_place", ["seq", "entry_id", "commitment"], places, types=["int8", "int8", "bytea"])
        copy_rows(cursor, "trace_nonce", ["seq", "sealed"], nonces, types=["int8", "bytea"])
        return publish(cursor, self._signer, size, leaves)

    def serve(self, is_stopping: Callable[[], bool]) -> None:
        """Publish until told to stop, a queue piece by piece without a pause, what trickles in together: a checkpoint costs the same for one entry.

        Failures are logged by their code and tried again: the log heals when its database does.
        """
        while not is_stopping():
            try:
                self._has_more = False
                self.step()
                self._thin()
            # COPY raises the driver's own errors, not Django's
            except (WanjiaError, Error, psycopg.Error, ProofWrong, OSError) as failure:
                log.warning("sequencer: %s", getattr(failure, "code", type(failure).__name__))
                self._seen = None
                connection.close()
                _revive()
                _pause(PAUSE_AFTER_FAILURE_SECONDS, is_stopping)
                continue
            if not self._has_more:
                _pause(PAUSE_SECONDS, is_stopping)

    def _thin(self) -> None:
        if time.monotonic() - self._thinned > 3600:
            with connection.cursor() as cursor:
                cursor.execute(_THIN, [KEEP_ALL_HOURS])
            self._thinned = time.monotonic()


def publish(cursor: Any, signer: Signer, size: int, leaves: list[bytes]) -> Note:
    """Let the tree of `size` leaves grow by `leaves` and store the signed checkpoint, in the caller's transaction."""
    edge = {(level, index): read_tile(level, index, width) for level, index, width in right_edge(size)}
    new_size, changed = grown(size, edge, leaves)

    def read(level: int, index: int, width: int) -> bytes:
        tile = changed.get((level, index))
        return read_tile(level, index, width) if tile is None else tile[: width * HASH_BYTES]

    root = Tree(new_size, read).root()
    cursor.executemany(
        "INSERT INTO trace_tile (level, index, hashes) VALUES (%s, %s, %s)"
        " ON CONFLICT (level, index) DO UPDATE SET hashes = excluded.hashes",
        [(level, index, tile) for (level, index), tile in changed.items()],
    )
    note = signer.sign(Checkpoint(signer.origin, new_size, root), int(clock.now().timestamp()))
    cursor.execute("INSERT INTO trace_checkpoint (size, root, note) VALUES (%s, %s, %s)", [new_size, root, note.whole])
    return note


def _revive() -> None:
    """The embedded server may have died with its disk full or its machine short of memory: nobody else looks after it."""
    try:
        ensure_server(again=True)
    except (WanjiaError, OSError) as failure:
        log.warning("sequencer: %s", getattr(failure, "code", type(failure).__name__))


def _pause(seconds: float, is_stopping: Callable[[], bool]) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until and not is_stopping():
        time.sleep(0.05)

"""Witnesses: other offices' small processes that cosign our checkpoints and refuse rollback and fork. Here is our side of it."""

import hashlib
import http.client
import logging
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection, transaction

from wanjia.kernel import settings
from wanjia.trace.adapters.signer import Signer, handovers
from wanjia.trace.api.log import checkpoint, read_tile
from wanjia.trace.errors import LogBroken, WitnessSettingWrong
from wanjia.trace.rules.handover import parse_handovers
from wanjia.trace.rules.note import (
    Checkpoint,
    Key,
    Note,
    Signature,
    joined,
    parse_checkpoint,
    parse_note,
    parse_signatures,
    parse_vkey,
    verified,
)
from wanjia.trace.rules.tree import ProofWrong, Tree
from wanjia.trace.rules.witness import Submission

TIMEOUT_SECONDS = 5
PAUSE_SECONDS = 1.0
MOST_BYTES = 1 << 18

log = logging.getLogger("wanjia.trace")


@dataclass(frozen=True)
class Setting:
    """A witness we use: its address and one of its keys."""

    address: str
    key: Key


def witnesses() -> list[Setting]:
    """The witnesses that are set (WANJIA_TRACE_WITNESSES). Raises `WitnessSettingWrong`."""
    found = []
    for one in settings.trace_witnesses():
        address, _, key = one.partition(" ")
        try:
            found.append(Setting(address.rstrip("/"), parse_vkey(key)))
        except ProofWrong:
            raise WitnessSettingWrong() from None
        if not address.startswith(("http://", "https://")):
            raise WitnessSettingWrong()
    return found


def witnessed(signer: Signer) -> list[Checkpoint]:
    """The newest checkpoints the set witnesses know of our log; a witness that does not answer, or knows nothing, is left out."""
    known = []
    for witness in witnesses():
        place = hashlib.sha256(signer.origin.encode()).hexdigest()
        status, content = _ask(f"{witness.address}/{place}/checkpoint")
        if status != 200:
            continue
        try:
            note = parse_note(content)
            verified(note, [witness.key])
            head = signer.own_head(note)
        except ProofWrong:
            log.warning("witness %s answers what it did not sign", witness.key.name)
            continue
        if head.origin == signer.origin:
            known.append(head)
    return known


def cosigned_at() -> datetime | None:
    """When the newest cosigned checkpoint was published; None when there is none."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT at FROM trace_checkpoint WHERE cosigned <> '' ORDER BY size DESC LIMIT 1")
        row = cursor.fetchone()
    return row[0] if row else None


class Cosigning:
    """Brings new checkpoints to the witnesses, beside the sequencer, so that a slow witness delays nobody."""

    def __init__(self, chosen: Sequence[Setting] | None = None) -> None:
        self._witnesses = list(witnesses() if chosen is None else chosen)
        self._sizes = dict.fromkeys((one.address for one in self._witnesses), 0)
        self._done = 0

    def step(self) -> bool:
        """Have the newest checkpoint cosigned by every witness that answers; whether anything was stored.

        Raises `LogBroken` when a witness knows a log that ours does not go on from; the gate is shut then.
        """
        note = checkpoint() if self._witnesses else None
        if note is None or parse_checkpoint(note).size == self._done:
            return False
        head = parse_checkpoint(note)
        lines: list[Signature] = []
        for witness in self._witnesses:
            try:
                lines += self._cosigned(witness, note, head)
            except LogBroken as broken:
                from wanjia.trace.api.gate import shut

                with transaction.atomic(), connection.cursor() as cursor:
                    shut(cursor, broken.fields["reason"])
                raise
        if not lines:
            return False
        with connection.cursor() as cursor:
            cursor.execute(
                "UPDATE trace_checkpoint SET cosigned = %s WHERE size = %s",
                ["".join(one.line for one in lines), head.size],
            )
        if len(lines) >= len(self._witnesses):
            self._done = head.size
        return True

    def serve(self, is_stopping: Callable[[], bool], pause: Callable[[float], Any]) -> None:
        """Until told to stop; failures are logged by their code and tried again."""
        from django.db import Error

        from wanjia.kernel.errors import WanjiaError

        while not is_stopping():
            try:
                self.step()
            except (WanjiaError, Error, ProofWrong, OSError) as failure:
                log.warning("cosigning: %s", getattr(failure, "code", type(failure).__name__))
                connection.close()
            pause(PAUSE_SECONDS)
        connection.close()

    def begin(self, is_stopping: Callable[[], bool], pause: Callable[[float], Any]) -> threading.Thread | None:
        """Serve in a thread of its own; none when no witness is set."""
        if not self._witnesses:
            return None
        thread = threading.Thread(target=self.serve, args=(is_stopping, pause), name="cosigning", daemon=True)
        thread.start()
        return thread

    def _cosigned(self, witness: Setting, note: Note, head: Checkpoint) -> list[Signature]:
        status, content, old = self._submitted(witness, note, head)
        if status == 403 and self._handed_over(witness):
            status, content, old = self._submitted(witness, note, head)
        if status == 422:
            raise LogBroken(reason="fork", here=head.size, published=old)
        if status != 200:
            log.warning("witness %s answers %s", witness.key.name, status)
            return []
        lines = [one for one in parse_signatures(content) if one.name == witness.key.name]
        verified(joined(note, lines), [witness.key])
        self._sizes[witness.address] = head.size
        return lines

    def _submitted(self, witness: Setting, note: Note, head: Checkpoint) -> tuple[int, str, int]:
        """(status, text, the size gone on from) of offering a head to a witness, as far as it has come."""
        for _ in range(2):
            old = self._sizes[witness.address]
            if old > head.size:
                raise LogBroken(reason="rollback", here=head.size, published=old)
            proof = Tree(head.size, read_tile).consistency(old)
            body = Submission(old, tuple(proof), note).body
            status, content = _ask(f"{witness.address}/add-checkpoint", body)
            if status != 409 or not content.strip().isdigit():
                break
            self._sizes[witness.address] = int(content)
        return status, content, old

    def _handed_over(self, witness: Setting) -> bool:
        """Tell a witness that knows former keys only how the log came to its present ones; whether it followed.

        A witness of another make may not take handovers: its operator sets the new keys by hand.
        """
        status = 0
        for one in parse_handovers(handovers(settings.home())):
            try:
                submitted, _, _ = self._submitted(witness, one.receipt.note, one.head)
            except LogBroken:
                continue  # it has come further: it knows these keys
            if submitted == 200:
                self._sizes[witness.address] = one.head.size
            status, _ = _ask(f"{witness.address}/add-keys", one.whole)
        return status == 200


def _ask(address: str, body: str | None = None) -> tuple[int, str]:
    """(status, text); status 0 when there is no answer."""
    request = urllib.request.Request(address, data=body.encode() if body is not None else None)
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as answer:
            return answer.status, answer.read(MOST_BYTES).decode()
    except urllib.error.HTTPError as refused:
        return refused.code, refused.read(MOST_BYTES).decode(errors="replace")
    except (OSError, ValueError, http.client.HTTPException):
        return 0, ""

"""What a witness decides: whether a log's new head follows from the last one it cosigned (https://c2sp.org/tlog-witness)."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from wanjia.trace.rules.handover import Handover, ensure_handed_over, parse_handovers
from wanjia.trace.rules.note import Checkpoint, Key, Note, decode, encode, is_signed, parse_checkpoint, parse_note
from wanjia.trace.rules.tree import EMPTY_ROOT, ProofWrong, is_consistent

_OLD = re.compile(r"old (0|[1-9]\d{0,18})")
MOST_HASHES = 63
SIZE_TYPE = "text/x.tlog.size"


class Refused(Exception):
    """The witness does not cosign; `status` is the HTTP answer's, `body` what it says."""

    def __init__(self, status: int, body: str) -> None:
        super().__init__(body)
        self.status, self.body = status, body


@dataclass(frozen=True)
class Submission:
    """A head offered for cosigning, with the proof that it follows from the tree of `old` leaves."""

    old: int
    proof: tuple[bytes, ...]
    note: Note

    @property
    def body(self) -> str:
        """The request as it is sent."""
        return f"old {self.old}\n" + "".join(f"{encode(one)}\n" for one in self.proof) + "\n" + self.note.whole


def parse_submission(body: str) -> Submission:
    """Take a request apart. Raises `Refused` (400)."""
    head, separator, note = body.partition("\n\n")
    lines = head.split("\n")
    old = _OLD.fullmatch(lines[0])
    if not separator or old is None or len(lines) > 1 + MOST_HASHES:
        raise Refused(400, "not a submission\n")
    try:
        return Submission(int(old[1]), tuple(decode(line) for line in lines[1:]), parse_note(note))
    except ProofWrong as wrong:
        raise Refused(400, f"{wrong}\n") from None


def judged(submission: Submission, keys: Mapping[str, Sequence[Key]], last: Mapping[str, Checkpoint]) -> Checkpoint:
    """The head to cosign. `keys`: origin → the log's keys; `last`: origin → the head cosigned last. Raises `Refused`."""
    try:
        head = parse_checkpoint(submission.note)
    except ProofWrong as wrong:
        raise Refused(400, f"{wrong}\n") from None
    if head.origin not in keys:
        raise Refused(404, "unknown log\n")
    _ensure_signed(submission.note, keys[head.origin])
    if submission.old > head.size:
        raise Refused(400, "the old size is larger than the new\n")
    before = last.get(head.origin) or Checkpoint(head.origin, 0, EMPTY_ROOT)
    if submission.old != before.size:
        raise Refused(409, f"{before.size}\n")
    if not is_consistent(before.size, head.size, before.root, head.root, submission.proof):
        raise Refused(422, "the new head does not follow from the old\n")
    return head


def judged_handover(content: str, keys: Mapping[str, Sequence[Key]], last: Mapping[str, Checkpoint]) -> Handover | None:
    """The handover to newer keys of a log that the witness may go by from now on; None when it does already. Raises `Refused`.

    All keys that the witness knows must hand over, and at the very head that it cosigned last: so it follows nobody whom its own head does not bind.
    """
    try:
        handovers = parse_handovers(content)
        if len(handovers) != 1:
            raise Refused(400, "not one handover\n")
        [one] = handovers
        origin = one.old[0].name
        if origin not in keys:
            raise Refused(404, "unknown log\n")
        if set(keys[origin]) <= set(one.new):
            return None
        if not set(keys[origin]) <= set(one.old):
            raise Refused(403, "handed over by other keys\n")
        ensure_handed_over(one)
    except ProofWrong as wrong:
        raise Refused(403, f"{wrong}\n") from None
    before = last.get(origin)
    if before is None or before.size != one.head.size:
        raise Refused(409, f"{before.size if before else 0}\n")
    if before.root != one.head.root:
        raise Refused(422, "the handover is of another tree\n")
    return one


def _ensure_signed(note: Note, keys: Sequence[Key]) -> None:
    """At least one of the log's keys signed, and none of them wrongly."""
    found = 0
    for key in keys:
        for signature in note.signatures:
            if (signature.name, signature.key_id) == (key.name, key.id):
                if not is_signed(note, key, signature.content):
                    raise Refused(403, "a signature is wrong\n")
                found += 1
    if not found:
        raise Refused(403, "not signed by the log\n")

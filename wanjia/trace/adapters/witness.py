"""A witness process: a few lines of HTTP around `rules.witness`, one folder for key and heads, nothing of Wanjia's database.

`POST /add-checkpoint` and `GET /<origin hash>/checkpoint` as https://c2sp.org/tlog-witness says; `GET /keys` gives the witness's own public keys, and
`POST /add-keys` takes a log's handover to new keys (rules/handover.py).
"""

import contextlib
import fcntl
import hashlib
import json
import threading
import time
from collections.abc import Iterator, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey

from wanjia.trace.adapters.files import write_atomically
from wanjia.trace.rules.handover import parse_handovers
from wanjia.trace.rules.note import (
    COSIGNED_ED25519,
    COSIGNED_MLDSA44,
    Checkpoint,
    Key,
    Note,
    Signature,
    cosign,
    joined,
    parse_checkpoint,
    parse_note,
    parse_vkey,
)
from wanjia.trace.rules.witness import SIZE_TYPE, Refused, judged, judged_handover, parse_submission

MOST_BYTES = 1 << 18
QUIET_SECONDS = 30


class Witness:
    """The keys, the logs it watches and the heads it cosigned, in one folder."""

    def __init__(self, folder: Path, name: str, logs: Sequence[Key]) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.name, self._classic, self._lattice = _own(folder / "witness.json", name)
        self._logs: dict[str, list[Key]] = {}
        for key in logs:
            self._logs.setdefault(key.name, []).append(key)
        self._logs = {origin: self._followed(origin, keys) for origin, keys in self._logs.items()}
        self._turn = threading.Lock()

    @property
    def keys(self) -> list[Key]:
        """The public keys, both of which cosign."""
        return [
            Key(self.name, COSIGNED_ED25519, self._classic.public_key().public_bytes_raw()),
            Key(self.name, COSIGNED_MLDSA44, self._lattice.public_key().public_bytes_raw()),
        ]

    def add(self, body: str) -> tuple[Signature, ...]:
        """Cosign a submitted head, once it is on disk as the newest. Raises `Refused`."""
        submission = parse_submission(body)
        with self._alone():
            origin = submission.note.text.split("\n", 1)[0]
            known = self.newest(origin)
            head = judged(submission, self._logs, {origin: parse_checkpoint(known)} if known else {})
            lines = self._signed(head)
            # on disk before it is answered: a witness that forgets could cosign a fork
            write_atomically(self._path(origin), joined(submission.note, lines).whole.encode())
        return lines

    def hand_over(self, content: str) -> list[Key]:
        """Go by a log's new keys from now on, once they are on disk; the keys gone by. Raises `Refused`."""
        with self._alone():
            heads = {origin: parse_checkpoint(note) for origin in self._logs if (note := self.newest(origin))}
            handed = judged_handover(content, self._logs, heads)
            if handed is None:
                return list(parse_handovers(content)[0].new)
            origin = handed.old[0].name
            known = [*self._known(origin), *(key.vkey for key in (*handed.old, *handed.new))]
            said = {"known": list(dict.fromkeys(known)), "now": [key.vkey for key in handed.new]}
            write_atomically(self._path(origin).with_name("keys"), json.dumps(said, indent=1).encode())
            self._logs[origin] = list(handed.new)
        return list(handed.new)

    def _known(self, origin: str) -> list[str]:
        path = self._path(origin).with_name("keys")
        return json.loads(path.read_text())["known"] if path.exists() else []

    def _followed(self, origin: str, given: list[Key]) -> list[Key]:
        """The keys to go by where the command line gives these: the newest they handed over to; keys never heard of count as given."""
        if not {key.vkey for key in given} <= set(self._known(origin)):
            return given
        now = json.loads(self._path(origin).with_name("keys").read_text())["now"]
        return [parse_vkey(text) for text in now]

    def newest(self, origin: str) -> Note | None:
        """The head cosigned last for this log."""
        path = self._path(origin)
        return parse_note(path.read_text()) if path.exists() else None

    def file(self, path: str) -> str | None:
        """What a GET of `path` answers."""
        if path == "/keys":
            return "".join(f"{key.vkey}\n" for key in self.keys)
        for origin in self._logs:
            if path == f"/{_hash(origin)}/checkpoint":
                note = self.newest(origin)
                return note.whole if note else None
        return None

    def _signed(self, head: Checkpoint) -> tuple[Signature, ...]:
        at = int(time.time())
        return cosign(head, self.name, self._classic, at), cosign(head, self.name, self._lattice, at)

    def _path(self, origin: str) -> Path:
        return self._folder / _hash(origin) / "checkpoint"

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        """Nobody else, in this process or another, compares and stores meanwhile."""
        with self._turn, open(self._folder / "lock", "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def _hash(origin: str) -> str:
    return hashlib.sha256(origin.encode()).hexdigest()


def _own(path: Path, name: str) -> tuple[str, Ed25519PrivateKey, MLDSA44PrivateKey]:
    """Name and keys of this witness; made on first use. The name stays what it was first."""
    if not path.exists():
        made = {
            "name": name,
            "ed25519": Ed25519PrivateKey.generate().private_bytes_raw().hex(),
            "mldsa44": MLDSA44PrivateKey.generate().private_bytes_raw().hex(),
        }
        write_atomically(path, json.dumps(made, indent=1).encode(), mode=0o600)
    said = json.loads(path.read_text())
    return (
        said["name"],
        Ed25519PrivateKey.from_private_bytes(bytes.fromhex(said["ed25519"])),
        MLDSA44PrivateKey.from_seed_bytes(bytes.fromhex(said["mldsa44"])),
    )


def server_of(witness: Witness, host: str, port: int) -> ThreadingHTTPServer:
    """An HTTP server for the witness, bound but not yet serving."""

    class Answer(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = QUIET_SECONDS

        def do_GET(self) -> None:
            content = witness.file(self.path)
            self._say(200, content) if content is not None else self._say(404, "nothing here\n")

        def do_POST(self) -> None:
            length = self.headers.get("Content-Length", "")
            if not length.isdigit() or int(length) > MOST_BYTES:
                self.close_connection = True
                return self._say(413, "too long\n")
            body = self.rfile.read(int(length))
            if self.path not in ("/add-checkpoint", "/add-keys"):
                return self._say(404, "nothing here\n")
            try:
                if self.path == "/add-keys":
                    return self._say(200, "".join(f"{key.vkey}\n" for key in witness.hand_over(body.decode())))
                lines = witness.add(body.decode())
            except UnicodeDecodeError:
                return self._say(400, "not text\n")
            except Refused as refused:
                return self._say(
                    refused.status, refused.body, SIZE_TYPE if refused.status == 409 else "text/plain; charset=utf-8"
                )
            return self._say(200, "".join(line.line for line in lines))

        def _say(self, status: int, text: str, kind: str = "text/plain; charset=utf-8") -> None:
            content = text.encode()
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            """Say nothing: addresses of callers are nobody's business."""

    server = ThreadingHTTPServer((host, port), Answer)
    server.daemon_threads = True
    return server

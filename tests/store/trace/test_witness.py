"""The witness over real HTTP, what an insider can and cannot do, and a server that lies to both checkers."""

import hashlib
import re
import shutil
import threading
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from django.db import connection

from tests.unit.trace.test_receipts_and_notes import Node
from wanjia.trace import api
from wanjia.trace.adapters.signer import Signer
from wanjia.trace.api.checking import PublicLog, Trust, verify_receipt
from wanjia.trace.api.log import opening
from wanjia.trace.api.sequencing import publish
from wanjia.trace.api.serving_witness import Witness, server_of
from wanjia.trace.errors import LogBroken, LogNotShown, ProofRefused, WitnessSettingWrong
from wanjia.trace.rules.entry import commitment
from wanjia.trace.rules.note import Note, joined, parse_checkpoint, parse_note, parse_signatures, verified
from wanjia.trace.rules.tree import leaf_hash
from wanjia.trace.rules.witness import Submission

pytestmark = pytest.mark.django_db

WHO = {"by": "t", "why": "t"}


class Running:
    """A witness process's inside, serving on a free port."""

    def __init__(self, store: Path, keys: list) -> None:
        self.own = Witness(store, "library.example/w", keys)
        self._server = server_of(self.own, "127.0.0.1", 0)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        self.address = f"http://127.0.0.1:{self._server.server_address[1]}"

    def ask(self, path: str, body: str | None = None) -> tuple[int, str, str]:
        request = urllib.request.Request(self.address + path, data=body.encode() if body is not None else None)
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return answer.status, answer.read().decode(), answer.headers["Content-Type"]
        except urllib.error.HTTPError as refused:
            return refused.code, refused.read().decode(), refused.headers["Content-Type"]

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def signer(home):
    return Signer.open(home)


@pytest.fixture
def sequencer(home):
    return api.Sequencer(home)


@pytest.fixture
def witness(tmp_path, signer, monkeypatch):
    running = Running(tmp_path / "witness", signer.keys)
    monkeypatch.setenv("WANJIA_TRACE_WITNESSES", f"{running.address} {running.own.keys[0].vkey}")
    yield running
    running.close()


@pytest.fixture
def node():
    process = Node()
    yield process
    process.close()


def grow(sequencer, count: int) -> Note:
    api.record("test.read", subject_ids=range(count), **WHO)
    return sequencer.step()


def submitted(note: Note, old: int) -> str:
    return Submission(old, tuple(api.consistency_proof(old, parse_checkpoint(note).size)), note).body


def test_a_head_that_goes_on_is_cosigned_and_kept(witness, sequencer, tmp_path, signer):
    first = grow(sequencer, 5)
    status, lines, _ = witness.ask("/add-checkpoint", submitted(first, 0))
    assert status == 200
    verified(joined(first, parse_signatures(lines)), [*signer.keys, *witness.own.keys])
    second = grow(sequencer, 300)
    assert witness.ask("/add-checkpoint", submitted(second, 5))[0] == 200
    assert witness.ask("/add-checkpoint", submitted(second, 305))[0] == 200, "the same head again"
    again = Running(tmp_path / "witness", signer.keys)
    assert [key.vkey for key in again.own.keys] == [key.vkey for key in witness.own.keys]
    assert again.ask("/add-checkpoint", submitted(second, 5))[:2] == (409, "305\n"), "it remembers after a restart"
    again.close()


def test_what_a_witness_refuses(witness, sequencer, signer, tmp_path):
    first = grow(sequencer, 5)
    second = grow(sequencer, 4)
    assert witness.ask("/add-checkpoint", submitted(second, 0))[0] == 200
    status, body, kind = witness.ask("/add-checkpoint", submitted(first, 0))
    assert (status, body, kind) == (409, "9\n", "text/x.tlog.size")
    head = parse_checkpoint(second)
    fork = signer.sign(type(head)(head.origin, 9, b"\7" * 32), 1)
    assert witness.ask("/add-checkpoint", Submission(9, (), fork).body)[0] == 422
    longer = signer.sign(type(head)(head.origin, 12, b"\7" * 32), 1)
    assert witness.ask("/add-checkpoint", Submission(9, (b"\7" * 32,), longer).body)[0] == 422
    assert witness.ask("/add-checkpoint", Submission(10, (), second).body)[0] == 400
    assert witness.ask("/add-checkpoint", Submission(9, (), Note(second.text, second.signatures[:0])).body)[0] == 400
    forged = Note(fork.text, second.signatures)
    assert witness.ask("/add-checkpoint", Submission(9, (), forged).body)[0] == 403
    (tmp_path / "x").mkdir()
    stranger = Signer.open(tmp_path / "x")
    assert witness.ask("/add-checkpoint", Submission(9, (), stranger.sign(head, 1)).body)[0] == 403
    other = stranger.sign(type(head)(stranger.origin, 9, head.root), 1)
    assert witness.ask("/add-checkpoint", Submission(9, (), other).body)[0] == 404
    for nonsense in (
        "",
        "old\n\n",
        "old 09\n\n" + second.whole,
        "old 9\nAAA\n\n" + second.whole,
        "old 9\n" + "A" * 44 + "\n\n",
    ):
        assert witness.ask("/add-checkpoint", nonsense)[0] == 400, nonsense
    assert witness.ask("/elsewhere", "x")[0] == 404
    assert witness.ask("/nothing")[0] == 404
    assert parse_checkpoint(parse_note(witness.ask(f"/{_place(signer)}/checkpoint")[1])).size == 9, (
        "nothing of it was kept"
    )


def _place(signer: Signer) -> str:
    return hashlib.sha256(signer.origin.encode()).hexdigest()


def test_of_two_forks_at_once_one_is_cosigned(witness, sequencer, signer):
    head = parse_checkpoint(grow(sequencer, 5))
    bodies = [Submission(0, (), signer.sign(type(head)(head.origin, 5, bytes([n]) * 32), 1)).body for n in range(8)]
    answers: list[int] = []
    threads = [
        threading.Thread(target=lambda b=b: answers.append(witness.ask("/add-checkpoint", b)[0])) for b in bodies
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == [200] + [409] * 7


def test_the_sequencers_side_brings_heads_and_receipts_carry_the_cosignature(witness, sequencer, signer):
    cosigning = api.Cosigning()
    grow(sequencer, 5)
    assert cosigning.step()
    assert not cosigning.step(), "nothing new"
    grow(sequencer, 7)
    assert api.Cosigning().step(), "a fresh process asks the witness how far it is"
    entry = api.entries(limit=1)[0]["id"]
    trust = Trust.of([key.vkey for key in signer.keys], [key.vkey for key in witness.own.keys])
    assert verify_receipt(api.receipt(entry), trust)[0].size == 12
    sequencer.step()
    assert PublicLog(str(api.public_folder()), trust).verify_all().size == 12
    assert api.health().alarms == []


def test_a_witness_that_is_away_stops_nobody(sequencer, monkeypatch, witness):
    witness.close()
    note = grow(sequencer, 5)
    assert not api.Cosigning().step()
    assert api.is_open()
    assert parse_checkpoint(note).size == 5


def test_after_a_restore_the_witness_alone_shuts_the_gate(witness, sequencer, home):
    """The home was restored with the database, so our own file knows nothing either."""
    from django.db import transaction

    from wanjia.trace.api.gate import published_path

    grow(sequencer, 5)
    old_file = published_path(home).read_bytes()
    before = transaction.savepoint()
    grow(sequencer, 5)
    api.Cosigning().step()
    transaction.savepoint_rollback(before)
    published_path(home).write_bytes(old_file)
    with pytest.raises(LogBroken, match="rollback"):
        api.Sequencer(home).step()
    with pytest.raises(LogNotShown):
        api.record("test.read", subject_ids=[1], **WHO)


def test_a_wrong_setting_is_told(monkeypatch):
    for wrong in ("http://x", "x y", "ftp://x example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"):
        monkeypatch.setenv("WANJIA_TRACE_WITNESSES", wrong)
        with pytest.raises(WitnessSettingWrong):
            api.Cosigning()


def rewrite(signer: Signer, entry_id: int, purpose: str) -> None:
    """What an insider with superuser rights and the signing key does: another purpose, then commitment, tiles and checkpoint made anew."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute("UPDATE trace_entry SET purpose = %s WHERE id = %s", [purpose, entry_id])
        seq, nonce, entry = opening(entry_id)
        cursor.execute("UPDATE trace_place SET commitment = %s WHERE seq = %s", [commitment(nonce, entry), seq])
        cursor.execute("SELECT commitment FROM trace_place ORDER BY seq")
        leaves = [leaf_hash(bytes(row[0])) for row in cursor.fetchall()]
        cursor.execute("DELETE FROM trace_tile")
        cursor.execute("DELETE FROM trace_checkpoint")
        publish(cursor, signer, 0, leaves)
        cursor.execute("SET LOCAL session_replication_role = origin")


def test_an_insider_with_superuser_rights_and_the_key_is_found_out(witness, sequencer, signer, home, node):
    """The claim of docs/explanation/trust.md: see there what this shows, and what it does not."""
    entries = api.record("privacy.open_person", subject_ids=[1, 2, 3], by="officer", why="curiosity")
    sequencer.step()
    api.Cosigning().step()
    held = api.receipt(entries[1])
    grow(sequencer, 300)
    api.Cosigning().step()
    seen = api.checkpoint().whole
    public = api.public_folder()
    keys = [key.vkey for key in signer.keys]
    log = PublicLog(str(public), Trust.of(keys))
    asked = {"do": "against", "receipt": held, "keys": keys, "folder": str(public)}
    assert log.verify_receipt(held)[0].size == 303
    assert node.ask(asked)[0]["holds"] == 303

    rewrite(signer, entries[1], "certificate")
    api.export(public, whole=True)

    # within itself everything fits: the checker of the whole log finds nothing, and the self-check only that no witness signed this
    assert log.verify_all().size == 303
    assert api.self_check(**WHO) == ["alarm: unwitnessed"]
    assert [e["purpose"] for e in api.who_looked(2)][-1] == "certificate"
    # but the resident's own check fails, in both checkers, and so does everybody's who kept an older checkpoint
    with pytest.raises(ProofRefused, match="fork"):
        log.verify_receipt(held)
    assert "fork" in node.ask(asked)[0]["refused"]
    with pytest.raises(ProofRefused, match="fork"):
        log.verify_since(seen)
    # the witness refuses to cosign, says fork, and nobody is read any more
    status, _, _ = witness.ask("/add-checkpoint", submitted(api.checkpoint(), 303))
    assert status == 422
    with pytest.raises(LogBroken, match="fork"):
        api.Cosigning().step()
    with pytest.raises(LogNotShown):
        api.record("test.read", subject_ids=[1], **WHO)


@pytest.mark.parametrize(
    ("lie", "why"),
    [
        ("shorter", "rolled back"),
        ("other tile", "fork|no longer holds|root"),
        ("other log", "another log|did not sign"),
        ("unsigned", "signature|did not sign"),
        ("short tile", "cut short"),
    ],
)
def test_a_lying_server_is_caught_by_both_checkers(sequencer, signer, home, tmp_path, node, lie, why):
    grow(sequencer, 260)
    old = shutil.copytree(api.public_folder(), tmp_path / "old")
    grow(sequencer, 260)
    entry = api.entries(limit=220)[-1]["id"]
    held, older = api.receipt(entry), (old / "checkpoint").read_text()
    lying = shutil.copytree(api.public_folder(), tmp_path / "lying")
    head = parse_checkpoint(api.checkpoint())
    if lie == "shorter":
        shutil.rmtree(lying)
        shutil.copytree(old, lying)
    elif lie == "other tile":
        (lying / "tile/0/001").write_bytes(b"\1" * 8192)
    elif lie == "short tile":
        (lying / "tile/0/002.p/8").write_bytes((lying / "tile/0/002.p/8").read_bytes()[:-1])
    elif lie == "unsigned":
        text = (lying / "checkpoint").read_text()
        (lying / "checkpoint").write_text(text.replace("\n520\n", "\n519\n"))
    else:
        (tmp_path / "x").mkdir()
        other = Signer.open(tmp_path / "x")
        (lying / "checkpoint").write_text(other.sign(type(head)(other.origin, head.size, head.root), 1).whole)
    keys = [key.vkey for key in signer.keys]
    log = PublicLog(str(lying), Trust.of(keys))
    with pytest.raises(ProofRefused, match=why):
        log.verify_receipt(held)
    asked = {"receipt": held, "older": older, "keys": keys, "folder": str(lying)}
    assert re.search(why, node.ask({"do": "against", **asked})[0].get("refused", ""))
    if lie != "shorter":
        with pytest.raises(ProofRefused):
            log.verify_since(older)
        assert "refused" in node.ask({"do": "growth", **asked})[0]

"""The log's signing keys change: what the old ones signed holds, the new ones are followed from the old, and nobody else's are."""

import json
import shutil
from dataclasses import replace

import pytest
from click.testing import CliRunner
from django.db import connection, transaction

from tests.store.trace.test_witness import Running, grow, node, sequencer, signer, submitted, witness
from wanjia.cli.trace import verify
from wanjia.kernel.keyring import Keyring
from wanjia.keys import api as keys
from wanjia.trace import api
from wanjia.trace.adapters import signer as own
from wanjia.trace.adapters.signer import Signer
from wanjia.trace.api.checking import PublicLog, Trust, verify_receipt
from wanjia.trace.api.gate import confirm, remembered
from wanjia.trace.errors import KeysAnnounced, KeysNotYetTold, LogNotShown, ProofRefused
from wanjia.trace.rules.handover import ensure_handed_over, parse_handovers
from wanjia.trace.rules.note import Note, parse_checkpoint
from wanjia.trace.rules.tree import ProofWrong

__all__ = ["node", "sequencer", "signer", "witness"]
pytestmark = pytest.mark.django_db

WHO = {"by": "keeper", "why": "yearly"}


def rolled(sequencer) -> int:
    """New keys announced, published, taken up and used; the size at which the old ones ended."""
    keys.rotate("trace-log", **WHO)
    sequencer.step()
    size = keys.rotate("trace-log", **WHO)["size"]
    sequencer.step()
    return size


@pytest.fixture
def before(sequencer, signer, tmp_path):
    """What people held before: the old keys, a receipt, a checkpoint, a copy of the public files."""
    grow(sequencer, 300)
    held = api.receipt(api.entries(limit=200)[-1]["id"])
    shutil.copytree(api.public_folder(), tmp_path / "older")
    return [key.vkey for key in signer.keys], held, (tmp_path / "older" / "checkpoint").read_text()


def later_receipt(sequencer) -> str:
    grow(sequencer, 5)
    return api.receipt(api.entries(limit=1)[0]["id"])


def published(home) -> list[str]:
    return (home / "trace/public/keys").read_text().split()


def test_old_and_new_receipts_hold_for_whoever_has_either_keys(before, sequencer, home, node):
    old, held, older = before
    size = rolled(sequencer)
    later, new, place = later_receipt(sequencer), published(home), str(api.public_folder())
    assert not set(old) & set(new)
    for trusted in (old, new, old[:1], new[:1], None):
        log = PublicLog(place, Trust.of(trusted) if trusted else None)
        assert log.verify_all().size == log.verify_since(older)[1].size > size
        assert [log.verify_receipt(one)[1].index for one in (held, later)]
    handovers = (api.public_folder() / "handovers").read_text()
    for trusted in (old, new):
        asked = {"keys": trusted, "handovers": handovers, "folder": place}
        answers = node.ask(
            {"do": "against", "receipt": held, **asked},
            {"do": "against", "receipt": later, **asked},
            {"do": "growth", "older": older, **asked},
        )
        assert all("holds" in one for one in answers), answers
        trust = Trust.of(trusted).following(handovers)
        assert verify_receipt(held, trust)[0].size <= size < verify_receipt(later, trust)[0].size
    # without the handovers nobody follows
    with pytest.raises(ProofRefused):
        verify_receipt(later, Trust.of(old))
    assert "refused" in node.ask({"do": "against", "receipt": later, "keys": old, "folder": place})[0]


def test_keys_change_again_and_again(before, sequencer, home, node):
    old, held, _ = before
    sizes = [rolled(sequencer) for _ in range(3)]
    assert sizes == sorted(set(sizes))
    log = PublicLog(str(api.public_folder()), Trust.of(old))
    assert log.verify_all().size > sizes[-1]
    assert log.verify_receipt(held)
    asked = {
        "keys": old,
        "handovers": (api.public_folder() / "handovers").read_text(),
        "folder": str(api.public_folder()),
    }
    assert "holds" in node.ask({"do": "against", "receipt": held, **asked})[0]
    assert [one.state for one in keys.log_keys()] == ["former"] * 3 + ["current"]
    assert [one.last for one in keys.log_keys()] == [*sizes, None]
    assert confirm(home=home)
    assert remembered(Signer.open(home), home) is not None, "the own memory of what was published is still its own"


def test_a_former_key_counts_for_no_later_tree(before, sequencer, signer, home, node, tmp_path):
    old, held, _ = before
    size = rolled(sequencer)
    grow(sequencer, 20)
    lying = shutil.copytree(api.public_folder(), tmp_path / "lying")
    head = parse_checkpoint(api.checkpoint())
    assert head.size > size
    # the thief of an old key signs the log as it goes on
    (lying / "checkpoint").write_text(signer.sign(head, 1_800_000_000).whole)
    handovers = (lying / "handovers").read_text()
    for trusted in (old, published(home)):
        with pytest.raises(ProofRefused, match="did not sign"):
            PublicLog(str(lying), Trust.of(trusted)).verify_all()
        asked = {"do": "against", "receipt": held, "keys": trusted, "handovers": handovers, "folder": str(lying)}
        assert "did not sign" in node.ask(asked)[0]["refused"]


@pytest.mark.parametrize(
    "lie",
    [
        "other new keys",
        "no old signature",
        "no new signature",
        "other entry",
        "other place",
        "another log's",
        "swapped",
    ],
)
def test_a_handover_that_does_not_hold_is_followed_by_nobody(before, sequencer, home, node, lie):
    old, _, _ = before
    rolled(sequencer)
    later = later_receipt(sequencer)
    [true] = parse_handovers((api.public_folder() / "handovers").read_text())
    ensure_handed_over(true)
    stranger, receipt = own.new_signer(true.head.origin), true.receipt
    if lie == "other new keys":
        signed = Note(receipt.note.text, (*receipt.note.signatures, *stranger.sign(true.head, 5).signatures))
        false = replace(true, new=tuple(stranger.keys), receipt=replace(receipt, note=signed))
    elif lie in ("no old signature", "no new signature"):
        gone = {key.id for key in (true.old if "old" in lie else true.new)}
        kept = tuple(one for one in receipt.note.signatures if one.key_id not in gone)
        false = replace(true, receipt=replace(receipt, note=Note(receipt.note.text, kept)))
    elif lie == "other entry":
        false = replace(
            true, receipt=replace(receipt, entry=receipt.entry.replace(b"trace.new_keys", b"trace.old_keys"))
        )
    elif lie == "other place":
        false = replace(true, receipt=replace(receipt, index=receipt.index - 1))
    elif lie == "another log's":
        other = own.new_signer("example.com/other")
        false = replace(true, new=tuple(other.keys))
    else:
        false = replace(true, old=true.new, new=true.old)
    with pytest.raises(ProofWrong):
        ensure_handed_over(*parse_handovers(false.whole))
    with pytest.raises(ProofRefused):
        verify_receipt(later, Trust.of(old).following(false.whole))
    asked = {
        "do": "against",
        "receipt": later,
        "keys": old,
        "handovers": false.whole,
        "folder": str(api.public_folder()),
    }
    assert "refused" in node.ask(asked)[0]


def test_a_witness_follows_and_remembers(before, witness, sequencer, signer, tmp_path):
    old, _, _ = before
    cosigning = api.Cosigning()
    assert cosigning.step()
    keys.rotate("trace-log", **WHO)
    sequencer.step()
    assert cosigning.step(), "announced keys change nothing yet"
    keys.rotate("trace-log", **WHO)
    grow(sequencer, 5)
    assert cosigning.step()
    assert api.Cosigning().step(), "a fresh process is cosigned as well"
    trust = Trust.of(old, [key.vkey for key in witness.own.keys])
    sequencer.step()
    log = PublicLog(str(api.public_folder()), trust)
    assert log.verify_all().size == parse_checkpoint(api.checkpoint()).size
    assert api.health().alarms == []
    # started again with the keys of before, as its command line has them
    again = Running(tmp_path / "witness", signer.keys)
    grow(sequencer, 3)
    assert again.ask("/add-checkpoint", submitted(api.checkpoint(), log.newest().size))[0] == 200
    again.close()


def test_a_witness_follows_nobody_else(before, witness, sequencer, signer, home):
    keys.rotate("trace-log", **WHO)
    sequencer.step()
    keys.rotate("trace-log", **WHO)
    text = own.handovers(home)
    [true] = parse_handovers(text)
    assert witness.ask("/add-keys", text)[0] == 409, "of a head that it did not cosign"
    assert witness.ask("/add-keys", "x")[0] == 403
    assert witness.ask("/add-keys", "")[0] == 400
    other = own.new_signer("example.com/other")
    assert (
        witness.ask(
            "/add-keys", replace(true, old=tuple(other.keys), new=tuple(own.new_signer("example.com/other").keys)).whole
        )[0]
        == 404
    )
    stolen = replace(true, old=tuple(own.new_signer(signer.origin).keys))
    assert witness.ask("/add-keys", stolen.whole)[0] == 403


def test_nothing_is_taken_up_before_it_was_told(before, sequencer, home):
    with pytest.raises(KeysNotYetTold):
        api.take_up_keys(**WHO)
    assert keys.rotate("trace-log", **WHO, dry_run=True)["new"] is None
    told = keys.rotate("trace-log", **WHO)
    assert told["state"] == "announced"
    with pytest.raises(KeysNotYetTold):
        keys.rotate("trace-log", **WHO)
    with pytest.raises(KeysAnnounced):
        api.announce_keys(**WHO)
    sequencer.step()
    assert published(home) == told["old"], "the old ones sign on"
    assert keys.rotate("trace-log", **WHO)["new"] == told["new"]
    sequencer.step()
    assert published(home) == told["new"]
    kinds = [entry["kind"] for entry in api.entries(limit=12)]
    assert {"trace.new_keys", "trace.announce_keys", "trace.take_up_keys", "keys.rotate"} <= set(kinds)
    [shown] = [entry for entry in api.entries(limit=12) if entry["kind"] == "trace.new_keys"]
    assert shown["actor"] == "trace", "everybody reads this entry: it names no account"


def test_an_announcement_that_the_database_forgot_is_made_again(before, sequencer, home):
    point = transaction.savepoint()
    first = keys.rotate("trace-log", **WHO)["new"]
    transaction.savepoint_rollback(point)
    again = keys.rotate("trace-log", **WHO)
    assert again["state"] == "announced"
    assert again["new"] != first
    sequencer.step()
    assert keys.rotate("trace-log", **WHO)["new"] == again["new"]


def test_the_secrets_are_sealed_again_and_the_old_ones_are_gone(before, sequencer, home):
    file = home / "keys/trace-log.json"
    old = json.loads(file.read_text())
    keys.rotate("trace-log", **WHO)
    following = json.loads(file.read_text())["next"]
    keys.rotate("trace-signing", **WHO)
    assert own.seal_seeds_again(home, Keyring.open(home)) == 4
    assert json.loads(file.read_text())["next"]["ed25519"] != following["ed25519"]
    sequencer.step()
    keys.rotate("trace-log", **WHO)
    sequencer.step()
    text = file.read_text()
    assert old["ed25519"] not in text
    assert "next" not in json.loads(text)
    assert file.stat().st_mode & 0o777 == 0o600


def test_commands_check_offline_with_either_keys(before, sequencer, home, tmp_path):
    old, held, _ = before
    rolled(sequencer)
    later, new = later_receipt(sequencer), published(home)
    handovers = api.public_folder() / "handovers"
    for name, content in (("held", held), ("later", later)):
        (tmp_path / name).write_text(content)

    both = ["--receipt", str(tmp_path / "held"), "--receipt", str(tmp_path / "later")]
    with_keys = [part for key in new for part in ("--key", key)]
    done = CliRunner().invoke(verify, [*both, *with_keys, "--handovers", str(handovers)], catch_exceptions=False)
    assert done.exit_code == 0
    assert "holds: later: place" in done.output
    with pytest.raises(ProofRefused):
        CliRunner().invoke(verify, [*both, "--key", old[0]], catch_exceptions=False)


def test_the_gate_knows_what_the_old_keys_published(before, sequencer, home):
    rolled(sequencer)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE trace_gate SET bound_to = 'another'")
    with pytest.raises(LogNotShown), transaction.atomic():
        api.record("test.read", subject_ids=[1], **WHO)
    assert confirm(home=home)
    api.record("test.read", subject_ids=[1], **WHO)
    sequencer.step()
    assert api.self_check(**WHO) == []

"""The public log: places, proofs, receipts, erasure, the gate."""

from datetime import timedelta

import pytest
from django.db import DatabaseError, connection, transaction

from wanjia.kernel import clock
from wanjia.trace import api
from wanjia.trace.adapters.signer import Signer
from wanjia.trace.api import sequencing
from wanjia.trace.api.gate import published_path
from wanjia.trace.errors import EntryErased, LogBroken, LogNotShown, NotInLog, SealIncomplete
from wanjia.trace.rules.note import parse_checkpoint, verified
from wanjia.trace.rules.receipt import checked, parse_receipt
from wanjia.trace.rules.tiles import parse_path, unbundle
from wanjia.trace.rules.tree import ProofWrong, is_consistent, is_included, leaf_hash

pytestmark = pytest.mark.django_db

WHO = {"by": "t", "why": "t"}


def sql(statement, *values):
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return cursor.fetchall() if cursor.description else []


@pytest.fixture
def sequencer(home):
    return api.Sequencer(home)


@pytest.fixture
def keys(sequencer, home):
    return Signer.open(home).keys


def test_every_entry_gets_its_place_and_a_receipt_that_verifies(sequencer, keys):
    ids = api.record("test.read", subject_ids=range(1, 8), department="health", basis="law", fields=["GA02"], **WHO)
    with pytest.raises(NotInLog):
        api.receipt(ids[0])
    note = sequencer.step()
    verified(note, keys)
    first = parse_checkpoint(note)
    assert first.size == 7
    assert sequencer.step() is None, "nothing waits"
    old = api.receipt(ids[3])
    more = api.record("test.read", subject_ids=range(300), **WHO)
    second = parse_checkpoint(sequencer.step())
    assert second.size == 307
    proof = api.consistency_proof(7)
    assert is_consistent(7, 307, first.root, second.root, proof)
    for one in (old, api.receipt(ids[3]), api.receipt(more[299])):
        receipt = parse_receipt(one)
        assert checked(receipt, origin=first.origin, keys=keys).size in (7, 307)
    assert '"department":"health"' in parse_receipt(old).entry.decode()
    leaf = unbundle(api.public_file("tile/entries/001.p/51").content)[50]
    assert is_included(306, 307, leaf_hash(leaf), api.inclusion_proof(306), second.root)


def test_what_trickles_in_is_published_together_and_a_queue_without_a_pause(sequencer, monkeypatch):
    """A checkpoint costs the same for one entry as for a hundred: at a hundred entries a second one for each would take up a processor."""
    monkeypatch.setattr(sequencing, "ROUND_ENTRIES", 3)
    done, step = [], sequencer.step

    def stepped():
        done.append(parse_checkpoint(note).size if (note := step()) else None)
        return note

    def paused(_seconds, _is_stopping):
        done.append("pause")
        if done.count("pause") == 1:
            api.record("test.read", subject_ids=[1], **WHO)

    monkeypatch.setattr(sequencer, "step", stepped)
    monkeypatch.setattr(sequencing, "_pause", paused)
    api.record("test.read", subject_ids=range(7), **WHO)
    sequencer.serve(lambda: done.count("pause") == 3)
    assert done == [3, 6, 7, "pause", 8, "pause", None, "pause"]


def test_public_files_say_nothing_of_the_entries(sequencer):
    api.record("test.read", subject_ids=[4711], by="officer-secret", why="purpose-secret")
    sequencer.step()
    for name in ("checkpoint", "keys", "tile/0/000.p/1", "tile/entries/000.p/1"):
        content = api.public_file(name).content
        assert b"secret" not in content
        assert b"4711" not in content
    for name in ("tile/0/000", "tile/0/000.p/2", "tile/1/000.p/1", "tile/0/0", "checkpoint.cosigned", "../keys"):
        assert api.public_file(name) is None, name


def test_paths_have_one_spelling():
    assert parse_path("tile/0/x001/x234/067").index == 1234067
    for wrong in (
        "tile/00/000",
        "tile/0/x000/001",
        "tile/0/000.p/256",
        "tile/0/000.p/01",
        "tile/64/000",
        "tile/0/1000",
    ):
        assert parse_path(wrong) is None, wrong


def test_an_erased_entry_keeps_its_leaf_and_every_proof(sequencer, keys):
    ids = api.record("test.read", subject_ids=[1, 2, 3], **WHO)
    before = parse_checkpoint(sequencer.step())
    kept = api.receipt(ids[2])
    assert api.erase([ids[1], 99999], by="keeper", why="court order") == 1
    assert api.erase([ids[1]], by="keeper", why="court order") == 0
    after = parse_checkpoint(sequencer.step())
    assert is_consistent(before.size, after.size, before.root, after.root, api.consistency_proof(before.size))
    with pytest.raises(EntryErased):
        api.receipt(ids[1])
    checked(parse_receipt(kept), origin=before.origin, keys=keys)
    checked(parse_receipt(api.receipt(ids[0])), origin=before.origin, keys=keys)
    assert api.who_looked(2) == []
    assert sql("SELECT count(*) FROM trace_nonce WHERE seq = 1") == [(0,)]
    [told] = api.entries(kind="trace.erase")
    assert (told["actor"], told["detail"]) == ("keeper", {"seqs": [1]})


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE trace_place SET commitment = commitment", "DELETE FROM trace_place", "DELETE FROM trace_nonce", "UPDATE trace_nonce SET seq = 9",
        "DELETE FROM trace_seal", "UPDATE trace_seal SET opens_on = opens_on + 1", "TRUNCATE trace_place", "DELETE FROM trace_jobperson",
    ],
)  # fmt: skip
def test_places_nonces_seals_and_lists_are_added_only(sequencer, statement):
    api.record("test.read", subject_ids=[1], sealed=api.Sealed("law 1", "chief", clock.today() + timedelta(9)), **WHO)
    api.record_job("test.job", persons=[5], **WHO)
    sequencer.step()
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        sql(statement)


def test_the_web_role_adds_and_reads_but_changes_nothing(sequencer):
    api.record("test.read", subject_ids=[1], **WHO)
    sequencer.step()
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL ROLE wanjia_web")
        for statement in (
            "DELETE FROM trace_entry", "DELETE FROM trace_pending", "INSERT INTO trace_place VALUES (9, 9, '')", "UPDATE trace_tile SET level = 1",
            "DELETE FROM trace_checkpoint", "UPDATE trace_gate SET reason = ''", "SELECT trace_erase('{1}', 'x', 'y')",
            "INSERT INTO trace_erasure (entry_id, seq, told_by) VALUES (1, 1, 1)", "UPDATE trace_seal SET opens_on = now()",
        ):  # fmt: skip
            with pytest.raises(DatabaseError, match="permission denied"), transaction.atomic():
                cursor.execute(statement)
        ids = api.record("test.read", subject_ids=[2], **WHO)
        api.record_job("test.job", persons=range(2000), **WHO)
        assert len(api.who_looked(2)) == 2
        cursor.execute("RESET ROLE")
    sequencer.step()
    assert parse_receipt(api.receipt(ids[0])).index == 1


def test_bulk_work_is_one_entry_that_each_person_finds():
    large = [number * 7919 for number in range(5000)]
    job = api.record_job("test.load", persons=large, detail={"rows": 5000}, **WHO)
    api.record_job("test.few", persons=[large[17], 5], **WHO)
    api.record_job("test.all", persons=None, **WHO)
    assert [e["kind"] for e in api.who_looked(large[17])] == ["test.all", "test.few", "test.load"]
    assert [e["kind"] for e in api.who_looked(large[4999])] == ["test.all", "test.load"]
    assert [e["kind"] for e in api.who_looked(large[17] + 1)] == ["test.all"]
    assert all(e["is_job"] for e in api.who_looked(large[17]))
    assert sql("SELECT count(*) FROM trace_entry") == [(3,)]
    assert api.is_about(job, large[17])
    assert not api.is_about(job, large[17] + 1)


def test_a_sealed_read_is_counted_at_once_and_shown_on_its_day(sequencer):
    due = clock.today() + timedelta(30)
    [entry] = api.record("test.read", subject_ids=[1], sealed=api.Sealed("law 1", "chief", due), **WHO)
    assert api.who_looked(1) == []
    assert not api.is_about(entry, 1)
    assert api.sealed_counts() == {"total": 1, "sealed": 1, "late": 0}
    sequencer.step()
    assert '"approver":"chief"' in parse_receipt(api.receipt(entry)).entry.decode(), "the seal is bound in the log"
    with clock.stopped_at(clock.now() + timedelta(30)):
        assert [e["id"] for e in api.who_looked(1)] == [entry]
        assert api.sealed_counts() == {"total": 1, "sealed": 0, "late": 1}
    with pytest.raises(SealIncomplete):
        api.record("test.read", subject_ids=[1], sealed=api.Sealed("law 1", "chief", clock.today()), **WHO)


def test_pages_of_entries_follow_each_other():
    for number in range(7):
        api.record("test.a" if number % 2 else "test.b", subject_ids=[number % 3], **WHO)
    seen, before = [], None
    while page := api.entries(before=before, limit=2):
        seen += [e["id"] for e in page]
        before = seen[-1]
    assert seen == sorted(seen, reverse=True)
    assert len(seen) == 7
    assert [e["id"] for e in api.who_looked(1, before=seen[2])] == [seen[5]]


def test_a_log_that_was_rolled_back_lets_nobody_read(sequencer, home):
    api.record("test.read", subject_ids=[1], **WHO)
    sequencer.step()
    before = transaction.savepoint()
    api.record("test.read", subject_ids=[2], **WHO)
    sequencer.step()
    transaction.savepoint_rollback(before)
    with pytest.raises(LogBroken, match="rollback"):
        sequencer.step()
    assert api.shut_because() == "rollback"
    for _ in range(2):
        with pytest.raises(LogNotShown), transaction.atomic():
            api.record("test.read", subject_ids=[3], **WHO)
        assert not api.confirm(home=home)
        with pytest.raises(LogBroken):
            api.Sequencer(home).step()
    api.record("test.other", **WHO)


def test_a_rewritten_log_lets_nobody_read(sequencer, home):
    api.record("test.read", subject_ids=[1, 2], **WHO)
    sequencer.step()
    sql("UPDATE trace_tile SET hashes = overlay(hashes PLACING '\\x00' FROM 1)")
    assert api.confirm(home=home), "it is open already"
    with pytest.raises(LogBroken, match="fork"):
        api.Sequencer(home).step()
    assert not api.is_open()


def test_a_log_of_unknown_length_lets_nobody_read(sequencer, home):
    api.record("test.read", subject_ids=[1, 2], **WHO)
    sequencer.step()
    published_path(home).unlink()
    with pytest.raises(LogBroken, match="unproven"):
        api.Sequencer(home).step()
    assert not api.is_open()


def test_after_a_restart_the_gate_opens_when_somebody_looked(sequencer, home):
    api.record("test.read", subject_ids=[1], **WHO)
    sequencer.step()
    sql("UPDATE trace_gate SET bound_to = 'another server'")
    with pytest.raises(LogNotShown), transaction.atomic():
        api.record("test.read", subject_ids=[1], **WHO)
    assert api.confirm(home=home)
    api.record("test.read", subject_ids=[1], **WHO)


def test_a_receipt_of_another_log_is_refused(sequencer, keys):
    [entry] = api.record("test.read", subject_ids=[1], **WHO)
    sequencer.step()
    with pytest.raises(ProofWrong, match="another log"):
        checked(parse_receipt(api.receipt(entry)), origin="example.com/other", keys=keys)


@pytest.mark.parametrize("hours", [-1, 1])
def test_a_clock_that_jumps_changes_no_order(sequencer, keys, hours):
    """Places follow the order of writing, whatever the clock of the server or of the sequencer says."""
    before = api.record("test.read", subject_ids=[1], **WHO)
    first = parse_checkpoint(sequencer.step())
    sql(
        "INSERT INTO trace_entry (kind, actor, purpose, subject, at)"
        " VALUES ('test.read', 't', 't', 1, clock_timestamp() + make_interval(hours => %s))",
        hours,
    )
    with clock.stopped_at(clock.now() + timedelta(hours=hours)):
        note = sequencer.step()
    verified(note, keys)
    after = api.record("test.read", subject_ids=[1], **WHO)
    last = parse_checkpoint(sequencer.step())
    assert (first.size, parse_checkpoint(note).size, last.size) == (1, 2, 3)
    assert is_consistent(1, 3, first.root, last.root, api.consistency_proof(1))
    assert [parse_receipt(api.receipt(entry)).index for entry in (*before, *after)] == [0, 2]
    assert len(api.who_looked(1)) == 3
    assert api.self_check(**WHO) == []

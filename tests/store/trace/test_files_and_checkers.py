"""Checkers that need only public files, the pages that serve them, and the self-check."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from django.db import connection
from django.test import Client

from wanjia.trace import api
from wanjia.trace.api.checking import PublicLog, Trust, verify_receipt
from wanjia.trace.errors import LogBroken, ProofRefused, PublicFileMissing

pytestmark = pytest.mark.django_db

WHO = {"by": "t", "why": "t"}


def sql(statement, *values):
    with connection.cursor() as cursor:
        cursor.execute(statement, values)


@pytest.fixture
def sequencer(home):
    return api.Sequencer(home)


@pytest.fixture
def public(sequencer):
    """The public folder of a log of 600 entries made in rounds of 100; with an older copy beside it."""
    for count in range(6):
        api.record("test.read", subject_ids=range(100), **WHO)
        sequencer.step()
        if count == 2:
            shutil.copytree(api.public_folder(), api.public_folder().parent / "older")
    return api.public_folder()


@pytest.fixture
def trust(public):
    return Trust.of((public / "keys").read_text().split())


def test_the_public_folder_verifies_whole_by_entry_and_since(public, trust):
    log = PublicLog(str(public), trust)
    assert log.verify_all().size == 600
    assert log.verify_entry(599)[0].size == 600
    before, now = log.verify_since((public.parent / "older" / "checkpoint").read_text())
    assert (before.size, now.size) == (300, 600)
    with pytest.raises(ProofRefused, match="no such entry"):
        log.verify_entry(600)


def test_partial_tiles_go_when_the_full_one_is_there(public):
    assert sorted(path.name for path in (public / "tile/0").iterdir()) == ["000", "001", "002.p"]


def test_an_export_goes_on_and_a_whole_one_mends(public, trust, tmp_path):
    older = public.parent / "older"
    assert api.export(older).size == 600
    assert PublicLog(str(older), trust).verify_all().size == 600
    (older / "tile/0/000").write_bytes(b"\0" * 8192)
    with pytest.raises(ProofRefused):
        PublicLog(str(older), trust).verify_all()
    api.export(older, whole=True)
    assert PublicLog(str(older), trust).verify_all().size == 600


@pytest.mark.parametrize(
    "victim", ["tile/0/001", "tile/1/000.p/2", "tile/entries/000", "checkpoint", "tile/0/002.p/88"]
)
def test_a_changed_file_is_found(public, trust, victim):
    path = public / victim
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(ProofRefused):
        PublicLog(str(public), trust).verify_all()


def test_a_missing_file_is_found(public, trust):
    (public / "tile/entries/001").unlink()
    with pytest.raises(PublicFileMissing):
        PublicLog(str(public), trust).verify_all()


def test_a_receipt_holds_offline_and_against_the_log(public, trust):
    entry = api.entries(limit=1)[0]["id"]
    receipt = api.receipt(entry)
    assert verify_receipt(receipt, trust)[1].index == 599
    assert PublicLog(str(public), trust).verify_receipt(receipt)[0].size == 600
    with pytest.raises(ProofRefused, match="rolled back"):
        PublicLog(str(public.parent / "older"), trust).verify_receipt(receipt)


def test_the_command_needs_no_database_and_no_secret(public, tmp_path):
    copy = shutil.copytree(public, tmp_path / "copy")
    key = (copy / "keys").read_text().split()[0]
    (tmp_path / "old").write_bytes((public.parent / "older" / "checkpoint").read_bytes())
    entry = api.entries(limit=1)[0]["id"]
    (tmp_path / "r.tlog-proof").write_text(api.receipt(entry))
    bare = {"PATH": "/nowhere", "WANJIA_HOME": str(tmp_path / "none"), "PYTHONPATH": str(Path(__file__).parents[3])}

    def verify(*arguments, ends=0):
        done = subprocess.run(
            [sys.executable, "-m", "wanjia", "trace", "verify", *map(str, arguments), "--format", "json"], env=bare, capture_output=True,
            text=True, check=False,
        )  # fmt: skip
        assert done.returncode == ends, done.stderr
        return json.loads(done.stdout) if not ends else done.stderr

    assert verify(copy, "--key", key)["log"]["size"] == 600
    told = verify(copy, "--since", tmp_path / "old", "--entry", 5, "--receipt", tmp_path / "r.tlog-proof")
    assert (told["since"], told["entry"]["index"], told["receipts"][0]["index"]) == ({"from": 300, "to": 600}, 5, 599)
    assert verify("--receipt", tmp_path / "r.tlog-proof", "--key", key)["receipts"][0]["size"] == 600
    (copy / "tile/0/000").write_bytes(b"\1" * 8192)
    assert "TRACE-008" in verify(copy, "--key", key, ends=1)
    assert not (tmp_path / "none").exists()


def test_the_pages_serve_the_same_files(public):
    client = Client()
    for path in (p for p in public.rglob("*") if p.is_file() and p.name != "checkpoint.cosigned"):
        name = path.relative_to(public).as_posix()
        answer = client.get(f"/trace/{name}")
        if answer.status_code == 404:
            assert ".p/" in name, name
            continue
        assert answer.content == path.read_bytes(), name
        kept = "no-cache" if name in ("checkpoint", "keys", "handovers") else "public, max-age=31536000, immutable"
        assert answer.headers["Cache-Control"] == kept
    assert client.get("/trace/tile/0/009").status_code == 404
    assert client.get("/trace/../keys/kek").status_code == 404
    told = client.get("/trace-health/")
    assert told.headers["Cache-Control"] == "no-store"
    assert (told.json()["size"], told.json()["alarms"]) == (600, ["no_witness"])


def test_the_self_check_finds_nothing_in_a_sound_log(public, sequencer):
    api.record_job("test.large", persons=range(3000), **WHO)
    api.record_job("test.small", persons=[9, 8, 7], **WHO)
    api.erase([api.entries(limit=1, before=api.entries(limit=1)[0]["id"] - 9)[0]["id"]], by="t", why="t")
    sequencer.step()
    assert api.self_check(**WHO) == []
    [told] = api.entries(kind="trace.self_check")
    assert told["detail"]["findings"] == 0


@pytest.mark.parametrize(
    ("crime", "found"),
    [
        ("UPDATE trace_entry SET purpose = 'birthday' WHERE id = (SELECT entry_id FROM trace_place WHERE seq = 44)", "place 44: its entry is not"),
        ("DELETE FROM trace_entry WHERE id = (SELECT entry_id FROM trace_place WHERE seq = 44)", "place 44: its entry or nonce is gone"),
        ("UPDATE trace_place SET commitment = sha256('x') WHERE seq = 599", "tile 0/2 does not follow"),
        ("UPDATE trace_tile SET hashes = overlay(hashes PLACING '\\x00' FROM 1) WHERE level = 1", "tile 1/0 does not follow"),
        ("DELETE FROM trace_place WHERE seq = 300", "places between 0 and 8192 are missing"),
        ("DELETE FROM trace_pending", "1 entries have no place"),
        ("DELETE FROM trace_jobperson WHERE person_id = 2", "the persons listed are not those it binds"),
    ],
)  # fmt: skip
def test_the_self_check_finds_what_a_superuser_did(public, sequencer, crime, found):
    api.record_job("test.small", persons=[1, 2], **WHO)
    sequencer.step()
    api.record("test.waits", **WHO)
    sql("SET LOCAL session_replication_role = replica")
    sql(crime)
    sql("SET LOCAL session_replication_role = origin")
    assert any(found in one for one in api.self_check(**WHO)), api.self_check(**WHO)


def test_after_a_restore_the_lost_places_are_taken_over_and_the_gap_is_told(public, sequencer, home, trust):
    # what a dump from before the last 200 entries looks like when it is restored
    sql("SET LOCAL session_replication_role = replica")
    sql("DELETE FROM trace_entry WHERE id IN (SELECT entry_id FROM trace_place WHERE seq >= 400)")
    for table in ("place", "nonce"):
        sql(f"DELETE FROM trace_{table} WHERE seq >= 400")
    sql("DELETE FROM trace_checkpoint WHERE size > 400")
    sql("SET LOCAL session_replication_role = origin")
    sql("UPDATE trace_tile SET hashes = substr(hashes, 1, 144 * 32) WHERE level = 0 AND index = 1")
    sql("DELETE FROM trace_tile WHERE index > 1 OR level = 1")
    older = PublicLog(str(public), trust)._tile(1, 0, 1)
    sql("INSERT INTO trace_tile VALUES (1, 0, %s)", older)
    sql("UPDATE trace_gate SET bound_to = 'the server before'")

    fresh = api.Sequencer(home)
    with pytest.raises(LogBroken, match="rollback"):
        fresh.step()
    assert not api.is_open()
    with pytest.raises(LogBroken, match="rollback"):
        api.reopen(str(public.parent / "older"), **WHO)
    assert api.reopen(str(public), **WHO) == (400, 600)
    assert api.is_open()
    assert [(gap["first_seq"], gap["end_seq"]) for gap in api.gaps()] == [(400, 600)]
    api.record("test.read", subject_ids=[1], **WHO)
    assert api.Sequencer(home).step() is not None
    assert PublicLog(str(public), trust).verify_all().size == 602
    assert api.self_check(**WHO) == []
    assert Client().get("/trace-health/").json()["gaps"][0]["first_seq"] == 400


def test_what_goes_wrong_is_an_alarm(sequencer, monkeypatch):
    from datetime import timedelta

    from wanjia.kernel import clock

    assert api.health().alarms == ["no_witness"]
    api.record("test.read", subject_ids=[1], sealed=api.Sealed("law 1", "chief", clock.today() + timedelta(1)), **WHO)
    assert api.health().alarms == ["never_published", "no_witness"]
    with clock.stopped_at(clock.now() + timedelta(seconds=70)):
        assert "late" in api.health().alarms
    sequencer.step()
    monkeypatch.setenv(
        "WANJIA_TRACE_WITNESSES",
        "http://127.0.0.1:9 example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
    )
    assert api.health().alarms == ["unwitnessed"]
    with clock.stopped_at(clock.now() + timedelta(days=2)):
        assert "seal_late" in api.health().alarms
    sql("UPDATE trace_gate SET bound_to = 'another server'")
    assert "shut" in api.health().alarms

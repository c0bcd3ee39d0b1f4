"""Everything that is kept under keys, made anew after a rotation, and old keys destroyed."""

from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pytest
from django.db import DatabaseError, connection, transaction

from tests.store.intake.test_pushes_and_pulls import SOURCE, death
from wanjia.jobs import on_rotation
from wanjia.kernel import clock
from wanjia.kernel.errors import KeyUnavailable
from wanjia.kernel.keyring import Keyring
from wanjia.keys import api as keys
from wanjia.keys import errors
from wanjia.privacy import api as privacy
from wanjia.privacy.api import DOSSIER_FIELD, DOSSIER_PART, BlindKind
from wanjia.trace import api as trace

THEN = datetime(2026, 1, 1, tzinfo=UTC)
WHO = {"by": "keeper", "why": "test"}


@pytest.fixture
def ring(home, db, monkeypatch):
    """The ring of an empty installation; nobody waits."""
    monkeypatch.setattr("wanjia.kernel.sealing.LOOK_SECONDS", 0.0)
    monkeypatch.setattr(keys, "SETTLE_SECONDS", 0.0)
    return Keyring.open(home)


def dossiers(**names):
    written = [
        f"GA02=0p{DOSSIER_PART}0000{DOSSIER_FIELD}police_register{DOSSIER_FIELD}k{DOSSIER_FIELD}self{DOSSIER_FIELD}2024-01-01"
        f"{DOSSIER_FIELD}GA02={name}{DOSSIER_PART}4"
        for name in names.values()
    ]
    ids = [int(key[1:]) for key in names]
    return [pa.table({"person_id": pa.array(ids, pa.int64()), "dossier": written})]


def many(count):
    return dossiers(**{f"p{number}": f"王{number}" for number in range(1, count + 1)})


def searchable(**names):
    ids = [int(key[1:]) for key in names]
    return pa.table(
        {"person_id": pa.array(ids, pa.int64()), "kind": ["name"] * len(ids), "value": list(names.values())}
    )


@pytest.mark.parametrize("suite", ["aes-256-gcm", "sm4-gcm"])
def test_the_vault_moves_to_the_new_key_and_the_old_one_is_destroyed(ring, suite, home):
    privacy.keep_dossiers(many(50), at=THEN)
    privacy.keep_dossiers(dossiers(p1="王伟"), at=THEN + timedelta(1), only=[1])
    told = keys.rotate("vault", suite=suite, **WHO)
    privacy.keep_dossiers(dossiers(p2="李娜"), at=THEN + timedelta(2), only=[2])
    assert privacy.open_person(1, by="t", why="t").value("GA02") == "王伟", "old blobs open meanwhile"
    with pytest.raises(errors.KeyStillNeeded, match="51 values"):
        keys.destroy(str(told["old"]), young_seconds=0, **WHO)
    report = on_rotation.reencrypt(**WHO)
    assert (report.found, report.done, report.left) == (
        {"privacy_vaultentry.blob": 51},
        {"privacy_vaultentry.blob": 51},
        {},
    )
    number = keys.destroy(str(told["old"]), young_seconds=0, **WHO)
    assert [privacy.open_person(n, by="t", why="t").value("GA02") for n in (1, 2, 3)] == ["王伟", "李娜", "王3"]
    assert keys.verified(keys.certificate(number), keys.public_key())["subject"] == told["old"]
    with connection.cursor() as cursor:
        cursor.execute("SELECT DISTINCT get_byte(blob, 0) FROM privacy_vaultentry")
        assert cursor.fetchall() == [({"aes-256-gcm": 1, "sm4-gcm": 2}[suite],)]


def test_nothing_is_found_where_nothing_is_old(ring):
    privacy.keep_dossiers(many(3), at=THEN)
    assert on_rotation.reencrypt(**WHO).found == {}
    keys.rotate("vault", **WHO)
    assert on_rotation.reencrypt(**WHO, dry_run=True).found == {"privacy_vaultentry.blob": 3}
    assert keys.progress() == []
    assert keys.rotate("vault", **WHO, dry_run=True)["new"] is None
    assert on_rotation.reencrypt(["lake"], **WHO).found == {}


def test_an_unchanged_dossier_stays_unchanged_while_its_likeness_key_rotates(ring):
    privacy.keep_dossiers(many(5), at=THEN)
    keys.rotate("blind:vault-likeness", **WHO)
    same = privacy.keep_dossiers(many(5), at=THEN + timedelta(1))
    assert same.counts()["unchanged"] == 5
    assert on_rotation.reencrypt(**WHO).done == {"privacy_vaultentry.likeness": 5}
    keys.destroy("2", young_seconds=0, **WHO)
    assert privacy.keep_dossiers(many(5), at=THEN + timedelta(2)).counts()["unchanged"] == 5


def test_a_search_finds_by_both_keys_until_the_index_is_made_anew(ring):
    privacy.keep_dossiers(dossiers(p1="王伟", p2="王伟", p3="李娜"), at=THEN)
    privacy.keep_searchable(searchable(p1="王伟", p2="王伟", p3="李娜", p4="张三"))
    old = ring.blinder("name").key_id
    keys.rotate("blind:name", **WHO)
    privacy.keep_searchable(searchable(p2="王伟"), only=[2])
    assert privacy.find_by_blind(BlindKind.NAME, ["王伟", "李娜"]) == {"王伟": [1, 2], "李娜": [3]}
    # person 3 was renamed by a load meanwhile, and this reading of the assertions is older than that
    privacy.keep_searchable(searchable(p3="李那"), only=[3])
    made = privacy.blind_again(searchable(p1="王伟", p2="王伟", p3="李娜"), note=lambda count: None)
    assert made == 1, "who was written anew is left alone"
    assert privacy.find_by_blind(BlindKind.NAME, ["王伟", "李娜", "李那", "张三"]) == {"王伟": [1, 2], "李那": [3]}
    assert keys.left_under_older_keys() == []
    keys.destroy(str(old), young_seconds=0, **WHO)
    assert privacy.find_by_blind(BlindKind.NAME, ["王伟"]) == {"王伟": [1, 2]}


def test_deliveries_pushes_and_quarantine(ring, engine, tmp_path):
    from wanjia.intake import api as intake
    from wanjia.intake.models import Delivery

    def push(number, key, **changes):
        row = {**death(number), **changes}
        return intake.receive_rows(SOURCE, [row], idempotency_key=key, by="machine:1", why="test")

    landed = push(1, "a", 死亡证明编号="")
    intake.gather_pushes(by="w", why="t")
    intake.standardise_pending(engine, by="w", why="t")
    waiting = push(2, "b")
    path = tmp_path / "police_register_1.csv"
    path.write_bytes(b"not a register")
    with pytest.raises(Exception, match="INTAKE"):
        intake.standardise_delivery(engine, intake.receive_file(path, by="t", why="t").delivery.id, by="t", why="t")

    for purpose in ("quarantine", "push", "lake", "blind:delivery", "blind:idempotency"):
        keys.rotate(purpose, **WHO)
    assert push(1, "a", 死亡证明编号="").id == landed.id, "known by the old key"
    report = on_rotation.reencrypt(**WHO)
    assert report.done["intake_push.sealed"] == 1
    assert report.done["intake_quarantinedrow.cells"] == 1
    assert report.done["intake_delivery.digest"] == Delivery.objects.count()
    assert report.left == {"intake_push.idempotency_key": 2}, (
        "callers' keys were not kept, so these cannot be made anew"
    )

    [row] = intake.refusals(delivery=intake.receipt(landed.id, source=SOURCE).delivery)
    assert intake.open_refusal(row.id, by="t", why="t")[1]["姓名"] == "陈水生"
    intake.gather_pushes(by="w", why="t")
    intake.standardise_pending(engine, by="w", why="t")
    assert intake.receipt(waiting.id, source=SOURCE).state == "standardised"
    old = {key.key.purpose: key.key.id for key in keys.listed() if key.key.state == "opening"}
    for purpose in ("quarantine", "push", "lake", "blind:delivery"):
        keys.destroy(str(old[purpose]), young_seconds=0, **WHO)
    with pytest.raises(errors.KeyStillNeeded):
        keys.destroy(str(old["blind:idempotency"]), young_seconds=0, **WHO)
    assert push(2, "b").was_known
    with clock.stopped_at(clock.now() + timedelta(days=31)):
        assert on_rotation.reencrypt(**WHO).left == {}
    keys.destroy(str(old["blind:idempotency"]), young_seconds=0, **WHO)


def test_the_log_still_proves_every_entry_after_its_nonces_are_sealed_again(ring):
    trace.record("a.b", by="x", why="y")
    trace.Sequencer().step()
    keys.rotate("trace-nonce", **WHO)
    keys.rotate("trace-signing", **WHO)
    trace.Sequencer().step()
    report = on_rotation.reencrypt(**WHO)
    assert report.left == {}
    assert report.done == {"trace_nonce.sealed": 1, "trace-log.json": 2}
    old = [use.key.id for use in keys.listed() if use.key.state == "opening"]
    for key_id in old:
        keys.destroy(str(key_id), young_seconds=0, **WHO)
    trace.Sequencer().step()
    for entry in trace.entries(limit=100):
        seq, nonce, _ = trace.opening(entry["id"])
        assert len(nonce) == 32
        assert seq == entry["seq"]
    with connection.cursor() as cursor, pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        cursor.execute("UPDATE trace_nonce SET sealed = set_byte(sealed, 20, 1)")


def test_a_key_is_not_destroyed_while_somebody_may_still_write_with_it(ring, monkeypatch):
    import psycopg

    from wanjia.kernel.database import ensure_server

    monkeypatch.setattr(keys, "WAIT_SECONDS", 0.2)
    privacy.keep_dossiers(many(1), at=THEN)
    keys.rotate("vault", **WHO)
    on_rotation.reencrypt(**WHO)
    with pytest.raises(errors.KeyTooYoung, match=r"(60|59) seconds"):
        keys.destroy("1", **WHO)
    name = connection.settings_dict["NAME"]
    with psycopg.connect(ensure_server(), dbname=name) as other:
        other.execute("SELECT pg_current_xact_id()")
        with pytest.raises(errors.KeyTooYoung, match="transaction"):
            keys.destroy("1", young_seconds=0, **WHO)
    keys.destroy("1", young_seconds=0, **WHO)


@pytest.mark.parametrize(
    ("key", "error"), [("77", "KeyUnknown"), ("file:nope", "KeyUnknown"), ("file:kek", "KeyInForce")]
)
def test_what_cannot_be_destroyed_is_said(ring, key, error):
    privacy.keep_dossiers(many(1), at=THEN)
    with pytest.raises(getattr(errors, error)):
        keys.destroy(key, **WHO)


def test_what_nobody_answers_for_is_not_destroyed(ring):
    ring.seal("unheard-of", b"", b"")
    keys.rotate("unheard-of", **WHO)
    with pytest.raises(errors.KeyStillNeeded):
        keys.destroy("1", young_seconds=0, **WHO)
    with pytest.raises(errors.KeyUnknown):
        keys.rotate("never made", **WHO)


def test_every_change_of_a_key_is_in_the_trace(ring):
    privacy.keep_dossiers(many(2), at=THEN)
    keys.rotate("vault", **WHO)
    keys.rotate("kek", **WHO)
    on_rotation.reencrypt(**WHO)
    keys.destroy("1", young_seconds=0, **WHO)
    keys.destroy("file:kek", **WHO)
    kinds = [entry["kind"] for entry in reversed(trace.entries(actor="keeper", limit=50))]
    assert kinds == [
        *["keys.rotate"] * 4, *["keys.reencrypt"] * 2, *["keys.destroy"] * 2, "keys.certificate", *["keys.destroy"] * 2,
    ]  # fmt: skip


def test_a_changed_certificate_is_refused_by_the_database(ring):
    number = keys.issue_certificate("key", 1, basis="b", destroyed=[], left=[], **WHO)
    assert keys.verified(keys.certificate(number), keys.public_key())["number"] == number
    for statement in ("UPDATE keys_certificate SET document = ''", "DELETE FROM keys_certificate"):
        with connection.cursor() as cursor, pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
            cursor.execute(statement)
    with pytest.raises(errors.CertificateUnknown):
        keys.certificate("20200101-000001")


def test_a_batch_that_fails_undoes_its_progress_too(ring, monkeypatch):
    privacy.keep_dossiers(many(5000), at=THEN)
    keys.rotate("vault", **WHO)
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE privacy_vaultentry SET blob = set_byte(blob, 30, 255 - get_byte(blob, 30)) WHERE person_id = 4500"
        )
    with pytest.raises(KeyUnavailable, match="altered"):
        on_rotation.reencrypt(**WHO)
    [run] = keys.progress()
    assert (run["done"], run["finished_at"]) == (4000, None)
    assert keys.left_under_older_keys()[0][1] == 1000


def test_only_the_security_administrator_holds_the_right():
    from wanjia.access.api import book

    assert [code for code, role in book().roles.items() if "keys" in role.rights] == ["security_admin"]


def test_a_sealed_file_of_the_key_folder_is_sealed_again(ring, home):
    from wanjia.web.public import provider

    provider._signing_key.cache_clear()
    pem = provider._signing_key(str(home))
    old = keys.rotate(provider.PURPOSE, **WHO)["old"]
    assert on_rotation.reencrypt([provider.PURPOSE], **WHO).done == {"oidc_signing_key": 1}
    keys.destroy(str(old), young_seconds=0, **WHO)
    provider._signing_key.cache_clear()
    assert provider._signing_key(str(home)) == pem
    assert not list((home / "keys").glob("*.writing"))


def test_every_purpose_that_code_names_has_a_store_or_lives_no_longer_than_a_session():
    """A purpose without a store could never have its old key destroyed."""
    import re

    from wanjia.kernel.settings import PROJECT_ROOT
    from wanjia.keys.rules import SESSION

    named = set()
    for path in (PROJECT_ROOT / "wanjia").rglob("*.py"):
        named |= set(re.findall(r'^(?:\w*PURPOSE|SEALED_FOR) = "([a-z-]+)"$', path.read_text(), re.MULTILINE))
    assert {"vault", "trace-nonce", "oversight"} <= named
    stored = {store.purpose for store in keys.keyed_stores()}
    assert {purpose for purpose in named if not purpose.startswith(SESSION)} <= stored

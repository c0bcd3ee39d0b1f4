"""Rows that are pushed by machines, and rows that are fetched from a department's database."""

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from wanjia.intake.declared import Cadence
from wanjia.intake.errors import IdempotencyConflict, PullFailed, PullNotConfigured, SourceUnknown, TokenRefused
from wanjia.intake.models import Delivery, Push
from wanjia.kernel import clock

SOURCE = "death_certificates"
ADDRESS = f"/exchange/v1/sources/{SOURCE}/records"


def death(number: int, **changes: str) -> dict:
    return {
        "死亡证明编号": f"SW{number:08d}",
        "姓名": "陈水生",
        "性别": "M",
        "身份证件号码": "990105194012150351",
        "死亡日期": "2022/3/13",
        "填报日期": "2022/3/18",
        **changes,
    }


def push(intake, rows, key):
    return intake.receive_rows(SOURCE, rows, idempotency_key=key, by="machine:1", why="test")


def settle(intake, engine):
    gathered = intake.gather_pushes(by="worker", why="test")
    intake.standardise_pending(engine, by="worker", why="test")
    return gathered


def test_pushes_are_promised_gathered_and_answered(intake, engine):
    first = push(intake, [death(1)], "a")
    second = push(intake, [death(2), {**death(3), "死亡证明编号": ""}], "b")
    assert (first.state, first.rows, intake.has_pending()) == ("waiting", 1, True)
    [delivery] = settle(intake, engine)
    delivery.refresh_from_db()
    assert (delivery.rows_in, delivery.accepted, delivery.quarantined) == (3, 2, 1)
    answer = intake.receipt(second.id, source=SOURCE, lang="zh")
    assert answer.state == "standardised"
    assert [(r["row"], r["reason"]) for r in answer.refused] == [(2, "KEY_MISSING")]
    assert not intake.receipt(first.id, source=SOURCE).refused
    assert Push.objects.filter(sealed=None).count() == 2
    assert not intake.has_pending()


def test_the_same_key_is_the_same_push(intake, engine):
    first = push(intake, [death(1)], "a")
    again = push(intake, [death(1)], "a")
    assert (again.id, again.was_known) == (first.id, True)
    with pytest.raises(IdempotencyConflict):
        push(intake, [death(2)], "a")
    settle(intake, engine)
    push(intake, [death(1)], "another key")
    [delivery] = settle(intake, engine)
    delivery.refresh_from_db()
    assert (delivery.rows_in, delivery.repeats) == (1, 1)


def test_a_push_and_a_file_of_the_same_rows_assert_the_same(intake, engine, tmp_path):
    rows = [death(number, 姓名=name) for number, name in enumerate(["陈水生", "李 四", "欧阳·娜"])]
    push(intake, rows, "a")
    [pushed] = settle(intake, engine)
    by_push = intake.delivery_assertions(pushed.id)
    intake.withdraw_delivery(pushed.id, by="tester", why="test")
    path = tmp_path / "death_certificates.jsonl"
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))
    delivery = intake.receive_file(path, by="tester", why="test").delivery
    intake.standardise_pending(engine, by="tester", why="test")
    by_file = intake.delivery_assertions(delivery.id)
    unnumbered = [c for c in by_push.column_names if c not in ("assertion_id", "delivery_id")]
    assert by_push.sort_by("row_no").select(unnumbered).equals(by_file.sort_by("row_no").select(unnumbered))


def test_machines_with_different_names_for_a_column_share_a_delivery(intake, engine, monkeypatch):
    push(intake, [death(1)], "a")
    push(intake, [{("死亡证明 编号：" if k == "死亡证明编号" else k): v for k, v in death(2).items()}], "b")
    [delivery] = settle(intake, engine)
    delivery.refresh_from_db()
    assert (delivery.rows_in, delivery.accepted) == (2, 2)


def test_over_http(intake, client):
    secret = intake.issue_token(SOURCE, label="hospital gateway", by="admin", why="contract 7")
    headers = {"Authorization": f"Bearer {secret}", "Idempotency-Key": "k1"}

    def post(body, **changes):
        return client.post(ADDRESS, data=body, content_type="application/json", headers={**headers, **changes})

    answer = post(json.dumps(death(1)))
    assert (answer.status_code, answer.json()["state"]) == (202, "waiting")
    assert post(json.dumps(death(1))).status_code == 200
    assert client.get(answer["Location"], headers=headers).json()["rows"] == 1
    for body, changes, status, code in [
        (json.dumps(death(2)), {}, 422, "INTAKE-020"),
        ("[", {"Idempotency-Key": "k2"}, 400, "INTAKE-019"),
        ("[1]", {"Idempotency-Key": "k2"}, 400, "INTAKE-019"),
        (json.dumps([death(3)] * 1001), {"Idempotency-Key": "k2"}, 400, "INTAKE-019"),
        (json.dumps(death(3)), {"Idempotency-Key": ""}, 400, "INTAKE-027"),
        (json.dumps({"姓名": "x"}), {"Idempotency-Key": "k2"}, 422, "INTAKE-009"),
        (json.dumps({**death(3), "入住酒店": "x"}), {"Idempotency-Key": "k2"}, 422, "INTAKE-012"),
        (json.dumps(death(3)), {"Authorization": "Bearer wrong"}, 401, "INTAKE-021"),
        (json.dumps(death(3)), {"Authorization": ""}, 401, "INTAKE-021"),
    ]:
        refused = post(body, **changes)
        assert (refused.status_code, refused.json()["code"]) == (status, code)
        assert refused["Content-Type"] == "application/problem+json"
    assert client.get(ADDRESS, headers=headers).status_code == 405
    other = client.post(
        "/exchange/v1/sources/marriages/records", data="{}", content_type="application/json", headers=headers
    )
    assert other.status_code == 401


def test_tokens_end(intake):
    secret = intake.issue_token(SOURCE, label="x", by="admin", why="test")
    machine = intake.bearer_of(secret, source=SOURCE)
    intake.revoke_token(int(machine.split(":")[1]), by="admin", why="lost")
    with pytest.raises(TokenRefused):
        intake.bearer_of(secret, source=SOURCE)


def test_a_source_that_takes_no_push(intake):
    with pytest.raises(SourceUnknown):
        intake.receive_rows("police_register", [{}], idempotency_key="a", by="x", why="y")


@pytest.fixture
def department(tmp_path, monkeypatch, intake):
    """The social insurance department's own database, empty."""
    source = intake.source_named("social_insurance")
    url = f"sqlite:///{tmp_path / 'department.sqlite'}"
    monkeypatch.setenv(source.format.url_setting, url)
    example = source.examples[0].row
    engine = sa.create_engine(url)
    names = list(source.columns())
    table = sa.Table(source.format.table, sa.MetaData(), *(sa.Column(name, sa.String) for name in [*names, "内部备注"]))
    table.metadata.create_all(engine)

    def add(key: str, mark: str) -> None:
        row = {**example, source.key[0]: key, source.format.watermark: mark, "内部备注": "not declared"}
        with engine.begin() as connection:
            connection.execute(table.insert().values({k: v for k, v in row.items() if k in table.c}))

    return add


def test_pull_goes_on_from_its_watermark(intake, engine, department):
    department("1", "2026-01-01 10:00:00")
    department("2", "2026-01-02 10:00:00")
    first = intake.pull("social_insurance", by="worker", why="test")
    intake.standardise_pending(engine, by="worker", why="test")
    assert intake.delivery_named(first.delivery.id).accepted == 2
    department("3", "2026-01-02 10:00:00")
    department("4", "2026-01-03 10:00:00")
    second = intake.pull("social_insurance", by="worker", why="test")
    intake.standardise_pending(engine, by="worker", why="test")
    second = intake.delivery_named(second.delivery.id)
    assert (second.rows_in, second.accepted, second.repeats) == (3, 2, 1)
    third = intake.pull("social_insurance", by="worker", why="test")
    intake.standardise_pending(engine, by="worker", why="test")
    assert intake.delivery_named(third.delivery.id).accepted == 0
    assert intake.pull("social_insurance", by="worker", why="test").was_known
    assert Delivery.objects.count() == 3


def test_a_pull_that_was_begun_is_the_pull(intake, department):
    department("1", "2026-01-01 10:00:00")
    with ThreadPoolExecutor(1) as pool:
        begun = intake.begin_pull("social_insurance", pool)
        first = intake.pull("social_insurance", by="worker", why="test", begun=begun)
        nothing = intake.begin_pull("social_insurance", pool)
        assert intake.pull("social_insurance", by="worker", why="test", begun=nothing).was_known
    assert not first.was_known


def test_pull_that_fails_moves_no_watermark(intake, department, monkeypatch, tmp_path):
    from wanjia.intake.models import SourceState

    setting = intake.source_named("social_insurance").format.url_setting
    monkeypatch.setenv(setting, f"sqlite:///{tmp_path / 'other.sqlite'}")
    with pytest.raises(PullFailed):
        intake.pull("social_insurance", by="worker", why="test")
    monkeypatch.setenv(setting, "")
    with pytest.raises(PullNotConfigured):
        intake.pull("social_insurance", by="worker", why="test")
    assert not SourceState.objects.exists()


def test_a_pull_is_due_when_its_cadence_has_come_round(intake, department):
    def due() -> list[str]:
        return [source.code for source in intake.sources_due()]

    department("1", "2026-01-01 10:00:00")
    at = datetime(2026, 11, 21, 8, tzinfo=UTC)
    with clock.stopped_at(at):
        assert due() == ["social_insurance"]
        intake.pull("social_insurance", by="worker", why="test")
        assert due() == []
    with clock.stopped_at(at + timedelta(minutes=59)):
        assert due() == []
    with clock.stopped_at(at + timedelta(hours=1)):
        assert due() == ["social_insurance"]
        assert intake.has_landed()


def test_a_pull_without_a_clock_is_refused_when_declared(intake):
    source = intake.source_named("social_insurance")
    for every in ("P1M", "often", ""):
        wrong = list(replace(source, cadence=Cadence("pull", every)).check())
        assert [key for key, *_ in wrong] == ["cadence.every"]
    assert list(replace(source, cadence=Cadence("pull", "PT15M")).check()) == []

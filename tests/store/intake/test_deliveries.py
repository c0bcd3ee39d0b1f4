"""Nothing lost, nothing doubled: deliveries, repeats, superseding, withdrawal, and being killed in between."""

from random import Random

import pytest
from django.db import IntegrityError, InternalError, ProgrammingError, connection, transaction

from tests.generative.intake.broken_files import SOURCES, good_rows, written
from wanjia.intake.errors import DeliveryNotReady, MissingColumns, MovementRefused, NoSourceForFile
from wanjia.intake.models import Delivery, DeliveryEvent, QuarantinedRow


def counts(delivery) -> tuple:
    return (delivery.rows_in, delivery.accepted, delivery.quarantined, delivery.repeats)


def active(intake, engine) -> list[tuple]:
    table = engine.arrow(intake.active_assertions(engine))
    if not table.num_rows:
        return []
    rows = table.select(["source", "record_key", "subject", "as_of", "name", "domicile_address"]).to_pylist()
    return sorted(tuple(row.values()) for row in rows)


def test_rows_are_counted_and_asserted(intake, engine, deliver, police_rows):
    rows = [*police_rows(5), police_rows(5)[0], {**police_rows(1)[0], "人员编号": ""}]
    delivery = deliver(rows)
    assert (delivery.status, counts(delivery)) == ("standardised", (7, 5, 1, 1))
    assertions = intake.delivery_assertions(delivery.id)
    assert assertions.num_rows == 5
    first = assertions.sort_by("assertion_id").to_pylist()[0]
    assert first["assertion_id"] == (delivery.id << 32) + (2 << 2)
    assert (first["record_key"], first["subject"], first["sex"]) == ("R1", "self", "1")
    assert first["as_of"].isoformat() == "2022-06-05"
    [refusal] = intake.refusals(delivery=delivery.id, lang="zh")
    assert (refusal.row_no, refusal.reason) == (8, "KEY_MISSING")
    assert "第 8 行" in refusal.sentence


def test_the_same_file_twice_changes_nothing(intake, engine, deliver, police_rows):
    first = deliver(police_rows(4))
    before = active(intake, engine)
    again = deliver(police_rows(4), name="renamed")
    assert again.id == first.id
    assert Delivery.objects.count() == 1
    assert active(intake, engine) == before


def test_a_full_export_again_repeats_and_a_changed_row_supersedes(intake, engine, deliver, police_rows):
    deliver(police_rows(4))
    rows = police_rows(5)
    rows[1] = {**rows[1], "户籍地址": "望川市石桥区新街2号", "更新日期": "20230101"}
    second = deliver(rows, name="b")
    assert counts(second) == (5, 2, 0, 3)
    state = active(intake, engine)
    assert len(state) == 5
    assert [row[5] for row in state if row[1] == "R2"] == ["望川市石桥区新街2号"]
    whole = engine.arrow(intake.history(engine))
    assert whole.num_rows == 6
    assert sum(whole["is_superseded"].to_pylist()) == 1


def test_deliveries_that_wait_together_become_what_they_become_one_by_one(intake, engine, inbox, police_rows):
    changed = [{**row, "户籍地址": "新街2号", "更新日期": "20230101"} for row in police_rows(1)]
    files = [
        ("csv", police_rows(4)),
        ("csv", [*police_rows(4)[1:], *changed]),
        ("xlsx", good_rows("xlsx", Random(1), 3)),
    ]
    numbers = []
    for name, (kind, rows) in zip("abc", files, strict=True):
        path = inbox / f"{SOURCES[kind]}_{name}.{kind}"
        path.write_bytes(written(kind, rows))
        numbers.append(intake.receive_file(path, by="t", why="t").delivery.id)
    said: dict = {}
    done, refused = intake.standardise_pending(engine, said=said, by="t", why="t")
    assert [delivery.id for delivery in done] == sorted(said) == numbers
    assert refused == []
    # the second was begun when the first stood: what it repeats was known
    assert [counts(delivery) for delivery in done] == [(4, 4, 0, 0), (4, 1, 0, 3), (3, 3, 0, 0)]
    assert all(said[number].equals(intake.delivery_assertions(number)) for number in numbers)
    by_source = intake.active_by_source(engine, said=said)
    assert said == {}
    assert {source: table.count().execute() for source, table in by_source.items()} == {
        SOURCES["csv"]: 4, SOURCES["xlsx"]: 3
    }  # fmt: skip
    assert [row[5] for row in active(intake, engine) if row[1] == "R1"] == ["新街2号"]


def test_one_refused_delivery_does_not_stop_those_beside_it(intake, engine, inbox, police_rows):
    from wanjia.intake.api.sources import lake

    numbers = []
    for name, kind, rows in (
        ("a", "csv", police_rows(2)), ("b", "xlsx", good_rows("xlsx", Random(2), 2)), ("c", "csv", police_rows(3))
    ):  # fmt: skip
        path = inbox / f"{SOURCES[kind]}_{name}.{kind}"
        path.write_bytes(written(kind, rows))
        numbers.append(intake.receive_file(path, by="t", why="t").delivery.id)
    lake().write_bytes(f"landing/{numbers[1]}", b"PK\x03\x04 no workbook")
    done, refused = intake.standardise_pending(engine, by="t", why="t")
    assert [delivery.id for delivery in done] == [numbers[0], numbers[2]]
    assert [(delivery.id, delivery.status) for delivery, _ in refused] == [(numbers[1], "failed")]


def test_an_older_record_arriving_late_does_not_supersede(intake, engine, deliver, police_rows):
    deliver(police_rows(1, 更新日期="20240101"))
    deliver(police_rows(1, 更新日期="20200101", 户籍地址="旧街1号"), name="late")
    [row] = active(intake, engine)
    assert row[3].year == 2024


def test_withdrawn_as_if_it_had_never_come(intake, engine, deliver, police_rows):
    later = [*police_rows(4), *[{**r, "人员编号": "R9"} for r in police_rows(1)]]
    first = deliver(police_rows(4))
    second = deliver(later, name="b")
    assert counts(second) == (5, 1, 0, 4)
    with_both = active(intake, engine)
    assert intake.withdraw_delivery(first.id, by="tester", why="wrong month") == [second.id]
    assert intake.has_pending()
    intake.standardise_pending(engine, by="tester", why="test")
    second.refresh_from_db()
    assert counts(second) == (5, 5, 0, 0)
    assert active(intake, engine) == with_both
    intake.withdraw_delivery(second.id, by="tester", why="all wrong")
    assert active(intake, engine) == []
    with pytest.raises(DeliveryNotReady):
        intake.withdraw_delivery(second.id, by="tester", why="twice")


def test_a_withdrawn_file_in_the_inbox_stays_withdrawn_but_may_be_sent_again(
    intake, engine, deliver, police_rows, inbox
):
    first = deliver(police_rows(2))
    intake.withdraw_delivery(first.id, by="tester", why="test")
    assert not intake.receive_inbox(inbox, by="tester", why="test").received
    again = deliver(police_rows(2))
    assert again.id != first.id
    assert again.sequence == 2
    assert len(active(intake, engine)) == 2


def test_refused_whole_leaves_nothing_but_its_trace(intake, engine, deliver, police_rows):
    with pytest.raises(MissingColumns) as caught:
        deliver([{"人员编码": "R1", "姓名": "张三"}])
    assert "人员编码" in caught.value.sentence("zh")
    [delivery] = Delivery.objects.all()
    assert (delivery.status, delivery.failure_code) == ("failed", "INTAKE-009")
    assert intake.delivery_story(delivery.id, lang="zh")["failure_sentence"] == caught.value.sentence("zh")
    assert active(intake, engine) == []


def test_movement_data_is_not_kept(intake, deliver, home):
    with pytest.raises(MovementRefused):
        deliver([{"人员编号": "R1", "姓名": "张三", "入住酒店": "x"}])
    [delivery] = Delivery.objects.all()
    assert delivery.status == "failed"
    assert not list((home / "lake").rglob("landing/*"))


def test_a_broken_file_does_not_stop_the_inbox(intake, engine, inbox, police_rows):
    from tests.generative.intake.broken_files import written

    (inbox / "police_register_1.csv").write_bytes(b"<html></html>")
    (inbox / "police_register_2.csv").write_bytes(written("csv", police_rows(3)))
    (inbox / "notes.doc").write_bytes(b"x")
    report = intake.receive_inbox(inbox, by="tester", why="test")
    assert (len(report.received), len(report.refused), report.unmatched) == (1, 1, 1)
    again = intake.receive_inbox(inbox, by="tester", why="test")
    assert (len(again.received), len(again.known), len(again.refused)) == (0, 1, 1)
    assert DeliveryEvent.objects.filter(status="failed").count() == 1


def test_unknown_file(intake, inbox):
    path = inbox / "some.csv"
    path.write_text("a,b\n1,2\n")
    with pytest.raises(NoSourceForFile):
        intake.receive_file(path, by="tester", why="test")


@pytest.mark.parametrize("step", ["lake.write", "note_event", "copy_rows"])
def test_stopped_while_standardising_then_done_again(intake, engine, deliver, police_rows, inbox, monkeypatch, step):
    from tests.generative.intake.broken_files import written
    from wanjia.intake.api import standardise
    from wanjia.kernel.lake import Lake

    path = inbox / "police_register_x.csv"
    path.write_bytes(written("csv", [*police_rows(3), {**police_rows(1)[0], "人员编号": ""}]))
    number = intake.receive_file(path, by="tester", why="test").delivery.id

    def stop(*_args, **_kwargs):
        raise KeyboardInterrupt

    with monkeypatch.context() as stopped:
        if step == "lake.write":
            calls = []
            whole = Lake.write

            def second_write_stops(self, name, table):
                calls.append(name)
                if len(calls) == 2:
                    raise KeyboardInterrupt
                whole(self, name, table)

            stopped.setattr(Lake, "write", second_write_stops)
        else:
            stopped.setattr(standardise, step, stop)
        with pytest.raises(KeyboardInterrupt):
            intake.standardise_delivery(engine, number, by="tester", why="test")
    assert intake.delivery_named(number).status == "received"
    assert not QuarantinedRow.objects.exists()
    assert active(intake, engine) == []
    intake.standardise_delivery(engine, number, by="tester", why="test")
    assert counts(intake.delivery_named(number)) == (4, 3, 1, 0)
    assert len(active(intake, engine)) == 3


def test_orphan_landings_are_swept(intake, deliver, police_rows):
    from wanjia.intake.api.sources import lake

    delivery = deliver(police_rows(1))
    lake().write_bytes("landing/99999", b"left by a killed receiver")
    assert intake.sweep_landings() == 1
    assert lake().exists(f"landing/{delivery.id}")


def test_opening_a_quarantined_row_is_traced(intake, deliver, police_rows):
    from wanjia.trace.models import Entry

    delivery = deliver([*police_rows(1), {**police_rows(1)[0], "人员编号": ""}])
    [refusal] = intake.refusals(delivery=delivery.id)
    before = Entry.objects.filter(kind="intake.open_quarantined").count()
    _, cells = intake.open_refusal(refusal.id, by="steward", why="answer the department")
    assert cells["公民身份号码"] == "990122195311090230"
    assert Entry.objects.filter(kind="intake.open_quarantined", actor="steward").count() == before + 1


def test_the_database_itself_keeps_the_balance_and_the_history(intake, deliver, police_rows):
    delivery = deliver(police_rows(2))
    with pytest.raises(IntegrityError), transaction.atomic():
        Delivery.objects.filter(id=delivery.id).update(accepted=1)
    with pytest.raises(IntegrityError), transaction.atomic():
        Delivery.objects.filter(id=delivery.id).update(repeats=None)
    with pytest.raises((InternalError, ProgrammingError)), transaction.atomic():
        DeliveryEvent.objects.all().delete()


def test_no_personal_value_lies_in_clear_in_the_tables(intake, deliver, police_rows):
    deliver([*police_rows(2), {**police_rows(1)[0], "人员编号": "", "姓名": "罕见姓名甲"}])
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            if table.startswith(("intake_", "trace_")):
                cursor.execute(f"SELECT string_agg(t::text, ' ') FROM \"{table}\" t")
                text = cursor.fetchone()[0] or ""
                assert "罕见姓名甲" not in text
                assert "990122195311090230" not in text


def test_other_formats_arrive_the_same_way(intake, engine, deliver):
    import random

    from tests.generative.intake.broken_files import good_rows

    for kind in ("xlsx", "jsonl", "parquet"):
        delivery = deliver(good_rows(kind, random.Random(3), 3), kind)
        assert counts(delivery) == (3, 3, 0, 0), kind
    subjects = engine.arrow(intake.active_assertions(engine).select("source", "subject")).to_pylist()
    assert sum(row["source"] == "marriages" for row in subjects) == 6

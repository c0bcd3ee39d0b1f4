"""What was erased is in no derived file, stays out when its delivery is read again, and others' rows are untouched."""

from wanjia.intake.models import ErasedRow

WHO = {"by": "keeper", "why": "decision 7"}


def keys_in(intake, delivery):
    return sorted(intake.delivery_assertions(delivery.id)["record_key"].to_pylist())


def test_a_record_goes_in_all_its_versions_and_stays_away(intake, engine, deliver, police_rows):
    rows = police_rows(5)
    first = deliver(rows, name="a")
    second = deliver([{**row, "民族": ""} for row in rows], name="b")
    table = intake.delivery_assertions(second.id)
    wanted = table["assertion_id"].to_pylist()[table["record_key"].to_pylist().index("R2")]

    erased = intake.erase_records([wanted], person_id=77, **WHO)
    assert (erased.assertions, erased.deliveries) == (2, [first.id, second.id])
    assert keys_in(intake, first) == keys_in(intake, second) == ["R1", "R3", "R4", "R5"]
    assert wanted not in intake.delivery_issues(second.id)["assertion_id"].to_pylist()
    assert intake.erase_records([wanted], person_id=77, **WHO) == erased, "again tells the same"
    assert ErasedRow.objects.count() == 2

    # the first delivery is withdrawn, so the second is read from its landing again
    intake.withdraw_delivery(first.id, **WHO)
    intake.standardise_pending(engine, **WHO)
    assert keys_in(intake, second) == ["R1", "R3", "R4", "R5"]


def test_destroyed_landings_are_gone_and_told(intake, deliver, police_rows):
    from wanjia.intake.api.sources import lake
    from wanjia.trace import api as trace

    delivery = deliver(police_rows(2))
    assert lake().exists(f"landing/{delivery.id}")
    assert intake.destroy_landings([delivery.id, 9999], **WHO) == 1
    assert not lake().exists(f"landing/{delivery.id}")
    assert trace.entries(kind="intake.destroy_landing")[0]["detail"] == {"delivery": delivery.id}
    assert intake.sweep_landings() == 0

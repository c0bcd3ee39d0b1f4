"""The link table and the queue follow the lake: whole at first, then by difference, and never over an officer's decision."""

import pyarrow as pa
import pytest

LINKS = pa.schema(
    [
        ("assertion_id", pa.int64()), ("person_id", pa.int64()), ("probability", pa.float32()), ("band", pa.string()),
        ("method", pa.string()), ("evidence", pa.int64()), ("weight", pa.float64()), ("model", pa.string()),
    ]
)  # fmt: skip
REVIEW = pa.schema(
    [
        ("l", pa.int64()), ("r", pa.int64()), ("person_l", pa.int64()), ("person_r", pa.int64()),
        ("probability", pa.float32()), ("reason", pa.string()), ("pattern", pa.int64()),
        ("record_l", pa.int64()), ("record_r", pa.int64()), ("band", pa.string()),
    ]
)  # fmt: skip


def link(assertion, person, **said):
    return {
        "assertion_id": assertion,
        "person_id": person,
        "probability": 1.0,
        "band": "link",
        "method": "alone",
        "model": "m-1",
    } | said


def case(one, two, **said):
    return {
        "l": one,
        "r": two,
        "person_l": one,
        "person_r": two,
        "probability": 0.5,
        "reason": "uncertain",
        "pattern": 3,
        "band": "review",
        "record_l": one * 1000,
        "record_r": two * 1000,
    } | said


@pytest.fixture
def kept(db):
    from wanjia.linkage.api.tables import load_links

    runs = [None]

    def keep(links, review=(), share=1.0):
        runs.append(pa.Table.from_pylist(list(links), schema=LINKS))
        pairs = pa.Table.from_pylist(list(review), schema=REVIEW)
        return load_links(runs[-1], pairs, before=runs[-2], review_share=share)

    return keep


def held():
    from wanjia.linkage.models import Link

    return dict(Link.objects.order_by("assertion_id").values_list("assertion_id", "person_id"))


def cases():
    from wanjia.linkage.models import ReviewCase

    return {(c.assertion_l, c.assertion_r): (c.status, c.probability) for c in ReviewCase.objects.all()}


def test_first_load_writes_everything(kept):
    assert kept([link(1, 10), link(2, 10, evidence=77, weight=12.5, method="model")])["links"] == 2
    assert held() == {1: 10, 2: 10}


def test_afterwards_only_what_differs_is_written(kept):
    kept([link(1, 10), link(2, 10), link(3, 30)])
    assert kept([link(1, 10), link(2, 20), link(4, 40)])["links"] == 2
    assert held() == {1: 10, 2: 20, 4: 40}


def test_the_same_again_changes_nothing(kept):
    kept([link(1, 10)])
    assert kept([link(1, 10)]) == {"links": 0, "removed": 0, "cases": 0}


def test_cases_open_once_follow_and_close(kept):
    kept([link(1, 1), link(2, 2), link(3, 3)], [case(1, 2), case(1, 3)])
    kept([link(1, 1), link(2, 2), link(3, 3)], [case(1, 2, probability=0.75)])
    assert cases() == {(1, 2): ("open", 0.75)}


def test_a_decided_case_is_never_touched(kept):
    from wanjia.linkage.models import ReviewCase

    kept([link(1, 1), link(2, 2)], [case(1, 2)])
    ReviewCase.objects.update(status="refused")
    kept([link(1, 1), link(2, 2)], [case(1, 2, probability=0.9)])
    kept([link(1, 1), link(2, 2)], [])
    assert cases() == {(1, 2): ("refused", 0.5)}


def test_the_queue_holds_every_shared_number_and_the_likeliest_of_the_rest(kept):
    links = [link(n, n) for n in range(1, 11)]
    asked = [
        case(1, 2, probability=0.4),
        case(3, 4, probability=0.8),
        case(5, 6, probability=0.1, reason="shared_number"),
    ]
    assert kept(links, asked, share=0.2)["cases"] == 2
    assert set(cases()) == {(3, 4), (5, 6)}


def test_what_another_run_left_is_replaced_whole(kept, db):
    from wanjia.linkage.api.tables import load_links
    from wanjia.linkage.models import Link

    kept([link(1, 10), link(2, 10)])
    other = pa.Table.from_pylist([link(2, 30), link(3, 30, model="m-2")], schema=LINKS)
    mine = pa.Table.from_pylist([link(1, 10, model="m-2"), link(4, 40, model="m-2")], schema=LINKS)
    told = load_links(mine, pa.Table.from_pylist([], schema=REVIEW), before=other, review_share=1.0)
    assert (told["links"], held()) == (2, {1: 10, 4: 40})
    assert set(Link.objects.values_list("model", flat=True)) == {"m-2"}

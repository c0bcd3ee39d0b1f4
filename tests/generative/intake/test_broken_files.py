"""Two hundred files as nobody should send them: each ends in a clear error or in quarantine, and nothing is half-loaded."""

import time

import pytest

from tests.generative.intake.broken_files import broken_files

SEED, COUNT = 20261121, 200
LONGEST_SECONDS = 30


@pytest.fixture(scope="module")
def engine():
    from wanjia.kernel.engine import get_engine

    with get_engine("duckdb") as duckdb_engine:
        yield duckdb_engine


@pytest.mark.heavy
@pytest.mark.timeout(900)
def test_broken_files_end_in_an_error_or_in_quarantine(home, db, engine, tmp_path):
    ended = {
        file.how: _deliver(file, number, engine, tmp_path) for number, file in enumerate(broken_files(SEED, COUNT))
    }
    assert {"failed", "standardised"} <= set(ended.values())


def _deliver(file, number, engine, folder) -> str:
    from wanjia.intake import api
    from wanjia.intake.api.sources import lake
    from wanjia.intake.errors import IntakeError
    from wanjia.intake.models import Delivery, QuarantinedRow

    path = folder / f"{file.source}_{number}{file.suffix}"
    path.write_bytes(file.content)
    began = time.monotonic()
    error = None
    known = set(Delivery.objects.values_list("id", flat=True))
    try:
        received = api.receive_file(path, by="tester", why="test")
        if received.was_known:  # two ways of breaking can give the same bytes
            return received.delivery.status
        api.standardise_delivery(engine, received.delivery.id, by="tester", why="test")
    except IntakeError as refused:
        error = refused
    assert time.monotonic() - began < LONGEST_SECONDS, file.how
    delivery = Delivery.objects.exclude(id__in=known).first()
    if error is not None:
        # the very bytes may have been refused before: then it is that delivery again
        delivery = delivery or Delivery.objects.filter(failure_code=error.code).latest("id")
        assert error.code.startswith("INTAKE-"), file.how
        assert error.sentence("zh") != error.sentence("en")
        assert delivery.status == "failed", file.how
        assert not lake().exists(f"assertions/{delivery.id}"), file.how
        assert not QuarantinedRow.objects.filter(delivery=delivery).exists(), file.how
        return "failed"
    delivery.refresh_from_db()
    assert delivery.status == "standardised", file.how
    assert delivery.rows_in == delivery.accepted + delivery.quarantined + delivery.repeats, file.how
    assert delivery.quarantined == QuarantinedRow.objects.filter(delivery=delivery).count(), file.how
    for refusal in api.refusals(delivery=delivery.id, lang="zh"):
        assert refusal.sentence.startswith("第 "), file.how
    return "standardised"

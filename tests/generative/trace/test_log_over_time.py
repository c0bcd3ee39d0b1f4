"""The log as a state machine: whatever happens to it, all checkpoints lie on one line and every receipt ever given holds."""

import shutil
import tempfile
from pathlib import Path

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from wanjia.trace import api
from wanjia.trace.adapters.signer import Signer
from wanjia.trace.api.checking import PublicLog, Trust
from wanjia.trace.errors import EntryErased
from wanjia.trace.rules.note import parse_checkpoint
from wanjia.trace.rules.receipt import checked, parse_receipt
from wanjia.trace.rules.tree import is_consistent

pytestmark = pytest.mark.django_db

WHO = {"by": "t", "why": "t"}


class LogOverTime(RuleBasedStateMachine):
    entries, receipts = Bundle("entries"), Bundle("receipts")

    @initialize()
    def begin(self) -> None:
        self.outer = transaction.atomic()
        self.outer.__enter__()
        self.home = Path(tempfile.mkdtemp())
        self.patch = pytest.MonkeyPatch()
        self.patch.setenv("WANJIA_HOME", str(self.home))
        self.sequencer = api.Sequencer(self.home)
        self.keys = Signer.open(self.home).keys
        self.heads: list = []
        self.waiting = self.written = 0

    @rule(target=entries, count=st.integers(1, 40))
    def read_persons(self, count: int) -> int:
        self.waiting += count
        return api.record("test.read", subject_ids=range(count), **WHO)[-1]

    @rule(target=entries, count=st.sampled_from([1, 3, 1200]))
    def bulk_work(self, count: int) -> int:
        self.waiting += 1
        return api.record_job("test.job", persons=range(count), **WHO)

    @rule()
    def publish(self) -> None:
        note = self.sequencer.step()
        assert (note is not None) == (self.waiting > 0)
        if note is not None:
            self.written, self.waiting = self.written + self.waiting, 0
            self.heads.append(parse_checkpoint(note))
            assert self.heads[-1].size == self.written

    @rule()
    def die_before_the_commit(self) -> None:
        before = transaction.savepoint()
        self.sequencer._grow()
        transaction.savepoint_rollback(before)
        self.sequencer = api.Sequencer(self.home)

    @rule()
    def die_after_the_commit(self) -> None:
        note = self.sequencer._grow()
        if note is not None:
            self.written, self.waiting = self.written + self.waiting, 0
            self.heads.append(parse_checkpoint(note))
        self.sequencer = api.Sequencer(self.home)

    @rule()
    def restart_the_database(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute("UPDATE trace_gate SET bound_to = 'before' WHERE bound_to <> ''")
        assert api.confirm(home=self.home)

    @rule(target=receipts, entry=entries)
    def get_a_receipt(self, entry: int) -> str:
        self.publish()
        try:
            return api.receipt(entry)
        except EntryErased:
            return ""

    @rule(entry=consumes(entries))
    def erase(self, entry: int) -> None:
        self.waiting += api.erase([entry], **WHO)

    @rule(receipt=receipts)
    def a_receipt_holds_for_ever(self, receipt: str) -> None:
        if receipt:
            checked(parse_receipt(receipt), origin=self.keys[0].name, keys=self.keys)
            self.publish()
            self.sequencer._put_out()
            PublicLog(str(api.public_folder()), Trust(tuple(self.keys))).verify_receipt(receipt)

    @invariant()
    def all_heads_lie_on_one_line(self) -> None:
        for old in getattr(self, "heads", [])[-3:-1]:
            now = self.heads[-1]
            assert is_consistent(old.size, now.size, old.root, now.root, api.consistency_proof(old.size, now.size))

    def teardown(self) -> None:
        if not hasattr(self, "outer"):
            return
        try:
            self.publish()
            self.sequencer._put_out()
            if self.heads:
                assert PublicLog(str(api.public_folder()), Trust(tuple(self.keys))).verify_all().size == self.written
                assert api.self_check(**WHO) == []
        finally:
            transaction.set_rollback(True)
            self.outer.__exit__(None, None, None)
            self.patch.undo()
            shutil.rmtree(self.home)


@pytest.mark.parametrize("examples", [8, pytest.param(150, marks=pytest.mark.heavy)])
def test_whatever_happens_the_log_verifies(examples, home):
    quick = settings(
        max_examples=examples, stateful_step_count=20, deadline=None, suppress_health_check=list(HealthCheck), derandomize=examples < 10
    )  # fmt: skip
    run_state_machine_as_test(LogOverTime, settings=quick)

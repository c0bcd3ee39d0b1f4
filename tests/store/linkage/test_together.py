"""Certain pairs decided together and taken back together: by the rule, within reach, with one reason, page and all."""

import re

import pytest

from tests.make import registered
from tests.make.people_frames import LINKAGE, keep_model, trained
from tests.make.town import officer
from tests.store.linkage.test_reviewing import FAR, NEAR
from tests.store.web.test_cases import plain_static_files
from wanjia.kernel import clock, settings
from wanjia.kernel.declared import Text
from wanjia.kernel.lake import Lake
from wanjia.linkage import api as linkage
from wanjia.linkage.adapters.workspace import Workspace
from wanjia.linkage.api import reviewing, together
from wanjia.linkage.declared import Certain, ReviewRules
from wanjia.linkage.errors import BatchUnknown, ReasonNeeded
from wanjia.linkage.models import Decision, ReviewCase

__all__ = ["plain_static_files"]
pytestmark = pytest.mark.django_db

PURPOSE = {"purpose": "case"}
RULES = ReviewRules(
    "review",
    certain=[Certain("alike", Text("一致", "alike"), "same", ["uncertain"], agree=["name", "birth"], least=0.9)],
)


def pattern(**levels):
    """Levels as links keep them: four bits a compared feature, nothing said is -1."""
    compared = trained().model.compared
    return sum((levels.get(key, -1) + 1) << (4 * place) for place, key in enumerate(compared))


@pytest.fixture
def li():
    return officer("li", "990104")


@pytest.fixture
def waiting(engine, monkeypatch):
    """Three certain pairs near, one far, one of two persons of the register, one that is not certain; by a model in the lake."""
    monkeypatch.setattr(linkage, "declared_linkage", lambda profile=None: LINKAGE)
    monkeypatch.setattr(together, "review_rules", lambda: RULES)
    keep_model(Lake.open(settings.home()), Workspace(engine), trained())
    alike = pattern(name=1, birth=1, sex=1)
    for person in range(1, 7):
        registered.register(person, {"name": "李兰"}, division=FAR if person == 4 else NEAR)

    def waits(one, two, evidence=alike, probability=0.95):
        return ReviewCase.objects.create(
            assertion_l=one, assertion_r=two, person_l=one, person_r=two, probability=probability, reason="uncertain", evidence=evidence,
            model="m", record_l=two * 10, record_r=one * 10, opened_at=clock.now(),
        ).pk  # fmt: skip

    near = [waits(person, 100 + person) for person in (1, 2, 3)]
    waits(4, 104)
    waits(5, 6)
    waits(5, 105, evidence=pattern(name=1, birth=0, sex=1))
    return near


def test_certain_pairs_are_decided_and_taken_back_together(waiting, li):
    ask = {"officer": li, **PURPOSE}
    assert [p.id for p in together.certain_pairs(**ask)["alike"]] == waiting
    with pytest.raises(ReasonNeeded):
        together.decide_together("alike", waiting, "", **ask)
    with pytest.raises(BatchUnknown):
        together.decide_together("none", waiting, "一致", **ask)
    # one was decided meanwhile: it stays as it was decided; of the others just the two looked at
    reviewing.decide_pair(waiting[2], "different", "两人到场", **ask)
    batch, done = together.decide_together("alike", [*waiting, 10**9], "姓名、生日一致", **ask)
    assert done == 2
    assert reviewing.decided().num_rows == 3
    (listed,) = together.batches(**ask)
    assert (listed.id, listed.pairs, listed.standing) == (batch, 2, 2)
    before = reviewing.decisions_made()
    assert together.undo_batch(batch, "名单有误", **ask) == 2
    assert reviewing.decided().num_rows == 1, "linking keeps only the one that stands"
    assert reviewing.decisions_made() > before, "the next run has something to do"
    assert [p.id for p in together.certain_pairs(**ask)["alike"]] == waiting[:2]
    with pytest.raises(BatchUnknown):
        together.undo_batch(batch, "名单有误", **ask)
    assert Decision.objects.filter(batch=batch).count() == 4, "nothing is forgotten"


def test_a_pair_decided_again_since_is_not_taken_back(waiting, li):
    ask = {"officer": li, **PURPOSE}
    batch, _ = together.decide_together("alike", waiting[:2], "一致", **ask)
    ReviewCase.objects.filter(pk=waiting[0]).update(status="aside")
    reviewing.decide_pair(waiting[0], "different", "两人到场", **ask)
    assert together.undo_batch(batch, "名单有误", **ask) == 1
    assert ReviewCase.objects.get(pk=waiting[0]).status == "refused"


def test_whose_area_it_is_not_can_neither_decide_nor_take_back(waiting, li):
    far = officer("zhou", "990105")
    batch, _ = together.decide_together("alike", waiting, "一致", officer=li, **PURPOSE)
    with pytest.raises(BatchUnknown):
        together.undo_batch(batch, "名单有误", officer=far, **PURPOSE)
    assert together.batches(officer=far, **PURPOSE) == []


def test_the_page_lists_before_it_decides(waiting, li, client):
    client.force_login(li)
    page = client.get("/officer/pairs/together/?rule=alike").content.decode()
    listed = re.findall(r'name="pair" value="(\d+)" checked', page)
    assert [int(one) for one in listed] == waiting
    page = client.post("/officer/pairs/together/", {"rule": "alike", "pair": listed, "v-ground": ""}).content.decode()
    assert re.findall(r'<li><a href="#([^"]+)">', page) == ["v-ground"]
    assert not Decision.objects.exists()
    sent = {"rule": "alike", "pair": listed[:2], "v-ground": "姓名、生日一致"}
    assert client.post("/officer/pairs/together/", sent).status_code == 302
    assert Decision.objects.count() == 2
    page = client.get("/officer/pairs/together/").content.decode()
    (batch,) = re.findall(r'name="undo" value="([^"]+)"', page)
    assert client.post("/officer/pairs/together/", {"undo": batch, "v-ground": "名单有误"}).status_code == 302
    assert reviewing.decided().num_rows == 0
    for hostile in ({"undo": "x"}, {"rule": "\0", "pair": ["x", "9" * 99]}, {}):
        assert client.post("/officer/pairs/together/", {**hostile, "v-ground": "名单有误"}).status_code == 200

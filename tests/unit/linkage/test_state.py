"""A model is used only under the declarations it was trained under."""

from dataclasses import replace

from tests.make.people_frames import LINKAGE, keep_model, trained
from wanjia.kernel.lake import Lake
from wanjia.linkage.adapters.workspace import Workspace
from wanjia.linkage.api import state


def test_changed_declarations_ask_for_a_fresh_model(engine, tmp_path):
    lake = Lake.open(tmp_path)
    assert not state.fits(lake, LINKAGE)
    keep_model(lake, Workspace(engine), trained())
    assert state.fits(lake, LINKAGE)
    assert not state.fits(lake, replace(LINKAGE, largest_block=17))
    assert state.load_trained(lake, LINKAGE).model.m == trained().model.m

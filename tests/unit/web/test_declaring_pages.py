"""Declaring a page: what is refused at start-up."""

import pytest

from wanjia.access.api import Right
from wanjia.web import page as declaring
from wanjia.web.page import Audience, page


@pytest.fixture(autouse=True)
def own_list(monkeypatch):
    monkeypatch.setattr(declaring, "DECLARED", {})


def test_a_staff_page_must_ask_for_a_right():
    with pytest.raises(ValueError, match="must ask for a right"):

        @page("x/", audience=Audience.STEWARD, right=None)
        def lists_everything(request): ...


def test_a_name_is_one_page():
    @page("x/", audience=Audience.PUBLIC, right=None)
    def greet(request): ...

    def again(request): ...

    again.__name__, again.__module__ = "greet", "elsewhere"
    with pytest.raises(ValueError, match="two pages are named greet"):
        page("y/", audience=Audience.PUBLIC, right=None)(again)


def test_address_begins_with_the_audience():
    @page("runs/", audience=Audience.STEWARD, right=Right.SEE_RUNS)
    def runs(request): ...

    @page("", audience=Audience.STAFF, right=Right.ENTER)
    def home(request): ...

    assert runs.declaration.address == "steward/runs/"
    assert home.declaration.address == ""


def test_get_brings_head_but_post_does_not():
    @page("a/", audience=Audience.PUBLIC, right=None)
    def a(request): ...

    @page("b/", audience=Audience.PUBLIC, right=None, methods=("POST",))
    def b(request): ...

    assert a.declaration.methods == {"GET", "HEAD"}
    assert b.declaration.methods == {"POST"}

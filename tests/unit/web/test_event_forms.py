"""What a case shows of its form: what was asked for, and not what was filled in beforehand for another kind."""

import pytest

from wanjia.register import api
from wanjia.web.officer import event_form


@pytest.mark.parametrize(
    ("kind", "key", "is_asked"),
    [
        ("22", "name", True), ("22", "former_name", False), ("21", "former_name", True), ("22", "on", True),
        # typed otherwise than by code: nobody can tell here, so it is shown
        ("姓名更正", "former_name", True),
        # not yet typed: nobody's name is opened for a field that may not count
        ("", "former_name", False), ("", "on", True),
    ],
)  # fmt: skip
def test_a_field_of_another_kind_is_no_part_of_the_case(kind, key, is_asked):
    declared = api.event_book().kind("change_correction")
    assert event_form.is_asked(declared, declared.fields[key], {"kind": kind}) is is_asked

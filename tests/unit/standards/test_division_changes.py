"""A change of divisions is checked as a whole, and the table after it says what became of whom; nothing older is touched."""

from datetime import date
from fractions import Fraction

import pytest

from tests.make.divisions import HUXIN, LIUDI, change_text, split_of_huxin
from wanjia.kernel import settings
from wanjia.kernel.declared import DeclarationErrors
from wanjia.standards import api as standards

CN = settings.PROJECT_ROOT / "declared" / "cn"
ON = date(2026, 3, 1)
EAST, WEST = "990103020", "990103021"


@pytest.fixture(scope="module")
def divisions():
    return standards.load_profile(CN).divisions_declared or standards.load_profile(CN).divisions


def after(divisions, text):
    return standards.divisions_after(standards.read_change(text), divisions)


def wrong(divisions, text):
    with pytest.raises(DeclarationErrors) as refused:
        after(divisions, text)
    return {one.key: one.en for one in refused.value.mistakes}


def test_a_split(divisions):
    table = after(divisions, split_of_huxin())
    assert [one.code for one in table.resolve(HUXIN).today] == [EAST, WEST]
    assert table.current_code(f"{HUXIN}003") == f"{EAST}003"
    assert table.find(f"{EAST}003").name_zh == divisions.find(f"{HUXIN}003").name_zh
    assert table.find(HUXIN).valid_to == ON
    assert divisions.find(HUXIN).valid_to is None, "the table before is not touched"
    assert [one.code for one in table.children(EAST)] == [f"{EAST}001", f"{EAST}003", f"{EAST}005"]
    eve = date(2026, 2, 28)
    assert [one.code for one in table.children("990103", eve)] == [
        one.code for one in divisions.children("990103", eve)
    ]


def test_a_rename_keeps_the_code_and_both_names(divisions):
    table = after(divisions, change_text("2026-03-x", "rename", ON, [(LIUDI, LIUDI)], {LIUDI: "柳岸街道"}))
    assert [one.name_zh for one in table.spans(LIUDI)] == ["柳堤街道", "柳岸街道"]
    assert table.find(LIUDI, date(2020, 1, 1)).name_zh == "柳堤街道"
    assert table.current_code(LIUDI) == LIUDI
    assert table.current_code(f"{LIUDI}001") == f"{LIUDI}001"


def test_a_merger_and_a_transfer(divisions):
    moves = [
        (one.code, f"{EAST}{number:03d}")
        for number, one in enumerate((*divisions.children(HUXIN), *divisions.children(LIUDI)))
    ]
    text = change_text(
        "2026-03-m", "merge", ON, [(HUXIN, EAST, None, 0.7), (LIUDI, EAST, None, 0.3), *moves], {EAST: "湖柳街道"}
    )
    table = after(divisions, text)
    assert table.current_code(LIUDI) == EAST
    assert {one.code for one in table.came_from(table.find(EAST))} == {HUXIN, LIUDI}
    villages = [(one.code, f"990102020{one.code[9:]}") for one in divisions.children(HUXIN)]
    moved = after(divisions, change_text("2026-03-t", "transfer", ON, [(HUXIN, "990102020"), *villages]))
    assert moved.current_code(f"{HUXIN}001") == "990102020001"
    assert moved.find("990102020").parent == "990102"
    assert moved.find("990102020").name_zh == "湖心街道"


def test_a_part_splits_off_and_the_rest_keeps_its_code(divisions):
    part = (f"{HUXIN}002", f"{EAST}001")
    text = change_text("2026-03-p", "split", ON, [(HUXIN, HUXIN, 0.8), (HUXIN, EAST, 0.2), part], {EAST: "湖东街道"})
    table = after(divisions, text)
    assert [one.code for one in table.resolve(HUXIN, date(2020, 1, 1)).today] == [HUXIN, EAST]
    assert table.current_code(HUXIN) == HUXIN
    assert table.current_code(f"{HUXIN}001") == f"{HUXIN}001"


def test_every_mistake_is_told_at_once(divisions):
    moves = [(HUXIN, LIUDI, 0.5), (HUXIN, "12345", 0.4), ("990103003", EAST), ("123456", EAST, 7)]
    found = wrong(divisions, change_text("Wrong", "split", ON, moves, {"990103099": "无人街道"}, office="1"))
    assert set(found) == {
        "code", f"moves.{LIUDI}", "moves.12345", "moves.990103003", "moves.123456", "begins.990103099", "office",
        f"moves.{HUXIN}.share", "moves.123456.share",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "moves", "names", "says"),
    [
        ("rename", [(LIUDI, LIUDI)], {}, {"begins": "other name"}),
        ("split", [(HUXIN, HUXIN)], {}, {"kind": "two or more"}),
        ("merge", [(HUXIN, EAST)], {}, {"kind": "two divisions or more", f"moves.{HUXIN}001": "lies in"}),
        ("transfer", [(f"{HUXIN}001", f"{HUXIN}090")], {}, {f"moves.{HUXIN}001": "stays where it is"}),
        ("rename", [(f"{HUXIN}001", f"{LIUDI}090")], {}, {f"moves.{LIUDI}090": "that is a transfer"}),
        ("transfer", [(f"{HUXIN}001", "990102020")], {}, {"moves.990102020": "not of the level"}),
        ("transfer", [(f"{HUXIN}001", "990103003001")], {}, {"moves.990103003001": "not given twice"}),
        ("transfer", [(f"{HUXIN}001", "990199001001")], {}, {"begins.990199001001.parent": "does not stand"}),
    ],
)
def test_what_does_not_fit_its_kind(divisions, kind, moves, names, says):
    found = wrong(divisions, change_text("2026-03-x", kind, ON, moves, names))
    for key, part in says.items():
        assert part in found[key], found


def test_a_child_goes_where_its_parent_goes(divisions):
    villages = [(one.code, f"{EAST}{one.code[9:]}") for one in divisions.children(HUXIN)]
    villages[0] = (villages[0][0], "990103002090")
    text = change_text("2026-03-x", "rename", ON, [(HUXIN, EAST), *villages], {EAST: "湖东街道"})
    assert "does not go where" in wrong(divisions, text)[f"moves.{HUXIN}001"]


def test_hostile_words_are_refused(divisions):
    text = split_of_huxin().replace("市政府令第1号", "令\\u202e" + "长" * 300)
    assert "at most" in wrong(divisions, text)["law"]
    assert "control" in wrong(divisions, split_of_huxin().replace("市政府令第1号", "令\\u0007"))["law"]
    with pytest.raises(DeclarationErrors, match="not readable TOML"):
        standards.read_change("code = ")
    with pytest.raises(DeclarationErrors, match="did you mean 'share'"):
        standards.read_change(split_of_huxin().replace("share", "shere", 1))


def test_people_are_carried_exactly_by_community_and_by_share_else(divisions):
    table = after(divisions, split_of_huxin())
    by_community = standards.carried(table, f"{HUXIN}003", date(2020, 1, 1), date(2026, 6, 1))
    assert (dict(by_community.parts), dict(by_community.estimated)) == ({f"{EAST}003": 1}, {})
    by_town = standards.carried(table, HUXIN, date(2020, 1, 1), date(2026, 6, 1))
    assert dict(by_town.parts) == dict(by_town.estimated) == {EAST: Fraction(2, 5), WEST: Fraction(3, 5)}
    back = standards.carried(table, WEST, date(2026, 5, 1), date(2020, 1, 1))
    assert (dict(back.parts), dict(back.estimated)) == ({HUXIN: 1}, {})
    # no share is told of the split of 2021, nor what each brought to the merger of 2023: together in the district
    assert dict(standards.carried(table, "990103003", date(2020, 1, 1), ON).parts) == {"990103": 1}
    assert dict(standards.carried(table, "990105008", date(2024, 1, 1), date(2020, 1, 1)).parts) == {"990105": 1}
    assert dict(standards.carried(table, "990105008001", date(2024, 1, 1), date(2020, 1, 1)).parts) == {
        "990105005001": 1
    }
    # finer digits than the table holds stay while what holds them stands
    assert dict(standards.carried(table, f"{LIUDI}777", date(2020, 1, 1), ON).parts) == {f"{LIUDI}777": 1}


def test_shares_are_added_without_losing_anybody(divisions):
    table = after(divisions, split_of_huxin())
    found = standards.restate(
        table, {HUXIN: 7}, on=date(2020, 1, 1), to=date(2026, 6, 1), within="990103", areas=[EAST, WEST]
    )
    assert (found.areas, found.apart) == ({EAST: 3, WEST: 4}, 0)
    assert set(found.by_share) == {EAST, WEST}


def test_the_declared_table_may_catch_up_with_a_change(divisions, tmp_path, monkeypatch):
    """A change this house carried out is passed over once a newer edition of the table says the same."""
    from wanjia.standards import api

    (tmp_path / "2021-07-bailu.toml").write_text(
        change_text(
            "2021-07-bailu", "split", date(2021, 7, 1), [("990103003", "990103009"), ("990103003", "990103010")]
        ),
        "utf-8",
    )
    monkeypatch.setattr(api, "changes_folder", lambda: tmp_path)
    assert len(standards.load_profile().divisions) == len(divisions)

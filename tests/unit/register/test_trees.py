"""The tree of a household: couples side by side, children below their parents, everybody once whatever the records say."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wanjia.register.rules.trees import Node, family_tree


def shape(nodes):
    return [(one.person_id, one.spouse_id, shape(one.children)) for one in nodes]


@pytest.mark.parametrize(
    ("members", "ties", "wanted"),
    [
        ([1], [], [(1, None, [])]),
        ([1, 2, 3], [(1, "spouse", 2), (2, "spouse", 1), (3, "mother", 2)], [(1, 2, [(3, None, [])])]),
        # three generations: the head's mother above, the grandchild of the head below
        (
            [1, 2, 3, 4],
            [(1, "spouse", 2), (1, "mother", 4), (3, "father", 1)],
            [(4, None, [(1, 2, [(3, None, [])])])],
        ),
        # a son-in-law stands beside the daughter, below her parents
        ([1, 2, 3], [(2, "father", 1), (3, "spouse", 2)], [(1, None, [(2, 3, [])])]),
        # nobody says what the lodger is to the others
        ([1, 9], [], [(1, None, []), (9, None, [])]),
        # relatives outside the household are not in its tree
        ([1], [(1, "mother", 7), (1, "spouse", 8)], [(1, None, [])]),
        # wrong records: each the other's parent
        ([1, 2], [(1, "father", 2), (2, "father", 1)], [(1, None, [(2, None, [])])]),
    ],
)
def test_shapes(members, ties, wanted):
    assert shape(family_tree(members, ties)) == wanted


people = st.integers(1, 8)


@given(
    st.lists(people, unique=True),
    st.lists(st.tuples(people, st.sampled_from(["spouse", "mother", "father"]), people), max_size=12),
)
def test_everybody_stands_once(members, ties):
    def everybody(nodes: list[Node]) -> list[int]:
        return [
            one
            for node in nodes
            for one in (node.person_id, *([node.spouse_id] if node.spouse_id else []), *everybody(node.children))
        ]

    assert sorted(everybody(family_tree(members, ties))) == sorted(members)

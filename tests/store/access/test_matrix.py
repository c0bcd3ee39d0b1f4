"""The matrix: role × area × purpose × field group × sealed × own × grant, every cell against the rules in words."""

import pytest

from tests.make import access_matrix as matrix
from wanjia.access.api import Action, book


def wrong_cells(cells) -> list[str]:
    found = []
    decide = book().verdict
    for cell in cells:
        case = cell.circumstances
        given = {
            "find": decide(cell.role, Action.FIND, cell.purpose, case).is_allowed,
            "break_glass": decide(cell.role, Action.BREAK_GLASS, cell.purpose, case).is_allowed,
            "read": set(decide(cell.role, Action.READ, cell.purpose, case).fields),
            "export": set(decide(cell.role, Action.EXPORT, cell.purpose, case).fields),
            "certify": set(decide(cell.role, Action.CERTIFY, cell.purpose, case).fields),
        }
        due = {
            "find": matrix.may_find(cell),
            "break_glass": matrix.may_break_glass(cell),
            "read": matrix.groups(cell, Action.READ),
            "export": matrix.groups(cell, Action.EXPORT),
            "certify": matrix.groups(cell, Action.CERTIFY),
        }
        found += [
            f"{cell}: {action} is {given[action]}, due {due[action]}" for action in due if given[action] != due[action]
        ]
    return found


def test_a_third_of_the_matrix():
    cells = matrix.cells(whole=False)[::3]
    assert len(cells) > 700
    assert not (wrong := wrong_cells(cells)), f"{len(wrong)} cells:\n" + "\n".join(wrong[:10])


@pytest.mark.heavy
def test_the_whole_matrix():
    cells = matrix.cells(whole=True)
    assert len(cells) == len(book().roles) * len(book().purposes) * 8 * len(matrix.GRANTS)
    assert not (wrong := wrong_cells(cells)), f"{len(wrong)} cells:\n" + "\n".join(wrong[:10])


def test_every_permission_names_its_policies():
    for cell in matrix.cells(whole=False)[::7]:
        verdict = book().verdict(cell.role, Action.READ, cell.purpose, cell.circumstances)
        assert bool(verdict.policies) == verdict.is_allowed
        assert all(book().hashes[name] == hashed for name, hashed in verdict.policies.items())


def test_unknown_roles_purposes_and_questions_get_nothing():
    case = matrix.Cell("officer", "case", True, False, False, "none").circumstances
    for role, purpose in (("root", "case"), ("officer", "curiosity"), ("", "")):
        assert not book().verdict(role, Action.READ, purpose, case).is_allowed

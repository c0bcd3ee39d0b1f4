"""Would the matrix notice? Every clause of every policy is flipped, and nearly every flip must change some cell."""

import copy
import json
import random
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import cedarpy
import pytest

from tests.make import access_matrix as matrix
from wanjia.access.adapters.policies import PolicyBook, part
from wanjia.access.api import Action, book
from wanjia.access.rules import FIELD_ACTIONS
from wanjia.kernel import settings

LEAST_CAUGHT = 0.95
FOLDER = part(settings.profile_dir(), "policies")
SCHEMA = (FOLDER / "schema.cedarschema").read_text(encoding="utf-8")
TRUE = {"Value": True}


def policies() -> list[dict[str, Any]]:
    text = "\n".join(path.read_text(encoding="utf-8") for path in sorted(FOLDER.glob("*.cedar")))
    return list(json.loads(cedarpy.policies_to_json_str(text))["staticPolicies"].values())


def text_of(listed: list[dict[str, Any]]) -> str:
    numbered = {f"policy{number}": one for number, one in enumerate(listed)}
    return cedarpy.policies_from_json_str(
        json.dumps({"templates": {}, "staticPolicies": numbered, "templateLinks": []})
    )


def mutants() -> Iterator[tuple[str, str]]:
    """(what was flipped, all policies as text): each effect, each part of a scope, each condition and each term in it."""
    base = policies()
    for place, policy in enumerate(base):
        name = policy["annotations"]["id"]

        def whole(changed: dict[str, Any], place: int = place) -> str:
            return text_of([*base[:place], changed, *base[place + 1 :]])

        yield f"{name}: taken out", text_of([*base[:place], *base[place + 1 :]])
        other = "permit" if policy["effect"] == "forbid" else "forbid"
        yield f"{name}: {other}", whole({**policy, "effect": other})
        for scope in ("principal", "action", "resource"):
            if policy[scope]["op"] != "All":
                yield f"{name}: any {scope}", whole({**policy, scope: {"op": "All"}})
        for number, condition in enumerate(policy["conditions"]):
            flipped = "unless" if condition["kind"] == "when" else "when"
            yield f"{name}: {flipped}", whole(_with(policy, number, {**condition, "kind": flipped}))
            for path in paths(condition["body"]):
                for how, made in (("negated", negated), ("dropped", lambda _node: TRUE)):
                    body = replaced(condition["body"], path, made)
                    if body != condition["body"]:
                        yield (
                            f"{name}: term {'.'.join(path) or 'whole'} {how}",
                            whole(_with(policy, number, {**condition, "body": body})),
                        )


def _with(policy: dict[str, Any], number: int, condition: dict[str, Any]) -> dict[str, Any]:
    conditions = list(policy["conditions"])
    conditions[number] = condition
    return {**policy, "conditions": conditions}


def paths(node: Any, at: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Every term that is true or false: the operands of and, or and not, down to single attributes."""
    yield at
    for word in ("&&", "||"):
        if word in node:
            yield from paths(node[word]["left"], (*at, word, "left"))
            yield from paths(node[word]["right"], (*at, word, "right"))
    if "!" in node:
        yield from paths(node["!"]["arg"], (*at, "!", "arg"))


def negated(node: Any) -> Any:
    return node["!"]["arg"] if "!" in node else {"!": {"arg": node}}


def replaced(body: Any, path: tuple[str, ...], made: Any) -> Any:
    if not path:
        return made(body)
    changed = copy.deepcopy(body)
    place = changed
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = made(place[path[-1]])
    return changed


CARELESS = '@id("careless") permit (principal, action, resource);'


def strained() -> PolicyBook:
    """The declared roles and purposes, strained so that every clause has something to do: what one clause guards must not be kept out by
    what happens to be declared today.
    """
    declared = book()
    purposes = dict(declared.purposes)
    purposes["emergency"] = replace(purposes["emergency"], roles=["officer", "supervisor"])
    purposes["rescue"] = replace(purposes["emergency"], code="rescue", roles=["supervisor"])
    purposes["own"] = replace(purposes["own"], fields=["identity", "protected"])
    purposes["case"] = replace(purposes["case"], fields=[*purposes["case"].fields, "protected"])
    return with_policies(text_of(policies()), purposes=purposes)


def with_policies(text: str, purposes: dict[str, Any]) -> PolicyBook:
    declared = book()
    return PolicyBook(declared.roles, purposes, declared.fields, {"all": text}, SCHEMA)


@pytest.fixture(scope="module")
def world() -> PolicyBook:
    return strained()


@pytest.fixture(scope="module")
def questions(world):
    """(careless?, cell, action, due) in a random order, so that a mutant soon meets a cell that notices it."""
    found = []
    for cell in matrix.cells(whole=True, declared=world):
        found.append((False, cell, Action.FIND, matrix.may_find(cell, world)))
        found.append((False, cell, Action.BREAK_GLASS, matrix.may_break_glass(cell, world)))
        if cell.role in ("officer", "supervisor", "resident", "machine", "system_admin"):
            for action in sorted(FIELD_ACTIONS):
                found.append((False, cell, action, matrix.groups(cell, action, world)))
                found.append((True, cell, action, matrix.with_a_careless_policy(cell, action, world)))
            found.append((True, cell, Action.FIND, matrix.with_a_careless_policy(cell, Action.FIND, world)))
    random.Random(7).shuffle(found)
    return found


def is_caught(text: str, questions, world: PolicyBook) -> bool:
    try:
        mutants = {
            False: with_policies(text, world.purposes),
            True: with_policies(f"{text}\n{CARELESS}", world.purposes),
        }
    except ValueError:
        return True
    for is_careless, cell, action, due in questions:
        said = mutants[is_careless].verdict(cell.role, action, cell.purpose, cell.circumstances)
        given = set(said.fields) if action in FIELD_ACTIONS else said.is_allowed
        if given != due:
            return True
    return False


@pytest.mark.heavy
@pytest.mark.timeout(1800)
def test_flipped_clauses_are_caught(questions, world):
    assert not is_caught(text_of(policies()), questions, world), "the policies as they are answer as they should"
    made = list(mutants())
    survivors = [what for what, text in made if not is_caught(text, questions, world)]
    caught = 1 - len(survivors) / len(made)
    print(f"{len(made)} mutants, {caught:.1%} caught; survivors: {survivors}")
    assert len(made) > 80
    assert caught >= LEAST_CAUGHT, "\n".join(survivors)


@pytest.mark.heavy
def test_no_policy_can_be_taken_out_unnoticed(questions, world):
    for what, text in mutants():
        if what.endswith("taken out"):
            assert is_caught(text, questions, world), what

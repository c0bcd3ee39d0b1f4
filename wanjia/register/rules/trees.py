"""The people of a household as a tree of relations (pure): couples side by side, children below their parents."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Node:
    """Somebody, their spouse where both belong, and the children of either who belong too, each with a node of their own."""

    person_id: int
    spouse_id: int | None = None
    children: list["Node"] = field(default_factory=list)


def family_tree(members: Sequence[int], ties: Iterable[tuple[int, str, int]]) -> list[Node]:
    """The members as trees, each member once, in the order given. `ties`: (person, spouse | mother | father, the other).

    A child stands below the first parent who belongs; a couple stands where the first of the two would, unless only the other has parents here.
    Ties that lead in a ring (two who are each other's parent) are wrong records: such people stand beside each other.
    """
    known = dict.fromkeys(members)
    spouse: dict[int, int] = {}
    parents: dict[int, list[int]] = {}
    for person, kind, other in ties:
        if person not in known or other not in known:
            continue
        if kind == "spouse":
            if person not in spouse and other not in spouse:
                spouse[person], spouse[other] = other, person
        else:
            parents.setdefault(person, []).append(other)
    placed: set[int] = set()

    def node(person: int) -> Node:
        placed.add(person)
        partner = spouse.get(person)
        partner = None if partner in placed else partner
        if partner is not None:
            placed.add(partner)
        couple = {person, partner}
        children = []
        for one in known:
            if one not in placed and couple & set(parents.get(one, ())):
                children.append(node(one))
        return Node(person, partner, children)

    # who has no parent here begins a tree, unless their spouse has one and so stands below
    first = [one for one in known if one not in parents and spouse.get(one) not in parents]
    trees = [node(one) for one in first if one not in placed]
    return trees + [node(one) for one in known if one not in placed]

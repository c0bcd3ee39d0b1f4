"""What access must say, restated from the rules in words and not from the policies: the oracle of the matrix.

Registry: officers and supervisors. They find unsealed persons of their area, and read of them what the stated purpose needs; supervisors also find
(not read) sealed ones. A grant for just this person adds finding or reading, for its purpose; over a seal only if it says so. Protected
attributes are shown to the person alone. An urgent purpose works through an urgent grant only, and an urgent grant through nothing else.
Papers are made by the registry for the purpose `certify` alone, with what the form prints, protected attributes too, under the walls of reading.
Residents see themselves, for the purpose of their own. Machines are given what was agreed, never sealed persons. Nobody else reaches persons.
"""

from dataclasses import dataclass
from itertools import product

from wanjia.access.adapters.policies import PolicyBook
from wanjia.access.api import Action, book
from wanjia.access.rules import FIELD_ACTIONS, Circumstances

REGISTRY = {"officer", "supervisor"}
#: grant → (may_find, may_read, is_urgent, covers_sealed)
GRANTS = {
    "none": (False, False, False, False),
    "find": (True, False, False, False),
    "read": (True, True, False, False),
    "urgent": (True, True, True, False),
    "find sealed": (True, False, False, True),
    "read sealed": (True, True, False, True),
}


@dataclass(frozen=True)
class Cell:
    """One case of the matrix."""

    role: str
    purpose: str
    in_area: bool
    is_sealed: bool
    is_own: bool
    grant: str

    @property
    def circumstances(self) -> Circumstances:
        finds, reads, urgent, sealed = GRANTS[self.grant]
        return Circumstances(
            in_area=self.in_area,
            is_sealed=self.is_sealed,
            is_own=self.is_own,
            may_find=finds,
            may_read=reads,
            is_urgent=urgent,
            covers_sealed=sealed,
        )


def cells(*, whole: bool, declared: PolicyBook | None = None) -> list[Cell]:
    """Every case; or (not `whole`) those without the ones that differ in what cannot matter: whose record it is, for roles of staff."""
    declared = declared or book()
    found = []
    for role, purpose, in_area, is_sealed, is_own, grant in product(
        declared.roles, declared.purposes, (True, False), (True, False), (True, False), GRANTS
    ):
        if not whole and is_own and role not in ("resident", "officer"):
            continue
        if not whole and declared.purposes[purpose].about == "row" and purpose != "answer":
            continue
        found.append(Cell(role, purpose, in_area, is_sealed, is_own, grant))
    return found


def may_find(cell: Cell, declared: PolicyBook | None = None) -> bool:
    """Whether the person may turn up in a search or its count."""
    if cell.role == "resident":
        return cell.is_own and cell.purpose == "own"
    if cell.role not in REGISTRY or not is_stated(cell, declared):
        return False
    finds, _, _, covers = GRANTS[cell.grant]
    if cell.is_sealed:
        return (finds and covers) or (cell.role == "supervisor" and cell.in_area)
    return finds or cell.in_area


def groups(cell: Cell, action: Action, declared: PolicyBook | None = None) -> set[str]:
    """The field groups that may be shown (READ), delivered (EXPORT) or printed on papers (CERTIFY)."""
    declared = declared or book()
    purpose = declared.purposes[cell.purpose]
    needed = set(purpose.fields)
    plain = {group for group in needed if not declared.fields[group].is_protected}
    _, reads, urgent, covers = GRANTS[cell.grant]
    if action is Action.EXPORT:
        is_given = cell.role == "machine" and is_stated(cell, declared) and reads and not cell.is_sealed
        # the person's own eyes are nobody's business here, but the rule about protected attributes speaks of them
        return (needed if cell.is_own else plain) if is_given else set()
    if action is Action.CERTIFY:
        is_open = reads and covers if cell.is_sealed else reads or cell.in_area
        is_due = cell.role in REGISTRY and is_stated(cell, declared) and cell.purpose == "certify"
        return needed if is_due and is_open and not (urgent and not purpose.is_urgent) else set()
    if cell.role == "resident":
        is_refused_urgent = urgent and not purpose.is_urgent
        return needed if cell.is_own and cell.purpose == "own" and not is_refused_urgent else set()
    if cell.role not in REGISTRY or not is_stated(cell, declared) or (urgent and not purpose.is_urgent):
        return set()
    shown = needed if cell.is_own else plain
    if cell.is_sealed:
        return shown if reads and covers else set()
    return shown if reads or (cell.in_area and not purpose.is_urgent) else set()


def may_break_glass(cell: Cell, declared: PolicyBook | None = None) -> bool:
    """Whether an emergency may open the record."""
    urgent = (declared or book()).purposes[cell.purpose].is_urgent
    return cell.role == "officer" and urgent and is_stated(cell, declared) and not cell.in_area and not cell.is_sealed


def is_stated(cell: Cell, declared: PolicyBook | None = None) -> bool:
    """Whether the role may state the purpose."""
    return cell.role in (declared or book()).purposes[cell.purpose].roles


def with_a_careless_policy(cell: Cell, action: Action, declared: PolicyBook) -> bool | set[str]:
    """What is still refused when somebody adds a policy that permits everything to everybody: the rules that say never."""
    if declared.roles[cell.role].is_administrator:
        return set() if action in FIELD_ACTIONS else False
    if action not in FIELD_ACTIONS:
        return True
    _, reads, urgent, covers = GRANTS[cell.grant]
    if action is not Action.EXPORT and urgent and not declared.purposes[cell.purpose].is_urgent:
        return set()
    if cell.is_sealed and not cell.is_own and not (reads and covers):
        return set()
    if action is Action.CERTIFY:
        return set(declared.fields) if cell.purpose == "certify" else set()
    return {key for key, group in declared.fields.items() if cell.is_own or not group.is_protected}

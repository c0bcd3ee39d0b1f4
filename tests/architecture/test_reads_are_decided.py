"""No page reads a person on its own: what it hands to the register and the vault comes from a decision of access."""

import ast
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
WEB = ROOT / "wanjia" / "web"
#: call → keywords it must be given in a page: each carries what access decided
DECIDED = {
    "open_person": {"basis", "fields"},
    "person_facts": {"detail"},
    "as_of": {"detail"},
    "household_members": {"only", "detail"},
    "find_persons": {"scope"},
}


def calls() -> list[tuple[str, ast.Call, str]]:
    found = []
    for path in sorted(WEB.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
                if name in DECIDED:
                    found.append((name, node, f"{path.relative_to(ROOT)}:{node.lineno}"))
    return found


def test_pages_read_persons_by_decision_only():
    wrong = [
        f"{where}: {name} without {sorted(DECIDED[name] - {k.arg for k in call.keywords})}: ask wanjia.access.api.decide first"
        for name, call, where in calls()
        if not DECIDED[name] <= {keyword.arg for keyword in call.keywords}
    ]
    assert len(calls()) >= 4
    assert not wrong, "\n".join(wrong)


def test_no_page_passes_access_by():
    """Accounts are asked by `may` and `decide`, never by looking at a role's name."""
    wrong = []
    for path in sorted(WEB.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            is_role = (
                isinstance(node, ast.Compare) and isinstance(node.left, ast.Attribute) and node.left.attr == "role"
            )
            if is_role:
                wrong.append(f"{path.relative_to(ROOT)}:{node.lineno}: compares a role; ask may() or decide()")
    assert not wrong, "\n".join(wrong)

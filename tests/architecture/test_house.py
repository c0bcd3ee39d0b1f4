"""The plan of the house as tests: layers, doors, allowed file names, size of rooms, pure rules."""

import ast
import re
from pathlib import Path

import grimp
import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "wanjia"

# from the bottom up; a context may use what lies on a lower line, and on its own line only as a door
LAYERS = [
    {"kernel"},
    {"standards", "trace", "privacy", "access", "keys"},
    {"catalog", "register", "archives", "intake"},
    {"linkage"},
    {"sharing", "flows", "statistics", "oversight", "documents"},
    {"services", "planning"},
    {"web", "cli", "jobs", "city"},
]
CONTEXTS = set().union(*LAYERS[1:-1])
CONTEXT_FILES = {
    "README.md",
    "__init__.py",
    "models",
    "rules",
    "bulk",
    "api",
    "errors",
    "declared",
    "adapters",
    "migrations",
}
DOORS = {"api", "models", "errors", "declared"}
LONGEST = 400
SHAMEFUL = re.compile(r"(^|_)(manager|helper|helpers|utils|util|misc|common|data|info|new|v2)(_|$)")


def folders() -> list[Path]:
    return [p for p in sorted(PACKAGE.iterdir()) if p.is_dir() and p.name not in ("__pycache__", "templates", "static")]


def level_of(name: str) -> int:
    return next(number for number, layer in enumerate(LAYERS) if name in layer)


@pytest.fixture(scope="module")
def graph() -> grimp.ImportGraph:
    return grimp.build_graph("wanjia", exclude_type_checking_imports=True)


def room_of(module: str) -> str | None:
    parts = module.split(".")
    return parts[1] if len(parts) > 1 and (PACKAGE / parts[1]).is_dir() else None


def crossings(graph: grimp.ImportGraph) -> list[tuple[str, str]]:
    found = []
    for importer in graph.modules:
        for imported in graph.find_modules_directly_imported_by(importer):
            here, there = room_of(importer), room_of(imported)
            if here and there and here != there:
                found.append((importer, imported))
    return found


def test_every_folder_stands_in_a_layer():
    known = set().union(*LAYERS)
    lost = [p.name for p in folders() if p.name not in known]
    assert not lost, f"{lost} stand in no layer: add them to LAYERS here and to design.md section 5 by an ADR"


def test_imports_go_down(graph):
    wrong = []
    for importer, imported in crossings(graph):
        here, there = level_of(room_of(importer)), level_of(room_of(imported))
        same_room_family = here == there and here in (1, 2)
        # cli may start jobs and pages and the fictional city; jobs and pages stay apart
        from_cli = room_of(importer) == "cli" and here == there
        if here < there or (here == there and not same_room_family and not from_cli):
            wrong.append(f"{importer} imports {imported}: move the code down, or let a job or page call both apis")
    assert not wrong, "\n".join(wrong)


def test_a_context_is_entered_by_its_door_only(graph):
    wrong = []
    for importer, imported in crossings(graph):
        there = room_of(imported)
        if there not in CONTEXTS:
            continue
        part = imported.split(".")[2] if imported.count(".") >= 2 else ""
        if part not in DOORS:
            wrong.append(
                f"{importer} enters {imported}: only {sorted(DOORS)} are open; add a verb or read to {there}/api"
            )
    assert not wrong, "\n".join(wrong)


def test_no_two_contexts_import_each_other(graph):
    pairs = {(room_of(a), room_of(b)) for a, b in crossings(graph)}
    knots = sorted((a, b) for a, b in pairs if (b, a) in pairs and a < b)
    assert not knots, f"{knots} import each other: one of the two must give way"


def test_the_city_is_a_tool_beside_the_house(graph):
    wrong = [(a, b) for a, b in crossings(graph) if room_of(b) == "city" and room_of(a) != "cli"]
    wrong += [(a, b) for a, b in crossings(graph) if room_of(a) == "city" and room_of(b) not in ("kernel", "standards")]
    assert not wrong, f"{wrong}: the fictional city must not reach into the product, nor the product into it"


@pytest.mark.parametrize("context", [p for p in folders() if p.name in CONTEXTS], ids=lambda p: p.name)
def test_a_context_has_only_known_files(context):
    names = {p.stem if p.suffix == ".py" and p.name != "__init__.py" else p.name for p in context.iterdir()}
    strange = names - CONTEXT_FILES - {"__pycache__"}
    assert not strange, f"{context.name}/ holds {sorted(strange)}; allowed are {sorted(CONTEXT_FILES)}"
    readme = context / "README.md"
    assert readme.exists(), (
        f"{context.name}/ has no README.md (ten lines: what it decides, its words, what it never does)"
    )
    assert len(readme.read_text().splitlines()) <= 16, f"{readme} should be about ten lines"


def python_files() -> list[Path]:
    return [p for p in sorted(PACKAGE.rglob("*.py")) if "migrations" not in p.parts]


def test_no_room_is_too_full():
    full = [
        f"{p.relative_to(ROOT)} has {n}" for p in python_files() if (n := len(p.read_text().splitlines())) > LONGEST
    ]
    assert not full, f"over {LONGEST} lines, make a folder of the same name: {full}"


def test_names_say_what_is_inside():
    shameful = [str(p.relative_to(ROOT)) for p in python_files() if SHAMEFUL.search(p.stem)]
    for path in python_files():
        tree = ast.parse(path.read_text())
        shameful += [
            f"{path.relative_to(ROOT)}: class {node.name}"
            for node in ast.walk(tree)
            if isinstance(node, ast.ClassDef) and re.search(r"(Manager|Helper|Utils|V2)$", node.name)
        ]
    assert not shameful, f"these names say nothing: {shameful}"


IMPURE = {"django", "ibis", "duckdb", "psycopg", "pyspark", "splink", "sqlalchemy", "time", "random", "os", "pathlib"}


@pytest.mark.parametrize(
    "path",
    [p for p in python_files() if (p.parent.name in CONTEXTS and p.name == "rules.py") or p.parent.name == "rules"],
    ids=lambda p: str(p.relative_to(PACKAGE)),
)
def test_rules_are_pure(path):
    used = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            used |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            used.add(node.module.split(".")[0])
            if node.module.startswith("wanjia.kernel") and node.module.split(".")[2:] not in (
                [],
                ["errors"],
                ["declared"],
            ):
                used.add(node.module)
    impure = (used & IMPURE) | {m for m in used if m.startswith("wanjia.kernel.")}
    assert not impure, f"{path.relative_to(ROOT)} uses {sorted(impure)}: rules know no database, clock or engine"


def test_every_public_function_of_a_door_says_what_it_means():
    silent = []
    for path in python_files():
        if (
            (path.parent.name in CONTEXTS and path.name == "api.py")
            or path.parent.name == "api"
            or "kernel" in path.parts
        ):
            for node in ast.parse(path.read_text()).body:
                is_public = isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_")
                if is_public and not ast.get_docstring(node):
                    silent.append(f"{path.relative_to(ROOT)}: {node.name}")
    assert not silent, f"a public name without a docstring: {silent}"

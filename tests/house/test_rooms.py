"""The architecture is a test: which way the doors open, and what the library may not do."""

import ast
import subprocess
import sys
import tokenize
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[2] / "src" / "csat"

#: Rooms from the bottom up; a room imports only from rows above its own line here.
ROWS = (
    ("version", "errors", "distributions", "notebooks"),
    ("bases", "design", "within"),
    ("questionnaire",),
    ("moments",),
    ("results", "model", "scoring", "replicates", "residuals", "normal"),
    ("variance",),
    ("totals", "ranks", "consistency"),
    (
        *("estimation", "indices", "drivers", "structural", "composites"),
        *("comparisons", "trends", "weighting", "published", "planning", "shrinkage"),
    ),
    ("measurement", "agreement", "fuzzy"),
    ("reduce",),
    ("read",),
    ("streams", "service"),
    ("spark",),
    ("survey",),
    ("report",),
    ("cli",),
    ("__init__", "__main__"),
)
RANK = {room: rank for rank, row in enumerate(ROWS) for room in row}
FILES = sorted(path for path in SOURCE.rglob("*.py") if "notebooks" not in path.parts)


def room_of(path: Path) -> str:
    return path.relative_to(SOURCE).parts[0].removesuffix(".py")


def modules_used(path: Path) -> set[str]:
    """Full names of the csat modules a file imports, inside functions too."""
    used = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path.name}: relative import"
            if node.module == "csat":
                used |= {f"csat.{alias.name}" for alias in node.names}
            elif (node.module or "").startswith("csat."):
                used.add(node.module)
        elif isinstance(node, ast.Import):
            used |= {alias.name for alias in node.names if alias.name.split(".")[0] == "csat"}
    return used


def ids(path: Path) -> str:
    return str(path.relative_to(SOURCE))


@pytest.mark.parametrize("path", FILES, ids=ids)
def test_imports_only_point_down(path):
    room = room_of(path)
    assert room in RANK, f"{room} has no place in ROWS; decide where it belongs"
    for module in modules_used(path):
        parts = module.split(".")
        used = parts[1] if len(parts) > 1 else "__init__"
        if used == room or room == "__main__":
            continue
        assert used in RANK, f"{ids(path)} imports the unknown room {used}"
        assert RANK[used] < RANK[room], f"{ids(path)} must not import {used}"


def test_no_cycles_between_the_files_of_a_room():
    graph = {}
    for path in FILES:
        name = ".".join(("csat", *path.relative_to(SOURCE).with_suffix("").parts)).removesuffix(".__init__")
        graph[name] = modules_used(path)
    finished: set[str] = set()

    def walk(module: str, above: tuple[str, ...]) -> None:
        assert module not in above, f"import cycle: {' → '.join((*above, module))}"
        if module in finished or module not in graph:
            return
        for used in graph[module]:
            walk(used, (*above, module))
        finished.add(module)

    for module in graph:
        walk(module, ())
    assert finished == set(graph)


@pytest.mark.parametrize("path", FILES, ids=ids)
def test_the_library_neither_prints_nor_asserts_nor_unpickles(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        assert not isinstance(node, ast.Assert), f"{ids(path)}:{node.lineno} asserts; raise an error that helps"
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            assert node.func.id not in {"eval", "exec", "print"}, f"{ids(path)}:{node.lineno} calls {node.func.id}"
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = {alias.name for alias in node.names} | {getattr(node, "module", None)}
            assert not names & {"pickle", "shelve", "marshal", "urllib.request", "requests", "socket"}, ids(path)


@pytest.mark.parametrize("path", FILES, ids=ids)
def test_files_can_be_read_in_one_sitting(path):
    lines = path.read_text(encoding="utf-8").count("\n")
    assert lines <= 420, f"{ids(path)} has {lines} lines: make a folder of it"


def test_comments_are_rare_and_say_nothing_unfinished():
    for path in FILES:
        with path.open("rb") as file:
            comments = [t.string for t in tokenize.tokenize(file.readline) if t.type == tokenize.COMMENT]
        assert not [c for c in comments if any(word in c for word in ("TODO", "FIXME", "XXX", "HACK"))], ids(path)


def test_every_public_name_is_documented_and_used_somewhere():
    import csat

    for name in csat.__all__:
        thing = getattr(csat, name)
        if name != "__version__":
            assert thing.__doc__, f"csat.{name} has no docstring"
    pages = "".join(p.read_text(encoding="utf-8") for p in (SOURCE.parents[1] / "docs").rglob("*.md"))
    undocumented = [name for name in csat.__all__ if name not in pages and name != "__version__"]
    assert not undocumented, f"docs/ never mentions {undocumented}"


def test_the_public_face_is_the_same_for_people_and_for_type_checkers():
    import csat

    tree = ast.parse((SOURCE / "__init__.py").read_text(encoding="utf-8"))
    checking = next(node for node in tree.body if isinstance(node, ast.If))
    typed = {alias.name: node.module for node in checking.body for alias in node.names}
    assert typed == {name: f"csat.{room}" for name, room in csat._HOME.items()}
    assert set(csat.__all__) == {*typed, "__version__"}


def test_importing_csat_loads_no_heavy_package():
    import subprocess
    import sys

    code = "import csat, sys; print(*[m for m in ('pandas', 'scipy', 'matplotlib', 'statsmodels') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


def test_a_misspelt_name_gets_a_hint():
    import csat

    with pytest.raises(AttributeError, match=r"csat has no 'indx'\. Did you mean 'index'"):
        csat.indx  # noqa: B018


def test_a_room_is_reachable_without_an_import_of_its_own():
    code = "import csat; csat.report.advice; csat.drivers.regress"
    subprocess.run([sys.executable, "-c", code], check=True)

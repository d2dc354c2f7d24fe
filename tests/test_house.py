"""The house itself: rooms import one way, functions fit on a screen, a run has few settings."""

import ast
import importlib.util
import pathlib

import pytest

from naomi_jax import fields

ROOT = pathlib.Path(__file__).parents[1]
PACKAGE = ROOT / "naomi_jax"
# From top to bottom: a room imports rooms below it. The last ones may be imported by all.
ORDER = (
    "cli",
    "figures",
    "evaluation",
    "jobs",
    "runs",
    "imputer",
    "training",
    "methods",
    "data",
    "tables",
    "parallel",
    "recursion",
    "store",
)
EVERYWHERE = ("fields", "errors", "version", "atomic", "progress", "calling")
FILES = sorted(PACKAGE.rglob("*.py"))
MOST_FILES = 12  # of a room, beside its __init__


def room_of(file):
    parts = file.relative_to(PACKAGE).with_suffix("").parts
    return parts[0] if len(parts) > 1 or parts[0] != "__init__" else ""


def imports_of(file):
    """Rooms that a file imports, anywhere in it."""
    for node in ast.walk(ast.parse(file.read_text())):
        names = []
        if isinstance(node, ast.ImportFrom) and node.module:
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        for name in names:
            if name.startswith("naomi_jax."):
                yield name.split(".")[1]


def arrows():
    return {(room_of(file), target) for file in FILES for target in imports_of(file)}


def arrows_back(found):
    """Arrows that point up, or from the shared modules into a room."""
    place = {room: number for number, room in enumerate((*ORDER, *EVERYWHERE))}
    return {
        (source, target)
        for source, target in found
        if source and source != target and place[source] >= place[target]
        if not (source in EVERYWHERE and target in EVERYWHERE)
    }


def test_every_folder_is_a_room_of_the_order():
    folders = {path.name for path in PACKAGE.iterdir() if (path / "__init__.py").exists()}
    assert folders <= set(ORDER)
    loose = [path.stem for path in PACKAGE.glob("*.py")]
    assert len(loose) <= 7, loose


def test_every_folder_of_code_is_installed():
    """setuptools finds those with an __init__.py alone."""
    for folder in {file.parent for file in FILES}:
        assert (folder / "__init__.py").exists(), folder


def test_imports_point_down():
    assert not arrows_back(arrows())


def test_an_arrow_back_is_found():
    assert arrows_back({("data", "methods"), ("cli", "data")}) == {("data", "methods")}
    assert arrows_back({("fields", "data")}) == {("fields", "data")}


@pytest.mark.parametrize("room", ["recursion", "store"])
def test_a_room_at_the_bottom_imports_no_other(room):
    assert {target for source, target in arrows() if source == room} <= {room, *EVERYWHERE}


# Circles.


def module_of(file):
    parts = file.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports():
    """What each module imports, anywhere in it: inside functions and for types alone, too."""
    modules = {module_of(file): file for file in FILES}
    found = {}
    for module, file in modules.items():
        targets = set()
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.ImportFrom):
                assert not node.level, f"{file}: an import by dots"
                names = [f"{node.module}.{alias.name}" for alias in node.names]
                targets |= {name if name in modules else node.module for name in names}
            elif isinstance(node, ast.Import):
                targets |= {alias.name for alias in node.names}
        found[module] = (targets & modules.keys()) - {module}
    return found


def circles(graph):
    """The sets of names that reach one another, sorted."""
    reached = {}
    for start in graph:
        seen, new = set(), [start]
        while new:
            new = [n for n in {t for name in new for t in graph.get(name, ())} if n not in seen]
            seen |= {*new}
        reached[start] = seen
    return {
        tuple(sorted(other for other in reached[name] if name in reached.get(other, ())))
        for name in graph
        if name in reached[name]
    }


def floors(graph):
    """For each folder, what its own files and the folders in it import of one another."""
    found = {}
    for source, targets in graph.items():
        for target in targets:
            one, two = source.split("."), target.split(".")
            shared = next(
                (n for n, (a, b) in enumerate(zip(one, two)) if a != b), min(len(one), len(two))
            )
            folder = ".".join(one[:shared])
            ends = [".".join(parts[: shared + 1]) for parts in (one, two)]
            if folder not in ends:  # else one of them is the folder's __init__
                found.setdefault(folder, {}).setdefault(ends[0], set()).add(ends[1])
    return found


def test_no_modules_import_each_other():
    assert not circles(imports())


def test_no_rooms_within_a_room_import_each_other():
    for folder, graph in floors(imports()).items():
        assert not circles(graph), folder


def test_a_circle_is_found():
    assert circles({"a": {"b"}, "b": {"c"}, "c": {"b"}, "d": {"a"}}) == {("b", "c")}
    assert circles({"a": {"b", "c"}, "b": {"c"}, "c": set()}) == set()
    # No circle of modules, but of the rooms x and y in p.
    graph = {"p.x.a": {"p.y.b"}, "p.y.c": {"p.x.d"}, "p": {"p.x.a"}}
    assert circles(graph) == set()
    assert circles(floors(graph)["p"]) == {("p.x", "p.y")}


def large_rooms(files):
    count = {}
    for file in files:
        if file.name != "__init__.py":
            count.setdefault(file.parent, []).append(file)
    return {room for room, own in count.items() if len(own) > MOST_FILES}


def test_no_room_has_many_files():
    assert not large_rooms(FILES)


def test_a_large_room_is_found():
    files = [PACKAGE / "x" / f"{number}.py" for number in range(13)]
    assert large_rooms([*files, PACKAGE / "x" / "__init__.py"]) == {PACKAGE / "x"}
    assert not large_rooms([*files[:12], PACKAGE / "x" / "__init__.py"])


def code_lines(function):
    """Lines of a function below its docstring, blank lines and comments included."""
    first = function.body[0]
    docstring = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant)
    begin = first.end_lineno if docstring else function.lineno
    return function.end_lineno - begin


def long_functions(text):
    nodes = ast.walk(ast.parse(text))
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    return [n.name for n in nodes if isinstance(n, kinds) and code_lines(n) > 60]


@pytest.mark.parametrize("folder", ["naomi_jax", "configs", "benchmarks"])
def test_functions_fit_on_a_screen(folder):
    files = sorted((ROOT / folder).rglob("*.py"))
    assert files
    for file in files:
        assert not long_functions(file.read_text()), file


def test_a_long_function_is_found():
    assert long_functions("def f():\n" + "    x = 1\n" * 61) == ["f"]


def test_tests_mirror_the_package():
    for folder in (ROOT / "tests").iterdir():
        if folder.is_dir() and not folder.name.startswith(("_", ".")):
            # Or the pages, which are no room.
            assert (PACKAGE / folder.name).is_dir() or folder.name == "docs", folder


def test_no_test_imports_another_test():
    for file in (ROOT / "tests").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.ImportFrom) and node.module:
                assert ".test_" not in f".{node.module}", file


def config(path):
    spec = importlib.util.spec_from_file_location("config", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.get_config()


CONFIGS = sorted((ROOT / "configs").glob("*/*.py"))


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_every_config_is_a_run_with_few_settings_that_say_what_they_mean(path):
    run = config(path)
    assert run.data.name == path.parent.name
    leaves = fields.leaves(run)
    assert all(len(leaf.meaning) > 10 and leaf.meaning.endswith(".") for leaf in leaves), [
        leaf.name for leaf in leaves if not leaf.meaning.endswith(".")
    ]


def test_the_billiards_run_has_at_most_40_settings():
    assert len(fields.leaves(config(ROOT / "configs/billiards/naomi.py"))) <= 40

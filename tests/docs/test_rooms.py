"""Rules of the rooms that import-linter can't express: owners of ``sql/`` folders, mirrored tests, heavy imports."""

import ast
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SQL = ROOT / "sql"
PACKAGES = ("pinwheel", "spark_jobs", "expectations", "dags", "plugins")
FILES = sorted(file for package in PACKAGES for file in (ROOT / package).rglob("*.py"))
STATEMENTS = {path.relative_to(SQL).with_suffix("").as_posix() for path in SQL.rglob("*.sql")}
# Folders of statements that are run from a place of another name. All others are run from pinwheel/<folder>/.
RUN_BY = {
    "grants": "pinwheel/clients/grants.py",
    "pages": "plugins/web",
    "questions": "plugins/web",  # run by people too: docs/sql.md
    "schema": "pinwheel/clients/migrations.py",
}
UNRUN = ("questions/", "schema/")  # run by people, and as a whole folder
# Folders of tests that belong to no package: the whole stack, its faults, the docs, all SQL files together.
OWN_TESTS = {
    "support",
    "golden",
    "e2e",
    "faults",
    "docs",
    "sql",
    "bench",
    "dags",
    "plugins",
    "spark_jobs",
    "expectations",
}


def _id(file: Path) -> str:
    return str(file.relative_to(ROOT))


def _tree(file: Path) -> ast.Module:
    return ast.parse(file.read_text())


def named(tree: ast.AST) -> Iterator[str]:
    """The statements that code names, by whole strings or by f-strings that begin with a folder."""
    pieces = {id(v) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for v in node.values}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and id(node) not in pieces and node.value in STATEMENTS:
            yield node.value
        if isinstance(node, ast.JoinedStr) and isinstance(first := node.values[0], ast.Constant):
            yield from (name for name in STATEMENTS if "/" in str(first.value) and name.startswith(str(first.value)))


def users() -> dict[str, set[str]]:
    """Statement -> the files that run it."""
    found: dict[str, set[str]] = defaultdict(set)
    for file in FILES:
        for name in named(_tree(file)):
            found[name].add(_id(file))
    return found


def test_a_folder_of_sql_is_run_by_the_room_of_its_name() -> None:
    strangers = {
        (name, file)
        for name, files in users().items()
        for file in files
        if not file.startswith(RUN_BY.get(name.partition("/")[0], f"pinwheel/{name.partition('/')[0]}/"))
    }
    assert strangers == set()


def test_every_statement_is_run_by_somebody() -> None:
    assert {name for name in STATEMENTS - users().keys() if not name.startswith(UNRUN)} == set()


def test_tests_are_the_mirror_of_the_rooms() -> None:
    rooms = {path.name for path in (ROOT / "pinwheel").iterdir() if path.is_dir()} - {"__pycache__"}
    folders = {path.name for path in (ROOT / "tests").iterdir() if path.is_dir()} - {"__pycache__"}
    assert folders - OWN_TESTS <= rooms
    assert [p.name for p in (ROOT / "tests").glob("test_*.py")] == []


def _modules(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        assert node.level == 0, "relative imports hide which room they reach into"
        return [str(node.module)]
    return []


def imports(tree: ast.AST) -> set[str]:
    """Every module that is imported anywhere."""
    return {name for node in ast.walk(tree) for name in _modules(node)}


def imports_at_load(tree: ast.AST) -> set[str]:
    """Modules imported when the module is loaded: not inside functions, not for type checkers only."""
    return {name for node in _loaded(tree) for name in _modules(node)}


def _loaded(tree: ast.AST) -> Iterator[ast.AST]:
    for node in ast.iter_child_nodes(tree):
        yield node
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
            for other in node.orelse:
                yield from (other, *_loaded(other))
        elif not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            yield from _loaded(node)


def tops(names: set[str]) -> set[str]:
    """The packages that the modules belong to."""
    return {name.partition(".")[0] for name in names}


def test_no_arrow_runs_back_up() -> None:
    """The layers and bans of pyproject.toml; in a process of its own, because it takes over the logging."""
    linter = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([linter, "--no-cache"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


def test_no_test_module_imports_another() -> None:
    """Helpers are in ``tests/support/``, fixtures in a conftest."""
    found = {(_id(f), name) for f in (ROOT / "tests").rglob("*.py") for name in imports(_tree(f))}
    inside = {(file, name) for file, name in found if f"{name}.".startswith("tests.")}
    assert inside
    assert {(file, name) for file, name in inside if not f"{name}.".startswith("tests.support.")} == set()


def test_there_is_something_to_look_at() -> None:
    assert {file.relative_to(ROOT).parts[0] for file in FILES} == set(PACKAGES)


@pytest.mark.parametrize(
    "module", ["pinwheel/core/contract.py", "pinwheel/core/errors.py", "pinwheel/install/bootstrap.py"]
)
def test_what_must_load_before_anything_is_installed_needs_the_standard_library_alone(module: str) -> None:
    assert tops(imports(_tree(ROOT / module))) - sys.stdlib_module_names == set()


def test_only_spark_jobs_import_spark() -> None:
    found = {_id(f) for f in FILES if tops(imports(_tree(f))) & {"pyspark", "delta", "py4j"}}
    assert {file for file in found if not file.startswith("spark_jobs/")} == set()


def test_great_expectations_is_loaded_where_it_is_needed() -> None:
    """Importing it takes seconds: only the suites import it on load, and the gate and the judge inside functions."""
    others = [f for f in FILES if not f.is_relative_to(ROOT / "expectations")]
    assert [_id(f) for f in others if "great_expectations" in tops(imports_at_load(_tree(f)))] == []
    asking = {f.parent for f in others if "great_expectations" in tops(imports(_tree(f)))}
    assert asking <= {ROOT / "pinwheel" / "merge", ROOT / "pinwheel" / "quality"}


def test_a_dag_file_loads_airflow_and_what_its_form_offers_only() -> None:
    core = {f"pinwheel.core.{name}" for name in ("contract", "datasets", "errors")}
    light = {f"pinwheel.operate.{name}" for name in ("asker", "assets", "refusal")}
    offered = core | light | {"pinwheel.alerts.catalogue"}
    for file in (ROOT / "dags").glob("*.py"):
        found = imports_at_load(_tree(file))
        assert tops(found) - sys.stdlib_module_names <= {"airflow", "pinwheel"}
        assert {name for name in found if name.startswith("pinwheel")} <= offered


def test_a_function_is_looked_into_and_a_type_import_is_not_loaded() -> None:
    tree = ast.parse(
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import a\nelse:\n    import b\n"
        "def f():\n    import c.d\nclass K:\n    import e\n"
    )
    assert imports(tree) == {"typing", "a", "b", "c.d", "e"}
    assert imports_at_load(tree) == {"typing", "b", "e"}

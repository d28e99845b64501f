"""Who may import whom: contracts <- pinwheel <- {spark_jobs, expectations, dags, plugins}."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("pinwheel", "spark_jobs", "expectations", "dags", "plugins")
FILES = sorted(file for room in ROOMS for file in (ROOT / room).rglob("*.py") if "node_modules" not in file.parts)


def _id(file: Path) -> str:
    return str(file.relative_to(ROOT))


def _named(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        assert node.level == 0, "relative imports hide which room they reach into"
        return [str(node.module)]
    return []


def imports(tree: ast.AST) -> set[str]:
    """Every module that is imported anywhere."""
    return {name for node in ast.walk(tree) for name in _named(node)}


def imports_at_load(tree: ast.AST) -> set[str]:
    """What is imported when the module is: not inside functions, not for type checkers only."""
    return {name for node in _loaded(tree) for name in _named(node)}


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


def _tree(file: Path) -> ast.AST:
    return ast.parse(file.read_text())


def test_there_is_something_to_look_at() -> None:
    assert {file.relative_to(ROOT).parts[0] for file in FILES} >= {"pinwheel", "spark_jobs", "expectations", "dags"}


@pytest.mark.parametrize("file", FILES, ids=_id)
def test_a_room_imports_pinwheel_and_itself_only(file: Path) -> None:
    own, room, *_ = file.relative_to(ROOT).parts
    judges = {"expectations"} if (own, room) in (("pinwheel", "merge"), ("pinwheel", "quality")) else set()
    assert (tops(imports(_tree(file))) & {*ROOMS, "tests"}) - {own, "pinwheel"} - judges == set()


@pytest.mark.parametrize("name", ["contract", "errors"])
def test_what_everything_builds_on_needs_the_standard_library_alone(name: str) -> None:
    assert tops(imports(_tree(ROOT / "pinwheel" / "core" / f"{name}.py"))) - sys.stdlib_module_names == set()


def test_bootstrap_runs_before_anything_is_installed() -> None:
    assert tops(imports(_tree(ROOT / "pinwheel" / "install" / "bootstrap.py"))) - sys.stdlib_module_names == set()


@pytest.mark.parametrize("file", FILES, ids=_id)
def test_only_spark_jobs_import_spark(file: Path) -> None:
    spark = tops(imports(_tree(file))) & {"pyspark", "delta", "py4j"}
    assert spark == set() or file.is_relative_to(ROOT / "spark_jobs")


@pytest.mark.parametrize("file", FILES, ids=_id)
def test_great_expectations_is_imported_where_it_is_needed(file: Path) -> None:
    """It takes seconds: the suites import it, the gate and the judge inside their functions, nobody else."""
    if not file.is_relative_to(ROOT / "expectations"):
        assert "great_expectations" not in tops(imports_at_load(_tree(file)))
        asks = "great_expectations" in tops(imports(_tree(file)))
        assert not asks or file.parent in (ROOT / "pinwheel" / "merge", ROOT / "pinwheel" / "quality")


@pytest.mark.parametrize("file", sorted((ROOT / "dags").glob("*.py")), ids=_id)
def test_a_dag_file_loads_airflow_and_the_contract_only(file: Path) -> None:
    found = imports_at_load(_tree(file))
    assert tops(found) - sys.stdlib_module_names <= {"airflow", "pinwheel"}
    assert {name for name in found if name.startswith("pinwheel")} <= {"pinwheel.core.contract"}


def test_a_function_is_looked_into_and_a_type_import_is_not_loaded() -> None:
    tree = ast.parse(
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import a\nelse:\n    import b\n"
        "def f():\n    import c.d\nclass K:\n    import e\n"
    )
    assert imports(tree) == {"typing", "a", "b", "c.d", "e"}
    assert imports_at_load(tree) == {"typing", "b", "e"}

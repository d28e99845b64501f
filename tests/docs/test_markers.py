"""A test is marked by what it uses: no marker is forgotten, and none is set by hand."""

import ast
import re
from pathlib import Path

import pytest

from tests.support.generated import ROOT
from tests.support.markers import FAST, MARKERS, RUNNING, group, markers

FILES = sorted((ROOT / "tests").rglob("*.py"))


def known(config: pytest.Config) -> set[str]:
    """The project's own markers, as pyproject.toml has them."""
    text = (ROOT / "pyproject.toml").read_text()
    return {line.partition(":")[0] for line in config.getini("markers") if f'"{line}"' in text}


def test_a_test_is_marked_by_its_fixtures() -> None:
    assert markers(["tmp_path", "monkeypatch"]) == {FAST}
    assert markers(["stack_with_kafka", "stack_with_memsql", "stack", "tmp_path"]) == {"kafka", "memsql"}
    assert markers(["place", "tmp_path", "bucket"]) == {"s3"}


def test_every_marker_is_set_by_a_fixture(pytestconfig: pytest.Config) -> None:
    assert known(pytestconfig) == {FAST, *MARKERS.values()}


def test_the_fixtures_that_mark_are_there() -> None:
    made = {
        node.name
        for file in FILES
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.FunctionDef) and any("pytest.fixture" in ast.unparse(d) for d in node.decorator_list)
    }
    assert set(MARKERS) - made == set()


def test_no_marker_is_set_by_hand(pytestconfig: pytest.Config) -> None:
    by_hand = re.compile(rf"pytest\.mark\.({'|'.join(known(pytestconfig))})\b")
    assert [str(f.relative_to(ROOT)) for f in FILES if by_hand.search(f.read_text())] == []


@pytest.fixture
def marked(request: pytest.FixtureRequest) -> set[str]:
    return {mark.name for mark in request.node.iter_markers()}


def test_this_one_is_fast(marked: set[str]) -> None:
    assert FAST in marked


@pytest.mark.parametrize("place", ["tmp_path"], indirect=True)
def test_a_lake_on_this_disk_is_fast(marked: set[str], place: str) -> None:
    assert Path(place).is_dir()
    assert FAST in marked


@pytest.mark.usefixtures("starts_jvm")
def test_this_one_is_not(marked: set[str]) -> None:
    assert (FAST in marked, "spark" in marked) == (False, True)


def test_tests_of_the_running_stack_are_in_its_folders() -> None:
    """One worker gets these folders: elsewhere, such a test would start a second running stack."""
    named = {
        f for f in FILES if f.name.startswith("test_") and re.search(r"\b(running|breakable)_stack\b", f.read_text())
    }
    named -= {Path(__file__)}
    assert named
    assert {group(f"{f.relative_to(ROOT).as_posix()}::test") for f in named} == {RUNNING}
    assert group("tests/docs/test_markers.py::test") == "tests/docs/test_markers.py"

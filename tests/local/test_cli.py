"""The command: errors are one message, and help is quick."""

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from typer.testing import CliRunner

from pinwheel.cli import app
from pinwheel.local.settings import ROOT

COMMANDS = ("run", "stop", "status", "produce", "replay", "sql", "test", "check", "bench", "lint", "clean")
HEAVY = ("airflow", "pyspark", "confluent_kafka", "pymysql", "deltalake", "pydantic")


@pytest.fixture
def runner(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> CliRunner:
    monkeypatch.setenv("PINWHEEL_STATE_DIR", str(tmp_path))
    return CliRunner()


def test_help_lists_every_command(runner: CliRunner) -> None:
    shown = runner.invoke(app, ["--help"]).output
    assert [name for name in COMMANDS if f" {name} " not in shown] == []


def test_the_version_is_the_package_s(runner: CliRunner, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PINWHEEL_AIRFLOW_PORT", "http")  # no setting is read for it
    result = runner.invoke(app, ["--version"])
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert (result.exit_code, result.output) == (0, f"pinwheel {project['version']}\n")


def test_help_imports_nothing_heavy() -> None:
    code = f"import sys, pinwheel.cli; print([name for name in {HEAVY} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_bad_setting_is_one_message_without_a_traceback(runner: CliRunner, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PINWHEEL_AIRFLOW_PORT", "http")
    result = runner.invoke(app, ["status"])
    assert result.exit_code == 1
    assert "PINWHEEL_AIRFLOW_PORT='http'" in result.output
    assert "Traceback" not in result.output


@pytest.mark.parametrize("command", [["produce"], ["replay", "file.tsv"], ["sql", "-e", "SELECT 1"]])
def test_what_needs_the_stack_says_how_to_start_it(runner: CliRunner, command: list[str]) -> None:
    result = runner.invoke(app, command)
    assert result.exit_code == 1
    assert "make run" in result.output


def test_status_before_the_first_run(runner: CliRunner) -> None:
    result = runner.invoke(app, ["status"])
    assert result.exit_code == 0
    assert "no stack" in result.output


def test_an_unknown_linter_is_named_with_those_that_exist(runner: CliRunner) -> None:
    result = runner.invoke(app, ["lint", "ruff", "rough"])
    assert result.exit_code == 1
    assert "rough" in result.output
    assert "ruff, format, mypy, sqlfluff, biome, tsc" in result.output

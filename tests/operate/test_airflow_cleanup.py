"""Clean-up removes only old entries, only when it is asked to, and reports failures."""

import os
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pinwheel.core.errors import PinwheelError, SettingError
from pinwheel.operate.airflow_cleanup import DATABASE_URL, clean_airflow

URL = "sqlite:////somewhere/airflow.db"
DAYS = 30
AIRFLOW = """#!/bin/sh
printf '%s\\n' "$AIRFLOW__DATABASE__SQL_ALCHEMY_CONN" "$@" >>"$(dirname "$0")/called"
env >"$(dirname "$0")/environment"
echo "airflow said this"
echo "and minded that" >&2
exit "${AIRFLOW_EXIT:-0}"
"""


@pytest.fixture
def called(tmp_path: Path, airflow_home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An `airflow` command that only writes down how it was called."""
    program = tmp_path / "bin" / "airflow"
    program.parent.mkdir()
    program.write_text(AIRFLOW)
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(program.parent), prepend=os.pathsep)
    monkeypatch.setenv("AIRFLOW_HOME", str(airflow_home))
    monkeypatch.setenv("AIRFLOW__LOGGING__BASE_LOG_FOLDER", str(tmp_path / "logs"))
    monkeypatch.setenv(DATABASE_URL, URL)
    return program.with_name("called")


@pytest.fixture
def logs(tmp_path: Path) -> dict[str, Path]:
    made = {}
    for name, days in (("old.log", DAYS + 1), ("young.log", DAYS - 1), ("old.txt", DAYS + 1)):
        path = tmp_path / "logs" / "dag_id=d" / "run_id=r" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
        os.utime(path, (time.time(), time.time() - days * 86_400))
        made[name] = path
    return made


def left(logs: dict[str, Path]) -> set[str]:
    return {name for name, path in logs.items() if path.exists()}


def test_old_logs_go_and_nothing_else(called: Path, logs: dict[str, Path]) -> None:
    clean_airflow(DAYS, dry_run=False)
    assert left(logs) == {"young.log", "old.txt"}


def test_the_database_is_told_how_old_is_old(called: Path, logs: dict[str, Path]) -> None:
    clean_airflow(DAYS, dry_run=False)
    url, *words = called.read_text().splitlines()
    assert url == URL
    assert words[:3] == ["db", "clean", "--clean-before-timestamp"]
    before = datetime.fromisoformat(words[3])
    assert abs(datetime.now(UTC) - timedelta(days=DAYS) - before) < timedelta(minutes=1)
    assert words[4:] == ["--skip-archive", "--yes"]


def test_a_dry_run_removes_nothing(called: Path, logs: dict[str, Path]) -> None:
    clean_airflow(DAYS, dry_run=True)
    assert left(logs) == set(logs)
    assert called.read_text().splitlines()[-1] == "--dry-run"


def test_twice_is_as_good_as_once(called: Path, logs: dict[str, Path]) -> None:
    clean_airflow(DAYS, dry_run=False)
    clean_airflow(DAYS, dry_run=False)
    assert left(logs) == {"young.log", "old.txt"}


def test_without_the_database_s_address_nothing_is_touched(
    called: Path, logs: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(DATABASE_URL)
    with pytest.raises(SettingError, match=DATABASE_URL):
        clean_airflow(DAYS, dry_run=False)
    assert left(logs) == set(logs)
    assert not called.exists()


def test_a_command_that_fails_says_how_and_its_output_is_logged(
    called: Path, logs: dict[str, Path], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("AIRFLOW_EXIT", "7")
    with pytest.raises(PinwheelError, match=r"airflow db clean.* exited with 7") as raised:
        clean_airflow(DAYS, dry_run=False)
    assert URL not in str(raised.value), "it may hold a password"
    assert "and minded that" in caplog.text


def test_the_task_s_own_airflow_settings_are_not_handed_on(
    called: Path, logs: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("_AIRFLOW_PROCESS_CONTEXT", "client")
    clean_airflow(DAYS, dry_run=True)
    assert "_AIRFLOW_PROCESS_CONTEXT" not in called.with_name("environment").read_text()

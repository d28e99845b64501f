"""The bootstrap knows a finished environment from a half-finished one, and says what a machine lacks."""

import subprocess
import sys
from pathlib import Path

import pytest

from pinwheel.install import bootstrap


@pytest.fixture
def venv(tmp_path: Path) -> Path:
    """An environment with all its packages."""
    program = tmp_path / "venv" / "bin" / "pinwheel"
    program.parent.mkdir(parents=True)
    program.touch()
    return tmp_path / "venv"


def test_an_environment_without_its_stamp_is_half_finished(venv: Path) -> None:
    assert not bootstrap.is_current(venv, "digest")


def test_a_finished_environment_is_left_alone(venv: Path) -> None:
    bootstrap.write_stamp(venv, "digest")
    assert bootstrap.is_current(venv, "digest")


def test_other_requirements_make_it_stale(venv: Path) -> None:
    bootstrap.write_stamp(venv, "digest")
    assert not bootstrap.is_current(venv, "digest of other requirements")


def test_a_stamp_without_the_command_is_not_believed(venv: Path) -> None:
    bootstrap.write_stamp(venv, "digest")
    (venv / "bin" / "pinwheel").unlink()
    assert not bootstrap.is_current(venv, "digest")


def test_the_digest_follows_the_requirements(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").touch()
    (tmp_path / "requirements.txt").write_text("a==1")
    before = bootstrap.wanted_digest(tmp_path)
    (tmp_path / "requirements.txt").write_text("a==2")
    assert bootstrap.wanted_digest(tmp_path) != before


@pytest.mark.parametrize("found", [(3, 10), (3, 12)])
def test_another_python_is_refused_with_both_versions(found: tuple[int, int]) -> None:
    with pytest.raises(bootstrap.BootstrapError, match=rf"3\.{found[1]}.*3\.11 is needed"):
        bootstrap.check_python(found)


@pytest.mark.parametrize(
    ("said", "version"),
    [('openjdk version "17.0.15" 2025-04-15', 17), ('java version "1.8.0_402"', 8), ("what?", None)],
)
def test_java_version_is_read_from_what_it_says(tmp_path: Path, said: str, version: int | None) -> None:
    java = tmp_path / "java"
    java.write_text(f"#!/bin/sh\necho '{said}' >&2\n")
    java.chmod(0o755)
    assert bootstrap.java_version(str(java)) == version


def test_no_java_is_no_version(tmp_path: Path) -> None:
    assert bootstrap.java_version(str(tmp_path / "java")) is None


def test_without_root_the_message_is_the_one_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    with pytest.raises(bootstrap.BootstrapError, match="apt-get install -y openjdk-17-jre-headless"):
        bootstrap.install("openjdk-17-jre-headless", "Java 17 or newer")


def test_it_runs_on_a_bare_python() -> None:
    """No package may be imported, not even this project's: -I and -S leave the standard library alone."""
    code = f"import runpy; runpy.run_path({bootstrap.__file__!r})"
    subprocess.run([sys.executable, "-I", "-S", "-c", code], check=True)

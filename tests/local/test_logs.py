"""Logs stay small while their programs write on, and the ones of earlier starts are kept for a while."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import pytest
from rich.console import Console

from pinwheel.core.settings import load
from pinwheel.local import logs, processes, run
from pinwheel.local.processes import Owned, Program
from pinwheel.local.settings import LocalSettings
from pinwheel.local.stack import Stack
from pinwheel.local.watch import Watch

# Numbered lines, until it is ended.
TALKER = ("sh", "-c", 'n=0; while true; do n=$((n+1)); echo "line $n of the talker"; sleep 0.002; done')
SMALL = 2_000


@pytest.fixture
def stack_dir(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path
    processes.end(processes.marked(tmp_path), 0)


def numbers(*paths: Path) -> list[int]:
    lines = [line for path in paths for line in path.read_text().splitlines()]
    assert all(line.startswith("line ") for line in lines), "a hole, or half a line"
    return [int(line.split()[1]) for line in lines if line.endswith("talker")]


def grow(path: Path, size: int) -> None:
    deadline = time.monotonic() + 10
    while path.stat().st_size < size:
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_log_that_grows_is_put_away_and_its_program_writes_on(stack_dir: Path) -> None:
    owned = Owned("talker", stack_dir)
    owned.start(Program("talker", TALKER, {}), stack_dir)
    for _ in range(6):
        grow(owned.log_path, SMALL + 1)
        logs.rotate([owned.log_path], SMALL)
        assert owned.log_path.stat().st_size < SMALL
    grow(owned.log_path, 1)
    owned.stop(1)

    older = [owned.log_path.with_name(f"talker.log.{n}") for n in (3, 2, 1)]
    assert sorted(owned.log_path.parent.iterdir()) == sorted([owned.log_path, *older])
    found = numbers(*older, owned.log_path)
    assert found == sorted(found), "the newest has the lowest number"
    assert found[-1] - found[0] + 1 - len(found) <= 6, "few lines are lost"


def test_a_log_that_is_small_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "kafka.log"
    path.write_text("x" * SMALL)
    logs.rotate([path, tmp_path / "not there.log"], SMALL)
    assert [p.name for p in tmp_path.iterdir()] == ["kafka.log"]


def test_a_log_that_can_not_be_copied_is_kept_and_stops_no_other(tmp_path: Path) -> None:
    stuck, other = tmp_path / "stuck.log", tmp_path / "other.log"
    for path in (stuck, other):
        path.write_text("x" * (SMALL + 1))
    stuck.with_name("stuck.log.1").mkdir()
    stuck.with_name("stuck.log.2").mkdir()
    stuck.with_name("stuck.log.3").write_text("")
    logs.rotate([stuck, other], SMALL)
    assert (stuck.stat().st_size, other.stat().st_size) == (SMALL + 1, 0)


def test_each_start_has_a_log_of_its_own(stack_dir: Path) -> None:
    for n in range(6):
        program = Program("one", ("echo", f"start {n}"), {})
        owned = Owned("one", stack_dir)
        owned.start(program, stack_dir).wait()
    folder = owned.log_path.parent
    told = {path.name: path.read_text().strip() for path in folder.iterdir()}
    assert told == {"one.log": "start 5", "one.log.1": "start 4", "one.log.2": "start 3", "one.log.3": "start 2"}


def test_the_logs_of_all_programs_and_of_the_driver_are_looked_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stack = Stack(load(LocalSettings, state_dir=tmp_path))
    stream = stack.settings.driver_lock_path.parent
    for folder in (stack.settings.logs_dir, stream / "logs"):
        folder.mkdir(parents=True)
    big = [
        stack.settings.logs_dir / "kafka.log",
        stack.settings.logs_dir / "memsql.log",
        stream / "logs" / "driver.log",
    ]
    for path in big:
        path.write_text("x" * (logs.MAX_BYTES + 1))
    (stream / "driver.log").symlink_to(big[-1])
    stack.rotate_logs()
    assert [path.stat().st_size for path in big] == [0, 0, 0]
    assert (stream / "driver.log.1").stat().st_size == logs.MAX_BYTES + 1


def test_the_run_looks_at_them_all_the_time() -> None:
    class Looked(Exception):
        """The logs were looked at."""

    class OfNothing:
        def heal(self) -> list[str]:
            return []

        def rotate_logs(self) -> None:
            raise Looked

    with pytest.raises(Looked):
        run._keep_up(Console(), cast(Stack, OfNothing()), cast(Watch, None))

"""The loop that keeps the stack up."""

import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from rich.console import Console

from pinwheel.local import airflow, checks, run
from pinwheel.local.processes import Owned, Program
from pinwheel.local.settings import LocalSettings
from pinwheel.local.stack import Stack


class Ended(Exception):
    """The test has seen enough."""


class FullDisk:
    """A stack whose disk is full for two turns."""

    turns = 0

    def heal(self) -> list[str]:
        self.turns += 1
        if self.turns <= 2:
            raise OSError(28, "No space left on device")
        raise Ended


def test_a_full_disk_does_not_end_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.sleep", lambda _: None)
    stack: Any = FullDisk()
    with pytest.raises(Ended):
        run._keep_up(Console(), stack, stack)
    assert stack.turns == 3


class Scheduler:
    """Stands in for its process, started a while ago."""

    def __init__(self, age: float) -> None:
        self.started_at = time.time() - age
        self.kills = 0

    def leader(self) -> "Scheduler":
        return self

    def create_time(self) -> float:
        return self.started_at

    def kill(self) -> None:
        self.kills += 1


@pytest.fixture
def stack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Stack:
    made = Stack(LocalSettings(state_dir=tmp_path))
    made.__dict__["parts"] = {}
    monkeypatch.setattr("pinwheel.local.stack.LOOK_SECONDS", 0.0)
    monkeypatch.setattr(checks, "is_full", lambda _: False)
    monkeypatch.setattr(airflow, "scheduler_hangs", lambda _: False)
    return made


def kills(stack: Stack, scheduler: Scheduler, monkeypatch: pytest.MonkeyPatch, turns: int) -> list[int]:
    monkeypatch.setattr(stack, "owned", lambda _: scheduler)
    return [scheduler.kills for _ in range(turns) if stack.heal() == []]


def test_the_scheduler_begins_anew_once_a_full_disk_has_space(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    fullness = iter([False, True, True, False, False])
    monkeypatch.setattr(checks, "is_full", lambda _: next(fullness))
    assert kills(stack, Scheduler(10), monkeypatch, 5) == [0, 0, 0, 1, 1]


def test_no_program_is_started_on_a_full_disk(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    fullness, started = iter([False, True, True, False]), []
    monkeypatch.setattr(checks, "is_full", lambda _: next(fullness))
    monkeypatch.setattr(stack, "_may_heal", lambda _: True)
    monkeypatch.setattr(Owned, "leader", lambda _: None)
    monkeypatch.setattr(Owned, "start", lambda owned, *_: started.append(owned.name))
    program = Program("memsql", ("true",), {})
    stack.__dict__["parts"] = {"memsql": SimpleNamespace(programs=[program])}
    assert [stack.heal() for _ in range(4)] == [["memsql"], [], [], ["memsql"]]
    assert started == ["memsql"] * 2


def test_a_scheduler_that_hangs_begins_anew(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    hangs = iter([True, False, True, True, False])
    monkeypatch.setattr(airflow, "scheduler_hangs", lambda _: next(hangs))
    assert kills(stack, Scheduler(100), monkeypatch, 5) == [0, 0, 0, 1, 1]


def test_a_scheduler_that_starts_has_time(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(airflow, "scheduler_hangs", lambda _: True)
    assert kills(stack, Scheduler(10), monkeypatch, 3) == [0, 0, 0]

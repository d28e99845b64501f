"""The loop that keeps the stack up."""

from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from pinwheel.local import checks, processes, run
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


def test_the_scheduler_begins_anew_once_a_full_disk_has_space(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stack = Stack(LocalSettings(state_dir=tmp_path))
    ended: list[object] = []
    fullness = iter([False, True, True, False, False])
    monkeypatch.setattr(checks, "is_full", lambda _: next(fullness))
    monkeypatch.setattr(processes, "end", lambda members, seconds: ended.append(members))
    stack.__dict__["parts"] = {}
    told = [len(ended) for _ in range(5) if stack.heal() == []]
    assert told == [0, 0, 0, 1, 1]

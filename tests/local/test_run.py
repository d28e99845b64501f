"""The loop that keeps the stack up."""

from typing import Any

import pytest
from rich.console import Console

from pinwheel.local import run


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

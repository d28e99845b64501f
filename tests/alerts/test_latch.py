"""A condition is reported when it starts and when it ends, whatever state an earlier process left."""

import pytest

from pinwheel.alerts.catalogue import MERGE_FAILING, Alert
from pinwheel.alerts.latch import Latch


class People:
    """Record each alert and each resolution."""

    def __init__(self) -> None:
        self.told: list[tuple[str, str]] = []

    def raise_(self, alert: Alert, subject: str, message: str) -> None:
        assert (alert, subject) == (MERGE_FAILING, "repins")
        self.told.append(("raised", message))

    def resolve(self, alert: Alert, subject: str, message: str, was_sent: bool = False) -> None:
        assert (alert, subject) == (MERGE_FAILING, "repins")
        self.told.append(("resolved", message))


def told(is_open: bool | None, steps: str) -> list[tuple[str, str]]:
    """The messages sent over steps at which the condition holds (+) or does not (-)."""
    people = People()
    latch = Latch(MERGE_FAILING, "repins", people.raise_, people.resolve, is_open=is_open)
    for number, step in enumerate(steps):
        (latch.start if step == "+" else latch.end)(str(number))
    assert latch.is_open is (steps[-1] == "+")
    return people.told


@pytest.mark.parametrize(
    ("is_open", "steps", "expected"),
    [
        (False, "++--+", [("raised", "0"), ("resolved", "2"), ("raised", "4")]),
        (False, "--", []),
        (True, "++", []),
        (True, "+--", [("resolved", "1")]),
        (None, "++", [("raised", "0")]),
        (None, "--", [("resolved", "0")]),
    ],
)
def test_neither_is_repeated(is_open: bool | None, steps: str, expected: list[tuple[str, str]]) -> None:
    assert told(is_open, steps) == expected


def test_what_can_t_be_raised_is_raised_again() -> None:
    people = People()

    def fails(*_: object) -> None:
        raise RuntimeError

    latch = Latch(MERGE_FAILING, "repins", fails, people.resolve, is_open=False)
    with pytest.raises(RuntimeError):
        latch.start("no luck")
    assert latch.is_open is False

"""An in-process database, and receivers."""

import pytest

from pinwheel.alerts import raising
from tests.support.alert_database import FakeDatabase
from tests.support.receivers import clock, inbox, mailbox, receiver

__all__ = ["clock", "inbox", "mailbox", "receiver"]


@pytest.fixture
def database(monkeypatch: pytest.MonkeyPatch) -> FakeDatabase:
    made = FakeDatabase()
    monkeypatch.delenv("PINWHEEL_BASE_URL", raising=False)  # of the stack that other tests run
    monkeypatch.setattr(raising, "connect", made.connect)
    monkeypatch.setattr(raising, "_unstored", set())
    return made

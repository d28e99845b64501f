"""A session that is asked to stop."""

import os
import signal

import pytest

from pinwheel.core.errors import StoppedError
from pinwheel.core.signals import stop_on_sigterm


def test_a_session_that_is_told_to_stop_has_not_done_its_work() -> None:
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(StoppedError, match="tries a task again"):
        stopped()
    assert signal.getsignal(signal.SIGTERM) is before


def stopped() -> None:
    with stop_on_sigterm() as stop:
        os.kill(os.getpid(), signal.SIGTERM)
        assert stop.wait(10), "SIGTERM ends the sleep"


def test_a_session_that_nobody_stops_ends_well() -> None:
    with stop_on_sigterm() as stop:
        assert not stop.wait(0)

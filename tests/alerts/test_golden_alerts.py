"""Every alert as its receiver gets it: when it is raised, and when it is resolved."""

from itertools import chain

import pytest

from pinwheel.alerts.catalogue import ALERTS
from pinwheel.alerts.raising import raise_alert, resolve_alert
from tests.support import golden
from tests.support.alert_database import FakeDatabase
from tests.support.receivers import Clock, Inbox


@pytest.mark.parametrize("name", ALERTS)
def test_an_alert_is_the_golden_file(name: str, database: FakeDatabase, inbox: Inbox, clock: Clock) -> None:
    alert = ALERTS[name]

    raise_alert(alert, "subject", "What was measured, and what is allowed.")
    clock.wait(minutes=90)
    resolve_alert(alert, "subject", "It is as it should be.")

    assert len(inbox.got) == (2 if alert.lasting else 1)
    golden.check(f"alerts/{name}.txt", "\n\n".join(chain.from_iterable(inbox.got)) + "\n")


def test_no_golden_file_is_of_an_alert_that_is_gone() -> None:
    assert {path.stem for path in (golden.FOLDER / "alerts").iterdir()} == set(ALERTS)

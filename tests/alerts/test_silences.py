"""A silenced alert is stored, not sent; when the silence is over, it is sent if it is still open."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from pinwheel.alerts import raising, silences
from pinwheel.alerts.catalogue import MERGE_FAILING, SLICE_HELD, TEST_ALERT
from pinwheel.alerts.latch import Latch
from pinwheel.clients import memsql
from pinwheel.core.errors import PinwheelError
from pinwheel.core.settings import MergeSettings
from pinwheel.core.times import naive
from tests.support.alert_database import FakeDatabase
from tests.support.database import environment_of
from tests.support.receivers import NOW, Clock, Inbox, kinds
from tests.support.types import Query


def quieten(database: FakeDatabase, hours: float, at: Clock, **row: Any) -> str:
    asked = {"name": "slice_held", "subject": "repins", "reason": "planned", "silenced_by": "ann"} | row
    said = silences.silence(database.as_connection(), asked, hours, at.now)
    database.commit()
    return said


def test_a_silenced_alert_is_stored_and_never_sent_if_it_ends_meanwhile(
    database: FakeDatabase, inbox: Inbox, clock: Clock
) -> None:
    assert quieten(database, 2, clock) == "slice_held of repins is not sent until 2026-03-14 14:00 UTC"
    raising.raise_alert(SLICE_HELD, "repins", "slice 7 is held")
    clock.wait(hours=1)
    raising.deliver_waiting()
    raising.resolve_alert(SLICE_HELD, "repins", "released")
    clock.wait(hours=2)
    raising.deliver_waiting()
    assert inbox.got == []
    (row,) = database.rows()
    assert (row["message"], row["resolved_at"]) == ("slice 7 is held", NOW + timedelta(hours=1))


def test_an_alert_that_comes_and_goes_in_a_silence_sends_nothing(
    database: FakeDatabase, inbox: Inbox, clock: Clock
) -> None:
    quieten(database, 8, clock)
    for _ in range(3):
        latch = Latch(SLICE_HELD, "repins", raising.raise_alert, raising.resolve_alert, is_open=False)
        latch.start("slice 7 is held")
        clock.wait(minutes=5)
        latch.end("released")
    assert inbox.got == []
    assert [row["resolved_at"] is None for row in database.rows()] == [False] * 3


@pytest.mark.parametrize("ended_by_hand", [True, False])
def test_one_that_is_still_open_after_the_silence_is_sent_once_with_its_recovery(
    database: FakeDatabase, inbox: Inbox, clock: Clock, ended_by_hand: bool
) -> None:
    quieten(database, 2, clock)
    raising.raise_alert(SLICE_HELD, "repins", "slice 7 is held")
    clock.wait(minutes=30)
    raising.raise_alert(SLICE_HELD, "repins", "slice 8 is held, too")
    if ended_by_hand:
        assert quieten(database, 0, clock) == "slice_held of repins is sent again"
    else:
        clock.wait(hours=2)
    for _ in range(3):
        raising.deliver_waiting()
    raising.resolve_alert(SLICE_HELD, "repins", "released")
    assert kinds(inbox) == ["CRITICAL", "RESOLVED"]
    assert inbox.got[0][1].startswith("slice 8 is held, too\n")
    assert "Raised: 2026-03-14 12:00:00 UTC" in inbox.got[0][1]


def test_the_recovery_of_an_alert_that_was_sent_is_sent_in_a_silence(
    database: FakeDatabase, inbox: Inbox, clock: Clock
) -> None:
    raising.raise_alert(SLICE_HELD, "repins", "slice 7 is held")
    quieten(database, 2, clock)
    raising.resolve_alert(SLICE_HELD, "repins", "released")
    assert kinds(inbox) == ["CRITICAL", "RESOLVED"]


def test_a_silence_hides_its_own_alert_alone(database: FakeDatabase, inbox: Inbox, clock: Clock) -> None:
    quieten(database, 2, clock)
    quieten(database, 2, clock, name="merge_failing", subject="")
    raising.raise_alert(SLICE_HELD, "pins", "slice 9 is held")
    raising.raise_alert(TEST_ALERT, "repins", "ann sent this")
    raising.raise_alert(MERGE_FAILING, "pins", "it failed")
    assert [title for title, _ in inbox.got] == ["CRITICAL: a slice of pins is held", "WARNING: this is a test"]


def test_an_occurrence_in_a_silence_is_stored_alone(database: FakeDatabase, inbox: Inbox, clock: Clock) -> None:
    quieten(database, 1, clock, name="test_alert", subject="")
    raising.raise_alert(TEST_ALERT, "ann", "ann sent this")
    clock.wait(hours=2)
    raising.deliver_waiting()
    assert inbox.got == []
    assert len(database.rows()) == 1


def test_a_database_that_is_away_knows_no_silence(database: FakeDatabase, inbox: Inbox, clock: Clock) -> None:
    quieten(database, 1, clock)
    database.away = True
    raising.raise_alert(SLICE_HELD, "repins", "slice 7 is held")
    assert kinds(inbox) == ["CRITICAL"]


@pytest.mark.parametrize(
    ("hours", "row", "why"),
    [
        (1, {"name": "slice_hold"}, "there is no alert 'slice_hold'"),
        (0, {}, "slice_held of repins is not silenced: there is nothing to end"),
        (1, {"name": "message_given_up"}, "there is no alert 'message_given_up' that can be silenced"),
        (169, {}, "hours: 169 is not between 0 and 168"),
        (-1, {}, "hours: -1 is not between 0 and 168"),
        (1, {"reason": " "}, "reason: it is empty"),
    ],
)
def test_a_silence_that_makes_no_sense_is_refused(
    database: FakeDatabase, clock: Clock, hours: float, row: dict[str, str], why: str
) -> None:
    with pytest.raises(PinwheelError, match=why):
        quieten(database, hours, clock, **row)
    assert database.rows("alert_silences") == []


def test_the_form_silences_in_the_database(
    settings: MergeSettings, query: Query, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable, value in environment_of(settings).items():
        monkeypatch.setenv(variable, value)
    form = {"name": "slice_held", "subject": "repins", "hours": 1, "reason": "planned"}
    assert "slice_held of repins is not sent until" in silences.silence_by_form(form, "ann")
    assert query("SELECT name, subject, reason, silenced_by FROM alert_silences") == [
        {"name": "slice_held", "subject": "repins", "reason": "planned", "silenced_by": "ann"}
    ]
    with memsql.connect(settings) as connection:
        (row,) = silences.active(connection, naive(datetime.now(UTC)))
    assert row["until_at"] - naive(datetime.now(UTC)) > timedelta(minutes=59)
    assert "is sent again" in silences.silence_by_form(form | {"hours": 0, "reason": ""}, "ann")
    with memsql.connect(settings) as connection:
        assert silences.active(connection, naive(datetime.now(UTC))) == []

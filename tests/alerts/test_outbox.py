"""Every receiver gets each message once and in order, even if it was down when the message was posted."""

from datetime import timedelta
from itertools import pairwise

import pytest

from pinwheel.alerts import outbox, raising
from pinwheel.alerts.catalogue import SLICE_HELD
from pinwheel.alerts.outbox import GIVE_UP_AFTER, MAX_PAUSE, deliver
from pinwheel.clients.memsql import Connection, Row, fetch
from tests.support.alert_database import FakeDatabase
from tests.support.receivers import NOW, Away, Clock, Inbox, kinds


def test_who_was_away_gets_the_alert_and_the_recovery_once_and_in_order(
    database: FakeDatabase, receiver: Away, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    raising.raise_alert(SLICE_HELD, "repins", "slice 7 is held")
    for _ in range(9):
        clock.wait(minutes=1)
        raising.deliver_waiting()
    raising.resolve_alert(SLICE_HELD, "repins", "released")
    assert [row["delivered_at"] for row in database.rows("alert_messages")] == [None, None]

    inbox = receiver.come()
    for _ in range(20):
        clock.wait(minutes=1)
        raising.deliver_waiting()

    assert kinds(inbox) == ["CRITICAL", "RESOLVED"]
    assert inbox.types == ["failure", "success"]
    assert inbox.got[1][1] == "released\nLasted: 0:09:00, since 2026-03-14 12:00:00 UTC"
    assert "hush" not in caplog.text


def test_pauses_grow_and_stay_bounded(database: FakeDatabase, receiver: Away, clock: Clock) -> None:
    raising.raise_alert(SLICE_HELD, "repins", "slice 7 is held")
    tries = []
    for _ in range(12 * 60):
        clock.wait(minutes=1)
        (before,) = database.rows("alert_messages")
        raising.deliver_waiting()
        (after,) = database.rows("alert_messages")
        if after["attempts"] > before["attempts"]:
            tries.append(clock.now)

    pauses = [b - a for a, b in pairwise(tries)]
    assert pauses == sorted(pauses)
    assert (pauses[0], pauses[-1]) == (timedelta(minutes=2), MAX_PAUSE)


def test_what_is_too_old_is_given_up_and_says_so(
    database: FakeDatabase, receiver: Away, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    raising.raise_alert(SLICE_HELD, "repins", "slice 7 is held")
    clock.wait(seconds=GIVE_UP_AFTER.total_seconds() + 1)
    raising.deliver_waiting()

    (row,) = database.rows("alert_messages")
    assert row["given_up_at"] == clock.now
    assert "given up messages=1" in caplog.text
    inbox = receiver.come()
    raising.resolve_alert(SLICE_HELD, "repins", "released")
    assert kinds(inbox) == ["RESOLVED"]


def test_what_is_too_long_for_a_receiver_comes_in_parts(
    database: FakeDatabase, receiver: Away, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("apprise.plugins.custom_json.NotifyJSON.body_maxlen", 100)
    inbox = receiver.come()
    raising.raise_alert(SLICE_HELD, "repins", "slice 7 is held " + "x" * 150)
    assert len(inbox.got) > 1
    assert max(len(body) for _, body in inbox.got) <= 100
    assert inbox.got[-1][1].endswith(SLICE_HELD.runbook)


def test_one_that_is_away_keeps_nothing_from_the_others(
    database: FakeDatabase, receiver: Away, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = Inbox()
    monkeypatch.setenv("PINWHEEL_ALERT_URLS", f"{receiver.url} {other.url}")
    raising.raise_alert(SLICE_HELD, "repins", "slice 7 is held")
    late = receiver.come()
    clock.wait(minutes=1)
    raising.deliver_waiting()
    other.server.shutdown()
    other.server.server_close()

    assert (kinds(other), kinds(late)) == (["CRITICAL"], ["CRITICAL"])


def test_of_two_that_deliver_at_once_one_sends(
    database: FakeDatabase, receiver: Away, monkeypatch: pytest.MonkeyPatch
) -> None:
    inbox, notify = receiver.come(), outbox._notify
    outbox.post(database.as_connection(), "a title", "a body", NOW)
    database.commit()

    def meanwhile(*message: str) -> bool:
        deliver(database.as_connection(), lambda: NOW)  # the other one
        return notify(*message)

    monkeypatch.setattr(outbox, "_notify", meanwhile)
    deliver(database.as_connection(), lambda: NOW)

    assert inbox.got == [("a title", "a body")]


def test_what_is_posted_while_another_message_is_being_sent_goes_out_at_once(
    database: FakeDatabase, receiver: Away, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The poster finds the receiver claimed, and leaves the message to the process that is already sending."""
    inbox, notify = receiver.come(), outbox._notify
    outbox.post(database.as_connection(), "first", "a body", clock.now)
    database.commit()

    def meanwhile(*message: str) -> bool:
        if message[1] == "first":
            clock.wait(seconds=1)
            outbox.post(database.as_connection(), "second", "a body", clock.now)
            database.commit()
            deliver(database.as_connection(), lambda: clock.now)
        return notify(*message)

    monkeypatch.setattr(outbox, "_notify", meanwhile)
    deliver(database.as_connection(), lambda: clock.now)

    assert [title for title, _ in inbox.got] == ["first", "second"]


def test_a_claim_that_another_was_faster_with_is_lost(
    database: FakeDatabase, receiver: Away, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both processes have read the message before either claims it."""
    inbox = receiver.come()
    outbox.post(database.as_connection(), "a title", "a body", NOW)
    database.commit()

    def read_then_be_second(connection: Connection, name: str, params: dict[str, str]) -> list[Row]:
        found = fetch(connection, name, params)
        monkeypatch.setattr(outbox, "fetch", fetch)
        deliver(database.as_connection(), lambda: NOW)
        return found

    monkeypatch.setattr(outbox, "fetch", read_then_be_second)
    deliver(database.as_connection(), lambda: NOW)

    assert len(inbox.got) == 1


def test_what_may_be_seen_of_a_receiver(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PINWHEEL_ALERT_URLS", "slack://hush/token hush-without-a-scheme")
    names = list(outbox.receivers())
    assert [name.partition(":")[0] for name in names] == ["slack", "unknown"]
    assert "hush" not in "".join(names)

"""Every receiver gets each message once and in order, even if it was down when the message was posted."""

from datetime import timedelta
from functools import partial
from itertools import pairwise

import pytest

from pinwheel.alerts import outbox, raising, sending
from pinwheel.alerts.catalogue import SLICE_HELD
from pinwheel.alerts.outbox import DOUBTFUL_TRIES, GIVE_UP_AFTER, MAX_PAUSE, deliver
from pinwheel.alerts.sending import Outcome
from pinwheel.clients import memsql
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
    assert inbox.got[1][1] == "released\nLasted: 9 min, raised 2026-03-14 12:00:00 UTC\nAlert: slice_held, repins"
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
    inbox, notify = receiver.come(), sending.send
    outbox.post(database.as_connection(), "a title", "a body", NOW)
    database.commit()

    def meanwhile(*message: str) -> Outcome:
        deliver(database.as_connection(), lambda: NOW)  # the other one
        return notify(*message)

    monkeypatch.setattr(outbox, "send", meanwhile)
    deliver(database.as_connection(), lambda: NOW)

    assert inbox.got == [("a title", "a body")]


def test_what_is_posted_while_another_message_is_being_sent_goes_out_at_once(
    database: FakeDatabase, receiver: Away, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The poster finds the receiver claimed, and leaves the message to the process that is already sending."""
    inbox, notify = receiver.come(), sending.send
    outbox.post(database.as_connection(), "first", "a body", clock.now)
    database.commit()

    def meanwhile(*message: str) -> Outcome:
        if message[2] == "first":
            clock.wait(seconds=1)
            outbox.post(database.as_connection(), "second", "a body", clock.now)
            database.commit()
            deliver(database.as_connection(), lambda: clock.now)
        return notify(*message)

    monkeypatch.setattr(outbox, "send", meanwhile)
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


def test_a_refused_message_is_given_up_and_told_and_the_next_one_arrives(
    database: FakeDatabase, clock: Clock, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The receiver answers 400 to the first message only."""
    picky, other = Inbox(answers=[400]), Inbox()
    monkeypatch.setenv("PINWHEEL_ALERT_URLS", f"{picky.url}/?token=hush {other.url}")
    raising.raise_alert(SLICE_HELD, "repins", "slice 7 is held")
    raising.resolve_alert(SLICE_HELD, "repins", "released")
    picky.close()
    other.close()

    assert kinds(picky) == ["RESOLVED"]
    assert sorted(title for title, _ in other.got)[:2] == [
        "CRITICAL: a slice of repins is held",
        "RESOLVED: a slice of repins is held",
    ]
    (told,) = [body for title, body in other.got if title.startswith("WARNING: a receiver did not take a message")]
    assert '"CRITICAL: a slice of repins is held"' in told
    (row,) = database.rows(name="message_given_up")
    assert row["resolved_at"] == clock.now, "on the health page, but not open"
    assert "hush" not in caplog.text + told + row["message"]


def test_two_that_refuse_everything_do_not_tell_each_other_for_ever(
    database: FakeDatabase, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    both = [Inbox(answers=[400] * 9), Inbox(answers=[422] * 9)]
    monkeypatch.setenv("PINWHEEL_ALERT_URLS", " ".join(one.url for one in both))
    raising.raise_alert(SLICE_HELD, "repins", "slice 7 is held")
    for _ in range(5):
        clock.wait(minutes=20)
        raising.deliver_waiting()
    for one in both:
        one.close()
    assert len(database.rows("alert_messages")) == 4, "the message, and that the other refused it"
    assert database.rows("alert_messages", given_up_at=None) == []


def test_what_is_not_known_to_be_refused_is_tried_a_while(
    database: FakeDatabase, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    inbox = Inbox(answers=[404] * DOUBTFUL_TRIES)
    monkeypatch.setenv("PINWHEEL_ALERT_URLS", inbox.url)
    raising.raise_alert(SLICE_HELD, "repins", "slice 7 is held")
    raising.resolve_alert(SLICE_HELD, "repins", "released")
    for _ in range(80):
        assert kinds(inbox) == []
        clock.wait(minutes=1)
        raising.deliver_waiting()
        if database.rows("alert_messages", attempts=DOUBTFUL_TRIES):
            break
    inbox.close()
    assert kinds(inbox) == ["RESOLVED"]
    (row,) = database.rows("alert_messages", delivered_at=None)
    assert (row["attempts"], row["given_up_at"]) == (DOUBTFUL_TRIES, clock.now)


def test_one_doubtful_answer_after_an_outage_gives_nothing_up(
    database: FakeDatabase, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    inbox = Inbox(answers=[503] * DOUBTFUL_TRIES + [404])
    monkeypatch.setenv("PINWHEEL_ALERT_URLS", inbox.url)
    raising.raise_alert(SLICE_HELD, "repins", "slice 7 is held")
    for _ in range(DOUBTFUL_TRIES + 1):
        clock.wait(minutes=15)
        raising.deliver_waiting()
    inbox.close()
    assert kinds(inbox) == ["CRITICAL"]
    (row,) = database.rows("alert_messages")
    assert (row["attempts"], row["doubtful"], row["given_up_at"]) == (DOUBTFUL_TRIES + 2, 1, None)


def test_dying_before_a_message_is_given_up_and_twice(
    database: FakeDatabase, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each statement of giving it up fails once; it is then given up, with one alert, exactly once."""
    inbox = Inbox(answers=[400] * 9)
    monkeypatch.setenv("PINWHEEL_ALERT_URLS", f"{inbox.url} json://127.0.0.1:1")
    statements = ["alerts/give_up_message", "alerts/raise", "alerts/resolve", "alerts/post"]
    outbox.post(database.as_connection(), "a title", "a body", clock.now, but=list(outbox.receivers())[1])
    database.commit()
    for dying in statements:

        def run(how: str, dying: str, connection: Connection, name: str, params: Row) -> int:
            if name == dying:
                raise KeyboardInterrupt
            return int(getattr(memsql, how)(connection, name, params))

        for how in ("execute", "insert_id"):
            monkeypatch.setattr(outbox, how, partial(run, how, dying))
        with pytest.raises(KeyboardInterrupt):
            deliver(database.as_connection(), lambda: clock.now)
        assert database.rows("alert_messages", given_up_at=None, title="a title")
        clock.wait(minutes=20)
    monkeypatch.setattr(outbox, "execute", memsql.execute)
    for _ in range(2):
        deliver(database.as_connection(), lambda: clock.now)
        clock.wait(minutes=20)
    inbox.close()
    assert len(database.rows("alert_messages", title="a title")) == len(database.rows()) == 1
    assert len(database.rows("alert_messages")) == 2

"""One message for a fault and one for its end, through a real database and a real receiver."""

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pymysql
import pytest
from pydantic import SecretStr

from pinwheel.alerts import raising
from pinwheel.alerts.catalogue import MERGE_FAILING, SLICE_HELD
from pinwheel.alerts.raising import deliver_waiting, raise_alert, resolve_alert
from pinwheel.clients.kafka_topic import ensure_topic
from pinwheel.core.settings import HealthSettings, KafkaSettings, MemsqlSettings, MergeSettings, load
from pinwheel.core.times import utc_now
from pinwheel.local.kafka import client
from pinwheel.local.stack import Stack
from pinwheel.merge import ledger
from pinwheel.merge.session import Session
from pinwheel.merge.turns import seconds_left, take_turns
from pinwheel.operate import health
from pinwheel.rollup import trends
from pinwheel.rollup.session import TrendsSession
from pinwheel.stream import driver_lock
from tests.support.lakes import event, land
from tests.support.receivers import Away, Clock, Inbox
from tests.support.types import Query

AT_ONCE = 8
NEWEST_UNDELIVERED = (
    "SELECT value, is_well FROM health WHERE measure = 'alerts_undelivered' AND subject = 'waiting' "
    "ORDER BY measured_at DESC LIMIT 1"
)


@pytest.fixture(autouse=True)
def _alerts_use_this_database(settings: MergeSettings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(raising, "_unstored", set())
    for name in MemsqlSettings.model_fields:
        value = getattr(settings, name)
        if value is not None:
            text = value.get_secret_value() if name == "memsql_password" else str(value)
            monkeypatch.setenv(f"PINWHEEL_{name.upper()}", text)


def titles(inbox: Inbox) -> list[str]:
    return [title for title, _ in inbox.got]


@pytest.fixture
def watched(stack_with_kafka: Stack, settings: MergeSettings) -> HealthSettings:
    """A pipeline with an empty topic and an empty lake, complete except for the driver."""
    broker = client(stack_with_kafka.settings, stack_with_kafka.credentials)
    ensure_topic(load(KafkaSettings, **broker, topic="watched"), 2, replicas=1)
    stream_dir = Path(settings.lake_uri + "-stream")
    stream_dir.mkdir()
    (stream_dir / "supervisor.json").write_text('{"launched_at": 1.0}')  # it ran once
    return load(
        HealthSettings,
        **settings.model_dump(include=set(MemsqlSettings.model_fields) | {"lake_uri"}),
        **broker,
        topic="watched",
        stream_dir=stream_dir,
        driver_lock_path=stream_dir / "driver.lock",
    )


def look(settings: HealthSettings, clock: Clock) -> None:
    """Look once at the pipeline's health, as watch_health does each minute."""
    health.watch(settings, datetime.fromisoformat(f"{clock.now}+00:00"), raise_alert, resolve_alert)
    deliver_waiting()
    clock.wait(minutes=1)


def test_one_fault_is_one_alert_and_one_recovery(
    watched: HealthSettings, inbox: Inbox, clock: Clock, query: Query
) -> None:
    for _ in range(5):
        look(watched, clock)
    with driver_lock.hold_lock(watched.driver_lock_path):
        for _ in range(5):
            look(watched, clock)

    assert titles(inbox) == [
        "CRITICAL: the stream is down, and nothing starts it",
        "RESOLVED: the stream is down, and nothing starts it",
    ]
    assert inbox.got[0][1].startswith("The stream's driver does not run (since 2026-03-14 12:00 UTC)\n")
    assert "Lasted: 4 min, raised 2026-03-14 12:01:00 UTC" in inbox.got[1][1]
    (row,) = query("SELECT * FROM alerts")
    assert row["resolved_at"] - row["raised_at"] == timedelta(minutes=4)


def test_the_same_when_the_receiver_is_away_meanwhile(
    watched: HealthSettings, receiver: Away, clock: Clock, query: Query
) -> None:
    for _ in range(5):
        look(watched, clock)
    assert query(NEWEST_UNDELIVERED) == [{"value": 1, "is_well": 0}]
    with driver_lock.hold_lock(watched.driver_lock_path):
        for _ in range(5):
            look(watched, clock)
        back = receiver.come()
        for _ in range(20):
            look(watched, clock)

    assert titles(back) == [
        "CRITICAL: the stream is down, and nothing starts it",
        "RESOLVED: the stream is down, and nothing starts it",
    ]
    assert query(NEWEST_UNDELIVERED) == [{"value": 0, "is_well": 1}]


def test_a_held_slice_is_told_once_over_sessions_and_once_when_it_is_released(
    settings: MergeSettings, inbox: Inbox, query: Query
) -> None:
    land(settings.lake_uri, [event("repin", None, n) for n in range(4)])
    for _ in range(2):
        session = Session("repins", settings, raise_alert, resolve_alert)
        session.turn()
        session.turn()
        session.close()
    session = Session("repins", settings, raise_alert, resolve_alert)
    session.turn()
    (held,) = query("SELECT slice_id FROM merge_slices WHERE state = 'held'")
    ledger.release(settings, held["slice_id"], "accept", "a person")
    session.turn()
    session.close()

    told = [title for title in titles(inbox) if "is held" in title]
    assert told == ["CRITICAL: a slice of repins is held", "RESOLVED: a slice of repins is held"]


def test_a_fault_that_ended_between_sessions_is_told_to_be_over_and_the_next_is_told(
    settings: MergeSettings, inbox: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> bool:
        raise ValueError("no such column")

    for fails, turns in ((True, 3), (False, 1), (True, 3)):
        session = Session("repins", settings, raise_alert, resolve_alert)
        with monkeypatch.context() as broken:
            if fails:
                broken.setattr(Session, "work", fail)
            for _ in range(turns):
                session.turn()
        session.close()
    failing = [title for title in titles(inbox) if "merging repins" in title]
    assert failing == [f"{word}: merging repins fails again and again" for word in ("CRITICAL", "RESOLVED", "CRITICAL")]


@pytest.mark.parametrize("wrong", [{"memsql_port": 1}, {"memsql_password": SecretStr("guessed")}], ids=str)
def test_a_database_that_lets_nobody_in_is_left_to_watch_health(
    settings: MergeSettings, inbox: Inbox, wrong: dict[str, object]
) -> None:
    session = Session("repins", settings.model_copy(update=wrong), raise_alert, resolve_alert)
    for _ in range(5):
        session.turn()
    assert (session.errors, titles(inbox)) == (5, [])
    assert session.pause(worked=False) == 5.0, "it is asked again soon"


def test_a_statement_that_ends_like_a_server_that_went_away_is_told(
    settings: MergeSettings, inbox: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refresh(*_: object) -> bool:
        raise pymysql.err.OperationalError(2013, "Lost connection to server during query")

    monkeypatch.setattr(trends, "refresh", refresh)
    session = trends_session(settings)
    for _ in range(4):
        session.turn()
    session.close()
    assert titles(inbox) == ["WARNING: scoring the trends fails again and again"]


def test_a_slice_that_was_released_between_sessions_is_told_to_be(
    settings: MergeSettings, inbox: Inbox, query: Query
) -> None:
    for n in range(2):
        land(settings.lake_uri, [event("repin", None, n)])
        session = Session("repins", settings, raise_alert, resolve_alert)
        session.turn()
        session.close()
        (held,) = query("SELECT slice_id FROM merge_slices WHERE state = 'held'")
        ledger.release(settings, held["slice_id"], "accept", "a person")
        session = Session("repins", settings, raise_alert, resolve_alert)
        session.turn()
        session.close()
    told = [title for title in titles(inbox) if "is held" in title]
    assert told == ["CRITICAL: a slice of repins is held", "RESOLVED: a slice of repins is held"] * 2


def trends_session(settings: MergeSettings) -> TrendsSession:
    now = datetime(2026, 3, 14, 12, 0, 30, tzinfo=UTC)
    return TrendsSession(settings, raise_alert, resolve_alert, now=lambda: now)


def test_failing_trends_are_told_once(settings: MergeSettings, inbox: Inbox, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def refresh(*_: object, **__: object) -> bool:
        asked.append(1)
        if len(asked) <= 4:
            raise RuntimeError("no trends today")
        return True

    monkeypatch.setattr(trends, "refresh", refresh)
    session = trends_session(settings)
    for _ in range(6):
        session.turn()
    session.close()
    assert titles(inbox) == [
        "WARNING: scoring the trends fails again and again",
        "RESOLVED: scoring the trends fails again and again",
    ]
    assert session.errors == 4


def test_trends_are_scored_when_they_are_due(settings: MergeSettings, monkeypatch: pytest.MonkeyPatch) -> None:
    seconds, scored = [0.0], []
    session = trends_session(settings.model_copy(update={"trends_interval_seconds": 60.0}))

    def wait(pause: float) -> bool:
        seconds[0] += pause
        return False

    monkeypatch.setattr(trends, "refresh", lambda *_: scored.append(seconds[0]))
    take_turns([session], 150.0, lambda: seconds[0], wait)
    assert scored == [0.0, 60.0, 120.0]


def at_once(work: Callable[[], None]) -> None:
    ready = threading.Barrier(AT_ONCE)

    def go() -> None:
        ready.wait()
        work()

    threads = [threading.Thread(target=go) for _ in range(AT_ONCE)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_many_that_tell_of_the_same_at_once_tell_it_once(inbox: Inbox, query: Query) -> None:
    for alert in (SLICE_HELD, MERGE_FAILING):
        at_once(partial(raise_alert, alert, "repins", "told by many"))
    assert query("SELECT COUNT(*) AS open FROM alerts WHERE resolved_at IS NULL") == [{"open": 2}]
    assert sorted(titles(inbox)) == [
        "CRITICAL: a slice of repins is held",
        "CRITICAL: merging repins fails again and again",
    ]

    at_once(lambda: resolve_alert(SLICE_HELD, "repins", "over"))
    assert titles(inbox)[2:] == ["RESOLVED: a slice of repins is held"]


def test_a_task_that_is_tried_again_ends_with_its_run() -> None:
    settings = MergeSettings(merge_session_seconds=900)
    assert 590 < seconds_left(settings, utc_now() - timedelta(seconds=300)) <= 600
    assert seconds_left(settings, utc_now() - timedelta(days=1)) < 0
    assert seconds_left(settings, None) == 900
    session = Session("repins", settings, lambda *_: None, lambda *_: None)
    take_turns([session], -1.0, lambda: 0.0, lambda _: False)
    assert session.report.slices == session.errors == 0, "it does not even look"

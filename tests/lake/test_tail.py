"""Following the lake: each version once, only new rows, and as much of the past as was asked for."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from deltalake import DeltaTable

from pinwheel.lake.tail import Tail
from tests.support.live_lakes import event, land, now_events

MINUTE = timedelta(seconds=60)


def test_nothing_there_is_nothing_read_until_it_is(tmp_path: Path) -> None:
    tail = Tail(f"{tmp_path}/events", MINUTE)
    assert tail.read() == []
    land(tmp_path, now_events(3))
    assert [len(b.rows) for b in tail.read()] == [3]


def test_each_version_is_read_once(tmp_path: Path) -> None:
    uri = land(tmp_path, now_events(2))
    land(tmp_path, now_events(3))
    tail = Tail(uri, MINUTE)
    first = tail.read()
    assert [len(b.rows) for b in first] == [2, 3]
    assert [b.seconds is None for b in first] == [True, False]
    assert tail.read() == []
    land(tmp_path, now_events(4))
    assert [(b.version, len(b.rows)) for b in tail.read()] == [(first[-1].version + 1, 4)]


def test_no_past_is_wanted(tmp_path: Path) -> None:
    uri = land(tmp_path, now_events(2))
    tail = Tail(uri, timedelta(0))
    assert tail.read() == []
    land(tmp_path, now_events(1))
    assert [len(b.rows) for b in tail.read()] == [1]


def test_dead_letters_and_changed_rows_are_passed_over(tmp_path: Path) -> None:
    uri = land(tmp_path, now_events(1))
    tail = Tail(uri, MINUTE)
    tail.read()
    land(tmp_path, [*now_events(2, "dead_letter"), *now_events(1, "comment")])
    DeltaTable(uri).update(updates={"category": "'art'"}, predicate="event_type = 'repin'")
    assert [b.rows["event_type"].to_pylist() for b in tail.read()] == [["comment"]]


def test_the_newest_event_is_not_later_than_kafka_had_it(tmp_path: Path) -> None:
    """A phone's clock that is ten minutes ahead must not make stale data look fresh."""
    now = datetime.now(UTC)
    ahead = event("login", now, occurred_at=now + timedelta(minutes=9))
    uri = land(tmp_path, [ahead, event("repin", now - timedelta(seconds=5))])
    (batch,) = Tail(uri, MINUTE).read()
    assert batch.newest_at == now
    assert batch.rows["event_type"].to_pylist() == ["repin", "login"]

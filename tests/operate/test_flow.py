"""The picture of the flow, put together from each source's answer."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal

import pytest

from pinwheel.core.settings import HealthSettings, load
from pinwheel.lake.events_table import Commit, Span
from pinwheel.operate import flow_sources
from pinwheel.operate.flow import STEPS, picture
from pinwheel.operate.flow_types import DatabaseRows, Driver, Flow, Landings, Step
from pinwheel.stream import driver_lock as drivers
from tests.support.live_lakes import START, land, now_events

NOW = START + timedelta(seconds=60)
PLAIN = START.replace(tzinfo=None)  # as the database says it
UNKNOWN = Driver(state="unknown", since=None, failures=0, restarts_today=None)


@pytest.fixture
def settings(tmp_path: Path) -> HealthSettings:
    """Of a lake that is not there, and a stream that never ran here."""
    stream = tmp_path / "stream"
    return load(
        HealthSettings, lake_uri=str(tmp_path / "lake"), stream_dir=stream, driver_lock_path=stream / "driver.lock"
    )


def measure(name: str, subject: str, value: float | None, limit: float | None = None, well: int = 1) -> dict[str, Any]:
    return {
        "measure": name,
        "subject": subject,
        "value": value,
        "max_value": limit,
        "is_well": well,
        "measured_at": PLAIN,
    }


def commit(version: int, seconds: int, repins: int, dead: int = 0) -> Commit:
    at = START + timedelta(seconds=seconds)
    first = version * 100
    return Commit(version, at, {"repin": repins, "dead_letter": dead}, {0: Span(first, first + repins + dead, at)})


def seen(commits: list[Commit] | None = None, away: list[str] | None = None, **rows: Any) -> Flow:
    found = commits or []
    version = found[-1].version if found else None
    return picture(DatabaseRows(**rows), Landings(found, version), UNKNOWN, away=away or [], now=NOW)


def step(told: Flow, name: str) -> Step:
    return next(s for s in told.steps if s.name == name)


def test_nothing_is_known_and_nothing_breaks() -> None:
    told = seen(away=["memsql", "lake"])
    assert [s.name for s in told.steps] == list(STEPS)
    assert {s.rows_per_second for s in told.steps} == {None}
    assert (told.measured_at, told.away, told.lags) == (None, ["memsql", "lake"], [])
    assert {t.complete_through for t in told.tables} == {None}


def test_rates_are_kafka_s_and_the_lake_s_own() -> None:
    told = seen([commit(1, 50, 10), commit(2, 52, 38, dead=2), commit(3, 54, 40)])
    assert step(told, "kafka").rows_per_second == 20  # dead letters came through Kafka too
    assert step(told, "lake").rows_per_second == 78 / 4
    assert step(told, "lake").newest_age_seconds == 6


@pytest.mark.parametrize(("lag", "arrived"), [(0, 80 / 60), (9, None)])
def test_a_rate_falls_once_nothing_lands_and_what_arrives_is_unknown_then(lag: int, arrived: float | None) -> None:
    waiting = [measure("lag_records", "partition 0", lag, 100)]
    told = seen([commit(1, 0, 10), commit(2, 2, 38, dead=2), commit(3, 4, 40)], measures=waiting)
    assert step(told, "lake").rows_per_second == 78 / 60
    assert step(told, "kafka").rows_per_second == arrived


def alert(name: str, subject: str, resolved: bool = False) -> dict[str, Any]:
    return {
        **{"name": name, "subject": subject, "message": "m", "raised_at": PLAIN},
        "resolved_at": PLAIN if resolved else None,
    }


def test_an_open_alert_makes_its_step_unwell_before_the_next_measure() -> None:
    told = seen(open_alerts=[alert("slice_held", "repins")], alerts=[alert("merge_failing", "pins", resolved=True)])
    assert step(told, "gate").unwell == ["A slice of repins is held"]
    assert step(told, "merged").unwell == []


@pytest.mark.parametrize(
    ("state", "by", "unwell"),
    [
        ("running", None, []),
        ("stopped", "ann", []),
        ("stopped", None, ["The stream's driver is stopped"]),
        ("restarting", None, ["The stream's driver is restarting"]),
    ],
)
def test_a_driver_that_is_down_makes_the_lake_unwell_at_once(
    state: Literal["running", "stopped", "restarting"], by: str | None, unwell: list[str]
) -> None:
    driver = Driver(state=state, since=None, failures=0, restarts_today=0, stopped_by=by)
    told = picture(DatabaseRows(), Landings([commit(1, 50, 1)], 1), driver, away=[], now=NOW)
    assert step(told, "lake").unwell == unwell


@pytest.mark.parametrize(("minutes", "known"), [(2, True), (4, False)])
def test_old_measures_are_unknown(minutes: int, known: bool) -> None:
    old = measure("lag_records", "partition 0", 0, 100) | {"measured_at": PLAIN + timedelta(minutes=1 - minutes)}
    assert {s.is_known for s in seen(measures=[old]).steps} == {known}
    assert {s.is_known for s in seen().steps} == {False}


def test_one_commit_is_no_rate() -> None:
    assert step(seen([commit(1, 0, 10)]), "lake").rows_per_second is None


def test_what_is_unwell_is_told_at_its_step() -> None:
    told = seen(
        measures=[
            measure("lag_records", "partition 0", 12345, 100, well=0),
            measure("lag_records", "partition 1", 5, 100),
            measure("source_down", "memsql", 1, 0, well=0),
            measure("merged_behind_seconds", "pins", None, 120, well=0),
        ]
    )
    assert step(told, "kafka").unwell == ["12,345 records of partition 0 wait to be landed; allowed are 100"]
    assert step(told, "kafka").backlog == 12350
    assert step(told, "lake").unwell == []
    assert step(told, "merged").unwell == [
        "MemSQL does not answer, or refuses the login",
        "The age of the newest event in the table pins is unknown",
    ]
    assert [(lag.partition, lag.records) for lag in told.lags] == [("partition 0", 12345), ("partition 1", 5)]


@pytest.mark.parametrize(("value", "is_told"), [(1, True), (0, False), (None, False)])
def test_times_of_producers_are_no_fault_but_told(value: float | None, is_told: bool) -> None:
    told = step(seen(measures=[measure("producers_time", "topic", value)]), "kafka")
    assert (told.note is not None, told.unwell) == (is_told, [])


def test_the_newest_alert_of_a_step() -> None:
    def alert(name: str, subject: str, resolved: datetime | None) -> dict[str, Any]:
        return {"name": name, "subject": subject, "message": "m", "raised_at": PLAIN, "resolved_at": resolved}

    told = seen(alerts=[alert("source_down", "kafka", None), alert("lag_records", "x", PLAIN), alert("odd", "x", None)])
    found = step(told, "kafka").last_error
    assert found is not None
    assert (found.name, found.resolved_at, found.raised_at) == ("source_down", None, START)
    assert step(told, "lake").last_error is None


def test_every_alert_of_the_pipeline_belongs_to_a_step_or_to_none_on_purpose() -> None:
    from pinwheel.alerts.catalogue import ALERTS

    told = {name.partition("/")[0] for _, _, about in STEPS.values() for name in about}
    assert set(ALERTS) - told == {
        "test_alert",
        "message_given_up",
        "events_conflicting",
        "books_differ",
        "pins_given_up",
        "reports_failed",
        "stream_continued",
        "record_unprocessable",
    }


def test_a_table_is_as_far_as_the_books_say() -> None:
    merge = {"table_name": "repins", "judged": 600, "merged": 300, "audited_at": PLAIN, "merged_at": PLAIN}
    told = seen(
        [commit(7, 0, 1), commit(9, 2, 1)],
        merges=[merge | {"slices_open": 2}],
        watermarks=[{"table_name": "repins", "version": 6}],
        complete=[{"table_name": "repins", "complete_through_utc": PLAIN, "age_seconds": 1, "newest_utc": PLAIN}],
        measures=[measure("held_slices", "repins", 1, 0, well=0)],
    )
    table = next(t for t in told.tables if t.table == "repins")
    assert (table.complete_through, table.age_seconds) == (START, 60)
    assert (table.rows_per_second, table.versions_behind, table.slices_open, table.held_slices) == (1.0, 3, 2, 1)
    gate = step(told, "gate")
    assert (gate.rows_per_second, gate.newest_age_seconds, gate.backlog) == (2.0, 60, 1)
    assert step(told, "lake").backlog == 3


def test_rollups_follow_the_merges() -> None:
    told = seen(
        complete=[{"table_name": "rollups", "complete_through_utc": PLAIN}],
        measures=[measure("merged_behind_seconds", "rollups", 500, 120, well=0)],
        rollup_queue=3,
    )
    rollups = step(told, "rollups")
    assert (rollups.newest_age_seconds, rollups.backlog) == (60, 3)
    assert rollups.unwell == ["The newest event in the rollups is 8 min 20 s behind Kafka's; allowed are 2 min"]
    assert step(told, "merged").unwell == []
    assert told.tables[-1].table == "rollups"
    assert told.tables[-1].versions_behind is None


def notes(settings: HealthSettings, **state: Any) -> None:
    settings.stream_dir.mkdir(parents=True, exist_ok=True)
    (settings.stream_dir / "supervisor.json").write_text(json.dumps(state))


def test_the_driver_elsewhere_is_not_known(settings: HealthSettings) -> None:
    assert flow_sources.driver(settings, DatabaseRows()).state == "unknown"


def test_the_driver_runs(settings: HealthSettings) -> None:
    notes(settings, restarts=5, failures=0)
    with drivers.hold_lock(settings.driver_lock_path):
        told = flow_sources.driver(settings, DatabaseRows(restarts_before=3))
    assert (told.state, told.restarts_today) == ("running", 2)
    assert told.since is not None
    assert abs((datetime.now(UTC) - told.since).total_seconds()) < 60


@pytest.mark.parametrize(
    ("state", "expected"),
    [({"failures": 2, "next_start_at": 100.0}, "restarting"), ({"launched_pid": 7}, "restarting"), ({}, "stopped")],
)
def test_the_driver_does_not_run(settings: HealthSettings, state: dict[str, Any], expected: str) -> None:
    notes(settings, **state)
    told = flow_sources.driver(settings, DatabaseRows())
    assert (told.state, told.restarts_today) == (expected, None)


def test_the_lake_s_newest_commits(settings: HealthSettings) -> None:
    assert flow_sources.landings(settings) == ([], None)
    land(Path(settings.lake_uri), now_events(1))
    commits, version = flow_sources.landings(settings)
    assert (commits, version) == ([], 1), "a version without books is no landing"

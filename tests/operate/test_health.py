"""One fault makes one alert and one recovery, and a source that is down hides no other fault."""

import json
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pymysql
import pytest
from deltalake import DeltaTable

from pinwheel.alerts import listing
from pinwheel.alerts.catalogue import ALERTS, Alert
from pinwheel.clients import kafka, kafka_topic, memsql
from pinwheel.clients.kafka import Held
from pinwheel.core.errors import MemsqlError, MissingPartError
from pinwheel.core.settings import HealthSettings
from pinwheel.lake.landing import Landing
from pinwheel.operate import health
from pinwheel.operate.health import Measure, look, update_alerts
from pinwheel.stream import driver_lock, supervisor
from pinwheel.stream.supervisor import SupervisorState
from tests.support.lake_rows import make_lake, row, write

NOW = datetime(2026, 3, 14, 12, 1, tzinfo=UTC)


class People:
    """Record each alert and each resolution."""

    def __init__(self) -> None:
        self.told: list[tuple[str, str]] = []

    def raise_(self, alert: Alert, subject: str, message: str) -> None:
        self.told.append(("raised", alert.name))

    def resolve(self, alert: Alert, subject: str, message: str, was_sent: bool = False) -> None:
        self.told.append(("resolved", alert.name))


class Database:
    """Answers the health queries; None: it is down."""

    def __init__(self) -> None:
        self.answers: dict[str, list[dict[str, Any]]] | None = {
            "operate/merged": [],
            "operate/held": [],
            "operate/pending": [{"pins": 0}],
            "operate/undelivered": [{"waiting": 0, "given_up": 0}],
            "alerts/list_open": [],
        }

    def connect(self, settings: object, statement_seconds: float) -> "closing[Database]":
        if self.answers is None:
            raise MemsqlError("away")
        return closing(self)

    def fetch(self, connection: object, name: str, params: object = None) -> list[dict[str, Any]]:
        assert self.answers is not None
        return self.answers[name]

    def commit(self) -> None:
        pass

    def close(self) -> None:
        pass


class Broker:
    """Holds these offsets; None: it is down."""

    def __init__(self) -> None:
        self.held: dict[int, Held] | None = {0: Held(0, 3)}
        self.newest = NOW
        self.oldest = NOW - timedelta(seconds=30)
        self.has_brokers_time: bool | None = True

    def held_offsets(self, settings: object) -> dict[int, Held]:
        if self.held is None:
            raise MissingPartError("down")
        return self.held

    def newest_times(self, settings: object, held: dict[int, Held]) -> dict[int, datetime]:
        return {p: self.newest for p, h in held.items() if h.end > h.start}

    def oldest_times(self, settings: object, held: dict[int, Held]) -> dict[int, datetime]:
        return {p: self.oldest for p, h in held.items() if h.end > h.start}


@pytest.fixture
def broker(monkeypatch: pytest.MonkeyPatch) -> Broker:
    found = Broker()
    monkeypatch.setattr(kafka, "held_offsets", found.held_offsets)
    monkeypatch.setattr(kafka, "newest_times", found.newest_times)
    monkeypatch.setattr(kafka, "oldest_times", found.oldest_times)
    monkeypatch.setattr(kafka_topic, "has_brokers_time", lambda _: found.has_brokers_time)
    return found


@pytest.fixture
def database(monkeypatch: pytest.MonkeyPatch) -> Database:
    found = Database()
    monkeypatch.setattr(memsql, "connect", found.connect)
    monkeypatch.setattr(memsql, "fetch", found.fetch)
    monkeypatch.setattr(listing, "fetch", found.fetch)
    return found


@pytest.fixture
def settings(tmp_path: Path) -> Iterator[HealthSettings]:
    uri = make_lake(tmp_path)
    Landing(uri, "engagement.events").commit(write(uri, [row(0), row(1, "login")], [row(2, "dead_letter")]))
    lock = tmp_path / "driver.lock"
    with driver_lock.hold_lock(lock):
        yield HealthSettings(lake_uri=f"{tmp_path}/lake", stream_dir=tmp_path, driver_lock_path=lock)


def measured(settings: HealthSettings, now: datetime = NOW) -> dict[tuple[str, str], Measure]:
    return {(m.name, m.subject): m for m in look(settings, now)}


@pytest.mark.usefixtures("broker", "database")
def test_what_is_landed_and_what_is_not(settings: HealthSettings) -> None:
    found = measured(settings)

    assert found["lag_records", "partition 0"].value == 0
    assert found["kafka_age_seconds", "partition 0"].value == 0
    assert found["lake_behind_seconds", "events"].value == pytest.approx(58, abs=0.2)  # 12:00:02
    assert found["open_batch_seconds", "stream_engagement"].value == 0
    assert found["dead_letter_share", "events"].value == pytest.approx(1 / 3)
    assert found["driver_down", "stream_engagement"].is_well


@pytest.mark.parametrize(("is_brokers", "value"), [(True, 0), (False, 1), (None, None)])
def test_whose_time_records_have(
    settings: HealthSettings, broker: Broker, database: Database, is_brokers: bool | None, value: float | None
) -> None:
    broker.has_brokers_time = is_brokers
    told = measured(settings)["producers_time", "topic"]
    assert (told.value, told.is_well) == (value, True)


def test_records_that_wait(settings: HealthSettings, broker: Broker, database: Database) -> None:
    broker.held = {0: Held(0, 200_000), 1: Held(50, 60)}
    found = measured(settings, datetime.now(UTC) + timedelta(seconds=500))

    assert (found["lag_records", "partition 0"].value, found["lag_records", "partition 0"].is_well) == (199_997, False)
    assert found["lag_records", "partition 1"].value == 10, "what Kafka has expired is no lag"
    assert not found["open_batch_seconds", "stream_engagement"].is_well


def test_tables_that_stand_still(settings: HealthSettings, broker: Broker, database: Database) -> None:
    assert database.answers is not None
    naive = NOW.replace(tzinfo=None)
    database.answers["operate/merged"] = [
        {"table_name": "repins", "newest_at": naive - timedelta(seconds=300)},
        {"table_name": "pins", "newest_at": naive},
        {"table_name": "rollups", "newest_at": naive - timedelta(seconds=301)},
    ]
    database.answers["operate/undelivered"] = [{"waiting": 1, "given_up": 0}]
    database.answers["operate/held"] = [{"table_name": "repins", "slices": 1}]
    found = measured(settings)

    assert (found["merged_behind_seconds", "repins"].value, found["merged_behind_seconds", "pins"].value) == (300, 0)
    assert found["merged_behind_seconds", "rollups"].value == 301
    assert not found["held_slices", "repins"].is_well
    assert not found["alerts_undelivered", "waiting"].is_well
    assert found["alerts_undelivered", "given_up"].is_well
    assert found["held_slices", "pins"].is_well


BEHIND = [("lake_behind_seconds", "events"), ("merged_behind_seconds", "pins")]


@pytest.mark.parametrize(("waited", "is_well"), [(100, True), (130, False)])
def test_what_never_had_a_record_is_behind_since_the_oldest_waits(
    tmp_path: Path, broker: Broker, database: Database, waited: int, is_well: bool
) -> None:
    """At the first start nothing is merged for a minute, which is no fault; a first merge that is stuck is one."""
    broker.oldest, broker.newest = NOW - timedelta(seconds=waited), NOW - timedelta(seconds=waited - 5)  # then none
    found = measured(HealthSettings(lake_uri=f"{tmp_path}/lake", stream_dir=tmp_path))

    assert {key: (found[key].value, found[key].is_well) for key in BEHIND} == dict.fromkeys(BEHIND, (waited, is_well))


@pytest.mark.parametrize("wild", [datetime(1970, 1, 1, tzinfo=UTC), datetime.max.replace(tzinfo=UTC)])
def test_a_clock_that_cannot_be_right_decides_nothing(
    settings: HealthSettings, broker: Broker, database: Database, monkeypatch: pytest.MonkeyPatch, wild: datetime
) -> None:
    broker.held = {0: Held(0, 3), 1: Held(0, 1)}
    well = measured(settings)
    monkeypatch.setattr(kafka, "newest_times", lambda *_: {0: broker.newest, 1: wild})
    monkeypatch.setattr(kafka, "oldest_times", lambda *_: {0: broker.oldest, 1: wild})
    found = measured(settings)
    assert [found[key].value for key in BEHIND] == [well[key].value for key in BEHIND]
    assert found["kafka_age_seconds", "partition 1"].value is None

    monkeypatch.setattr(kafka, "newest_times", lambda *_: {0: wild})
    unknown = measured(settings)["lake_behind_seconds", "events"]
    assert (unknown.value, unknown.is_well) == (None, False)


@pytest.mark.usefixtures("database")
def test_what_landed_long_ago_is_not_taken_for_nothing(settings: HealthSettings, broker: Broker) -> None:
    broker.oldest = NOW - timedelta(days=7)
    for n in range(health.RECENT_COMMITS):
        DeltaTable(settings.events_uri).alter.set_table_properties({"test.n": str(n)}, raise_if_not_exists=False)

    assert BEHIND[0] not in measured(settings)


@pytest.mark.usefixtures("broker", "database")
def test_a_quiet_lake_whose_log_was_shortened_is_not_down(settings: HealthSettings) -> None:
    table = DeltaTable(settings.events_uri)
    for n in range(health.RECENT_COMMITS + 2):
        table.alter.set_table_properties({"test.n": str(n)}, raise_if_not_exists=False)
    table.create_checkpoint()
    for entry in sorted(Path(settings.events_uri, "_delta_log").glob("*.json"))[:-1]:
        entry.unlink()

    found = measured(settings)
    assert found["source_down", "lake"].is_well
    assert found["lag_records", "partition 0"].value == 0


def test_a_source_that_is_down_hides_no_other(settings: HealthSettings, broker: Broker, database: Database) -> None:
    broker.held, database.answers = None, None
    found = measured(settings)

    assert [s for (n, s), m in found.items() if n == "source_down" and not m.is_well] == ["kafka", "memsql"]
    assert ("dead_letter_share", "events") in found
    assert not [key for key in found if key[0] in ("lag_records", "lake_behind_seconds", "merged_behind_seconds")]


def test_nothing_there_yet(tmp_path: Path, broker: Broker, database: Database) -> None:
    broker.held = {}
    fresh = HealthSettings(lake_uri=f"{tmp_path}/lake", stream_dir=tmp_path, driver_lock_path=tmp_path / "lock")
    found = measured(fresh)

    assert [key for key, m in found.items() if not m.is_well] == [], "a first start is no fault"


@pytest.mark.parametrize(
    ("state", "is_well"),
    [
        (SupervisorState(launched_at=900, failures=1), False),
        (SupervisorState(launched_at=990, failures=1), True),  # it is being started
        (SupervisorState(launched_at=500, failures=9, next_start_at=1100), True),  # driver_failing tells
        (SupervisorState(stopped_at=600, stopped_by="ann"), True),
        (SupervisorState(), False),  # it ran, and nobody supervises it
    ],
)
def test_a_driver_that_is_down_is_a_fault_if_nobody_is_at_it(
    settings: HealthSettings, broker: Broker, database: Database, state: SupervisorState, is_well: bool
) -> None:
    settings.driver_lock_path.unlink()
    (settings.stream_dir / "supervisor.json").write_text(json.dumps(asdict(state)))
    now = datetime.fromtimestamp(1000 + supervisor.START_SECONDS - 100, UTC)
    assert measured(settings, now)["driver_down", "stream_engagement"].is_well is is_well


DOWN = Measure("driver_down", "stream_engagement", 1, 0)
BATCH = Measure("open_batch_seconds", "stream_engagement", 300, 120)
LATE = Measure("lake_behind_seconds", "events", 300, 120)
OLD = [Measure("merged_behind_seconds", table, 300, 120) for table in ("pins", "repins", "rollups")]
STOPPED = Measure("stopped_seconds", "stream_engagement", 60, 3600)
KAFKA = Measure("source_down", "kafka", 1, 0)


def well(*measures: Measure) -> list[Measure]:
    return [replace(m, value=0.0) for m in measures]


def told(tmp_path: Path, *looks: list[Measure], open_alerts: Sequence[dict[str, str]] = ()) -> list[tuple[str, str]]:
    people = People()
    for measures in looks:
        update_alerts(measures, tmp_path / "health.json", NOW, 2, people.raise_, people.resolve, open_alerts)
    return people.told


@pytest.mark.parametrize(
    ("cause", "measures"),
    [
        ("driver_down", [DOWN, BATCH, LATE, *OLD]),
        ("open_batch_seconds", [BATCH, LATE, *OLD]),
        ("lake_behind_seconds", [LATE, *OLD, Measure("lag_records", "partition 0", 5.0, 4.0)]),
        ("source_down", [KAFKA, DOWN, BATCH, LATE, *OLD]),
        ("merged_behind_seconds", OLD),
    ],
)
def test_what_follows_from_a_fault_is_not_told_besides_it(tmp_path: Path, cause: str, measures: list[Measure]) -> None:
    caught_up = [*well(measures[0]), *measures[1:]] if cause != "merged_behind_seconds" else well(*OLD)
    looks = [measures] * 9 + [caught_up] * health.CATCH_UP_LOOKS + [well(*measures)]
    assert told(tmp_path, *looks) == [("raised", cause), ("resolved", cause)]


def test_what_stays_when_its_cause_is_over_is_told(tmp_path: Path) -> None:
    after = [[*well(DOWN), LATE]] * (health.CATCH_UP_LOOKS + 2)
    assert told(tmp_path, *[[DOWN, LATE]] * 3, *after) == [
        ("raised", "driver_down"),
        ("resolved", "driver_down"),
        ("raised", "lake_behind_seconds"),
    ]


def test_a_stream_that_a_person_stopped_is_no_fault_and_they_are_reminded(tmp_path: Path) -> None:
    quiet = [BATCH, LATE, *OLD]
    assert told(tmp_path, *[[STOPPED, *quiet]] * 9) == []
    assert told(tmp_path, *[[replace(STOPPED, value=4000), *quiet]] * 3) == [("raised", "stopped_seconds")]


def test_a_cause_that_comes_and_goes_hides_nothing(tmp_path: Path) -> None:
    """A slow database, for example, whose health query times out now and then."""
    away = Measure("source_down", "kafka", 1, 0)
    looks = [[away, LATE] if n % 5 == 0 else [*well(away), LATE] for n in range(20)]
    assert told(tmp_path, *looks) == [("raised", "lake_behind_seconds")]


@pytest.mark.parametrize("source", ["memsql", "disk", "driver"])
def test_a_source_that_the_stream_does_not_need_explains_nothing_of_it(tmp_path: Path, source: str) -> None:
    away = Measure("source_down", source, 1, 0)
    assert told(tmp_path, *[[away, DOWN]] * 5) == [("raised", "source_down"), ("raised", "driver_down")]


def test_a_reminder_ends_with_the_stop_and_hides_nothing_after_it(tmp_path: Path) -> None:
    long, over = replace(STOPPED, value=4000), replace(STOPPED, value=0)
    own = [{"name": "stopped_seconds", "subject": "pipeline"}]
    looks = [[long, LATE]] * 3 + [[over, LATE]] * (health.CATCH_UP_LOOKS + 2)
    assert told(tmp_path, *looks, open_alerts=own) == [
        ("raised", "stopped_seconds"),
        ("resolved", "stopped_seconds"),
        ("raised", "lake_behind_seconds"),
    ]


def test_how_long_a_stream_is_stopped_is_always_measured(
    settings: HealthSettings, broker: Broker, database: Database
) -> None:
    assert measured(settings)["stopped_seconds", "stream_engagement"].value == 0
    state = SupervisorState(stopped_at=NOW.timestamp() - 4000, stopped_by="ann" * 200)
    (settings.stream_dir / "supervisor.json").write_text(json.dumps(asdict(state)))
    found = measured(settings)["stopped_seconds", "stream_engagement"]
    assert (found.value, found.is_well) == (4000, False)


@pytest.mark.parametrize("name", ["slice_held", "table_cut_off", "merge_failing"])
@pytest.mark.parametrize("subject", ["repins", "repins shard 2 of 4"])
def test_a_table_with_an_alert_of_its_own_is_not_told_to_be_behind_and_others_are(
    tmp_path: Path, name: str, subject: str
) -> None:
    own = [{"name": name, "subject": subject}]
    assert told(tmp_path / "", *[OLD[1:]] * 9, open_alerts=own) == []
    assert told(tmp_path, *[OLD] * 9, open_alerts=own) == [("raised", "merged_behind_seconds")]


LAG = [Measure("lag_records", "partition 0", 5.0, 4.0), Measure("lag_records", "partition 1", 1.0, 4.0)]
WELL = [Measure("lag_records", "partition 0", 0.0, 4.0)]


def test_one_fault_is_one_alert_and_one_recovery(tmp_path: Path) -> None:
    people = People()
    for measures in (WELL, LAG, WELL, LAG, LAG, LAG, LAG, WELL, WELL):
        update_alerts(measures, tmp_path / "health.json", NOW, 2, people.raise_, people.resolve)

    assert people.told == [("raised", "lag_records"), ("resolved", "lag_records")]


@pytest.mark.parametrize("error", [MemsqlError("away"), pymysql.err.OperationalError(2013, "too slow")], ids=str)
def test_a_database_that_goes_away_after_it_was_measured_is_no_error(
    settings: HealthSettings, broker: Broker, database: Database, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def away(*_: object) -> None:
        raise error

    monkeypatch.setattr(health, "keep", away)
    people = People()
    found = health.watch(settings, NOW, people.raise_, people.resolve)
    assert ("source_down", "memsql", True) in {(m.name, m.subject, m.is_well) for m in found}


def test_a_database_that_refuses_the_measures_is_an_error(
    settings: HealthSettings, broker: Broker, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object) -> None:
        raise pymysql.err.OperationalError(1142, "INSERT command denied")

    monkeypatch.setattr(health, "keep", refused)
    people = People()
    with pytest.raises(pymysql.err.OperationalError, match="denied"):
        health.watch(settings, NOW, people.raise_, people.resolve)


def test_what_could_not_be_measured_is_not_well_again(tmp_path: Path) -> None:
    people = People()
    for measures in (LAG, LAG, [], [Measure("source_down", "kafka", 1, 0)], LAG, WELL):
        update_alerts(measures, tmp_path / "health.json", NOW, 2, people.raise_, people.resolve)

    assert people.told == [("raised", "lag_records"), ("resolved", "lag_records")]


def test_every_measure_with_a_limit_has_an_alert(settings: HealthSettings, broker: Broker, database: Database) -> None:
    limited = {m.name for m in look(settings, NOW) if m.limit is not None}

    assert limited - {"held_slices", "alerts_undelivered"} <= ALERTS.keys(), "told by the merge, or never"

"""Rows that landed without their pin get it, in the lake and, by the change feed, in the reporting tables."""

import json
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

import pyarrow as pa
import pytest
from deltalake import DeltaTable

from pinwheel.clients import memsql
from pinwheel.clients.memsql import Connection, Row
from pinwheel.core.contract import PIN_FIELDS, PIN_VERSION
from pinwheel.core.settings import CompleteSettings, MergeSettings
from pinwheel.enrich.pin_sources import Answer, SourceDownError
from pinwheel.enrich.pins import PinLookup
from pinwheel.lake.events_table import arrow_schema
from pinwheel.lake.late_completion import Completion, complete
from pinwheel.rollup.rollups import Rollups
from spark_jobs.transforms.enrich import with_pins
from spark_jobs.transforms.parse import RECORDS_SCHEMA, Limits, Parser
from tests.support import slices
from tests.support.dying import die_at
from tests.support.lakes import NOON, event, hours, land
from tests.support.places import on_disk_and_in_a_store
from tests.support.types import Query

Complete = Callable[..., Completion]
Told = list[tuple[str, str]]
WAITING = {"pin_status": "pending", "brand_id": None, "category": None}
ROW = {f.name: None for f in PIN_FIELDS} | {"creator_id": 3, "board_id": 4, "brand_id": 9, "category": "art"}


class Source:
    """A Pin API that knows the pins in ``pins``, or is down."""

    def __init__(self) -> None:
        self.pins: set[int] = set()
        self.unknown: set[int] = set()
        self.down = False
        self.meanwhile: Callable[[], None] | None = None

    def fetch(self, pin_ids: Sequence[int]) -> Answer:
        if self.meanwhile:
            self.meanwhile()
        if self.down:
            raise SourceDownError("down")
        row = (*(ROW[f.name] for f in PIN_FIELDS if f.name != "pin_id"), *(None for _ in PIN_VERSION))
        return Answer({i: row for i in pin_ids if i in self.pins}, self.unknown & set(pin_ids))


@pytest.fixture
def source() -> Source:
    return Source()


@pytest.fixture
def told() -> Told:
    """The alerts of the runs."""
    return []


@pytest.fixture
def run(settings: MergeSettings, source: Source, told: Told) -> Complete:
    own = CompleteSettings(**settings.model_dump(include=set(CompleteSettings.model_fields)))

    def run(now: datetime = NOON, **changes: Any) -> Completion:
        pins = own.model_copy(update=changes)
        alert = lambda alert, subject, message: told.append((f"{alert.name} {subject}", message))  # noqa: E731
        return complete(pins, PinLookup(pins, source=source), now, alert)

    return run


def merge_all(settings: MergeSettings, connection: Connection) -> None:
    for table in ("repins", "comments"):
        slices.merge_all(table, settings, connection)
    Rollups(now=lambda: NOON + hours(12)).refresh(connection)


def waiting_rows() -> list[Row]:
    return [
        event("repin", "a", 1, pin_id=1, **WAITING),
        event("repin", "b", 2, pin_id=2, **WAITING),
        event("repin", "old", 3, pin_id=1, occurred_at=NOON - hours(30), **WAITING),
        event("comment", "c", 4, pin_id=1, **WAITING),
        event("repin", "fine", 5, pin_id=1, brand_id=70),
    ]


@on_disk_and_in_a_store
def test_a_pin_that_arrives_completes_every_row_that_waits_for_it(
    settings: MergeSettings, connection: Connection, query: Query, source: Source, run: Complete
) -> None:
    land(settings.lake_uri, waiting_rows())
    merge_all(settings, connection)
    assert query("SELECT SUM(repins) AS n FROM brand_hourly")[0]["n"] == 1
    source.pins = {1}

    report = run()
    assert (report.pins, report.rows, report.waiting) == (1, 3, 1)
    merge_all(settings, connection)

    rows = {r["event_id"]: r for r in query("SELECT * FROM repins")}
    assert {i: (r["brand_id"], r["category"], r["pin_status"], r["pin_creator_id"]) for i, r in rows.items()} == {
        "a": (9, "art", "fetched", 3),
        "b": (None, None, "pending", None),
        "old": (9, "art", "fetched", 3),
        "fine": (70, "travel", "cached", None),
    }
    counts = {
        r["brand_id"]: (r["repins"], r["comments"])
        for r in query(
            "SELECT brand_id, SUM(repins) AS repins, SUM(comments) AS comments FROM brand_daily GROUP BY brand_id"
        )
    }
    assert counts == {9: (2, 1), 70: (1, 0)}
    assert [r["pin_id"] for r in query("SELECT pin_id FROM pending_pins")] == [2]


def test_again_changes_nothing(
    settings: MergeSettings, connection: Connection, query: Query, source: Source, run: Complete
) -> None:
    land(settings.lake_uri, waiting_rows())
    merge_all(settings, connection)
    source.pins = {1, 2}
    run()
    version = DeltaTable(f"{settings.lake_uri}/events").version()
    with connection.cursor() as cursor:  # as if it had died before it removed them from the list
        cursor.execute("INSERT INTO pending_pins (pin_id, event_date) VALUES (1, %s)", (NOON.date(),))
    connection.commit()

    assert run().rows == 0
    assert query("SELECT * FROM pending_pins") == []
    rows = DeltaTable(f"{settings.lake_uri}/events").to_pyarrow_table(columns=["pin_status"])
    assert "pending" not in rows["pin_status"].to_pylist()
    assert DeltaTable(f"{settings.lake_uri}/events").version() <= version + 1


def statuses(query: Query) -> dict[str, str]:
    return {r["event_id"]: r["pin_status"] for r in query("SELECT event_id, pin_status FROM repins")}


def listed(query: Query) -> list[tuple[Any, ...]]:
    return [tuple(r.values()) for r in query("SELECT pin_id, event_date, pin_status FROM pending_pins ORDER BY 1, 2")]


def test_a_pin_that_does_not_exist_yet_is_unknown_until_it_does(
    settings: MergeSettings, connection: Connection, query: Query, source: Source, run: Complete
) -> None:
    land(settings.lake_uri, waiting_rows())
    merge_all(settings, connection)
    source.unknown = {1, 2}

    assert run() == Completion(pins=0, rows=4, unknown=2)
    merge_all(settings, connection)
    assert statuses(query) == {"a": "unknown", "b": "unknown", "old": "unknown", "fine": "cached"}
    yesterday, today = (NOON - hours(30)).date(), NOON.date()
    assert listed(query) == [(1, yesterday, "unknown"), (1, today, "unknown"), (2, today, "unknown")]

    version = DeltaTable(settings.events_uri).version()
    assert run() == Completion(unknown=2)
    assert DeltaTable(settings.events_uri).version() == version, "unknown rows are not written again"

    source.unknown, source.pins = {2}, {1}
    assert run() == Completion(pins=1, rows=3, unknown=1)
    merge_all(settings, connection)
    assert statuses(query) == {"a": "fetched", "b": "unknown", "old": "fetched", "fine": "cached"}
    assert listed(query) == [(2, today, "unknown")]
    assert query("SELECT SUM(repins) AS n FROM brand_daily WHERE brand_id = 9")[0]["n"] == 2


def record(offset: int, event: dict[str, Any]) -> dict[str, Any]:
    value = json.dumps({"occurred_at": NOON.isoformat(), "user_id": 5, **event}).encode()
    return {"value": value, "value_bytes": len(value), "kafka_partition": 0, "kafka_offset": offset,
            "kafka_timestamp": NOON}  # fmt: skip


def test_a_repin_before_its_pin_gets_the_brand_when_the_pin_comes(
    settings: MergeSettings, connection: Connection, query: Query, source: Source, run: Complete
) -> None:
    """The case "repin first", by the stream's own parser and lookup."""
    own = CompleteSettings(**settings.model_dump(include=set(CompleteSettings.model_fields)))
    stream, parser = PinLookup(own, source=source), Parser(Limits(10_000, 3600, 31))
    source.unknown = {950}

    def stream_lands(offset: int, event: dict[str, Any]) -> None:
        parsed = parser.parse(pa.Table.from_pylist([record(offset, event)], schema=RECORDS_SCHEMA))
        rows = with_pins(parsed, stream).to_pylist()
        land(settings.lake_uri, pa.Table.from_pylist(rows, schema=arrow_schema()))
        slices.merge_all("pins", settings, connection)
        merge_all(settings, connection)

    stream_lands(0, {"event_id": "repin", "event_type": "repin", "pin_id": 950, "board_id": 1})
    assert statuses(query) == {"repin": "unknown"}
    run()
    pin = {"pin_id": 950, "creator_id": 4, "board_id": 1, "brand_id": 3, "category": "food"}
    stream_lands(1, {"event_id": "pin", "event_type": "pin", "pin": pin})
    assert run() == Completion(pins=1, rows=1)
    merge_all(settings, connection)

    assert query("SELECT pin_status, brand_id, category, pin_creator_id FROM repins") == [
        {"pin_status": "cached", "brand_id": 3, "category": "food", "pin_creator_id": 4}
    ]
    assert query("SELECT brand_id, pins, repins FROM brand_hourly") == [{"brand_id": 3, "pins": 1, "repins": 1}]
    assert query("SELECT * FROM pending_pins") == []


def test_unknown_pins_do_not_keep_pending_ones_from_being_asked_for(
    settings: MergeSettings, connection: Connection, query: Query, source: Source, run: Complete
) -> None:
    unknown = [event("repin", f"u{n}", n, pin_id=100 + n, **WAITING | {"pin_status": "unknown"}) for n in range(20)]
    land(settings.lake_uri, unknown)
    merge_all(settings, connection)
    land(settings.lake_uri, [event("repin", f"p{n}", 50 + n, pin_id=200 + n, **WAITING) for n in range(4)])
    merge_all(settings, connection)
    source.unknown = {100 + n for n in range(20)}

    source.pins = {200, 201, 202}
    assert run(complete_max_pins=3) == Completion(pins=3, rows=3)
    assert run(complete_max_pins=3) == Completion(unknown=2, waiting=1)
    source.unknown.remove(119)
    with memsql.transaction(connection), connection.cursor() as cursor:
        cursor.execute("INSERT INTO pin_cache (pin_id, creator_id, board_id) VALUES (119, 1, 1)")
    assert run(complete_max_pins=3) == Completion(pins=1, rows=1, unknown=1, waiting=1), "one that has come is first"
    for _ in range(16):
        run(complete_max_pins=3)
    assert query("SELECT COUNT(*) AS n FROM pending_pins WHERE asked_at IS NULL")[0]["n"] == 0, "each gets its turn"


def test_a_row_that_lands_during_a_run_stays_listed(
    settings: MergeSettings, connection: Connection, query: Query, source: Source, run: Complete
) -> None:
    land(settings.lake_uri, [event("repin", "a", 0, pin_id=1, **WAITING)])
    merge_all(settings, connection)
    source.pins = {1}
    source.meanwhile = lambda: note_again(connection)

    assert run().rows == 1
    assert listed(query) == [(1, NOON.date(), "pending")]
    source.meanwhile = None
    assert run().rows == 0
    assert listed(query) == []


def note_again(connection: Connection) -> None:
    """As the merge of a row that landed after the run has looked."""
    with memsql.transaction(connection):
        row = {"pin_id": 1, "event_date": NOON.date(), "pin_status": "pending"}
        memsql.execute(connection, "merge/note_pending", row)


def test_while_the_source_is_down_all_wait_and_the_oldest_are_given_up(
    settings: MergeSettings, connection: Connection, query: Query, source: Source, run: Complete, told: Told
) -> None:
    land(settings.lake_uri, waiting_rows())
    merge_all(settings, connection)
    source.down = True

    assert (run().waiting, run().pins) == (2, 0)
    assert len(query("SELECT * FROM pending_pins")) == 3
    assert told == []
    assert (run(NOON + timedelta(days=31)).given_up, statuses(query)["old"]) == (1, "pending")
    merge_all(settings, connection)
    assert statuses(query) == {"a": "pending", "b": "pending", "old": "given_up", "fine": "cached"}
    assert [subject for subject, _ in told] == ["pins_given_up events"]
    assert "1 pins were given up after 31 days, for example pin 1 of 2026-03-13." in told[0][1]
    assert run(NOON + timedelta(days=32)).given_up == 2
    source.down, source.pins = False, {1, 2}
    merge_all(settings, connection)
    assert run(NOON + timedelta(days=32)) == Completion()
    assert {status for i, status in statuses(query).items() if i != "fine"} == {"given_up"}


def test_unknown_pins_are_given_up_too_and_told_unless_they_were_never_asked_for(
    settings: MergeSettings, connection: Connection, query: Query, source: Source, run: Complete, told: Told
) -> None:
    land(settings.lake_uri, [event("repin", "a", 0, pin_id=1, **WAITING | {"pin_status": "unknown"})])
    merge_all(settings, connection)
    source.unknown = {1}
    run()
    assert run(NOON + timedelta(days=32)) == Completion(given_up=1)
    assert (statuses(query), len(told)) == ({"a": "unknown"}, 1)
    land(settings.lake_uri, [event("repin", "b", 1, pin_id=1, **WAITING | {"pin_status": "unknown"})])
    merge_all(settings, connection)
    assert run(NOON + timedelta(days=32)) == Completion(given_up=1)
    assert (listed(query), len(told)) == ([], 1)


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize(
    ("statement", "days"), [("lake/forget_pending", 0), ("lake/note_asked", 0), ("lake/forget_pending", 32)]
)
def test_a_run_that_dies_is_done_by_the_next(
    settings: MergeSettings,
    connection: Connection,
    query: Query,
    source: Source,
    run: Complete,
    monkeypatch: pytest.MonkeyPatch,
    statement: str,
    days: int,
    after: bool,
) -> None:
    land(settings.lake_uri, waiting_rows())
    merge_all(settings, connection)
    source.pins, source.unknown = {1}, {2}
    now = NOON + timedelta(days=days)

    with monkeypatch.context() as patch:
        die_at(patch, statement, after=after)
        with pytest.raises(KeyboardInterrupt):
            run(now)
    run(now)
    merge_all(settings, connection)

    rows = query("SELECT event_id, brand_id FROM repins WHERE event_id <> 'fine'")
    assert {r["event_id"]: r["brand_id"] for r in rows} == {
        "a": None if days else 9,
        "b": None,
        "old": None if days else 9,
    }
    assert statuses(query)["b"] == ("given_up" if days else "unknown")
    assert listed(query) == ([(2, NOON.date(), "unknown")] if not days else [])

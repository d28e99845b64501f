"""Rows that landed without their pin get it, in the lake and, by the change feed, in the reporting tables."""

from collections.abc import Callable, Sequence
from datetime import timedelta

import pytest
from deltalake import DeltaTable

from pinwheel.clients.memsql import Connection, Row
from pinwheel.core.contract import PIN_FIELDS
from pinwheel.core.settings import CompleteSettings, MergeSettings
from pinwheel.enrich.pin_sources import Answer, SourceDownError
from pinwheel.enrich.pins import PinLookup
from pinwheel.lake.late_completion import Completion, complete
from pinwheel.rollup.rollups import Rollups
from tests.support import slices
from tests.support.lakes import NOON, event, hours, land
from tests.support.places import on_disk_and_in_a_store
from tests.support.types import Query

Complete = Callable[..., Completion]
WAITING = {"pin_status": "pending", "brand_id": None, "category": None}
ROW = {f.name: None for f in PIN_FIELDS} | {"creator_id": 3, "board_id": 4, "brand_id": 9, "category": "art"}


class Source:
    """A Pin API that knows the pins in ``pins``, or is down."""

    def __init__(self) -> None:
        self.pins: set[int] = set()
        self.unknown: set[int] = set()
        self.down = False

    def fetch(self, pin_ids: Sequence[int]) -> Answer:
        if self.down:
            raise SourceDownError("down")
        row = tuple(ROW[f.name] for f in PIN_FIELDS if f.name != "pin_id")
        return Answer({i: row for i in pin_ids if i in self.pins}, self.unknown & set(pin_ids))


@pytest.fixture
def source() -> Source:
    return Source()


@pytest.fixture
def run(settings: MergeSettings, source: Source) -> Complete:
    own = CompleteSettings(**settings.model_dump(include=set(CompleteSettings.model_fields)))
    return lambda now=NOON, pins=own: complete(pins, PinLookup(pins, source=source), now)


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


def test_a_pin_that_does_not_exist_is_said_to_be_unknown(
    settings: MergeSettings, connection: Connection, query: Query, source: Source, run: Complete
) -> None:
    land(settings.lake_uri, waiting_rows())
    merge_all(settings, connection)
    source.unknown = {1, 2}

    run()
    merge_all(settings, connection)

    assert {r["pin_status"] for r in query("SELECT pin_status FROM repins WHERE event_id <> 'fine'")} == {"unknown"}
    assert query("SELECT * FROM pending_pins") == []


def test_while_the_source_is_down_all_wait_and_the_oldest_are_given_up(
    settings: MergeSettings, connection: Connection, query: Query, source: Source, run: Complete
) -> None:
    land(settings.lake_uri, waiting_rows())
    merge_all(settings, connection)
    source.down = True

    assert (run().waiting, run().pins) == (2, 0)
    assert len(query("SELECT * FROM pending_pins")) == 3
    assert run(NOON + timedelta(days=31)).expired == 1  # the one of the day before
    assert run(NOON + timedelta(days=32)).expired == 2

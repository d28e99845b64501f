"""From dead letters to the tables and rollups: an event type is added, and its records come by the one road, once."""

import json
from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from typing import Any

import pyarrow as pa
import pytest

from pinwheel.clients.memsql import Connection, Row
from pinwheel.core.contract import EVENT_TYPES, LAKE_COLUMNS
from pinwheel.core.settings import MergeSettings, QualitySettings, ReplaySettings, load
from pinwheel.lake.replay import Wanted, replay
from pinwheel.lake.replay_outcome import Replayed
from pinwheel.merge.merge import merge, next_slice
from pinwheel.merge.plan import Counts
from pinwheel.quality.check import Checker
from pinwheel.quality.judge import Judge
from pinwheel.rollup.rollups import Rollups
from spark_jobs.transforms import parse
from spark_jobs.transforms.parse import RECORDS_SCHEMA
from tests.support.dying import die_at
from tests.support.lakes import land
from tests.support.letters import AT, Steps
from tests.support.places import on_disk_and_in_a_store
from tests.support.records import PIN, event
from tests.support.types import Query

MergeAll = Callable[[], list[Counts]]


@pytest.fixture
def land_records(settings: MergeSettings, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Lands records as the stream does, a second apart; repins are ``known`` to its contract, or not."""

    def go(first: int, *payloads: dict[str, Any], known: bool = True) -> None:
        values = [json.dumps(payload).encode() for payload in payloads]
        offsets = range(first, first + len(values))
        columns = {"value": values, "value_bytes": list(map(len, values)), "kafka_partition": [0] * len(values)}
        columns |= {"kafka_offset": offsets, "kafka_timestamp": [AT + timedelta(seconds=n) for n in offsets]}
        with monkeypatch.context() as patch:
            if not known:
                patch.setattr(parse, "EVENT_TYPES", {n: kind for n, kind in EVENT_TYPES.items() if n != "repin"})
                patch.setattr(parse, "LAKE_COLUMNS", [c for c in LAKE_COLUMNS if c.name != "board_id"])
            steps = Steps()
            rows = steps.enrich(steps.parse(pa.table(columns, RECORDS_SCHEMA)))
        land(settings.lake_uri, list(rows.to_pylist()))

    return go


@pytest.fixture
def come_home(settings: MergeSettings) -> Callable[[], Replayed]:
    own = ReplaySettings(**settings.model_dump(include=set(ReplaySettings.model_fields)))
    return lambda: replay(own, Wanted("unknown_type"), Steps(), "ann", dry_run=False)


@pytest.fixture
def merge_all(settings: MergeSettings, connection: Connection) -> MergeAll:
    """Merges all that is due for pins and repins, then the rollups."""

    def go() -> list[Counts]:
        done = []
        for table in ("pins", "repins"):
            while (found := next_slice(table, settings, connection)) is not None:
                with closing(found):
                    done.append(merge(found, connection))
        Rollups(now=lambda: AT + timedelta(hours=12)).refresh(connection)
        return done

    return go


def repin(event_id: str, **values: Any) -> dict[str, Any]:
    return event("repin", event_id=event_id, **values)


def everything(query: Query) -> list[list[Row]]:
    of_repins = "merge_shards WHERE table_name = 'repins'"
    tables = ("repins", "category_hourly", "country_hourly", "people_daily", "pin_hourly", of_repins)
    return [[{k: v for k, v in r.items() if k != "updated_at"} for r in query(f"SELECT * FROM {t}")] for t in tables]


def counted(query: Query) -> int:
    return int(query("SELECT SUM(repins) AS n FROM category_hourly")[0]["n"] or 0)


@on_disk_and_in_a_store
def test_an_event_type_is_added_and_the_letters_that_waited_for_it_come_home(
    settings: MergeSettings,
    connection: Connection,
    query: Query,
    land_records: Callable[..., None],
    come_home: Callable[[], Replayed],
    merge_all: MergeAll,
) -> None:
    land_records(0, repin("a"), repin("b", user_id=2), repin("c", pin_id="x"), event("pin", pin=PIN), known=False)
    assert [counts.inserted for counts in merge_all()] == [1], "the pin"
    assert query("SELECT * FROM repins") == []
    land_records(4, repin("d"))
    merge_all()

    assert come_home().landed == 2
    assert [counts.inserted for counts in merge_all()] == [2]

    rows = query("SELECT event_id, kafka_offset FROM repins ORDER BY event_id")
    assert [tuple(row.values()) for row in rows] == [("a", 0), ("b", 1), ("d", 4)]
    assert counted(query) == 3
    hour = AT.replace(hour=11)
    checker = Checker(load(QualitySettings, lake_uri=settings.lake_uri), connection, Judge(None))
    assert [checker.table("repins", hour, AT).unmet, checker.rollups(hour, AT).unmet] == [[], []]

    before = everything(query)
    assert (come_home().letters, come_home().landed, merge_all()) == (1, 0, [])
    assert everything(query) == before


def test_a_delivery_that_is_there_already_is_not_doubled(
    settings: MergeSettings,
    connection: Connection,
    query: Query,
    land_records: Callable[..., None],
    come_home: Callable[[], Replayed],
    merge_all: MergeAll,
) -> None:
    """Before the letter or after it: the first by Kafka's time is kept."""
    land_records(0, repin("a"), repin("b"))
    land_records(2, repin("a"), repin("b", board_id=6), repin("c"), repin("d", board_id=6), known=False)
    land_records(6, repin("c"), repin("d"))
    merge_all()
    come_home()
    (counts,) = merge_all()
    assert (counts.duplicates, counts.conflicting, counts.updated, counts.inserted) == (1, 1, 2, 0)
    rows = query("SELECT event_id, kafka_offset, board_id FROM repins ORDER BY event_id")
    assert [tuple(row.values()) for row in rows] == [("a", 0, 5), ("b", 1, 5), ("c", 4, 5), ("d", 5, 6)]
    assert counted(query) == 4
    checker = Checker(load(QualitySettings, lake_uri=settings.lake_uri), connection, Judge(None))
    assert checker.table("repins", AT.replace(hour=11), AT).unmet == []


@pytest.mark.parametrize("statement", ["merge/record_slice", "merge/delete", "merge/load", "merge/queue_increments"])
def test_a_merge_of_letters_that_dies_is_done_by_the_next_one(
    query: Query,
    land_records: Callable[..., None],
    come_home: Callable[[], Replayed],
    merge_all: MergeAll,
    monkeypatch: pytest.MonkeyPatch,
    statement: str,
) -> None:
    land_records(0, repin("a"), repin("b"), known=False)
    land_records(2, repin("a"))
    merge_all()
    come_home()
    before = everything(query)
    die_at(monkeypatch, statement, "repins")
    with pytest.raises(KeyboardInterrupt):
        merge_all()
    monkeypatch.undo()
    assert everything(query) == before
    merge_all()
    assert [row["kafka_offset"] for row in query("SELECT kafka_offset FROM repins ORDER BY event_id")] == [0, 1]
    assert counted(query) == 2

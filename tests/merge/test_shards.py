"""Shards of a table: each merged on its own, all together the same table."""

from collections.abc import Callable
from contextlib import closing

import pytest

from pinwheel.clients import memsql
from pinwheel.clients.memsql import Connection
from pinwheel.core.contract import TABLES
from pinwheel.core.settings import MergeSettings
from pinwheel.merge import ledger
from pinwheel.merge.ledger import ONLY, Shard, SupersededError
from pinwheel.merge.merge import merge, next_slice
from pinwheel.merge.session import Session
from pinwheel.rollup.rollups import Rollups
from tests.support.lakes import event, land, update
from tests.support.types import Query

MergeShard = Callable[..., int]


@pytest.fixture
def merge_shard(settings: MergeSettings, connection: Connection) -> MergeShard:
    """Merges all that is due for a shard; returns how many rows were inserted."""

    def go(table: str, shard: Shard) -> int:
        rows = 0
        while (found := next_slice(table, settings, connection, shard)) is not None:
            with closing(found):
                rows += merge(found, connection).inserted
        return rows

    return go


def shards(count: int) -> list[Shard]:
    return [Shard(number, count) for number in range(count)]


def through(query: Query) -> list[int]:
    return [row["next_offset"] for row in query("SELECT next_offset FROM table_progress WHERE table_name = 'repins'")]


def test_four_shards_of_four_tables_make_the_tables_and_rollups_that_one_does(
    settings: MergeSettings, connection: Connection, merge_shard: MergeShard, query: Query
) -> None:
    kinds = [kind.name for kind in TABLES.values()]
    rows = [event(kinds[n % 4], f"e{n // 2}", n, user_id=n % 7, pin_id=n % 5) for n in range(400)]
    land(settings.lake_uri, rows)
    each = {(table, shard): merge_shard(table, shard) for table in TABLES for shard in shards(4)}
    assert min(each.values()) > 5, "every shard has its part"
    Rollups().refresh(connection)
    found = [query(f"SELECT * FROM {table} ORDER BY event_id") for table in TABLES]
    rolled = query("SELECT brand_id, pins, repins, comments, unique_people FROM brand_daily")
    for table in TABLES:
        merge_shard(table, ONLY)  # everything comes again, and changes nothing
    Rollups().refresh(connection)
    assert [query(f"SELECT * FROM {table} ORDER BY event_id") for table in TABLES] == found
    assert sum(len(rows) for rows in found) == 400
    assert query("SELECT brand_id, pins, repins, comments, unique_people FROM brand_daily") == rolled


def test_all_deliveries_of_an_event_are_in_one_shard(
    settings: MergeSettings, merge_shard: MergeShard, query: Query
) -> None:
    land(settings.lake_uri, [event("repin", f"e{n}", n, kafka_partition=n % 3) for n in range(30)])
    land(settings.lake_uri, [event("repin", f"e{n}", 100 + n, kafka_partition=(n + 1) % 3) for n in range(30)])
    assert sum(merge_shard("repins", shard) for shard in shards(3)) == 30
    assert [row["n"] for row in query("SELECT SUM(duplicates) AS n FROM merge_slices")] == [30]


def test_a_table_is_complete_through_what_its_slowest_shard_is(
    settings: MergeSettings, merge_shard: MergeShard, query: Query
) -> None:
    land(settings.lake_uri, [event("repin", f"e{n}", n) for n in range(10)])
    first, second = shards(2)
    merge_shard("repins", first)
    assert through(query) == [], "the other shard has merged nothing"
    merge_shard("repins", second)
    assert through(query) == [10]
    land(settings.lake_uri, [event("repin", f"f{n}", 10 + n) for n in range(10)])
    merge_shard("repins", second)
    assert through(query) == [10]


def test_another_number_of_shards_starts_where_the_slowest_was(
    settings: MergeSettings, connection: Connection, merge_shard: MergeShard, query: Query
) -> None:
    land(settings.lake_uri, [event("repin", f"e{n}", n) for n in range(20)])
    first, second = shards(2)
    merge_shard("repins", first)
    merge_shard("repins", second)
    land(settings.lake_uri, [event("repin", f"f{n}", 20 + n) for n in range(20)])
    merge_shard("repins", first)
    update(settings.lake_uri, "kafka_offset = 3", {"user_id": "77"})
    zombie = next_slice("repins", settings, connection, second)
    assert zombie is not None
    for shard in shards(3):
        merge_shard("repins", shard)
    with pytest.raises(SupersededError, match="another run was faster"):
        merge(zombie, connection)
    assert len(query("SELECT event_id FROM repins")) == 40
    assert query("SELECT event_id FROM repins WHERE user_id = 77") == [{"event_id": "e3"}]
    assert query("SELECT DISTINCT shards FROM merge_shards WHERE table_name = 'repins'") == [{"shards": 3}]
    assert through(query) == [40]


def test_a_held_shard_does_not_hold_the_others(
    settings: MergeSettings, connection: Connection, merge_shard: MergeShard, query: Query
) -> None:
    land(settings.lake_uri, [event("repin", f"e{n}", n) for n in range(20)])
    first, second = shards(2)
    held = next_slice("repins", settings, connection, first)
    assert held is not None
    with memsql.transaction(connection):
        ledger.hold(connection, held, {"reasons": ["a person shall look"]})
    assert ledger.waiting(connection, "repins", second) is None
    assert ledger.waiting(connection, "repins", first) is not None
    assert merge_shard("repins", second) == 20 - held.rows_read


@pytest.mark.parametrize("decision", [None, "accept"])
def test_a_held_slice_of_another_number_of_shards_is_judged_again(
    settings: MergeSettings, connection: Connection, query: Query, decision: str | None
) -> None:
    land(settings.lake_uri, [event("repin", f"e{n}", n, user_id=n) for n in range(20)])
    held = next_slice("repins", settings, connection, Shard(0, 2))
    assert held is not None
    with memsql.transaction(connection):
        slice_ = ledger.hold(connection, held, {"reasons": ["a person shall look"]})
    if decision:
        ledger.release(settings, slice_.slice_id, decision, "ann")
    session = Session("repins", settings, lambda *_: None, lambda *_: None)
    while session.work(connection):
        pass
    session.close()
    assert len(query("SELECT event_id FROM repins")) == 20
    assert [row["state"] for row in query("SELECT state FROM merge_slices ORDER BY slice_id")] == [
        "superseded",
        "merged",
    ]

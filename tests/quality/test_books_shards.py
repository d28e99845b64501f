"""The books of tables with shards, and of tables that were made anew."""

from datetime import date, timedelta

import pytest
from deltalake import DeltaTable

from pinwheel.clients.memsql import Connection, Row
from pinwheel.core.contract import TABLES
from pinwheel.core.settings import MergeSettings
from pinwheel.merge import rebuild
from pinwheel.merge.gate import Gate
from pinwheel.merge.ledger import ONLY, Shard
from tests.support.lakes import NOON, event
from tests.support.ledgers import DrawBooks, FakeKafka, begin, land, line_of, merge_judged, run, traffic
from tests.support.rebuilds import work
from tests.support.types import Query

FIRST, SECOND = Shard(0, 2), Shard(1, 2)


@pytest.fixture
def landed(settings: MergeSettings, broker: FakeKafka) -> list[Row]:
    """Traffic in two commits, of which nothing is merged."""
    rows, ends, _ = traffic()
    broker.records = {p: {r["kafka_offset"] for r in rows if r["kafka_partition"] == p} for p in (0, 1)}
    begin(settings.events_uri)
    land(settings.events_uri, [r for r in rows if r["kafka_offset"] < 150], {0: 150, 1: 150})
    land(settings.events_uri, [r for r in rows if r["kafka_offset"] >= 150], ends)
    return rows


def test_each_shard_is_compared_at_its_own_watermark(
    draw: DrawBooks, settings: MergeSettings, connection: Connection, gate: Gate, landed: list[Row]
) -> None:
    merge_judged(settings, connection, gate, FIRST)
    behind = draw()
    assert behind.differences == []
    assert line_of(behind, "table", "repins", 1) == {"watermark": -1}
    assert line_of(behind, "table", "repins", 0)["rows"] > 0
    merge_judged(settings, connection, gate, SECOND)
    books = draw()
    assert books.differences == []
    rows = sum(line_of(books, "table", "repins", n)["rows"] for n in (0, 1))
    assert rows == len([r for r in landed if r["event_type"] == "repin"])


def test_a_day_is_closed_when_all_of_its_shards_are(
    draw: DrawBooks, settings: MergeSettings, connection: Connection, gate: Gate, landed: list[Row], query: Query
) -> None:
    for shard in (FIRST, SECOND):
        merge_judged(settings, connection, gate, shard)
    ids = "CAST(CONV(LEFT(MD5(event_id), 8), 16, 10) AS UNSIGNED) MOD 2 = 1"
    first = "occurred_hour < '2026-03-12'"
    run(f"UPDATE logins SET kafka_offset = 5000 WHERE {ids} AND {first} LIMIT 1", connection)
    assert draw().closed_through == date(2026, 3, 10)


def test_a_difference_is_on_the_line_of_its_shard(
    draw: DrawBooks, settings: MergeSettings, connection: Connection, gate: Gate, landed: list[Row], query: Query
) -> None:
    for shard in (FIRST, SECOND):
        merge_judged(settings, connection, gate, shard)
    ids = "CAST(CONV(LEFT(MD5(event_id), 8), 16, 10) AS UNSIGNED) MOD 2 = 1"
    (row,) = query(f"SELECT event_id FROM logins WHERE {ids} ORDER BY event_id LIMIT 1")
    run(f"UPDATE logins SET kafka_offset = 5000 WHERE event_id = '{row['event_id']}'", connection)
    books = draw()
    (extra,) = books.differences
    line = next(li for li in books.lines if (li.name, li.number) == ("logins", 1))
    assert line.differences == [extra]
    assert extra.endswith(f"in the table, not in the lake: {row['event_id']}")


def test_another_number_of_shards_has_days_read_again(
    draw: DrawBooks, settings: MergeSettings, connection: Connection, gate: Gate, landed: list[Row]
) -> None:
    merge_judged(settings, connection, gate)
    before = draw()
    for shard in (FIRST, SECOND):
        merge_judged(settings, connection, gate, shard)
    for _ in range(2):
        books = draw()
        assert books.differences == []
        for table in TABLES:
            rows = sum(line_of(books, "table", table, n)["in_table"] for n in (0, 1))
            assert rows == line_of(before, "table", table)["in_table"]


@pytest.mark.parametrize("left_lake", [False, True])
@pytest.mark.parametrize("grows", [False, True])
def test_days_that_have_expired_stay_closed_under_another_number_of_shards(
    draw: DrawBooks,
    settings: MergeSettings,
    connection: Connection,
    gate: Gate,
    broker: FakeKafka,
    left_lake: bool,
    grows: bool,
) -> None:
    rows = [
        event("repin", f"e{n}", n, user_id=-5 if n % 20 == 7 else n + 1, occurred_at=NOON - n % 5 * timedelta(days=1))
        for n in range(100)
    ]
    broker.records = {0: set(range(100)), 1: set()}
    begin(settings.events_uri)
    land(settings.events_uri, rows, {0: 100})
    for shard in [ONLY] if grows else [FIRST, SECOND]:
        merge_judged(settings, connection, gate, shard)
    before = draw()
    run("DELETE FROM repins WHERE occurred_hour < '2026-03-14'", connection)
    run("INSERT INTO retention (store, kept_from) VALUES ('events', '2026-03-14')", connection)
    if left_lake:
        run("INSERT INTO retention (store, kept_from) VALUES ('lake', '2026-03-14')", connection)
        DeltaTable(settings.events_uri).delete("event_date < '2026-03-14' AND event_type <> 'dead_letter'")
    for shard in [FIRST, SECOND] if grows else [ONLY]:
        merge_judged(settings, connection, gate, shard)
    for _ in range(2):
        books = draw()
        assert (books.differences, books.closed_through) == ([], before.closed_through)
        for name in ("rows", "in_table", "quarantined"):
            found = [sum(li.counts[name] for li in drawn.lines if li.name == "repins") for drawn in (before, books)]
            assert found[0] == found[1]


def test_a_table_that_was_made_anew_without_the_days_that_left_the_lake_balances(
    draw: DrawBooks, settings: MergeSettings, connection: Connection, gate: Gate, landed: list[Row]
) -> None:
    merge_judged(settings, connection, gate)
    before = line_of(draw(), "table", "repins")
    events = DeltaTable(settings.events_uri)
    run("INSERT INTO retention (store, kept_from) VALUES ('lake', '2026-03-14')", connection)
    events.delete("event_date < '2026-03-14' AND event_type <> 'dead_letter'")
    rebuild.request(connection, settings, ["repins"], "test")
    work(settings, "repins")
    for _ in range(2):
        books = draw()
        assert books.differences == []
        assert line_of(books, "table", "repins")["rows"] < before["rows"]


def test_a_table_that_was_made_anew_balances(
    draw: DrawBooks, settings: MergeSettings, connection: Connection, gate: Gate, landed: list[Row]
) -> None:
    merge_judged(settings, connection, gate)
    before = draw()
    for _ in range(2):  # also a second time from the same version
        rebuild.request(connection, settings, ["repins"], "test")
        assert draw().differences == [], "asked for"
        work(settings, "repins")
        books = draw()
        assert books.differences == []
        assert line_of(books, "table", "repins") == line_of(before, "table", "repins")

"""Whatever of the data is broken, the books name it: the table or partition, and the ids or offsets."""

import pytest

from pinwheel.clients.kafka import Held
from pinwheel.clients.memsql import Connection, Row
from pinwheel.core.settings import MergeSettings
from pinwheel.lake.landing import Landing
from pinwheel.merge.gate import Gate
from tests.support.lake_rows import write
from tests.support.lakes import delete
from tests.support.ledgers import LOG, DrawBooks, FakeKafka, line_of, merge_judged, run, traffic
from tests.support.types import Query


@pytest.mark.parametrize("after_closing", [False, True])
def test_a_row_that_is_gone_from_the_lake_is_named(
    draw: DrawBooks, full: list[Row], settings: MergeSettings, connection: Connection, gate: Gate, after_closing: bool
) -> None:
    if after_closing:
        assert draw().differences == []
    victim = next(r for r in full if r["event_type"] == "login" and r["kafka_partition"] == 1)
    delete(settings.lake_uri, f"kafka_partition = 1 AND kafka_offset = {victim['kafka_offset']}")
    merge_judged(settings, connection, gate)
    (text,) = draw().differences
    assert f"partition 1 of {LOG}" in text
    assert text.endswith(f": {victim['kafka_offset']}")
    assert draw().differences == [text], "it stays"


def test_a_row_that_is_twice_in_the_lake_is_named(
    draw: DrawBooks, full: list[Row], settings: MergeSettings, connection: Connection, gate: Gate
) -> None:
    again = next(r for r in full if r["event_type"] == "repin" and r["kafka_partition"] == 0 and r["user_id"] > 0)
    Landing(settings.events_uri, "another").commit(write(settings.events_uri, [again]))
    merge_judged(settings, connection, gate)
    assert any(
        f"partition 0 of {LOG}: twice in the lake: {again['kafka_offset']}" in text for text in draw().differences
    )


def test_a_record_that_was_never_landed_is_named(
    draw: DrawBooks, full: list[Row], settings: MergeSettings, broker: FakeKafka, told: list[tuple[str, str, str]]
) -> None:
    _, _, markers = traffic()
    broker.records[0].add(lost := min(markers))
    text = f"partition 0 of {LOG}: not landed, though Kafka has it: {lost}"
    assert draw().differences == [text]
    assert told == [("raised", "books", text)]
    broker.records[0].clear()
    assert draw().differences == [text], "also when Kafka no longer has it"


def test_offsets_that_kafka_no_longer_has_are_unverified(draw: DrawBooks, full: list[Row], broker: FakeKafka) -> None:
    _, _, markers = traffic()
    broker.held[0] = Held(150, 10_000)
    books = draw()
    assert books.differences == []
    assert line_of(books, "partition", LOG)["unverified"] == len([m for m in markers if m < 150])
    assert line_of(books, "partition", LOG)["without_record"] == len([m for m in markers if m >= 150])


def test_a_row_that_is_gone_from_a_table_is_named(draw: DrawBooks, full: list[Row], connection: Connection) -> None:
    run("DELETE FROM repins ORDER BY event_id LIMIT 1", connection)
    *missing, ledger = draw().differences  # each day on which it was delivered
    assert all("in the lake, not in the table: repin-0-" in text for text in missing)
    assert missing
    assert ledger.startswith("repins: the ledger says ")


def test_a_row_too_many_is_named(draw: DrawBooks, full: list[Row], connection: Connection) -> None:
    run(
        "INSERT INTO logins SELECT 'made up', occurred_at, occurred_hour, user_id, client, country_code, region, city,"
        " latitude, longitude, ip_network, geo_version, kafka_partition, kafka_offset, kafka_timestamp"
        " FROM logins LIMIT 1",
        connection,
    )
    extra, ledger = draw().differences
    assert extra.endswith("in the table, not in the lake: made up")
    assert ledger.startswith("logins: the ledger says ")


@pytest.mark.parametrize("change", ["event_id = 'another'", "kafka_offset = 9999"])
def test_a_row_that_was_changed_is_named(
    draw: DrawBooks, full: list[Row], connection: Connection, query: Query, change: str
) -> None:
    (row,) = query("SELECT event_id FROM comments WHERE kafka_partition = 1 ORDER BY event_id LIMIT 1")
    run(f"UPDATE comments SET {change} WHERE event_id = '{row['event_id']}'", connection)
    told = " ".join(draw().differences)
    assert ("another" if "another" in change else row["event_id"]) in told
    assert "in the table, not in the lake" in told


def test_a_quarantined_row_that_is_gone_is_named(draw: DrawBooks, full: list[Row], connection: Connection) -> None:
    run("DELETE FROM quarantine WHERE table_name = 'repins' ORDER BY kafka_offset LIMIT 1", connection)
    (text,) = draw().differences
    assert "in the lake, not in the table: repin-" in text


def test_a_ledger_that_lost_a_slice_is_named(draw: DrawBooks, full: list[Row], connection: Connection) -> None:
    run("DELETE FROM merge_slices WHERE table_name = 'pins' ORDER BY slice_id LIMIT 1", connection)
    (text,) = draw().differences
    assert text.startswith("pins: the ledger says ")


def test_a_slice_whose_counts_do_not_add_up_is_named(
    draw: DrawBooks, full: list[Row], connection: Connection, query: Query
) -> None:
    (row,) = query("SELECT MIN(slice_id) AS slice_id FROM merge_slices WHERE table_name = 'pins'")
    run(f"UPDATE merge_slices SET duplicates = duplicates + 1 WHERE slice_id = {row['slice_id']}", connection)
    assert draw().differences == [f"pins: the counts of slice {row['slice_id']} do not add up to its rows"]


def test_an_unequal_rollup_is_named(draw: DrawBooks, full: list[Row], connection: Connection) -> None:
    run(
        "INSERT INTO dq_results (table_name, occurred_hour, measure, expectation, severity, is_met, sample, checked_at)"
        " VALUES"
        " ('rollups', '2026-03-14 12:00', 'wrong_brand_hourly', 'x', 'critical', 0, '[{\"brand_id\": 70}]', NOW()),"
        " ('rollups', '2026-03-14 11:00', 'wrong_brand_hourly', 'x', 'critical', 1, NULL, NOW())",
        connection,
    )
    books = draw()
    (text,) = books.differences
    assert text.endswith('2026-03-14 12:00 wrong_brand_hourly [{"brand_id": 70}]')
    assert line_of(books, "rollups", "rollups") == {"hours": 2, "equal": 1}

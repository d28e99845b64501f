"""The books of a real lake and a real database: balanced when all is right, and each thing that is broken is named."""

import random
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from deltalake import DeltaTable

from pinwheel.alerts.catalogue import BOOKS_DIFFER, Alert
from pinwheel.clients import memsql
from pinwheel.clients.kafka import Held
from pinwheel.clients.memsql import Connection, Row
from pinwheel.core.contract import TABLES
from pinwheel.core.settings import MergeSettings, QualitySettings
from pinwheel.lake.landing import Landing
from pinwheel.merge.gate import Gate
from pinwheel.quality import books as the_books
from pinwheel.quality.books import close_books, closed_through
from pinwheel.quality.books_lines import Books
from pinwheel.rollup.rollups import Rollups
from tests.support.dying import die_at
from tests.support.lakes import NOON, delete, event, update
from tests.support.ledgers import LOG, FakeKafka, begin, land, merge_judged
from tests.support.types import Query

NOW = datetime(2026, 3, 20, 14, 20, tzinfo=UTC)
DAY = timedelta(days=1)
Draw = Callable[..., Books]


@pytest.fixture(scope="session")
def gate() -> Gate:
    return Gate(1.0)


@pytest.fixture
def told() -> list[tuple[str, str, str]]:
    """What was raised and resolved."""
    return []


@pytest.fixture
def broker(monkeypatch: pytest.MonkeyPatch) -> FakeKafka:
    return FakeKafka(held={0: Held(0, 10_000), 1: Held(0, 10_000)}).install(monkeypatch)


@pytest.fixture
def draw(quality: QualitySettings, broker: FakeKafka, told: list[tuple[str, str, str]]) -> Draw:
    """Draws up the books."""

    def alert(kind: Alert, subject: str, text: str) -> None:
        told.append(("raised", subject, text))

    def resolve(kind: Alert, subject: str, text: str) -> None:
        assert kind == BOOKS_DIFFER
        told.append(("resolved", subject, text))

    return lambda now=NOW: close_books(quality, lambda: now, alert, resolve)


def traffic(seed: int = 1, count: int = 300) -> tuple[list[Row], dict[int, int], set[int]]:
    """Rows of partitions 0 and 1, their ends, and the offsets of partition 0 that hold no record.

    With repeated deliveries, also on another day, late events, dead letters, and rows that the gate quarantines.
    """
    rng = random.Random(seed)
    rows: list[Row] = []
    markers = {o for o in range(count) if rng.random() < 0.05}
    for p in (0, 1):
        for offset in range(count):
            if p == 0 and offset in markers:
                continue
            kind = rng.choice(["pin", "repin", "repin", "comment", "login", "dead_letter"])
            at = NOON + timedelta(seconds=offset) - rng.choice([0, 0, 0, 1, 3]) * DAY
            again = [r for r in rows if r["event_type"] == kind and rng.random() < 0.02]
            event_id = again[0]["event_id"] if again else f"{kind}-{p}-{offset}"
            values: dict[str, Any] = {"occurred_at": at, "kafka_timestamp": NOON + timedelta(seconds=offset)}
            if kind == "dead_letter":
                values |= {"occurred_at": None, "user_id": None, "dead_reason": "not_json"}
                event_id = None
            values["user_id"] = None if kind == "dead_letter" else -5 if rng.random() < 0.03 else rng.randint(1, 40)
            rows.append(event(kind, event_id, offset, kafka_partition=p, **values))
    return rows, {0: count, 1: count}, markers


@pytest.fixture
def full(settings: MergeSettings, connection: Connection, gate: Gate, broker: FakeKafka) -> list[Row]:
    """Traffic that is landed in some commits and merged."""
    rows, ends, _ = traffic()
    broker.records = {p: {r["kafka_offset"] for r in rows if r["kafka_partition"] == p} for p in (0, 1)}
    begin(settings.events_uri)
    for first in range(0, 300, 100):
        part = [r for r in rows if first <= r["kafka_offset"] < first + 100]
        land(settings.events_uri, part, {p: min(end, first + 100) for p, end in ends.items()})
        merge_judged(settings, connection, gate)
    Rollups().refresh(connection)
    return rows


def run(sql: str, connection: Connection) -> None:
    with connection.cursor() as cursor:
        assert cursor.execute(sql) > 0
    connection.commit()


def of(books: Books, scope: str, name: str, number: int = 0) -> dict[str, int]:
    return dict(next(li.counts for li in books.lines if (li.scope, li.name, li.number) == (scope, name, number)))


def test_books_of_all_kinds_of_traffic_balance(
    draw: Draw, full: list[Row], query: Query, told: list[tuple[str, str, str]]
) -> None:
    books = draw()
    assert books.differences == []
    dead = [r for r in full if r["event_type"] == "dead_letter" and r["kafka_partition"] == 0]
    mine = [r for r in full if r["kafka_partition"] == 0]
    counts = of(books, "partition", LOG)
    assert counts["offsets"] == 300
    assert (counts["landed"], counts["dead_letters"]) == (len(mine) - len(dead), len(dead))
    assert counts["without_record"] == 300 - len(mine) > 0
    for table, kind in TABLES.items():
        counts = of(books, "table", table)
        assert counts["rows"] == len([r for r in full if r["event_type"] == kind.name])
        assert counts["rows"] == counts["in_table"] + counts["quarantined"] + counts["repeated"]
        assert counts["ledger"] == counts["in_table"] == query(f"SELECT COUNT(*) AS n FROM {table}")[0]["n"]
    assert sum(of(books, "table", t)["repeated"] for t in TABLES) > 0
    assert sum(of(books, "table", t)["quarantined"] for t in TABLES) > 0
    assert [t[:2] for t in told] == [("resolved", "books")]


def test_closed_books_say_the_same_without_reading(
    draw: Draw, full: list[Row], connection: Connection, broker: FakeKafka, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = draw()
    asked = list(broker.asked)
    assert asked
    read: list[str] = []
    monkeypatch.setattr(the_books.OffsetBooks, "_read_again", lambda _: read.append("closed offsets"))
    monkeypatch.setattr(the_books.TableBooks, "_day", lambda _, table, *__: read.append(table))
    again = draw(NOW + DAY)
    assert [(li.name, li.number, li.counts) for li in again.lines] == [
        (li.name, li.number, li.counts) for li in first.lines
    ]
    assert read == []
    assert broker.asked == asked
    assert closed_through(connection) == again.closed_through == NOON.date()


def test_open_days_are_compared_again_and_only_they(draw: Draw, full: list[Row], connection: Connection) -> None:
    at = NOON + 3 * DAY  # two days are over then, and the day of NOON is open
    assert draw(at - DAY).closed_through == date(2026, 3, 13)
    assert closed_through(connection) == date(2026, 3, 13)
    assert draw(at + DAY).closed_through == date(2026, 3, 14)


@pytest.mark.parametrize("after_closing", [False, True])
def test_a_row_that_is_gone_from_the_lake_is_named(
    draw: Draw, full: list[Row], settings: MergeSettings, connection: Connection, gate: Gate, after_closing: bool
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
    draw: Draw, full: list[Row], settings: MergeSettings, connection: Connection, gate: Gate
) -> None:
    again = next(r for r in full if r["event_type"] == "repin" and r["kafka_partition"] == 0 and r["user_id"] > 0)
    Landing(settings.events_uri, "another").commit(
        __import__("tests.support.lake_rows", fromlist=["write"]).write(settings.events_uri, [again])
    )
    merge_judged(settings, connection, gate)
    assert any(
        f"partition 0 of {LOG}: twice in the lake: {again['kafka_offset']}" in text for text in draw().differences
    )


def test_a_record_that_was_never_landed_is_named(
    draw: Draw, full: list[Row], settings: MergeSettings, broker: FakeKafka, told: list[tuple[str, str, str]]
) -> None:
    _, _, markers = traffic()
    broker.records[0].add(lost := min(markers))
    text = f"partition 0 of {LOG}: not landed, though Kafka has it: {lost}"
    assert draw().differences == [text]
    assert told == [("raised", "books", text)]
    broker.records[0].clear()
    assert draw().differences == [text], "also when Kafka no longer has it"


def test_offsets_that_kafka_no_longer_has_are_unverified(draw: Draw, full: list[Row], broker: FakeKafka) -> None:
    _, _, markers = traffic()
    broker.held[0] = Held(150, 10_000)
    books = draw()
    assert books.differences == []
    assert of(books, "partition", LOG)["unverified"] == len([m for m in markers if m < 150])
    assert of(books, "partition", LOG)["without_record"] == len([m for m in markers if m >= 150])


def test_while_kafka_is_away_offsets_wait(draw: Draw, full: list[Row], broker: FakeKafka, query: Query) -> None:
    _, _, markers = traffic()
    broker.away = True
    books = draw()
    assert (books.differences, books.closed_through) == ([], None)
    assert of(books, "partition", LOG)["unverified"] == len(markers)
    assert [r["kafka_partition"] for r in query("SELECT kafka_partition FROM books_offsets")] == [1]
    broker.away = False
    assert of(draw(), "partition", LOG)["without_record"] == len(markers)


def test_a_row_that_is_gone_from_a_table_is_named(draw: Draw, full: list[Row], connection: Connection) -> None:
    run("DELETE FROM repins ORDER BY event_id LIMIT 1", connection)
    missing, ledger = draw().differences
    assert "in the lake, not in the table: repin-0-" in missing
    assert ledger.startswith("repins: the ledger says ")


def test_a_row_too_many_is_named(draw: Draw, full: list[Row], connection: Connection) -> None:
    run(
        "INSERT INTO logins SELECT 'made up', occurred_at, occurred_hour, user_id, client, country_code, region, city,"
        " latitude, longitude, ip_network, geo_version, kafka_partition, kafka_offset, kafka_timestamp FROM logins LIMIT 1",
        connection,
    )
    extra, ledger = draw().differences
    assert extra.endswith("in the table, not in the lake: made up")
    assert ledger.startswith("logins: the ledger says ")


@pytest.mark.parametrize("change", ["event_id = 'another'", "kafka_offset = 9999"])
def test_a_row_that_was_changed_is_named(
    draw: Draw, full: list[Row], connection: Connection, query: Query, change: str
) -> None:
    (row,) = query("SELECT event_id FROM comments WHERE kafka_partition = 1 ORDER BY event_id LIMIT 1")
    run(f"UPDATE comments SET {change} WHERE event_id = '{row['event_id']}'", connection)
    told = " ".join(draw().differences)
    assert ("another" if "another" in change else row["event_id"]) in told
    assert "in the table, not in the lake" in told


def test_a_quarantined_row_that_is_gone_is_named(draw: Draw, full: list[Row], connection: Connection) -> None:
    run("DELETE FROM quarantine WHERE table_name = 'repins' ORDER BY kafka_offset LIMIT 1", connection)
    (text,) = draw().differences
    assert "in the lake, not in the table: repin-" in text


def test_a_ledger_that_lost_a_slice_is_named(draw: Draw, full: list[Row], connection: Connection) -> None:
    run("DELETE FROM merge_slices WHERE table_name = 'pins' ORDER BY slice_id LIMIT 1", connection)
    (text,) = draw().differences
    assert text.startswith("pins: the ledger says ")


def test_a_slice_whose_counts_do_not_add_up_is_named(
    draw: Draw, full: list[Row], connection: Connection, query: Query
) -> None:
    (row,) = query("SELECT MIN(slice_id) AS slice_id FROM merge_slices WHERE table_name = 'pins'")
    run(f"UPDATE merge_slices SET duplicates = duplicates + 1 WHERE slice_id = {row['slice_id']}", connection)
    assert draw().differences == [f"pins: the counts of slice {row['slice_id']} do not add up to its rows"]


def test_an_unequal_rollup_is_named(draw: Draw, full: list[Row], connection: Connection) -> None:
    run(
        "INSERT INTO dq_results (table_name, occurred_hour, measure, expectation, severity, is_met, sample, checked_at) "
        "VALUES ('rollups', '2026-03-14 12:00', 'wrong_brand_hourly', 'x', 'critical', 0, '[{\"brand_id\": 70}]', NOW()),"
        " ('rollups', '2026-03-14 11:00', 'wrong_brand_hourly', 'x', 'critical', 1, NULL, NOW())",
        connection,
    )
    books = draw()
    (text,) = books.differences
    assert text.endswith("2026-03-14 12:00 wrong_brand_hourly [{\"brand_id\": 70}]")
    assert of(books, "rollups", "rollups") == {"hours": 2, "equal": 1}


def test_late_completion_and_compaction_open_no_day(
    draw: Draw, full: list[Row], settings: MergeSettings, connection: Connection, gate: Gate
) -> None:
    draw()
    update(settings.lake_uri, "event_type = 'repin' AND user_id > 0", {"category": "'food'"})
    DeltaTable(settings.events_uri).optimize.compact()
    merge_judged(settings, connection, gate)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(the_books.TableBooks, "_day", lambda *_: pytest.fail("a closed day was read"))
        assert draw().differences == []


def test_late_events_open_their_days_again(
    draw: Draw, full: list[Row], settings: MergeSettings, connection: Connection, gate: Gate, broker: FakeKafka
) -> None:
    before = of(draw(), "table", "repins")
    broker.records[0].add(300)
    land(settings.events_uri, [event("repin", "late", 300)])
    assert draw().closed_through == NOON.date() - DAY, "it is landed, and not merged yet"
    merge_judged(settings, connection, gate)
    books = draw()
    assert books.differences == []
    assert books.closed_through == NOON.date()
    after = of(books, "table", "repins")
    assert (after["rows"], after["in_table"]) == (before["rows"] + 1, before["in_table"] + 1)


def test_a_dead_letter_that_comes_home_stays_explained(
    draw: Draw, full: list[Row], settings: MergeSettings, connection: Connection, gate: Gate
) -> None:
    draw()
    letter = next(r for r in full if r["event_type"] == "dead_letter" and r["kafka_partition"] == 0)
    offset = letter["kafka_offset"]
    delete(settings.lake_uri, f"event_type = 'dead_letter' AND kafka_partition = 0 AND kafka_offset = {offset}")
    Landing(settings.events_uri, "replay").commit(
        __import__("tests.support.lake_rows", fromlist=["write"]).write(
            settings.events_uri, [event("login", "home", offset)]
        )
    )
    merge_judged(settings, connection, gate)
    assert draw().differences == []


@pytest.mark.parametrize("after_closing", [False, True])
def test_erased_records_are_explained(
    draw: Draw, full: list[Row], settings: MergeSettings, connection: Connection, gate: Gate, after_closing: bool
) -> None:
    if after_closing:
        draw()
    mine = [r for r in full if r["user_id"] == 7 and r["kafka_partition"] == 0]
    with memsql.transaction(connection), connection.cursor() as cursor:
        for row in mine:
            values = (LOG, 0, row["kafka_offset"], row["event_type"], row["event_date"], "e1")
            cursor.execute("INSERT INTO erased_records VALUES (%s, %s, %s, %s, %s, %s)", values)
    assert draw().differences == [], "noted, and still in the lake"
    delete(settings.lake_uri, "user_id = 7 AND kafka_partition = 0")
    merge_judged(settings, connection, gate)
    books = draw()
    assert books.differences == []
    assert of(books, "partition", LOG)["erased"] == len(mine) > 0
    run("DELETE FROM erased_records ORDER BY kafka_offset LIMIT 1", connection)
    assert f"partition 0 of {LOG}" in draw().differences[0]


def test_days_that_retention_has_removed_stay_explained(
    draw: Draw, full: list[Row], settings: MergeSettings, connection: Connection, gate: Gate
) -> None:
    before = draw()
    delete(settings.lake_uri, "event_date < '2026-03-14'")
    run("DELETE FROM repins WHERE occurred_hour < '2026-03-14'", connection)
    assert draw().differences == []
    assert [dict(li.counts) for li in draw().lines] == [dict(li.counts) for li in before.lines]
    delete(settings.lake_uri, "event_date = '2026-03-14' AND event_type = 'pin'")
    assert "gone from the lake" in draw().differences[0]


@pytest.mark.parametrize("statement", ["close_offsets", "close_day", "forget", "insert"])
@pytest.mark.parametrize("after", [False, True])
def test_killed_at_each_step_and_run_again(
    draw: Draw, full: list[Row], query: Query, monkeypatch: pytest.MonkeyPatch, statement: str, after: bool
) -> None:
    with monkeypatch.context() as patch:
        die_at(patch, f"quality/books/{statement}", after=after)
        with pytest.raises(KeyboardInterrupt):
            draw()
    assert [query(f"SELECT * FROM {t}") for t in ("books", "books_days", "books_offsets")] == [(), (), ()] or [
        list(query(f"SELECT * FROM {t}")) for t in ("books", "books_days", "books_offsets")
    ] == [[], [], []]
    assert draw().differences == []
    kept = [query(f"SELECT * FROM {t}") for t in ("books", "books_days", "books_offsets")]
    assert draw().differences == []
    assert [query(f"SELECT * FROM {t}") for t in ("books", "books_days", "books_offsets")] == kept


def test_without_a_lake_the_books_are_empty(quality: QualitySettings, connection: Connection) -> None:
    nowhere = quality.model_copy(update={"lake_uri": quality.lake_uri + "/nowhere"})
    books = close_books(nowhere, lambda: NOW, lambda *_: None, lambda *_: None)
    assert (books.lines, books.differences, closed_through(connection)) == ([], [], None)

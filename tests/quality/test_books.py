"""The books of a real lake and a real database: balanced when all is right, however rows came and went."""

from datetime import UTC, date, datetime, timedelta

import pytest
from deltalake import DeltaTable

from pinwheel.clients import memsql
from pinwheel.clients.memsql import Connection, Row
from pinwheel.core.contract import TABLES
from pinwheel.core.settings import MergeSettings, QualitySettings
from pinwheel.lake.landing import Landing
from pinwheel.merge import rebuild
from pinwheel.merge.gate import Gate
from pinwheel.quality import books_tables
from pinwheel.quality.books import close_books, closed_through
from pinwheel.quality.books_offsets import OffsetBooks
from tests.support.dying import die_at
from tests.support.lake_rows import write
from tests.support.lakes import NOON, delete, event, update
from tests.support.ledgers import LOG, NOW, DrawBooks, FakeKafka, land, line_of, merge_judged, run, traffic
from tests.support.rebuilds import work
from tests.support.types import Query

DAY = timedelta(days=1)


def test_books_of_all_kinds_of_traffic_balance(
    draw: DrawBooks, full: list[Row], query: Query, told: list[tuple[str, str, str]]
) -> None:
    books = draw()
    assert books.differences == []
    dead = [r for r in full if r["event_type"] == "dead_letter" and r["kafka_partition"] == 0]
    mine = [r for r in full if r["kafka_partition"] == 0]
    counts = line_of(books, "partition", LOG)
    assert counts["offsets"] == 300
    assert (counts["landed"], counts["dead_letters"]) == (len(mine) - len(dead), len(dead))
    assert counts["without_record"] == 300 - len(mine) > 0
    for table, kind in TABLES.items():
        counts = line_of(books, "table", table)
        assert counts["rows"] == len([r for r in full if r["event_type"] == kind.name])
        assert counts["rows"] == counts["in_table"] + counts["quarantined"] + counts["repeated"]
        assert counts["ledger"] == counts["in_table"] == query(f"SELECT COUNT(*) AS n FROM {table}")[0]["n"]
    assert sum(line_of(books, "table", t)["repeated"] for t in TABLES) > 0
    assert sum(line_of(books, "table", t)["quarantined"] for t in TABLES) > 0
    assert [t[:2] for t in told] == [("resolved", "books")]


def test_closed_books_say_the_same_without_reading(
    draw: DrawBooks, full: list[Row], connection: Connection, broker: FakeKafka, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = draw()
    asked = list(broker.asked)
    assert asked
    read: list[str] = []
    monkeypatch.setattr(OffsetBooks, "_read_again", lambda _: read.append("closed offsets"))
    monkeypatch.setattr(books_tables, "Day", lambda *given: read.append(given[2]))
    again = draw(NOW + DAY)
    assert [(li.name, li.number, li.counts) for li in again.lines] == [
        (li.name, li.number, li.counts) for li in first.lines
    ]
    assert read == []
    assert broker.asked == asked
    assert closed_through(connection) == again.closed_through == NOON.date()


def test_open_days_are_compared_again_and_only_they(draw: DrawBooks, full: list[Row], connection: Connection) -> None:
    at = NOON + 3 * DAY  # two days are over then, and the day of NOON is open
    assert draw(at - DAY).closed_through == date(2026, 3, 13)
    assert closed_through(connection) == date(2026, 3, 13)
    assert draw(at + DAY).closed_through == date(2026, 3, 14)


def test_while_kafka_is_away_offsets_wait(draw: DrawBooks, full: list[Row], broker: FakeKafka, query: Query) -> None:
    _, _, markers = traffic()
    broker.away = True
    books = draw()
    assert (books.differences, books.closed_through) == ([], None)
    assert line_of(books, "partition", LOG)["unverified"] == len(markers)
    assert [r["kafka_partition"] for r in query("SELECT kafka_partition FROM books_offsets")] == [1]
    broker.away = False
    assert line_of(draw(), "partition", LOG)["without_record"] == len(markers)


def test_late_completion_and_compaction_open_no_day(
    draw: DrawBooks, full: list[Row], settings: MergeSettings, connection: Connection, gate: Gate
) -> None:
    draw()
    update(settings.lake_uri, "event_type = 'repin' AND user_id > 0", {"category": "'food'"})
    DeltaTable(settings.events_uri).optimize.compact()
    merge_judged(settings, connection, gate)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(books_tables, "Day", lambda *_: pytest.fail("a closed day was read"))
        assert draw().differences == []


def test_a_row_that_comes_out_of_quarantine_after_its_day_was_closed_is_found(
    draw: DrawBooks, full: list[Row], settings: MergeSettings, connection: Connection, gate: Gate
) -> None:
    assert line_of(draw(), "table", "repins")["quarantined"] > 0
    update(settings.lake_uri, "event_type = 'repin' AND user_id < 0", {"user_id": "5"})
    merge_judged(settings, connection, gate)
    for _ in range(2):
        books = draw()
        assert books.differences == []
        assert line_of(books, "table", "repins").get("quarantined", 0) == 0
    assert books.closed_through == NOON.date()


def test_late_events_open_their_days_again(
    draw: DrawBooks, full: list[Row], settings: MergeSettings, connection: Connection, gate: Gate, broker: FakeKafka
) -> None:
    before = line_of(draw(), "table", "repins")
    broker.records[0].add(300)
    land(settings.events_uri, [event("repin", "late", 300)])
    assert draw().closed_through == NOON.date() - DAY, "it is landed, and not merged yet"
    merge_judged(settings, connection, gate)
    books = draw()
    assert books.differences == []
    assert books.closed_through == NOON.date()
    after = line_of(books, "table", "repins")
    assert (after["rows"], after["in_table"]) == (before["rows"] + 1, before["in_table"] + 1)


def test_a_dead_letter_that_comes_home_stays_explained(
    draw: DrawBooks, full: list[Row], settings: MergeSettings, connection: Connection, gate: Gate
) -> None:
    draw()
    letter = next(r for r in full if r["event_type"] == "dead_letter" and r["kafka_partition"] == 0)
    offset = letter["kafka_offset"]
    delete(settings.lake_uri, f"event_type = 'dead_letter' AND kafka_partition = 0 AND kafka_offset = {offset}")
    Landing(settings.events_uri, "replay").commit(write(settings.events_uri, [event("login", "home", offset)]))
    merge_judged(settings, connection, gate)
    assert draw().differences == []


@pytest.mark.parametrize("after_closing", [False, True])
def test_erased_records_are_explained(
    draw: DrawBooks, full: list[Row], settings: MergeSettings, connection: Connection, gate: Gate, after_closing: bool
) -> None:
    if after_closing:
        draw()
    mine = [r for r in full if r["user_id"] == 7 and r["kafka_partition"] == 0]
    with memsql.transaction(connection), connection.cursor() as cursor:
        for row in mine:
            values = (LOG, 0, row["kafka_offset"], row["event_id"], row["event_type"], row["event_date"], "e1")
            cursor.execute("INSERT INTO erased_records VALUES (%s, %s, %s, %s, %s, %s, %s)", values)
    assert draw().differences == [], "noted, and still in the lake"
    delete(settings.lake_uri, "user_id = 7 AND kafka_partition = 0")
    merge_judged(settings, connection, gate)
    books = draw()
    assert books.differences == []
    assert line_of(books, "partition", LOG)["erased"] == len(mine) > 0
    run("DELETE FROM erased_records ORDER BY kafka_offset LIMIT 1", connection)
    assert f"partition 0 of {LOG}" in draw().differences[0]


def test_days_that_retention_has_removed_stay_explained(
    draw: DrawBooks, full: list[Row], settings: MergeSettings, connection: Connection, gate: Gate
) -> None:
    before = draw()
    run("INSERT INTO retention (store, kept_from) VALUES ('lake', '2026-03-14')", connection)
    delete(settings.lake_uri, "event_date < '2026-03-14' AND event_type <> 'dead_letter'")
    run("DELETE FROM repins WHERE occurred_hour < '2026-03-14'", connection)
    assert draw().differences == []
    assert [dict(li.counts) for li in draw().lines] == [dict(li.counts) for li in before.lines]
    delete(settings.lake_uri, "event_date = '2026-03-14' AND event_type = 'pin'")
    assert "gone from the lake" in draw().differences[0]


@pytest.fixture
def expired(draw: DrawBooks, full: list[Row], connection: Connection) -> None:
    """The tables no longer have the days before the last one, and the lake does."""
    assert draw().closed_through == NOON.date()
    for table in TABLES:
        run(f"DELETE FROM {table} WHERE occurred_hour < '2026-03-14'", connection)
    run("INSERT INTO retention (store, kept_from) VALUES ('events', '2026-03-14')", connection)


@pytest.mark.usefixtures("expired")
def test_a_late_event_of_a_day_that_has_expired_leaves_it_closed(
    draw: DrawBooks, settings: MergeSettings, connection: Connection, gate: Gate, broker: FakeKafka
) -> None:
    before = line_of(draw(), "table", "repins")
    broker.records[0].add(300)
    land(settings.events_uri, [event("repin", "late", 300, occurred_at=NOON - DAY)])
    merge_judged(settings, connection, gate)
    for _ in range(2):
        books = draw()
        assert (books.differences, books.closed_through) == ([], NOON.date())
        counts = line_of(books, "table", "repins")
        assert counts["rows"] == before["rows"] + 1 == counts["in_table"] + counts["quarantined"] + counts["repeated"]


@pytest.mark.usefixtures("expired")
def test_a_late_event_of_a_day_that_has_left_the_lake_too(
    draw: DrawBooks, settings: MergeSettings, connection: Connection, gate: Gate, broker: FakeKafka
) -> None:
    run("INSERT INTO retention (store, kept_from) VALUES ('lake', '2026-03-14')", connection)
    delete(settings.lake_uri, "event_date < '2026-03-14' AND event_type <> 'dead_letter'")
    assert draw().differences == []
    broker.records[0].add(300)
    land(settings.events_uri, [event("repin", "late", 300, occurred_at=NOON - DAY)])
    merge_judged(settings, connection, gate)
    for _ in range(2):
        assert draw().differences == []
    delete(settings.lake_uri, "event_id = 'late'")
    assert draw().differences == []


def test_all_letters_of_the_oldest_day_come_home(
    draw: DrawBooks, full: list[Row], settings: MergeSettings, connection: Connection, gate: Gate, broker: FakeKafka
) -> None:
    broker.records[0].add(300)
    letter = {**event("dead_letter", None, 300, dead_reason="not_json"), "event_date": date(2026, 3, 1)}
    land(settings.events_uri, [letter])
    assert draw().differences == []
    delete(settings.lake_uri, "kafka_offset = 300")
    Landing(settings.events_uri, "replay").commit(write(settings.events_uri, [event("login", "home", 300)]))
    merge_judged(settings, connection, gate)
    assert draw().differences == []
    run("INSERT INTO retention (store, kept_from) VALUES ('dead_letters', '2026-03-14')", connection)
    assert draw().differences == []


@pytest.mark.usefixtures("expired")
def test_an_erasure_of_a_day_that_has_expired_leaves_it_closed(
    draw: DrawBooks, full: list[Row], settings: MergeSettings, connection: Connection, gate: Gate
) -> None:
    rows = [r for r in full if r["event_type"] == "repin" and r["event_date"] == (NOON - DAY).date()]
    offset = next(r["kafka_offset"] for r in rows if r["kafka_partition"] == 0)
    values = f"('{LOG}', 0, {offset}, NULL, 'repin', '2026-03-13', 'e1')"
    run(f"INSERT INTO erased_records VALUES {values}", connection)
    delete(settings.lake_uri, f"kafka_partition = 0 AND kafka_offset = {offset}")
    merge_judged(settings, connection, gate)
    for _ in range(2):
        books = draw()
        assert (books.differences, books.closed_through) == ([], NOON.date())


@pytest.mark.usefixtures("expired")
def test_a_table_made_anew_without_the_days_that_have_expired_balances(
    draw: DrawBooks, settings: MergeSettings, connection: Connection
) -> None:
    rebuild.request(connection, settings, ["repins"], "test")
    work(settings, "repins")
    assert closed_through(connection) is None, "the books are older than the table"
    for _ in range(2):
        books = draw()
        assert (books.differences, books.closed_through) == ([], NOON.date())
    later = datetime.now(UTC)
    for _ in range(2):
        assert draw(later).differences == []
        assert closed_through(connection) == NOON.date()


def test_dead_letters_and_quarantine_may_leave_by_an_age_of_their_own(
    draw: DrawBooks, full: list[Row], settings: MergeSettings, connection: Connection, gate: Gate, broker: FakeKafka
) -> None:
    before = draw()
    run("INSERT INTO retention (store, kept_from) VALUES ('dead_letters', '2026-03-15')", connection)
    delete(settings.lake_uri, "event_type = 'dead_letter'")
    assert draw().differences == []
    run("DELETE FROM quarantine", connection)
    broker.records[0].add(300)
    land(settings.events_uri, [event("repin", "late", 300)])
    merge_judged(settings, connection, gate)
    books = draw()
    assert books.differences == []
    counts, had = line_of(books, "table", "repins"), line_of(before, "table", "repins")
    assert counts["rows"] == had["rows"] + 1 == counts["in_table"] + counts["quarantined"] + counts["repeated"]


@pytest.mark.parametrize("statement", ["close_offsets", "close_day", "forget", "insert"])
@pytest.mark.parametrize("after", [False, True])
def test_killed_at_each_step_and_run_again(
    draw: DrawBooks, full: list[Row], query: Query, monkeypatch: pytest.MonkeyPatch, statement: str, after: bool
) -> None:
    with monkeypatch.context() as patch:
        die_at(patch, f"quality/books/{statement}", after=after)
        with pytest.raises(KeyboardInterrupt):
            draw()
    stored = [f"SELECT * FROM {table}" for table in ("books", "books_days", "books_offsets")]
    assert [query(sql) for sql in stored] == [[], [], []]
    assert draw().differences == []
    kept = [query(sql) for sql in stored]
    assert all(kept)
    assert draw().differences == []
    assert [query(sql) for sql in stored] == kept


def test_without_a_lake_the_books_are_empty(quality: QualitySettings, connection: Connection) -> None:
    nowhere = quality.model_copy(update={"lake_uri": quality.lake_uri + "/nowhere"})
    books = close_books(nowhere, lambda: NOW, lambda *_: None, lambda *_: None)
    assert (books.lines, books.differences, closed_through(connection)) == ([], [], None)

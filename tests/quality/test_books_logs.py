"""The books of lakes that went on elsewhere: gaps that a person accepted, and logs with the same offsets."""

import re

import pytest
from deltalake import DeltaTable

from pinwheel.clients.kafka import Held
from pinwheel.clients.memsql import Connection, Row
from pinwheel.core.settings import MergeSettings
from pinwheel.lake import events_table, stretches
from tests.support.lakes import delete, event
from tests.support.ledgers import LOG, DrawBooks, FakeKafka, begin, go_on, land, line_of
from tests.support.types import MergeAll, Query

OTHER = "engagement.events@cluster/another"


def logins(name: str, first: int, end: int) -> list[Row]:
    return [event("login", f"{name}{n}", n, user_id=1) for n in range(first, end)]


@pytest.fixture
def gapped(settings: MergeSettings, merge_all: MergeAll, broker: FakeKafka) -> None:
    """Offsets 0 to 19, a gap, and 30 to 39."""
    begin(settings.events_uri)
    land(settings.events_uri, logins("a", 0, 20))
    go_on(settings.events_uri, LOG, {0: 30, 1: 0}, {0: 20, 1: 0})
    land(settings.events_uri, logins("a", 30, 40))
    merge_all()


def drop_gap(settings: MergeSettings) -> None:
    """As if nobody had noted it."""
    begin(settings.events_uri)


@pytest.mark.usefixtures("gapped")
def test_an_accepted_gap_is_explained(draw: DrawBooks) -> None:
    books = draw()
    assert books.differences == []
    counts = line_of(books, "partition", LOG)
    assert (counts["offsets"], counts["landed"], counts["gaps"]) == (40, 30, 10)


@pytest.mark.usefixtures("gapped")
def test_a_gap_without_its_record_is_a_loss_while_kafka_has_the_records(
    draw: DrawBooks, settings: MergeSettings, broker: FakeKafka
) -> None:
    broker.records[0] = set(range(20, 28))
    drop_gap(settings)
    assert draw().differences == [
        f"partition 0 of {LOG}: not landed, though Kafka has it: 20, 21, 22, 23, 24 and 3 more"
    ]


@pytest.mark.usefixtures("gapped")
def test_and_unverified_when_it_no_longer_has_them(draw: DrawBooks, settings: MergeSettings, broker: FakeKafka) -> None:
    broker.held[0] = Held(30, 40)
    drop_gap(settings)
    assert line_of(draw(), "partition", LOG)["unverified"] == 10


@pytest.mark.usefixtures("gapped")
def test_without_the_database_s_books_the_gap_is_still_known(
    draw: DrawBooks, connection: Connection, query: Query
) -> None:
    before = draw()
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM books_offsets")
    connection.commit()
    assert [li.counts for li in draw().lines] == [li.counts for li in before.lines]


@pytest.fixture
def two_logs(settings: MergeSettings, merge_all: MergeAll, broker: FakeKafka) -> None:
    """Offsets 0 to 19 but for 5 and 15 of one log, then 0 to 29 but for 7 and 15 of another."""
    begin(settings.events_uri)
    land(settings.events_uri, [r for r in logins("a", 0, 20) if r["kafka_offset"] not in (5, 15)])
    go_on(settings.events_uri, OTHER, {0: 0, 1: 0}, {0: 0, 1: 0})
    land(settings.events_uri, [r for r in logins("b", 0, 30) if r["kafka_offset"] not in (7, 15)], log=OTHER)
    broker.log = OTHER
    merge_all()


@pytest.mark.usefixtures("two_logs")
def test_logs_with_the_same_offsets_have_books_of_their_own(draw: DrawBooks) -> None:
    for _ in range(2):
        books = draw()
        assert books.differences == []
        one, other = line_of(books, "partition", LOG), line_of(books, "partition", OTHER)
        assert (one["offsets"], one["landed"], one["unverified"]) == (20, 18, 2)
        assert (other["offsets"], other["landed"], other["without_record"]) == (30, 28, 2)


@pytest.mark.usefixtures("two_logs")
@pytest.mark.parametrize("is_drawn_between", [False, True])
def test_a_third_log_with_the_same_offsets(
    draw: DrawBooks, settings: MergeSettings, merge_all: MergeAll, broker: FakeKafka, is_drawn_between: bool
) -> None:
    if is_drawn_between:
        draw()
    third = OTHER + "-third"
    go_on(settings.events_uri, third, {0: 0, 1: 0}, {0: 0, 1: 0})
    land(settings.events_uri, [r for r in logins("c", 0, 25) if r["kafka_offset"] not in (5, 7)], log=third)
    broker.log = third
    merge_all()
    for _ in range(2):
        books = draw()
        assert books.differences == []
        landed = [line_of(books, "partition", log)["landed"] for log in (LOG, OTHER, third)]
        assert landed == [18, 28, 23]


@pytest.mark.usefixtures("two_logs")
@pytest.mark.parametrize("is_drawn_before", [False, True])
def test_an_erased_record_of_the_older_log_is_explained(
    draw: DrawBooks, settings: MergeSettings, merge_all: MergeAll, connection: Connection, is_drawn_before: bool
) -> None:
    if is_drawn_before:
        draw()
    noted = "INSERT INTO erased_records VALUES (%s, 0, 3, 'a3', 'login', '2026-03-14', 'e1')"
    with connection.cursor() as cursor:
        cursor.execute(noted, (LOG,))
    connection.commit()
    delete(settings.lake_uri, "event_id = 'a3'")
    merge_all()
    for _ in range(2):
        books = draw()
        assert books.differences == []
        assert [line_of(books, "partition", log)["landed"] for log in (LOG, OTHER)] == [17, 28]


@pytest.mark.usefixtures("two_logs")
def test_a_record_that_only_the_older_log_has_landed_is_lost_of_the_newer(draw: DrawBooks, broker: FakeKafka) -> None:
    broker.records[0] = {7}
    assert draw().differences == [f"partition 0 of {OTHER}: not landed, though Kafka has it: 7"]


@pytest.mark.usefixtures("two_logs")
def test_a_row_that_is_gone_is_noticed_though_its_log_is_not_known(
    draw: DrawBooks, settings: MergeSettings, merge_all: MergeAll
) -> None:
    draw()
    delete(settings.lake_uri, "event_id = 'a3'")
    merge_all()
    assert draw().differences == ["the lake has 45 rows, and closed offsets explain 46"]


@pytest.mark.usefixtures("two_logs")
def test_logs_that_can_not_be_told_apart_any_more_raise_no_false_alarm(
    draw: DrawBooks, settings: MergeSettings, query: Query
) -> None:
    events = DeltaTable(settings.events_uri)
    kept = re.sub(r"\"version\": \d+", '"version": 99', events.metadata().configuration[stretches.PROPERTY])
    events.alter.set_table_properties({stretches.PROPERTY: kept}, raise_if_not_exists=False)
    for _ in range(2):
        assert draw().differences == []
    assert {row["is_blurred"] for row in query("SELECT is_blurred FROM books_offsets WHERE stretch = 0")} == {1}


def test_a_lake_of_an_older_driver_begins_with_its_first_row(
    draw: DrawBooks, settings: MergeSettings, merge_all: MergeAll
) -> None:
    land(settings.events_uri, logins("a", 50, 60), log="engagement.events")
    merge_all()
    for _ in range(2):
        books = draw()
        assert books.differences == []
        assert line_of(books, "partition", "engagement.events")["offsets"] == 10
    assert events_table.log_of(DeltaTable(settings.events_uri)) is None

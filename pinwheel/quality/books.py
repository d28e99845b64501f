"""The books: what became of every offset of Kafka and of every row of the lake, from the data alone.

Drawn up from one snapshot of the database and versions of the lake; stored in one transaction, with what is closed.
"""

import json
import logging
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import date, datetime

from deltalake import DeltaTable
from deltalake.exceptions import DeltaError

from pinwheel.alerts.catalogue import BOOKS_DIFFER, Send
from pinwheel.alerts.raising import raise_alert, resolve_alert
from pinwheel.clients import memsql
from pinwheel.clients.memsql import Connection, Row
from pinwheel.core.contract import ROLLUPS, TABLES
from pinwheel.core.duck import in_memory
from pinwheel.core.errors import LakeError, QualityError
from pinwheel.core.settings import QualitySettings, load
from pinwheel.core.times import naive, utc_now
from pinwheel.lake import events_table
from pinwheel.quality.books_lines import ALL, PARTITION, TABLE, Books, Line, some
from pinwheel.quality.books_lines import ROLLUPS as ROLLUPS_SCOPE
from pinwheel.quality.books_offsets import OffsetBooks
from pinwheel.quality.books_source import Source
from pinwheel.quality.books_tables import TableBooks

log = logging.getLogger(__name__)

SUBJECT = "books"  # of the alert
LONGEST = 20  # differences in a message
KEPT = 100  # differences in a line of the table; a text column holds twice that
EVER = datetime(1000, 1, 1)


def close_books(settings: QualitySettings, now: Callable[[], datetime], alert: Send, resolve: Send) -> Books:
    """Draw up the books, store them, close what is explained, and raise or resolve the alert.

    Dying before the commit changes nothing, after it the alert is raised by the next run; twice gives the same.

    Raises:
        MemsqlError: the database is unavailable.
    """
    with memsql.connect(settings) as connection:
        books = _drawn_up(settings, connection, now())
    if books.differences:
        alert(BOOKS_DIFFER, SUBJECT, told(books))
    else:
        resolve(BOOKS_DIFFER, SUBJECT, f"balanced: {books.offsets:,} offsets are explained")
    log.info("books offsets=%d differences=%d", books.offsets, len(books.differences))
    return books


def run() -> list[str]:
    """Close the books with settings from the environment; the differences, in words."""
    return close_books(load(QualitySettings), utc_now, raise_alert, resolve_alert).differences


def told(books: Books) -> str:
    """The differences, for people."""
    return "\n".join(_first(books.differences, LONGEST))


def _first(differences: list[str], count: int) -> list[str]:
    more = len(differences) - count
    return [*differences[:count], *([f"and {more} more, see the table books"] if more > 0 else [])]


def require_balanced(differences: list[str]) -> None:
    """Do nothing if there is no difference.

    Raises:
        QualityError: names the first ones.
    """
    if differences:
        raise QualityError(f"the books differ: {'; '.join(differences[:LONGEST])}")


def closed_through(connection: Connection) -> date | None:
    """The last day such that the books of it and of all days before are closed; None: of no day, or not for certain.

    None is after a table was made anew, until the books are drawn up again: what expires first would be in its ledger,
    and in no books. Closed days may leave the lake. Does not commit.
    """
    rows = memsql.fetch(connection, "quality/books/lines", {"scope": ALL})
    rebuilt_at = memsql.fetch(connection, "quality/books/rebuilt")[0]["rebuilt_at"]
    if not rows or (rebuilt_at is not None and rebuilt_at >= rows[0]["through_at"]):
        return None
    day: date | None = rows[0]["closed_through"]
    return day


def _drawn_up(settings: QualitySettings, connection: Connection, now: datetime) -> Books:
    # The lake first: what an erasure has removed from it is in the snapshot, because it was noted before.
    events = events_table.open_table(settings.events_uri)
    if events is None:
        books = Books(now, [], None)
        _store(connection, books, [], [], set())
        return books
    source = Source(settings, events_table.log_of(events))
    with closing(in_memory()) as db, memsql.snapshot(connection):
        tables = TableBooks(connection, settings.events_uri, db, now, settings.books_open_days)
        offsets = OffsetBooks(connection, events, db, source, settings.topic)
        lines = [*_offset_lines(offsets, tables, events), *_table_lines(tables), _rollups(connection)]
        tables.dead_letters(offsets.files)
        day = tables.closed_through(offsets.files) if offsets.all_closed else None
    books = Books(now, lines, day)
    _store(connection, books, offsets.closes, tables.closes, tables.opens)
    return books


def _offset_lines(offsets: OffsetBooks, tables: TableBooks, events: DeltaTable) -> list[Line]:
    try:
        return offsets.lines(tables.removed(offsets.files))
    except (DeltaError, OSError, LakeError) as error:
        return [Line(PARTITION, str(events_table.log_of(events)), 0, differences=[f"offsets: {error!s:.500}"])]


def _table_lines(tables: TableBooks) -> Iterator[Line]:
    for table in TABLES:
        try:
            yield from tables.lines(table)
        except (DeltaError, OSError, LakeError) as error:
            yield Line(TABLE, table, 0, differences=[f"{table}: the lake can't be read: {error!s:.500}"])


def _rollups(connection: Connection) -> Line:
    """The hours in which check_quality compared the rollups with a count of the rows."""
    line = Line(ROLLUPS_SCOPE, ROLLUPS, 0)
    hours = memsql.fetch(connection, "quality/books/rollups", {"from_hour": EVER})
    unequal = [row for row in hours if not row["is_met"]]
    line.counts.update(hours=len(hours), equal=len(hours) - len(unequal))
    if unequal:
        named = (f"{r['occurred_hour']:%Y-%m-%d %H:00} {r['measure']} {r['sample'] or '':.200}" for r in unequal)
        line.differences.append(f"rollups that differ from a count of the rows: {some(named, len(unequal))}")
    return line


def _store(
    connection: Connection, books: Books, offsets: list[Row], days: list[Row], opens: set[tuple[str, date]]
) -> None:
    """Replace the books, and close what is explained, in one transaction: dying before it changes nothing, twice gives
    the same. A second run at once waits, or is rolled back and stores again; it closes no range of offsets twice.
    """
    at = {"closed_at": naive(books.through)}
    opened = [{"table_name": table, "event_date": day} for table, day in sorted(opens)]

    def store() -> None:
        with memsql.transaction(connection):
            for row in offsets:  # one by one: a packed list can be as large as a statement may be
                memsql.execute(connection, "quality/books/close_offsets", row | at)
            memsql.execute_many(connection, "quality/books/open_day", opened)
            memsql.execute_many(connection, "quality/books/close_day", [row | at for row in days])
            memsql.execute(connection, "quality/books/forget")
            memsql.execute_many(connection, "quality/books/insert", [_row(line, books) for line in _with_all(books)])

    memsql.retry_conflicts(store)


def _with_all(books: Books) -> list[Line]:
    every = Line(ALL, SUBJECT, 0, differences=books.differences)
    every.counts["offsets"] = books.offsets
    return [*books.lines, every]


def _row(line: Line, books: Books) -> Row:
    return {
        "scope": line.scope,
        "name": line.name,
        "number": line.number,
        "counts": json.dumps({name: count for name, count in sorted(line.counts.items()) if count}),
        "differences": json.dumps(_first(line.differences, KEPT), ensure_ascii=False),
        "is_balanced": int(not line.differences),
        "through_at": naive(books.through),
        "closed_through": books.closed_through if line.scope == ALL else None,
    }

"""Rejudge: rows in quarantine that meet today's rules go on to their table.

Writes nothing to the database. A row that passes is changed to itself in the lake, so that the change feed brings it to
the merge again: that judges it, loads it and takes it out of quarantine, in one transaction as always.
"""

import json
import logging
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import date

import pyarrow as pa
import pyarrow.compute as pc

from pinwheel.clients import memsql
from pinwheel.clients.memsql import Connection, Row
from pinwheel.core.contract import TABLES, EventType, landed_columns
from pinwheel.core.offsets import VersionRange
from pinwheel.core.quarantine import MAX_ID_CHARS
from pinwheel.core.settings import MemsqlSettings, ReplaySettings
from pinwheel.lake import events_table
from pinwheel.lake.changes import send_again
from pinwheel.lake.replay import Wanted
from pinwheel.lake.replay_outcome import EXPIRED
from pinwheel.merge import ledger
from pinwheel.merge.ledger import FIRST_WATERMARK
from pinwheel.merge.prepare import Prepared, as_feed

log = logging.getLogger(__name__)

RECORDS = "SELECT DISTINCT kafka_partition, kafka_offset, event_id, occurred_at::DATE AS day FROM slice"
PAGE_ROWS = 1000  # judged at once, and changed in one commit
SAMPLES = 3
Record = tuple[int | None, int | None, str | None]


@dataclass
class Rejudged:
    """The outcome for a table's rows in quarantine.

    ``passing`` meet today's rules; ``sent`` of them are on their way to the table. ``broken``: what the others break,
    with up to ``SAMPLES`` reasons. ``gone``: records that are not in the lake any more. ``more_left``: the run stopped
    at its limit.
    """

    table: str
    rows: int = 0
    passing: int = 0
    sent: int = 0
    gone: int = 0
    broken: dict[str, int] = field(default_factory=dict)
    samples: list[str] = field(default_factory=list)
    more_left: bool = False


def rejudge(
    settings: ReplaySettings, connection: Connection, wanted: Wanted, by: str, *, dry_run: bool
) -> list[Rejudged]:
    """Judge the quarantined rows of each table by today's rules, and send on those that pass.

    Dies before a commit: its rows are in quarantine, and the next run sends them. After it: the merge takes them in.
    Twice before the merge did: they are sent twice, and the second time replace themselves.

    Args:
        settings: the lake, and how many rows of a table to send, about.
        connection: reads ``quarantine`` only; its transactions are committed.
        wanted: which rows; without a reason.
        by: the person who wants it, for the commit.
        dry_run: judge only.
    """
    kinds = [kind for kind in TABLES.values() if wanted.event_type in (None, kind.name)]
    return [_rejudge(kind, settings, connection, wanted, None if dry_run else by) for kind in kinds]


def first_day(settings: MemsqlSettings) -> date:
    """The first day of which the tables have all rows: events of earlier ones would be set aside."""
    with memsql.connect(settings) as connection:
        return ledger.kept_from(connection)


def _rejudge(
    kind: EventType, settings: ReplaySettings, connection: Connection, wanted: Wanted, by: str | None
) -> Rejudged:
    done = Rejudged(kind.table)
    with memsql.transaction(connection):
        kept_from = ledger.kept_from(connection)
    for page in _pages(connection, kind.table):
        records = {_record(row) for row in page}
        rows = _in_lake(settings.events_uri, kind, page, records)
        done.gone += len(records - {_record(row) for row in rows.to_pylist()})
        passing = _passing(kind, _within(rows, wanted), kept_from, done)
        if by is not None and passing.num_rows:
            done.sent += send_again(settings.events_uri, kind.name, passing, {"rejudged": passing.num_rows, "by": by})
        done.more_left = done.sent >= settings.replay_max_rows
        if done.more_left:
            break
    log.info("rejudged table=%s rows=%d passing=%d sent=%d", done.table, done.rows, done.passing, done.sent)
    return done


def _pages(connection: Connection, table: str) -> Iterator[list[Row]]:
    """The table's rows in quarantine, oldest first; without those that the merge sets aside meanwhile."""
    after = {"slice_id": FIRST_WATERMARK, "row_num": FIRST_WATERMARK}
    with memsql.transaction(connection):
        newest = memsql.fetch(connection, "merge/quarantine_newest", {"table_name": table})[0]["slice_id"]
    while newest is not None:
        with memsql.transaction(connection):
            named = {"table_name": table, "newest": newest, "top": PAGE_ROWS, **after}
            page = memsql.fetch(connection, "merge/quarantine_page", named)
        if not page:
            return
        yield page
        after = {name: page[-1][name] for name in after}


def _record(row: Row) -> Record:
    """Which record a row of the lake or of quarantine is; other logs have other events at the same offsets."""
    event_id = row["event_id"]
    return row["kafka_partition"], row["kafka_offset"], event_id and event_id[:MAX_ID_CHARS]


def _in_lake(events_uri: str, kind: EventType, page: Sequence[Row], records: set[Record]) -> pa.Table:
    """The records as they are in the lake now: ``landed_columns``."""
    days = {str(json.loads(row["row_json"]).get("occurred_at"))[:10] for row in page}
    offsets = pa.array({row["kafka_offset"] for row in page}, pa.int64())
    within = [("event_type", "=", kind.name), ("event_date", "in", sorted(days))]
    files = events_table.opened(events_uri).to_pyarrow_dataset(file_pruning_predicate=within)
    rows = files.scanner(columns=landed_columns(kind), filter=pc.field("kafka_offset").isin(offsets)).to_table()
    return rows.filter(pa.array([_record(row) in records for row in rows.to_pylist()], pa.bool_()))


def _within(rows: pa.Table, wanted: Wanted) -> pa.Table:
    kind = pa.timestamp("us", "UTC")
    if wanted.since:
        rows = rows.filter(pc.greater_equal(rows["kafka_timestamp"], pa.scalar(wanted.since, kind)))
    if wanted.until:
        rows = rows.filter(pc.less(rows["kafka_timestamp"], pa.scalar(wanted.until, kind)))
    return rows


def _passing(kind: EventType, rows: pa.Table, kept_from: date, done: Rejudged) -> pa.Table:
    """The records that meet today's rules: ``QUARANTINED``, and their day. All are counted.

    Those from before ``kept_from`` do not: the merge would set them aside again.
    """
    from expectations.suites import Kind, rules_of

    rules = [rule for rule in rules_of(kind.table) if rule.kind != Kind.WARNING]
    with closing(Prepared(kind.table, VersionRange(0, 0), {}, as_feed(kind.table, 0, rows.to_batches()))) as judged:
        done.rows += rows.num_rows
        judged.expire(kept_from, aside=False)
        broken = {EXPIRED: rows.num_rows - judged.rows_read, **judged.broken(rules)}
        for label, count in broken.items():
            if count:
                done.broken[label] = done.broken.get(label, 0) + count
        judged.set_aside(rules)
        done.samples += [row["reason"] for row in judged.aside[: SAMPLES - len(done.samples)]]
        found = judged.db.sql(RECORDS).to_arrow_table()
    done.passing += found.num_rows
    return found

"""Merge: one transaction that loads a prepared slice, queues its increments for the rollups and moves the ledger.

Idempotent: a run that is repeated or late is a no-op, because the watermark moves by compare-and-set. The table is
first asked for the slice's ids, so the load must store every row as it is: a warning or a skipped row rolls all back.
"""

import json
import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pyarrow as pa

from pinwheel.clients import memsql
from pinwheel.clients.memsql import Connection
from pinwheel.core.contract import reporting_columns
from pinwheel.core.errors import MergeError
from pinwheel.core.increments import pack
from pinwheel.core.quarantine import MAX_ID_CHARS
from pinwheel.core.settings import MergeSettings
from pinwheel.enrich.pin_cache import save_versions
from pinwheel.lake.change_feed import ChangeFeed
from pinwheel.merge import ledger
from pinwheel.merge.gate import Verdict
from pinwheel.merge.ledger import ONLY, Outcome, Shard, SupersededError
from pinwheel.merge.load import load, load_table, write
from pinwheel.merge.plan import Counts, Plan, kept_columns
from pinwheel.merge.prepare import CHANGED, Next, Prepared, prepare, upcoming

log = logging.getLogger(__name__)

CHUNK_ROWS = 1000  # quarantined rows per statement
PART_ROWS = 100_000  # of queued increments: a few megabytes, below any server's limit for a packet
PASSED = Verdict()


def next_slice(
    table: str,
    settings: MergeSettings,
    connection: Connection,
    shard: Shard = ONLY,
    feed: ChangeFeed | None = None,
) -> Prepared | None:
    """Prepare the next slice of a shard of ``table``; None: the lake has no new row for it, or more are waited for.

    Versions without rows of the table move the watermark and the progress only.

    Args:
        table: a reporting table, from the contract.
        settings: lake, database and slice size.
        connection: its transactions are committed.
        shard: which part of the table.
        feed: of the lake; None: a new one.
    """
    feed = feed or ChangeFeed(settings.events_uri)
    next_ = upcoming(table, feed, settings, connection, shard)
    if next_ is None:
        return None
    if not next_.empty:
        slice_ = prepared(table, feed, next_, shard, connection)
        if slice_.rows_read:
            return slice_
        slice_.close()
    with memsql.transaction(connection):
        if next_.restarts:
            ledger.restart_progress(connection, table)
        ledger.advance(connection, table, shard, next_.versions, next_.progress)
    log.info("skipped table=%s%s to=%d reason=no_rows", table, shard.label, next_.versions.to)
    return None


def prepared(table: str, feed: ChangeFeed, next_: Next, shard: Shard, connection: Connection) -> Prepared:
    """As ``prepare``; rows of days that the table no longer has are set aside, and corrections of them dropped."""
    slice_ = prepare(table, feed, next_, shard)
    slice_.expire(ledger.kept_from(connection), changes=lambda: feed.rows(next_.versions, slice_.kind.name, CHANGED))
    connection.commit()
    return slice_


def merge(
    slice_: Prepared, connection: Connection, verdict: Verdict = PASSED, *, accepted_id: int | None = None
) -> Counts:
    """Merge a slice that has passed the gate, or that a person accepted.

    Args:
        slice_: prepared, and judged.
        connection: opened with ``local_infile``; its transactions are committed.
        verdict: the gate's; its warnings go to the ledger.
        accepted_id: the slice's row in the ledger, if a person accepted it.

    Raises:
        SupersededError: another run has merged these versions, or the decision was taken back; nothing was changed.
        MergeError: the database could not store the rows unchanged; nothing was changed.
    """
    with planned(slice_, connection, slice_.table) as write_:
        slice_id = memsql.retry_conflicts(lambda: _merge_once(slice_, connection, verdict, write_, accepted_id))
    log.info("merged slice=%d table=%s to=%d %s", slice_id, slice_.table, slice_.versions.to, _pairs(write_.counts))
    return write_.counts


@dataclass(frozen=True)
class Write:
    """A planned slice, and the file with the rows to load into ``table``."""

    slice_: Prepared
    plan: Plan
    table: str
    file: Path
    rows: int
    gone: int

    @property
    def counts(self) -> Counts:
        """The outcome of the slice's rows."""
        return self.plan.counts


@contextmanager
def planned(slice_: Prepared, connection: Connection, table: str) -> Iterator[Write]:
    """Ask what ``table`` has, plan the slice, and write down its rows; the file is there until the block ends.

    Also loads the rows to delete, by id and place, into this connection's work table, and saves the pins that the slice
    embeds: dying afterwards leaves ``pin_cache`` newer than the table.
    """
    memsql.execute_all(connection, "merge/work_tables")
    plan = Plan(slice_, _kept(slice_, connection, table))
    gone = plan.gone_ids()
    with memsql.transaction(connection):
        load_table(connection, "gone_ids", gone)
    _save_pins(slice_, connection)
    with TemporaryDirectory(prefix="pinwheel-merge-") as folder:
        file = Path(folder, "rows")
        rows = write(file, plan.rows())
        if not connection.loads_in_transaction:
            memsql.execute_all(connection, "merge/loaded_rows", table=table)
            load(connection, "loaded_rows", file, _columns(slice_), rows)
        yield Write(slice_, plan, table, file, rows, gone.num_rows)


def _kept(slice_: Prepared, connection: Connection, table: str) -> list[memsql.Row]:
    """The rows that are in the table under an id of the slice. Only this shard's runs write them, one at a time."""
    with memsql.transaction(connection):
        newest = memsql.fetch(connection, "merge/newest_id", table=table)[0]["event_id"]
        ids = slice_.ids_to_ask(newest)
        if not len(ids):
            return []
        load_table(connection, "asked_ids", pa.table({"event_id": ids}))
        return memsql.fetch(connection, "merge/kept", table=table, columns=kept_columns(slice_.kind))


def _save_pins(slice_: Prepared, connection: Connection) -> None:
    pins = slice_.pins()
    if pins is None or not pins.num_rows:
        return

    def save() -> None:
        with memsql.transaction(connection):
            save_versions(connection, pins)

    memsql.retry_conflicts(save)


def _merge_once(
    slice_: Prepared, connection: Connection, verdict: Verdict, write_: Write, accepted_id: int | None
) -> int:
    with memsql.transaction(connection):
        ledger.advance(connection, slice_.table, slice_.shard, slice_.versions, slice_.progress)
        if ledger.kept_from(connection) != slice_.kept_from:  # it moves under the lock that advance holds
            raise SupersededError(f"days of {slice_.table} have expired meanwhile: the slice is prepared again")
        outcome = Outcome(asdict(write_.counts), slice_.rows_read, len(slice_.aside), _detail(verdict))
        if accepted_id is None:
            slice_id = ledger.record_merged(connection, slice_, outcome)
        else:
            slice_id = ledger.close_accepted(connection, accepted_id, outcome)
        write_rows(connection, write_)
        memsql.execute_many(connection, "merge/forget_quarantined", quarantined_again(connection, slice_))
        set_aside(connection, slice_, slice_id, slice_.table)
        queue_increments(connection, slice_id, slice_.table, write_.plan.increments())
    return slice_id


def _detail(verdict: Verdict) -> str | None:
    is_plain = not verdict.warnings and not verdict.quarantined
    return None if is_plain else json.dumps(asdict(verdict), ensure_ascii=False)


def _columns(slice_: Prepared) -> list[str]:
    return [c.name for c in reporting_columns(slice_.kind)]


def write_rows(connection: Connection, write_: Write) -> None:
    """Delete the rows that leave or change, and load the new and changed ones. Does not commit.

    Raises:
        MergeError: the table no longer has what the slice was planned against, or could not store the rows unchanged.
    """
    if write_.gone and memsql.execute(connection, "merge/delete", table=write_.table) != write_.gone:
        raise MergeError(f"rows of {write_.table} have changed since the slice was planned; nothing was merged")
    columns = _columns(write_.slice_)
    if connection.loads_in_transaction:
        load(connection, write_.table, write_.file, columns, write_.rows)
    elif memsql.execute(connection, "merge/move_loaded", table=write_.table, columns=columns) != write_.rows:
        raise MergeError(f"{write_.table} did not take all of {write_.rows} loaded rows; nothing was merged")
    memsql.execute_many(connection, "merge/note_pending", write_.plan.pending())


def quarantined_again(connection: Connection, slice_: Prepared) -> list[memsql.Row]:
    """Quarantined records of earlier slices that the slice has again, and that must leave quarantine with it."""
    span = slice_.offsets()  # new records have new offsets, so there is usually nothing between these
    if span is None:
        return []
    named = {"table_name": slice_.table, "first_offset": span[0], "last_offset": span[1]}
    earlier = memsql.fetch(connection, "merge/quarantined", named)
    return [{**row, "table_name": slice_.table} for row in slice_.has_again(earlier)] if earlier else []


def set_aside(connection: Connection, slice_: Prepared, slice_id: int, table: str) -> None:
    """Keep the slice's bad rows in quarantine, under the name of ``table``. Does not commit."""
    kept = [_kept_aside(row, slice_id, table) for row in slice_.aside]
    for start in range(0, len(kept), CHUNK_ROWS):
        memsql.execute_many(connection, "merge/quarantine", kept[start : start + CHUNK_ROWS])


def _kept_aside(row: Mapping[str, Any], slice_id: int, table: str) -> dict[str, Any]:
    values = {name: value for name, value in row.items() if name != "reason"}
    return {
        "slice_id": slice_id,
        "row_num": row["row_num"],
        "table_name": table,
        "event_id": None if row["event_id"] is None else row["event_id"][:MAX_ID_CHARS],
        "kafka_partition": row["kafka_partition"],
        "kafka_offset": row["kafka_offset"],
        "reason": row["reason"],
        "row_json": json.dumps(values, default=str, ensure_ascii=False),
    }


def queue_increments(connection: Connection, slice_id: int, table: str, rows: pa.Table) -> None:
    """Queue what a slice adds to the rollups and takes from them: ``INCREMENTS``. Does not commit."""
    for part, start in enumerate(range(0, rows.num_rows, PART_ROWS)):
        packed = pack(rows.slice(start, PART_ROWS))
        counted = min(PART_ROWS, rows.num_rows - start)
        named = {"slice_id": slice_id, "part": part, "table_name": table, "row_count": counted, "increments": packed}
        memsql.execute(connection, "merge/queue_increments", named)


def _pairs(counts: Counts) -> str:
    return " ".join(f"{name}={value}" for name, value in asdict(counts).items())

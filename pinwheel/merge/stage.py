"""Stage: load the lake's next versions for one table into ``staging_<table>`` as a new slice.

Staging the same versions again makes a new slice with its own id. The older slice is first marked superseded, so a
run that wakes up late can't merge it.
"""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO

import pyarrow as pa
import pyarrow.compute as pc
from deltalake import DeltaTable

from pinwheel.clients import memsql, tsv
from pinwheel.clients.memsql import Connection
from pinwheel.core.contract import HOUR_COLUMN, TABLES, Column, EventType, SliceState, reporting_columns
from pinwheel.core.errors import MergeError
from pinwheel.core.offsets import Progress, Reach, VersionRange
from pinwheel.core.settings import MergeSettings
from pinwheel.lake import events_table
from pinwheel.merge import ledger
from pinwheel.merge.ledger import Slice

log = logging.getLogger(__name__)

CHANGE_OF = {"insert": "upsert", "update_postimage": "upsert", "delete": "delete"}  # pre-images are ignored


@dataclass(frozen=True)
class Next:
    """The versions to merge next. ``empty``: they are known to hold no row of the table."""

    versions: VersionRange
    empty: bool
    progress: Progress


def stage(table: str, settings: MergeSettings, connection: Connection) -> Slice | None:
    """Stage the next slice of ``table``; None if the lake has no new row for it (the watermark still moves).

    Args:
        table: a reporting table, from the contract.
        settings: lake, database and slice size.
        connection: opened with ``local_infile``; its transactions are committed.

    Raises:
        MergeError: the database could not store the rows unchanged.
    """
    start = ledger.watermark(connection, table)
    connection.commit()
    upcoming = choose(events_table.commits(settings.events_uri, start), TABLES[table], start, settings.merge_slice_rows)
    if upcoming is None:
        return None
    with TemporaryDirectory(prefix="pinwheel-stage-") as folder:
        path = Path(folder, f"{table}.tsv")
        event_ids = None if upcoming.empty else _write(path, settings.events_uri, table, upcoming)
        if not event_ids:
            _skip(connection, table, upcoming)
            return None
        return _load(connection, table, upcoming, path, repeats(event_ids))


def choose(commits: list[events_table.Commit], kind: EventType, start: int, max_rows: int) -> Next | None:
    """The next versions, with at most ``max_rows`` rows of ``kind`` in all, but always at least one with rows.

    A version of another writer has no known row count: it counts as 0 rows, but is always read.
    """
    taken: list[events_table.Commit] = []
    rows = 0
    for commit in commits:
        more = 0 if commit.rows is None else commit.rows.get(kind.name, 0)
        if rows and rows + more > max_rows:
            break
        rows += more
        taken.append(commit)
    if not taken:
        return None
    empty = rows == 0 and all(commit.rows is not None for commit in taken)
    return Next(VersionRange(start, taken[-1].version), empty, _progress(taken))


def _progress(commits: list[events_table.Commit]) -> Progress:
    reached: dict[int, Reach] = {}
    for commit in commits:
        reached.update(commit.progress)
    return reached


def _skip(connection: Connection, table: str, upcoming: Next) -> None:
    with memsql.transaction(connection):
        ledger.advance(connection, table, upcoming.versions, upcoming.progress)
    log.info("skipped table=%s from=%d to=%d reason=no_rows", table, upcoming.versions.after, upcoming.versions.to)


def _write(path: Path, events_uri: str, table: str, upcoming: Next) -> pa.ChunkedArray:
    """Write the range's changes as TSV, without slice id; returns their event ids, indexed by row number."""
    event_ids, rows = list[pa.Array](), 0
    with path.open("wb") as file:
        for batch in _changes(events_uri, table, upcoming):
            event_ids.append(_write_batch(file, batch, table, rows))
            rows += len(event_ids[-1])
    return pa.chunked_array(event_ids, pa.string())


def repeats(event_ids: pa.ChunkedArray) -> list[int]:
    """Row numbers of the ids that occur more than once."""
    counted = event_ids.value_counts()
    if len(counted) == len(event_ids):
        return []
    repeated = counted.field("values").filter(pc.greater(counted.field("counts"), 1))
    return list(pc.indices_nonzero(pc.is_in(event_ids, value_set=repeated)).to_pylist())


def _changes(events_uri: str, table: str, upcoming: Next) -> Iterator[pa.RecordBatch]:
    columns = [c.name for c in reporting_columns(TABLES[table]) if c.name != HOUR_COLUMN]
    feed = DeltaTable(events_uri).load_cdf(
        starting_version=upcoming.versions.after + 1,
        ending_version=upcoming.versions.to,
        columns=[*columns, "_change_type", "_commit_version"],
        predicate=f"event_type = '{TABLES[table].name}'",  # a partition column: other types' files are not opened
    )
    for batch in pa.RecordBatchReader.from_stream(feed):
        yield from events_table.without_views(pa.Table.from_batches([batch])).to_batches()


def _write_batch(file: IO[bytes], batch: pa.RecordBatch, table: str, first: int) -> pa.Array:
    kept = batch.filter(pc.is_in(batch["_change_type"], value_set=pa.array(list(CHANGE_OF))))
    if kept.num_rows == 0:
        return kept["event_id"]
    is_delete = pc.equal(kept["_change_type"], "delete")
    numbers = pa.array(range(first, first + kept.num_rows), pa.int64())
    changes = pc.if_else(is_delete, CHANGE_OF["delete"], CHANGE_OF["insert"])
    values = [_column(kept, column) for column in reporting_columns(TABLES[table])]
    file.write(tsv.lines([numbers, kept["_commit_version"], changes, *values]))
    return kept["event_id"]


def _column(batch: pa.RecordBatch, column: Column) -> pa.Array:
    if column.name == HOUR_COLUMN:
        return pc.floor_temporal(batch["occurred_at"], unit="hour")
    return batch[column.name]


def _load(connection: Connection, table: str, upcoming: Next, path: Path, repeated: Sequence[int]) -> Slice:
    drop_leftovers(connection, table)
    with memsql.transaction(connection):
        slice_id = ledger.open_slice(connection, table, upcoming.versions, upcoming.progress)
    with memsql.transaction(connection):
        rows = _load_file(connection, table, slice_id, path)
        noted = [{"slice_id": slice_id, "row_num": number} for number in repeated]
        memsql.execute_many(connection, "merge/note_repeats", noted)
        ledger.move(connection, slice_id, SliceState.STAGING, SliceState.STAGED, None)
        memsql.execute(connection, "merge/set_rows_read", {"slice_id": slice_id, "rows_read": rows})
    log.info(
        "staged slice=%d table=%s from=%d to=%d rows=%d",
        slice_id,
        table,
        upcoming.versions.after,
        upcoming.versions.to,
        rows,
    )
    return ledger.find(connection, slice_id)


def _load_file(connection: Connection, table: str, slice_id: int, path: Path) -> int:
    columns = [c.name for c in reporting_columns(TABLES[table])]
    params = {"path": str(path), "slice_id": slice_id}
    rows = memsql.execute(connection, "merge/load", params, table=table, columns=columns)
    # LOAD DATA LOCAL turns errors into warnings and truncates values: a single warning discredits the whole load.
    warnings = memsql.warnings(connection)
    if warnings:
        raise MergeError(f"staging_{table} can't store {path.name} unchanged: {warnings[:3]}; widen its columns")
    return rows


def drop_leftovers(connection: Connection, table: str) -> None:
    """Mark earlier attempts superseded, then remove their rows and the rows that the rollups have already counted.

    If it dies half-way, the next call removes the rest: which rows go depends only on the ledger.
    """
    with memsql.transaction(connection):
        memsql.execute(connection, "merge/supersede_slices", {"table_name": table})
    with memsql.transaction(connection):
        memsql.execute(connection, "merge/drop_quarantined", {"table_name": table})
        there = memsql.fetch(connection, "merge/staged_slices", table=table)
    spent = [row["slice_id"] for row in there if not row["is_needed"]]
    if not spent:
        return
    with memsql.transaction(connection):
        memsql.execute(connection, "merge/drop_repeats", {"slice_ids": spent})
        if len(spent) == len(there):
            memsql.execute(connection, "merge/empty_staging", table=table)
        else:
            memsql.execute(connection, "merge/drop_staged", {"slice_ids": spent}, table=table)

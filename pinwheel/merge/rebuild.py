"""Rebuild: a reporting table made anew from a version of the lake, while readers see the old one (ADR 0012).

The merge session of the table does it, part by part: each part is prepared and judged like a slice that a person has
accepted, and loaded into ``rebuilt_<table>`` in one transaction that also counts it. Then the tables are exchanged, the
watermark goes to that version, and the rollups of all days are made anew. Whatever dies, the next session goes on.
"""

import logging
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass

import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.fs as pafs
from deltalake import DeltaTable
from deltalake.fs import DeltaStorageHandler

from pinwheel.clients import memsql
from pinwheel.clients.memsql import Connection
from pinwheel.core import offsets
from pinwheel.core.contract import TABLES, landed_columns
from pinwheel.core.errors import MergeError
from pinwheel.core.offsets import Progress, VersionRange
from pinwheel.core.settings import MergeSettings
from pinwheel.lake import events_table
from pinwheel.lake.files import FILE_SCHEMA
from pinwheel.merge import ledger
from pinwheel.merge.gate import Gate
from pinwheel.merge.ledger import FIRST_WATERMARK, Outcome, Shard, SupersededError
from pinwheel.merge.merge import planned, write_rows
from pinwheel.merge.prepare import Prepared

log = logging.getLogger(__name__)

LOADING, EXCHANGING = "loading", "exchanging"
RECENT_COMMITS = 1000  # among them, each partition that still gets records has one


@dataclass(frozen=True)
class Rebuild:
    """A table's rebuild. ``parts_done``: how many parts of the lake's ``version`` are in the new table."""

    table: str
    version: int
    part_rows: int
    parts_done: int
    state: str


@dataclass(frozen=True)
class Extent:
    """The size of a table's rebuild."""

    table: str
    version: int
    rows: int
    files: int
    parts: int


def request(connection: Connection, settings: MergeSettings, tables: Sequence[str], by: str) -> list[Extent]:
    """Have tables rebuilt from the lake's newest version, by their merge sessions; returns what that will read.

    A table that is being rebuilt already goes on as it was.

    Raises:
        MergeError: there is no such table, or no lake.
    """
    found = extents(settings, tables)
    with memsql.transaction(connection):
        of_all = {"part_rows": settings.merge_slice_rows, "requested_by": by}
        asked = [{"table_name": e.table, "version": e.version, **of_all} for e in found]
        memsql.execute_many(connection, "merge/rebuild/request", asked)
    log.info("rebuild requested tables=%s by=%s", ",".join(tables), by)
    return found


def extents(settings: MergeSettings, tables: Sequence[str]) -> list[Extent]:
    """The sizes of rebuilds; writes nothing.

    Raises:
        MergeError: there is no such table, or no lake.
    """
    unknown = [table for table in tables if table not in TABLES]
    if unknown:
        raise MergeError(f"no reporting table {unknown[0]!r}; there are {', '.join(TABLES)}")
    events = events_table.open_table(settings.events_uri)
    if events is None:
        raise MergeError(f"there is no lake at {settings.events_uri} to rebuild from")
    return [_extent(table, events, settings.merge_slice_rows) for table in tables]


def _extent(table: str, events: DeltaTable, part_rows: int) -> Extent:
    parts = _parts(events, table, part_rows)
    files = [file for part in parts for file in part]
    return Extent(table, events.version(), sum(rows for _, rows in files), len(files), len(parts))


def waiting(connection: Connection, table: str) -> Rebuild | None:
    """The rebuild of ``table`` that is not done, if any."""
    rows = memsql.fetch(connection, "merge/rebuild/state", {"table_name": table})
    return Rebuild(table, **rows[0]) if rows else None


def versions(connection: Connection) -> set[int]:
    """The lake's versions that rebuilds read, and that must be kept for them."""
    return {int(row["version"]) for row in memsql.fetch(connection, "merge/rebuild/versions")}


def go_on(rebuild: Rebuild, settings: MergeSettings, connection: Connection, gate: Gate) -> None:
    """Load the next part, or exchange the tables when all are loaded.

    Raises:
        SupersededError: another run was faster; this one changed nothing.
    """
    if rebuild.state == LOADING:
        events = DeltaTable(settings.events_uri, version=rebuild.version)
        parts = _parts(events, rebuild.table, rebuild.part_rows)
        if rebuild.parts_done == 0:  # also what is left of a run that died with its first part
            memsql.execute_all(connection, "merge/rebuild/shadow", table=rebuild.table)
        if rebuild.parts_done < len(parts):
            part = [path for path, _ in parts[rebuild.parts_done]]
            _load_part(rebuild, len(parts), _rows(settings.events_uri, rebuild, part), connection, gate)
            return
        with memsql.transaction(connection):
            _move(connection, rebuild, rebuild.parts_done, EXCHANGING)
    _exchange(rebuild, settings, connection)


def _parts(events: DeltaTable, table: str, part_rows: int) -> list[list[tuple[str, int]]]:
    """The files of a table's events with their rows, oldest day first, in parts of about ``part_rows`` rows."""
    files = pa.table(events.get_add_actions(flatten=True)).to_pylist()
    wanted = sorted((f["path"], f["num_records"]) for f in files if f["partition.event_type"] == TABLES[table].name)
    parts: list[list[tuple[str, int]]] = []
    rows = part_rows
    for file in wanted:
        if rows + file[1] > part_rows:
            parts.append([])
            rows = 0
        parts[-1].append(file)
        rows += file[1]
    return parts


def _rows(events_uri: str, rebuild: Rebuild, paths: Sequence[str]) -> pa.RecordBatchReader:
    """The rows of some files, as the change feed would have them."""
    columns = landed_columns(TABLES[rebuild.table])
    filesystem = pafs.PyFileSystem(DeltaStorageHandler(events_uri))
    rows = ds.dataset(list(paths), schema=FILE_SCHEMA, format="parquet", filesystem=filesystem)
    schema = pa.schema([FILE_SCHEMA.field(name) for name in columns])
    schema = schema.append(pa.field("_change_type", pa.string())).append(pa.field("_commit_version", pa.int64()))

    def changes() -> Iterator[pa.RecordBatch]:
        for batch in rows.to_batches(columns=columns):
            kind, version = pa.repeat("insert", batch.num_rows), pa.repeat(rebuild.version, batch.num_rows)
            yield pa.RecordBatch.from_arrays([*batch.columns, kind, version], schema=schema)

    return pa.RecordBatchReader.from_batches(schema, changes())


def _load_part(rebuild: Rebuild, parts: int, rows: pa.RecordBatchReader, connection: Connection, gate: Gate) -> None:
    into, number = f"rebuilt_{rebuild.table}", rebuild.parts_done + 1
    versions = VersionRange(FIRST_WATERMARK, rebuild.version)
    with closing(Prepared(rebuild.table, versions, {}, rows)) as slice_:
        verdict = gate.check(slice_, accepted=True)  # as when it was merged first: bad rows were quarantined then too
        with planned(slice_, connection, into, any_order=True) as write_:

            def load() -> None:
                with memsql.transaction(connection):
                    _move(connection, rebuild, number, LOADING)
                    detail = f'{{"rebuild": "part {number} of {parts}"}}'
                    outcome = Outcome(asdict(write_.counts), slice_.rows_read, len(slice_.aside), detail)
                    write_rows(connection, write_, ledger.record_merged(connection, slice_, outcome))

            memsql.retry_conflicts(load)
    log.info("rebuilt table=%s part=%d of=%d rows=%d quarantined=%d", rebuild.table, number, parts, slice_.rows_read,
             verdict.quarantined)  # fmt: skip


def _move(connection: Connection, rebuild: Rebuild, parts_done: int, state: str) -> None:
    moved = {
        "table_name": rebuild.table,
        "version": rebuild.version,
        "parts_before": rebuild.parts_done,
        "parts_done": parts_done,
        "state": state,
    }
    if memsql.execute(connection, "merge/rebuild/move", moved) != 1:
        raise SupersededError(f"the rebuild of {rebuild.table} is no longer at part {rebuild.parts_done}")


def _exchange(rebuild: Rebuild, settings: MergeSettings, connection: Connection) -> None:
    """Exchange the tables, then let the table follow the feed from the rebuild's version.

    Dying between the two leaves the new table with the old watermark; the next run finds no shadow left, and goes on.
    Rows of versions in between come again by the feed, and are recognised.
    """
    table = rebuild.table
    memsql.execute(connection, "merge/rebuild/drop_replaced", table=table)
    if memsql.fetch(connection, "merge/rebuild/has_shadow", {"rebuilt": f"rebuilt_{table}"}):
        with memsql.transaction(connection):
            note_stale_days(connection, table)
        memsql.execute_all(connection, "merge/rebuild/exchange", table=table)
    ledger.watermark(connection, table, Shard(0, settings.merge_shards))  # there are none in a new database
    with memsql.transaction(connection):
        if memsql.execute(connection, "merge/rebuild/done", {"table_name": table}) != 1:
            raise SupersededError(f"the rebuild of {table} was finished by another run")
        note_stale_days(connection, table)
        memsql.execute(connection, "merge/rebuild/set_watermarks", {"table_name": table, "version": rebuild.version})
        memsql.execute(connection, "merge/drop_progress", {"table_name": table})
        memsql.execute(connection, "merge/supersede_slices", {"table_name": table})
        reached = _progress(settings.events_uri, rebuild.version)
        for number in range(settings.merge_shards):
            ledger.move_progress(connection, table, reached, Shard(number, settings.merge_shards))
    memsql.execute(connection, "merge/rebuild/drop_replaced", table=table)
    log.info("rebuilt table=%s version=%d", table, rebuild.version)


def note_stale_days(connection: Connection, table: str) -> None:
    """Have the rollups of all days of a table made anew from its rows. Idempotent; does not commit."""
    memsql.execute(connection, "merge/rebuild/note_stale_days", table=table)


def _progress(events_uri: str, version: int) -> Progress:
    """The progress of the lake at a version, as far as its log goes back."""
    commits = events_table.recent_commits(DeltaTable(events_uri, version=version), RECENT_COMMITS)
    return offsets.together(commit.progress for commit in commits)

"""The Delta lake: one ``events`` table, written by ``pinwheel.lake.landing``."""

import json
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
from deltalake import DeltaTable, Schema
from deltalake.exceptions import DeltaError, TableNotFoundError

from pinwheel.core.arrow import ARROW_TYPE
from pinwheel.core.contract import LAKE_COLUMNS, LAKE_PARTITIONS, Column
from pinwheel.core.errors import BrokenLogError, LakeError, LogCutError
from pinwheel.core.offsets import Progress, Reach
from pinwheel.lake import log_files

LOG_PROPERTY = "pinwheel.kafkaLog"  # a table property: which log the offsets are of
METADATA_KEY = "pinwheel"  # where a landing commit keeps its manifest, as JSON
EXPIRED = "expired_before"  # in the manifest of a commit that takes old rows away: the first day that is kept
READERS = 8  # of the log's entries at once: a store answers each in milliseconds
LOG_KEPT = timedelta(hours=1)  # each landing lists the log three times: 302,400 entries take 2 s
# Columns by which readers skip files. Not occurred_at: its statistics make delta-rs 1.6 refuse
# `occurred_at < TIMESTAMP '…'` in updates and deletes, and the day in the path is nearly as selective.
STATISTICS = ("user_id", "pin_id", "brand_id", "kafka_partition", "kafka_offset")
EVENTS_CONFIGURATION = {
    "delta.enableChangeDataFeed": "true",  # the merge reads it
    "delta.enableDeletionVectors": "false",  # delta-rs' change feed can't read them
    "delta.checkpointInterval": "200",  # every 200 s is enough: a checkpoint takes 0.1 s and more
    "delta.logRetentionDuration": f"interval {LOG_KEPT // timedelta(hours=1)} hours",
    "delta.enableExpiredLogCleanup": "false",  # compact_tables does it: it knows how far the readers are
    "delta.deletedFileRetentionDuration": "interval 1 days",  # each checkpoint repeats the names of deleted files
    "delta.dataSkippingNumIndexedCols": "0",  # statistics of these columns only
    "delta.dataSkippingStatsColumns": ",".join(STATISTICS),
}


def arrow_schema(columns: Iterable[Column] = LAKE_COLUMNS) -> pa.Schema:
    """The Arrow schema of contract columns; all nullable."""
    return pa.schema([(c.name, ARROW_TYPE[c.type]) for c in columns])


@dataclass(frozen=True)
class Span:
    """Offsets [start, end) of one Kafka partition that one commit landed, and their newest Kafka time.

    Offsets may hold no record: markers of transactions, and what compaction has removed. ``timestamp`` is None if none
    of them does.
    """

    start: int
    end: int
    timestamp: datetime | None


@dataclass(frozen=True)
class Commit:
    """One version of ``events``. ``rows`` (by event_type) is None when it is not a landing commit.

    ``behind``: about how many records were in Kafka that no version had yet; 0 unless the stream was catching up.
    ``gap``: the offsets that a person let the stream go on without; None for all others. ``expires``: it only takes
    away old rows, which is no correction: reporting tables and rollups keep theirs.
    """

    version: int
    committed_at: datetime
    rows: dict[str, int] | None = None
    spans: dict[int, Span] = field(default_factory=dict)
    behind: int = 0
    gap: dict[str, Any] | None = None
    expires: bool = False

    @property
    def progress(self) -> Progress:
        """The progress that it made."""
        return {p: Reach(s.end, s.timestamp) for p, s in self.spans.items()}


def open_table(uri: str) -> DeltaTable | None:
    """The Delta table at ``uri``, or None when there is none yet.

    Raises:
        BrokenLogError: its log lacks a version.
        LakeError: it can't be read for another reason.
    """
    try:
        return DeltaTable(uri)
    except TableNotFoundError:
        return None
    except DeltaError as error:
        raise log_files.unopened(uri, error) from error


def opened(uri: str) -> DeltaTable:
    """The same of a table that must be there."""
    found = open_table(uri)
    if found is None:
        raise LakeError(f"there is no lake at {uri}: is PINWHEEL_LAKE_URI right, and did the stream ever run?")
    return found


def refresh(events: DeltaTable) -> None:
    """Bring ``events`` to its newest version.

    Raises:
        BrokenLogError: its log lacks a version.
        LakeError: it can't be read for another reason, or was set back to an older version.
    """
    try:
        events.update_incremental()
    except DeltaError as error:
        raise log_files.unopened(events.table_uri, error) from error


def newest(uri: str, known: DeltaTable | None) -> DeltaTable | None:
    """The table at its newest version: ``known`` if it is open already, as to open it costs 80 ms of CPU, not 4.

    Raises:
        BrokenLogError, LakeError: as ``open_table`` and ``refresh``.
    """
    if known is None:
        return open_table(uri)
    refresh(known)
    return known


def create_table(uri: str) -> None:
    """Create ``events`` if it does not exist, and update its columns and configuration to the code's. Idempotent."""
    if "://" not in uri:
        Path(uri).mkdir(parents=True, exist_ok=True)
    schema = arrow_schema()
    table = DeltaTable.create(
        uri,
        schema,
        mode="ignore",
        partition_by=list(LAKE_PARTITIONS),
        configuration=EVENTS_CONFIGURATION,
        raise_if_key_not_exists=False,
    )
    known = {f.name for f in table.schema().fields}
    missing = [f for f in schema if f.name not in known]
    if missing:
        table.alter.add_columns(list(Schema.from_arrow(pa.schema(missing)).fields))
    if not EVENTS_CONFIGURATION.items() <= table.metadata().configuration.items():
        table.alter.set_table_properties(EVENTS_CONFIGURATION, raise_if_not_exists=False)


def files(events: DeltaTable) -> pa.Table:
    """The files of the version that is open, a row each: path, rows, ``partition.…`` and statistics; from the log."""
    return pa.table(events.get_add_actions(flatten=True))


def app_id(log: str, partition: int) -> str:
    """The Delta transaction identifier under which the next offset to land of a log's partition is kept."""
    return f"{log}/{partition}"


def log_of(events: DeltaTable | None) -> str | None:
    """The log that ``events`` is landed from; None: it is not known yet."""
    return events.metadata().configuration.get(LOG_PROPERTY) if events else None


def landed_offsets(events_uri: str, topic: str, partitions: Iterable[int]) -> dict[int, int]:
    """The next offset to land per Kafka partition; partitions that never landed anything are left out.

    Of the log that the table is landed from. ``topic`` stands for it as long as it is not known.
    """
    return landed(open_table(events_uri), topic, partitions)


def landed(events: DeltaTable | None, topic: str, partitions: Iterable[int]) -> dict[int, int]:
    """As ``landed_offsets``, of a table that is open: to open it costs 80 ms of CPU."""
    if events is None:
        return {}
    log = log_of(events) or topic
    offsets = {p: events.transaction_version(app_id(log, p)) for p in partitions}
    return {p: offset for p, offset in offsets.items() if offset is not None}


def commits(events: DeltaTable | None, after: int) -> list[Commit]:
    """The versions later than ``after`` that ``events`` has as it is open, oldest first; none if there is no table.

    Raises:
        LogCutError: some of them are no longer in the log, or one is missing between others or can't be read.
        LakeError: there is no version ``after``: the lake was lost, or set back to an older one.
    """
    newest = -1 if events is None else events.version()
    if newest < after:
        raise LakeError(
            f"version {after} of the lake was merged, but its newest is {newest}: it was lost, or set back to an older "
            f"copy; {log_files.RUNBOOK}"
        )
    if events is None or newest == after:
        return []
    later = recent_commits(events, newest - after)
    if len(later) < newest - after:
        why = _why_not(events, range(after + 1, newest - len(later) + 1))
        raise LogCutError(f"{events.table_uri}: {why}: rebuild the table from the lake")
    return later


def _why_not(events: DeltaTable, unread: range) -> str:
    """Why these versions, the last of which can't be read, are not in the log."""
    files = log_files.storage_of(events)
    if any(version <= unread[-1] for version in log_files.listed(files).entries):
        for reason in log_files.broken(files, unread[-1:]).values():
            return reason
    return f"versions {unread[0]} to {unread[-1]} are no longer in its log, which reaches back {LOG_KEPT}"


def recent_commits(events: DeltaTable, count: int) -> list[Commit]:
    """The last ``count`` versions that ``events`` has as it is open, oldest first, with their manifests.

    Fewer when the log has been shortened, or lacks one: then those after it.
    """
    files, newest = log_files.storage_of(events), events.version()
    wanted = range(newest, max(-1, newest - count), -1)
    found: list[Commit] = []
    with ThreadPoolExecutor(READERS) as pool:
        reading = [pool.submit(log_files.commit_info, files, version) for version in wanted]
        for version, read in zip(wanted, reading, strict=True):
            try:
                found.append(_commit(version, read.result()))
            except BrokenLogError:
                pool.shutdown(wait=False, cancel_futures=True)
                break
    return found[::-1]


def committed_at(entry: Mapping[str, Any]) -> datetime:
    """When a version was committed, by the clock of the process that did."""
    return datetime.fromtimestamp(int(entry["timestamp"]) / 1000, UTC)


def _commit(version: int, entry: Mapping[str, Any]) -> Commit:
    at, manifest = committed_at(entry), entry.get(METADATA_KEY)
    if manifest is None:
        return Commit(version, at)
    read = json.loads(str(manifest))
    if EXPIRED in read:
        return Commit(version, at, expires=True)
    spans = {int(p): Span(s, e, t and datetime.fromisoformat(t)) for p, (s, e, t) in read["spans"].items()}
    return Commit(version, at, read["rows"], spans, read.get("behind", 0), read.get("gap"))


def without_views(rows: pa.Table) -> pa.Table:
    """Cast view types to plain strings and bytes: delta-rs returns views, which Arrow's kernels do not accept."""
    plain = {pa.string_view(): pa.string(), pa.binary_view(): pa.binary()}
    return rows.cast(pa.schema([f.with_type(plain.get(f.type, f.type)) for f in rows.schema]))

"""The Delta lake: one ``events`` table, written by ``pinwheel.lake.landing``."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
from deltalake import DeltaTable, Schema
from deltalake.exceptions import TableNotFoundError

from pinwheel.core.arrow import ARROW_TYPE
from pinwheel.core.contract import LAKE_COLUMNS, LAKE_PARTITIONS, Column
from pinwheel.core.errors import LogCutError
from pinwheel.core.offsets import Progress, Reach

LOG_PROPERTY = "pinwheel.kafkaLog"  # a table property: which log the offsets are of
METADATA_KEY = "pinwheel"  # where a landing commit keeps its manifest, as JSON
EXPIRED = "expired_before"  # in the manifest of a commit that takes old rows away: the first day that is kept
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
    """The Delta table at ``uri``, or None when there is none yet."""
    try:
        return DeltaTable(uri)
    except TableNotFoundError:
        return None


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
    """Versions of ``events`` later than ``after``, oldest first, with their manifests; none if there is no table.

    Brings ``events`` to its newest version.

    Raises:
        LogCutError: some of them are no longer in the log.
    """
    if events is None or events.version() <= after:
        return []
    later: list[Commit] = []
    known = -1
    while (not later or later[0].version > after + 1) and known != events.version():  # or more came than it allowed for
        known = events.version()
        wanted = known - max(after, -1)
        later = [c for c in recent_commits(events, wanted + wanted // 4 + 5) if c.version > after]
    if later and later[0].version > after + 1:
        missing = f"versions {after + 1} to {later[0].version - 1} of {events.table_uri}"
        raise LogCutError(
            f"{missing} are no longer in its log, which reaches back {LOG_KEPT}: rebuild the table from the lake"
        )
    return later


def recent_commits(events: DeltaTable, count: int) -> list[Commit]:
    """The last ``count`` versions, oldest first, with their manifests; fewer when the log has been shortened.

    Brings ``events`` to its newest version. delta-rs reads the newest commits, but numbers them as if the version that
    it knows were the last one, which shifts them when there are newer ones.
    """
    known = events.version()
    entries = events.history(limit=count)
    newest = _version_of(events, entries[0], known) if entries else known
    return [_commit({**entry, "version": newest - n}) for n, entry in enumerate(entries)][::-1]


def _version_of(events: DeltaTable, entry: Mapping[str, object], known: int) -> int:
    """The version of a commit that was the newest one a moment ago, when ``known`` or a later version was."""
    while True:
        events.update_incremental()
        version = events.version()
        if version == known:
            return version
        since = events.history(limit=version - known + 1)  # few, so that seldom another one comes meanwhile
        events.update_incremental()
        if events.version() == version:
            return version - next(
                n for n, other in enumerate(since) if {**other, "version": 0} == {**entry, "version": 0}
            )


def _commit(entry: Mapping[str, object]) -> Commit:
    committed_at = datetime.fromtimestamp(int(str(entry["timestamp"])) / 1000, UTC)
    version = int(str(entry["version"]))
    manifest = entry.get(METADATA_KEY)
    if manifest is None:
        return Commit(version, committed_at)
    read = json.loads(str(manifest))
    if EXPIRED in read:
        return Commit(version, committed_at, expires=True)
    spans = {int(p): Span(s, e, t and datetime.fromisoformat(t)) for p, (s, e, t) in read["spans"].items()}
    return Commit(version, committed_at, read["rows"], spans, read.get("behind", 0), read.get("gap"))


def without_views(rows: pa.Table) -> pa.Table:
    """Cast view types to plain strings and bytes: delta-rs returns views, which Arrow's kernels do not accept."""
    plain = {pa.string_view(): pa.string(), pa.binary_view(): pa.binary()}
    return rows.cast(pa.schema([f.with_type(plain.get(f.type, f.type)) for f in rows.schema]))

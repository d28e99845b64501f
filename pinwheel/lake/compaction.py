"""Compaction: keeps the lake's files few and large, and its log short.

No row changes: the commits carry no data change, so the change feed and the merge do not see them. A run that dies
has committed some of the partitions; the next run measures all of them again. With two runs at once, Delta refuses
the second commit on a partition, which is left to the next run. Both engines do, also at the same time.
"""

import logging
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import Protocol

from deltalake import DeltaTable
from deltalake.exceptions import CommitFailedError

from pinwheel.core.contract import DEAD_LETTER, EVENT_TYPES, LAKE_PARTITIONS
from pinwheel.core.settings import CompactSettings
from pinwheel.lake import events_table, old_files

log = logging.getLogger(__name__)

CLEAN_MINUTES = 10  # clean up once an hour, in the run of its first minutes: finding orphans lists all files
CLEAN = "--clean"  # argument of the Spark job: also remove old files
MARGIN = timedelta(days=1)  # a reader that started at the oldest watermark may still be reading
# The columns that reports filter by. Dead letters have no event time.
CLUSTER_BY = {
    **{kind.name: ("brand_id", "occurred_at") if kind.has_pin else ("occurred_at",) for kind in EVENT_TYPES.values()},
    DEAD_LETTER: ("kafka_timestamp",),
}


class Action(StrEnum):
    """How to rewrite a partition."""

    NONE = "none"
    COMPACT = "compact"  # combine its small files
    CLUSTER = "cluster"  # rewrite all of it, ordered by CLUSTER_BY


@dataclass(frozen=True)
class Partition:
    """Files of one day of one event type; sizes in bytes; ``small`` files are below ``compact_small_mb``."""

    event_date: str
    event_type: str
    files: int
    size: int
    small_files: int
    small_size: int


@dataclass(frozen=True)
class Rewrite:
    """A partition that was rewritten, or would be in a dry run; sizes in bytes."""

    event_date: str
    event_type: str
    action: str
    files_before: int
    files_after: int
    bytes_before: int
    bytes_after: int


class Engine(Protocol):
    """Rewrites and removes files. None of its commits changes data.

    ``compact`` and ``cluster`` raise CommitFailedError when another commit changed the partition first.
    """

    def compact(self, partition: Partition) -> None:
        """Combine the partition's files that are below the target size."""

    def cluster(self, partition: Partition, columns: tuple[str, ...]) -> None:
        """Rewrite all of the partition, ordered by the columns."""

    def vacuum(self, hours: int) -> int:
        """Remove the files that no version of the last hours names; returns their number."""


class LocalEngine:
    """delta-rs, in this process."""

    def __init__(self, settings: CompactSettings) -> None:
        self.uri = settings.events_uri
        self.target = settings.compact_target_mb * 2**20

    def compact(self, partition: Partition) -> None:
        """See ``Engine``."""
        events_table.opened(self.uri).optimize.compact(
            _filters(partition), target_size=self.target, max_concurrent_tasks=1
        )

    def cluster(self, partition: Partition, columns: tuple[str, ...]) -> None:
        """See ``Engine``."""
        optimize = events_table.opened(self.uri).optimize
        optimize.z_order(columns, _filters(partition), target_size=self.target, max_concurrent_tasks=1)

    def vacuum(self, hours: int) -> int:
        """See ``Engine``."""
        return len(events_table.opened(self.uri).vacuum(retention_hours=hours, dry_run=False, full=True))


def compact(
    settings: CompactSettings,
    now: datetime,
    dry_run: bool,
    unread_since: datetime | None,
    *,
    clean: bool | None = None,
    engine: Engine | None = None,
) -> list[Rewrite]:
    """Shorten the log and compact the partitions that need it; at the start of an hour, also remove old files.

    Args:
        settings: the lake and its limits.
        now: decides which days are over.
        dry_run: only log what would be done.
        unread_since: commits since then are kept; see ``pinwheel.operate.retention``.
        clean: whether to remove old files; None: by ``now``.
        engine: None: delta-rs in this process.
    """
    table = events_table.open_table(settings.events_uri)
    if table is None:
        log.info("no table yet uri=%s", settings.events_uri)
        return []
    engine = engine or LocalEngine(settings)
    _shorten_log(settings, now, dry_run, unread_since)  # first: unread_since gets old while files are rewritten
    if dry_run or (is_cleaning(now) if clean is None else clean):
        _remove_files(settings, now, None if dry_run else engine, unread_since)
    rewrites = []
    for partition, action in _needed(table, settings, now):
        after = partition if dry_run else _rewritten(settings, engine, partition, action)
        rewrites.append(_rewrite(action, partition, after))
        _log(rewrites[-1], dry_run)
    return rewrites


def is_cleaning(now: datetime) -> bool:
    """Whether the run at this time removes old files."""
    return now.minute < CLEAN_MINUTES


def is_due(settings: CompactSettings, now: datetime) -> bool:
    """Whether a run at this time would do anything; reads the log only."""
    table = events_table.open_table(settings.events_uri)
    return table is not None and (is_cleaning(now) or bool(_needed(table, settings, now)))


def _needed(table: DeltaTable, settings: CompactSettings, now: datetime) -> list[tuple[Partition, Action]]:
    today = now.astimezone(UTC).date()
    actions = [(p, needs(p, settings, today)) for p in measure(table, settings)]
    return [(p, action) for p, action in actions if action is not Action.NONE]


def _log(rewrite: Rewrite, dry_run: bool) -> None:
    log.info(
        "%s%s event_date=%s event_type=%s files=%d->%s bytes=%d->%s",
        "would " if dry_run else "", rewrite.action, rewrite.event_date, rewrite.event_type,
        rewrite.files_before, "?" if dry_run else rewrite.files_after,
        rewrite.bytes_before, "?" if dry_run else rewrite.bytes_after,
    )  # fmt: skip


def measure(table: DeltaTable, settings: CompactSettings) -> list[Partition]:
    """Every partition's file counts and sizes; reads the log only."""
    files = events_table.files(table).to_pylist()
    limit = settings.compact_small_mb * 2**20
    sizes_of: dict[tuple[str, str], list[int]] = {}
    for file in files:
        key = (str(file["partition.event_date"]), file["partition.event_type"])
        sizes_of.setdefault(key, []).append(file["size_bytes"])
    return [_partition(key, sizes, limit) for key, sizes in sorted(sizes_of.items())]


def _partition(key: tuple[str, str], sizes: list[int], limit: int) -> Partition:
    small = [size for size in sizes if size < limit]
    return Partition(*key, len(sizes), sum(sizes), len(small), sum(small))


def needs(partition: Partition, settings: CompactSettings, today: date) -> Action:
    """By the count and size of files, not by the clock. A day that is over is also clustered, as it is read often."""
    is_over = date.fromisoformat(partition.event_date) < today
    if partition.small_files < (settings.compact_closed_files if is_over else settings.compact_open_files):
        return Action.NONE
    mostly_small = partition.small_size >= settings.compact_cluster_share * partition.size
    return Action.CLUSTER if is_over and mostly_small else Action.COMPACT


def _rewritten(settings: CompactSettings, engine: Engine, partition: Partition, action: Action) -> Partition:
    """Rewrite a partition; returns its new state."""
    try:
        if action is Action.CLUSTER:
            engine.cluster(partition, CLUSTER_BY.get(partition.event_type, ("occurred_at",)))
        else:
            engine.compact(partition)
    except CommitFailedError as error:
        log.warning("commit conflict, next run retries event_date=%s event_type=%s error=%s", *_key(partition), error)
    there = {_key(p): p for p in measure(events_table.opened(settings.events_uri), settings)}
    return there.get(_key(partition), _partition(_key(partition), [], 0))  # an erasure may have emptied it meanwhile


def _filters(partition: Partition) -> list[tuple[str, str, str]]:
    return [(name, "=", getattr(partition, name)) for name in LAKE_PARTITIONS]


def _key(partition: Partition) -> tuple[str, str]:
    return partition.event_date, partition.event_type


def _rewrite(action: Action, before: Partition, after: Partition) -> Rewrite:
    return Rewrite(*_key(before), action, before.files, after.files, before.size, after.size)


def _behind(now: datetime, unread_since: datetime | None) -> timedelta:
    return timedelta(0) if unread_since is None else now - unread_since


def _shorten_log(settings: CompactSettings, now: datetime, dry_run: bool, unread_since: datetime | None) -> None:
    """Remove log entries older than ``LOG_KEPT``, but none that a merge still has to read.

    Needs one process: it reads the log only.
    """
    # The other half is for this run and for readers that have just started.
    if _behind(now, unread_since) > events_table.LOG_KEPT / 2:
        log.warning("the lake's log is not shortened: a reader is behind unread_since=%s", unread_since)
    elif not dry_run:
        old_files.checkpoint(settings.events_uri)
        version = old_files.checkpoint_before(settings.events_uri, now, events_table.LOG_KEPT)
        if version is not None:
            old_files.shorten_log(settings.events_uri, version)


def _remove_files(
    settings: CompactSettings, now: datetime, engine: Engine | None, unread_since: datetime | None
) -> None:
    """Remove old files, but none that a merge still has to read; without an engine, only count them."""
    hours = max(settings.vacuum_hours, -(-(_behind(now, unread_since) + MARGIN) // timedelta(hours=1)))
    if engine is None:  # full: orphans of dead tasks too
        removed = len(events_table.opened(settings.events_uri).vacuum(retention_hours=hours, dry_run=True, full=True))
    else:
        removed = engine.vacuum(hours)
    log.info("vacuum dry_run=%s kept_hours=%d files=%d", engine is None, hours, removed)

"""Compaction: keeps the lake's files few and large, and its log short.

No row changes: the commits carry no data change, so the change feed and the merge do not see them. A run that dies
has committed some of the partitions; the next run measures all of them again. With two runs at once, Delta refuses
the second commit on a partition, which is left to the next run.
"""

import logging
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum

import pyarrow as pa
from deltalake import DeltaTable
from deltalake.exceptions import CommitFailedError

from pinwheel.core.contract import DEAD_LETTER, EVENT_TYPES, LAKE_PARTITIONS
from pinwheel.core.settings import CompactSettings
from pinwheel.lake import events_table

log = logging.getLogger(__name__)

CLEAN_MINUTES = 10  # clean up once an hour, in the run of its first minutes: finding orphans lists all files
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


def compact(settings: CompactSettings, now: datetime, dry_run: bool, unread_since: datetime | None) -> list[Rewrite]:
    """Compact the partitions that need it; at the start of an hour, also remove old files and log entries.

    Args:
        settings: the lake and its limits.
        now: decides which days are over.
        dry_run: only log what would be done.
        unread_since: commits since then are kept; see ``pinwheel.operate.retention``.
    """
    table = events_table.open_table(settings.events_uri)
    if table is None:
        log.info("no table yet uri=%s", settings.events_uri)
        return []
    today = now.astimezone(UTC).date()
    actions = [(p, needs(p, settings, today)) for p in measure(table, settings)]
    rewrites = []
    for partition, action in ((p, a) for p, a in actions if a is not Action.NONE):
        after = partition if dry_run else _rewritten(settings, partition, action)
        rewrites.append(_rewrite(action, partition, after))
        _log(rewrites[-1], dry_run)
    if now.minute < CLEAN_MINUTES or dry_run:
        _clean(settings, now, dry_run, unread_since)
    return rewrites


def _log(rewrite: Rewrite, dry_run: bool) -> None:
    log.info(
        "%s%s event_date=%s event_type=%s files=%d->%s bytes=%d->%s",
        "would " if dry_run else "", rewrite.action, rewrite.event_date, rewrite.event_type,
        rewrite.files_before, "?" if dry_run else rewrite.files_after,
        rewrite.bytes_before, "?" if dry_run else rewrite.bytes_after,
    )  # fmt: skip


def measure(table: DeltaTable, settings: CompactSettings) -> list[Partition]:
    """Every partition's file counts and sizes; reads the log only."""
    files = pa.table(table.get_add_actions(flatten=True)).to_pylist()
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


def _rewritten(settings: CompactSettings, partition: Partition, action: Action) -> Partition:
    """Rewrite a partition; returns its new state."""
    table = DeltaTable(settings.events_uri)
    filters = [(name, "=", getattr(partition, name)) for name in LAKE_PARTITIONS]
    target = settings.compact_target_mb * 2**20
    try:
        if action is Action.CLUSTER:
            columns = CLUSTER_BY.get(partition.event_type, ("occurred_at",))
            table.optimize.z_order(columns, filters, target_size=target, max_concurrent_tasks=1)
        else:
            table.optimize.compact(filters, target_size=target, max_concurrent_tasks=1)
    except CommitFailedError as error:
        log.warning("commit conflict, next run retries event_date=%s event_type=%s error=%s", *_key(partition), error)
    return {_key(p): p for p in measure(DeltaTable(settings.events_uri), settings)}[_key(partition)]


def _key(partition: Partition) -> tuple[str, str]:
    return partition.event_date, partition.event_type


def _rewrite(action: Action, before: Partition, after: Partition) -> Rewrite:
    return Rewrite(*_key(before), action, before.files, after.files, before.size, after.size)


def _clean(settings: CompactSettings, now: datetime, dry_run: bool, unread_since: datetime | None) -> None:
    """Remove old files and log entries, but none that a merge still has to read."""
    behind = timedelta(0) if unread_since is None else now - unread_since
    hours = max(settings.vacuum_hours, -(-(behind + MARGIN) // timedelta(hours=1)))
    table = DeltaTable(settings.events_uri)
    removed = table.vacuum(retention_hours=hours, dry_run=dry_run, full=True)  # full: orphans of dead tasks too
    log.info("vacuum dry_run=%s kept_hours=%d files=%d", dry_run, hours, len(removed))
    if behind > events_table.LOG_KEPT / 2:  # the other half is for this run and for readers that have just started
        log.warning("the lake's log is not shortened: a reader is behind unread_since=%s", unread_since)
    elif not dry_run:
        table.create_checkpoint()
        table.cleanup_metadata()  # keeps delta.logRetentionDuration

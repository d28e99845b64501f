"""Removes old log entries, and the files that still have what an erasure took out of the table.

Only for versions that every reader has passed; the callers see to that. Newer versions keep all their files.
A reader that opened an older version in the same second finds a file gone, and is tried again.
"""

import logging
from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pyarrow.fs as pafs
import pyarrow.parquet as pq
from deltalake import DeltaTable

from pinwheel.core.errors import BrokenLogError, LakeError
from pinwheel.core.mentions import Mention
from pinwheel.lake import events_table, log_files
from pinwheel.lake.erasure import CREATOR, PERSON
from pinwheel.lake.events_table import app_id, log_of

log = logging.getLogger(__name__)

RECENT = 1000  # commits among which the newest landing is
CHANGES = "_change_data/"
OPEN_BATCH = timedelta(hours=1)  # no file is committed this long after it was written, while others are


@dataclass(frozen=True)
class _Names:
    """Files that commits name: ``needed`` by readers of a version or later ones, ``done`` with by all."""

    needed: frozenset[str]
    done: frozenset[str]


def remove(events_uri: str, version: int, mention: Mention, topic: str) -> int:
    """Remove the files that no version since ``version`` reads; returns their number.

    ``topic`` stands for the log as long as that is not known.

    Dying half-way leaves some; the next run removes the rest. Twice finds nothing.

    Raises:
        LakeError: a file of the person is of a batch, or of a rewrite, that may still be committed.
    """
    filesystem = log_files.storage(events_uri)
    files = _files(filesystem)  # before the newest version: what is committed meanwhile is not among them, or named
    events = events_table.opened(events_uri)
    newest = max((c.committed_at for c in events_table.recent_commits(events, RECENT) if c.spans), default=None)
    names = _named(filesystem, version)
    kept = _active(events) | names.needed
    spare = [file for file in files if file.path not in kept]
    holds = partial(_holds, filesystem, events, mention, topic)
    old = [file for file in spare if _is_old(newest, names, file) or holds(file)]
    for file in old:
        filesystem.delete_file(file.path)
    log.info("removed old files=%d version=%d", len(old), version)
    return len(old)


def checkpoint(events_uri: str) -> int:
    """Write a checkpoint of the newest version, and return that; readers of later versions can start there."""
    events = events_table.opened(events_uri)
    events.create_checkpoint()
    return int(events.version())


def checkpoint_before(events_uri: str, now: datetime, kept: timedelta) -> int | None:
    """The newest checkpoint that leaves the log the last ``kept`` of its commits; None: there is none.

    By the times that the commits say, back from the newest of them if that is before ``now``: the clocks of a store and
    of another machine may be wrong by hours, and a clock may have been set.
    """
    files = log_files.storage(events_uri)
    found = log_files.listed(files)
    entries = sorted(found.entries)
    if not entries:
        return None
    since = min(now, _committed_at(files, entries[-1])) - kept
    first = bisect_left(entries, since, hi=len(entries) - 1, key=partial(_committed_at, files))
    return max((version for version in found.checkpoints if version <= entries[first]), default=None)


def _committed_at(files: pafs.FileSystem, version: int) -> datetime:
    try:
        return events_table.committed_at(log_files.commit_info(files, version))
    except BrokenLogError:  # no reader can need it; ``pinwheel doctor`` tells it
        return datetime.min.replace(tzinfo=UTC)


def shorten_log(events_uri: str, version: int) -> int:
    """Remove what the log has from before ``version``, of which or after which it has a checkpoint.

    After an erasure, because statistics in the log have values of rows that are gone.
    The entry of the version itself stays: a table that was opened long ago finds the newest version by it.
    Dying half-way leaves entries that no reader needs; the next run removes them.
    """
    filesystem = log_files.storage(events_uri)
    files = log_files.versioned(filesystem)
    if not any(checkpoint >= version for checkpoint in log_files.versions_of(files).checkpoints):
        raise LakeError(f"the log of {events_uri} has no checkpoint of version {version} or later; run it again")
    old = [file.path for file in files if int(file.base_name[:20]) < version]
    for path in old:
        filesystem.delete_file(path)
    log.info("shortened the log entries=%d version=%d", len(old), version)
    return len(old)


def _listed(filesystem: pafs.FileSystem, folder: str) -> Iterable[pafs.FileInfo]:
    found = filesystem.get_file_info(pafs.FileSelector(folder, allow_not_found=True, recursive=True))
    return [info for info in found if info.type == pafs.FileType.File]


def _files(filesystem: pafs.FileSystem) -> list[pafs.FileInfo]:
    return [f for f in _listed(filesystem, "") if f.path.endswith(".parquet") and not f.path.startswith(log_files.LOG)]


def _active(events: DeltaTable) -> set[str]:
    return set(events_table.files(events)["path"].to_pylist())


def _named(filesystem: pafs.FileSystem, version: int) -> _Names:
    needed, done = set[str](), set[str]()
    for entry in _listed(filesystem, log_files.LOG):
        if not (entry.base_name.endswith(".json") and entry.base_name[:20].isdigit()):
            continue
        is_past = int(entry.base_name[:20]) <= version
        actions = log_files.actions(filesystem, int(entry.base_name[:20]))
        wanted, found = (("remove", "cdc"), done) if is_past else (("add", "remove", "cdc"), needed)
        found |= {action[kind]["path"] for action in actions for kind in wanted if kind in action}
    return _Names(frozenset(needed), frozenset(done))


def _is_old(newest: datetime | None, names: _Names, file: pafs.FileInfo) -> bool:
    """Whether a file that nobody reads can't be one that is about to be committed."""
    is_settled = newest is not None and file.mtime is not None and file.mtime.astimezone(UTC) < newest - OPEN_BATCH
    return is_settled or file.path in names.done


def _holds(filesystem: pafs.FileSystem, events: DeltaTable, mention: Mention, topic: str, file: pafs.FileInfo) -> bool:
    """Whether a file that no commit names has the person; then nothing may be about to commit it.

    Its batch must have landed by another file. As the rows of a rewrite (compaction, late completion, replay) have
    landed too, only its age tells that it was given up; unless it is of the change feed, as the attempts of an erasure
    are that lost to another commit.
    """
    rows = pq.read_table(filesystem.open_input_file(file.path))
    if not any(_is_theirs(row, mention) for row in rows.to_pylist()):
        return False
    name = log_of(events) or topic
    for partition, offset in zip(rows["kafka_partition"].to_pylist(), rows["kafka_offset"].to_pylist(), strict=True):
        landed = events.transaction_version(app_id(name, partition))
        if landed is None or offset >= landed:
            raise LakeError(
                f"{file.path} is of a batch that has not landed: the stream may still commit it. Erase again in some "
                "minutes, or when the stream runs again"
            )
    if file.path.startswith(CHANGES):
        return True  # its commit would remove the file that had these rows, and the erasure has removed that one
    if file.mtime is None or file.mtime.astimezone(UTC) > datetime.now(UTC) - OPEN_BATCH:
        raise LakeError(
            f"{file.path} is young, and no commit names it: a rewrite of the lake may still commit it. Erase again in "
            "some minutes, or if the rewrite was broken off, in an hour"
        )
    return True


def _is_theirs(row: dict[str, Any], mention: Mention) -> bool:
    numbers = (row.get(PERSON), row.get(CREATOR))
    texts = (mention.in_column(name).in_text(value) for name, value in row.items() if isinstance(value, str))
    blobs = (mention.in_bytes(value) for value in row.values() if type(value) is bytes)
    return int(mention.digits) in numbers or any(texts) or any(blobs)

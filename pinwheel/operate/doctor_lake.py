"""The lake: whether its log is whole, and whether storage has the files that the log names."""

import json
from collections import Counter
from collections.abc import Iterator
from functools import partial

import pyarrow.fs as pafs
import pyarrow.parquet as pq
from deltalake import DeltaTable
from deltalake.exceptions import TableNotFoundError

from pinwheel.core.errors import LakeError
from pinwheel.core.settings import LakeSettings
from pinwheel.lake import events_table, log_files
from pinwheel.lake.log_files import LOG, POINTER, LogFiles, told
from pinwheel.operate.finding import Finding

PART = "lake"
ASIDE = ".set_aside"
SAMPLES = 3  # files or days that a finding names
STANDS_STILL = "the lake can't be read: nothing lands and nothing is merged; Kafka keeps the events meanwhile"


def look(settings: LakeSettings) -> Iterator[Finding]:
    """All that is wrong with the lake; nothing if there is none yet."""
    uri = settings.events_uri
    try:
        files = log_files.storage(uri)
    except TableNotFoundError:  # of a folder that is not there
        return
    yield from _pointer(files)
    log = log_files.listed(files)
    lacks = log_files.broken(files, log.since_checkpoint)
    if lacks:
        yield Finding(
            PART,
            f"{uri}: {told(lacks)}, or can't read it: {next(iter(lacks.values()))}",
            STANDS_STILL,
            "put these files back from a backup, or set the lake back: docs/runbooks/doctor.md#the-lakes-log",
        )
        return
    yield from _unread_checkpoint(files, log)
    try:
        events = events_table.open_table(uri)
    except LakeError as error:
        yield Finding(PART, str(error), STANDS_STILL, "see docs/runbooks/doctor.md#the-lakes-log")
        return
    if events is not None:
        yield from _lost_files(files, events)


def _pointer(files: pafs.FileSystem) -> Iterator[Finding]:
    """Readers take ``_last_checkpoint`` for a hint; one to a checkpoint that is not there ends them."""
    try:
        with files.open_input_stream(POINTER, compression=None) as stream:
            content = stream.readall()
    except FileNotFoundError:
        return
    try:
        named = json.loads(content)["version"]
    except (ValueError, TypeError, KeyError):
        named = None
    if named not in log_files.listed(files).checkpoints:
        what = f"names a checkpoint of version {named}, which is not there" if named is not None else "can't be read"
        yield Finding(
            PART,
            f"{POINTER} {what}",
            "readers may not open the lake, though its log may be whole",
            f"move it to {POINTER}{ASIDE}: readers find the newest checkpoint without it",
            partial(_set_aside, files, [POINTER]),
        )


def _unread_checkpoint(files: pafs.FileSystem, log: LogFiles) -> Iterator[Finding]:
    """The newest checkpoint, if it can't be read. The log before it may be whole."""
    newest = max(log.checkpoints, default=None)
    if newest is None:
        return
    in_log = files.get_file_info(pafs.FileSelector(LOG))
    paths = [f.path for f in in_log if f.base_name.startswith(f"{newest:020}.checkpoint.") and f.extension == "parquet"]
    try:
        for path in paths:
            pq.read_metadata(files.open_input_file(path))
    except (OSError, ValueError) as error:
        earlier = LogFiles(log.entries, log.checkpoints - {newest})
        is_whole = not log_files.broken(files, earlier.since_checkpoint)
        yield Finding(
            PART,
            f"the checkpoint of version {newest} can't be read: {str(error).splitlines()[0]:.200}",
            STANDS_STILL,
            f"move it to …{ASIDE}: the log before it is whole" if is_whole else "put it back from a backup",
            partial(_set_aside, files, [*paths, POINTER]) if is_whole else None,
        )


def _set_aside(files: pafs.FileSystem, paths: list[str]) -> None:
    """Move files of the log away, which no reader needs; deletes nothing.

    Dying in between leaves some in their place, which the next run finds; twice: they are gone. Of an erased person
    they have no more than the log; the next erasure removes them with it.
    """
    for path in paths:
        if files.get_file_info(path).type == pafs.FileType.File:
            files.move(path, f"{path}{ASIDE}")


def _lost_files(files: pafs.FileSystem, events: DeltaTable) -> Iterator[Finding]:
    named = events_table.files(events)  # before the listing: what is removed meanwhile is not among them for a week
    there = {f.path for f in files.get_file_info(pafs.FileSelector("", recursive=True)) if f.type == pafs.FileType.File}
    lost = [row for row in named.to_pylist() if row["path"] not in there]
    if not lost:
        return
    rows = Counter[str]()
    for row in lost:
        rows[f"{row['partition.event_date']} {row['partition.event_type']}"] += row["num_records"] or 0
    days = ", ".join(f"{day}: {count:,} rows" for day, count in sorted(rows.items())[:SAMPLES])
    yield Finding(
        PART,
        f"{len(lost)} files of version {events.version()} are not in storage, such as {lost[0]['path']}",
        f"the lake has lost rows ({days}{' …' if len(rows) > SAMPLES else ''}); tables that have merged them keep them",
        "put the files back from a backup; until then rebuild no table, and run no compaction of these days: "
        "docs/runbooks/doctor.md#files-of-the-lake",
    )

"""The files of the lake's log, each read by its version: one that is missing or can't be read is never skipped.

delta-rs returns the newest entries without their versions, to be counted from the end. Behind a missing one, each would
be taken for another, and rows that nobody has read for rows that were never there.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import pyarrow.fs as pafs
from deltalake import DeltaTable
from deltalake.fs import DeltaStorageHandler

from pinwheel.core.errors import BrokenLogError, LakeError

LOG = "_delta_log"
POINTER = f"{LOG}/_last_checkpoint"  # a hint for readers: where the newest checkpoint is
RUNBOOK = "see docs/runbooks/doctor.md"
NAMED = 5  # versions in a message


@dataclass(frozen=True)
class LogFiles:
    """The versions of which the log has an entry, and a checkpoint."""

    entries: frozenset[int]
    checkpoints: frozenset[int]

    @property
    def since_checkpoint(self) -> range:
        """The versions whose entries are needed to open the table: those after its newest checkpoint."""
        newest = max(self.entries | self.checkpoints, default=-1)
        return range(max(self.checkpoints, default=-1) + 1, newest + 1)


def storage(events_uri: str) -> pafs.FileSystem:
    """The files of a table, by their paths within it."""
    return pafs.PyFileSystem(DeltaStorageHandler(events_uri))


def storage_of(events: DeltaTable) -> pafs.FileSystem:
    """The same by the connections of an open table."""
    return pafs.PyFileSystem(DeltaStorageHandler.from_table(events._table))


def listed(files: pafs.FileSystem) -> LogFiles:
    """The log's files by one listing."""
    return versions_of(versioned(files))


def versioned(files: pafs.FileSystem) -> list[pafs.FileInfo]:
    """The files of the log that are of a version; their names begin with its 20 digits."""
    found = files.get_file_info(pafs.FileSelector(LOG, allow_not_found=True))
    return [file for file in found if file.base_name[:20].isdigit()]


def versions_of(found: Iterable[pafs.FileInfo]) -> LogFiles:
    """The versions of such files."""
    names = [file.base_name for file in found]
    entries = frozenset(int(name[:20]) for name in names if name[20:] == ".json")
    checkpoints = (name for name in names if ".checkpoint." in name and name.endswith(".parquet"))
    return LogFiles(entries, frozenset(int(name[:20]) for name in checkpoints))


def actions(files: pafs.FileSystem, version: int) -> list[dict[str, Any]]:
    """The actions of a version's entry.

    Raises:
        BrokenLogError: the log lacks it, or it is empty or cut off.
    """
    path = f"{LOG}/{version:020}.json"
    try:
        with files.open_input_stream(path, compression=None) as stream:
            found = [json.loads(line) for line in stream.readall().splitlines() if line.strip()]
    except FileNotFoundError:
        raise BrokenLogError(f"version {version} is missing from the lake's log ({path}); {RUNBOOK}") from None
    except ValueError as error:
        why = f"version {version} of the lake's log ({path}) can't be read: {error}"
        raise BrokenLogError(f"{why}; {RUNBOOK}") from None
    if not found:
        raise BrokenLogError(f"version {version} of the lake's log ({path}) is empty; {RUNBOOK}")
    return found


def commit_info(files: pafs.FileSystem, version: int) -> dict[str, Any]:
    """When a version was committed, and the manifest, if it is a landing.

    Raises:
        BrokenLogError: as for ``actions``.
    """
    for action in actions(files, version):
        if "commitInfo" in action:
            return dict(action["commitInfo"])
    raise BrokenLogError(f"version {version} of the lake's log does not say what it is of; {RUNBOOK}")


def broken(files: pafs.FileSystem, versions: Iterable[int]) -> dict[int, str]:
    """Those versions whose entries are missing or can't be read, each with the reason."""
    found = {}
    for version in versions:
        try:
            actions(files, version)
        except BrokenLogError as error:
            found[version] = str(error)
    return found


def unopened(events_uri: str, error: Exception) -> LakeError:
    """Why a table can't be opened: which entries its log lacks, if that is the reason."""
    try:
        files = storage(events_uri)
        log = listed(files)
        lacks = broken(files, (v for v in log.since_checkpoint if v not in log.entries))
    except OSError:  # the store went away
        lacks = {}
    if lacks:
        return BrokenLogError(f"{events_uri} can't be read: {told(lacks)}; {RUNBOOK}")
    return LakeError(f"{events_uri} can't be read: {str(error).splitlines()[0]:.300}; {RUNBOOK}")


def told(lacks: Iterable[int]) -> str:
    """The missing versions, for people."""
    versions = sorted(lacks)
    some = ", ".join(str(v) for v in versions[:NAMED]) + (" …" if len(versions) > NAMED else "")
    return f"its log lacks version{'s' if versions[1:] else ''} {some}"

"""Takes old days out of the lake, one commit at a time, which the merge does not take for corrections.

The commit says in its metadata that it only expires rows, so the merge passes it by. Dying before it changes nothing;
twice: there is nothing left to take away. The files stay until VACUUM.
"""

import json
import logging
from datetime import date

from deltalake import CommitProperties, DeltaTable
from deltalake.exceptions import CommitFailedError, DeltaError

from pinwheel.core.contract import DEAD_LETTER
from pinwheel.lake import events_table
from pinwheel.lake.events_table import EXPIRED, METADATA_KEY

log = logging.getLogger(__name__)


def expire_events(events_uri: str, before: date, merged: int, dry_run: bool) -> int:
    """Take away the events of the days before one; returns their number.

    None of them, if one is in a file that came after the version ``merged``: a reporting table has yet to read it, or
    compaction has just written it.
    """
    events = events_table.open_table(events_uri)
    if events is None:
        return 0
    old = _files(events, before, letters=False)
    if not old:
        return 0
    if not old.keys() <= _paths_at(events_uri, merged):
        log.warning("old events stay for now: not all of their files are merged before=%s merged=%d", before, merged)
        return 0
    return sum(old.values()) if dry_run else _expire(events, before, f"event_type <> '{DEAD_LETTER}'")


def expire_letters(events_uri: str, before: date, dry_run: bool) -> int:
    """Take away the dead letters of the days before one; returns their number. No table reads them."""
    events = events_table.open_table(events_uri)
    old = _files(events, before, letters=True) if events else {}
    if not old or events is None:
        return 0
    return sum(old.values()) if dry_run else _expire(events, before, f"event_type = '{DEAD_LETTER}'")


def _files(events: DeltaTable, before: date, *, letters: bool) -> dict[str, int]:
    """The files of old days with their numbers of rows; reads the log only."""
    files = events_table.files(events).to_pylist()
    return {
        file["path"]: file["num_records"] or 0
        for file in files
        if file["partition.event_date"] < before and (file["partition.event_type"] == DEAD_LETTER) == letters
    }


def _paths_at(events_uri: str, version: int) -> set[str]:
    try:
        there = DeltaTable(events_uri, version=version)
    except DeltaError as error:  # the log no longer goes back so far
        log.info("version=%d can't be read: %s", version, error)
        return set()
    return set(events_table.files(there)["path"].to_pylist())


def _expire(events: DeltaTable, before: date, condition: str) -> int:
    expires = CommitProperties(custom_metadata={METADATA_KEY: json.dumps({EXPIRED: before.isoformat()})})
    try:
        done = events.delete(f"event_date < DATE '{before.isoformat()}' AND {condition}", commit_properties=expires)
    except CommitFailedError as error:  # a late event has landed there, or compaction was faster
        log.warning("commit conflict, next run retries before=%s error=%s", before, error)
        return 0
    return int(done["num_deleted_rows"] or 0)

"""Waits until everything that reads the lake's change feed has passed a version."""

import logging
import time
from collections.abc import Callable

from pinwheel.clients import memsql
from pinwheel.clients.memsql import Connection
from pinwheel.core.contract import TABLES
from pinwheel.core.errors import EraseError
from pinwheel.merge import rebuild
from pinwheel.rollup.rollups import stale_days

log = logging.getLogger(__name__)

POLL_SECONDS = 1.0
Wait = Callable[[float], object]


def wait_for_merges(connection: Connection, version: int, seconds: float, wait: Wait) -> int:
    """Wait until tables, rebuilds and rollups have passed a version; returns the newest slice then. Writes nothing.

    A day that is made anew from its rows leaves the queue of increments before its rollups are without the person.

    Raises:
        EraseError: they have not after ``seconds``; names what is behind.
    """
    ends = time.monotonic() + seconds
    _until(lambda: _behind(connection, version), ends, wait)
    newest = memsql.fetch(connection, "erase/newest_slice")[0]["slice_id"] or 0
    _until(lambda: _queued(connection, newest), ends, wait)
    _until(lambda: _stale(connection), ends, wait)
    return int(newest)


def _until(what_is_behind: Callable[[], str], ends: float, wait: Wait) -> None:
    while behind := what_is_behind():
        if time.monotonic() > ends:
            raise EraseError(f"{behind}: not within PINWHEEL_ERASURE_WAIT_SECONDS. Run the erasure again when it has")
        wait(POLL_SECONDS)


def _behind(connection: Connection, version: int) -> str:
    merged = {row["table_name"] for row in memsql.fetch(connection, "erase/shards")}
    late = [
        f"{r['table_name']} shard {r['shard']}" for r in memsql.fetch(connection, "erase/behind", {"version": version})
    ]
    rebuilding = [f"a rebuild of version {v}" for v in rebuild.versions(connection) if v < version]
    connection.commit()
    behind = [*sorted(set(TABLES) - merged), *late, *rebuilding]
    return f"{', '.join(behind)} must still read version {version} of the lake" if behind else ""


def _queued(connection: Connection, slice_id: int) -> str:
    parts = memsql.fetch(connection, "erase/queued", {"slice_id": slice_id})[0]["parts"]
    connection.commit()
    return f"{parts} parts of increments up to slice {slice_id} must still reach the rollups" if parts else ""


def _stale(connection: Connection) -> str:
    days = stale_days(connection)
    connection.commit()
    return f"the rollups of {', '.join(map(str, days))} must still be made anew" if days else ""

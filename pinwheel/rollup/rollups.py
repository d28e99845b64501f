"""Recompute the rollups for all slices that were merged since the last time (ADR 0009).

A merge queues its slice in ``rollup_queue``. A recomputation finds the buckets that the queued slices touch and
recomputes them from the deduplicated rows, on two connections in parallel, because the server gives a statement one
core. Idempotent: if it dies half-way, the slices are still queued and the next run recomputes the same; so do two runs
at once. A slice that is merged meanwhile stays queued, so a bucket that was read too early is recomputed with it.
"""

import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from pinwheel.clients import memsql
from pinwheel.clients.memsql import Connection
from pinwheel.core.contract import ROLLUP_TABLES, ROLLUPS, TABLES
from pinwheel.core.offsets import Reach
from pinwheel.merge import ledger

log = logging.getLogger(__name__)

ALL_TABLES = {"table_names": list(TABLES), "tables": len(TABLES)}  # one without progress holds back the rollups'
LEFT = "left_rows"  # changed and deleted rows as they were before
WITH_PINS = (*(f"staging_{table}" for table, kind in TABLES.items() if kind.has_pin), LEFT)
ALL_ROWS = (*(f"staging_{table}" for table in TABLES), LEFT)


def _touch_buckets(connection: Connection) -> None:
    for source in WITH_PINS:
        memsql.execute_all(connection, "rollup/touch_buckets", source=source)


def _touch_pins_and_people(connection: Connection) -> None:
    for source in WITH_PINS:
        memsql.execute(connection, "rollup/touch_pins", source=source)
    for source in ALL_ROWS:
        memsql.execute(connection, "rollup/touch_people", {"is_seen": int(source != LEFT)}, source=source)
    for source in ("staging_logins", LEFT):
        memsql.execute(connection, "rollup/touch_logins", source=source)


@dataclass(frozen=True)
class Lane:
    """Rollups that are recomputed in sequence on one connection."""

    touch: Callable[[Connection], None]  # notes every bucket that rows of the taken slices are or were in
    rollups: tuple[str, ...]


# Each lane takes about half of the time.
BUCKETS = Lane(_touch_buckets, ROLLUP_TABLES[:5])
PINS_AND_PEOPLE = Lane(_touch_pins_and_people, ROLLUP_TABLES[5:])


def recompute(connection: Connection) -> int:
    """Recompute the rollups for all queued slices, on this connection and a second one; returns the slices' number."""
    with connection.another() as beside:
        return memsql.retry_conflicts(lambda: _recompute_once(connection, beside))


def _recompute_once(connection: Connection, beside: Connection) -> int:
    progress = _take(connection)
    with ThreadPoolExecutor(max_workers=1) as thread:
        touched = thread.submit(_take_and_touch, beside, PINS_AND_PEOPLE)  # after _take: it sees at least our slices
        _touch(connection, BUCKETS)
        touched.result()
        with memsql.transaction(connection):
            memsql.fetch(connection, "rollup/lock")
            written = thread.submit(_write_and_commit, beside, PINS_AND_PEOPLE)
            _write(connection, BUCKETS)
            written.result()  # dying between the two commits leaves the slices queued: both lanes are recomputed
            for row in progress:
                reach = Reach(row["next_offset"], row["kafka_timestamp"])
                ledger.move_progress(connection, ROLLUPS, row["kafka_partition"], reach)
            memsql.execute_all(connection, "rollup/take_slices")
            return int(memsql.fetch(connection, "rollup/rolled")[0]["slices"])


def _take(connection: Connection) -> list[memsql.Row]:
    """Note the queued slices; returns the tables' progress from before that."""
    memsql.execute_all(connection, "rollup/work_tables")
    with memsql.transaction(connection):
        progress = memsql.fetch(connection, "rollup/progress", ALL_TABLES)
        memsql.execute(connection, "rollup/take_queue")
    return progress


def _touch(connection: Connection, lane: Lane) -> None:
    with memsql.transaction(connection):  # a separate transaction: TRUNCATE of staging blocks on readers
        lane.touch(connection)


def _take_and_touch(connection: Connection, lane: Lane) -> None:
    _take(connection)
    _touch(connection, lane)


def _write(connection: Connection, lane: Lane) -> None:
    for rollup in lane.rollups:
        memsql.execute_all(connection, f"rollup/{rollup}")


def _write_and_commit(connection: Connection, lane: Lane) -> None:
    with memsql.transaction(connection):
        _write(connection, lane)

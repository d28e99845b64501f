"""The rollups, recomputed for all slices that were merged since the last time (ADR 0009).

A merge leaves its slice in ``rollup_queue``. Here the touched buckets of all that is queued are found, and recomputed
from the deduplicated rows, on two connections side by side, for the server gives a statement one core. What dies
half-way has taken no slice from the queue: the next time recomputes the same. Twice, or two at once, too. A slice that
is merged meanwhile stays in the queue, so a bucket that was read too early is recomputed with it.
"""

import logging
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from pinwheel.alerts.raising import Send, raise_alert, resolve_alert
from pinwheel.clients import memsql
from pinwheel.clients.memsql import Connection
from pinwheel.core.contract import TABLES
from pinwheel.core.settings import MergeSettings, load
from pinwheel.core.signals import told_to_stop
from pinwheel.lake import events_table
from pinwheel.merge import ledger
from pinwheel.merge.ledger import Reach
from pinwheel.merge.turns import Turns

log = logging.getLogger(__name__)

ALL_TABLES = {"table_names": list(TABLES), "tables": len(TABLES)}  # a table without progress holds back the rollups'
LEFT = "left_rows"  # changed and erased rows as they were
WITH_PINS = (*(f"staging_{table}" for table, kind in TABLES.items() if kind.has_pin), LEFT)
ALL_ROWS = (*(f"staging_{table}" for table in TABLES), LEFT)
COST_SHARE = 4  # a recomputation of so many seconds waits at least this many times as long for the next slices


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
    """Rollups that are recomputed on one connection, one after the other."""

    touch: Callable[[Connection], None]  # notes every bucket that rows of the taken slices are in, or were in
    rollups: tuple[str, ...]


# Each takes about half of the time. pin_hourly comes before pin_firsts, which reads it.
BUCKETS = Lane(
    _touch_buckets, ("brand_hourly", "brand_daily", "brand_country_daily", "category_hourly", "country_hourly")
)
PINS_AND_PEOPLE = Lane(_touch_pins_and_people, ("pin_hourly", "pin_firsts", "people_daily", "person_homes"))
TABLES_OF_ROLLUPS = (*BUCKETS.rollups, *PINS_AND_PEOPLE.rollups)


def recompute(connection: Connection) -> int:
    """Take all queued slices into the rollups, on this connection and another; returns how many."""
    with connection.another() as beside:
        return memsql.retry_conflicts(lambda: _recompute_once(connection, beside))


def _recompute_once(connection: Connection, beside: Connection) -> int:
    progress = _take(connection)
    with ThreadPoolExecutor(max_workers=1) as thread:
        touched = thread.submit(_take_and_touch, beside, PINS_AND_PEOPLE)  # after ours: it takes ours at least
        _touch(connection, BUCKETS)
        touched.result()
        with memsql.transaction(connection):
            memsql.fetch(connection, "rollup/lock")
            written = thread.submit(_write_and_commit, beside, PINS_AND_PEOPLE)
            _write(connection, BUCKETS)
            written.result()  # dying between the two commits leaves the slices queued: all is recomputed again
            for row in progress:
                reach = Reach(row["next_offset"], row["kafka_timestamp"])
                ledger.move_progress(connection, ledger.ROLLUPS, row["kafka_partition"], reach)
            memsql.execute_all(connection, "rollup/take_slices")
            return int(memsql.fetch(connection, "rollup/rolled")[0]["slices"])


def _take(connection: Connection) -> list[memsql.Row]:
    """Note what is queued; returns how far the tables were before that."""
    memsql.execute_all(connection, "rollup/work_tables")
    with memsql.transaction(connection):
        progress = memsql.fetch(connection, "rollup/progress", ALL_TABLES)
        memsql.execute(connection, "rollup/take_queue")
    return progress


def _touch(connection: Connection, lane: Lane) -> None:
    with memsql.transaction(connection):  # of its own: what empties staging waits for whoever reads it
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


class Session(Turns):
    """Keeps the rollups up, a turn at a time: one recomputation, if it is time for one."""

    def __init__(self, settings: MergeSettings, alert: Send, resolve: Send) -> None:
        super().__init__(ledger.ROLLUPS, settings, alert, resolve)
        self.slices = 0
        self._took_seconds = 0.0

    def work(self, connection: Connection) -> bool:
        """Recompute soon after a merge; seldom while merges are behind, for each time reads the same buckets again."""
        if not self._is_due(connection):
            return False
        began = time.monotonic()
        slices = recompute(connection)
        self._took_seconds = time.monotonic() - began
        self.slices += slices
        log.info("recomputed slices=%d seconds=%.1f", slices, self._took_seconds)
        return False  # the queue says when it is time again

    def _is_due(self, connection: Connection) -> bool:
        waiting = memsql.fetch(connection, "rollup/waiting")[0]
        if not waiting["slices"]:
            memsql.execute(connection, "rollup/keep_progress", {**ALL_TABLES, "rollups": ledger.ROLLUPS})
        connection.commit()
        if not waiting["slices"] or waiting["oldest_seconds"] < self.settings.rollup_interval_seconds:
            return False
        patience = max(self.settings.rollup_max_seconds, COST_SHARE * self._took_seconds)
        return waiting["oldest_seconds"] >= patience or not self._are_behind(connection)

    def _are_behind(self, connection: Connection) -> bool:
        marks = [ledger.watermark(connection, table) for table in TABLES]
        connection.commit()
        unmerged = events_table.commits(self.settings.events_uri, min(marks))
        return sum(sum((c.rows or {}).values()) for c in unmerged) > self.settings.rollup_behind_rows


def run_session() -> dict[str, int]:
    """Keep the rollups up for ``merge_session_seconds``, with settings from the environment; what was done."""
    session = Session(load(MergeSettings), raise_alert, resolve_alert)
    with told_to_stop() as stop:
        session.keep(time.monotonic, stop.wait)
    log.info("session_ended slices=%d errors=%d", session.slices, session.errors)
    return {"slices": session.slices, "errors": session.errors}

"""The rollups, recomputed for all slices that were merged since the last time (ADR 0009).

A merge leaves its slice in ``rollup_queue``. Here the touched buckets of all that is queued are found, and recomputed
from the deduplicated rows in one transaction, which also takes the slices from the queue. What dies half-way has
changed nothing; twice, or two at once, recompute the same. A slice that is merged meanwhile stays in the queue, so a
bucket that was read too early is recomputed with it.
"""

import logging
import time

from pinwheel import lake, memsql
from pinwheel.alerts import Send, raise_alert, resolve_alert
from pinwheel.contracts import TABLES
from pinwheel.memsql import Connection
from pinwheel.merge import ledger
from pinwheel.merge.ledger import Reach
from pinwheel.merge.turns import Turns
from pinwheel.settings import MergeSettings, load
from pinwheel.stopping import told_to_stop

log = logging.getLogger(__name__)

TABLES_OF_ROLLUPS = (
    "brand_hourly",
    "brand_daily",
    "brand_country_daily",
    "category_hourly",
    "pin_hourly",
    "pin_firsts",
    "country_hourly",
    "people_daily",
    "person_homes",
)  # pin_hourly before pin_firsts, which reads it
ALL_TABLES = {"table_names": list(TABLES), "tables": len(TABLES)}  # a table without progress holds back the rollups'
LEFT = "left_rows"  # changed and erased rows as they were
COST_SHARE = 4  # a recomputation of so many seconds waits at least this many times as long for the next slices


def recompute(connection: Connection) -> int:
    """Take all queued slices into the rollups; returns how many."""
    return memsql.retry_conflicts(lambda: _recompute_once(connection))


def _recompute_once(connection: Connection) -> int:
    memsql.execute_all(connection, "rollup/work_tables")
    with memsql.transaction(connection):  # of its own: what empties staging waits for whoever reads it
        progress = memsql.fetch(connection, "rollup/progress", ALL_TABLES)
        memsql.execute(connection, "rollup/take_queue")
        _touch(connection)
    with memsql.transaction(connection):
        memsql.fetch(connection, "rollup/lock")
        for rollup in TABLES_OF_ROLLUPS:
            memsql.execute_all(connection, f"rollup/{rollup}")
        for row in progress:
            reach = Reach(row["next_offset"], row["kafka_timestamp"])
            ledger.move_progress(connection, ledger.ROLLUPS, row["kafka_partition"], reach)
        memsql.execute_all(connection, "rollup/take_slices")
        return int(memsql.fetch(connection, "rollup/rolled")[0]["slices"])


def _touch(connection: Connection) -> None:
    """Note every bucket that rows of the taken slices are in, or were in before a change."""
    with_pins = [f"staging_{table}" for table, kind in TABLES.items() if kind.has_pin]
    for source in (*with_pins, LEFT):
        memsql.execute_all(connection, "rollup/touch_buckets", source=source)
    for source in (*(f"staging_{table}" for table in TABLES), LEFT):
        memsql.execute(connection, "rollup/touch_people", {"is_seen": int(source != LEFT)}, source=source)
    for source in ("staging_logins", LEFT):
        memsql.execute(connection, "rollup/touch_logins", source=source)


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
        unmerged = lake.commits(self.settings.events_uri, min(marks))
        return sum(sum((c.rows or {}).values()) for c in unmerged) > self.settings.rollup_behind_rows


def run_session() -> dict[str, int]:
    """Keep the rollups up for ``merge_session_seconds``, with settings from the environment; what was done."""
    session = Session(load(MergeSettings), raise_alert, resolve_alert)
    with told_to_stop() as stop:
        session.keep(time.monotonic, stop.wait)
    log.info("session_ended slices=%d errors=%d", session.slices, session.errors)
    return {"slices": session.slices, "errors": session.errors}

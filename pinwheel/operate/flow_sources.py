"""Read the flow's sources: the reporting database, the lake's log, the driver's lock and the supervisor's state."""

import logging
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from typing import Literal

import pymysql
from deltalake.exceptions import DeltaError

from pinwheel.alerts.listing import open_alerts, recent_alerts
from pinwheel.clients.memsql import Connection, Row, fetch
from pinwheel.core.errors import PinwheelError
from pinwheel.core.settings import FlowSettings
from pinwheel.core.times import naive
from pinwheel.lake import events_table
from pinwheel.operate.flow import RATE_OVER, picture
from pinwheel.operate.flow_types import DatabaseRows, Driver, Flow, Landings
from pinwheel.stream import driver_lock, supervisor

log = logging.getLogger(__name__)

SLICES = 2000  # newest rows of the ledger that are read: 45 minutes of four tables
COMMITS = 30  # newest commits over which rows/s of Kafka and the lake are computed: a minute

Connect = Callable[[], AbstractContextManager[Connection]]


def look(settings: FlowSettings, connect: Connect, now: datetime) -> Flow:
    """The flow now. A source that does not answer is named in ``away``; the others are still shown."""
    away: list[str] = []
    rows = _database_rows(connect, now, away)
    landed = _landings(settings, away)
    return picture(rows, landed, driver(settings, rows), away=away, now=now)


def _database_rows(connect: Connect, now: datetime, away: list[str]) -> DatabaseRows:
    try:
        with connect() as connection:
            return database_rows(connection, now)
    except (PinwheelError, pymysql.err.Error) as error:
        log.warning("flow memsql: %s", error)
        away.append("memsql")
        return DatabaseRows()


def database_rows(connection: Connection, now: datetime) -> DatabaseRows:
    """All rows that the flow needs from the reporting database."""
    since = naive(now - RATE_OVER)
    today = now.replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None)
    return DatabaseRows(
        measures=latest_measures(connection),
        merges=fetch(connection, "operate/merge_recent", {"from_time": since, "slices": SLICES}),
        watermarks=fetch(connection, "operate/watermarks"),
        complete=complete_through(connection),
        alerts=recent_alerts(connection),
        open_alerts=open_alerts(connection),
        rollup_queue=fetch(connection, "operate/rollup_queue")[0]["slices"],
        restarts_before=fetch(connection, "operate/driver_restarts", {"from_time": today})[0]["restarts"],
    )


def latest_measures(connection: Connection) -> list[Row]:
    """The newest value of every measure of watch_health."""
    return fetch(connection, "operate/health_latest")


def complete_through(connection: Connection) -> list[Row]:
    """The time up to which each reporting table is complete, one row per table."""
    return fetch(connection, "operate/complete_through")


def _landings(settings: FlowSettings, away: list[str]) -> Landings:
    try:
        return landings(settings)
    except (PinwheelError, DeltaError, OSError) as error:
        log.warning("flow lake: %s", error)
        away.append("lake")
        return Landings([], None)


def landings(settings: FlowSettings) -> Landings:
    """The newest commits of the lake that are landings of the stream."""
    table = events_table.open_table(settings.events_uri)
    if table is None:
        return Landings([], None)
    commits = events_table.recent_commits(table, COMMITS)
    return Landings([c for c in commits if c.rows is not None and c.spans], table.version())


def driver(settings: FlowSettings, rows: DatabaseRows) -> Driver:
    """The driver's state from its lock, its failures from the supervisor's state."""
    if not settings.stream_dir.exists():
        return Driver(state="unknown", since=None, failures=0, restarts_today=None)
    notes = supervisor.state_of(settings.stream_dir)
    before = rows.restarts_before
    restarts_today = None if before is None else max(0, int(notes.restarts - before))
    state: Literal["running", "restarting", "stopped"]
    holder = driver_lock.running(settings.driver_lock_path)
    if holder is not None:
        state, since = "running", holder.started_at
    elif notes.stopped_at:
        state, since = "stopped", notes.stopped_at
    else:
        state, since = "restarting" if notes.failures or notes.launched_pid else "stopped", notes.next_start_at
    at = datetime.fromtimestamp(since, UTC) if since else None
    by = notes.stopped_by if state == "stopped" and notes.stopped_at else None
    return Driver(state=state, since=at, failures=notes.failures, restarts_today=restarts_today, stopped_by=by)

"""How the pipeline is, its alerts, and how far the reporting tables are.

But for ``complete``, it tells of everybody's events: people who are bound to brands get none of it.
"""

import logging
from collections import deque
from datetime import UTC, datetime
from typing import Annotated

import pymysql
from deltalake.exceptions import DeltaError
from fastapi import APIRouter, Depends, HTTPException
from pydantic import BaseModel

from pinwheel.alerts import outbox
from pinwheel.alerts.catalogue import ALERTS, TEST_ALERT
from pinwheel.alerts.raising import raise_alert
from pinwheel.clients.memsql import Connection, Row, fetch, utc
from pinwheel.core.errors import PinwheelError
from pinwheel.core.settings import WebSettings
from pinwheel.lake.events_table import Commit
from pinwheel.operate.flow import RATE_OVER, SLICES, Books, Flow, driver, landings, picture
from plugins.web.access import SeesAllDep, SettingsDep, Viewer, same_origin, sees_all
from plugins.web.database import DatabaseDep, PoolDep

log = logging.getLogger(__name__)
router = APIRouter(prefix="/api/health", tags=["health"])

LOG_LINES = 200


class Complete(BaseModel):
    """Up to when a reporting table is complete; null: a partition is not merged at all yet."""

    table: str
    complete_through: datetime | None
    newest: datetime | None


class CompleteTables(BaseModel):
    """Every reporting table."""

    now: datetime
    tables: list[Complete]


class AlertRow(BaseModel):
    """An alert. ``do``: the first thing to do; ``resolved_at`` null: it lasts."""

    alert_id: int
    name: str
    subject: str
    severity: str
    message: str
    do: str | None
    runbook: str | None
    raised_at: datetime
    resolved_at: datetime | None


class Alerts(BaseModel):
    """What is wrong now, and the last hundred."""

    open: list[AlertRow]
    recent: list[AlertRow]


class TestSent(BaseModel):
    """To how many addresses the test alert goes; it is in the table and the log in any case."""

    receivers: int


class LogEnd(BaseModel):
    """The end of the driver's log, oldest line first."""

    lines: list[str]


@router.get("/complete")
def complete(connection: DatabaseDep) -> CompleteTables:
    """Up to when each reporting table is complete."""
    rows = fetch(connection, "pages/complete_through")
    tables = [
        Complete(
            table=row["table_name"],
            complete_through=utc(row["complete_through_utc"]),
            newest=utc(row["newest_utc"]),
        )
        for row in rows
    ]
    return CompleteTables(now=datetime.now(UTC), tables=tables)


@router.get("/flow")
def flow(viewer: SeesAllDep, settings: SettingsDep, pool: PoolDep) -> Flow:
    """The flow from Kafka to the rollups. A source that is away is named, and hides no other."""
    now, away = datetime.now(UTC), []
    try:
        with pool.connection() as connection:
            books = _books(connection, now)
    except (PinwheelError, pymysql.err.Error) as error:
        log.warning("page=health memsql: %s", error)
        books = Books()
        away.append("memsql")
    commits, version = _landings(settings, away)
    return picture(books, commits, version, driver(settings, books), away, now)


def _books(connection: Connection, now: datetime) -> Books:
    since = (now - RATE_OVER).replace(tzinfo=None)
    today = now.replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None)
    return Books(
        measures=fetch(connection, "pages/health_latest"),
        merges=fetch(connection, "pages/merge_recent", {"from_time": since, "slices": SLICES}),
        watermarks=fetch(connection, "pages/watermarks"),
        complete=fetch(connection, "pages/complete_through"),
        alerts=fetch(connection, "pages/alerts_recent"),
        rollup_queue=fetch(connection, "pages/rollup_queue")[0]["slices"],
        restarts_before=fetch(connection, "pages/driver_restarts", {"from_time": today})[0]["restarts"],
    )


def _landings(settings: WebSettings, away: list[str]) -> tuple[list[Commit], int | None]:
    try:
        return landings(settings)
    except (PinwheelError, DeltaError, OSError) as error:
        log.warning("page=health lake: %s", error)
        away.append("lake")
        return [], None


@router.get("/alerts", dependencies=[Depends(sees_all)])
def alerts(connection: DatabaseDep) -> Alerts:
    """What is wrong now, and the last hundred alerts with their ends."""
    found = {name: fetch(connection, f"pages/alerts_{name}") for name in ("open", "recent")}
    return Alerts(**{name: [_alert(row) for row in rows] for name, rows in found.items()})


def _alert(row: Row) -> AlertRow:
    kind = ALERTS.get(row["name"])
    times = {"raised_at": utc(row["raised_at"]), "resolved_at": utc(row["resolved_at"])}
    return AlertRow(**{**row, **times}, do=kind.do if kind else None)


@router.get("/driver-log", dependencies=[Depends(sees_all)])
def driver_log(settings: SettingsDep) -> LogEnd:
    """The end of the stream's log."""
    try:
        with (settings.stream_dir / "driver.log").open(encoding="utf-8", errors="replace") as file:
            return LogEnd(lines=[line.rstrip("\n")[:2000] for line in deque(file, LOG_LINES)])
    except FileNotFoundError:
        raise HTTPException(404, "The stream has no log on this machine: it was never started here.") from None


def may_alert(viewer: SeesAllDep) -> Viewer:
    """For those who may trigger what sends alerts."""
    if not viewer.may_alert:
        raise HTTPException(403, "You may look, but not send alerts: that takes the right to trigger watch_health.")
    return viewer


@router.post("/test-alert", dependencies=[Depends(same_origin)])
def send_test_alert(viewer: Annotated[Viewer, Depends(may_alert)]) -> TestSent:
    """Raise ``test_alert`` and send it wherever alerts go."""
    raise_alert(TEST_ALERT, viewer.name[:255], f"{viewer.name} tried whether alerts arrive, from the health page")
    return TestSent(receivers=len(outbox.receivers()))

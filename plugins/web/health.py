"""How the pipeline is, its alerts, and how far the reporting tables are.

But for ``complete``, it tells of everybody's events: people who are bound to brands get none of it.
"""

from collections import deque
from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Depends, HTTPException
from pydantic import BaseModel

from pinwheel.alerts import outbox
from pinwheel.alerts.catalogue import ALERTS, TEST_ALERT
from pinwheel.alerts.listing import open_alerts, recent_alerts
from pinwheel.alerts.raising import raise_alert
from pinwheel.clients.memsql import Row
from pinwheel.core.times import aware
from pinwheel.operate import flow_sources
from pinwheel.operate.flow_types import Flow
from plugins.web.access import SeesAllDep, SettingsDep, Viewer, same_origin, sees_all
from plugins.web.database import DatabaseDep, PoolDep

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
    rows = flow_sources.complete_through(connection)
    tables = [
        Complete(
            table=row["table_name"],
            complete_through=aware(row["complete_through_utc"]),
            newest=aware(row["newest_utc"]),
        )
        for row in rows
    ]
    return CompleteTables(now=datetime.now(UTC), tables=tables)


@router.get("/flow")
def flow(viewer: SeesAllDep, settings: SettingsDep, pool: PoolDep) -> Flow:
    """The flow from Kafka to the rollups. A source that is away is named, and hides no other."""
    return flow_sources.look(settings, pool.connection, datetime.now(UTC))


@router.get("/alerts", dependencies=[Depends(sees_all)])
def alerts(connection: DatabaseDep) -> Alerts:
    """What is wrong now, and the last hundred alerts with their ends."""
    found, recent = open_alerts(connection), recent_alerts(connection)
    return Alerts(open=[_alert(row) for row in found], recent=[_alert(row) for row in recent])


def _alert(row: Row) -> AlertRow:
    kind = ALERTS.get(row["name"])
    times = {"raised_at": aware(row["raised_at"]), "resolved_at": aware(row["resolved_at"])}
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

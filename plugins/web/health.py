"""The health page's API: the pipeline's flow, its alerts, and how far the reporting tables are.

Except for ``complete``, it reveals data of all brands, so viewers who are bound to brands get a 403.
"""

import json
from collections import defaultdict, deque
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum

from fastapi import APIRouter, Depends, HTTPException
from pydantic import BaseModel

from pinwheel.alerts import silences
from pinwheel.alerts.catalogue import ALERTS
from pinwheel.alerts.listing import open_alerts, recent_alerts
from pinwheel.clients.memsql import Row, fetch
from pinwheel.core.times import aware, naive
from pinwheel.operate import flow_sources
from pinwheel.operate.flow_types import Flow
from plugins.web.access import SeesAllDep, SettingsDep, sees_all
from plugins.web.database import DatabaseDep, PoolDep

router = APIRouter(prefix="/api/health", tags=["health"])

LOG_LINES = 200
# Measure -> its title and unit; of all partitions or tables, the worst one's.
HISTORIES = {
    "landed_per_second": ("Events landed", "per second"),
    "lag_records": ("Fullest partition's lag", "records"),
    "lake_behind_seconds": ("Lake behind Kafka", "seconds"),
    "merged_behind_seconds": ("Tables behind Kafka", "seconds"),
    "dead_letter_share": ("Dead letters", "share"),
}


class Period(StrEnum):
    """How far back a history goes."""

    HOUR = "hour"
    DAY = "day"
    MONTH = "month"


PARTS = {  # the period's parts: how long, and how many; watch_health measures every minute, not to the second
    Period.HOUR: (timedelta(minutes=2), 30),
    Period.DAY: (timedelta(minutes=15), 96),
    Period.MONTH: (timedelta(hours=6), 120),
}


class Complete(BaseModel):
    """The time up to which a reporting table is complete; null: some partition was never merged."""

    table: str
    complete_through: datetime | None
    newest: datetime | None


class CompleteTables(BaseModel):
    """Every reporting table."""

    now: datetime
    tables: list[Complete]


class Silence(BaseModel):
    """Until when an alert is not sent, by whom and why; ``subject`` empty: whatever the alert is about."""

    name: str
    subject: str
    reason: str
    silenced_by: str
    until_at: datetime


class AlertRow(BaseModel):
    """An alert, with what the catalogue says about it; ``resolved_at`` null: it is open."""

    alert_id: int
    name: str
    subject: str
    severity: str
    message: str
    title: str | None
    means: str | None
    do: str | None
    dag: str | None
    runbook: str | None
    raised_at: datetime
    resolved_at: datetime | None
    silence: Silence | None = None


class Alerts(BaseModel):
    """The open alerts, the last hundred, and the silences."""

    open: list[AlertRow]
    recent: list[AlertRow]
    silences: list[Silence]


class History(BaseModel):
    """A measure over a period.

    ``values``: the worst of each part, oldest first; null if it was unknown. ``limit``: what is allowed now; null if
    there is no limit.
    """

    measure: str
    title: str
    unit: str
    limit: float | None
    values: list[float | None]


class BooksState(BaseModel):
    """The books as they were last drawn up; ``through`` null: never yet.

    ``offsets``: how many offsets of Kafka they cover. ``differences``: what they can't explain.
    """

    through: datetime | None
    offsets: int
    differences: list[str]
    closed_through: date | None


class LogEnd(BaseModel):
    """The end of the driver's log, oldest line first."""

    lines: list[str]


@router.get("/complete")
def complete(connection: DatabaseDep) -> CompleteTables:
    """The time up to which each reporting table is complete."""
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
    """The flow from Kafka to the rollups. A source that does not answer is named; the others are still shown."""
    return flow_sources.look(settings, pool.connection, datetime.now(UTC))


@router.get("/alerts", dependencies=[Depends(sees_all)])
def alerts(connection: DatabaseDep) -> Alerts:
    """The open alerts, and the last hundred with their ends."""
    now_open, recent = open_alerts(connection), recent_alerts(connection)
    active = silences.active(connection, naive(datetime.now(UTC)))
    return Alerts(
        open=[_alert(row, silences.of(active, row["name"], row["subject"])) for row in now_open],
        recent=[_alert(row) for row in recent],
        silences=[_silence(row) for row in active],
    )


@router.get("/history", dependencies=[Depends(sees_all)])
def history(connection: DatabaseDep, period: Period = Period.HOUR) -> list[History]:
    """How the pipeline was over the last hour, day or month."""
    part, parts = PARTS[period]
    to_time = naive(datetime.now(UTC))
    asked = {"measures": list(HISTORIES), "from_time": to_time - parts * part, "to_time": to_time}
    found: dict[str, dict[int, Row]] = defaultdict(dict)
    if subjects := [row["subject"] for row in fetch(connection, "pages/health_subjects", asked)]:
        more = {"subjects": subjects, "seconds": int(part.total_seconds())}
        for row in fetch(connection, "pages/health_history", asked | more):
            found[row["measure"]][int(row["part"])] = row
    return [_history(measure, found[measure], parts) for measure in HISTORIES]


def _history(measure: str, by_part: dict[int, Row], parts: int) -> History:
    title, unit = HISTORIES[measure]
    newest = by_part[max(by_part)]["max_value"] if by_part else None
    values = [by_part[n]["value"] if n in by_part else None for n in range(parts)]
    return History(measure=measure, title=title, unit=unit, limit=newest, values=values)


@router.get("/books", dependencies=[Depends(sees_all)])
def books(connection: DatabaseDep) -> BooksState:
    """Whether the books balance."""
    rows = fetch(connection, "pages/health_books")
    if not rows:
        return BooksState(through=None, offsets=0, differences=[], closed_through=None)
    counts, told = json.loads(rows[0]["counts"]), json.loads(rows[0]["differences"])
    through, closed = aware(rows[0]["through_at"]), rows[0]["closed_through"]
    return BooksState(through=through, offsets=counts.get("offsets", 0), differences=told, closed_through=closed)


def _silence(row: Row) -> Silence:
    return Silence(**{**row, "until_at": aware(row["until_at"])})


def _alert(row: Row, silence: Row | None = None) -> AlertRow:
    kind = ALERTS.get(row["name"])
    times = {"raised_at": aware(row["raised_at"]), "resolved_at": aware(row["resolved_at"])}
    more = times | {"silence": _silence(silence) if silence else None}
    if kind is None:  # of another version
        return AlertRow(**{**row, **more}, title=None, means=None, do=None, dag=None)
    title = kind.title.format(subject=row["subject"])
    return AlertRow(**{**row, **more}, title=title, means=kind.means, do=kind.do, dag=kind.dag)


@router.get("/driver-log", dependencies=[Depends(sees_all)])
def driver_log(settings: SettingsDep) -> LogEnd:
    """The end of the driver's log."""
    try:
        with (settings.stream_dir / "driver.log").open(encoding="utf-8", errors="replace") as file:
            return LogEnd(lines=[line.rstrip("\n")[:2000] for line in deque(file, LOG_LINES)])
    except FileNotFoundError:
        raise HTTPException(404, "The driver has no log on this machine: it was never started here.") from None

"""The data quality page's API: verdicts for everybody; the rows behind them for viewers who see every brand."""

import json
import threading
from collections import defaultdict
from datetime import datetime, timedelta
from typing import Annotated, Any

from cachetools import TTLCache, cached
from fastapi import APIRouter, Depends
from pydantic import BaseModel

from pinwheel.clients import memsql
from pinwheel.clients.memsql import Connection, Row
from pinwheel.core.contract import ROLLUPS, TABLES, SliceState
from pinwheel.core.settings import WebSettings
from pinwheel.core.times import aware, naive, utc_now
from pinwheel.lake.dead_letters import Summary, summary
from pinwheel.lake.letter_days import LetterDay, LetterDays
from pinwheel.lake.replay import NEVER
from plugins.web import quality_docs
from plugins.web.access import SeesAllDep, SettingsDep, ViewerDep
from plugins.web.database import DatabaseDep

router = APIRouter(prefix="/api/quality", tags=["quality"])
router.include_router(quality_docs.router)

BACK_HOURS = 24  # how far back failures are shown
FAILURES, ROWS, NEWEST = 50, 20, 1000  # failures and rows that are listed; newest quarantined rows that are counted
SHOWN = 300  # characters of a text
SAMPLE_ROWS = 5
HELD = 20  # slices per table: a held slice stops its table, so more than one is rare
KEPT_SECONDS = 30.0  # the lake is read at most this often, however many viewers there are


letter_days = LetterDays()

NowDep = Annotated[datetime, Depends(utc_now)]


class TableVerdict(BaseModel):
    """The verdicts on a table. The hour's fields are null before its first check; the slice's before its first merge.

    ``docs``: the hour's page in Data Docs, under ``docs/``; null if there is none. It and the numbers of rows are null
    for viewers bound to brands.
    """

    table: str
    hour: datetime | None = None
    checked_at: datetime | None = None
    expectations: int | None = None
    critical_unmet: int | None = None
    warnings_unmet: int | None = None
    slice_id: int | None = None
    audited_at: datetime | None = None
    slice_rows: int | None = None
    slice_quarantined: int | None = None
    held: int = 0
    docs: str | None = None


class Verdicts(BaseModel):
    """The latest verdicts on each table: check_quality's on an hour and the gate's on a slice."""

    now: datetime
    tables: list[TableVerdict]


class Failure(BaseModel):
    """An expectation that an hour did not meet. ``docs``: its page in Data Docs, under ``docs/``."""

    table: str
    hour: datetime
    measure: str
    critical: bool
    observed: str
    expected: str
    sample: list[dict[str, str]]
    docs: str | None


class HourOfRows(BaseModel):
    """Rows that merges read and quarantined in an hour."""

    hour: datetime
    rows_read: int
    quarantined: int


class RowFailures(BaseModel):
    """A table's last day by hour of merging, oldest first; hours without a merge are omitted."""

    table: str
    hours: list[HourOfRows]


class Held(BaseModel):
    """A slice that waits for a person."""

    slice_id: int
    table: str
    rows_read: int
    audited_at: datetime | None
    reasons: list[str]


class Broken(BaseModel):
    """How many of the newest quarantined rows broke a rule."""

    table: str
    rule: str
    rows: int
    newest_at: datetime


class QuarantinedRow(BaseModel):
    """One quarantined row."""

    table: str
    event_id: str | None
    quarantined_at: datetime
    reason: str
    row: str


class Rows(BaseModel):
    """The rows behind the verdicts."""

    now: datetime
    failures: list[Failure]
    row_failures: list[RowFailures]
    held: list[Held]
    broken: list[Broken]
    quarantined: list[QuarantinedRow]


class DeadLetters(BaseModel):
    """The newest dead letters of today and yesterday, by reason, and the number of each of the last days.

    ``never``: reasons of letters that can't come home.
    """

    found: Summary
    days: list[LetterDay]
    never: list[str]


@router.get("")
def verdicts(connection: DatabaseDep, now: NowDep, viewer: ViewerDep, settings: SettingsDep) -> Verdicts:
    """Each table's verdicts, as counts."""
    tables = [_verdict(connection, name) for name in (*TABLES, ROLLUPS)]
    for table in tables:
        if viewer.brands is not None:
            table.slice_rows = table.slice_quarantined = None
        elif table.hour:
            table.docs = quality_docs.page_of(settings, table.table, table.hour)
    return Verdicts(now=now, tables=tables)


def _verdict(connection: Connection, name: str) -> TableVerdict:
    verdict = TableVerdict(table=name, held=len(_slices(connection, name, SliceState.HELD, HELD)))
    for row in memsql.fetch(connection, "pages/quality_verdicts", {"table_name": name}):
        verdict.hour, verdict.checked_at = aware(row["occurred_hour"]), aware(row["checked_at"])
        verdict.expectations = int(row["expectations"])
        verdict.critical_unmet, verdict.warnings_unmet = int(row["critical_unmet"]), int(row["warnings_unmet"])
    for row in _slices(connection, name, SliceState.MERGED, 1):
        verdict.slice_id, verdict.audited_at = row["slice_id"], aware(row["audited_at"])
        verdict.slice_rows, verdict.slice_quarantined = row["rows_read"], row["quarantined"]
    return verdict


def _slices(connection: Connection, name: str, state: SliceState, top: int) -> list[Row]:
    return memsql.fetch(connection, "pages/quality_slices", {"table_name": name, "state": state.value, "top": top})


@router.get("/rows")
def rows(viewer: SeesAllDep, connection: DatabaseDep, settings: SettingsDep, now: NowDep) -> Rows:
    """The last day's failures, held slices, and the newest quarantined rows."""
    since = naive(now - timedelta(hours=BACK_HOURS))
    failures = memsql.fetch(connection, "pages/quality_failures", {"from_hour": since, "top": FAILURES})
    hours = memsql.fetch(connection, "pages/quality_row_failures", {"from_time": since})
    held = [row for name in TABLES for row in _slices(connection, name, SliceState.HELD, HELD)]
    broken = memsql.fetch(connection, "pages/quality_reasons", {"newest": NEWEST})
    quarantined = memsql.fetch(connection, "pages/quality_quarantined", {"top": ROWS})
    return Rows(
        now=now,
        failures=[_failure(row, settings) for row in failures],
        row_failures=_row_failures(hours),
        held=[_held(row) for row in held],
        broken=[_broken(row) for row in broken],
        quarantined=[_quarantined(row) for row in quarantined],
    )


@router.get("/dead-letters")
def dead_letters(viewer: SeesAllDep, settings: SettingsDep, now: NowDep) -> DeadLetters:
    """The newest dead letters by reason, each with a few samples; up to half a minute old."""
    return _dead_letters(settings.events_uri, now)


# The condition makes concurrent requests wait for one read of the lake and share its result.
@cached(TTLCache(maxsize=1, ttl=KEPT_SECONDS), key=lambda events_uri, now: events_uri, condition=threading.Condition())
def _dead_letters(events_uri: str, now: datetime) -> DeadLetters:
    """The dead letters, read once for all viewers."""
    return DeadLetters(
        found=summary(events_uri, now), days=letter_days.count(events_uri, now), never=[str(reason) for reason in NEVER]
    )


def _failure(row: Row, settings: WebSettings) -> Failure:
    return Failure(
        table=row["table_name"],
        hour=aware(row["occurred_hour"]),
        measure=row["measure"],
        critical=row["severity"] == "critical",
        observed=_short(row["observed"]),
        expected=_short(row["expected"]),
        sample=_sample(row["sample"]),
        docs=quality_docs.page_of(settings, row["table_name"], row["occurred_hour"]),
    )


def _sample(text: str | None) -> list[dict[str, str]]:
    """A few offending rows, every value as a short text."""
    sample = _json(text)
    rows = sample if isinstance(sample, list) else []
    return [{str(k): _short(v) for k, v in row.items()} for row in rows[:SAMPLE_ROWS] if isinstance(row, dict)]


def _row_failures(rows: list[Row]) -> list[RowFailures]:
    by_table: dict[str, list[HourOfRows]] = defaultdict(list)
    for row in rows:
        hour = HourOfRows(hour=aware(row["hour"]), rows_read=row["rows_read"], quarantined=row["quarantined"])
        by_table[row["table_name"]].append(hour)
    return [RowFailures(table=name, hours=hours) for name, hours in by_table.items()]


def _held(row: Row) -> Held:
    detail = _json(row["detail"])
    reasons = detail.get("reasons") if isinstance(detail, dict) else None
    return Held(
        slice_id=row["slice_id"],
        table=row["table_name"],
        rows_read=row["rows_read"],
        audited_at=aware(row["audited_at"]),
        reasons=[_short(reason) for reason in reasons or ()],
    )


def _broken(row: Row) -> Broken:
    return Broken(
        table=row["table_name"], rule=_short(row["rule"]), rows=row["broken"], newest_at=aware(row["newest_at"])
    )


def _quarantined(row: Row) -> QuarantinedRow:
    return QuarantinedRow(
        table=row["table_name"],
        event_id=row["event_id"],
        quarantined_at=aware(row["quarantined_at"]),
        reason=row["reason"],
        row=row["row_json"],
    )


def _json(text: str | None) -> Any:
    """A JSON column's value; None if it is empty or truncated."""
    try:
        return json.loads(text or "null")
    except ValueError:
        return None


def _short(value: object) -> str:
    text = "" if value is None else str(value)
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}…"

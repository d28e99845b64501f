"""The table ``brand_reports``: every revision of every report."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from typing import Any

from pinwheel.clients import memsql
from pinwheel.clients.memsql import Connection, Row
from pinwheel.core.days import NAMED_UTC
from pinwheel.reports.numbers import (
    Brand,
    Change,
    Earlier,
    Numbers,
    ReportStatus,
    counts_pinners,
    digest_without_people,
    flat_of,
)
from pinwheel.reports.period import Period

# Rollups are stamped before they commit, so a row that a report has not read may be stamped a little before its read.
LONGEST_MERGE = timedelta(hours=1)
KEPT_CHANGES = 100
BRANDS_AT_ONCE = 500  # MariaDB reads the whole rollup for a list of 1000


@dataclass(frozen=True)
class Report:
    """One revision of one brand's report, before its files are written."""

    brand: Brand
    period: Period
    revision: int
    made_at: datetime
    read_at: datetime
    numbers: Numbers
    state: ReportStatus
    digest: str
    earlier: Earlier | None
    changes: tuple[Change, ...] = ()

    @property
    def folder(self) -> str:
        """The path of its files in the reports folder.

        If two runs make the same revision at once with different content, each has its own folder, and one is listed.
        """
        return f"{self.brand.brand_id}/{self.period.key}/r{self.revision}-{self.digest[:8]}"


def zones(connection: Connection) -> dict[int, str]:
    """Brand id -> time zone, of the brands that have another than UTC."""
    with memsql.transaction(connection):
        return {row["brand_id"]: row["time_zone"] for row in memsql.fetch(connection, "reports/zones")}


def clock(connection: Connection) -> datetime:
    """The database's current time."""
    with memsql.transaction(connection):
        at: datetime = memsql.fetch(connection, "reports/clock")[0]["now_utc"]
    return at


def first_day(connection: Connection) -> date | None:
    """The first UTC day with anything to report; None if there is none."""
    with memsql.transaction(connection):
        day: date | None = memsql.fetch(connection, "reports/first_day")[0]["first_day"]
    return day


def kept_from(connection: Connection) -> date:
    """The first UTC day of which the tables have all rows: retention takes earlier ones away."""
    with memsql.transaction(connection):
        day: date | None = memsql.fetch(connection, "reports/kept_from", {"store": "events"})[0]["kept_from"]
    return day or date.min


def brands(connection: Connection, period: Period) -> list[Brand]:
    """The brands of a period's time zone to report on, by brand id."""
    last = period.end - timedelta.resolution
    utc_days = {"from_day": period.before.start.date(), "to_day": last.date() + timedelta(days=1)}
    params = utc_days | {"time_zone": period.time_zone}
    with memsql.transaction(connection):
        return [Brand(**row) for row in memsql.fetch(connection, "reports/brands", params)]


def latest(connection: Connection, period: Period) -> dict[int, Row]:
    """The newest report of each brand of a period's time zone, with the rollups' current numbers.

    A brand whose newest report is of another time zone has none. ``engagement_now``: None if the rollups have no such
    hours; then only a recount tells whether the report may differ.
    """
    begins: tuple[date, ...] = (period.before.start, period.start, period.end)
    names = {"rollup": "brand_hourly", "time_column": "hour"}
    unknown = {} if period.is_of_whole_hours else {"engagement_now": None}
    if period.time_zone == NAMED_UTC:
        begins = (period.before.first_day, period.first_day, period.next_day)
        names = {"rollup": "brand_daily", "time_column": "day"}
    params = _key(period) | dict(zip(("before_at", "from_at", "to_at"), begins, strict=True))
    rows: list[Row] = []
    with memsql.transaction(connection):
        ids = [row["brand_id"] for row in memsql.fetch(connection, "reports/reported", _key(period))]
        for n in range(0, len(ids), BRANDS_AT_ONCE):
            some = {"brand_ids": ids[n : n + BRANDS_AT_ONCE]}
            rows += memsql.fetch(connection, "reports/latest", params | some, **names)
    return {row["brand_id"]: row | unknown for row in rows}


def may_differ(row: Row, state: ReportStatus) -> bool:
    """Whether a report made now may differ from its newest revision; a cheap test that counts no events."""
    stamped = row["updated_at"] is not None and row["updated_at"] >= row["read_at"] - LONGEST_MERGE
    sums = (row["engagement_now"], row["engagement_before_now"]) != (row["engagement"], row["engagement_before"])
    completed = state.is_complete and not row["is_complete"]
    judged = state.quality.verdict not in ("unchecked", row["verdict"])
    return stamped or sums or completed or judged


def earlier(
    connection: Connection, period: Period, brand_ids: Sequence[int]
) -> tuple[dict[int, Earlier], dict[int, int]]:
    """The newest revisions of these brands in the period's time zone, with their numbers; the newest ones in any."""
    params = _key(period) | {"brand_ids": list(brand_ids)}
    with memsql.transaction(connection):
        rows = memsql.fetch(connection, "reports/numbers", params)
    found = {row["brand_id"]: _earlier(row) for row in rows if row["time_zone"] == period.time_zone}
    return found, {row["brand_id"]: row["newest_revision"] for row in rows}


def _earlier(row: Row) -> Earlier:
    numbers, is_complete = row["numbers"], bool(row["is_complete"])
    return Earlier(
        row["revision"],
        row["made_at"],
        row["complete_through"],
        is_complete,
        row["verdict"],
        row["digest"],
        flat_of(numbers),
        None if counts_pinners(numbers) else digest_without_people(numbers, is_complete, row["verdict"]),
        row["mail"],
    )


def insert(connection: Connection, report: Report, mail: str) -> None:
    """List a report whose files are written, and the state of its mail.

    Raises:
        pymysql.err.IntegrityError: another run has listed that revision.
    """
    with memsql.transaction(connection):
        memsql.execute(connection, "reports/insert", _row(report, mail))


def due_mails(connection: Connection, since: date) -> list[Row]:
    """Reports made since ``since`` whose mail is due, oldest first."""
    with memsql.transaction(connection):
        return memsql.fetch(connection, "reports/due_mails", {"since": since})


def numbers_text(connection: Connection, row: Row) -> str:
    """The stored numbers of a brand's newest report for a period: one at a time, as a month of them is 200 MB."""
    params = {name: row[name] for name in ("first_day", "days", "time_zone")} | {"brand_ids": [row["brand_id"]]}
    with memsql.transaction(connection):
        text: str = memsql.fetch(connection, "reports/numbers", params)[0]["numbers"]
    return text


def set_mail(connection: Connection, row: Row, mail: str, at: datetime | None) -> None:
    """Record the outcome of a due mail; a no-op if it is no longer due."""
    key = {name: row[name] for name in ("brand_id", "first_day", "days", "revision")}
    with memsql.transaction(connection):
        memsql.execute(connection, "reports/set_mail", key | {"mail": mail, "mailed_at": at})


def _row(report: Report, mail: str) -> dict[str, object]:
    numbers, state = report.numbers, report.state
    return _key(report.period) | {
        "brand_id": report.brand.brand_id,
        "revision": report.revision,
        "made_at": report.made_at,
        "read_at": report.read_at,
        "complete_through": state.complete_through,
        "is_complete": int(state.is_complete),
        "verdict": state.quality.verdict,
        "engagement": numbers.now.engagement,
        "engagement_before": numbers.before.engagement,
        "unique_people": numbers.now.people,
        "change_count": len(report.changes),
        "changes": json.dumps([asdict(c) for c in report.changes[:KEPT_CHANGES]], ensure_ascii=False),
        "numbers": numbers.to_json(),
        "digest": report.digest,
        "folder": report.folder,
        "mail": mail,
    }


def _key(period: Period) -> dict[str, Any]:
    return {"first_day": period.first_day, "days": period.days, "time_zone": period.time_zone}

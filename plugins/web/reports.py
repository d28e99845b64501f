"""The brand reports page's API: the list of reports, the changes in each revision, and their files."""

import json
import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, HTTPException, Path, Query
from fastapi.responses import Response
from pydantic import BaseModel

from pinwheel.clients.memsql import Connection, Row, fetch
from pinwheel.core.days import NAMED_UTC, local, midnight
from pinwheel.core.errors import AskedError, MissingPartError, ReportError
from pinwheel.core.times import aware, naive
from pinwheel.core.words import brand_title
from pinwheel.reports.numbers import Change as Changed
from pinwheel.reports.page import in_theme, number_name, style_hash_of
from pinwheel.reports.period import MAX_DAYS, Period
from pinwheel.reports.store import Store
from pinwheel.reports.tables import FILES
from plugins.web.access import BrandQuery, Scope, ScopeDep, SeesAllDep, SettingsDep, ViewerDep, only
from plugins.web.database import DatabaseDep

router = APIRouter(prefix="/api/reports", tags=["reports"])

PAGE = "report.html"
LONG_AGO = date(1970, 1, 1)
NUMBER = re.compile(r"(?:brand\s+)?([0-9]{1,18})(?:\s+\(\1\))?", re.IGNORECASE)  # 70, brand 70, brand 70 (70)
# A report may apply its own style and nothing else: no script, no request, no form, and an opaque origin.
POLICY = "default-src 'none'; style-src {style}; base-uri 'none'; form-action 'none'; frame-ancestors 'self'; sandbox"

DayQuery = Annotated[date | None, Query(description="Periods that include this day; default: the newest")]
DaysQuery = Annotated[int, Query(description="Length of the periods in days; 0: any length", ge=0, le=MAX_DAYS)]
FIND = "Part of a brand's name, its number, or a part of a named brand's number; empty: any brand"
FindQuery = Annotated[str, Query(description=FIND, max_length=100)]
Sort = Literal["brand", "-brand", "period", "-period", "engagement", "-engagement", "made", "-made"]
SortQuery = Annotated[Sort, Query(description="What the list is sorted by; with -, the largest or newest first")]
TopQuery = Annotated[int, Query(description="Maximum number of reports", ge=1, le=5000)]
Theme = Literal["light", "dark"]
ThemeQuery = Annotated[Theme | None, Query(description="Of the page around the report; default: the reader's system")]
DaysPath = Annotated[int, Path(ge=1, le=MAX_DAYS)]


@dataclass(frozen=True)
class Wanted:
    """Which reports to list, and in which order."""

    day: DayQuery = None
    days: DaysQuery = 0
    find: FindQuery = ""
    sort: SortQuery = "-period"
    top: TopQuery = 100


WantedDep = Annotated[Wanted, Depends()]


class ListedReport(BaseModel):
    """The newest revision of a report. ``engagement_before``: of the preceding period of the same length.

    ``time_zone``: whose days they are. ``verdict``: passed, warning, failed or unchecked. ``mail``: due, sent or none.
    """

    brand_id: int
    brand_name: str
    first_day: date
    days: int
    time_zone: str
    revision: int
    made_at: datetime
    complete_through: datetime | None
    is_complete: bool
    verdict: str
    engagement: int
    engagement_before: int
    unique_people: int
    change_count: int
    mail: str


class Reports(BaseModel):
    """A list of reports. ``day``: the day asked for, null: none; ``has_more``: there are more than ``top``.

    ``newest_days``: if nothing was asked for, the days that the listed reports include: of each time zone the newest.
    """

    day: date | None
    newest_days: list[date]
    reports: list[ListedReport]
    has_more: bool


class ReportableDays(BaseModel):
    """The first day with events, null: there is none; the first whose events are all kept, null: all are; yesterday.

    Days of ``time_zone``. A report is compared with as many days before it, which must be kept, too.
    """

    time_zone: str
    first_day: date | None
    kept_from: date | None
    last_day: date


class Change(BaseModel):
    """A number that differs from the previous revision; null: the item was not in that revision's list."""

    name: str
    before: int | None
    after: int | None


class Revision(ListedReport):
    """One revision, its changes (the first hundred of ``change_count``), and the names of its tables."""

    changes: list[Change]
    tables: list[str]


class Revisions(BaseModel):
    """All revisions of one report, newest first."""

    revisions: list[Revision]


@router.get("")
def reports(scope: ScopeDep, connection: DatabaseDep, wanted: WantedDep, brand: BrandQuery = None) -> Reports:
    """The reports of some brands, of a day, or of both; by default all brands on the newest day."""
    if brand is not None and not fetch(connection, "pages/reports_brand", {"brand_id": brand}):
        raise HTTPException(404, f"There is no brand {brand}.")
    is_any = brand is None and not wanted.find
    is_newest = is_any and wanted.day is None
    day = _newest(connection, scope, wanted.days) if is_newest else wanted.day
    scope = _found(connection, scope, wanted.find) if wanted.find else scope
    if (day is None and is_newest) or scope.brands == frozenset():
        return Reports(day=wanted.day, newest_days=[], reports=[], has_more=False)
    params = {"days": wanted.days, "is_newest": int(is_newest), "sort": wanted.sort, "top": wanted.top + 1}
    between = _between(day) | ({"day": LONG_AGO} if is_newest else {})
    rows = fetch(connection, "pages/reports_list", scope.sql() | between | params)
    listed = [ListedReport(**_listed(row)) for row in rows[: wanted.top]]
    newest = sorted({row["newest_day"] for row in rows[: wanted.top]}) if is_newest else []
    return Reports(day=wanted.day, newest_days=newest, reports=listed, has_more=len(rows) > wanted.top)


@router.get("/days")
def days(_: SeesAllDep, connection: DatabaseDep, brand: BrandQuery = None) -> ReportableDays:
    """The days that a report can be made of: those of the brand's time zone, by default of UTC."""
    time_zone = NAMED_UTC
    if brand is not None:
        time_zone = fetch(connection, "pages/brand", {"brand_id": brand})[0]["time_zone"]
    (row,) = fetch(connection, "pages/reports_days")
    try:
        return ReportableDays(
            time_zone=time_zone,
            first_day=row["first_day"] and _first_with(row["first_day"], time_zone),
            kept_from=row["kept_from"] and _first_within(row["kept_from"], time_zone),
            last_day=local(naive(datetime.now(UTC)), time_zone).date() - timedelta(days=1),
        )
    except AskedError as error:
        raise HTTPException(409, f"No report can be made of brand {brand}: {error}") from None


def _first_with(utc_day: date, time_zone: str) -> date:
    """The first day of a zone that has a part of a UTC day."""
    return local(midnight(utc_day, NAMED_UTC), time_zone).date()


def _first_within(utc_day: date, time_zone: str) -> date:
    """The first day of a zone that has no part of the days before a UTC day."""
    day = _first_with(utc_day, time_zone)
    return day if midnight(day, time_zone) >= midnight(utc_day, NAMED_UTC) else day + timedelta(days=1)


def _found(connection: Connection, scope: Scope, find: str) -> Scope:
    """The brands of a scope whose name or number has a text; one without a row in ``brands`` by its whole number.

    The brands first: then only their reports are read, by their index, unless they are most of all.
    """
    rows = fetch(connection, "pages/reports_find", scope.sql() | {"find": find})
    number = NUMBER.fullmatch(find.strip())
    numbered = {int(number[1])} if number and scope.sees(int(number[1])) else set()
    return Scope(frozenset({row["brand_id"] for row in rows} | numbered))


def _newest(connection: Connection, scope: Scope, days: int) -> date | None:
    rows = fetch(connection, "pages/reports_newest_day", scope.sql() | {"days": days})
    newest: date | None = rows[0]["first_day"]
    return newest


def _between(day: date | None) -> dict[str, date]:
    """Parameters that select the periods that include ``day``; None: all periods."""
    if day is None:
        return {"from_day": LONG_AGO, "to_day": datetime.now(UTC).date(), "day": LONG_AGO}
    longest = timedelta(days=MAX_DAYS)
    return {"from_day": day - longest if day > LONG_AGO + longest else LONG_AGO, "to_day": day, "day": day}


def _listed(row: Row) -> Row:
    """A row for its model: aware times, and a fallback for brands without a name."""
    times = {name: aware(row[name]) for name in ("made_at", "complete_through")}
    return row | times | {"brand_name": brand_title(row["brand_id"], row["name"])}


def of_brand(brand_id: int, first_day: date, days: DaysPath, viewer: ViewerDep, connection: DatabaseDep) -> list[Row]:
    """The revisions of a report; 404 if there is none that the viewer may see."""
    only(viewer, [brand_id])
    if not fetch(connection, "pages/reports_brand", {"brand_id": brand_id}):
        raise HTTPException(404, f"There is no brand {brand_id}.")
    params = {"brand_id": brand_id, "first_day": first_day, "days": days}
    rows = fetch(connection, "pages/reports_revisions", params)
    if not rows:
        raise HTTPException(
            404,
            f"There is no report of brand {brand_id} for {days} days from {first_day}. To make it, trigger "
            "report_brands with that first day.",
        )
    return rows


RowsDep = Annotated[list[Row], Depends(of_brand)]


@router.get("/{brand_id}/{first_day}/{days}")
def revisions(rows: RowsDep) -> Revisions:
    """Every revision of a report and its changes."""
    return Revisions(revisions=[_revision(row) for row in rows])


def _revision(row: Row) -> Revision:
    period = Period(row["first_day"], row["days"], row["time_zone"])
    changed = [Changed(**change) for change in json.loads(row["changes"])]
    changes = [Change(name=number_name(c.name, period, {}), before=c.before, after=c.after) for c in changed]
    return Revision(**_listed(row) | {"changes": changes}, tables=_tables(row["revision"]))


def _tables(revision: int) -> list[str]:
    return list(FILES if revision > 1 else FILES[:-1])


@router.get("/{brand_id}/{first_day}/{days}/{revision}/{file}", include_in_schema=False)
def file(
    rows: RowsDep, revision: int, file: str, settings: SettingsDep, theme: ThemeQuery = None, download: bool = False
) -> Response:
    """A revision's page, or one of its tables as CSV."""
    row = next((row for row in rows if row["revision"] == revision), None)
    if row is None:
        raise HTTPException(
            404, f"There is no revision {revision} of this report; the newest is {rows[0]['revision']}."
        )
    if file not in (PAGE, *_tables(revision)):
        raise HTTPException(404, f"A report has no file {file[:100]}.")
    content = _read(settings.reports_uri, f"{row['folder']}/{file}")
    name = f"brand-{row['brand_id']}-{row['first_day']}-{row['days']}d-r{revision}"
    if file != PAGE:
        return _sent(content, "text/csv; charset=utf-8", f"{name}-{file}")
    page = in_theme(content.decode(), theme) if theme else content.decode()
    policy = POLICY.format(style=style_hash_of(page))
    response = _sent(page.encode(), "text/html; charset=utf-8", f"{name}.html" if download else None)
    response.headers["Content-Security-Policy"] = policy
    return response


def _read(uri: str, path: str) -> bytes:
    try:
        with Store(uri) as store:
            return store.read(path)
    except MissingPartError:
        text = "The files of this report are missing. An operator can make them again, see the runbook."
        raise HTTPException(404, text) from None
    except ReportError:
        raise HTTPException(503, "The reports folder does not answer. Try again in a minute.") from None


def _sent(content: bytes, kind: str, download_as: str | None) -> Response:
    headers = {"Content-Disposition": f'attachment; filename="{download_as}"'} if download_as else {}
    return Response(content, headers=headers, media_type=kind)

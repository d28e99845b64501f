"""The brands' reports: which there are, what changed in each revision, and their files."""

import json
from datetime import UTC, date, datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, HTTPException, Path, Query
from fastapi.responses import Response
from pydantic import BaseModel

from pinwheel.clients.memsql import Connection, Row, fetch
from pinwheel.core.errors import MissingPartError, ReportError
from pinwheel.core.times import aware
from pinwheel.reports.numbers import Change as Changed
from pinwheel.reports.page import number_name, style_hash_of
from pinwheel.reports.period import MAX_DAYS, Period
from pinwheel.reports.store import Store
from pinwheel.reports.tables import FILES
from plugins.web.access import BrandQuery, Scope, ScopeDep, SettingsDep, ViewerDep, only
from plugins.web.database import DatabaseDep

router = APIRouter(prefix="/api/reports", tags=["reports"])

PAGE = "report.html"
LONG_AGO = date(1970, 1, 1)
# A report may show its own style, and nothing else: no script, no request, no form, and no origin to have rights of.
POLICY = "default-src 'none'; style-src {style}; base-uri 'none'; form-action 'none'; frame-ancestors 'self'; sandbox"

DayQuery = Annotated[date | None, Query(description="Periods that hold this UTC day; not given: the newest")]
DaysQuery = Annotated[int, Query(description="Periods of so many days; 0: of any length", ge=0, le=MAX_DAYS)]
TopQuery = Annotated[int, Query(description="At most so many", ge=1, le=5000)]
DaysPath = Annotated[int, Path(ge=1, le=MAX_DAYS)]


class ListedReport(BaseModel):
    """The newest revision of a report. ``engagement_before``: of the period before, as long.

    ``verdict``: passed, warning, failed or unchecked. ``mail``: due, sent or none.
    """

    brand_id: int
    brand_name: str
    first_day: date
    days: int
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
    """What there is. ``day``: that it is about, null for every day; ``has_more``: beyond what was asked for."""

    day: date | None
    reports: list[ListedReport]
    has_more: bool


class Change(BaseModel):
    """A number that is not what it was in the revision before; null: not among those listed."""

    name: str
    before: int | None
    after: int | None


class Revision(ListedReport):
    """One revision, what changed in it (the first hundred of ``change_count``), and the names of its tables."""

    changes: list[Change]
    tables: list[str]


class Revisions(BaseModel):
    """All of one report, newest first."""

    revisions: list[Revision]


@router.get("")
def reports(
    scope: ScopeDep,
    connection: DatabaseDep,
    brand: BrandQuery = None,
    day: DayQuery = None,
    days: DaysQuery = 0,
    top: TopQuery = 100,
) -> Reports:
    """Of a brand all periods, of a day all brands, of both what there is; of neither the newest day."""
    if brand is not None and not fetch(connection, "pages/reports_brand", {"brand_id": brand}):
        raise HTTPException(404, f"There is no brand {brand}.")
    wanted = day or (None if brand is not None else _newest(connection, scope, days))
    if wanted is None and brand is None:
        return Reports(day=None, reports=[], has_more=False)
    rows = fetch(connection, "pages/reports_list", scope.sql() | _between(wanted) | {"days": days, "top": top + 1})
    return Reports(day=wanted, reports=[ListedReport(**_told(row)) for row in rows[:top]], has_more=len(rows) > top)


def _newest(connection: Connection, scope: Scope, days: int) -> date | None:
    rows = fetch(connection, "pages/reports_newest_day", scope.sql() | {"days": days})
    found: date | None = rows[0]["first_day"]
    return found


def _between(day: date | None) -> dict[str, date]:
    """Periods that hold the day; all of them where there is none."""
    if day is None:
        return {"from_day": LONG_AGO, "to_day": datetime.now(UTC).date(), "day": LONG_AGO}
    longest = timedelta(days=MAX_DAYS)
    return {"from_day": day - longest if day > LONG_AGO + longest else LONG_AGO, "to_day": day, "day": day}


def _told(row: Row) -> Row:
    """A row as its model has it: times with their zone, and a name for every brand."""
    times = {name: aware(row[name]) for name in ("made_at", "complete_through")}
    return row | times | {"brand_name": row["name"] or f"brand {row['brand_id']}"}


def of_brand(brand_id: int, first_day: date, days: DaysPath, viewer: ViewerDep, connection: DatabaseDep) -> list[Row]:
    """The revisions of a report that the viewer may see; 404 when there is none."""
    only(viewer, [brand_id])
    if not fetch(connection, "pages/reports_brand", {"brand_id": brand_id}):
        raise HTTPException(404, f"There is no brand {brand_id}.")
    params = {"brand_id": brand_id, "first_day": first_day, "days": days}
    found = fetch(connection, "pages/reports_revisions", params)
    if not found:
        raise HTTPException(
            404,
            f"There is no report of brand {brand_id} on {days} days from {first_day}. Trigger report_brands with that "
            "first day to make it.",
        )
    return found


RowsDep = Annotated[list[Row], Depends(of_brand)]


@router.get("/{brand_id}/{first_day}/{days}")
def revisions(rows: RowsDep) -> Revisions:
    """Every revision of a report, and what changed in it."""
    return Revisions(revisions=[_revision(row) for row in rows])


def _revision(row: Row) -> Revision:
    period = Period(row["first_day"], row["days"])
    changed = [Changed(**change) for change in json.loads(row["changes"])]
    changes = [Change(name=number_name(c.name, period, {}), before=c.before, after=c.after) for c in changed]
    return Revision(**_told(row) | {"changes": changes}, tables=_tables(row["revision"]))


def _tables(revision: int) -> list[str]:
    return list(FILES if revision > 1 else FILES[:-1])


@router.get("/{brand_id}/{first_day}/{days}/{revision}/{file}", include_in_schema=False)
def file(rows: RowsDep, revision: int, file: str, settings: SettingsDep, download: bool = False) -> Response:
    """The page of a revision, or one of its tables."""
    row = next((row for row in rows if row["revision"] == revision), None)
    if row is None:
        raise HTTPException(
            404, f"There is no revision {revision} of this report; the newest is {rows[0]['revision']}."
        )
    if file not in (PAGE, *_tables(revision)):
        raise HTTPException(404, f"There is no file {file[:100]} of a report.")
    content = _read(settings.reports_uri, f"{row['folder']}/{file}")
    name = f"brand-{row['brand_id']}-{row['first_day']}-{row['days']}d-r{revision}"
    if file != PAGE:
        return _sent(content, "text/csv; charset=utf-8", f"{name}-{file}")
    policy = POLICY.format(style=style_hash_of(content.decode()))
    told = _sent(content, "text/html; charset=utf-8", f"{name}.html" if download else None)
    told.headers["Content-Security-Policy"] = policy
    return told


def _read(uri: str, path: str) -> bytes:
    try:
        with Store(uri) as store:
            return store.read(path)
    except MissingPartError:
        text = "The files of this report are gone. Who runs Pinwheel can have it made again: see the runbook."
        raise HTTPException(404, text) from None
    except ReportError:
        raise HTTPException(503, "The reports folder does not answer. Try again in a minute.") from None


def _sent(content: bytes, kind: str, download_as: str | None) -> Response:
    headers = {"Content-Disposition": f'attachment; filename="{download_as}"'} if download_as else {}
    return Response(content, headers=headers, media_type=kind)

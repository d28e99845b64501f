"""The API of a brand's page: its running day, to the minute, next to the same hours of the days before."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import date, datetime
from typing import Annotated

from fastapi import APIRouter, Depends, HTTPException, Path
from pydantic import BaseModel

from pinwheel.clients.memsql import Connection, fetch
from pinwheel.core.days import NAMED_UTC, is_zone, local
from pinwheel.core.times import naive, utc_now
from pinwheel.core.words import brand_title
from plugins.web import trends
from plugins.web.access import Scope, ViewerDep, only
from plugins.web.brand_day import USUAL_DAYS, BrandHour, Counts, Numbers, Span, is_kept, mean, span_of, usual_days
from plugins.web.database import DatabaseDep
from plugins.web.trends import Trends

router = APIRouter(prefix="/api/brands", tags=["brands"])

LARGEST_ID = 2**63 - 1
TOP = 10  # of each list


class TopPin(BaseModel):
    """A pin with engagement today. ``pin_id``: as text, because a script's numbers are not exact above 2^53."""

    pin_id: str
    title: str | None
    engagement: int
    repins: int
    comments: int


class TopCategory(BaseModel):
    """A category of the brand's pins with engagement today; ``(none)``: without one."""

    category: str
    engagement: int


class Country(BaseModel):
    """A country with engagement; ``ZZ``: unknown."""

    country_code: str
    engagement: int
    people: int


class BrandToday(BaseModel):
    """A brand's running day in its ``time_zone``, in which all times are.

    ``unknown_zone``: what ``brands`` has instead of a time zone that is known here; ``time_zone`` is UTC then; or null.
    ``complete_through``: the rollups have everything that Kafka received by then; null: not known. ``to``: all numbers
    of ``today`` are from midnight to here, and those of other days to the same minute. ``yesterday``: null if its rows
    are no longer kept. ``usual``: the mean of ``usual_days`` of the last seven days; null if there are none yet.
    ``hours``: 24, or 23 or 25 when clocks change.
    """

    brand_id: int
    name: str
    time_zone: str
    unknown_zone: str | None
    day: date
    complete_through: datetime | None
    to: datetime
    today: Numbers
    yesterday: Numbers | None
    usual: Numbers | None
    usual_days: int
    hours: list[BrandHour]
    pins: list[TopPin]
    categories: list[TopCategory]
    countries: list[Country]
    trends: Trends


def of_viewer(brand_id: Annotated[int, Path(ge=0, le=LARGEST_ID)], viewer: ViewerDep) -> int:
    """A brand that the viewer may see; 404 otherwise."""
    only(viewer, [brand_id])
    return brand_id


def clock() -> datetime:
    """The time; tests install another."""
    return utc_now()


NowDep = Annotated[datetime, Depends(clock)]


@router.get("/{brand_id}")
def today(
    brand_id: Annotated[int, Depends(of_viewer)], viewer: ViewerDep, connection: DatabaseDep, now: NowDep
) -> BrandToday:
    """A brand's day so far, compared with the same hours of yesterday and of the last seven days."""
    (known,) = fetch(connection, "pages/brand", {"brand_id": brand_id})
    if known["name"] is None and known["first_day"] is None:
        raise HTTPException(404, f"There is no brand {brand_id} that you may see.")
    time_zone = known["time_zone"] if is_zone(known["time_zone"]) else NAMED_UTC
    span = span_of(brand_id, naive(now), known["complete_through"], time_zone)
    days = [span, *(span.before(n) for n in range(1, USUAL_DAYS + 1))]
    counts = Counts(connection, days)
    usual = usual_days([day.midnight for day in days], known["first_day"], known["kept_from"])
    before = {n: counts.of(days[n]) for n in {1, *usual} if is_kept(days[n].midnight, known["kept_from"])}
    pins, categories = _engagement(connection, span)
    return BrandToday(
        brand_id=brand_id,
        name=brand_title(brand_id, known["name"]),
        time_zone=time_zone,
        unknown_zone=None if time_zone == known["time_zone"] else known["time_zone"],
        day=span.day,
        complete_through=known["complete_through"] and local(known["complete_through"], span.time_zone),
        to=local(span.to, span.time_zone),
        today=counts.of(span),
        yesterday=before.get(1),
        usual=mean([before[n] for n in usual]),
        usual_days=len(usual),
        hours=counts.by_hour([days[n] for n in usual]),
        pins=pins,
        categories=categories,
        countries=[Country(**row) for row in fetch(connection, "pages/brand_countries", span.sql())[:TOP]],
        trends=trends.rising(connection, Scope(frozenset({brand_id})), Scope(viewer.brands)),
    )


def _engagement(connection: Connection, span: Span) -> tuple[list[TopPin], list[TopCategory]]:
    """The most engaged pins and categories; ties go by id and name."""
    of_pin: dict[int, list[int]] = defaultdict(lambda: [0, 0])
    of_category: dict[str, int] = defaultdict(int)
    for row in fetch(connection, "pages/brand_engagement", span.sql()):
        for n, name in enumerate(("repins", "comments")):
            of_pin[row["pin_id"]][n] += int(row[name])
            of_category[row["category"]] += int(row[name])
    top = sorted(of_pin.items(), key=lambda item: (-sum(item[1]), item[0]))[:TOP]
    titles = titles_of(connection, [pin_id for pin_id, _ in top])
    pins = [
        TopPin(pin_id=str(pin_id), title=titles.get(pin_id), engagement=sum(n), repins=n[0], comments=n[1])
        for pin_id, n in top
    ]
    categories = sorted(of_category.items(), key=lambda item: (-item[1], item[0]))[:TOP]
    return pins, [TopCategory(category=name, engagement=n) for name, n in categories]


def titles_of(connection: Connection, pin_ids: Sequence[int]) -> dict[int, str | None]:
    """Titles by pin."""
    if not pin_ids:
        return {}
    return {row["pin_id"]: row["title"] for row in fetch(connection, "pages/pins", {"pin_ids": list(pin_ids)})}

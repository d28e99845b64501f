"""The API of a brand's page: its running day, to the minute, next to the same hours of the days before."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Depends, HTTPException, Path
from pydantic import BaseModel

from pinwheel.clients.memsql import Connection, Row, fetch
from pinwheel.core.times import HOUR, aware, naive, utc_now
from plugins.web import trends
from plugins.web.access import Scope, ViewerDep, only
from plugins.web.database import DatabaseDep
from plugins.web.trends import Trends

router = APIRouter(prefix="/api/brands", tags=["brands"])

LARGEST_ID = 2**63 - 1
USUAL_DAYS = 7  # each weekday once
TOP = 10  # of each list
DAY = timedelta(days=1)
COUNTS = ("pins", "repins", "comments")


class Numbers(BaseModel):
    """Events of a part of a day, or their mean over several days. ``engagement``: repins and comments together.

    ``people``: different ones who pinned, repinned or commented.
    """

    engagement: float
    repins: float
    comments: float
    pins: float
    people: float


class BrandHour(BaseModel):
    """Engagement in an hour of the day, 0 to 23. ``today``: null: later than ``to``. ``usual``: null: no such days."""

    hour: int
    today: int | None
    yesterday: int
    usual: float | None


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
    """A brand's running UTC day.

    ``complete_through``: the rollups have everything that Kafka received by then; null: not known. ``to``: all numbers
    of ``today`` are from midnight to here, and those of other days to the same minute. ``yesterday``: null if its rows
    are no longer kept. ``usual``: the mean of ``usual_days`` of the last seven days; null if there are none yet.
    """

    brand_id: int
    name: str
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


@dataclass(frozen=True)
class Span:
    """A day of a brand from midnight ``to`` a minute, naive UTC."""

    brand_id: int
    midnight: datetime
    to: datetime

    @property
    def last_hour(self) -> datetime:
        """The hour that ``to`` is in."""
        return self.to.replace(minute=0)

    def before(self, days: int) -> "Span":
        """The same hours so many days earlier."""
        return Span(self.brand_id, self.midnight - days * DAY, self.to - days * DAY)

    def sql(self) -> dict[str, Any]:
        """Parameters of the statements that count rows to the minute."""
        return {
            "brand_id": self.brand_id,
            "from_time": self.midnight,
            "last_hour": self.last_hour,
            "to_time": self.to,
        }


def of_viewer(brand_id: Annotated[int, Path(ge=0, le=LARGEST_ID)], viewer: ViewerDep) -> int:
    """A brand that the viewer may see; 404 otherwise."""
    only(viewer, [brand_id])
    return brand_id


def clock() -> datetime:
    """The time; tests install another."""
    return utc_now()


NowDep = Annotated[datetime, Depends(clock)]


@router.get("/{brand_id}")
def today(brand_id: Annotated[int, Depends(of_viewer)], connection: DatabaseDep, now: NowDep) -> BrandToday:
    """A brand's day so far, compared with the same hours of yesterday and of the last seven days."""
    (known,) = fetch(connection, "pages/brand", {"brand_id": brand_id})
    if known["name"] is None and known["first_day"] is None:
        raise HTTPException(404, f"There is no brand {brand_id} that you may see.")
    span = span_of(brand_id, naive(now), known["complete_through"])
    counts = _Counts(connection, span)
    usual = usual_days(span.midnight.date(), known["first_day"], known["kept_from"])
    days = {n: span.before(n) for n in {1, *usual}}
    before = {n: counts.of(day) for n, day in days.items() if _is_kept(day.midnight.date(), known["kept_from"])}
    pins, categories = _engagement(connection, span)
    return BrandToday(
        brand_id=brand_id,
        name=known["name"] or f"brand {brand_id}",
        day=span.midnight.date(),
        complete_through=aware(known["complete_through"]),
        to=span.to.replace(tzinfo=UTC),
        today=counts.of(span),
        yesterday=before.get(1),
        usual=mean([before[n] for n in usual]),
        usual_days=len(usual),
        hours=counts.by_hour([days[n] for n in usual]),
        pins=pins,
        categories=categories,
        countries=[Country(**row) for row in fetch(connection, "pages/brand_countries", span.sql())[:TOP]],
        trends=trends.now(Scope(frozenset({brand_id})), connection),
    )


def span_of(brand_id: int, now: datetime, complete_through: datetime | None) -> Span:
    """The day that runs, to the last minute that is complete; at most now."""
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    to = now if complete_through is None else min(now, max(complete_through, midnight))
    return Span(brand_id, midnight, to.replace(second=0, microsecond=0))


def usual_days(day: date, first_day: date | None, kept_from: date | None) -> list[int]:
    """How many days back the days are that tell what is usual: whole ones of the brand whose rows are kept."""
    if first_day is None:
        return []
    back = range(1, USUAL_DAYS + 1)
    return [n for n in back if day - n * DAY > first_day and _is_kept(day - n * DAY, kept_from)]


def _is_kept(day: date, kept_from: date | None) -> bool:
    return kept_from is None or day >= kept_from


def mean(days: Sequence[Numbers]) -> Numbers | None:
    """Of each number; None without days."""
    if not days:
        return None
    return Numbers(**{n: sum(getattr(day, n) for day in days) / len(days) for n in Numbers.model_fields})


class _Counts:
    """The numbers of a span and of the same hours of days before: whole hours from the rollup, the last from rows."""

    def __init__(self, connection: Connection, span: Span) -> None:
        self._connection, self._span = connection, span
        period = {
            "brand_id": span.brand_id,
            "from_time": span.midnight - USUAL_DAYS * DAY,
            "to_time": span.midnight + DAY,
        }
        self._whole = _by_hour(fetch(connection, "pages/brand_hours", period))
        hours = [span.last_hour - n * DAY for n in range(USUAL_DAYS + 1)]
        asked = {"brand_id": span.brand_id, "hours": hours, "minutes": span.to.minute}
        self._begun = _by_hour(fetch(connection, "pages/brand_begun_hours", asked))

    def of(self, span: Span) -> Numbers:
        """All numbers of a day."""
        hours = [span.midnight + n * HOUR for n in range(span.last_hour.hour)]
        rows = [self._whole[hour] for hour in hours if hour in self._whole]
        rows += [self._begun[span.last_hour]] if span.last_hour in self._begun else []
        pins, repins, comments = (sum(row[n] for row in rows) for n in COUNTS)
        (people,) = fetch(self._connection, "pages/brand_people", span.sql())
        return Numbers(engagement=repins + comments, repins=repins, comments=comments, pins=pins, **people)

    def by_hour(self, usual: Sequence[Span]) -> list[BrandHour]:
        """The 24 hours of the day: those of earlier days are whole, today's last one is as far as ``to``."""
        return [self._hour(n, usual) for n in range(24)]

    def _hour(self, n: int, usual: Sequence[Span]) -> BrandHour:
        at = self._span.midnight + n * HOUR
        last = self._span.last_hour
        today = _engaged(self._whole, at) if at < last else _engaged(self._begun, at) if at == last else None
        before = [_engaged(self._whole, day.midnight + n * HOUR) for day in usual]
        return BrandHour(
            hour=n,
            today=today,
            yesterday=_engaged(self._whole, at - DAY),
            usual=sum(before) / len(before) if before else None,
        )


def _by_hour(rows: Sequence[Row]) -> dict[datetime, Row]:
    return {row["hour"]: row for row in rows}


def _engaged(hours: Mapping[datetime, Row], hour: datetime) -> int:
    return int(hours[hour]["repins"] + hours[hour]["comments"]) if hour in hours else 0


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

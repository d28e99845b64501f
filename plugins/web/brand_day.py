"""The numbers of a brand's day by the clock of its time zone, and of the same hours of the days before."""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from operator import attrgetter
from typing import Any

from pydantic import BaseModel

from pinwheel.clients.memsql import Connection, fetch
from pinwheel.core.days import NAMED_UTC, LocalHour, are_whole_hours, hours, local, midnight, whole_hour, zone
from pinwheel.core.times import HOUR, naive
from plugins.web.brand_minutes import Counted, counted, minutes

USUAL_DAYS = 7  # each weekday once
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
    """Engagement in an hour of the day by the clock. ``today``: null: later than ``to``.

    ``yesterday``, ``usual``: of the same hour by the clock; null: no such days, or clocks left it out.
    """

    begin: datetime
    today: int | None
    yesterday: int | None
    usual: float | None


@dataclass(frozen=True)
class Span:
    """A day of a brand by the clock of a time zone, from midnight ``to`` a minute, naive UTC."""

    brand_id: int
    day: date
    to: datetime
    time_zone: str = NAMED_UTC

    @property
    def midnight(self) -> datetime:
        """When the day begins."""
        return midnight(self.day, self.time_zone)

    @property
    def end(self) -> datetime:
        """When the next one does."""
        return midnight(self.day + DAY, self.time_zone)

    @property
    def last_hour(self) -> datetime:
        """The UTC hour that ``to`` is in."""
        return whole_hour(self.to)

    @property
    def hours(self) -> tuple[LocalHour, ...]:
        """The whole day's hours by the clock."""
        return hours(self.midnight, self.end, self.time_zone)

    def before(self, days: int) -> "Span":
        """The same hours by the clock, so many days earlier."""
        day = self.day - days * DAY
        clock = datetime.combine(day, local(self.to, self.time_zone).time(), zone(self.time_zone))
        return Span(self.brand_id, day, naive(clock), self.time_zone)

    def sql(self) -> dict[str, Any]:
        """Parameters of the statements that count rows to the minute.

        ``hours``: UTC hours of which not all rows may count; from ``first_hour`` to ``last_hour`` all do.
        """
        start = self.midnight
        from_hour = whole_hour(start)
        return {
            "brand_id": self.brand_id,
            "from_time": start,
            "first_hour": start if start == from_hour else from_hour + HOUR,
            "last_hour": self.last_hour,
            "to_time": self.to,
            "hours": [self.last_hour] if start == from_hour else [from_hour, self.last_hour],
        }


def span_of(brand_id: int, now: datetime, complete_through: datetime | None, time_zone: str = NAMED_UTC) -> Span:
    """The day that runs, to the last minute that is complete; at most now."""
    day = local(now, time_zone).date()
    to = now if complete_through is None else min(now, max(complete_through, midnight(day, time_zone)))
    return Span(brand_id, day, to.replace(second=0, microsecond=0), time_zone)


def usual_days(begins: Sequence[datetime], first_day: date | None, kept_from: date | None) -> list[int]:
    """How many days back the days are that tell what is usual: whole ones of the brand whose rows are kept.

    ``begins``: of today and the days before, naive UTC. ``first_day``, ``kept_from``: UTC days.
    """
    if first_day is None:
        return []
    first = midnight(first_day + DAY, NAMED_UTC)
    return [n for n, begin in enumerate(begins) if n and begin >= first and is_kept(begin, kept_from)]


def is_kept(begin: datetime, kept_from: date | None) -> bool:
    """Whether the rows of a day that begins then are kept."""
    return kept_from is None or begin >= midnight(kept_from, NAMED_UTC)


def mean(days: Sequence[Numbers]) -> Numbers | None:
    """Of each number; None without days."""
    if not days:
        return None
    return Numbers(**{n: sum(getattr(day, n) for day in days) / len(days) for n in Numbers.model_fields})


class Counts:
    """The numbers of a brand's days, today first: whole hours from the rollup, and the last one from rows.

    By the clock of some zones no hour is a UTC hour. Then all are counted from rows, by minute.
    """

    def __init__(self, connection: Connection, days: Sequence[Span]) -> None:
        self._connection, self._days = connection, days
        today, oldest = days[0], days[-1]
        period = {"brand_id": today.brand_id, "from_time": whole_hour(oldest.midnight), "to_time": today.end}
        self._is_whole = are_whole_hours(hour.at for day in days for hour in day.hours)
        self._begun: defaultdict[datetime, list[Counted]] = defaultdict(list)
        buckets = fetch(connection, "pages/brand_hours", period)
        if not self._is_whole:
            self._rows = minutes.of(connection, today.brand_id, buckets)
            return
        self._rows = sorted(counted(bucket, bucket["hour"]) for bucket in buckets)
        last = {day.last_hour for day in days}
        for minute in minutes.of(connection, today.brand_id, [b for b in buckets if b["hour"] in last]):
            if minute.at.minute < today.to.minute:
                self._begun[whole_hour(minute.at)].append(minute)

    def of(self, day: Span) -> Numbers:
        """All numbers of a day."""
        rows = self._between(day.midnight, day.end, day)
        pins, repins, comments = (sum(getattr(row, n) for row in rows) for n in COUNTS)
        (people,) = fetch(self._connection, "pages/brand_people", day.sql())
        return Numbers(engagement=repins + comments, repins=repins, comments=comments, pins=pins, **people)

    def _between(self, start: datetime, end: datetime, day: Span) -> list[Counted]:
        """Counts between two times, at most to the minute to which the day goes."""
        last = day.last_hour if self._is_whole else day.to
        rows = self._whole(start, min(end, last))
        return [*rows, *self._begun[last]] if self._is_whole and start <= last < end else rows

    def _whole(self, start: datetime, end: datetime) -> list[Counted]:
        first, after = (bisect_left(self._rows, at, key=attrgetter("at")) for at in (start, end))
        return self._rows[first:after]

    def by_hour(self, usual: Sequence[Span]) -> list[BrandHour]:
        """The hours of the day: those of earlier days are whole, today's last one is as far as ``to``."""
        today, yesterday = self._days[:2]
        past = self._by_clock(yesterday)
        days = [self._by_clock(day) for day in usual]
        found = []
        for hour, end in _with_ends(today):
            before = [day[hour.local.hour] for day in days if hour.local.hour in day]
            found.append(
                BrandHour(
                    begin=hour.local,
                    today=_engaged(self._between(hour.at, end, today)) if hour.at <= today.to else None,
                    yesterday=past.get(hour.local.hour),
                    usual=sum(before) / len(before) if before else None,
                )
            )
        return found

    def _by_clock(self, day: Span) -> dict[int, int]:
        """Engagement by hour of the clock: one that comes twice has both, one that is left out is missing."""
        found: defaultdict[int, int] = defaultdict(int)
        for hour, end in _with_ends(day):
            found[hour.local.hour] += _engaged(self._whole(hour.at, end))
        return dict(found)


def _with_ends(day: Span) -> Iterator[tuple[LocalHour, datetime]]:
    """The hours of a day, and when each ends."""
    return zip(day.hours, [*(hour.at for hour in day.hours[1:]), day.end], strict=True)


def _engaged(rows: Iterable[Counted]) -> int:
    return sum(row.repins + row.comments for row in rows)

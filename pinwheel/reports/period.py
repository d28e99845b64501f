"""The period that a report covers, and the periods that are due."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from pinwheel.core.days import NAMED_UTC, LocalHour, are_whole_hours, hours, local, midnight, whole_hour
from pinwheel.core.errors import AskedError
from pinwheel.core.times import HOUR, naive

MAX_DAYS = 31
WEEK = 7


@dataclass(frozen=True)
class Period:
    """A number of whole days of a time zone, starting with ``first_day``."""

    first_day: date
    days: int
    time_zone: str = NAMED_UTC

    @property
    def start(self) -> datetime:
        """Its first midnight as a naive UTC time, as in the database."""
        return midnight(self.first_day, self.time_zone)

    @property
    def end(self) -> datetime:
        """The midnight after the last day, exclusive."""
        return midnight(self.next_day, self.time_zone)

    @property
    def next_day(self) -> date:
        """The day after its last one."""
        return self.first_day + timedelta(days=self.days)

    @property
    def hours(self) -> tuple[LocalHour, ...]:
        """Its hours by the clock: 23 to 25 a day."""
        return hours(self.start, self.end, self.time_zone)

    @property
    def utc_hours(self) -> int:
        """How many UTC hours it has a part of."""
        return -((whole_hour(self.start) - self.end) // HOUR)

    @property
    def is_of_whole_hours(self) -> bool:
        """Whether all hours by its clock, and by that of the period before, are UTC hours."""
        return are_whole_hours([self.end, *(hour.at for hour in (*self.before.hours, *self.hours))])

    @property
    def before(self) -> "Period":
        """The previous period of the same length, which it is compared with."""
        return replace(self, first_day=self.first_day - timedelta(days=self.days))

    @property
    def kind(self) -> str:
        """Its name for people: day, week or "3 days"."""
        is_week = self.days == WEEK and self.first_day.weekday() == 0
        return "week" if is_week else "day" if self.days == 1 else f"{self.days} days"

    @property
    def key(self) -> str:
        """Its name in paths and logs."""
        of_zone = "" if self.time_zone == NAMED_UTC else f"-{self.time_zone.replace('/', '-')}"
        return f"{self.first_day.isoformat()}-{self.days}d{of_zone}"

    def is_over(self, now: datetime) -> bool:
        """Whether it has ended."""
        return self.end <= naive(now)

    def ends_after(self, utc_day: date) -> bool:
        """Whether it has a part of a UTC day or of later ones."""
        return self.end > midnight(utc_day, NAMED_UTC)

    def begins_after(self, utc_day: date) -> bool:
        """Whether it has no part of the days before a UTC day."""
        return self.start >= midnight(utc_day, NAMED_UTC)

    def day_of(self, hour: LocalHour) -> int:
        """Which of its days an hour is in, from 0."""
        return (hour.local.date() - self.first_day).days

    def aligned(self, before: Sequence[int]) -> list[int | None]:
        """For each hour, the value of the same hour by the clock in the period before, in whose hours ``before`` is.

        Each value is counted once, so the sums are equal: of an hour that comes twice then, both values count for the
        hour that comes once now; of one that the clocks leave out now, it counts for the next one. None: the hour has
        no counterpart, as the second of an hour that comes twice now.
        """
        past, seen = self.before, Counter[tuple[int, int]]()
        keys = [self._on_clock(hour) for hour in self.hours]
        values: list[int | None] = [None] * len(keys)
        places: defaultdict[tuple[int, int], list[int]] = defaultdict(list)
        for n, key in enumerate(keys):
            places[key].append(n)
        for hour, value in zip(past.hours, before, strict=True) if keys else ():
            key = past._on_clock(hour)
            same = places.get(key) or [_next(keys, key)]
            place = same[min(seen[key], len(same) - 1)]
            values[place] = (values[place] or 0) + value
            seen[key] += 1
        return values

    def _on_clock(self, hour: LocalHour) -> tuple[int, int]:
        return self.day_of(hour), hour.local.hour


def _next(keys: Sequence[tuple[int, int]], key: tuple[int, int]) -> int:
    """The place of the first hour after one that is not there; of the last if there is none after it."""
    return next((n for n, at in enumerate(keys) if at > key), len(keys) - 1)


def asked(first_day: str, days: int) -> Period:
    """The UTC days that a person asked for; a brand's are the same days of its own zone.

    Raises:
        AskedError: no date, or too long.
    """
    try:
        period = Period(date.fromisoformat(first_day), days)
        for at in (period.before.start, period.end):  # no zone is a day away from UTC
            at - timedelta(days=1), at + timedelta(days=1)
    except (ValueError, OverflowError) as error:
        raise AskedError(f"first_day must be a date like 2026-03-14, not {first_day!r}: {error}") from error
    if not 1 <= days <= MAX_DAYS:
        raise AskedError(f"days must be 1 to {MAX_DAYS}, not {days}")
    return period


def require_over(period: Period, now: datetime) -> None:
    """Do nothing if a period has ended.

    Raises:
        AskedError: it has not; says which time it is there.
    """
    if not period.is_over(now):
        there = f"{local(naive(now), period.time_zone):%Y-%m-%d %H:%M} {period.time_zone}"
        raise AskedError(f"{period.days} days from {period.first_day} are not over yet: it is {there}")


def recent(kinds: str, back_days: int, now: datetime, time_zone: str = NAMED_UTC) -> list[Period]:
    """The days and weeks that ended in the last ``back_days``; newest first, a day before its week.

    Args:
        kinds: ``day``, ``week`` or ``both``.
        back_days: how far to look back; the newest of each kind is always included.
        now: aware.
        time_zone: whose days.
    """
    today = local(naive(now), time_zone).date()
    monday = today - timedelta(days=today.weekday())
    days = [Period(today - timedelta(days=n), 1, time_zone) for n in range(1, back_days + 1)]
    weeks = [Period(monday - timedelta(days=WEEK * n), WEEK, time_zone) for n in range(1, 2 + back_days // WEEK)]
    weeks = [w for n, w in enumerate(weeks) if n == 0 or (today - w.next_day).days < back_days]
    wanted = [*(days if kinds != "week" else []), *(weeks if kinds != "day" else [])]
    return sorted(wanted, key=lambda p: (p.next_day, -p.days), reverse=True)

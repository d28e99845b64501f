"""The period that a report covers, and the periods that are due."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from pinwheel.core.errors import AskedError
from pinwheel.core.times import naive

MAX_DAYS = 31
WEEK = 7


@dataclass(frozen=True)
class Period:
    """A number of whole UTC days, starting with ``first_day``."""

    first_day: date
    days: int

    @property
    def start(self) -> datetime:
        """UTC midnight as a naive time, as in the database."""
        return datetime.combine(self.first_day, time())

    @property
    def end(self) -> datetime:
        """The midnight after the last day, exclusive."""
        return self.start + timedelta(days=self.days)

    @property
    def before(self) -> "Period":
        """The previous period of the same length, which it is compared with."""
        return Period(self.first_day - timedelta(days=self.days), self.days)

    @property
    def kind(self) -> str:
        """Its name for people: day, week or "3 days"."""
        is_week = self.days == WEEK and self.first_day.weekday() == 0
        return "week" if is_week else "day" if self.days == 1 else f"{self.days} days"

    @property
    def key(self) -> str:
        """Its name in paths and logs."""
        return f"{self.first_day.isoformat()}-{self.days}d"

    def is_over(self, now: datetime) -> bool:
        """Whether it has ended."""
        return self.end <= naive(now)


def asked(first_day: str, days: int, now: datetime) -> Period:
    """The period that a person asked for.

    Raises:
        AskedError: no date, too long, or not over yet.
    """
    try:
        period = Period(date.fromisoformat(first_day), days)
        period.before.start  # noqa: B018 - there is a day before
    except (ValueError, OverflowError) as error:
        raise AskedError(f"first_day must be a date like 2026-03-14, not {first_day!r}: {error}") from error
    if not 1 <= days <= MAX_DAYS:
        raise AskedError(f"days must be 1 to {MAX_DAYS}, not {days}")
    if not period.is_over(now):
        raise AskedError(f"{days} days from {first_day} are not over yet: it is {now:%Y-%m-%d %H:%M} UTC")
    return period


def recent(kinds: str, back_days: int, now: datetime) -> list[Period]:
    """The days and weeks that ended in the last ``back_days``; newest first, a day before its week.

    Args:
        kinds: ``day``, ``week`` or ``both``.
        back_days: how far to look back; the newest of each kind is always included.
        now: aware.
    """
    today = now.astimezone(UTC).date()
    monday = today - timedelta(days=today.weekday())
    days = [Period(today - timedelta(days=n), 1) for n in range(1, back_days + 1)]
    weeks = [Period(monday - timedelta(days=WEEK * n), WEEK) for n in range(1, 2 + back_days // WEEK)]
    weeks = [w for n, w in enumerate(weeks) if n == 0 or (today - w.end.date()).days < back_days]
    wanted = [*(days if kinds != "week" else []), *(weeks if kinds != "day" else [])]
    return sorted(wanted, key=lambda p: (p.end, -p.days), reverse=True)

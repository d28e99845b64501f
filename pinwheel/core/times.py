"""Times: naive UTC in the database, aware everywhere else."""

from datetime import UTC, datetime, timedelta
from typing import overload

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)


def utc_now() -> datetime:
    """The clock; tests pass or install another."""
    return datetime.now(UTC)


def naive(moment: datetime) -> datetime:
    """Aware time to the database's naive UTC."""
    return moment.astimezone(UTC).replace(tzinfo=None)


@overload
def aware(moment: datetime) -> datetime: ...
@overload
def aware(moment: None) -> None: ...
def aware(moment: datetime | None) -> datetime | None:
    """The database's naive UTC to an aware time; None stays None."""
    return None if moment is None else moment.replace(tzinfo=UTC)

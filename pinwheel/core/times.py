"""Times: naive UTC in the database, aware everywhere else."""

from datetime import UTC, datetime, timedelta
from typing import overload

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
FIRST_KAFKA = datetime(2011, 1, 1, tzinfo=UTC)  # no record was in Kafka before there was Kafka
HOUR = timedelta(hours=1)


def utc_now() -> datetime:
    """The clock; tests pass or install another."""
    return datetime.now(UTC)


def of_milliseconds(milliseconds: int) -> datetime:
    """A time since the epoch; one that no datetime can hold, as producers send them, is the nearest that it can."""
    try:
        return EPOCH + timedelta(milliseconds=milliseconds)
    except OverflowError:
        return (datetime.max if milliseconds > 0 else datetime.min).replace(tzinfo=UTC)


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

"""Times: the database keeps UTC without a zone, everything else carries its zone."""

from datetime import UTC, datetime, timedelta
from typing import overload

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)


def naive(moment: datetime) -> datetime:
    """A moment with a zone, as the database keeps it: UTC, without one."""
    return moment.astimezone(UTC).replace(tzinfo=None)


@overload
def aware(moment: datetime) -> datetime: ...
@overload
def aware(moment: None) -> None: ...
def aware(moment: datetime | None) -> datetime | None:
    """A moment of the database, with its zone; None stays None."""
    return None if moment is None else moment.replace(tzinfo=UTC)

"""Times: naive UTC in the database, aware everywhere else."""

import re
from datetime import UTC, datetime, timedelta
from typing import overload

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
FIRST_KAFKA = datetime(2011, 1, 1, tzinfo=UTC)  # no record was in Kafka before there was Kafka
HOUR = timedelta(hours=1)
HOUR_MINUTE = r"([01]\d|2[0-3]):[0-5]\d"
RFC_3339 = rf"\d{{4}}-\d{{2}}-\d{{2}}[Tt]{HOUR_MINUTE}:([0-5]\d|60)(\.\d+)?([Zz]|[+-]{HOUR_MINUTE})"
FIRST_YEAR = 1000  # before it, a column of the database can't hold a time


def utc_now() -> datetime:
    """The clock; tests pass or install another."""
    return datetime.now(UTC)


def of_milliseconds(milliseconds: int) -> datetime:
    """A time since the epoch; one that no datetime can hold, as producers send them, is the nearest that it can."""
    try:
        return EPOCH + timedelta(milliseconds=milliseconds)
    except OverflowError:
        return (datetime.max if milliseconds > 0 else datetime.min).replace(tzinfo=UTC)


def of_rfc_3339(text: str) -> datetime | None:
    """A time as events have it, read as ``parse.sql.jinja`` does; None for a text that the contract does not allow."""
    if not re.fullmatch(RFC_3339, text, re.ASCII):
        return None
    is_leap = text[17:19] == "60"  # the second after 23:59:59 in UTC, before the next month
    try:
        at = datetime.fromisoformat(f"{text[:17]}59{text[19:]}".upper() if is_leap else text.upper()).astimezone(UTC)
        at += timedelta(seconds=is_leap)
    except (ValueError, OverflowError):
        return None
    is_right = not is_leap or (at.day, at.hour, at.minute, at.second) == (1, 0, 0, 0)
    return at if is_right and at.year >= FIRST_YEAR else None


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

"""The days and hours of a time zone, as the naive UTC times that the database has."""

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from functools import lru_cache
from zoneinfo import ZoneInfo, available_timezones

from pinwheel.core.errors import AskedError
from pinwheel.core.times import HOUR, naive

NAMED_UTC = "UTC"
OF_THE_MACHINE = {"localtime", "Factory"}  # in the files of zones, but no zones
MIDNIGHTS, PERIODS = 4096, 256  # kept: all brands of a zone share them


@dataclass(frozen=True)
class LocalHour:
    """An hour by the clock of a zone. ``at``: its begin, naive UTC; ``local``: the same, aware.

    Where clocks are set back it comes twice, the second time with ``local.fold`` 1; where forward, not at all. In the
    few zones that change by half an hour, one is shorter.
    """

    at: datetime
    local: datetime


def zone(name: str) -> ZoneInfo:
    """The zone of that name.

    Raises:
        AskedError: there is none; names those that are nearly the same.
    """
    if is_zone(name):
        return ZoneInfo(name)
    near = difflib.get_close_matches(name.lower(), [n.lower() for n in names()], cutoff=0.7)
    offered = [n for n in sorted(names()) if n.lower() in near]
    advice = f"did you mean {' or '.join(offered)}?" if offered else "names are like Europe/Berlin, Asia/Kolkata or UTC"
    raise AskedError(f"time_zone: there is no time zone {name[:100]!r} among the IANA names: {advice}")


def is_zone(name: str) -> bool:
    """Whether there is a zone of that name. A brand's may be none: written by hand, or by a newer zone database."""
    return name in names()


@lru_cache
def names() -> frozenset[str]:
    """The names of all zones, as IANA writes them."""
    return frozenset(available_timezones() - OF_THE_MACHINE)


@lru_cache(MIDNIGHTS)
def midnight(day: date, time_zone: str) -> datetime:
    """When a day begins, naive UTC. Where the clocks leave midnight out: right after their change."""
    return naive(datetime.combine(day, time(), zone(time_zone)))


def local(at: datetime, time_zone: str) -> datetime:
    """A naive UTC time as the zone's clock shows it, aware."""
    return at.replace(tzinfo=UTC).astimezone(zone(time_zone))


@lru_cache(PERIODS)
def hours(start: datetime, end: datetime, time_zone: str) -> tuple[LocalHour, ...]:
    """The hours by the clock between two naive UTC times; they leave no gap, and each ends where the next begins."""
    found = []
    while start < end:
        clock = local(start, time_zone)
        found.append(LocalHour(start, clock))
        start += HOUR - (clock - clock.replace(minute=0, second=0, microsecond=0))
    return tuple(found)


def whole_hour(at: datetime) -> datetime:
    """The UTC hour that a time is in."""
    return at.replace(minute=0, second=0, microsecond=0)


def are_whole_hours(times: Iterable[datetime]) -> bool:
    """Whether UTC hours begin at all of these times."""
    return all(at == whole_hour(at) for at in times)

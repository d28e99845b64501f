"""A brand's events by minute: of the hours in which days end, and of all in zones whose hours are no UTC hours.

No rollup has them, so rows are looked up; an hour's again only when its bucket of ``brand_hourly`` has changed: that of
the running hour, and of one with late events. A change that no bucket shows, an event that was moved within its hour,
is seen when all is looked up again.
"""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from threading import Lock
from typing import NamedTuple

from cachetools import TTLCache

from pinwheel.clients.memsql import Connection, Row, fetch
from pinwheel.core.days import whole_hour

BRANDS = 100  # kept: 0.1 MB each; 2 MB for a busy one in a zone whose hours are no UTC hours
SECONDS = 900


class Counted(NamedTuple):
    """Events of a minute or an hour, which begins at ``at``, naive UTC."""

    at: datetime
    pins: int
    repins: int
    comments: int


class Minutes:
    """The minutes that have been looked up, for all requests."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._known: TTLCache[int, dict[datetime, tuple[Row, list[Counted]]]] = TTLCache(BRANDS, SECONDS)

    def of(self, connection: Connection, brand_id: int, buckets: Sequence[Row]) -> list[Counted]:
        """The minutes with events in the hours of these buckets, by time."""
        with self._lock:
            known = self._known.setdefault(brand_id, {})
        there = {hour: known[hour] for hour in (b["hour"] for b in buckets) if hour in known}  # others may change known
        changed = [b for b in buckets if b["hour"] not in there or there[b["hour"]][0] != b]
        there |= looked_up(connection, brand_id, changed)
        known |= there
        return sorted(minute for b in buckets for minute in there[b["hour"]][1])


def looked_up(
    connection: Connection, brand_id: int, buckets: Sequence[Row]
) -> dict[datetime, tuple[Row, list[Counted]]]:
    """The minutes of each of these buckets' hours, and the bucket."""
    found = defaultdict(list)
    asked = {"brand_id": brand_id, "hours": [b["hour"] for b in buckets]}
    for row in fetch(connection, "pages/brand_minutes", asked) if buckets else []:
        found[whole_hour(row["minute"])].append(counted(row, row["minute"]))
    return {b["hour"]: (b, found[b["hour"]]) for b in buckets}


def counted(row: Row, at: datetime) -> Counted:
    """A row of counts."""
    return Counted(at, int(row["pins"]), int(row["repins"]), int(row["comments"]))


minutes = Minutes()

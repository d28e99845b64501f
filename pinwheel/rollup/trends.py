"""Trends: repins counted by minute for the last 90 minutes, and the statistic over them.

Merges only note which minutes they changed. A refresh recounts those minutes from the deduplicated rows (it never adds
to a count) and scores the trends again, in one transaction. If it dies, the old trends stay; if it runs twice or late,
no minute is noted and it is a no-op. A row lock, which merges never take, serialises concurrent refreshes.
"""

import logging
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from pinwheel.clients import memsql
from pinwheel.clients.memsql import Connection
from pinwheel.core.times import EPOCH, naive

log = logging.getLogger(__name__)

WINDOW = timedelta(minutes=90)  # holds 95 % of the weights of an unlimited past; older minutes are dropped
RECENT = timedelta(minutes=5)  # nearly all events are merged by then
SWEEP_SECONDS = 600.0  # late events touch all minutes: recounting them at each refresh would cost more than merging
RUN_MINUTES = 15  # per statement, so that its work table stays in memory
MINUTE = timedelta(minutes=1)

Run = tuple[datetime, datetime]


def refresh(connection: Connection, now: datetime, *, sweep: bool = True) -> bool:
    """Recount the minutes that merges have noted and score the trends; returns whether any minute was noted.

    Args:
        connection: its transaction is committed.
        now: UTC; events after it come from a producer's wrong clock and are not counted yet.
        sweep: also recount minutes that were counted before and are not among the last five.
    """
    return memsql.retry_conflicts(lambda: _refresh_once(connection, naive(now), sweep))


def _refresh_once(connection: Connection, now: datetime, sweep: bool) -> bool:
    with memsql.transaction(connection):
        memsql.fetch(connection, "rollup/trends/lock")
        (newest,) = memsql.fetch(connection, "rollup/trends/newest", {"now_time": now})
        if newest["slice_id"] is None:
            return False
        as_of = newest["as_of"] or now
        first = _minute(as_of) - WINDOW
        recent = first if sweep else _minute(as_of) - RECENT
        asked = {"first_minute": first, "recent_minute": recent, "to_minute": _minute(now) + MINUTE}
        noted = memsql.fetch(connection, "rollup/trends/noted", asked | {"slice_id": newest["slice_id"]})
        _recount(connection, newest["slice_id"], [row["minute"] for row in noted])
        _forget_before(connection, newest["slice_id"], first)
        _find(connection, as_of)
    log.info("trends as_of=%s recounted_minutes=%d", as_of, len(noted))
    return bool(noted)


def _recount(connection: Connection, slice_id: int, minutes: Sequence[datetime]) -> None:
    for start, end in runs(minutes):
        run = {"from_minute": start, "to_minute": end}
        memsql.execute(connection, "rollup/trends/drop_minutes", run)
        memsql.execute(connection, "rollup/trends/count_minutes", run)
        memsql.execute(connection, "rollup/trends/forget_noted", run | {"slice_id": slice_id})


def runs(minutes: Sequence[datetime]) -> Iterator[Run]:
    """Consecutive minutes as ``[from, to)``, at most ``RUN_MINUTES`` long: one statement each."""
    start = end = None
    for minute in minutes:
        if start is None or minute != end or end - start >= RUN_MINUTES * MINUTE:
            if start is not None and end is not None:
                yield start, end
            start = minute
        end = minute + MINUTE
    if start is not None and end is not None:
        yield start, end


def _forget_before(connection: Connection, slice_id: int, first: datetime) -> None:
    old = {"from_minute": naive(EPOCH), "to_minute": first}
    memsql.execute(connection, "rollup/trends/forget_noted", old | {"slice_id": slice_id})
    memsql.execute(connection, "rollup/trends/drop_minutes", old)


def _find(connection: Connection, as_of: datetime) -> None:
    memsql.execute(connection, "rollup/trends/clear")
    first = memsql.fetch(connection, "rollup/trends/history")[0]["first_minute"]
    if first is not None:
        asked = {"first_minute": first, "last_minute": _minute(as_of), "as_of": as_of}
        memsql.execute(connection, "rollup/trends/score", asked)


def _minute(time: datetime) -> datetime:
    return time.replace(second=0, microsecond=0)

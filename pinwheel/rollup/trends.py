"""Trends: repins counted by minute for the last 90 minutes, and the statistic over them.

The rollups' refreshes count the minutes. A refresh of the trends drops the old ones and scores anew, in one
transaction. If it dies, the old trends stay; if it runs twice, it finds the same. Concurrent ones wait for a row lock.
"""

import logging
from datetime import datetime, timedelta

from pinwheel.clients import memsql
from pinwheel.clients.memsql import Connection
from pinwheel.core.times import naive

log = logging.getLogger(__name__)

WINDOW = timedelta(minutes=90)  # holds 95 % of the weights of an unlimited past; older minutes are dropped


def refresh(connection: Connection, now: datetime) -> bool:
    """Score the trends; returns whether there are any repins.

    Args:
        connection: its transaction is committed.
        now: UTC; events after it come from a producer's wrong clock and do not count yet.
    """
    return memsql.retry_conflicts(lambda: _refresh_once(connection, naive(now)))


def _refresh_once(connection: Connection, now: datetime) -> bool:
    with memsql.transaction(connection):
        memsql.fetch(connection, "rollup/trends/lock")
        newest = memsql.fetch(connection, "rollup/trends/newest", {"now_time": now})[0]["newest_at"]
        memsql.execute(connection, "rollup/trends/clear")
        if newest is None:
            return False
        as_of = min(newest, now)
        memsql.execute(connection, "rollup/trends/forget", {"first_minute": _minute(as_of) - WINDOW})
        first = memsql.fetch(connection, "rollup/trends/history")[0]["first_minute"]
        asked = {"first_minute": first, "last_minute": _minute(as_of), "as_of": as_of}
        memsql.execute(connection, "rollup/trends/score", asked)
    log.info("trends as_of=%s", as_of)
    return True


def _minute(time: datetime) -> datetime:
    return time.replace(second=0, microsecond=0)

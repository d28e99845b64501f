"""The checks and repairs of the rollups' queue by ``pinwheel doctor``."""

import logging
from datetime import date

from pinwheel.clients import memsql
from pinwheel.clients.memsql import Connection
from pinwheel.core.increments import unpack
from pinwheel.core.settings import MemsqlSettings
from pinwheel.merge import ledger
from pinwheel.rollup.rollups import days_of, note_stale_day

log = logging.getLogger(__name__)


def waiting_seconds(connection: Connection) -> float:
    """How long the oldest queued increment has waited; 0 if none is queued. Does not commit."""
    return float(memsql.fetch(connection, "rollup/waiting")[0]["oldest_seconds"])


def orphans(connection: Connection) -> dict[int, int]:
    """Slices that are not merged, but whose increments are queued, with the rows of these. Does not commit."""
    found: dict[int, int] = {}
    for row in memsql.fetch(connection, "rollup/orphans"):
        found[row["slice_id"]] = found.get(row["slice_id"], 0) + int(row["row_count"])
    return found


def drop_orphans(settings: MemsqlSettings) -> None:
    """Take such increments out of the queue, and have the rollups of their days made anew from the rows.

    One transaction: dying before it changes nothing. Twice: there are none. A refresh that is adding them at the same
    time changes days that are made anew after it.
    """
    with memsql.connect(settings) as connection, memsql.transaction(connection):
        kept_from = ledger.kept_from(connection)
        days = set[date]()
        found = memsql.fetch(connection, "rollup/orphans")
        for row in found:
            days |= set(days_of(unpack(row["increments"])))
        for day in sorted(day for day in days if day >= kept_from):
            note_stale_day(connection, day)
        keys = [{name: row[name] for name in ("slice_id", "part")} for row in found]
        memsql.execute_many(connection, "rollup/take", keys)
        log.info("dropped increments slices=%d days=%d", len(found), len(days))

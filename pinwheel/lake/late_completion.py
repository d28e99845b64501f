"""Late completion: fills in, in the lake, the rows that landed before their pin could be fetched.

The correction reaches MemSQL and the rollups through the change feed, like everything else (ADR 0001).
"""

import logging
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import pyarrow as pa
import pyarrow.compute as pc

from pinwheel.clients import memsql
from pinwheel.clients.memsql import Connection
from pinwheel.core.contract import EVENT_TYPES, PIN_COLUMNS, PIN_STATUS_COLUMN, PinStatus
from pinwheel.core.settings import CompleteSettings
from pinwheel.enrich.pins import PinLookup
from pinwheel.lake.changes import change

log = logging.getLogger(__name__)

FOUND = [*(c.name for c in PIN_COLUMNS), PIN_STATUS_COLUMN.name]


@dataclass(frozen=True)
class Completion:
    """Counts of a run. ``waiting``: pins that no source has yet; ``expired``: pins that were given up."""

    pins: int = 0
    rows: int = 0
    waiting: int = 0
    expired: int = 0


def complete(settings: CompleteSettings, lookup: PinLookup, now: datetime) -> Completion:
    """Complete the pending rows whose pins are now available. Idempotent.

    If it dies after a day's commit, that day's pins stay listed as pending: the next run finds no row that waits for
    them and removes them. Two runs at once: Delta refuses one of the two commits, which is then retried on the
    other's result.
    """
    with memsql.connect(settings) as connection:
        before = (now.astimezone(UTC) - timedelta(days=settings.complete_days)).date()
        with memsql.transaction(connection):
            expired = memsql.execute(connection, "lake/expire_pending", {"before_date": before})
        days = _pending(connection, settings.complete_max_pins)
        asked = sorted({pin_id for pins in days.values() for pin_id in pins})
        resolved = _resolved(lookup, asked)
        rows = 0
        for day, pin_ids in sorted(days.items()):
            arrived = resolved.filter(pc.is_in(resolved["pin_id"], pa.array(pin_ids, pa.int64())))
            if arrived.num_rows:
                rows += _update_lake(settings.events_uri, day, arrived)
                _forget(connection, day, arrived["pin_id"].to_pylist())
    report = Completion(resolved.num_rows, rows, len(asked) - resolved.num_rows, expired)
    log.info("completed %s", report)
    return report


def _pending(connection: Connection, max_pins: int) -> Mapping[date, list[int]]:
    days = defaultdict(list)
    with memsql.transaction(connection):
        for row in memsql.fetch(connection, "lake/pending", {"max_pins": max_pins}):
            days[row["event_date"]].append(row["pin_id"])
    return days


def _resolved(lookup: PinLookup, pin_ids: Sequence[int]) -> pa.Table:
    """Look the pins up; those that are still pending are left out, those that do not exist are kept as unknown."""
    ids = pa.array(pin_ids, pa.int64())
    found = lookup.find(ids)
    columns = {name: pc.struct_field(found, name) for name in FOUND}
    table = pa.table({"pin_id": ids, **columns})
    return table.filter(pc.not_equal(table[PIN_STATUS_COLUMN.name], PinStatus.PENDING.value))


def _update_lake(events_uri: str, day: date, pins: pa.Table) -> int:
    """Fill in the day's pending rows, in one commit; returns how many."""
    kinds = ", ".join(f"'{kind.name}'" for kind in EVENT_TYPES.values() if kind.names_pin)
    waiting = (
        f"t.event_date = DATE '{day.isoformat()}' AND t.event_type IN ({kinds}) "
        f"AND t.pin_status = '{PinStatus.PENDING.value}' AND t.pin_id = s.pin_id"
    )
    return change(events_uri, pins, waiting, {name: f"s.{name}" for name in FOUND})


def _forget(connection: Connection, day: date, pin_ids: Sequence[int]) -> None:
    with memsql.transaction(connection):
        memsql.execute(connection, "lake/forget_pending", {"event_date": day, "pin_ids": tuple(pin_ids)})

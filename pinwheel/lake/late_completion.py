"""Late completion: fills in, in the lake, the rows that landed before their pin was known.

A row lands ``pending`` if no source could answer, and ``unknown`` if the Pin API had no such pin; neither is final. The
correction reaches MemSQL and the rollups through the change feed, like everything else (ADR 0001).
"""

import logging
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import pyarrow as pa
import pyarrow.compute as pc

from pinwheel.alerts.catalogue import PINS_GIVEN_UP, Send
from pinwheel.clients import memsql
from pinwheel.clients.memsql import Connection, Row
from pinwheel.core.contract import EVENT_TYPES, PIN_COLUMNS, PIN_STATUS_COLUMN, WITHOUT_PIN, PinStatus
from pinwheel.core.settings import CompleteSettings
from pinwheel.enrich.pins import FOUND_TYPE, PinLookup
from pinwheel.lake.changes import change

log = logging.getLogger(__name__)

FOUND = [*(c.name for c in PIN_COLUMNS), PIN_STATUS_COLUMN.name]
PENDING, UNKNOWN, GIVEN_UP = (status.value for status in (PinStatus.PENDING, PinStatus.UNKNOWN, PinStatus.GIVEN_UP))
Days = Mapping[date, Sequence[Row]]  # rows of pending_pins


@dataclass(frozen=True)
class Completion:
    """Counts of a run.

    ``pins``: that were found; ``rows``: that were changed; ``unknown``: pins that the Pin API does not know so far;
    ``waiting``: pins that no source could answer for; ``given_up``: pins, each counted once a day.
    """

    pins: int = 0
    rows: int = 0
    unknown: int = 0
    waiting: int = 0
    given_up: int = 0


def complete(settings: CompleteSettings, lookup: PinLookup, now: datetime, alert: Send) -> Completion:
    """Complete the rows whose pins are now known, and give those up that have waited for too long. Idempotent.

    If it dies after a day's commit, that day's pins stay in ``pending_pins``: the next run finds no row that waits for
    them and removes them. Two runs at once: Delta refuses one of the two commits, which is then retried on the
    other's result.
    """
    with memsql.connect(settings) as connection:
        given_up, rows = _give_up(connection, settings, now, alert)
        noted_by = _clock(connection)  # rows that are noted later may not be in the lake that we read
        days = _listed(connection, "lake/pending", {"max_pins": settings.complete_max_pins})
        pins = _looked_up(lookup, sorted({row["pin_id"] for listed in days.values() for row in listed}))
        for day, listed in sorted(days.items()):
            of_day = pins.filter(pc.is_in(pins["pin_id"], _ids(listed)))
            rows += _update_lake(settings.events_uri, day, _news(of_day, listed))
            _note(connection, day, noted_by, of_day)
    statuses = pins[PIN_STATUS_COLUMN.name].to_pylist()
    unknown, waiting = statuses.count(UNKNOWN), statuses.count(PENDING)
    report = Completion(len(statuses) - unknown - waiting, rows, unknown, waiting, given_up)
    log.info("completed %s", report)
    return report


def _clock(connection: Connection) -> datetime:
    with memsql.transaction(connection):
        now: datetime = memsql.fetch(connection, "lake/clock")[0]["now"]
    return now


def _listed(connection: Connection, statement: str, params: Mapping[str, object]) -> Days:
    days = defaultdict(list)
    with memsql.transaction(connection):
        for row in memsql.fetch(connection, statement, params):
            days[row["event_date"]].append(row)
    return days


def _ids(listed: Iterable[Row]) -> pa.Array:
    return pa.array([row["pin_id"] for row in listed], pa.int64())


def _are_pending(listed: Iterable[Row]) -> list[Row]:
    return [row for row in listed if row["pin_status"] == PENDING]


def _looked_up(lookup: PinLookup, pin_ids: Sequence[int]) -> pa.Table:
    """The pins, each with its status now."""
    ids = pa.array(pin_ids, pa.int64())
    lookup.forget_misses()  # what was not found earlier may be there now
    found = lookup.find(ids)
    return pa.table({"pin_id": ids, **{name: pc.struct_field(found, name) for name in FOUND}})


def _news(pins: pa.Table, listed: Iterable[Row]) -> pa.Table:
    """The pins of which a row may say something else: that are known, or unknown after they were pending."""
    status = pins[PIN_STATUS_COLUMN.name]
    is_new = pc.or_(pc.not_equal(status, UNKNOWN), pc.is_in(pins["pin_id"], _ids(_are_pending(listed))))
    return pins.filter(pc.and_(pc.not_equal(status, PENDING), is_new))


def _update_lake(events_uri: str, day: date, pins: pa.Table) -> int:
    """Fill in the day's rows that wait for these pins, in one commit; returns how many. Unknown ones stay unknown."""
    if not pins.num_rows:
        return 0
    kinds = ", ".join(f"'{kind.name}'" for kind in EVENT_TYPES.values() if kind.names_pin)
    without = ", ".join(f"'{status}'" for status in WITHOUT_PIN)
    waiting = (
        f"t.event_date = DATE '{day.isoformat()}' AND t.event_type IN ({kinds}) AND t.pin_id = s.pin_id "
        f"AND (t.pin_status = '{PENDING}' OR (t.pin_status = '{UNKNOWN}' AND s.pin_status NOT IN ({without})))"
    )
    return change(events_uri, pins, waiting, {name: f"s.{name}" for name in FOUND})


def _note(connection: Connection, day: date, noted_by: datetime, pins: pa.Table) -> None:
    """Note what became of a day's pins. Idempotent; if it dies, the next run does it all again."""
    became = defaultdict(list)
    for pin_id, status in zip(*(pins[name].to_pylist() for name in ("pin_id", PIN_STATUS_COLUMN.name)), strict=True):
        became[status if status in (PENDING, UNKNOWN) else None].append(pin_id)
    noted = {"event_date": day, "noted_by": noted_by}
    _write(connection, "lake/forget_pending", noted | {"pin_ids": became[None]})
    _write(connection, "lake/note_asked", noted | {"pin_ids": became[UNKNOWN], "pin_status": UNKNOWN})
    _write(connection, "lake/note_asked", noted | {"pin_ids": became[PENDING], "pin_status": None})


def _write(connection: Connection, statement: str, params: Mapping[str, object]) -> None:
    if not params["pin_ids"]:
        return

    def write() -> None:
        with memsql.transaction(connection):
            memsql.execute(connection, statement, params)

    memsql.retry_conflicts(write)  # the merges note the same pins


def _give_up(connection: Connection, settings: CompleteSettings, now: datetime, alert: Send) -> tuple[int, int]:
    """Give up the pins of rows older than ``complete_days``; returns how many, and how many rows now say so.

    It tells before it removes the pins from ``pending_pins``: if it dies in between, it tells again.
    """
    before = (now.astimezone(UTC) - timedelta(days=settings.complete_days)).date()
    noted_by = _clock(connection)
    days = _listed(connection, "lake/expired", {"before_date": before, "max_pins": settings.complete_max_pins})
    rows = sum(
        _update_lake(settings.events_uri, day, _given_up(_ids(_are_pending(listed)))) for day, listed in days.items()
    )
    expired = [row for listed in days.values() for row in listed]
    # Unknown pins that were never asked for were too old when they were merged, by a rebuild for example.
    told = [row for row in expired if row["pin_status"] == PENDING or row["asked_at"]]
    if told:
        alert(PINS_GIVEN_UP, "events", _message(told, rows, settings.complete_days))
    for day, listed in days.items():
        ids = _ids(listed).to_pylist()
        _write(connection, "lake/forget_pending", {"event_date": day, "noted_by": noted_by, "pin_ids": ids})
    return len(expired), rows


def _given_up(pin_ids: pa.Array) -> pa.Table:
    """Pins with nothing but the status that their pending rows get."""
    nothing = {field.name: pa.nulls(len(pin_ids), field.type) for field in FOUND_TYPE}
    status = pa.array([GIVEN_UP] * len(pin_ids), pa.string())
    return pa.table({"pin_id": pin_ids, **nothing, PIN_STATUS_COLUMN.name: status})


def _message(given_up: Sequence[Row], rows: int, days: int) -> str:
    """How many pins were given up, and an example."""
    pending = _are_pending(given_up)
    example = (pending or given_up)[0]
    return (
        f"{len(given_up)} pins were given up after {days} days, for example pin {example['pin_id']} of "
        f"{example['event_date']}. The Pin API does not know {len(given_up) - len(pending)} of them. It has not "
        f"answered for {len(pending)}; {rows} rows that waited for those now have the pin_status {GIVEN_UP}."
    )

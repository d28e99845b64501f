"""The ``pins`` table: a copy of the full pins that landed in ``events``, which is what it is made from."""

import pyarrow as pa
import pyarrow.compute as pc
from deltalake import CommitProperties, DeltaTable, Transaction, write_deltalake
from deltalake.exceptions import CommitFailedError, DeltaError

from pinwheel.alerts.catalogue import PINS_SKIPPED, Send
from pinwheel.core.contract import PIN_COLUMN_OF, PIN_FIELDS
from pinwheel.lake import events_table
from pinwheel.lake.events_table import open_table, pins_schema, without_views

PINS_SOURCE = "events_version"  # transaction id in ``pins``: the version of ``events`` it has seen
PINS_STRIDE = 1000  # versions without a pin after which that is moved too: the log keeps what is not copied
PINS_FROM = {  # columns of ``pins``, and of ``events`` that they are copied from
    **{f.name: PIN_COLUMN_OF.get(f.name, f.name) for f in PIN_FIELDS},
    "kafka_timestamp": "kafka_timestamp",
}


def pins_copied_to(pins_uri: str) -> int:
    """Newest version of ``events`` whose pins are in ``pins``."""
    table = open_table(pins_uri)
    return 0 if table is None else table.transaction_version(PINS_SOURCE) or 0


def append_pins(events_uri: str, pins_uri: str, alert: Send) -> int:
    """Bring ``pins`` up to the newest version of ``events``; returns the pins added.

    Dying before the commit changes nothing; running twice, or two at once, adds nothing twice: the commit moves
    the transaction identifier of the version seen, and Delta refuses the second. Versions that are no longer in the
    log are skipped and told to ``alert``: the stream must not end for a copy of what ``events`` has.
    """
    events, pins = DeltaTable(events_uri), DeltaTable(pins_uri)
    seen, newest = pins.transaction_version(PINS_SOURCE) or 0, int(events.version())
    if newest <= seen:
        return 0
    first = seen + 1
    try:
        rows = _inserted_pins(events, first)
    except DeltaError:
        first = events_table.oldest_version(events, seen)
        if first == seen + 1:  # they are all there: it is something else
            raise
        text = f"versions {seen + 1} to {first - 1} of {events_uri} are no longer in its log"
        alert(PINS_SKIPPED, "pins", f"{text}: their pins are in events, but not in pins. Rebuild it")
        rows = _inserted_pins(events, first)
    if not rows.num_rows and first == seen + 1 and newest - seen < PINS_STRIDE:
        return 0
    try:
        write_deltalake(pins, rows, mode="append", commit_properties=_seen(newest))
    except CommitFailedError:  # the other one has added the same pins
        return 0
    return int(rows.num_rows)


def _inserted_pins(events: DeltaTable, since: int) -> pa.Table:
    """The pins that landed in the versions from ``since`` to the one that is open; corrections bring no other pin."""
    changes = events.load_cdf(since, events.version(), predicate="event_type = 'pin'").read_all()
    rows = without_views(pa.table(changes))
    fresh = rows.filter(pc.equal(rows["_change_type"], "insert"))
    return pa.table({name: fresh[column] for name, column in PINS_FROM.items()}).cast(pins_schema())


def rebuild_pins(events_uri: str, pins_uri: str) -> None:
    """Write ``pins`` anew from all of ``events``, in one commit; for a person, see the runbook of supervise_stream.

    Raises:
        CommitFailedError: the stream has added pins meanwhile; the same again.
    """
    events = DeltaTable(events_uri)
    columns = {name: pc.field(column) for name, column in PINS_FROM.items()}
    pins = events.to_pyarrow_dataset().scanner(columns, filter=pc.field("event_type") == "pin").to_reader()
    write_deltalake(DeltaTable(pins_uri), pins, mode="overwrite", commit_properties=_seen(events.version()))


def _seen(version: int) -> CommitProperties:
    return CommitProperties(app_transactions=[Transaction(PINS_SOURCE, version)])

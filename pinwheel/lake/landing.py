"""Writing the lake: the one commit that lands a micro-batch (ADR 0001), and the ``pins`` table derived from it.

Each commit moves one Delta transaction identifier per Kafka partition to the next offset to land, so the lake
itself says how far it is: that survives a deleted checkpoint, log clean-up and two drivers at once.
"""

import json
import logging

import pyarrow as pa
import pyarrow.compute as pc
from deltalake import CommitProperties, DeltaTable, PostCommitHookProperties, Transaction, write_deltalake
from deltalake.exceptions import CommitFailedError, DeltaError
from deltalake.transaction import AddAction

from pinwheel.alerts.raising import PINS_SKIPPED, Send, raise_alert
from pinwheel.core.contract import LAKE_PARTITIONS, PIN_COLUMN_OF, PIN_FIELDS
from pinwheel.core.errors import FencedError, LakeError
from pinwheel.lake import events_table
from pinwheel.lake.events_table import METADATA_KEY, app_id, open_table, pins_schema, without_views
from pinwheel.lake.files import File, Files

log = logging.getLogger(__name__)

COMMIT_TRIES = 20  # a conflict takes milliseconds; maintenance commits once in seconds
PINS_SOURCE = "events_version"  # transaction id in ``pins``: the version of ``events`` it has seen
PINS_STRIDE = 1000  # versions without a pin after which that is moved too: the log keeps what is not copied
PINS_FROM = {  # columns of ``pins``, and of ``events`` that they are copied from
    **{f.name: PIN_COLUMN_OF.get(f.name, f.name) for f in PIN_FIELDS},
    "kafka_timestamp": "kafka_timestamp",
}


class Landing:
    """The one writer of ``events``: appends files and moves the offsets, in one Delta commit.

    Two drivers at once: both move the same transaction identifiers, so Delta lets only the first commit through
    and the second gets a FencedError. A driver that dies before the commit leaves files that no version names
    (VACUUM removes them); one that dies after it finds the offsets moved when it starts again.
    """

    def __init__(self, events_uri: str, topic: str) -> None:
        self.uri = events_uri
        self.topic = topic
        self._table = DeltaTable(events_uri)

    @property
    def version(self) -> int:
        """Version of ``events`` that this writer has seen."""
        return int(self._table.version())

    def landed(self, partition: int) -> int | None:
        """Next offset to land of a Kafka partition; None when it never landed anything."""
        offset: int | None = self._table.transaction_version(app_id(self.topic, partition))
        return offset

    def commit(self, files: Files) -> None:
        """Append ``files``, once.

        Raises:
            FencedError: some of these offsets are in the lake already: another writer was faster.
            LakeError: other writers' commits came first each time.
        """
        for _ in range(COMMIT_TRIES):
            self._refuse_landed(files)
            try:
                self._append(files)
            except CommitFailedError as error:  # also when maintenance rewrote rows meanwhile, which an append survives
                log.info("commit conflict version=%d error=%s", self.version, error)
                self._table.update_incremental()
            else:
                self._table.update_incremental()
                return
        raise LakeError(f"{self.uri}: {COMMIT_TRIES} commits in a row met another writer's; see who writes to it")

    def _refuse_landed(self, files: Files) -> None:
        for partition, span in files.spans.items():
            landed = self.landed(partition)
            if landed is not None and span.start < landed:
                raise FencedError(
                    f"{app_id(self.topic, partition)}: this batch starts at offset {span.start}, but the lake already "
                    f"holds all before {landed}: another driver is landing; this one stops"
                )

    def _append(self, files: Files) -> None:
        self._table.create_write_transaction(
            [_add_action(file) for file in files.files],
            "append",
            self._table.schema(),
            partition_by=list(LAKE_PARTITIONS),
            commit_properties=self._properties(files),
            post_commithook_properties=PostCommitHookProperties(create_checkpoint=True, cleanup_expired_logs=False),
        )

    def _properties(self, files: Files) -> CommitProperties:
        spans = {p: (s.start, s.end, s.timestamp.isoformat()) for p, s in files.spans.items()}
        return CommitProperties(
            custom_metadata={METADATA_KEY: json.dumps({"rows": files.rows, "spans": spans})},
            app_transactions=[Transaction(app_id(self.topic, p), s.end) for p, s in files.spans.items()],
        )


def _add_action(file: File) -> AddAction:
    return AddAction(
        path=file.path,
        size=file.size,
        partition_values=file.partition,
        modification_time=file.modified_at_ms,
        data_change=True,
        stats=file.stats,
    )


def pins_copied_to(pins_uri: str) -> int:
    """Newest version of ``events`` whose pins are in ``pins``."""
    table = open_table(pins_uri)
    return 0 if table is None else table.transaction_version(PINS_SOURCE) or 0


def append_pins(events_uri: str, pins_uri: str, alert: Send = raise_alert) -> int:
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

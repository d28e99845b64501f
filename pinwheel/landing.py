"""Writing the lake: the books of what Spark wrote, and the one commit that lands it (ADR 0001).

Each commit moves one Delta transaction identifier per Kafka partition to the next offset to land, so the lake
itself says how far it is: that survives a deleted checkpoint, log clean-up and two drivers at once.
"""

import json
from dataclasses import dataclass
from datetime import UTC, datetime

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.fs as pafs
import pyarrow.parquet as pq
from deltalake import CommitProperties, DeltaTable, PostCommitHookProperties, Transaction, write_deltalake
from deltalake.exceptions import CommitFailedError
from deltalake.fs import DeltaStorageHandler
from deltalake.transaction import AddAction

from pinwheel.contracts import LAKE_PARTITIONS, PIN_COLUMN_OF, PIN_FIELDS
from pinwheel.errors import FencedError, LakeError
from pinwheel.lake import METADATA_KEY, Span, app_id, pins_schema

STATISTICS = ("occurred_at", "user_id", "pin_id", "brand_id", "kafka_partition", "kafka_offset")
PINS_SOURCE = "events_version"  # transaction id in ``pins``: the version of ``events`` it has seen


@dataclass(frozen=True)
class Files:
    """Parquet files that Spark has written for one commit, with their books."""

    actions: list[AddAction]
    rows: dict[str, int]
    spans: dict[int, Span]


def written_files(events_uri: str, folder: str) -> Files:
    """Read the books of what Spark wrote under ``folder`` (relative to the table): what is there counts."""
    filesystem = pafs.PyFileSystem(DeltaStorageHandler(events_uri))
    found = filesystem.get_file_info(pafs.FileSelector(folder, recursive=True))
    paths = [i for i in found if i.is_file and i.path.endswith(".parquet") and "/_temporary/" not in i.path]
    actions, rows, books = [], dict[str, int](), []
    for info in paths:
        values = dict(part.split("=", 1) for part in info.path.split("/") if "=" in part)
        with pq.ParquetFile(filesystem.open_input_file(info.path)) as file:
            actions.append(_add_action(info, values, file.metadata))
            books.append(file.read(["kafka_partition", "kafka_offset", "kafka_timestamp"]))
        rows[values["event_type"]] = rows.get(values["event_type"], 0) + books[-1].num_rows
    return Files(actions, rows, _spans(pa.concat_tables(books)) if books else {})


def _spans(books: pa.Table) -> dict[int, Span]:
    grouped = books.group_by("kafka_partition").aggregate(
        [
            ("kafka_offset", "min"),
            ("kafka_offset", "max"),
            ("kafka_offset", "count_distinct"),
            ("kafka_offset", "count"),
            ("kafka_timestamp", "max"),
        ]
    )
    spans = {}
    for row in grouped.to_pylist():
        if row["kafka_offset_count"] != row["kafka_offset_count_distinct"]:
            raise LakeError(
                f"partition {row['kafka_partition']}: the batch holds an offset twice; it was not committed"
            )
        spans[row["kafka_partition"]] = Span(
            row["kafka_offset_min"], row["kafka_offset_max"] + 1, row["kafka_timestamp_max"]
        )
    return spans


def _add_action(info: pafs.FileInfo, values: dict[str, str], metadata: pq.FileMetaData) -> AddAction:
    stats: dict[str, object] = {"numRecords": metadata.num_rows, **_min_max(metadata)}
    return AddAction(
        path=info.path.lstrip("/"),
        size=info.size,
        partition_values=values,
        modification_time=int(info.mtime.timestamp() * 1000),
        data_change=True,
        stats=json.dumps(stats, default=_json_value),
    )


def _min_max(metadata: pq.FileMetaData) -> dict[str, dict[str, object]]:
    low: dict[str, object] = {}
    high: dict[str, object] = {}
    names = {name: metadata.schema.names.index(name) for name in STATISTICS if name in metadata.schema.names}
    for name, index in names.items():
        found = [metadata.row_group(g).column(index).statistics for g in range(metadata.num_row_groups)]
        if found and all(s is not None and s.has_min_max for s in found):
            low[name], high[name] = min(s.min for s in found), max(s.max for s in found)
    return {"minValues": low, "maxValues": high}


def _json_value(value: object) -> str:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
    raise TypeError(f"no JSON for {type(value).__name__} {value!r}")


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
            FencedError: some of these offsets are in the lake already, or another writer was faster.
        """
        for partition, span in files.spans.items():
            landed = self.landed(partition)
            if landed is not None and span.start < landed:
                raise FencedError(
                    f"{app_id(self.topic, partition)}: this batch starts at offset {span.start}, but the lake already "
                    f"holds all before {landed}: another driver is landing; this one stops"
                )
        try:
            self._table.create_write_transaction(
                files.actions,
                "append",
                self._table.schema(),
                partition_by=list(LAKE_PARTITIONS),
                commit_properties=self._properties(files),
                post_commithook_properties=PostCommitHookProperties(create_checkpoint=True, cleanup_expired_logs=False),
            )
        except CommitFailedError as error:
            raise FencedError(f"{self.uri}: another driver committed the same offsets first: {error}") from error
        self._table.update_incremental()

    def _properties(self, files: Files) -> CommitProperties:
        spans = {p: (s.start, s.end, s.timestamp.isoformat()) for p, s in files.spans.items()}
        return CommitProperties(
            custom_metadata={METADATA_KEY: json.dumps({"rows": files.rows, "spans": spans})},
            app_transactions=[Transaction(app_id(self.topic, p), s.end) for p, s in files.spans.items()],
        )


def append_pins(events_uri: str, pins_uri: str) -> int:
    """Bring ``pins`` up to the newest version of ``events``; returns the pins added.

    Dying before the commit changes nothing; running twice, or two at once, adds nothing twice: the commit moves
    the transaction identifier of the version seen, and Delta refuses the second.
    """
    events, pins = DeltaTable(events_uri), DeltaTable(pins_uri)
    seen = pins.transaction_version(PINS_SOURCE) or 0
    if events.version() <= seen:
        return 0
    rows = pa.table(events.load_cdf(seen + 1, events.version(), predicate="event_type = 'pin'").read_all())
    fresh = rows.filter(pc.equal(rows["_change_type"], "insert"))
    columns = {f.name: fresh[PIN_COLUMN_OF.get(f.name, f.name)] for f in PIN_FIELDS}
    table = pa.table({**columns, "kafka_timestamp": fresh["kafka_timestamp"]}).cast(pins_schema())
    if table.num_rows:
        try:
            write_deltalake(
                pins,
                table,
                mode="append",
                commit_properties=CommitProperties(app_transactions=[Transaction(PINS_SOURCE, events.version())]),
            )
        except CommitFailedError:  # the other one has added the same pins
            return 0
    return int(table.num_rows)

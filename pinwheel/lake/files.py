"""Writes the Parquet files of one commit of ``events``, and their manifest, from which the commit is made.

Many writers (Spark's tasks), one commit (``pinwheel.lake.landing``). A file counts only when a commit names it: files
of a task that died, and the extra files of one that ran twice, are never read, and VACUUM removes them.
"""

import json
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import date, datetime
from typing import Any
from uuid import uuid4

import pyarrow as pa
import pyarrow.fs as pafs
import pyarrow.parquet as pq
from deltalake.fs import DeltaStorageHandler

from pinwheel.core.contract import LAKE_PARTITIONS, LINEAGE
from pinwheel.core.errors import LakeError
from pinwheel.lake.events_table import STATISTICS, Span, arrow_schema

# Snappy takes a quarter less CPU than zstd here for a quarter more bytes, until compaction rewrites them. Parquet's own
# statistics of long texts cost a tenth, and no reader skips by them.
PARQUET: dict[str, Any] = {"compression": "snappy", "write_statistics": list(STATISTICS)}
FILE_SCHEMA = pa.schema([f for f in arrow_schema() if f.name not in LAKE_PARTITIONS])  # those are in the path


@dataclass(frozen=True)
class File:
    """One Parquet file; ``path`` is relative to the table, ``size`` is in bytes, ``stats`` are Delta's, as JSON."""

    path: str
    size: int
    modified_at_ms: int
    partition: dict[str, str]
    rows: int
    stats: str


@dataclass(frozen=True)
class Manifest:
    """The files of one commit, and the Kafka offsets that they contain."""

    files: list[File] = field(default_factory=list)
    spans: dict[int, Span] = field(default_factory=dict)

    @property
    def rows(self) -> dict[str, int]:
        """Row counts by event_type."""
        counts: dict[str, int] = {}
        for file in self.files:
            name = file.partition["event_type"]
            counts[name] = counts.get(name, 0) + file.rows
        return counts

    def to_json(self) -> str:
        """Serialise, for the way from a Spark task to the driver."""
        return json.dumps(asdict(self), default=datetime.isoformat)

    @classmethod
    def from_json(cls, text: str) -> "Manifest":
        """Inverse of ``to_json``."""
        read: dict[str, Any] = json.loads(text)
        spans = {
            int(p): Span(s["start"], s["end"], s["timestamp"] and datetime.fromisoformat(s["timestamp"]))
            for p, s in read["spans"].items()
        }
        return cls([File(**file) for file in read["files"]], spans)

    @classmethod
    def together(cls, parts: Iterable["Manifest"]) -> "Manifest":
        """Combine the manifests of all tasks of one micro-batch.

        Raises:
            LakeError: two tasks wrote the same offsets.
        """
        files, spans = list[File](), dict[int, Span]()
        for part in parts:
            files.extend(part.files)
            spans = _joined(spans, part.spans)
        return cls(files, spans)

    def covering(self, offsets: Mapping[int, tuple[int, int]]) -> "Manifest":
        """The same files, with all offsets [start, end) that were read, also those that hold no record.

        Raises:
            LakeError: the files contain other offsets.
        """
        spans = {p: Span(start, end, None) for p, (start, end) in offsets.items() if end > start}
        for partition, span in self.spans.items():
            read = spans.get(partition)
            if read is None or span.start < read.start or span.end > read.end:
                raise LakeError(f"partition {partition}: the files contain {span}, but the batch is {read}")
            spans[partition] = replace(read, timestamp=span.timestamp)
        return Manifest(self.files, spans)


class FileWriter:
    """Writes rows of the lake to Parquet files, one per day and event type."""

    def __init__(self, events_uri: str) -> None:
        self._filesystem = pafs.PyFileSystem(DeltaStorageHandler(events_uri))
        self._name = f"part-{uuid4()}.parquet"
        self._open: dict[str, _OpenFile] = {}
        self._spans: dict[int, Span] = {}

    def write(self, rows: pa.Table) -> None:
        """Add rows; they need all of the lake's columns, in any order."""
        self._spans = _joined(self._spans, _spans(rows))
        for partition, part in _by_partition(rows):
            path = "/".join([*(f"{name}={value}" for name, value in partition.items()), self._name])
            if path not in self._open:
                self._open[path] = _OpenFile(self._filesystem, path, partition)
            self._open[path].writer.write_table(part)

    def close(self) -> Manifest:
        """Close the files; returns their manifest."""
        return Manifest([open_file.close() for open_file in self._open.values()], self._spans)


class _OpenFile:
    def __init__(self, filesystem: pafs.FileSystem, path: str, partition: dict[str, str]) -> None:
        self._path, self._partition = path, partition
        filesystem.create_dir(path.rpartition("/")[0], recursive=True)
        self._stream = filesystem.open_output_stream(path)
        self.writer = pq.ParquetWriter(self._stream, FILE_SCHEMA, **PARQUET)

    def close(self) -> File:
        self.writer.close()
        size = self._stream.tell()
        self._stream.close()
        metadata = self.writer.writer.metadata
        stats = json.dumps(_statistics(metadata))
        return File(self._path, size, time.time_ns() // 1_000_000, self._partition, metadata.num_rows, stats)


def _by_partition(rows: pa.Table) -> Iterator[tuple[dict[str, str], pa.Table]]:
    """The rows of each day and event type, without those two columns."""
    order = [(name, "ascending") for name in LAKE_PARTITIONS]
    counts = rows.group_by(list(LAKE_PARTITIONS)).aggregate([([], "count_all")]).sort_by(order).to_pylist()
    by_partition = rows.sort_by(order).select(FILE_SCHEMA.names).cast(FILE_SCHEMA)
    first = 0
    for row in counts:
        yield (
            {name: _partition_text(row[name]) for name in LAKE_PARTITIONS},
            by_partition.slice(first, row["count_all"]),
        )
        first += row["count_all"]


def _partition_text(value: date | str) -> str:
    return value if isinstance(value, str) else value.isoformat()


def _spans(rows: pa.Table) -> dict[int, Span]:
    grouped = rows.select(LINEAGE).group_by("kafka_partition")
    bounds = grouped.aggregate(
        [
            ("kafka_offset", "min"),
            ("kafka_offset", "max"),
            ("kafka_offset", "count_distinct"),
            ("kafka_offset", "count"),
            ("kafka_timestamp", "max"),
        ]
    )
    spans = {}
    for row in bounds.to_pylist():
        if row["kafka_offset_count"] != row["kafka_offset_count_distinct"]:
            raise LakeError(
                f"partition {row['kafka_partition']}: the batch holds an offset twice; it was not committed"
            )
        spans[row["kafka_partition"]] = Span(
            row["kafka_offset_min"], row["kafka_offset_max"] + 1, row["kafka_timestamp_max"]
        )
    return spans


def _joined(spans: dict[int, Span], more: dict[int, Span]) -> dict[int, Span]:
    joined = dict(spans)
    for partition, new in more.items():
        old = spans.get(partition)
        if old and old.start < new.end and new.start < old.end:
            raise LakeError(
                f"partition {partition}: offsets [{new.start}, {new.end}) and [{old.start}, {old.end}) of one batch "
                "overlap; it was not committed"
            )
        joined[partition] = new if old is None else _both(old, new)
    return joined


def _both(old: Span, new: Span) -> Span:
    times = [at for at in (old.timestamp, new.timestamp) if at]
    return Span(min(old.start, new.start), max(old.end, new.end), max(times, default=None))


def _statistics(metadata: pq.FileMetaData) -> dict[str, Any]:
    """Delta's statistics of a file, with null counts: without minimum and count delta-rs assumes a column all null."""
    low, high, nulls = dict[str, int](), dict[str, int](), dict[str, int]()
    for name in STATISTICS:
        index = metadata.schema.names.index(name)
        groups = [metadata.row_group(g).column(index).statistics for g in range(metadata.num_row_groups)]
        nulls[name] = sum(s.null_count for s in groups)
        bounds = [(s.min, s.max) for s in groups if s.has_min_max]  # a row group of nulls has none
        if bounds:
            low[name], high[name] = min(b[0] for b in bounds), max(b[1] for b in bounds)
    return {"numRecords": metadata.num_rows, "minValues": low, "maxValues": high, "nullCount": nulls}

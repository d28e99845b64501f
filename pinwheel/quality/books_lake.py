"""The lake's files for the books: their statistics, by which most are never opened, and their rows."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds
import pyarrow.fs as pafs
from deltalake import DeltaTable
from deltalake.fs import DeltaStorageHandler

from pinwheel.clients.memsql import Row
from pinwheel.core.errors import LakeError
from pinwheel.core.ranges import Range
from pinwheel.lake import events_table
from pinwheel.lake.files import FILE_SCHEMA


@dataclass(frozen=True)
class Mark:
    """A day of an event type by the files' statistics: a day that has the same mark has the same records.

    Late completion and compaction rewrite files and keep it.
    """

    rows: int
    first_offset: int | None
    last_offset: int | None

    @classmethod
    def of(cls, row: Row) -> "Mark":
        """That of a closed day."""
        return cls(row["day_rows"], row["first_offset"], row["last_offset"])

    @property
    def columns(self) -> Row:
        """As a closed day keeps it."""
        return {"day_rows": self.rows, "first_offset": self.first_offset, "last_offset": self.last_offset}


class LakeFiles:
    """The files of one version of ``events``."""

    def __init__(self, events: DeltaTable) -> None:
        self.uri = events.table_uri
        self._files = events_table.files(events)
        for name in ("kafka_partition", "kafka_offset"):  # a table without any file has no statistics
            for bound in (f"min.{name}", f"max.{name}"):
                if bound not in self._files.column_names:
                    self._files = self._files.append_column(bound, pa.nulls(self._files.num_rows, pa.int64()))

    @property
    def rows(self) -> int:
        """All rows of the lake."""
        return int(pc.sum(self._files["num_records"]).as_py() or 0)

    @property
    def partitions(self) -> range:
        """Kafka partitions that may have rows."""
        last = pc.max(self._files["max.kafka_partition"]).as_py()
        return range(0 if last is None else int(last) + 1)

    def days(self, event_type: str) -> dict[date, Mark]:
        """The days of an event type, oldest first."""
        mine = self._files.filter(pc.equal(self._files["partition.event_type"], event_type))
        grouped = mine.group_by("partition.event_date").aggregate(
            [("num_records", "sum"), ("min.kafka_offset", "min"), ("max.kafka_offset", "max")]
        )
        marks = {
            row["partition.event_date"]: Mark(
                row["num_records_sum"], row["min.kafka_offset_min"], row["max.kafka_offset_max"]
            )
            for row in grouped.to_pylist()
        }
        return {day: marks[day] for day in sorted(marks) if marks[day].rows}

    def paths_of_day(self, event_type: str, day: date) -> list[str]:
        """The files of a day of an event type."""
        is_type = pc.equal(self._files["partition.event_type"], event_type)
        is_day = pc.equal(self._files["partition.event_date"], day)
        return list(self._files.filter(pc.and_(is_type, is_day))["path"].to_pylist())

    def paths_of_offsets(self, ranges: Mapping[int, Range], event_type: str, *, others: bool = False) -> list[str]:
        """The files that may have rows of an event type (``others``: of all others) in a range of each partition."""
        is_type = pc.equal(self._files["partition.event_type"], event_type)
        files = self._files.filter(pc.invert(is_type) if others else is_type)
        names = ("path", "min.kafka_partition", "max.kafka_partition", "min.kafka_offset", "max.kafka_offset")
        return [
            path
            for path, first, last, low, high in zip(*(files[name].to_pylist() for name in names), strict=True)
            if low is None or any(first <= p <= last and low < b and high >= a for p, (a, b) in ranges.items())
        ]

    @contextmanager
    def read(self, db: duckdb.DuckDBPyConnection, paths: Sequence[str], columns: Sequence[str]) -> Iterator[None]:
        """Let DuckDB read columns of these files as ``files``.

        Raises:
            LakeError: a file can't be read.
        """
        filesystem = pafs.PyFileSystem(DeltaStorageHandler(self.uri))
        rows: Any = pa.table({name: pa.array([], FILE_SCHEMA.field(name).type) for name in columns})
        if paths:
            dataset = ds.dataset(list(paths), schema=FILE_SCHEMA, format="parquet", filesystem=filesystem)
            rows = dataset.scanner(columns=list(columns)).to_reader()
        db.register("files", rows)
        try:
            yield
        except (duckdb.Error, OSError) as error:
            raise LakeError(f"files of {self.uri} can't be read for the books: {error}") from error
        finally:
            db.unregister("files")

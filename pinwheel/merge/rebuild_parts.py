"""The parts of a rebuild: which files of the lake each has, and their rows."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.fs as pafs
from deltalake import DeltaTable
from deltalake.fs import DeltaStorageHandler

from pinwheel.core.contract import TABLES, landed_columns
from pinwheel.core.errors import MergeError
from pinwheel.core.settings import MergeSettings
from pinwheel.lake import events_table
from pinwheel.lake.files import FILE_SCHEMA

LOADERS = 2  # parts at once: one is read and prepared here while the database takes in the other


@dataclass(frozen=True)
class Extent:
    """The size of a table's rebuild."""

    table: str
    version: int
    rows: int
    files: int
    parts: int


def extents(settings: MergeSettings, tables: Sequence[str]) -> list[Extent]:
    """The sizes of rebuilds; writes nothing.

    Raises:
        MergeError: there is no such table, or no lake.
    """
    unknown = [table for table in tables if table not in TABLES]
    if unknown:
        raise MergeError(f"no reporting table {unknown[0]!r}; there are {', '.join(TABLES)}")
    events = events_table.open_table(settings.events_uri)
    if events is None:
        raise MergeError(f"there is no lake at {settings.events_uri} to rebuild from")
    return [_extent(table, events, most_rows(settings)) for table in tables]


def most_rows(settings: MergeSettings) -> int:
    """Of a part: all parts that are loaded at once take the memory of one slice."""
    return max(1, settings.merge_slice_rows // LOADERS)


def _extent(table: str, events: DeltaTable, part_rows: int) -> Extent:
    parts = files_of_parts(events, table, part_rows)
    files = [file for part in parts for file in part]
    return Extent(table, events.version(), sum(rows for _, rows in files), len(files), len(parts))


def files_of_parts(events: DeltaTable, table: str, part_rows: int) -> list[list[tuple[str, int]]]:
    """The files of a table's events with their rows, oldest day first, in parts of about ``part_rows`` rows."""
    files = events_table.files(events).to_pylist()
    wanted = sorted((f["path"], f["num_records"]) for f in files if f["partition.event_type"] == TABLES[table].name)
    parts: list[list[tuple[str, int]]] = []
    rows = part_rows
    for file in wanted:
        if rows + file[1] > part_rows:
            parts.append([])
            rows = 0
        parts[-1].append(file)
        rows += file[1]
    return parts


def rows_of(events_uri: str, table: str, paths: Sequence[str]) -> Iterator[pa.RecordBatch]:
    """The rows of some files, with the columns that land in the reporting table."""
    filesystem = pafs.PyFileSystem(DeltaStorageHandler(events_uri))
    files = ds.dataset(list(paths), schema=FILE_SCHEMA, format="parquet", filesystem=filesystem)
    yield from files.to_batches(columns=landed_columns(TABLES[table]))

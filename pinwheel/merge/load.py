"""LOAD DATA LOCAL of Arrow columns, with every row stored as it is or none."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow as pa

from pinwheel.clients import memsql, tsv
from pinwheel.clients.memsql import Connection
from pinwheel.core.errors import MergeError


def write(path: Path, batches: Iterable[pa.RecordBatch]) -> int:
    """Write batches as the file that ``load`` reads; returns the number of rows."""
    rows = 0
    with path.open("wb") as file:
        for batch in batches:
            file.write(tsv.lines(batch.columns))
            rows += batch.num_rows
    return rows


def load(connection: Connection, table: str, path: Path, columns: Sequence[str], rows: int) -> None:
    """Load a file. Does not commit.

    LOCAL makes the server skip duplicates and cut values with a mere warning: one of them discredits the whole load.

    Raises:
        MergeError: a row was skipped, or a value changed.
    """
    loaded, _ = memsql.load(connection, "merge/load", path, table=table, columns=list(columns))
    warnings = memsql.warnings(connection)
    if warnings or loaded != rows:
        raise MergeError(f"{table} took {loaded} of {rows} rows; the server's warnings: {warnings[:3]}")


def load_table(connection: Connection, table: str, rows: pa.Table) -> None:
    """Load a few columns into a table with columns of the same names. Does not commit."""
    if not rows.num_rows:
        return
    with TemporaryDirectory(prefix="pinwheel-load-") as folder:
        path = Path(folder, table)
        load(connection, table, path, rows.column_names, write(path, rows.to_batches()))

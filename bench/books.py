"""Measures the books on ten million events: with nothing closed, and with all days closed.

    python bench/books.py --rows 10000000

Starts a separate database and makes a lake: the same made-up rows of 30 days are loaded into both, as if they had been
landed, merged, and written to the ledger.
"""

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import psutil
import pyarrow as pa

from bench.reports import DAYS, FIRST_DAY, SHARES, World, load
from bench.servers import database
from pinwheel.clients import memsql, migrations
from pinwheel.clients.memsql import Connection
from pinwheel.core.contract import TABLES
from pinwheel.core.settings import GeoSettings, MemsqlSettings, QualitySettings
from pinwheel.lake import events_table
from pinwheel.lake.files import FileWriter
from pinwheel.lake.landing import Landing
from pinwheel.quality.books import close_books

PARTITIONS = 4
LOG = "engagement.events"
NOW = datetime(2026, 6, 1, tzinfo=UTC)  # all days are over


def fill(connection: Connection, uri: str, rows: int) -> None:
    """Land and load the rows, day by day, and note them in the ledger as one slice of each table."""
    world, landing, landed = World(), Landing(uri, LOG), 0
    for day in range(DAYS):
        writer = FileWriter(uri)
        for table, share in SHARES.items():
            count = round(rows * share / DAYS)
            made = world.events(table, day * count, count, FIRST_DAY + timedelta(days=day), 86400)
            at = np.arange(landed, landed + count)
            landed += count
            for name, values in {"kafka_partition": at % PARTITIONS, "kafka_offset": at // PARTITIONS}.items():
                made = made.set_column(made.column_names.index(name), name, pa.array(values))
            load(connection, table, made)
            writer.write(_of_lake(table, made))
        landing.commit(writer.close())
        print(f"day {day + 1} of {DAYS} is landed and loaded", flush=True)
    with connection.cursor() as cursor:
        for table, share in SHARES.items():
            count = round(rows * share / DAYS) * DAYS
            cursor.execute(
                "INSERT INTO merge_slices (table_name, from_version, to_version, state, rows_read, inserted, merged_at)"
                " VALUES (%s, -1, %s, 'merged', %s, %s, NOW())",
                (table, landing.version, count, count),
            )
            cursor.execute("INSERT INTO merge_shards VALUES (%s, 0, 1, %s)", (table, landing.version))
    connection.commit()


def _of_lake(table: str, rows: pa.Table) -> pa.Table:
    """The rows as the lake has them."""
    schema = events_table.arrow_schema()
    days = rows["occurred_at"].cast(pa.date32())
    given = {name: rows[name] for name in rows.column_names} | {"event_date": days}
    given["event_type"] = pa.array(np.full(rows.num_rows, TABLES[table].name))
    columns = [given.get(f.name, pa.nulls(rows.num_rows)) for f in schema]
    return pa.table([_cast(c, f) for c, f in zip(columns, schema, strict=True)], schema=schema)


def _cast(column: pa.ChunkedArray, field: pa.Field) -> pa.ChunkedArray:
    is_time = pa.types.is_timestamp(field.type)  # without a zone in the tables
    return (column.cast(pa.timestamp("us")) if is_time else column).cast(field.type)


def measure(settings: QualitySettings, server: psutil.Process) -> Iterator[str]:
    """Draw the books up: first with nothing closed, then with all days closed."""
    for what in ("nothing closed", "all days closed"):
        before = _used(server)
        began = time.monotonic()
        books = close_books(settings, lambda: NOW, lambda *_: None, lambda *_: None)
        seconds = time.monotonic() - began
        own, theirs = (after - start for after, start in zip(_used(server), before, strict=True))
        if books.differences:
            raise SystemExit(f"the books differ: {books.differences}")
        cost = f"{own:.1f} CPU-seconds of its own, {theirs:.1f} of the database"
        yield f"{what}: {books.offsets:,} offsets in {seconds:.1f} s, {cost}"


def _used(server: psutil.Process) -> tuple[float, float]:
    times = os.times()
    return times.user + times.system, sum(server.cpu_times()[:2])


def main() -> int:
    """Run the benchmark and print its results."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rows", type=int, default=10_000_000, help="events of all types together")
    given = parser.parse_args()
    with database("bench-books") as (settings, server), tempfile.TemporaryDirectory() as folder:
        migrations.apply(settings)
        values = settings.model_dump(include=set(MemsqlSettings.model_fields))
        quality = QualitySettings(**values, **GeoSettings().model_dump(), lake_uri=folder, quality_dir=Path(folder))
        events_table.create_table(quality.events_uri)
        with memsql.connect(settings, local_infile=True) as connection:
            fill(connection, quality.events_uri, given.rows)
        for line in measure(quality, server):
            print(line, flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())

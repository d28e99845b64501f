"""Measures whether refreshing the rollups costs more late in a busy day.

    python bench/day.py --day 20000000 --new 60000

Merges ``--new`` events of the first hour of a day and refreshes the rollups; has the rollups take in the rest of a day
of ``--day`` events of 500 brands and people with random 64-bit ids; then merges and refreshes the same number again, of
the last hour. The result is the median CPU of a refresh, of this process and the database together, late against early.
"""

import argparse
import statistics
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa

from bench import figures
from bench.meters import Cost, Meter
from bench.reports import SHARES, World, increments_of, load
from bench.servers import database
from pinwheel.clients import memsql, migrations
from pinwheel.clients.memsql import Connection
from pinwheel.merge.ledger import SupersededError
from pinwheel.merge.merge import queue_increments
from pinwheel.rollup.rollups import Rollups

TIMES = 3
BRANDS = 500
CHUNK = 1_000_000  # events that are taken in at once between the measurements
MIX = np.int64(-7046029254386353131)  # an odd number: multiplying by it maps ids to others, each to its own


class Day:
    """A day of events, from midnight on; ids of events and people never come twice by chance."""

    def __init__(self, connection: Connection, rollups: Rollups, first_slice: int = 1) -> None:
        self._connection, self._rollups = connection, rollups
        self._world = World(brands=BRANDS)
        self._start = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None)
        self._made, self._slices = 0, first_slice - 1

    def queue(self, count: int, hour: int, hours: int = 1, *, with_rows: bool = True) -> None:
        """Queue the increments of so many events of these hours, and merge their rows too."""
        since, seconds = self._start + timedelta(hours=hour), hours * 3600
        for table, share in SHARES.items():
            rows = self._world.events(table, self._made, round(count * share), since, seconds)
            if with_rows:
                load(self._connection, table, rows)
            people = pa.array(rows["user_id"].to_numpy() * MIX)
            mixed = rows.set_column(rows.column_names.index("user_id"), "user_id", people)
            self._slices += 1
            queue_increments(self._connection, self._slices, table, increments_of(mixed))
        self._made += count
        self._connection.commit()

    def take_in(self, count: int, hours: int = 24) -> None:
        """Have the rollups take in so many events of the day's first hours; their rows stay away."""
        for _ in range(count // CHUNK):
            self.queue(CHUNK, 0, hours, with_rows=False)
            try:
                self.refresh()
            except SupersededError:  # a running stack's own session takes it in
                self._rollups = Rollups()

    def refresh(self) -> None:
        """Take in all that is queued."""
        while self._rollups.refresh(self._connection):
            pass


def main() -> int:
    """Print the costs early and late, and their ratio."""
    given = _arguments()
    with database("bench-day") as (settings, server):
        migrations.apply(settings)
        meter = Meter(server)
        with memsql.connect(settings, local_infile=True, statement_seconds=3600.0) as connection:
            day = Day(connection, Rollups())
            day.queue(given.new, 0)  # the first refresh also starts: not measured
            day.refresh()
            early = [_measured(day, given.new, 0, meter) for _ in range(TIMES)]
            day.take_in(given.day)
            meter.settle()
            late = [_measured(day, given.new, 23, meter) for _ in range(TIMES)]
    print("| | seconds | CPU own | CPU database |\n|---|---:|---:|---:|")
    for name, costs in (("early", early), ("late", late)):
        for cost in costs:
            print(f"| {name} | {cost.seconds:.2f} | {cost.own:.2f} | {cost.database:.2f} |")
    ratio = _median(late) / _median(early)
    print(f"a refresh of {given.new:,} events after {given.day:,} of the day, against the start of it: {ratio:.2f}")
    if given.figures:
        figures.record([figures.figure("rollups.day_ratio", ratio, "ratio")], given.figures)
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--day", type=int, default=20_000_000)
    parser.add_argument("--new", type=int, default=60_000)
    parser.add_argument("--figures", type=Path, help="file to write the figure to")
    return parser.parse_args()


def _measured(day: Day, count: int, hour: int, meter: Meter) -> Cost:
    day.queue(count, hour)
    meter.settle()
    before = meter.now()
    day.refresh()
    return meter.since(before)


def _median(costs: list[Cost]) -> float:
    return statistics.median(cost.own + cost.database for cost in costs)


if __name__ == "__main__":
    sys.exit(main())

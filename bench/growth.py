"""Measures whether merging new rows costs more when the tables are larger.

    python bench/growth.py --sizes 1000000 10000000 --new 100000

For each size: fills the tables and rollups of a separate database with that many events of the last 30 days; then
merges ``--new`` events of the last six hours, three times, each time as one slice per table. The result is the median
CPU of merge and database together; seconds are printed too.
"""

import argparse
import statistics
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bench import figures
from bench.landed import make_lake
from bench.merge import merge_slice, roll_up
from bench.meters import Cost, Meter
from bench.reports import DAYS, World, fill
from bench.servers import database
from pinwheel.clients import memsql, migrations
from pinwheel.core.contract import TABLES
from pinwheel.core.settings import MemsqlSettings, MergeSettings
from pinwheel.local.settings import LocalSettings
from pinwheel.merge.gate import Gate
from pinwheel.rollup.rollups import Rollups

TIMES = 3
FILL_SECONDS = 3600.0  # timeout of a statement while filling


def main() -> int:
    """Print a row per size, and the ratio of the last to the first."""
    given = _arguments()
    uri = make_lake(LocalSettings().state_dir / "bench-lakes", TIMES * given.new, given.seed, given.new)
    used = {size: cost_at(size, uri, given.new) for size in given.sizes}
    ratio = used[given.sizes[-1]] / used[given.sizes[0]]
    print(f"merging {given.new:,} rows into {given.sizes[-1]:,} against {given.sizes[0]:,}: {ratio:.2f}")
    if given.figures:
        figures.record([figures.figure("merge.growth_ratio", ratio, "ratio")], given.figures)
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=[1_000_000, 10_000_000])
    parser.add_argument("--new", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--figures", type=Path, help="file to write the figure to")
    return parser.parse_args()


def cost_at(size: int, uri: str, new: int) -> float:
    """Median CPU-seconds of merging new events into tables of that size."""
    with database(f"bench-growth-{size}") as (settings, server):
        migrations.apply(settings)
        today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None)
        with memsql.connect(settings, local_infile=True, statement_seconds=FILL_SECONDS) as connection:
            fill(connection, size, World(), today - timedelta(days=DAYS - 1))
        meter = Meter(server)
        meter.settle()
        of_merge = MergeSettings(
            **settings.model_dump(include=set(MemsqlSettings.model_fields)), lake_uri=uri, merge_slice_rows=1
        )
        costs = _merge(of_merge, meter)
    for cost in costs:
        print(f"| {size:,} | {new:,} | {cost.seconds:.1f} | {cost.own:.1f} | {cost.database:.1f} |", flush=True)
    return statistics.median(cost.own + cost.database for cost in costs)


def _merge(settings: MergeSettings, meter: Meter) -> list[Cost]:
    """Merge one landing at a time into all tables; each version is a slice, because ``merge_slice_rows`` is 1."""
    gate, rollups = Gate(settings.quarantine_max_share), Rollups()
    costs = []
    with memsql.connect(settings, local_infile=True) as connection:
        for _ in range(TIMES):
            meter.steps.clear()
            for table in TABLES:
                merge_slice(table, settings, gate, connection, meter)
            roll_up(settings, rollups, meter)
            costs.append(_sum(meter))
    return costs


def _sum(meter: Meter) -> Cost:
    sum_ = Cost()
    for cost in meter.steps.values():
        sum_.add(cost)
    return sum_


if __name__ == "__main__":
    sys.exit(main())

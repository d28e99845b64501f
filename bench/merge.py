"""Measures preparing, judging, merging and rolling up by step and by statement, without Spark and Airflow.

    python bench/merge.py --events 1000000

Makes a lake of the generator's events (once; kept for later runs), starts a separate database, and merges the tables
in turn as the merge's tasks do, in one process, so that each CPU-second of the database belongs to one statement.
"""

import argparse
import sys
from collections import defaultdict
from contextlib import closing
from pathlib import Path

from bench.landed import make_lake
from bench.meters import Cost, Meter, lines
from bench.servers import database
from pinwheel.clients import memsql
from pinwheel.clients.memsql import Connection
from pinwheel.core.contract import TABLES
from pinwheel.core.settings import MemsqlSettings, MergeSettings, StreamSettings, load
from pinwheel.local.settings import LocalSettings
from pinwheel.merge.gate import Gate
from pinwheel.merge.merge import merge, next_slice
from pinwheel.rollup.rollups import Rollups

LEAST_SECONDS = 0.02  # faster statements are not shown


def main() -> int:
    """Print the tables."""
    given = _arguments()
    uri = make_lake(given.lakes, given.events, given.seed, given.batch)
    with database("bench-merge") as (settings, server):
        of_merge = MergeSettings(
            **settings.model_dump(include=set(MemsqlSettings.model_fields)),
            lake_uri=uri,
            merge_slice_rows=given.slice_rows,
        )
        meter = Meter(server)
        gate = Gate(of_merge.quarantine_max_share)  # once per session, so not measured
        whole = meter.now()
        for table in given.tables:
            merge_table(table, of_merge, gate, meter)
        roll_up(of_merge, Rollups(), meter)
        after = meter.settle()
        report(meter, whole, after, given.least_seconds)
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--lakes", type=Path, default=LocalSettings().state_dir / "bench-lakes", help="their folder")
    parser.add_argument("--batch", type=int, default=load(StreamSettings).max_offsets_per_trigger, help="per landing")
    parser.add_argument("--slice-rows", type=int, default=load(MergeSettings).merge_slice_rows)
    parser.add_argument("--tables", nargs="*", default=list(TABLES))
    parser.add_argument("--least-seconds", type=float, default=LEAST_SECONDS, help="faster statements are not shown")
    return parser.parse_args()


def merge_table(table: str, settings: MergeSettings, gate: Gate, meter: Meter) -> None:
    """Merge a table slice by slice until the lake has no more, as a session does."""
    with memsql.connect(settings, local_infile=True) as connection:
        meter.watch(connection)
        while merge_slice(table, settings, gate, connection, meter):
            pass


def merge_slice(table: str, settings: MergeSettings, gate: Gate, connection: Connection, meter: Meter) -> bool:
    """Merge the next slice; False when there is none."""
    with meter.step(table, "1 prepare"):
        slice_ = next_slice(table, settings, connection)
    if slice_ is None:
        return False
    with closing(slice_):
        with meter.step(table, "2 judge"):
            verdict = gate.check(slice_)
        with meter.step(table, "3 merge"):
            merge(slice_, connection, verdict)
    return True


def roll_up(settings: MergeSettings, rollups: Rollups, meter: Meter) -> None:
    """Apply all queued increments to the rollups."""
    with memsql.connect(settings, local_infile=True) as connection:
        meter.watch(connection)
        with meter.step("rollups", "4 roll up"):
            while rollups.refresh(connection):
                pass


def report(meter: Meter, whole: Cost, after: Cost, least_seconds: float) -> None:
    """Print the costs by step, by table and by statement."""
    summed: dict[str, Cost] = defaultdict(Cost)
    for (_, step), cost in meter.steps.items():
        summed[step].add(cost)
    head = "times | seconds | CPU own | CPU database |"
    rule = "---:|---:|---:|---:|"
    print(f"\n| step | {head}\n|---|{rule}", *(line for line in sorted(lines(summed))), sep="\n")
    print(f"| background work afterwards | | {after.seconds:.2f} | | {after.database:.2f} |")
    spent = meter.since(whole)
    print(f"| all | | {spent.seconds:.2f} | {spent.own:.2f} | {spent.database:.2f} |")
    print(f"\n| table | step | {head}\n|---|---|{rule}", *sorted(lines(meter.steps)), sep="\n")
    print(f"\n| statement | {head}\n|---|{rule}", *lines(meter.statements, least_seconds), sep="\n")


if __name__ == "__main__":
    sys.exit(main())

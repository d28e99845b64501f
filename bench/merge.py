"""What staging, auditing and merging cost, step by step and statement by statement, without Spark and Airflow.

    python bench/merge.py --events 1000000

Makes a lake of the generator's events (once; kept for the next run), starts a database of its own, and merges table
after table as the merge's tasks do, in one process, so that each CPU-second of the database belongs to a statement.
"""

import argparse
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import TypeVar

from bench.landed import make_lake
from bench.meters import Cost, Meter, lines
from bench.servers import database
from pinwheel.clients import memsql
from pinwheel.clients.memsql import Connection
from pinwheel.core.contract import TABLES
from pinwheel.core.settings import MemsqlSettings, MergeSettings, StreamSettings, load
from pinwheel.local.settings import LocalSettings
from pinwheel.merge import stage as staging
from pinwheel.merge.audit import audit
from pinwheel.merge.gate import Gate
from pinwheel.merge.merge import merge
from pinwheel.rollup import rollups

T = TypeVar("T")
LEAST_SECONDS = 0.02  # of a statement that is shown


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
        gates = {table: prepared(table, settings) for table in given.tables}  # once per session: not what is measured
        whole = meter.now()
        for table, gate in gates.items():
            merge_table(table, of_merge, gate, meter)
        roll_up(of_merge, meter)
        after = meter.settle()
        report(meter, whole, after, given.least_seconds)
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--lakes", type=Path, default=LocalSettings().state_dir / "bench-lakes", help="where they stay")
    parser.add_argument("--batch", type=int, default=load(StreamSettings).max_offsets_per_trigger, help="a landing")
    parser.add_argument("--slice-rows", type=int, default=load(MergeSettings).merge_slice_rows)
    parser.add_argument("--tables", nargs="*", default=list(TABLES))
    parser.add_argument("--least-seconds", type=float, default=LEAST_SECONDS, help="of a statement that is shown")
    return parser.parse_args()


def prepared(table: str, settings: MemsqlSettings) -> Gate:
    """A gate as a session has it after its first slice."""
    gate = Gate(settings)
    gate.prepare(table)
    return gate


def merge_table(table: str, settings: MergeSettings, gate: Gate, meter: Meter) -> None:
    """What a session of the merge does, slice after slice until the lake has no more."""
    with memsql.connect(settings, local_infile=True) as connection:
        meter.watch(connection)
        while merge_slice(table, settings, gate, connection, meter):
            pass


def merge_slice(table: str, settings: MergeSettings, gate: Gate, connection: Connection, meter: Meter) -> bool:
    """Merge the next slice; False when there is none."""
    with split_stage(table, meter), meter.step(table, "1 stage"):
        found = staging.stage(table, settings, connection)
    if found is None:
        return False
    with meter.step(table, "2 audit"):
        audit(found, gate, connection, settings.quarantine_max_share)
    with meter.step(table, "3 merge"):
        merge(found.slice_id, connection)
    return True


def roll_up(settings: MergeSettings, meter: Meter) -> None:
    """Take all that was merged into the rollups, at once, as after a backlog, but not side by side."""
    with memsql.connect(settings) as connection, one_by_one(rollups):
        beside = connection.another()  # closed by recompute
        for each in (connection, beside):
            meter.watch(each)
        connection.another = lambda: beside  # type: ignore[method-assign]
        with meter.step("rollups", "4 roll up"):
            rollups.recompute(connection)


class _Here(Executor):
    """Does what is submitted at once."""

    def submit(self, fn: Callable[..., T], /, *args: object, **kwargs: object) -> Future[T]:
        """Done when it returns."""
        done = Future[T]()
        done.set_result(fn(*args, **kwargs))
        return done


@contextmanager
def one_by_one(module: ModuleType) -> Iterator[None]:
    """Let a module's threads wait for each other, so that each CPU-second of the database belongs to a statement."""
    kept = module.ThreadPoolExecutor
    module.ThreadPoolExecutor = lambda **_: _Here()
    try:
        yield
    finally:
        module.ThreadPoolExecutor = kept


@contextmanager
def split_stage(table: str, meter: Meter) -> Iterator[None]:
    """Count the two halves of staging: reading the change feed into a file, and loading it."""
    halves = {"_write": "1a read", "_load": "1b load"}
    kept = {name: getattr(staging, name) for name in halves}

    def counted(name: str) -> object:
        def call(*given: object) -> object:
            with meter.step(table, halves[name]):
                return kept[name](*given)

        return call

    for name in halves:
        setattr(staging, name, counted(name))
    try:
        yield
    finally:
        for name, function in kept.items():
            setattr(staging, name, function)


def report(meter: Meter, whole: Cost, after: Cost, least_seconds: float) -> None:
    """Print what everything took."""
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

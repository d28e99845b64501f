"""Measures the erasure of one person: seconds by step, and how long the stream's commits take meanwhile.

    python -m bench.erasure --events 10000000
    python -m bench.erasure --events 500000 --merged

The lake is made of the generator's events, repeated day by day with other ids. Another process lands a small batch a
second, as the stream does. With ``--merged``, a separate database has all rows, and the erasure is complete, with
merges, rollups and the scan of the database. Without it, only the lake is erased and scanned.
"""

import argparse
import multiprocessing as mp
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from statistics import quantiles
from tempfile import TemporaryDirectory
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from deltalake import DeltaTable
from pydantic import SecretStr

from bench.landed import make_lake
from bench.servers import database
from pinwheel.clients import memsql, migrations
from pinwheel.core.contract import TABLES
from pinwheel.core.mentions import Mention
from pinwheel.core.settings import EraseSettings, MemsqlSettings, MergeSettings
from pinwheel.erase import database as tables_of
from pinwheel.erase import passing, run, traces
from pinwheel.erase.ledger import Request
from pinwheel.erase.scan import Found, Id, scan_lake
from pinwheel.lake import erasure, events_table, old_files
from pinwheel.lake.files import FileWriter
from pinwheel.lake.landing import Landing
from pinwheel.local.settings import LocalSettings
from pinwheel.merge.merge import merge, next_slice
from pinwheel.rollup.rollups import Rollups

EVENTS = 500_000  # of the generator; more are these again, on other days
TOPIC = "bench"
SMALL = 100  # rows of a batch of the stream
QUIET_SECONDS = 15.0  # of the stream, before the erasure


def main() -> int:
    """Print the seconds of the steps, and of the stream's commits before and meanwhile."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--events", type=int, default=10_000_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--merged", action="store_true", help="with a database that has all rows")
    given = parser.parse_args()
    lakes = LocalSettings().state_dir / "bench-lakes"
    small = make_lake(lakes, min(given.events, EVENTS), given.seed, 250_000)
    with TemporaryDirectory(dir=lakes) as folder:
        person = repeat(small, folder, given.events)
        if not given.merged:
            measure(folder, lambda: lake_alone(folder, person))
            return 0
        with database("bench-erasure") as (settings, _):
            migrations.apply(settings)
            of_server = settings.model_dump(include=set(MemsqlSettings.model_fields))
            merging = MergeSettings(**of_server, lake_uri=folder)
            merge_all(merging)
            erasing = EraseSettings(
                **of_server,
                lake_uri=folder,
                erasure_key=SecretStr("bench"),
                topic=TOPIC,
                kafka_bootstrap="127.0.0.1:1",
                stream_dir=Path(folder, "stream"),
                quality_dir=Path(folder, "quality"),
            )
            measure(folder, lambda: whole(erasing, merging, person))
    return 0


def repeat(small: str, folder: str, events: int) -> int:
    """A lake of that many events; returns a person of it, with an id of many digits."""
    events_table.create_table(f"{folder}/events")
    landing = Landing(f"{folder}/events", TOPIC)
    rows = events_table.without_views(DeltaTable(f"{small}/events").to_pyarrow_table())
    for name in ("user_id", "pin_creator_id"):
        rows = _set(rows, name, pc.add(rows[name], 10_000_000))
    most = int(pc.max(rows["kafka_offset"]).as_py()) + 1
    for copy in range(-(-events // rows.num_rows)):
        back = pa.scalar(timedelta(days=copy))
        part = rows.slice(0, events - copy * rows.num_rows)
        for name in ("occurred_at", "kafka_timestamp"):
            part = _set(part, name, pc.subtract(part[name], back))
        part = _set(
            part, "event_date", pc.subtract(part["event_date"].cast(pa.timestamp("us")), back).cast(pa.date32())
        )
        part = _set(part, "event_id", pc.binary_join_element_wise(part["event_id"], str(copy), "-"))
        part = _set(part, "kafka_offset", pc.add(part["kafka_offset"], copy * most))
        writer = FileWriter(landing.uri)
        writer.write(part)
        landing.commit(writer.close())
    DeltaTable(landing.uri).optimize.compact()
    return int(pc.mode(rows["user_id"])[0]["mode"].as_py())


def _set(rows: pa.Table, name: str, column: Any) -> pa.Table:
    place = rows.column_names.index(name)
    return rows.set_column(place, name, column.cast(rows.schema.field(name).type))


def measure(folder: str, work: Callable[[], object]) -> None:
    """Do the work while another process lands batches; print what its commits took before and meanwhile."""
    with landing_small_batches(folder) as commits:
        time.sleep(QUIET_SECONDS)
        began = time.time()
        work()
        took = time.time() - began
        time.sleep(1)
    print(f"all of it took {took:.1f} s")
    for when, seconds in (
        ("before", [s for at, s in commits if at < began]),
        ("meanwhile", [s for at, s in commits if at >= began]),
    ):
        cuts = quantiles(seconds, n=20)
        told = f"p50 {1000 * cuts[9]:.0f} ms, p95 {1000 * cuts[18]:.0f} ms, {len(seconds)} batches"
        print(f"landing {SMALL} rows {when}: {told}")


@contextmanager
def landing_small_batches(folder: str) -> Iterator[list[tuple[float, float]]]:
    """A batch a second, in another process; the list has when and how long once the block has ended."""
    with mp.get_context("spawn").Pool(1) as pool:
        stop = Path(folder, "stop")
        landed = pool.apply_async(_land_until, (folder, str(stop)))
        commits: list[tuple[float, float]] = []
        yield commits
        stop.touch()
        commits += landed.get()


def _land_until(folder: str, stop: str) -> list[tuple[float, float]]:
    landing, took = Landing(f"{folder}/events", TOPIC), []
    day = pa.table(DeltaTable(landing.uri).get_add_actions(flatten=True))["partition.event_date"]
    newest = max(day.to_pylist())
    rows = (
        DeltaTable(landing.uri)
        .to_pyarrow_dataset(file_pruning_predicate=[("event_date", "=", str(newest))])
        .head(SMALL)
    )
    rows = events_table.without_views(rows.sort_by("kafka_partition"))
    first = max(landing.landed(p) or 0 for p in range(16))
    while not Path(stop).exists():
        offsets = pa.array(range(first, first + rows.num_rows), pa.int64())
        part = _set(_set(rows, "kafka_offset", offsets), "event_id", pc.cast(offsets, pa.string()))
        part = _set(part, "user_id", pa.array([7] * rows.num_rows, pa.int64()))
        part = _set(part, "pin_creator_id", pa.nulls(rows.num_rows, pa.int64()))
        began = time.time()
        writer = FileWriter(landing.uri)
        writer.write(part)
        landing.commit(writer.close())
        took.append((began, time.time() - began))
        first += rows.num_rows
        time.sleep(max(0.0, 1 - took[-1][1]))
    return took


def timed(name: str, work: Callable[[], Any]) -> Any:
    """Do it and print its seconds."""
    began = time.perf_counter()
    found = work()
    print(f"{name:20} {time.perf_counter() - began:6.1f} s", flush=True)
    return found


def lake_alone(folder: str, person: int) -> None:
    """The steps of an erasure that are about the lake."""
    uri, mention, found = f"{folder}/events", Mention(person), Found()
    places = timed("find", lambda: list(erasure.find(DeltaTable(uri), mention)))
    timed(f"erase {len(places)} places", lambda: [erasure.erase(uri, place, pins=False) for place in places])
    version = old_files.checkpoint(uri)
    timed("remove old files", lambda: old_files.remove(uri, version, mention, TOPIC))
    timed("shorten the log", lambda: old_files.shorten_log(uri, version))
    timed("scan the lake", lambda: scan_lake(folder, Id(person), found))
    print(f"rows erased or changed {sum(p.rows.num_rows for p in places):,}; found afterwards {dict(found.finds)}")


def merge_all(settings: MergeSettings) -> None:
    """Do the work of the sessions of the merge and the rollups."""
    with memsql.connect(settings, local_infile=True) as connection:
        for table in TABLES:
            while slice_ := next_slice(table, settings, connection):
                merge(slice_, connection)
                slice_.close()
        rollups = Rollups()
        while rollups.refresh(connection):
            pass


def whole(erasing: EraseSettings, merging: MergeSettings, person: int) -> None:
    """A complete erasure, with its steps timed."""
    for module, name in (
        (erasure, "erase"), (passing, "wait_for_merges"), (tables_of, "erase"), (old_files, "remove"),
        (old_files, "shorten_log"), (traces, "erase_files"), (run, "look"),
    ):  # fmt: skip
        function = getattr(module, name)
        setattr(module, name, lambda *a, _f=function, _n=name, **k: timed(_n, lambda: _f(*a, **k)))
    receipt = run.erase(erasing, Request(person, "bench", "ann", "bea"), lambda _: merge_all(merging))
    print(receipt)


if __name__ == "__main__":
    sys.exit(main())

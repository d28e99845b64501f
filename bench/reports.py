"""Measures each question of ``sql/questions/`` on ten million rows of the embedded MariaDB.

    python bench/reports.py --rows 10000000

Starts a separate database, fills the event tables with made-up rows, computes the rollups with the rollups' own
statements, and asks every question for an hour, a day, a week and 30 days.
"""

import argparse
import re
import shutil
import statistics
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pymysql

from bench import figures
from bench.servers import free_port, own
from pinwheel.clients import memsql
from pinwheel.clients.memsql import Connection
from pinwheel.core.contract import TABLES, reporting_columns
from pinwheel.core.increments import INCREMENTS
from pinwheel.core.settings import MemsqlSettings
from pinwheel.install.progress import PlainProgress
from pinwheel.local import environment
from pinwheel.local.settings import LocalSettings
from pinwheel.local.stack import Stack
from pinwheel.merge.load import load_table
from pinwheel.merge.merge import queue_increments
from pinwheel.rollup.rollups import Rollups

SEED = 2015
SHARES = {"repins": 0.60, "pins": 0.12, "comments": 0.13, "logins": 0.15}
PEOPLE, PINS, BRANDS = 500_000, 200_000, 400
FIRST_DAY, DAYS = datetime(2026, 3, 1), 30
RUNS = 3
PERIODS = {
    "hour": timedelta(hours=1),
    "day": timedelta(days=1),
    "week": timedelta(days=7),
    "30 days": timedelta(days=30),
}
RHYTHM = np.array([4, 3, 2, 2, 2, 2, 3, 5, 6, 6, 6, 6, 7, 7, 6, 6, 7, 8, 9, 10, 12, 12, 10, 7])  # by hour of the day
CATEGORIES = np.array([f"category {n:02}" for n in range(1, 21)])
COUNTRIES = np.array([f"{a}{b}" for a in "ABCDEFGHIJ" for b in "KLMNOPQRSTUV"])


class World:
    """Pins, people and their events, determined by the seed."""

    def __init__(self, seed: int = SEED, brands: int = BRANDS) -> None:
        self.rng = rng = np.random.default_rng(seed)
        weights = 1 / np.arange(1, PINS + 1)  # Zipf: the k-th pin gets 1/k of the first one's events
        self._limits = np.cumsum(weights / weights.sum())
        self._pin_of_rank = 1 + rng.permutation(PINS)
        self.brand_of = 1 + (brands * rng.random(PINS + 1) ** 2).astype(np.int64)
        self.has_brand = rng.random(PINS + 1) < 0.4
        self.category_of = rng.integers(0, len(CATEGORIES), PINS + 1)
        self._home_of = (len(COUNTRIES) * rng.random(PEOPLE + 1) ** 3).astype(np.int64)

    def events(self, table: str, first: int, count: int, since: datetime, seconds: int) -> pa.Table:
        """Rows of a reporting table in the order of its key; their times lie in ``seconds`` from ``since``."""
        rng = self.rng
        times = np.sort(self._times(count, since, seconds))  # ids increase with time, as in the generator
        users = 1 + (PEOPLE * rng.random(count) ** 1.5).astype(np.int64)
        pins = self._pin_of_rank[np.searchsorted(self._limits, rng.random(count)).clip(max=PINS - 1)]
        away = rng.random(count) < 0.05
        countries = np.where(away, rng.integers(0, len(COUNTRIES), count), self._home_of[users])
        values = {
            "event_id": pc.utf8_lpad(pa.array(np.arange(first, first + count)).cast(pa.string()), 36, "0"),
            "occurred_at": pa.array(times, pa.timestamp("us")),
            "occurred_hour": pa.array(times // 3_600_000_000 * 3_600_000_000, pa.timestamp("us")),
            "user_id": pa.array(users),
            "pin_id": pa.array(pins),
            "board_id": pa.array(users * 8),
            "pin_creator_id": pa.array(pins * 2),
            "brand_id": pa.array(self.brand_of[pins], mask=~self.has_brand[pins]),
            "category": pa.array(CATEGORIES[self.category_of[pins]], mask=pins % 50 == 0),
            "title": pa.array(CATEGORIES[self.category_of[pins]]),
            "pin_status": _same("cached", count),
            "text": _same("what a lovely idea for the garden", count),
            "client": _same("web", count),
            "country_code": pa.array(COUNTRIES[countries], mask=rng.random(count) < 0.04),
            "city": pa.array(COUNTRIES[countries]),
            "latitude": pa.array(rng.random(count)),
            "longitude": pa.array(rng.random(count)),
            "ip_network": _same("192.0.2.0/24", count),
            "geo_version": _same("bench", count),
            "kafka_partition": pa.array(np.zeros(count, np.int64)),
            "kafka_offset": pa.array(np.arange(first, first + count)),
            "kafka_timestamp": pa.array(times, pa.timestamp("us")),
        }
        columns = reporting_columns(TABLES[table])
        return pa.table({c.name: values.get(c.name, pa.nulls(count, pa.string())) for c in columns})

    def _times(self, count: int, since: datetime, seconds: int) -> np.ndarray:
        """Random times in microseconds since 1970: few at night, many in the evening."""
        hours = np.arange(max(1, seconds // 3600))
        shares = RHYTHM[(since.hour + hours) % 24] / RHYTHM[(since.hour + hours) % 24].sum()
        drawn = self.rng.choice(hours, count, p=shares) * 3600 + self.rng.random(count) * min(seconds, 3600)
        start = int((since - datetime(1970, 1, 1)).total_seconds())
        return ((start + drawn) * 1_000_000).astype(np.int64)


def _same(text: str, count: int) -> pa.Array:
    return pa.array(np.full(count, text))


def load(connection: Connection, table: str, rows: pa.Table) -> None:
    """LOAD DATA of one day, sorted by key: 200,000 rows take two seconds."""
    load_table(connection, table, rows)
    connection.commit()


def fill(connection: Connection, rows: int, world: World, first_day: datetime = FIRST_DAY) -> None:
    """Fill the event tables day by day, with each day's rollups."""
    rollups = Rollups()
    for day in range(DAYS):
        began = time.monotonic()
        since = first_day + timedelta(days=day)
        made = {}
        for table, share in SHARES.items():
            per_day = round(rows * share / DAYS)
            made[table] = world.events(table, day * per_day, per_day, since, 86400)
            load(connection, table, made[table])
        loaded = time.monotonic()
        roll_up(connection, rollups, len(SHARES) * day, made)
        done = time.monotonic()
        print(f"day {day + 1}: loaded in {loaded - began:.0f} s, rollups in {done - loaded:.0f} s", flush=True)
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO pin_cache (pin_id, brand_id, category, title) "
            "SELECT pin_id, MAX(brand_id), MAX(category), MAX(title) FROM pins GROUP BY pin_id"
        )
    connection.commit()


def roll_up(connection: Connection, rollups: Rollups, slice_id: int, loaded: Mapping[str, pa.Table]) -> None:
    """Apply rows that were loaded as the merge would have queued them."""
    for number, (table, rows) in enumerate(loaded.items()):
        queue_increments(connection, slice_id + number, table, increments_of(rows))
    connection.commit()
    while rollups.refresh(connection):
        pass


def increments_of(rows: pa.Table) -> pa.Table:
    """The increments of inserted rows, a row each."""
    counted = {name: rows[name] for name in INCREMENTS.names if name in rows.column_names}
    counted |= {"weight": pa.repeat(1, rows.num_rows), "at_us": rows["occurred_at"].cast(pa.int64())}
    nothing = pa.nulls(rows.num_rows)
    return pa.table({name: counted.get(name, nothing) for name in INCREMENTS.names}).cast(INCREMENTS)


@contextmanager
def database(keep: bool, name: str = "bench-reports") -> Iterator[MemsqlSettings]:
    """The embedded MariaDB with the schema, in a separate folder and on a free port; ``keep``: with its old data."""
    stack = Stack(LocalSettings(stack=name, memsql_port=free_port()))
    if not keep:
        shutil.rmtree(stack.settings.stack_dir, ignore_errors=True)
        stack = Stack(stack.settings)  # a new one, because the passwords were in the folder
    try:
        stack.start_part("memsql", PlainProgress())
        own(stack.settings, stack.settings.memsql_database)
        yield environment.memsql(stack.settings, stack.credentials, "admin")
    finally:
        stack.stop_part("memsql")


def main() -> int:
    """Fill the tables, ask the questions, print a table; returns 1 when a question fails."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rows", type=int, default=10_000_000, help="events of all types together")
    parser.add_argument("--keep", action="store_true", help="use the database that an earlier run has filled")
    parser.add_argument("--figures", type=Path, help="file to write the figure to")
    given = parser.parse_args()
    with database(given.keep) as settings:
        connection = memsql.connect(settings, local_infile=True, statement_seconds=3600)
        if not given.keep:
            fill(connection, given.rows, World())
        failed, slowest_ms = ask_all(connection)
        if given.figures:
            figures.record([figures.figure("sql.report.max_s", slowest_ms / 1000, "s")], given.figures)
        return failed


def ask_all(connection: Connection) -> tuple[int, float]:
    """Ask every question for every period; returns 1 if one failed, else 0, and the slowest's milliseconds."""
    failed, medians = 0, {}
    for name in sorted(path.stem for path in (memsql.SQL_DIR / "questions").glob("*.sql")):
        wanted = set(re.findall(r"%\((\w+)\)s", memsql.statement(f"questions/{name}")))
        periods = PERIODS if wanted & {"from_time", "from_day"} else {"": timedelta(days=1)}
        for label, length in periods.items():
            try:
                medians[name, label] = ask(connection, name, {k: v for k, v in params(length).items() if k in wanted})
            except pymysql.Error as error:
                failed = 1
                print(f"{name} {label}: {error}")
    print("| report | " + " | ".join(PERIODS) + " |\n|---|" + "---:|" * len(PERIODS))
    for name in dict.fromkeys(name for name, _ in medians):
        cells = [medians.get((name, label), medians.get((name, ""))) for label in PERIODS]
        print(f"| `{name}` | " + " | ".join("" if cell is None else f"{cell:,.0f}" for cell in cells) + " |")
    slowest = max(medians, key=lambda key: medians[key])
    print(f"\nMedian of {RUNS} warm runs, ms. Slowest: {' '.join(slowest)}, {medians[slowest]:,.0f} ms.")
    return failed, medians[slowest]


def params(length: timedelta) -> dict[str, object]:
    """Parameters of a period of that length near the end of the data; only the longest consists of whole days."""
    last = FIRST_DAY + timedelta(days=DAYS)
    start = FIRST_DAY if length == timedelta(days=DAYS) else last - timedelta(hours=5) - length
    return {
        "from_time": start,
        "to_time": start + length,
        "from_day": start.date(),
        "to_day": (start + max(length, timedelta(days=1))).date(),
        "day": (last - timedelta(days=2)).date(),
        "as_of": last - timedelta(hours=3, minutes=20),
        "kind": "pin",
        "items": ["1", "2", "3"],
        "all_brands": 1,
        "brands": [0],
        "brand_id": 1,  # the biggest
        "top": 100,
    }


def ask(connection: Connection, name: str, values: dict[str, object]) -> float:
    """Median milliseconds of ``RUNS`` warm runs."""
    memsql.fetch(connection, f"questions/{name}", values)
    took = []
    for _ in range(RUNS):
        began = time.perf_counter()
        memsql.fetch(connection, f"questions/{name}", values)
        took.append((time.perf_counter() - began) * 1000)
    return statistics.median(took)


if __name__ == "__main__":
    sys.exit(main())

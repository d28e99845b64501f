"""Measures check_quality on planted defects: recall, false alarms and cost.

    python bench/quality.py --seed 1

Made-up traffic with a daily and a weekly rhythm goes through the stream's own parser and enrichment, hour by hour. Two
weeks are history. The clean hours after them are checked for false alarms. Then each defect is planted into an hour
and checked against the same past; defects after the merge are made in a database of the run. Here a slice is an hour
of a table. A defect is found when a slice of its hour fails check_quality or else is held by the merge's gate. Clean
slices must pass both.
"""

import argparse
import math
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import psutil
import pyarrow as pa
import pyarrow.compute as pc
from deltalake import write_deltalake

from bench.landed import answer
from bench.servers import database
from expectations.measures import measures
from pinwheel.clients import memsql
from pinwheel.clients.memsql import Connection
from pinwheel.core.connections import variable
from pinwheel.core.contract import PIN_COLUMNS, ROLLUP_TABLES, TABLES, landed_columns
from pinwheel.core.errors import MemsqlError
from pinwheel.core.settings import (
    GeoSettings,
    MemsqlSettings,
    MergeSettings,
    PinLookupSettings,
    QualitySettings,
)
from pinwheel.core.times import HOUR, utc_now
from pinwheel.enrich.locations import Locator
from pinwheel.enrich.pin_sources import Answer
from pinwheel.enrich.pins import PinLookup
from pinwheel.generate.catalogue import Catalogue
from pinwheel.generate.defects import DEFECTS, Planter
from pinwheel.generate.events import Generator
from pinwheel.lake import events_table
from pinwheel.merge import ledger
from pinwheel.merge.gate import Gate
from pinwheel.merge.merge import merge, next_slice
from pinwheel.merge.prepare import Prepared
from pinwheel.quality.check import Checker
from pinwheel.quality.judge import Judge
from pinwheel.quality.profile import Hour, Profile
from pinwheel.quality.usual import expected
from pinwheel.rollup.rollups import Rollups
from spark_jobs.transforms.enrich import with_pins, with_places
from spark_jobs.transforms.parse import RECORDS_SCHEMA, Limits, Parser

FIRST = datetime(2026, 3, 2, tzinfo=UTC)  # a Monday
HISTORY_HOURS = 14 * 24
PARTITIONS = 4
Rows = Callable[[pa.Table], pa.Table]


class World:
    """Hours of traffic, as rows of the lake."""

    def __init__(self, seed: int, rows: int) -> None:
        self.seed, self.rows = seed, rows
        self.locator = Locator(GeoSettings())
        self._catalogue = Catalogue(2015)
        self._parser = Parser(Limits(65_536, 600, 30))
        self._pins = PinLookup(PinLookupSettings(), connect=_no_database, source=self)
        start_us = int(FIRST.timestamp() * 1e6)
        self._generator = Generator(self._catalogue, seed, start_us, self.locator)
        self._offset = 0

    def fetch(self, pin_ids: Sequence[int]) -> Answer:
        """Stands in for the Pin API, without the network."""
        return answer(self._catalogue, pin_ids)

    def hour(self, hour: datetime, defect: str | None = None) -> pa.Table:
        """The lake's rows of an hour, of all types, without late events and dead letters."""
        rng = np.random.default_rng((self.seed, int(hour.timestamp()), 2))
        rhythm = (1 + 0.5 * math.sin(2 * math.pi * (hour.hour - 8) / 24)) * (0.8 if hour.weekday() >= 5 else 1.0)
        count = int(self.rows * rhythm * rng.lognormal(0, 0.05))
        start_us = int(hour.timestamp() * 1e6)
        times = start_us + np.sort(rng.integers(0, 3_600_000_000, count))
        block = self._generator.block(times, hour + HOUR)
        keys, values = Planter(defect, self.seed).plant(block) if defect else (block.keys, block.values)
        # Arrival times go by position; defects that duplicate or drop records shift the others only a little.
        arrived = times[np.minimum(np.arange(len(values)) * count // max(len(values), 1), count - 1)] + 300_000
        rows = self.landed(keys, values, arrived)
        at = rows["occurred_at"]
        within = pc.and_(pc.greater_equal(at, pa.scalar(hour)), pc.less(at, pa.scalar(hour + HOUR)))
        return rows.filter(pc.and_kleene(within, pc.not_equal(rows["event_type"], "dead_letter")))

    def records(self, hour: datetime, count: int) -> tuple[list[bytes], list[bytes | None], np.ndarray]:
        """Keys, values and arrival times of ``count`` events of an hour."""
        times = int(hour.timestamp() * 1e6) + np.arange(count) * (3_600_000_000 // count)
        blocks = [self._generator.block(times[n : n + 20_000], hour + HOUR) for n in range(0, count, 20_000)]
        return [k for b in blocks for k in b.keys], [v for b in blocks for v in b.values], times + 300_000

    def landed(self, keys: list[bytes], values: list[bytes | None], arrived: np.ndarray) -> pa.Table:
        """The lake's rows of these records."""
        offsets = np.arange(self._offset, self._offset + len(values))
        self._offset += len(values)
        records = pa.table(
            {
                "value": pa.array(values, pa.binary()),
                "value_bytes": pa.array([v if v is None else len(v) for v in values], pa.int32()),
                "kafka_partition": pa.array([int(key) % PARTITIONS for key in keys], pa.int32()),
                "kafka_offset": offsets,
                "kafka_timestamp": pa.array(arrived).cast(pa.timestamp("us", "UTC")),
            }
        ).cast(RECORDS_SCHEMA)
        parsed = self._parser.parse(records)
        return with_places(with_pins(parsed, self._pins), self.locator).select(events_table.arrow_schema().names)


def _no_database() -> Connection:
    raise MemsqlError("this benchmark has no database with pin_cache: pins come from the catalogue")


def _set(column: str, value: Callable[[pa.Table], pa.Array]) -> Rows:
    return lambda rows: rows.set_column(rows.column_names.index(column), column, value(rows))


def _taken(column: str, order: pa.Array) -> Rows:
    return _set(column, lambda rows: rows[column].take(order))


def _shuffled_places(rows: pa.Table) -> pa.Table:
    order = pa.array(np.random.default_rng(1).permutation(rows.num_rows))
    for column in ("country_code", "region", "city", "latitude", "longitude"):
        rows = _taken(column, order)(rows)
    return rows


def _swapped_degrees(rows: pa.Table) -> pa.Table:
    swapped = _set("latitude", lambda r: r["longitude"])(rows)
    return _set("longitude", lambda _: rows["latitude"])(swapped)


def _nulled(column: str, share: float) -> Rows:
    return _set(
        column,
        lambda r: pc.if_else(
            pa.array(np.random.default_rng(2).random(r.num_rows) < share), pa.scalar(None, r[column].type), r[column]
        ),
    )


def _pins_mixed_up(rows: pa.Table) -> pa.Table:
    """A tenth of the rows get another row's pin columns."""
    moved = np.arange(rows.num_rows)
    hit = np.random.default_rng(3).random(rows.num_rows) < 0.1
    moved[hit] = np.roll(moved[hit], 1)
    for column in PIN_COLUMNS:
        rows = _taken(column.name, pa.array(moved))(rows)
    return rows


# Defects between Kafka and the lake, not of producers.
LANDED: dict[str, Rows] = {
    "a Kafka partition is missing": lambda r: r.filter(pc.not_equal(r["kafka_partition"], 2)),
    "latitude and longitude swapped": _swapped_degrees,
    "places of other people": _shuffled_places,
    "no places": lambda r: _nulled("latitude", 1.0)(_nulled("country_code", 1.0)(r)),
    "a third without a country": _nulled("country_code", 0.33),
    "a fifth without a brand": _nulled("brand_id", 0.5),
    "all pins pending": _set("pin_status", lambda r: pc.if_else(pc.is_valid(r["pin_status"]), "pending", None)),
    "twenty minutes of silence": lambda r: r.filter(pc.greater_equal(pc.minute(r["occurred_at"]), 20)),
    "pins mixed up": _pins_mixed_up,
    "every record landed twice": lambda r: pa.concat_tables(
        [r, _set("event_id", lambda t: pc.binary_join_element_wise(t["event_id"], "2", "-"))(r)]
    ),
}
# Defects after the merge; `repins` has about 600 rows per hour here.
SQL_DEFECTS = (
    "DELETE FROM repins ORDER BY event_id LIMIT 1",
    "DELETE FROM repins WHERE kafka_partition = 1",
    "UPDATE repins SET category = 'getaways' WHERE category IS NOT NULL ORDER BY event_id LIMIT 1",
    "UPDATE repins SET country_code = NULL ORDER BY event_id LIMIT 3",
    "UPDATE logins SET client = 'ios' WHERE client = 'web'",
    "UPDATE comments SET text = LEFT(text, 3)",
    "UPDATE pins SET brand_id = 1 WHERE brand_id = 2",
    "UPDATE repins SET occurred_at = occurred_at + INTERVAL 1 SECOND ORDER BY event_id LIMIT 1",
    "INSERT INTO repins SELECT CONCAT(event_id, ' '), occurred_at, occurred_hour, user_id, pin_id, board_id, "
    "pin_creator_id, brand_id, category, pin_status, country_code, region, city, latitude, longitude, ip_network, "
    "geo_version, kafka_partition, kafka_offset, kafka_timestamp FROM repins ORDER BY event_id LIMIT 20",
    "INSERT INTO logins SELECT UPPER(event_id), occurred_at, occurred_hour, user_id, client, country_code, region, "
    "city, latitude, longitude, ip_network, geo_version, kafka_partition, kafka_offset, kafka_timestamp FROM logins "
    "WHERE BINARY event_id <> UPPER(event_id) LIMIT 20",
    "UPDATE brand_hourly SET repins = repins * 1000",
    "UPDATE brand_hourly SET unique_people = unique_people + 1 LIMIT 1",
    "DELETE FROM brand_hourly LIMIT 1",
    "UPDATE category_hourly SET comments = comments + 1 LIMIT 1",
    "DELETE FROM category_hourly WHERE category = 'travel'",
    "UPDATE brand_daily SET pins = pins + 1 LIMIT 1",
    "DELETE FROM brand_daily LIMIT 1",
    "UPDATE brand_country_daily SET repins = 0",
    "DELETE FROM brand_country_daily LIMIT 1",
    "TRUNCATE TABLE comments",
    "UPDATE people_daily SET bits = 0 ORDER BY chunk LIMIT 1",
    "UPDATE person_homes SET country_code = 'AQ'",
    "UPDATE pin_firsts SET repinned_at = NULL",
)


class Reporting:
    """A lake and a reporting database for the run."""

    def __init__(self, settings: MemsqlSettings, folder: Path) -> None:
        values = settings.model_dump(include=set(MemsqlSettings.model_fields))
        self.uri = str(folder / "lake")
        events_table.create_table(f"{self.uri}/events")
        self.connection = memsql.connect(settings, local_infile=True)
        self.quality = QualitySettings(**values, **GeoSettings().model_dump(), lake_uri=self.uri)
        self._merging = MergeSettings(**values, lake_uri=self.uri)
        self._gate = Gate(self._merging.quarantine_max_share)
        self._rollups = Rollups()

    def land(self, rows: pa.Table) -> None:
        """Append to the lake."""
        write_deltalake(f"{self.uri}/events", rows.cast(events_table.arrow_schema()), mode="append")

    def merge(self) -> None:
        """Merge everything in the lake, and apply it to the rollups."""
        for slice_ in self._slices():
            merge(slice_, self.connection, self._gate.check(slice_))
        while self._rollups.refresh(self.connection):
            pass

    def held(self, rows: pa.Table) -> dict[str, list[str]]:
        """Table -> reasons for which the gate holds these rows; they are judged, but never merged."""
        self.land(rows)
        reasons = {}
        for slice_ in self._slices():
            verdict = self._gate.check(slice_)
            if verdict.held:
                reasons[slice_.table] = list(verdict.reasons)
            with memsql.transaction(self.connection):
                ledger.advance(self.connection, slice_.table, slice_.shard, slice_.versions, {})
        return reasons

    def _slices(self) -> Iterator[Prepared]:
        for table in TABLES:
            while (slice_ := next_slice(table, self._merging, self.connection)) is not None:
                with closing(slice_):
                    yield slice_


class Watch:
    """The checks of the lake's measures, with their own past."""

    def __init__(self, world: World, judge: Judge) -> None:
        self._world, self._judge = world, judge
        self._past: dict[str, list[Profile]] = {table: [] for table in TABLES}

    def check(self, rows: pa.Table, hour: datetime, *, judged: bool, kept: bool) -> dict[str, list[str]]:
        """Table -> measures that failed, if ``judged``; adds the hour to the past, if ``kept``."""
        unmet = {}
        for table, kind in TABLES.items():
            columns = landed_columns(kind)
            of_kind = rows.filter(pc.equal(rows["event_type"], kind.name)).select(columns)
            mine = Hour([(of_kind, "TRUE")], kind, hour)
            profile = mine.profile(self._world.locator)
            mine.close()
            if judged:
                usual = expected(profile, self._past[table], measures(kind))
                verdicts = self._judge.hour(profile, profile.values, usual, False)
                unmet[table] = [v.measure for v in verdicts if not v.is_met]
            if kept:
                self._past[table].append(profile)
        return unmet


def main() -> int:
    """Run the benchmark and print its results."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rows", type=int, default=6000, help="events of an average hour")
    parser.add_argument("--clean", type=int, default=50, help="number of clean hours, of four slices each")
    parser.add_argument("--defects", type=int, default=100, help="number of planted defects")
    parser.add_argument("--cost-rows", type=int, default=0, help="only measure the cost, with that many events")
    given = parser.parse_args()
    if given.cost_rows:
        _cost(World(given.seed, given.rows), given.cost_rows)
        return 0
    world, judge = World(given.seed, given.rows), Judge(None)
    watch = Watch(world, judge)
    for n in range(HISTORY_HOURS):
        watch.check(world.hour(FIRST + n * HOUR), FIRST + n * HOUR, judged=False, kept=True)
    clean_from = FIRST + HISTORY_HOURS * HOUR
    with database("bench-quality") as (settings, _), tempfile.TemporaryDirectory() as folder:
        reporting = Reporting(settings, Path(folder))
        results = list(_past_the_merge(world, judge, clean_from, reporting))[: given.defects]
        alarms = _clean(world, watch, reporting, clean_from, given.clean)
        planted_from = clean_from + given.clean * HOUR
        results += _planted(world, watch, reporting, planted_from, given.defects - len(results))
    missed = [name for name, found in results if not found]
    print(f"defects planted={len(results)} found={len(results) - len(missed)} missed={missed}")
    print(f"clean slices={given.clean * len(TABLES)} false_alarms={alarms}")
    return 0


def _clean(world: World, watch: Watch, reporting: Reporting, start: datetime, hours: int) -> int:
    alarms = 0
    for n in range(hours):
        hour = start + n * HOUR
        rows = world.hour(hour)
        unmet = {table: names for table, names in watch.check(rows, hour, judged=True, kept=True).items() if names}
        held = reporting.held(rows)
        alarms += len({*unmet, *held})
        if unmet or held:
            print(f"false alarm hour={hour:%Y-%m-%dT%H} unmet={unmet} held={held}")
    return alarms


def _planted(
    world: World, watch: Watch, reporting: Reporting, start: datetime, count: int
) -> Iterator[tuple[str, bool]]:
    """Plant ``count`` defects of producers and of the landing, in turn, each in an hour of the day after ``start``."""
    kinds: list[tuple[str, str | None, Rows | None]] = [
        *((name, name, None) for name in DEFECTS),
        *((name, None, spoil) for name, spoil in LANDED.items()),
    ]
    for n in range(count):
        name, defect, spoil = kinds[n % len(kinds)]
        hour = start + (n * 7 % 24) * HOUR
        rows = world.hour(hour, defect)
        rows = spoil(rows) if spoil else rows
        unmet = {table: names for table, names in watch.check(rows, hour, judged=True, kept=False).items() if names}
        held = {} if unmet else reporting.held(rows)
        print(f"{'found ' if unmet or held else 'MISSED'} {name} hour={hour:%H} unmet={unmet} held={held}")
        yield name, bool(unmet or held)


def _past_the_merge(world: World, judge: Judge, hour: datetime, reporting: Reporting) -> Iterator[tuple[str, bool]]:
    """Merge an hour, then plant each defect into the reporting tables and restore them."""
    connection = reporting.connection
    reporting.land(world.hour(hour))
    reporting.merge()
    checker = Checker(reporting.quality, connection, judge)
    broken = ("pins", "repins", "comments", "logins", *ROLLUP_TABLES)
    _run(connection, *(f"CREATE TABLE kept_{t} AS SELECT * FROM {t}" for t in broken))  # noqa: S608
    if before := _unmet(checker, hour):
        raise SystemExit(f"the merged hour is not clean: {before}")
    for defect in SQL_DEFECTS:
        _run(connection, defect)
        unmet = _unmet(checker, hour)
        print(f"{'found ' if unmet else 'MISSED'} {defect[:60]} {unmet}")
        yield defect, bool(unmet)
        for t in broken:
            _run(connection, f"DELETE FROM {t}", f"INSERT INTO {t} SELECT * FROM kept_{t}")  # noqa: S608


def _unmet(checker: Checker, hour: datetime) -> dict[str, list[str]]:
    outcomes = checker.hours([hour], utc_now)
    return {o.table: [v.measure for v in o.unmet] for o in outcomes if o.unmet}


def _cost(world: World, rows: int) -> None:
    """CPU-seconds of checking an hour, compared with those of landing and merging it; the database's are included.

    Landing is without Spark and Kafka, and each table has one slice, so the ratio is larger than in a running stack.
    """
    hour = FIRST
    keys, values, arrived = world.records(hour, rows)
    with database("bench-quality") as (settings, _), tempfile.TemporaryDirectory() as folder:
        with _cpu("landing and merging") as work:
            landed = world.landed(keys, values, arrived)
            reporting = Reporting(settings, Path(folder))
            reporting.land(landed)
            reporting.merge()
        quality = reporting.quality.model_copy(update={"quality_dir": Path(folder) / "quality"})
        with _cpu("checking, in a separate process") as checking:
            environment = {**os.environ, **{variable(k): str(v) for k, v in _plain(quality).items()}}
            asked = f"'{hour:%Y-%m-%dT%H}', '{hour + HOUR:%Y-%m-%dT%H}'"
            code = f"from pinwheel.quality.run import run; print(run({asked}))"
            subprocess.run((sys.executable, "-c", code), env=environment, check=True)
    print(f"rows={landed.num_rows} checking/(landing+merging)={checking[0] / work[0]:.3f}")


def _plain(settings: QualitySettings) -> dict[str, object]:
    """Settings for the environment of another process, with the secret in plain text."""
    secret = settings.memsql_password.get_secret_value()
    return {k: v for k, v in settings.model_dump().items() if v is not None} | {"memsql_password": secret}


@contextmanager
def _cpu(what: str) -> Iterator[list[float]]:
    """Measure CPU-seconds of this process, its ended children, and the database."""
    (server,) = [p for p in psutil.Process().children(recursive=True) if p.name() == "mariadbd"]

    def used() -> float:
        times = os.times()
        own = times.user + times.system + times.children_user + times.children_system
        return own + sum(server.cpu_times()[:2])

    before, spent = used(), [0.0]
    yield spent
    spent[0] = used() - before
    print(f"{what}: {spent[0]:.1f} CPU-seconds")


def _run(connection: Connection, *statements: str) -> None:
    with connection.cursor() as cursor:
        for sql in statements:
            cursor.execute(sql)
    connection.commit()


if __name__ == "__main__":
    sys.exit(main())

"""Measures the trends on planted bursts: recall, delay, false alarms and cost.

    python -m bench.trends --seed 1

Queues made-up repins minute by minute in a MariaDB of the run, as merges do, and refreshes the rollups and the trends
after each minute. Three parts of the world have daily rhythms, eight hours apart, each with three times as many repins
at its peak as at its trough. Pins and countries follow Zipf's law, and a pin's popularity differs between the parts. An
event is merged seconds after it happened; one in a hundred is up to half an hour late.

A burst multiplies the rate of a pin, category, brand or country by 3 or by 10 for 5 to 20 minutes. It counts as found
when its item is among the trends at most 3 minutes after its end. Other items that a burst raises (its pin's category,
its category's pins) are no false alarms while at least a fifth of their repins are the burst's; all others are.
"""

import argparse
import math
import os
import statistics
import sys
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import numpy as np
import psutil
import pyarrow as pa

from bench.reports import database, roll_up
from pinwheel.clients import memsql
from pinwheel.clients.memsql import Connection
from pinwheel.core.times import aware
from pinwheel.rollup.rollups import Rollups
from pinwheel.rollup.trends import refresh

START = datetime(2026, 3, 14)
PINS, BRANDS, CATEGORIES, COUNTRIES, PARTS = 20_000, 300, 24, 40, 3  # countries: of each part of the world
PART_SHARES = np.array([0.45, 0.35, 0.2])
SWING = 0.5  # amplitude of a part's rate over its day, relative to the mean
WARM_UP = 90  # minutes before the first burst
PLANTED = (("pin", 26), ("category", 8), ("brand", 8), ("country", 8))
FACTORS = (3, 10)
GRACE, FRESH = 3, 10  # minutes: a burst may be found so long after its end; an item gone for longer is a new alarm
ECHO_SHARE = 0.2
Draw = tuple[np.ndarray, np.ndarray, np.ndarray]  # seconds since the start, pin, country


@dataclass
class Burst:
    """One planted burst of an item. Times in minutes since the start."""

    kind: str
    item: str
    factor: int
    onset: float
    end: float
    base: float  # repins a minute without it
    found: float | None = field(default=None)  # minutes from the onset


class World:
    """Repins of made-up people, determined by the seed."""

    def __init__(self, seed: int, per_minute: float) -> None:
        self.rng = rng = np.random.default_rng(seed)
        self._per_minute = per_minute
        fame = (1 / np.arange(1, PINS + 1)) * rng.lognormal(0, 0.7, (PARTS, PINS))  # Zipf, but different in each part
        self.pin_shares = fame / fame.sum(axis=1, keepdims=True)
        size = 1 / np.arange(1, COUNTRIES + 1)
        self.country_shares = size / size.sum()
        self.category_of = rng.integers(0, CATEGORIES, PINS)
        self.brand_of = np.where(rng.random(PINS) < 0.4, (BRANDS * rng.random(PINS) ** 2).astype(int), -1)

    def rates(self, minute: float) -> np.ndarray:
        """Repins per minute, by part of the world."""
        hours = minute / 60 + np.arange(PARTS) * 8
        return self._per_minute * PART_SHARES * (1 + SWING * np.sin(2 * math.pi * hours / 24))

    def members(self, kind: str, item: str) -> tuple[np.ndarray, np.ndarray]:
        """An item's repins as shares of each part's repins: by part and pin, and by part and country."""
        pins, countries = self.pin_shares, np.tile(self.country_shares, (PARTS, 1))
        if kind == "country":
            part, nth = divmod(int(item), COUNTRIES)
            return pins * (np.arange(PARTS) == part)[:, None], countries * (np.arange(COUNTRIES) == nth)
        own = {"pin": np.arange(PINS), "category": self.category_of, "brand": self.brand_of}[kind] == int(item)
        return pins * own, countries

    def rate(self, kind: str, item: str, minute: float) -> float:
        """Repins per minute of an item without bursts."""
        pins, countries = self.members(kind, item)
        return float((self.rates(minute) * pins.sum(axis=1) * countries.sum(axis=1)).sum())

    def usual(self, minute: int) -> Draw:
        """The repins of a minute without bursts."""
        return _joined([self._drawn(p, r, minute, 1) for p, r in enumerate(self.rates(minute))])

    def added(self, burst: Burst, minute: int) -> Draw:
        """The repins that a burst adds to a minute."""
        start, end = max(minute, burst.onset), min(minute + 1, burst.end)
        pins, countries = self.members(burst.kind, burst.item)
        rates = self.rates(minute) * pins.sum(axis=1) * countries.sum(axis=1) * (burst.factor - 1)
        within = [(p, r) for p, r in enumerate(rates) if r > 0 and end > start]
        return _joined([self._drawn(p, r, start, end - start, pins[p], countries[p]) for p, r in within])

    def _drawn(
        self,
        part: int,
        rate: float,
        start: float,
        length: float,
        pins: np.ndarray | None = None,
        countries: np.ndarray | None = None,
    ) -> Draw:
        count = self.rng.poisson(rate * length)
        seconds = (start + length * self.rng.random(count)) * 60
        pin = self._pick(self.pin_shares[part] if pins is None else pins, count)
        country = self._pick(self.country_shares if countries is None else countries, count)
        return seconds, pin, part * COUNTRIES + country

    def _pick(self, shares: np.ndarray, count: int) -> np.ndarray:
        limits = np.cumsum(shares)
        picked: np.ndarray = np.searchsorted(limits, self.rng.random(count) * limits[-1], side="right")
        return picked.clip(max=len(shares) - 1)


def _joined(draws: list[Draw]) -> Draw:
    return tuple(np.concatenate([np.empty(0, int), *parts]) for parts in zip(*draws, strict=True)) or (  # type: ignore[return-value]
        np.empty(0),
        np.empty(0, int),
        np.empty(0, int),
    )


def planted(world: World, minutes: int, least: float) -> list[Burst]:
    """Bursts of items with at least ``least`` repins per minute; their factors alternate."""
    rng, bursts, n = world.rng, [], 0
    for kind, count in PLANTED:
        known = {"pin": PINS // 20, "category": CATEGORIES, "brand": BRANDS, "country": PARTS * COUNTRIES}[kind]
        tried = iter(rng.permutation(known))
        for _ in range(count):
            onset, length = WARM_UP + rng.random() * (minutes - WARM_UP - 25), rng.uniform(5, 20)
            item = next(str(i) for i in tried if world.rate(kind, str(i), onset) >= least)
            base = world.rate(kind, item, onset)
            bursts.append(Burst(kind, item, FACTORS[n % 2], onset, onset + length, base))
            n += 1
    return bursts


class Truth:
    """Each item's repins per minute, without and by bursts."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._counts: dict[tuple[str, str], dict[int, list[int]]] = defaultdict(lambda: defaultdict(lambda: [0, 0]))

    def add(self, minute: int, draw: Draw, is_burst: bool) -> None:
        """Add a minute's repins."""
        _, pin, country = draw
        keys = {
            "pin": pin,
            "category": self._world.category_of[pin],
            "brand": self._world.brand_of[pin],
            "country": country,
        }
        for kind, items in keys.items():
            for item, count in zip(*np.unique(items, return_counts=True), strict=True):
                self._counts[kind, str(item)][minute][is_burst] += int(count)

    def is_raised(self, kind: str, item: str, minute: int) -> bool:
        """Whether bursts made ``ECHO_SHARE`` of the item's repins in the last 2, 5, 15 or 30 minutes."""
        of_item = self._counts[kind, item]
        for length in (2, 5, 15, 30):
            usual, extra = np.sum([of_item[m] for m in range(minute - length, minute + 1)], axis=0)
            if extra >= ECHO_SHARE * (usual + extra) and extra:
                return True
        return False


class Merges:
    """Slices of ``repins``, merged and rolled up. The rollups do not read the table itself, so it stays empty."""

    def __init__(self, connection: Connection, world: World) -> None:
        self._connection, self._world = connection, world
        self._waiting: list[tuple[np.ndarray, Draw]] = []
        self._now = START
        self._rollups = Rollups(now=lambda: aware(self._now))
        self._slices, self.rows = 0, 0

    def happen(self, draw: Draw) -> None:
        """Add events, to be merged some seconds or minutes later."""
        rng, count = self._world.rng, len(draw[0])
        late = np.where(rng.random(count) < 0.01, rng.uniform(60, 1800, count), rng.uniform(3, 12, count))
        self._waiting.append((draw[0] + late, draw))

    def merge(self, until: float) -> None:
        """Roll up the events that have arrived by then, in seconds since the start."""
        ready = [tuple(column[at < until] for column in draw) for at, draw in self._waiting]
        kept = [(at[at >= until], tuple(column[at >= until] for column in draw)) for at, draw in self._waiting]
        self._waiting = [pair for pair in kept if len(pair[0])]  # type: ignore[misc]
        seconds, pin, country = _joined(ready)  # type: ignore[arg-type]
        self._now = START + timedelta(seconds=until)
        self._slices += 1
        roll_up(self._connection, self._rollups, self._slices, {"repins": self._rows(seconds, pin, country)})

    def _rows(self, seconds: np.ndarray, pin: np.ndarray, country: np.ndarray) -> pa.Table:
        count = len(seconds)
        self.rows += count
        since = int((START - datetime(1970, 1, 1)).total_seconds() * 1e6)
        times = (since + seconds * 1e6).astype(np.int64)
        brand = self._world.brand_of[pin]
        return pa.table(
            {
                "occurred_at": pa.array(times, pa.timestamp("us")),
                "user_id": pa.array(np.arange(count)),
                "pin_id": pa.array(pin),
                "brand_id": pa.array(brand, mask=brand < 0),
                "category": pa.array(self._world.category_of[pin]).cast(pa.string()),
                "country_code": pa.array(np.char.add(_letters(country // 26), _letters(country % 26))),
            }
        )


def _letters(numbers: np.ndarray) -> np.ndarray:
    return (numbers.astype(np.uint32) + ord("A")).view("U1") if len(numbers) else np.empty(0, "U1")


def _item(kind: str, text: str) -> str:
    """A trend's item as the world numbers it."""
    return str((ord(text[0]) - 65) * 26 + ord(text[1]) - 65) if kind == "country" else text


class Watch:
    """Classifies the trends: found bursts, echoes of bursts, false alarms."""

    def __init__(self, bursts: list[Burst], truth: Truth) -> None:
        self._bursts, self._truth = bursts, truth
        self._seen: dict[tuple[str, str], int] = {}
        self.echoes, self.alarms = 0, 0

    def look(self, minute: int, rows: list[memsql.Row]) -> None:
        """Classify the trends of a time, ``minute`` minutes after the start."""
        for row in rows:
            key = (row["kind"], _item(row["kind"], row["item"]))
            fresh = minute - self._seen.get(key, -FRESH - 1) > FRESH
            self._seen[key] = minute
            own = [b for b in self._bursts if (b.kind, b.item) == key and b.onset < minute <= b.end + GRACE]
            for burst in own:
                burst.found = minute - burst.onset if burst.found is None else burst.found
            if fresh and not own:
                self._count_unplanted(minute, key, row)

    def _count_unplanted(self, minute: int, key: tuple[str, str], row: memsql.Row) -> None:
        if self._truth.is_raised(*key, minute):
            self.echoes += 1
            return
        self.alarms += 1
        print(f"false alarm minute={minute} {key} {row}", flush=True)


def simulate(connection: Connection, given: argparse.Namespace) -> None:
    """Simulate the hours minute by minute, and print the results."""
    world = World(given.seed, given.rate)
    minutes = WARM_UP + given.hours * 60
    bursts = planted(world, minutes, given.least)
    truth = Truth(world)
    merges, watch = Merges(connection, world), Watch(bursts, truth)
    costs = []
    for minute in range(minutes):
        for is_burst, draw in _draws(world, bursts, minute):
            truth.add(minute, draw, is_burst)
            merges.happen(draw)
        merges.merge((minute + 1) * 60)
        before = _cpu()
        refresh(connection, aware(START + timedelta(minutes=minute + 1)))
        costs.append(_cpu() - before)
        with connection.cursor() as cursor:
            cursor.execute("SELECT * FROM trends")
            watch.look(minute + 1, list(cursor.fetchall()))
        connection.commit()
    _print_results(bursts, watch, given, merges.rows, costs)


def _draws(world: World, bursts: list[Burst], minute: int) -> Iterator[tuple[bool, Draw]]:
    yield False, world.usual(minute)
    for burst in bursts:
        if burst.onset < minute + 1 and burst.end > minute:
            yield True, world.added(burst, minute)


def _cpu() -> float:
    """CPU-seconds of this process and the database."""
    servers = [p for p in psutil.Process().children(recursive=True) if p.name() == "mariadbd"]
    return sum(os.times()[:2]) + sum(sum(s.cpu_times()[:2]) for s in servers)


def _print_results(bursts: list[Burst], watch: Watch, given: argparse.Namespace, rows: int, costs: list[float]) -> None:
    print("| burst | planted | found | recall | median minutes to be found |\n|---|---:|---:|---:|---:|")
    groups = [*((f"x {f}", [b for b in bursts if b.factor == f]) for f in FACTORS), ("all", bursts)]
    for name, group in groups:
        found = [b.found for b in group if b.found is not None]
        middle = f"{statistics.median(found):.1f}" if found else ""
        print(f"| {name} | {len(group)} | {len(found)} | {len(found) / len(group):.0%} | {middle} |")
    for burst in (b for b in bursts if b.found is None):
        print(f"missed {burst}")
    usual = costs[WARM_UP:]
    print(f"false alarms: {watch.alarms} in {given.hours} h; risen with a burst: {watch.echoes}; repins: {rows:,}")
    middle, mean = (f"{found(usual):.2f}" for found in (statistics.median, statistics.mean))
    print(f"a refresh of the trends: median {middle}, mean {mean} CPU-seconds")


def main() -> int:
    """Run the simulation."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--hours", type=int, default=5, help="simulated, after the warm-up")
    parser.add_argument("--rate", type=float, default=6000, help="repins per minute, of all items")
    parser.add_argument("--least", type=float, default=10, help="least usual repins per minute of an item that bursts")
    given = parser.parse_args()
    with database(keep=False) as settings, memsql.connect(settings, local_infile=True) as connection:
        simulate(connection, given)
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""Makes lakes of the generator's events in this process, for benchmarks of the steps after the landing."""

import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa

from pinwheel.clients.memsql import Connection
from pinwheel.core.errors import MemsqlError
from pinwheel.core.settings import GeoSettings, PinLookupSettings, StreamSettings, load
from pinwheel.core.times import naive
from pinwheel.enrich.locations import Locator
from pinwheel.enrich.pin_sources import Answer, Connect, read_pin
from pinwheel.enrich.pins import PinLookup
from pinwheel.generate.catalogue import Catalogue
from pinwheel.generate.events import Generator
from pinwheel.lake import events_table
from pinwheel.lake.files import FileWriter
from pinwheel.lake.landing import Landing
from spark_jobs.transforms.enrich import with_pins, with_places
from spark_jobs.transforms.parse import RECORDS_SCHEMA, Limits, Parser

PARTITIONS = 4
HOURS = 6
BLOCK = 20_000  # as in the generator
CHUNK = 50_000  # as in a landing task
TOPIC = "bench"


class Lander:
    """Makes rows of the lake from the generator's records with the stream's own parser and enrichment.

    Args:
        events: number of events, spread over the ``HOURS`` before now.
        seed: seed of the generator.
        connect: opens the database with ``pin_cache``; None: all pins are fetched.
    """

    def __init__(self, events: int, seed: int, connect: Connect | None = None) -> None:
        settings = load(StreamSettings)
        self.parser = Parser(Limits(settings.max_value_bytes, settings.max_future_seconds, settings.max_past_days))
        self.pins = PinLookup(load(PinLookupSettings), connect=connect or _no_database, source=self)
        self.locator = Locator(load(GeoSettings))
        self._catalogue = Catalogue()
        self._now = datetime.now(UTC)
        end_us = int(self._now.timestamp() * 1e6)
        self._times = end_us - np.arange(events, 0, -1) * (HOURS * 3_600_000_000 // events)
        self._generator = Generator(self._catalogue, seed, int(self._times[0]), self.locator)
        self._next = dict.fromkeys(range(PARTITIONS), 0)
        self._made = 0

    def fetch(self, pin_ids: Sequence[int]) -> Answer:
        """Stands in for the Pin API, without the network."""
        return answer(self._catalogue, pin_ids)

    def land(self, uri: str, batch: int) -> None:
        """Land all events in commits of ``batch``."""
        events_table.create_table(f"{uri}/events")
        landing = Landing(f"{uri}/events", TOPIC)
        while self._made < len(self._times):
            writer = FileWriter(landing.uri)
            for records in self.records(batch):
                writer.write(self._enriched(records))
            landing.commit(writer.close())

    def records(self, count: int) -> list[pa.Table]:
        """The next ``count`` records, in chunks as a task gets them."""
        times = self._times[self._made : self._made + count]
        self._made += len(times)
        blocks = [self._generator.block(times[n : n + BLOCK], self._now) for n in range(0, len(times), BLOCK)]
        keys = np.array([int(key) for block in blocks for key in block.keys])
        records = self._records(keys, [value for block in blocks for value in block.values])
        return [records[n : n + CHUNK] for n in range(0, records.num_rows, CHUNK)]

    def _records(self, keys: np.ndarray, values: list[bytes | None]) -> pa.Table:
        partitions = keys % PARTITIONS
        offsets = np.zeros(len(keys), np.int64)
        for partition, first in self._next.items():
            mine = np.flatnonzero(partitions == partition)
            offsets[mine] = first + np.arange(len(mine))
            self._next[partition] = first + len(mine)
        columns = {
            "value": pa.array(values, pa.binary()),
            "value_bytes": pa.array([None if v is None else len(v) for v in values], pa.int32()),
            "kafka_partition": pa.array(partitions, pa.int32()),
            "kafka_offset": pa.array(offsets),
            "kafka_timestamp": pa.array(np.full(len(keys), naive(self._now), "datetime64[us]")),
        }
        return pa.table(columns).cast(RECORDS_SCHEMA)

    def _enriched(self, records: pa.Table) -> pa.Table:
        rows = with_places(with_pins(self.parser.parse(records), self.pins), self.locator)
        return rows.select(events_table.arrow_schema().names)


def make_lake(folder: Path, events: int, seed: int, batch: int) -> str:
    """Make a lake of that many events under ``folder``, unless there is one; returns its path."""
    lake = folder / f"{events}-{seed}-{batch}"
    if not (lake / "whole").exists():
        began = time.monotonic()
        Lander(events, seed).land(str(lake), batch)
        (lake / "whole").touch()
        print(f"made a lake of {events:,} events in {time.monotonic() - began:.0f} s")
    return str(lake)


def answer(catalogue: Catalogue, pin_ids: Sequence[int]) -> Answer:
    """The answer of a Pin API."""
    pins = {i: catalogue.pin(i) for i in pin_ids}
    rows = {i: row for i, pin in pins.items() if pin and (row := read_pin(pin))}
    return Answer(rows, {i for i, pin in pins.items() if not pin})


def _no_database() -> Connection:
    raise MemsqlError("this benchmark has no database with pin_cache")

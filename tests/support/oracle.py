"""The expected lake and reporting tables after a stream, computed from the events that were sent."""

import json
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar

import pyarrow as pa
from confluent_kafka import Consumer, KafkaError, TopicPartition
from deltalake import DeltaTable

from pinwheel.clients import kafka, memsql
from pinwheel.core.contract import DEAD_LETTER, EVENT_TYPES, PIN_COLUMN_OF, EventType
from pinwheel.core.settings import GeoSettings, KafkaSettings, LakeSettings, load
from pinwheel.enrich.addresses import bytes_without_addresses
from pinwheel.enrich.locations import Locator
from pinwheel.generate import truth
from pinwheel.generate.catalogue import Catalogue
from pinwheel.lake import events_table
from pinwheel.local import environment
from pinwheel.local.stack import Stack

Row = dict[str, Any]
LONGEST = 65_536  # bytes that are kept of a dead letter
SETTLE_SECONDS = 240.0
ROLLUP_COUNTS = ("pins", "repins", "comments", "unique_people")


def wait_until(what: str, holds: Callable[[], bool], seconds: float = SETTLE_SECONDS) -> float:
    """Wait until it holds; returns the seconds that it took."""
    began = time.monotonic()
    while not holds():
        if time.monotonic() - began > seconds:
            raise AssertionError(f"not within {seconds:.0f} s: {what}")
        time.sleep(0.5)
    return time.monotonic() - began


class Oracle:
    """Asks a running stack."""

    erased: ClassVar[set[tuple[int, int]]] = set()  # partition and offset: a test drops the database that knows them

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self.kafka = load(KafkaSettings)
        self.lake = load(LakeSettings)
        self.memsql = environment.memsql(stack.settings, stack.credentials, "report")
        self.catalogue = Catalogue(stack.settings.catalogue_seed)
        self.locator = Locator(load(GeoSettings))

    def query(self, sql: str) -> list[Row]:
        connection = memsql.connect(self.memsql)
        with connection, connection.cursor() as cursor:
            cursor.execute(sql)
            return list(cursor.fetchall())

    def landed(self) -> bool:
        """Whether the lake holds all that Kafka has."""
        ends = kafka.end_offsets(self.kafka)
        found = events_table.landed_offsets(self.lake.events_uri, self.kafka.topic, ends)
        return all(found.get(p, 0) == end for p, end in ends.items())

    def merged(self) -> bool:
        """Whether the reporting tables and the rollups hold all that the lake has."""
        version = DeltaTable(self.lake.events_uri).version()
        reached = self.query("SELECT table_name, MIN(version) AS version FROM merge_shards GROUP BY table_name")
        marks = {r["table_name"]: r["version"] for r in reached}
        merged = all(marks.get(kind.table, -1) >= version for kind in EVENT_TYPES.values())
        return merged and self.query("SELECT slice_id FROM rollup_increments") == []

    def settle(self) -> None:
        """Wait until everything that was sent has come through."""
        wait_until("every record is in the lake", self.landed)
        wait_until("every row is merged and rolled up", self.merged)

    def check(self, folder: Path, resent: int = 0) -> None:
        """Compare the lake, every reporting row and every rollup with the sent events.

        Args:
            folder: where the truth was written down.
            resent: records that were sent a second time, and that the truth does not know of.
        """
        sent = truth.read(folder)
        self._check_lake(sent, resent)
        events = self._events(sent)
        for kind in EVENT_TYPES.values():
            self._check_table(kind, events)
        assert self.query("SELECT * FROM quarantine") == []
        assert self.query("SELECT * FROM merge_slices WHERE state NOT IN ('merged', 'superseded')") == []
        self._check_rollups(events)

    def check_arrived(self, folder: Path, seed: int) -> None:
        """Compare the rows of one run of the generator with the events it sent, and the rollups with a recount by SQL.

        For when other events are in the tables too; how each row got its pin may differ, the pin may not.
        """
        self._check_offsets()
        events = self._events(truth.read(folder))
        for kind in EVENT_TYPES.values():
            self._check_table(kind, events, f"WHERE event_id LIKE '{seed:x}-%'")
        recount = """
            SELECT brand_id, occurred_hour AS hour, SUM(t = 'pins') AS pins, SUM(t = 'repins') AS repins,
                SUM(t = 'comments') AS comments, COUNT(DISTINCT user_id) AS unique_people
            FROM (
                SELECT 'pins' AS t, brand_id, occurred_hour, user_id FROM pins
                UNION ALL SELECT 'repins', brand_id, occurred_hour, user_id FROM repins
                UNION ALL SELECT 'comments', brand_id, occurred_hour, user_id FROM comments
            ) AS engaged
            WHERE brand_id IS NOT NULL GROUP BY brand_id, occurred_hour"""
        order = "ORDER BY brand_id, hour"
        names = "brand_id, hour, pins, repins, comments, unique_people"
        rolled = self.query(f"SELECT {names} FROM brand_hourly {order}")
        assert rolled == self.query(f"SELECT {names} FROM ({recount}) AS counted {order}")

    def _check_offsets(self) -> pa.Table:
        """No gap and no overlap: each committed record of Kafka is in the lake once, or was erased."""
        columns = ["kafka_partition", "kafka_offset", "event_type", "event_id", "extra", "dead_reason", "dead_value"]
        rows = DeltaTable(self.lake.events_uri).to_pyarrow_table(columns=columns)
        found: dict[int, list[int]] = defaultdict(list)
        for partition, offset in zip(*(rows[name].to_pylist() for name in columns[:2]), strict=True):
            found[partition].append(offset)
        erased = self.query("SELECT kafka_partition, kafka_offset FROM erased_records")
        self.erased.update((record["kafka_partition"], record["kafka_offset"]) for record in erased)
        for partition, offset in self.erased:
            found[partition].append(offset)
        for partition, offsets in self._committed().items():
            assert sorted(found[partition]) == offsets, f"gap or overlap in partition {partition}"
        return rows

    def _committed(self) -> dict[int, list[int]]:
        """The offsets of all committed records, by partition, read from Kafka itself."""
        ends = kafka.end_offsets(self.kafka)
        found: dict[int, list[int]] = {partition: [] for partition in ends}
        reader = Consumer(
            {
                **kafka.librdkafka_options(self.kafka),
                "group.id": "oracle",
                "enable.auto.commit": False,
                "enable.partition.eof": True,
                "isolation.level": "read_committed",
            }
        )
        reader.assign([TopicPartition(self.kafka.topic, partition, 0) for partition in ends])
        left = set(ends)
        while left:
            for record in reader.consume(10_000, timeout=1):
                partition, offset, error = record.partition(), record.offset(), record.error()
                assert partition is not None
                if error is not None:
                    assert error.code() == KafkaError._PARTITION_EOF, error
                    left.discard(partition)
                elif offset is not None:
                    found[partition].append(offset)
        reader.close()
        return found

    def _check_lake(self, sent: pa.Table, resent: int) -> None:
        rows = self._check_offsets().to_pylist()
        assert len(rows) == sent.num_rows + resent

        dead = sent.filter(pa.compute.is_valid(sent["dead_reason"])).to_pylist()
        found = [r for r in rows if r["event_type"] == DEAD_LETTER]
        wanted_dead = _dead(
            {**d, "dead_value": d["value"] and bytes_without_addresses(d["value"][:LONGEST])} for d in dead
        )
        if not resent:
            assert _dead(found) == wanted_dead
        else:
            assert set(_dead(found)) == set(wanted_dead)
        extras = {r["event_id"]: json.loads(r["extra"]) for r in rows if r["extra"] is not None}
        wanted = sent.filter(pa.compute.and_(pa.compute.is_valid(sent["extra"]), pa.compute.is_null(sent["malformed"])))
        assert extras == {r["event_id"]: json.loads(r["extra"]) for r in wanted.to_pylist()}

    def _events(self, sent: pa.Table) -> dict[str, Row]:
        """The sent events, once each, with pin and place."""
        rows = sent.filter(pa.compute.is_null(sent["malformed"])).to_pylist()
        return {row["event_id"]: self._enriched(row) for row in rows}

    def _enriched(self, row: Row) -> Row:
        place = self.locator.find(row["ip"])._asdict()
        pin = (self.catalogue.pin(row["pin_id"]) if row["pin_id"] is not None else None) or {}
        pins = {column: pin.get(name) for name, column in PIN_COLUMN_OF.items()}
        if pins["pin_created_at"]:
            pins["pin_created_at"] = datetime.fromisoformat(pins["pin_created_at"])
        return {**row, **pins, **place}

    def _check_table(self, kind: EventType, events: dict[str, Row], where: str = "") -> None:
        wanted = {i: row for i, row in events.items() if row["event_type"] == kind.name}
        found = {row["event_id"]: row for row in self.query(f"SELECT * FROM {kind.table} {where}")}
        assert found.keys() == wanted.keys(), f"{kind.table}: {_first_few(found.keys() ^ wanted.keys())}"
        lineage = {"occurred_hour", "pin_status", "kafka_partition", "kafka_offset", "kafka_timestamp"}
        for event_id, row in found.items():
            same = {name: _plain(wanted[event_id][name]) for name in row if name not in lineage}
            assert {name: row[name] for name in same} == same, event_id
            if kind.names_pin:
                known = self.catalogue.pin(row["pin_id"]) is not None
                assert row["pin_status"] in (("cached", "fetched") if known else ("unknown",)), row
            assert row["occurred_hour"] == row["occurred_at"].replace(minute=0, second=0, microsecond=0)

    def _check_rollups(self, events: dict[str, Row]) -> None:
        def hour(row: Row) -> datetime:
            at: datetime = _plain(row["occurred_at"])
            return at.replace(minute=0, second=0, microsecond=0)

        branded = [r for r in events.values() if r["brand_id"] is not None]
        pinned = [r for r in events.values() if r["event_type"] != "login"]
        self._check_rollup("brand_hourly", branded, lambda r: (r["brand_id"], hour(r)), "brand_id", "hour")
        self._check_rollup("brand_daily", branded, lambda r: (r["brand_id"], hour(r).date()), "brand_id", "day")
        self._check_rollup(
            "brand_country_daily",
            branded,
            lambda r: (r["brand_id"], r["country_code"] or "ZZ", hour(r).date()),
            "brand_id",
            "country_code",
            "day",
        )
        by_category = lambda r: (r["category"] or "(none)", hour(r))  # noqa: E731
        self._check_rollup("category_hourly", pinned, by_category, "category", "hour")

    def _check_rollup(self, table: str, rows: Iterable[Row], key: Callable[[Row], tuple[Any, ...]], *keys: str) -> None:
        counts: dict[tuple[Any, ...], Counter[str]] = defaultdict(Counter)
        people = defaultdict(set)
        for row in rows:
            counts[key(row)][f"{row['event_type']}s"] += 1
            people[key(row)].add(row["user_id"])
        wanted = {k: (c["pins"], c["repins"], c["comments"], len(people[k])) for k, c in counts.items()}
        found = {
            tuple(r[k] for k in keys): tuple(r[c] for c in ROLLUP_COUNTS) for r in self.query(f"SELECT * FROM {table}")
        }
        assert found == wanted, f"{table}: {_first_few(set(found.items()) ^ set(wanted.items()))}"


def _cut(value: bytes) -> bytes:
    return bytes_without_addresses(value[:LONGEST])


def _dead(rows: Iterable[Row]) -> Counter[tuple[str, bytes | None]]:
    """Dead letters by reason and bytes; of a record that is too large, only the beginning is kept."""
    return Counter((r["dead_reason"], None if r["dead_value"] is None else r["dead_value"][:LONGEST]) for r in rows)


def _plain(value: Any) -> Any:
    """As MemSQL returns it: naive, UTC."""
    return value.astimezone(UTC).replace(tzinfo=None) if isinstance(value, datetime) else value


def _first_few(found: Iterable[Any]) -> str:
    return "; ".join(repr(item) for item in list(found)[:5])

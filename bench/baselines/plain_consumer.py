"""Baseline (a): Kafka to SQL in one process, as an engineer would write it in an afternoon: no lake, no quality gate.

    python bench/baselines/plain_consumer.py --database baseline_plain --start '{"0": 0, "1": 0}'

Reads up to the current end of the topic, then makes the rollups. Server, topic and logins are Pinwheel's settings. The
offsets are committed after the rows: after a crash the next run repeats some, and the inserts are idempotent.
"""

import argparse
import json
import sys
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any

import httpx
import maxminddb
import orjson
import pymysql
from confluent_kafka import Consumer, Message, TopicPartition

from pinwheel.clients import kafka
from pinwheel.core.settings import GeoSettings, KafkaSettings, MemsqlSettings, PinSettings, load
from pinwheel.enrich.pin_sources import pin_api_login

HERE = Path(__file__).parent
BATCH = 10_000  # messages of one transaction
API_BATCH = 1000
MAX_BYTES, MAX_TEXT, MAX_ID = 65_536, 5000, 64
MAX_PAST, MAX_FUTURE = timedelta(days=30), timedelta(minutes=10)
CLIENTS = {"ios", "android", "web"}
PIN = ("pin_id", "creator_id", "board_id", "brand_id", "category", "title", "description", "link", "image_url")
PLACE = ("country_code", "region", "city", "latitude", "longitude")
COLUMNS = {
    "pins": ("event_id", "occurred_at", "user_id", *PIN, "created_at", *PLACE),
    "repins": (
        *("event_id", "occurred_at", "user_id", "pin_id", "board_id", "creator_id", "brand_id", "category"),
        *PLACE,
    ),
    "comments": (
        *("event_id", "occurred_at", "user_id", "pin_id", "text", "creator_id", "brand_id", "category"),
        *PLACE,
    ),
    "logins": ("event_id", "occurred_at", "user_id", "client", *PLACE),
}
Event = dict[str, Any]
Place = tuple[Any, ...]
Write = Callable[[pymysql.cursors.Cursor, str, Iterable[str], list[tuple[Any, ...]]], None]
NOWHERE: Place = (None,) * len(PLACE)
NO_PIN: Event = {}


def is_id(value: object) -> bool:
    """Whether a value is a 64-bit integer."""
    return type(value) is int and -(2**63) <= value < 2**63


def is_pin(pin: Event) -> bool:
    """Whether an embedded pin can be stored."""
    return is_id(pin["pin_id"]) and is_id(pin["creator_id"]) and is_id(pin["board_id"])


FITS = {
    "pin": lambda e: is_pin(e["pin"]),
    "repin": lambda e: is_id(e["pin_id"]) and is_id(e["board_id"]),
    "comment": lambda e: is_id(e["pin_id"]) and isinstance(e["text"], str) and len(e["text"]) <= MAX_TEXT,
    "login": lambda e: e["client"] in CLIENTS,
}


def read(value: bytes | None, received_ms: int) -> Event | None:
    """Parse a record's event, with its time as a datetime; None when it breaks the contract."""
    if not value or len(value) > MAX_BYTES:
        return None
    try:
        event: Event = orjson.loads(value)
        at = datetime.fromisoformat(event["occurred_at"]).astimezone(UTC)
        received = datetime.fromtimestamp(received_ms / 1000, UTC)
        named = 0 < len(event["event_id"]) <= MAX_ID and is_id(event["user_id"])
        if not (named and received - MAX_PAST <= at <= received + MAX_FUTURE and FITS[event["event_type"]](event)):
            return None
    except (ValueError, TypeError, KeyError):
        return None
    event["occurred_at"] = at.replace(tzinfo=None)
    return event


class Places:
    """Locates addresses."""

    def __init__(self, settings: GeoSettings) -> None:
        self._v4 = maxminddb.open_database(str(settings.geo_ipv4_path))
        self._v6 = maxminddb.open_database(str(settings.geo_ipv6_path))
        self.find = lru_cache(200_000)(self._find)

    def _find(self, ip: str | None) -> Place:
        try:
            found: Any = (self._v6 if ":" in (ip or "") else self._v4).get(ip or "")
        except ValueError:
            return NOWHERE
        if not found:
            return NOWHERE
        place = (found.get("country_code") or None, found.get("state1") or None, found.get("city") or None)
        return (*place, _degrees(found.get("latitude")), _degrees(found.get("longitude")))


def _degrees(value: float | None) -> float | None:
    return None if value is None else round(value, 5)


class Pins:
    """Every pin seen in an event or fetched."""

    def __init__(self, settings: PinSettings) -> None:
        self._known: dict[int, Event] = {}
        self._client = httpx.Client(
            base_url=settings.pin_api_url, headers=pin_api_login(settings), timeout=30, trust_env=False
        )

    def learn(self, events: Iterable[Event]) -> None:
        """Keep embedded pins, and fetch those that are named and not known."""
        events = list(events)
        self._known.update((e["pin"]["pin_id"], e["pin"]) for e in events if "pin" in e)
        missing = list({e["pin_id"] for e in events if "pin_id" in e} - self._known.keys())
        for n in range(0, len(missing), API_BATCH):
            answer = self._client.post("/pins/batch", json={"pin_ids": missing[n : n + API_BATCH]}).raise_for_status()
            found = orjson.loads(answer.content)
            self._known.update((pin["pin_id"], pin) for pin in found["pins"])
            self._known.update((pin_id, NO_PIN) for pin_id in found["unknown"])

    def get(self, pin_id: int) -> Event:
        """A pin; empty when it does not exist."""
        return self._known[pin_id]


def rows(events: Iterable[Event], pins: Pins, places: Places) -> dict[str, list[tuple[Any, ...]]]:
    """The rows of each table."""
    made: dict[str, list[tuple[Any, ...]]] = {table: [] for table in COLUMNS}
    for e in events:
        kind = e["event_type"]
        own = _own(kind, e, pins)
        made[f"{kind}s"].append((e["event_id"], e["occurred_at"], e["user_id"], *own, *places.find(e.get("ip"))))
    return made


def _own(kind: str, e: Event, pins: Pins) -> tuple[Any, ...]:
    if kind == "login":
        return (e["client"],)
    if kind == "pin":
        pin = e["pin"]
        created = pin.get("created_at")
        return (*map(pin.get, PIN), created and datetime.fromisoformat(created).replace(tzinfo=None))
    pin = pins.get(e["pin_id"])
    other = e["board_id"] if kind == "repin" else e["text"]
    return (e["pin_id"], other, pin.get("creator_id"), pin.get("brand_id"), pin.get("category"))


def insert(cursor: pymysql.cursors.Cursor, table: str, columns: Iterable[str], found: list[tuple[Any, ...]]) -> None:
    """Insert in large statements; existing rows stay."""
    names = tuple(columns)
    values = ", ".join(["%s"] * len(names))
    keep = f"ON DUPLICATE KEY UPDATE {names[0]} = {names[0]}"
    cursor.executemany(f"INSERT INTO {table} ({', '.join(names)}) VALUES ({values}) {keep}", found)  # noqa: S608


def store(
    cursor: pymysql.cursors.Cursor, messages: list[Message], pins: Pins, places: Places, write: Write = insert
) -> int:
    """Store a batch; returns the number of its dead letters."""
    read_all = [(read(m.value(), m.timestamp()[1]), m) for m in messages]
    events = [event for event, _ in read_all if event]
    pins.learn(events)
    for table, found in rows(events, pins, places).items():
        write(cursor, table, COLUMNS[table], found)
    dead = [(m.partition(), m.offset(), (m.value() or b"")[:MAX_BYTES]) for event, m in read_all if not event]
    insert(cursor, "dead_letters", ("kafka_partition", "kafka_offset", "value"), dead)
    return len(dead)


def connect(database: str) -> "pymysql.connections.Connection[pymysql.cursors.Cursor]":
    """Open a connection; it may load files, as the floor does."""
    memsql = load(MemsqlSettings)
    return pymysql.connect(
        host=memsql.memsql_host,
        port=memsql.memsql_port,
        user=memsql.memsql_user,
        password=memsql.memsql_password.get_secret_value(),
        database=database,
        init_command="SET time_zone = '+00:00'",
        local_infile=True,
    )


def script(database: str, name: str) -> None:
    """Run the statements of a file."""
    with connect(database) as connection, connection.cursor() as cursor:
        for sql in (HERE / name).read_text().split(";\n"):
            if sql.strip():
                cursor.execute(sql)
        connection.commit()


def consume(start: Mapping[int, int], database: str, write: Write = insert) -> dict[str, int]:
    """Copy the partitions of ``start`` to the database, from these offsets to their current ends; returns counts."""
    broker = load(KafkaSettings)
    ends = kafka.end_offsets(broker)
    consumer = Consumer({**kafka.librdkafka_options(broker), "group.id": "plain-consumer", "enable.auto.commit": False})
    consumer.assign([TopicPartition(broker.topic, p, offset) for p, offset in start.items()])
    pins, places = Pins(load(PinSettings)), Places(load(GeoSettings))
    left = sum(ends[p] - offset for p, offset in start.items())
    done = {"events": 0, "dead": 0}
    with connect(database) as connection, connection.cursor() as cursor:
        while left > 0:
            messages = [m for m in consumer.consume(BATCH, 1.0) if m.error() is None]
            if not messages:
                continue
            done["dead"] += store(cursor, messages, pins, places, write)
            connection.commit()
            consumer.commit()
            left -= len(messages)
            done["events"] += len(messages)
    consumer.close()
    return done


def arguments(about: str) -> tuple[str, dict[int, int]]:
    """The command line's database, and the next offset of each partition."""
    parser = argparse.ArgumentParser(description=about)
    parser.add_argument("--database", required=True)
    parser.add_argument("--start", required=True, help="next offset of each partition, JSON")
    given = parser.parse_args()
    return given.database, {int(p): int(offset) for p, offset in json.loads(given.start).items()}


def main() -> int:
    """Run the command line."""
    database, start = arguments(str(__doc__).split("\n")[0])
    script(database, "tables.sql")
    print(json.dumps(consume(start, database)))
    script(database, "rollups.sql")
    return 0


if __name__ == "__main__":
    sys.exit(main())

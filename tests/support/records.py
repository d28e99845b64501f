"""Records as Kafka returns them, from example payloads, and the rows that they become without enrichment."""

import json
from datetime import UTC, datetime
from functools import cache
from typing import Any

import pyarrow as pa

from pinwheel.enrich.locations import LOCATION_TYPE
from pinwheel.enrich.pins import FOUND_TYPE
from spark_jobs.transforms.enrich import with_pins, with_places
from spark_jobs.transforms.parse import RECORDS_SCHEMA, Limits, Parser

NOW = datetime(2026, 3, 5, 12, 0, tzinfo=UTC)
PIN = {
    "pin_id": 7,
    "creator_id": 8,
    "board_id": 9,
    "brand_id": None,
    "category": "travel",
    "title": 'A "quoted" tïtle\n\t😀',
    "description": None,
    "link": "https://example.com",
    "image_url": None,
    "created_at": "2026-01-01T00:00:00Z",
}
EXAMPLES: dict[str, dict[str, Any]] = {
    "pin": {"pin": PIN},
    "repin": {"pin_id": 7, "board_id": 5},
    "comment": {"pin_id": 7, "text": "nice\tone"},
    "login": {"client": "ios"},
}


def event(kind: str, **changes: Any) -> dict[str, Any]:
    base = {"event_id": f"e-{kind}", "event_type": kind, "occurred_at": "2026-03-05T11:59:58.123456Z", "user_id": 1}
    payload = {**base, "ip": "203.0.113.7", **EXAMPLES.get(kind, {}), **changes}
    return {k: v for k, v in payload.items() if v != "ABSENT"}


class NoPins:
    """Finds no pin, and records the ids of the pins that it is given to save."""

    def __init__(self) -> None:
        self.saved: list[int] = []

    def find(self, pin_ids: pa.Array) -> pa.StructArray:
        status = pa.array(["pending" if i.is_valid else None for i in pin_ids], pa.string())
        nothing = [pa.nulls(len(pin_ids), field.type) for field in FOUND_TYPE][:-1]
        return pa.StructArray.from_arrays([*nothing, status], fields=list(FOUND_TYPE))

    def save(self, pins: pa.Table) -> bool:
        self.saved += pins["pin_id"].to_pylist()
        return True


class Nowhere:
    """Knows no place, and records the addresses that it was asked for."""

    def __init__(self) -> None:
        self.asked: list[str | None] = []

    def locate(self, addresses: pa.Array) -> pa.StructArray:
        self.asked += addresses.to_pylist()
        nothing = [pa.nulls(len(addresses), field.type) for field in LOCATION_TYPE]
        return pa.StructArray.from_arrays(nothing, fields=list(LOCATION_TYPE))


LIMITS = Limits(max_value_bytes=65_536, max_future_seconds=600, max_past_days=30)


@cache
def parser() -> Parser:
    return Parser(LIMITS)


def records(*values: bytes | None) -> pa.Table:
    columns = {
        "value": [None if v is None else v[:65_536] for v in values],
        "value_bytes": [None if v is None else len(v) for v in values],
        "kafka_partition": [0] * len(values),
        "kafka_offset": range(len(values)),
        "kafka_timestamp": [NOW] * len(values),
    }
    return pa.table(columns, RECORDS_SCHEMA)


def rows_of(*values: bytes | None) -> list[dict[str, Any]]:
    parsed = parser().parse(records(*values))
    return list(with_places(with_pins(parsed, NoPins()), Nowhere()).to_pylist())


def encode(payload: object) -> bytes:
    return json.dumps(payload).encode()

"""Rows of the lake made by hand, and files written from them as one task of the stream does."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa

from pinwheel.core.contract import LAKE_COLUMNS
from pinwheel.lake import events_table
from pinwheel.lake.files import FileWriter, Manifest

TOPIC = "engagement.events"
NOON = datetime(2026, 3, 14, 12, 0, 0, 123456, tzinfo=UTC)
FULL_ROW: dict[str, Any] = {
    "event_id": "e-1",
    "occurred_at": NOON,
    "user_id": -(2**63),
    "pin_id": 2**63 - 1,
    "board_id": 5,
    "text": 'tab\tquote"line\nnull\x00 tïtle 😀',
    "client": "ios",
    "pin_creator_id": 8,
    "pin_board_id": 9,
    "brand_id": 70,
    "category": "travel",
    "title": "=HYPERLINK()",
    "description": "",
    "link": "https://example.com/?a=1&b=ü",
    "image_url": "x" * 2048,
    "pin_created_at": datetime(1, 1, 1, tzinfo=UTC),
    "pin_status": "embedded",
    "country_code": "NL",
    "region": "Utrecht",
    "city": "'s-Hertogenbosch",
    "latitude": -0.0,
    "longitude": 179.999999,
    "ip_network": "2001:db8::/48",
    "geo_version": "2026-03",
    "extra": '{"a": [1]}',
    "dead_reason": "bad_field",
    "dead_detail": "user_id=bob",
    "dead_value": b"\x00\xff\xfe{",
}


def row(offset: int, kind: str = "repin", partition: int = 0, **values: Any) -> dict[str, Any]:
    """One row of the lake, mostly nulls."""
    found: dict[str, Any] = dict.fromkeys(c.name for c in LAKE_COLUMNS)
    at = values.get("occurred_at") or NOON
    found |= {"event_date": at.date(), "event_type": kind, "occurred_at": at, "user_id": 1, "event_id": f"e-{offset}"}
    found |= {"kafka_partition": partition, "kafka_offset": offset, "kafka_timestamp": NOON + timedelta(seconds=offset)}
    return found | values


def table(rows: Sequence[dict[str, Any]]) -> pa.Table:
    return pa.Table.from_pylist(list(rows), schema=events_table.arrow_schema())


def make_lake(folder: Path | str) -> str:
    """An empty lake; returns the address of its ``events``."""
    events_table.create_table(f"{folder}/lake/events")
    return f"{folder}/lake/events"


def write(uri: str, *batches: Sequence[dict[str, Any]]) -> Manifest:
    """Write files as one task does."""
    writer = FileWriter(uri)
    for rows in batches:
        writer.write(table(rows))
    return writer.close()

"""Small real lakes for the merge's tests: rows in, one Delta commit out, with the offsets that landing records."""

import json
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
from deltalake import CommitProperties, DeltaTable, write_deltalake

from pinwheel.clients.memsql import Row
from pinwheel.core.contract import LAKE_COLUMNS
from pinwheel.lake import events_table

NOON = datetime(2026, 3, 14, 12, 0, tzinfo=UTC)


def event(kind: str, event_id: str | None, offset: int, **values: Any) -> Row:
    """One lake row; fields that are not given have a sensible value, or none."""
    at = values.get("occurred_at", NOON)
    row: Row = dict.fromkeys((c.name for c in LAKE_COLUMNS), None)
    row |= {
        "event_type": kind,
        "event_id": event_id,
        "occurred_at": at,
        "user_id": 1,
        "country_code": "NL",
        "region": "Utrecht",
        "city": "Utrecht",
        "latitude": 52.1,
        "longitude": 5.1,
        "ip_network": "192.0.2.0/24",
        "geo_version": "test",
        "kafka_partition": 0,
        "kafka_offset": offset,
        "kafka_timestamp": at,
    }
    of_kind: dict[str, Row] = {
        "pin": {"pin_id": 7, "pin_status": "embedded", "brand_id": 70, "category": "travel", "pin_creator_id": 3},
        "repin": {"pin_id": 7, "board_id": 5, "pin_status": "cached", "brand_id": 70, "category": "travel"},
        "comment": {"pin_id": 7, "text": "so nice", "pin_status": "cached", "brand_id": 70, "category": "travel"},
        "login": {"client": "web"},
    }
    row |= of_kind.get(kind, {})
    row |= values
    row["event_date"] = (row["occurred_at"] or NOON).date()
    return row


def make(folder: Path | str) -> str:
    """An empty lake in a folder or a bucket; returns its address."""
    uri = f"{folder}/lake"
    events_table.create_table(f"{uri}/events")
    return uri


def land(uri: str, rows: list[Row] | pa.Table) -> int:
    """Append rows in one commit, as the stream does; returns the version."""
    table = rows if isinstance(rows, pa.Table) else pa.Table.from_pylist(rows, schema=events_table.arrow_schema())
    write_deltalake(
        f"{uri}/events",
        table,
        mode="append",
        commit_properties=CommitProperties(custom_metadata={events_table.METADATA_KEY: json.dumps(_books(table))}),
    )
    return DeltaTable(f"{uri}/events").version()


def _books(table: pa.Table) -> dict[str, Any]:
    spans: dict[int, tuple[int, int, datetime]] = {}
    lineage = (table[c].to_pylist() for c in ("kafka_partition", "kafka_offset", "kafka_timestamp"))
    for partition, offset, at in zip(*lineage, strict=True):
        if partition is None:
            continue
        low, high, newest = spans.get(partition, (offset, offset, at))
        spans[partition] = (min(low, offset), max(high, offset), max(newest, at))
    return {
        "rows": Counter(table["event_type"].to_pylist()),
        "spans": {p: [low, high + 1, at.isoformat()] for p, (low, high, at) in spans.items()},
    }


def delete(uri: str, predicate: str) -> int:
    """Erase rows from the lake; returns the version."""
    DeltaTable(f"{uri}/events").delete(predicate)
    return DeltaTable(f"{uri}/events").version()


def update(uri: str, predicate: str, updates: dict[str, str]) -> int:
    """Correct rows in the lake, as late completion does; returns the version."""
    DeltaTable(f"{uri}/events").update(updates=updates, predicate=predicate)
    return DeltaTable(f"{uri}/events").version()


def hours(count: float) -> timedelta:
    return timedelta(hours=count)

"""A small lake of events for the pages' tests."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
from deltalake import write_deltalake

from pinwheel.lake import events_table

START = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
PARIS = {"city": "Paris", "country_code": "FR", "latitude": 48.8566, "longitude": 2.3522}
LIMA: dict[str, Any] = {"city": "Lima", "country_code": "PE", "latitude": -12.0464, "longitude": -77.0428}
NOWHERE: dict[str, Any] = {"city": None, "country_code": None, "latitude": None, "longitude": None}


def event(event_type: str = "repin", at: datetime = START, **values: Any) -> dict[str, Any]:
    """One row of ``events``: fields that are not given are null, and it happened when Kafka received it."""
    given = {"occurred_at": at, "kafka_timestamp": at, "brand_id": 1, "category": "food", **PARIS, **values}
    return {"event_type": event_type, "event_date": at.date(), **given}


def rows(events: list[dict[str, Any]]) -> pa.Table:
    schema = events_table.arrow_schema()
    return pa.table({f.name: pa.array([e.get(f.name) for e in events], f.type) for f in schema}, schema=schema)


def land(folder: Path | str, events: list[dict[str, Any]]) -> str:
    """One more version of ``folder``/events; returns the table's address."""
    uri = f"{folder}/events"
    events_table.create_table(uri)
    write_deltalake(uri, rows(events), mode="append")
    return uri


def now_events(n: int, event_type: str = "repin", **values: Any) -> list[dict[str, Any]]:
    """Events of the current moment."""
    now = datetime.now(UTC)
    return [event(event_type, now + timedelta(milliseconds=i), **values) for i in range(n)]

"""Dead letters in a lake, and the stream's own steps for them without pins, places or servers."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
from deltalake import DeltaTable

from pinwheel.core.contract import DEAD_LETTER
from pinwheel.lake import events_table
from pinwheel.lake.landing import Landing
from spark_jobs.transforms.enrich import with_pins, with_places
from spark_jobs.transforms.parse import Parser
from tests.support.lake_rows import TOPIC, row, write
from tests.support.records import LIMITS, NoPins, Nowhere, event

AT = datetime(2026, 3, 5, 12, 0, tzinfo=UTC)  # the example payloads are of two seconds before


class Steps:
    """The stream's, with pins and places that know nothing but remember what they were asked."""

    def __init__(self) -> None:
        self.pins, self.places = NoPins(), Nowhere()
        self.enriched = 0
        self._parser = Parser(LIMITS)

    def parse(self, records: pa.Table) -> pa.Table:
        return self._parser.parse(records.set_column(1, "value_bytes", records["value_bytes"].cast(pa.int32())))

    def enrich(self, parsed: pa.Table) -> pa.Table:
        self.enriched += parsed.num_rows
        return with_places(with_pins(parsed, self.pins), self.places)


def letter(offset: int, payload: object = None, *, at: datetime = AT, **values: Any) -> dict[str, Any]:
    """A letter of the lake; without a payload it holds a good repin. ``payload`` may be bytes."""
    good = event("repin", event_id=f"e-{offset}") if payload is None else payload
    value = good if isinstance(good, bytes) else json.dumps(good).encode()
    dead = {"dead_reason": "unknown_type", "dead_detail": "event_type=repin", "dead_value": value}
    of_letters = {"event_date": at.date(), "kafka_timestamp": at + timedelta(milliseconds=offset)}
    return (
        row(offset, DEAD_LETTER) | {"event_id": None, "occurred_at": None, "user_id": None} | of_letters | dead | values
    )


def land(uri: str | Path, *rows: dict[str, Any]) -> None:
    """Append rows in one commit of the stream."""
    Landing(str(uri), TOPIC).commit(write(str(uri), list(rows)))


def rows_of(uri: str) -> list[dict[str, Any]]:
    """All rows of the lake, by offset."""
    rows = events_table.without_views(DeltaTable(uri).to_pyarrow_table())
    by_place = [("kafka_partition", "ascending"), ("kafka_offset", "ascending")]
    return list(rows.sort_by(by_place).to_pylist())


def kinds(uri: str) -> dict[int, str]:
    """The event type by offset; fails if an offset is there twice."""
    rows = rows_of(uri)
    found = {r["kafka_offset"]: r["event_type"] for r in rows}
    assert len(found) == len(rows), "an offset is there twice"
    return found


def feed(uri: str, after: int) -> list[tuple[str, str, int]]:
    """Event type, kind of change and offset of all changes of later versions."""
    table = DeltaTable(uri)
    if table.version() <= after:
        return []
    changes = pa.table(table.load_cdf(starting_version=after + 1).read_all())
    names = ("event_type", "_change_type", "kafka_offset")
    return sorted(tuple(r[n] for n in names) for r in changes.to_pylist())

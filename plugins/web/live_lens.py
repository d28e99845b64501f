"""A lens filters a batch to a viewer's brands, category and event types, and samples it to few enough points to draw.

Pure: a batch in, an update out. Viewers with the same filters share one lens, so each batch is rendered once for them.
"""

import math
from dataclasses import dataclass
from datetime import datetime

import pyarrow as pa
import pyarrow.compute as pc
from pydantic import BaseModel

from pinwheel.core.contract import EVENT_TYPES
from pinwheel.lake.tail import Batch
from plugins.web.access import Brands

PLACE_DIGITS = 1  # decimals of a degree: 11 km, a town; closer events share one circle
TOP_PINS = 5  # of a batch: the page lists a few of the last minute
PLACE = ("event_type", "latitude", "longitude", "city", "country_code")


class Places(BaseModel):
    """The places of a batch as columns, one entry per place and event type.

    ``at``: Kafka's time of the place's newest event, in milliseconds since 1970. ``events``: sampled events there.
    """

    event_type: list[str]
    latitude: list[float]
    longitude: list[float]
    city: list[str | None]
    country_code: list[str | None]
    events: list[int]
    at: list[int]


class LivePin(BaseModel):
    """A pin with events in a batch. ``pin_id``: as text, it may be above 2^53."""

    pin_id: str
    title: str | None


class LiveUpdate(BaseModel):
    """The events that one version of the lake added, through one lens.

    ``counts``: all events by type, including types that are not shown. ``one_in``: ``places`` has one event in so many.
    ``unplaced``: shown types without a location. ``pins``: those with the most events of the shown types. Times in
    milliseconds since 1970.
    """

    version: int
    counts: dict[str, int]
    seconds: float | None
    one_in: int
    unplaced: int
    newest_at: int
    received_at: int
    read_at: int
    places: Places
    pins: list[LivePin]


@dataclass(frozen=True)
class Lens:
    """A viewer's filters; hashable, so that viewers can share it. ``category`` None: every category."""

    types: frozenset[str]
    brands: Brands
    category: str | None
    max_points: int

    def update(self, batch: Batch, read_at: datetime) -> LiveUpdate:
        """The update for a batch. A batch without matching events makes one too: it shows that nothing happened."""
        seen = self._seen(batch.rows)
        counts = {str(c["values"]): int(c["counts"]) for c in pc.value_counts(seen["event_type"]).to_pylist()}
        wanted = seen.filter(_is_in(seen["event_type"], sorted(self.types)))
        placed = wanted.filter(pc.and_(pc.is_valid(wanted["latitude"]), pc.is_valid(wanted["longitude"])))
        one_in = max(1, math.ceil(len(placed) / self.max_points))
        return LiveUpdate(
            version=batch.version,
            counts={name: counts.get(name, 0) for name in EVENT_TYPES},
            seconds=batch.seconds,
            one_in=one_in,
            unplaced=len(wanted) - len(placed),
            newest_at=_milliseconds(batch.newest_at),
            received_at=_milliseconds(batch.received_at),
            read_at=_milliseconds(read_at),
            places=_places(placed.take(pa.array(range(0, len(placed), one_in), pa.int64()))),
            pins=_pins(wanted),
        )

    def _seen(self, rows: pa.Table) -> pa.Table:
        if self.brands is not None:
            rows = rows.filter(_is_in(rows["brand_id"], sorted(self.brands)))
        if self.category is not None:
            rows = rows.filter(pc.equal(rows["category"], self.category))
        return rows


def _is_in(column: pa.ChunkedArray, values: list[str] | list[int]) -> pa.ChunkedArray:
    return pc.is_in(column, pa.array(values, column.type))


def _places(rows: pa.Table) -> Places:
    for axis in ("latitude", "longitude"):
        rounded = pc.round(rows[axis], PLACE_DIGITS)
        rows = rows.set_column(rows.schema.get_field_index(axis), axis, rounded)
    at = pc.cast(pc.cast(rows["kafka_timestamp"], pa.timestamp("ms", "UTC"), safe=False), pa.int64())
    grouped = rows.append_column("at", at).group_by(list(PLACE)).aggregate([([], "count_all"), ("at", "max")])
    columns = grouped.sort_by("at_max").to_pydict()
    return Places(**{name: columns[name] for name in PLACE}, events=columns["count_all"], at=columns["at_max"])


def _pins(rows: pa.Table) -> list[LivePin]:
    grouped = rows.filter(pc.is_valid(rows["pin_id"])).group_by(["pin_id", "title"]).aggregate([([], "count_all")])
    most = grouped.sort_by([("count_all", "descending"), ("pin_id", "ascending")]).slice(0, TOP_PINS)
    return [LivePin(pin_id=str(row["pin_id"]), title=row["title"]) for row in most.to_pylist()]


def _milliseconds(time: datetime) -> int:
    return int(time.timestamp() * 1000)

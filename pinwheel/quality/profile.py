"""The profile of an hour of a table: DuckDB computes its measures from the lake in one pass.

One row of numbers per hour keeps the expectations cheap (ADR 0008).
"""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import pyarrow as pa

from expectations.measures import CATEGORICAL, checksum, measures
from pinwheel.core.contract import WITHOUT_PIN, EventType, reporting_columns
from pinwheel.core.duck import in_memory
from pinwheel.core.quarantine import is_quarantined
from pinwheel.core.times import HOUR
from pinwheel.enrich.locations import Location, Locator

FEW_ROWS = 200  # with fewer rows, distributions are too noisy to judge
SHARES_KEPT = 100  # most common values of a column whose shares are stored
SAMPLE_ROWS = 5
NAMED_BY = ("event_id", "occurred_at", "kafka_partition", "kafka_offset")  # identify a sampled row
PLACES_TRIED = 300  # networks per hour that are located again as a check
FAR_DEGREES = 5.0  # a /24 spreads over a region, not over a country


@dataclass
class Profile:
    """An hour of a table.

    ``values`` by measure: None if it can't be computed. ``shares`` by categorical column: share of the rows by value.
    """

    table: str
    hour: datetime
    values: dict[str, float | None] = field(default_factory=dict)
    shares: dict[str, dict[str, float]] = field(default_factory=dict)

    @property
    def rows(self) -> float:
        """Distinct events of the hour."""
        return self.values.get("row_count") or 0.0


def _number(value: Any) -> float | None:
    return None if value is None or math.isnan(value) else float(value)


class Hour:
    """The rows of an hour of a table in DuckDB, for queries. Close it after use.

    Args:
        parts: deliveries from the lake, ``reporting_columns`` without ``occurred_hour``, and which of them as SQL.
        kind: the table's event type.
        hour: its start, UTC.
    """

    def __init__(self, parts: Sequence[tuple[Any, str]], kind: EventType, hour: datetime) -> None:
        self.kind = kind
        self.hour = hour
        self._db = in_memory()
        self._db.execute("SET TimeZone = 'UTC'")
        for n, (rows, _) in enumerate(parts):
            self._db.register(f"lake_{n}", rows)
        wanted = " UNION ALL ".join(f"SELECT * FROM lake_{n} WHERE {which}" for n, (_, which) in enumerate(parts))
        self._db.execute(f"CREATE TEMP TABLE events AS SELECT *, EPOCH_US(occurred_at) AS at_us FROM ({wanted})")
        for n in range(len(parts)):
            self._db.unregister(f"lake_{n}")
        self._db.execute("CREATE TEMP TABLE loaded AS SELECT COUNT(*) AS deliveries FROM events")
        self._db.execute(LATER_DELIVERIES)
        self._db.execute("DELETE FROM events WHERE rowid IN (SELECT row FROM later)")
        if kind.has_pin:
            without = ", ".join(f"'{status}'" for status in WITHOUT_PIN)
            known = f"WHERE pin_status NOT IN ({without})" if kind.names_pin else ""
            self._db.execute(f"CREATE TEMP VIEW known AS SELECT * FROM events {known}")
        ends = ", ".join(f"({int(at.timestamp() * 1e6)})" for at in (hour, hour + HOUR))
        self._db.execute(f"CREATE TEMP VIEW moments AS SELECT at_us FROM events UNION ALL VALUES {ends}")

    def close(self) -> None:
        """Free the rows."""
        self._db.close()

    def profile(self, locator: Locator | None) -> Profile:
        """The hour's measures; locations are checked if there is a ``locator``."""
        wanted = measures(self.kind)
        row = self._one(", ".join(f"{m.sql} AS {m.name}" for m in wanted))
        profile = Profile(self.kind.table, self.hour)
        profile.values = {m.name: _number(row[m.name]) for m in wanted}
        if profile.rows < FEW_ROWS:
            profile.values |= {m.name: None for m in wanted if m.spread}
        names = [c.name for c in reporting_columns(self.kind)]
        profile.shares = {c: self._shares(c) for c in CATEGORICAL if c in names}
        profile.values["place_wrong_share"] = self._places_wrong(locator) if locator else None
        return profile

    def sums(self) -> tuple[int, int]:
        """The number of rows and the sum of their checksums."""
        rows, total = self._db.execute(
            f"SELECT COUNT(*), COALESCE(SUM({checksum(self.kind)}), 0) FROM events"
        ).fetchall()[0]
        return int(rows), int(total)

    def checksums(self) -> dict[str, int]:
        """Event id -> checksum."""
        sql = f"SELECT event_id, {checksum(self.kind)} FROM events"
        return dict(self._db.execute(sql).fetchall())

    def sample(self, condition: str) -> list[dict[str, Any]]:
        """A few rows that meet a condition on ``events``: the columns that identify them and those it names."""
        about = [c.name for c in reporting_columns(self.kind) if re.search(rf"\b{c.name}\b", condition)]
        columns = ", ".join(dict.fromkeys([*NAMED_BY, *about]))
        sql = f"SELECT {columns} FROM events WHERE {condition} ORDER BY event_id LIMIT {SAMPLE_ROWS}"
        return list(self._db.sql(sql).to_arrow_table().to_pylist())

    def offsets(self) -> tuple[int, int]:
        """The lowest and highest Kafka offset over all partitions; 0 and 0 if there are no rows."""
        sql = f"SELECT COALESCE(MIN(kafka_offset), 0), COALESCE(MAX(kafka_offset), 0) FROM ({ALL_OFFSETS})"
        first, last = self._db.execute(sql).fetchall()[0]
        return int(first), int(last)

    def leave_out(self, records: pa.Table) -> None:
        """Remove quarantined records (``QUARANTINED``); an event's next delivery then counts."""
        self._db.register("quarantined", records)
        for deliveries in ("events", "later"):
            self._db.execute(f"DELETE FROM {deliveries} e USING quarantined q WHERE {is_quarantined('e', 'q')}")
        self._db.unregister("quarantined")
        self._db.execute(NEXT_DELIVERIES)

    def leave_out_later(self, first: pa.Table) -> None:
        """Remove the events of which another delivery than the hour's was the first (event_id, kafka_*)."""
        self._db.register("first_ones", first)
        for deliveries in ("events", "later"):
            self._db.execute(
                f"DELETE FROM {deliveries} e USING first_ones f WHERE e.event_id = f.event_id "
                "AND (e.kafka_partition, e.kafka_offset) <> (f.kafka_partition, f.kafka_offset)"
            )
        self._db.unregister("first_ones")

    def _one(self, expressions: str) -> dict[str, Any]:
        rows = self._db.sql(f"SELECT {expressions} FROM events").to_arrow_table()
        return dict(rows.to_pylist()[0])

    def _shares(self, column: str) -> dict[str, float]:
        rows = self._db.execute(
            f"SELECT COALESCE({column}::VARCHAR, '(none)'), COUNT(*) FROM events "
            f"GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT {SHARES_KEPT}"
        ).fetchall()
        total = sum(n for _, n in rows)
        return {value: n / total for value, n in rows}

    def _places_wrong(self, locator: Locator) -> float | None:
        """Share of networks that are elsewhere when located again; only those located by today's database count."""
        rows = self._db.sql(
            "SELECT ip_network, ANY_VALUE(latitude), ANY_VALUE(longitude), ANY_VALUE(geo_version) FROM events "
            f"WHERE latitude IS NOT NULL GROUP BY ip_network ORDER BY MD5(ip_network) LIMIT {PLACES_TRIED}"
        ).fetchall()
        far = [
            _is_far(again, latitude, longitude)
            for network, latitude, longitude, version in rows
            if (again := locator.find(_host(network))).geo_version == version
        ]
        return sum(far) / len(far) if len(far) >= SAMPLE_ROWS else None


def _host(network: str) -> str:
    """One address of a network, as text."""
    address = network.split("/")[0]
    return address if ":" in address else address.rsplit(".", 1)[0] + ".1"


def _is_far(again: Location, latitude: float, longitude: float) -> bool:
    if again.latitude is None or again.longitude is None:
        return False
    return max(abs(again.latitude - latitude), abs(again.longitude - longitude)) > FAR_DEGREES


# DuckDB statements on rows in memory. An event's first delivery is kept. Most events have one, so few rows are sorted.
LATER_DELIVERIES = """
    CREATE TEMP TABLE later AS
    SELECT rowid AS row, * FROM events
    WHERE event_id IN (SELECT event_id FROM events GROUP BY event_id HAVING COUNT(*) > 1)
    QUALIFY ROW_NUMBER() OVER (PARTITION BY event_id ORDER BY kafka_timestamp, kafka_partition, kafka_offset) > 1"""
NEXT_DELIVERIES = """
    INSERT INTO events
    SELECT * EXCLUDE (row) FROM later
    WHERE event_id NOT IN (SELECT event_id FROM events)
    QUALIFY ROW_NUMBER() OVER (PARTITION BY event_id ORDER BY kafka_timestamp, kafka_partition, kafka_offset) = 1"""
ALL_OFFSETS = "SELECT kafka_offset FROM events UNION ALL SELECT kafka_offset FROM later"

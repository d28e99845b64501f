"""Increments summed up per bucket, in DuckDB."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime

import pyarrow as pa

from pinwheel.core.duck import in_memory
from pinwheel.core.times import naive
from pinwheel.rollup.buckets import CHANGES
from pinwheel.rollup.trends import WINDOW

ENGAGED = ("pins", "repins", "comments")  # the tables that engagement is counted from
SEEN = (*ENGAGED, "logins")  # the tables in which a person is seen
# Parts of a bucket of people: the day, its hours, and countries by their two letters, which are above the hours.
DAY, HOUR = "0", "1 + DATE_PART('hour', moment)"
COUNTRY = "256 * ASCII(country_code) + ASCII(country_code[2:])"
COUNTRY_OF_PART = "CHR((part // 256)::INT) || CHR((part % 256)::INT)"
HOUR_OF_PART = "day + TO_HOURS((part - 1)::BIGINT)"
BRANDED = f"table_name IN {ENGAGED} AND brand_id IS NOT NULL"
# scope, item, part, rows: where people are counted. A bucket is a scope, an item and a day.
PEOPLE = (
    ("brand", "brand_id::VARCHAR", DAY, BRANDED),
    ("brand", "brand_id::VARCHAR", HOUR, BRANDED),
    ("brand", "brand_id::VARCHAR", COUNTRY, BRANDED),
    ("category", "category", HOUR, f"table_name IN {ENGAGED}"),
    ("all", "''", DAY, f"table_name IN {SEEN}"),
    ("all", "''", HOUR, f"table_name IN {SEEN}"),
)
EVENTS = f"""
SELECT
    table_name,
    weight,
    MAKE_TIMESTAMP(at_us) AS moment,
    DATE_TRUNC('hour', moment) AS hour,
    moment::DATE AS day,
    user_id,
    person,
    pin_id,
    brand_id,
    COALESCE(category, '(none)') AS category,
    COALESCE(country_code, 'ZZ') AS country_code,
    {", ".join(f"CASE table_name WHEN '{table}' THEN weight ELSE 0 END AS {table}" for table in ENGAGED)}
FROM increments
"""
MINUTES = """
SELECT
    DATE_TRUNC('minute', moment) AS minute,
    kind,
    item,
    SUM(weight)::BIGINT AS repins,
    MAX(moment) FILTER (WHERE kind = 'all') AS newest_at
FROM (
    SELECT moment, weight, 'all' AS kind, '' AS item FROM queued WHERE table_name = 'repins'
    UNION ALL
    SELECT moment, weight, 'pin', pin_id::VARCHAR FROM queued WHERE table_name = 'repins' AND pin_id IS NOT NULL
    UNION ALL
    SELECT moment, weight, 'brand', brand_id::VARCHAR FROM queued WHERE table_name = 'repins' AND brand_id IS NOT NULL
    UNION ALL
    SELECT moment, weight, 'category', category FROM queued WHERE table_name = 'repins'
    UNION ALL
    SELECT moment, weight, 'country', country_code FROM queued WHERE table_name = 'repins'
)
WHERE moment >= (SELECT MAX(moment) FROM queued WHERE table_name = 'repins' AND moment <= $now) - TO_MINUTES($window)
GROUP BY ALL
HAVING SUM(weight) <> 0
ORDER BY minute, kind, item
"""


@dataclass(frozen=True)
class Rollup:
    """A rollup that is a sum. ``rows``: which events; ``people``: query of the change in people of its buckets."""

    table: str
    keys: tuple[str, ...]
    rows: str = "TRUE"
    people: str | None = None

    @property
    def counts(self) -> tuple[str, ...]:
        """Its counts, which increments are added to."""
        return (*ENGAGED, "unique_people") if self.people else ENGAGED


BRAND_PEOPLE = "SELECT item::BIGINT AS brand_id, {key}, change FROM people WHERE scope = 'brand' AND {parts}"
SUMS = (
    Rollup(
        "brand_hourly",
        ("brand_id", "hour"),
        "brand_id IS NOT NULL",
        BRAND_PEOPLE.format(key=f"{HOUR_OF_PART} AS hour", parts="part BETWEEN 1 AND 24"),
    ),
    Rollup(
        "brand_daily", ("brand_id", "day"), "brand_id IS NOT NULL", BRAND_PEOPLE.format(key="day", parts="part = 0")
    ),
    Rollup(
        "brand_country_daily",
        ("brand_id", "country_code", "day"),
        "brand_id IS NOT NULL",
        BRAND_PEOPLE.format(key=f"{COUNTRY_OF_PART} AS country_code, day", parts="part > 24"),
    ),
    Rollup(
        "category_hourly",
        ("category", "hour"),
        people=f"SELECT item AS category, {HOUR_OF_PART} AS hour, change FROM people WHERE scope = 'category'",
    ),
    Rollup("country_hourly", ("hour", "country_code")),
    Rollup("pin_hourly", ("pin_id", "hour"), "pin_id IS NOT NULL"),
)


class Sums:
    """The sums over some increments. Close it after use.

    Args:
        queued: increments of all tables, with ``table_name``, and the number of the ``person``.
        recounted: the same of all rows of a day whose rollups are made anew.
        stale: days that are made anew now or later: their queued increments are in their rows already.
    """

    def __init__(self, queued: pa.Table, recounted: pa.Table, stale: Collection[date] = ()) -> None:
        self._db = in_memory()
        for name, rows in (("queued", queued), ("recounted", recounted)):
            self._db.register("increments", rows)
            self._db.execute(f"CREATE TEMP TABLE {name} AS {EVENTS}")
            self._db.unregister("increments")
        others = " AND ".join(f"day <> DATE '{day.isoformat()}'" for day in stale) or "TRUE"
        self._db.execute(
            f"CREATE TEMP VIEW events AS SELECT * FROM queued WHERE {others} UNION ALL SELECT * FROM recounted"
        )

    def close(self) -> None:
        """Free the rows."""
        self._db.close()

    def people(self) -> pa.Table:
        """By how much each person's rows in each part of each bucket change; see ``Buckets.change``."""
        parts = [
            f"SELECT '{scope}' AS scope, {item} AS item, day, (({part})::UBIGINT << 32) + person AS key, weight "
            f"FROM events WHERE {rows}"
            for scope, item, part, rows in PEOPLE
        ]
        return self._arrow(
            f"SELECT scope, item, day, key, SUM(weight)::BIGINT AS count FROM ({' UNION ALL '.join(parts)}) "
            "GROUP BY ALL HAVING SUM(weight) <> 0 ORDER BY scope, item, day"
        )

    def know_people(self, changes: pa.Table) -> None:
        """Take in how many people came and left, which the sums of rollups with people need."""
        self._db.register("people", changes.cast(CHANGES))

    def of(self, rollup: Rollup) -> pa.Table:
        """The sums to add to each bucket of a rollup, in the order of its key."""
        keys = ", ".join(rollup.keys)
        changed = f"SELECT {keys}, {', '.join(ENGAGED)} FROM events WHERE {_engaged(rollup.rows)}"
        if rollup.people:
            changed += f" UNION ALL BY NAME SELECT {keys}, change AS unique_people FROM ({rollup.people})"
        sums = ", ".join(f"COALESCE(SUM({name}), 0)::BIGINT AS {name}" for name in rollup.counts)
        some = " OR ".join(f"{name} <> 0" for name in rollup.counts)
        summed = f"SELECT {keys}, {sums} FROM ({changed}) GROUP BY {keys}"
        return self._arrow(f"SELECT * FROM ({summed}) WHERE {some} ORDER BY {keys}")

    def takes_away(self) -> bool:
        """Whether a row left, so that buckets may be empty now."""
        return bool(self._db.execute("SELECT COUNT(*) FROM queued WHERE weight < 0").fetchall()[0][0])

    def minutes(self, now: datetime) -> pa.Table:
        """Repins by minute, as ``repin_minutes`` has them; not those long before the newest up to ``now``."""
        window = int(WINDOW.total_seconds()) // 60
        return self._arrow(MINUTES, {"now": naive(now), "window": window})

    def pins_of_gone_rows(self) -> pa.Table:
        """The pins of rows that left or changed, and of the day that is made anew."""
        gone = "SELECT pin_id FROM queued WHERE weight < 0 UNION ALL SELECT pin_id FROM recounted"
        return self._arrow(f"SELECT DISTINCT pin_id FROM ({gone}) WHERE pin_id IS NOT NULL ORDER BY pin_id")

    def logged_in(self) -> pa.Table:
        """The people whose logins changed."""
        return self._arrow("SELECT DISTINCT user_id FROM events WHERE table_name = 'logins' ORDER BY user_id")

    def _arrow(self, sql: str, values: dict[str, object] | None = None) -> pa.Table:
        return self._db.sql(sql, params=values).to_arrow_table()


def _engaged(rows: str) -> str:
    return f"table_name IN {ENGAGED} AND {rows}"

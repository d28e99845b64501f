"""A day of a reporting table for the books: its deliveries in the lake, and which rows of the table they explain.

Counts and checksums of 256 buckets, by offset, are compared first, and single rows only of buckets that differ.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any

import duckdb
import pyarrow as pa

from pinwheel.clients import memsql
from pinwheel.clients.memsql import Connection
from pinwheel.core.shards import shard_number
from pinwheel.quality.books_lines import some
from pinwheel.quality.known import DELIVERY, known

MAX_IDS = 200_000  # ids that are looked up in other days; more are missing without a doubt
COLUMNS = ("event_id", "kafka_partition", "kafka_offset", "kafka_timestamp")  # of the lake's files
POSITIONS = pa.schema([("kafka_partition", pa.int32()), ("kafka_offset", pa.int64())])
# An event's first delivery that is not in quarantine is compared with the table; later ones are repeated.
DELIVERIES = """
CREATE OR REPLACE TEMP TABLE deliveries AS
SELECT
    event_id, kafka_partition, kafka_offset, kafka_timestamp, $number AS shard, 'first' AS place,
    COALESCE(kafka_offset % 256, 0) AS bucket
FROM files
WHERE $number IN ($wanted)"""
ASIDE = """
UPDATE deliveries SET place = 'aside'
FROM quarantined AS q
WHERE deliveries.kafka_partition = q.kafka_partition AND deliveries.kafka_offset = q.kafka_offset"""
LATER = """
UPDATE deliveries SET place = 'later'
WHERE rowid IN (
    SELECT rowid FROM deliveries
    WHERE place = 'first' AND HASH(event_id) IN (
        SELECT HASH(event_id) FROM deliveries WHERE place = 'first' GROUP BY ALL HAVING COUNT(*) > 1
    )
    QUALIFY ROW_NUMBER() OVER (PARTITION BY event_id ORDER BY kafka_timestamp, kafka_partition, kafka_offset) > 1
)"""
SUMS = """
SELECT
    shard, bucket, COUNT(*),
    SUM(('0x' || LEFT(MD5(CONCAT_WS('|', event_id, kafka_partition, kafka_offset)), 8))::BIGINT)
FROM deliveries WHERE place = 'first' GROUP BY ALL"""
PLACES = "SELECT shard, place, COUNT(*) FROM deliveries GROUP BY ALL"
SAME = "d.event_id = t.event_id AND d.kafka_partition = t.kafka_partition AND d.kafka_offset = t.kafka_offset"
ONLY_IN_TABLE = f"SELECT event_id FROM there AS t WHERE NOT EXISTS (SELECT 1 FROM deliveries AS d WHERE {SAME})"
IN_BOTH = f"SELECT d.shard, d.place, COUNT(*) FROM deliveries AS d INNER JOIN there AS t ON {SAME} GROUP BY ALL"
ONLY_IN_LAKE = f"""
SELECT d.shard, d.event_id, d.kafka_partition, d.kafka_offset FROM deliveries AS d
WHERE d.place = 'first' AND d.bucket IN (SELECT UNNEST(?))
    AND NOT EXISTS (SELECT 1 FROM there AS t WHERE {SAME})
ORDER BY d.event_id"""

Sums = dict[tuple[int, int], tuple[int, int]]  # by shard and bucket: rows and checksum


class Day:
    """The deliveries of a day, and what explains them, by shard.

    ``found`` are counts; ``extra`` names the rows that are in the table only, ``missing`` those in the lake only.

    Args:
        db: has the day's files as ``files``; a temporary table is made in it.
        connection: a snapshot.
        table: the reporting table.
        day: UTC.
        shards: those to look at, and how many there are.
    """

    def __init__(
        self,
        db: duckdb.DuckDBPyConnection,
        connection: Connection,
        table: str,
        day: date,
        shards: tuple[list[int], int],
    ) -> None:
        self._db, self._connection, self._table, self._day = db, connection, table, day
        self._wanted, self._of = shards
        self.found: dict[int, Counter[str]] = {}
        self.extra: dict[int, list[str]] = {}
        self.missing: dict[int, list[str]] = {}
        wanted = ", ".join(map(str, self._wanted))
        db.execute(DELIVERIES.replace("$number", shard_number(self._of)).replace("$wanted", wanted))

    def explain(self, quarantined: pa.Table, there: Mapping[tuple[int, int], tuple[int, int]]) -> None:
        """Explain each delivery, and each row of the table, whose sums are ``there``.

        Args:
            quarantined: ``POSITIONS`` of the table's quarantined records.
            there: by shard and bucket, rows and checksum.
        """
        if quarantined.num_rows:
            self._db.register("quarantined", quarantined)
            self._db.execute(ASIDE)
            self._db.unregister("quarantined")
        self._db.execute(LATER)
        here: Sums = {(n, bucket): (rows, int(total)) for n, bucket, rows, total in self._all(SUMS)}
        places = {(n, place): rows for n, place, rows in self._all(PLACES)}
        for n in self._wanted:
            counts = {place: places.get((n, place), 0) for place in ("first", "aside", "later")}
            in_table = sum(rows for (number, _), (rows, _) in there.items() if number == n)
            explained = {"in_table": in_table, "quarantined": counts["aside"], "repeated": counts["later"]}
            self.found[n] = Counter(rows=sum(counts.values()), **explained)
        differ = sorted({key[1] for key in {*here, *there} if here.get(key) != there.get(key)})
        if differ:
            self._single_rows(differ)

    def differences(self, n: int, was_quarantined: int) -> list[str]:
        """The differences of a shard, in words.

        Args:
            n: the shard.
            was_quarantined: the quarantined rows when the day was closed; they may have left quarantine by their age.
        """
        missing = self.missing.get(n, [])
        if 0 < len(missing) <= was_quarantined - self.found[n]["quarantined"]:
            self.found[n]["quarantined"] += len(missing)
            missing = []
        self.found[n].update({"missing": len(missing)} if missing else {})
        named = {"in the table, not in the lake": self.extra.get(n, []), "in the lake, not in the table": missing}
        return [f"{self._table}, {self._day}: {what}: {some(ids, len(ids))}" for what, ids in named.items() if ids]

    def _all(self, sql: str) -> list[tuple[Any, ...]]:
        return self._db.execute(sql).fetchall()

    def _single_rows(self, buckets: Sequence[int]) -> None:
        first, end = bounds(self._day)
        params = {"from_hour": first, "to_hour": end, "buckets": list(buckets)}
        rows = memsql.fetch(self._connection, "quality/books/rows", params, table=self._table)
        self._db.register("there_rows", pa.Table.from_pylist(rows, schema=DELIVERY))
        self._db.execute("CREATE OR REPLACE TEMP TABLE there AS SELECT * FROM there_rows")
        self._db.unregister("there_rows")
        for n, place, count in self._db.execute(IN_BOTH).fetchall():
            if place != "first":  # a correction of it was quarantined; or another delivery was merged first
                self.found[n].subtract({"quarantined" if place == "aside" else "repeated": count})
        self._only_in_table()
        self._only_in_lake(buckets)

    def _only_in_table(self) -> None:
        sql = f"SELECT {shard_number(self._of)}, event_id FROM ({ONLY_IN_TABLE}) ORDER BY event_id"
        found = _by_shard(self._db.execute(sql).fetchall())
        self.extra = {n: ids for n, ids in found.items() if n in self.found}  # others have merged another version
        for n, ids in self.extra.items():
            self.found[n].update(extra=len(ids), in_table=-len(ids))

    def _only_in_lake(self, buckets: Sequence[int]) -> None:
        rows = self._db.execute(ONLY_IN_LAKE, [list(buckets)]).fetchall()
        ids = [event_id for _, event_id, _, _ in rows[:MAX_IDS] if event_id is not None]
        there = {row["event_id"] for row in known(self._connection, self._table, ids)}
        missing = []
        for n, event_id, partition, offset in rows:
            if event_id in there:  # under a delivery of another day
                self.found[n]["repeated"] += 1
            else:
                missing.append((n, f"{event_id} (partition {partition}, offset {offset})"))
        self.missing = _by_shard(missing)


def bounds(day: date) -> tuple[datetime, datetime]:
    """Its start and end, as the database has times."""
    start = datetime.combine(day, time())
    return start, start + timedelta(days=1)


def _by_shard(rows: Iterable[tuple[int, str]]) -> dict[int, list[str]]:
    grouped: dict[int, list[str]] = defaultdict(list)
    for n, named in rows:
        grouped[n].append(named)
    return grouped

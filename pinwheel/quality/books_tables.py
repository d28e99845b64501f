"""The books of the reporting tables: each row of the lake is in its table, in quarantine, or a repeated delivery.

By day and shard: counts and checksums of 256 buckets first, and single rows only of buckets that differ. A day that is
over and explained is closed, and not read again while the lake has the same rows of it.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

import duckdb
import pyarrow as pa
from deltalake import DeltaTable

from pinwheel.clients import memsql
from pinwheel.clients.memsql import Connection, Row
from pinwheel.core.contract import DEAD_LETTER, TABLES
from pinwheel.core.shards import shard_number
from pinwheel.quality.books_lake import LakeFiles, Mark
from pinwheel.quality.books_lines import TABLE, Line, some

IDS = 1000  # event ids in one statement
MAX_IDS = 200_000  # ids that are looked up; more are missing without a doubt
KINDS = {**{table: kind.name for table, kind in TABLES.items()}, DEAD_LETTER: DEAD_LETTER}
COLUMNS = ("event_id", "kafka_partition", "kafka_offset", "kafka_timestamp")
DIGEST = "MD5(CONCAT_WS('|', event_id, kafka_partition, kafka_offset))"
# An event's first delivery that is not in quarantine is compared with the table; later ones are repeated.
DELIVERIES = f"""
CREATE OR REPLACE TEMP TABLE deliveries AS
SELECT event_id, kafka_partition, kafka_offset, kafka_timestamp, {DIGEST} AS digest, $shard AS shard, 'first' AS place
FROM files
WHERE $shard IN ($shards)"""
ASIDE = """
UPDATE deliveries SET place = 'aside'
FROM quarantined AS q
WHERE deliveries.kafka_partition = q.kafka_partition AND deliveries.kafka_offset = q.kafka_offset"""
LATER = """
UPDATE deliveries SET place = 'later'
WHERE rowid IN (
    SELECT rowid FROM deliveries
    WHERE place = 'first' AND event_id IN (
        SELECT event_id FROM deliveries WHERE place = 'first' GROUP BY event_id HAVING COUNT(*) > 1
    )
    QUALIFY ROW_NUMBER() OVER (PARTITION BY event_id ORDER BY kafka_timestamp, kafka_partition, kafka_offset) > 1
)"""
SUMS = """
SELECT shard, LEFT(digest, 2), COUNT(*), SUM(('0x' || SUBSTRING(digest, 3, 8))::BIGINT)
FROM deliveries WHERE place = 'first' GROUP BY ALL"""
PLACES = "SELECT shard, place, COUNT(*) FROM deliveries GROUP BY ALL"
SAME = """d.event_id = t.event_id AND d.kafka_partition = t.kafka_partition AND d.kafka_offset = t.kafka_offset"""
# Rows of the table that no delivery of the day is, and deliveries that should be in these buckets and are not.
ONLY_IN_TABLE = f"SELECT event_id FROM there AS t WHERE NOT EXISTS (SELECT 1 FROM deliveries AS d WHERE {SAME})"
NOT_FIRST = f"SELECT d.shard, d.place, COUNT(*) FROM deliveries AS d JOIN there AS t ON {SAME} GROUP BY ALL"
ONLY_IN_LAKE = f"""
SELECT d.shard, d.event_id, d.kafka_partition, d.kafka_offset FROM deliveries AS d
WHERE d.place = 'first' AND LEFT(d.digest, 2) IN (SELECT UNNEST(?))
    AND NOT EXISTS (SELECT 1 FROM there AS t WHERE {SAME})
ORDER BY d.event_id"""

Sums = dict[tuple[int, str], tuple[int, int]]  # by shard and bucket: rows and checksum


@dataclass(frozen=True)
class Shards:
    """The shards of a table by the lake's version that they have merged."""

    of: int
    versions: dict[int, list[int]]


class TableBooks:
    """Draws up the books of all reporting tables.

    Args:
        connection: it is only read from; a snapshot.
        events_uri: the lake.
        db: temporary tables are made in it.
        now: days that are over for ``open_days`` are closed.
    """

    def __init__(
        self, connection: Connection, events_uri: str, db: duckdb.DuckDBPyConnection, now: datetime, open_days: int
    ) -> None:
        self._connection, self._uri, self._db = connection, events_uri, db
        self._over = now.date() - timedelta(days=open_days)  # days before it may be closed
        self._closed: dict[str, dict[tuple[date, int], Row]] = defaultdict(dict)
        for row in memsql.fetch(connection, "quality/books/closed_days"):
            self._closed[row["table_name"]][row["event_date"], row["shard"]] = row
        rows = memsql.fetch(connection, "quality/books/erased_days")
        self._erased = Counter({(row["event_type"], row["event_date"]): row["records"] for row in rows})
        self.closes: list[Row] = []  # the days to close
        self.opens: set[tuple[str, date]] = set()  # closed days with other rows
        self._at: dict[int, LakeFiles] = {}

    def removed(self, oldest: date | None) -> int:
        """The rows of closed days that have left the lake by their age: before its ``oldest`` day."""
        rows = [row for days in self._closed.values() for row in days.values()]
        gone = [row for row in rows if oldest is None or row["event_date"] < oldest]
        erased = sum(self._erased_of(r["table_name"], r["event_date"]) - r["erased"] for r in gone if r["shard"] == 0)
        return sum(row["lake_rows"] for row in gone) - erased

    def _erased_of(self, table: str, day: date) -> int:
        return self._erased[KINDS[table], day]

    def dead_letters(self, files: LakeFiles) -> None:
        """Close days of dead letters, whose offsets are explained by the books of the offsets."""
        for day, mark in files.days(DEAD_LETTER).items():
            row = self._closed[DEAD_LETTER].get((day, 0))
            if row is None or _mark(row) != mark:
                self._close(DEAD_LETTER, day, 0, 1, mark, Counter(rows=mark.rows), 0)

    def closed_through(self, files: LakeFiles) -> date | None:
        """The last day such that it and all before are closed, as the lake is now."""
        closed = {(row["table_name"], row["event_date"]): _mark(row) for row in [*self._kept(), *self.closes]}
        days = {(name, day): mark for name, kind in KINDS.items() for day, mark in files.days(kind).items()}
        open_ = [day for (name, day), mark in days.items() if closed.get((name, day)) != mark]
        if open_:
            return min(open_) - timedelta(days=1)
        return max((day for _, day in closed), default=None)

    def _kept(self) -> Iterator[Row]:
        for name, days in self._closed.items():
            yield from (row for (day, _), row in days.items() if (name, day) not in self.opens)

    def lines(self, table: str) -> list[Line]:
        """The lines of a table's shards.

        Raises:
            LakeError: a file of the lake can't be read.
        """
        shards = self._shards(table)
        lines = {n: Line(TABLE, table, n) for n in range(shards.of)}
        quarantined = self._quarantined(table)
        for version, numbers in shards.versions.items():
            for n in numbers:
                lines[n].counts["watermark"] = version
            if version >= 0:
                self._of_version(table, version, numbers, lines, shards.of, quarantined)
        self._ledger(table, lines)
        return list(lines.values())

    def _shards(self, table: str) -> Shards:
        rows = memsql.fetch(self._connection, "quality/books/watermarks", {"table_name": table})
        versions: dict[int, list[int]] = defaultdict(list)
        for row in rows:
            versions[row["version"]].append(row["shard"])
        return Shards(rows[0]["shards"] if rows else 1, versions)

    def _quarantined(self, table: str) -> pa.Table:
        rows = memsql.fetch(self._connection, "quality/books/quarantined", {"table_name": table})
        schema = pa.schema([("kafka_partition", pa.int32()), ("kafka_offset", pa.int64())])
        return pa.Table.from_pylist(rows, schema=schema)

    def _files(self, version: int) -> LakeFiles:
        if version not in self._at:
            self._at[version] = LakeFiles(DeltaTable(self._uri, version=version))
        return self._at[version]

    def _of_version(
        self, table: str, version: int, numbers: list[int], lines: dict[int, Line], of: int, quarantined: pa.Table
    ) -> None:
        """Add the days of the shards that have merged the lake up to ``version`` to their lines."""
        files = self._files(version)
        days = files.days(TABLES[table].name)
        closed = self._still_closed(table, days, numbers, of)
        for day in closed:
            for n in numbers:
                row = self._closed[table][day, n]
                names = {"rows": "lake_rows", "in_table": "in_table", "quarantined": "quarantined", "repeated": "repeated"}
                lines[n].counts.update({name: row[column] for name, column in names.items()})
        there = self._sums(table, of, closed)
        for day in sorted({*days, *there} - closed):
            with files.read(self._db, files.paths_of_day(TABLES[table].name, day), COLUMNS):
                of_shards = ", ".join(map(str, numbers))
                self._db.execute(DELIVERIES.replace("$shards", of_shards).replace("$shard", shard_number(of)))
            mine = {key: sums for key, sums in there.get(day, {}).items() if key[0] in numbers}
            self._day(table, day, days.get(day, Mark(0, None, None)), lines, numbers, mine, quarantined)

    def _still_closed(self, table: str, days: Mapping[date, Mark], numbers: list[int], of: int) -> set[date]:
        """The closed days that the lake has the same rows of, or that have left lake or table by their age."""
        kept = {day for day, n in self._closed[table] if n in numbers}
        oldest = min(days, default=None)
        table_begins = memsql.fetch(self._connection, "quality/books/oldest", table=table)[0]["occurred_hour"]
        closed = set()
        for day in kept:
            rows = [self._closed[table].get((day, n)) for n in numbers]
            same = all(row and row["shards"] == of and _mark(row) == days.get(day) for row in rows)
            aged = day not in days and (oldest is None or day < oldest)
            aged |= table_begins is not None and day < table_begins.date() and all(r and r["in_table"] for r in rows)
            if same or (aged and all(row and row["shards"] == of for row in rows)):
                closed.add(day)
            else:
                self.opens.add((table, day))
        return closed

    def _sums(self, table: str, of: int, closed: set[date]) -> dict[date, Sums]:
        """The table's sums of all days that are not closed."""
        found: dict[date, Sums] = defaultdict(dict)
        for first, end in _between(closed):
            params = {"shards": of, "from_hour": first, "to_hour": end}
            for row in memsql.fetch(self._connection, "quality/books/sums", params, table=table):
                found[row["event_date"]][int(row["shard"]), row["bucket"]] = row["row_count"], int(row["checksum"])
        return found

    def _day(
        self, table: str, day: date, mark: Mark, lines: dict[int, Line], numbers: list[int], there: Sums, aside: pa.Table
    ) -> None:
        """Compare a day, whose deliveries are loaded, with the table's sums."""
        self._db.register("quarantined", aside)
        self._db.execute(ASIDE)
        self._db.unregister("quarantined")
        self._db.execute(LATER)
        here: Sums = {(s, bucket): (rows, int(total)) for s, bucket, rows, total in self._db.execute(SUMS).fetchall()}
        places: dict[int, Counter[str]] = defaultdict(Counter)
        for shard, place, rows in self._db.execute(PLACES).fetchall():
            places[shard][place] = rows
        differ = sorted({key[1] for key in {*here, *there} if here.get(key) != there.get(key)})
        found: dict[int, Counter[str]] = {n: _explained(places[n], there, n) for n in numbers}
        told = self._single_rows(table, day, differ, found, len(lines)) if differ else {}
        for n in numbers:
            lines[n].counts.update(found[n])
            lines[n].differences += [f"{table}, {day}: {text}" for text in told.get(n, [])]
            if not told.get(n):
                total = sum(total for (shard, _), (_, total) in there.items() if shard == n)
                self._close(table, day, n, len(lines), mark, found[n], total)

    def _single_rows(
        self, table: str, day: date, buckets: Sequence[str], found: dict[int, Counter[str]], of: int
    ) -> dict[int, list[str]]:
        """Explain rows of buckets that differ, one by one; what is left, in words, by shard."""
        first, end = _bounds(day)
        params = {"from_hour": first, "to_hour": end, "buckets": list(buckets)}
        rows = pa.Table.from_pylist(
            memsql.fetch(self._connection, "quality/books/rows", params, table=table),
            schema=pa.schema([("event_id", pa.string()), ("kafka_partition", pa.int32()), ("kafka_offset", pa.int64())]),
        )
        self._db.register("there_rows", rows)
        self._db.execute("CREATE OR REPLACE TEMP TABLE there AS SELECT * FROM there_rows")
        self._db.unregister("there_rows")
        told: dict[int, list[str]] = defaultdict(list)
        for shard, place, count in self._db.execute(NOT_FIRST).fetchall():
            if place in ("aside", "later"):  # corrected by a row that was quarantined; another delivery came first
                found[shard].subtract({"quarantined" if place == "aside" else "repeated": count})
        self._extra(of, found, told)
        self._missing(table, buckets, found, told)
        return told

    def _extra(self, of: int, found: dict[int, Counter[str]], told: dict[int, list[str]]) -> None:
        by_shard: dict[int, list[str]] = defaultdict(list)
        sql = f"SELECT event_id, {shard_number(of)} FROM ({ONLY_IN_TABLE}) ORDER BY event_id"
        for event_id, n in self._db.execute(sql).fetchall():
            by_shard[n].append(event_id)
        for n, ids in by_shard.items():
            if n not in found:
                continue  # of a shard that has merged another version
            found[n].subtract(in_table=len(ids))
            found[n]["extra"] += len(ids)
            told[n].append(f"in the table, not in the lake: {some(ids, len(ids))}")

    def _missing(
        self, table: str, buckets: Sequence[str], found: dict[int, Counter[str]], told: dict[int, list[str]]
    ) -> None:
        rows = self._db.execute(ONLY_IN_LAKE, [list(buckets)]).fetchall()
        known = self._known(table, [event_id for _, event_id, _, _ in rows[:MAX_IDS] if event_id is not None])
        by_shard: dict[int, list[str]] = defaultdict(list)
        for shard, event_id, partition, offset in rows:
            if event_id in known:
                found[shard]["repeated"] += 1
            else:
                by_shard[shard].append(f"{event_id} (partition {partition}, offset {offset})")
        for n, names in by_shard.items():
            found[n]["missing"] += len(names)
            told[n].append(f"in the lake, not in the table: {some(names, len(names))}")

    def _known(self, table: str, ids: Sequence[str]) -> set[str]:
        found: set[str] = set()
        for start in range(0, len(ids), IDS):
            params = {"ids": ids[start : start + IDS]}
            found |= {row["event_id"] for row in memsql.fetch(self._connection, "quality/books/known", params, table=table)}
        return found

    def _ledger(self, table: str, lines: dict[int, Line]) -> None:
        """Compare the ledger's sums with the table's rows; on the line of the first shard."""
        row = memsql.fetch(self._connection, "quality/books/ledger", {"table_name": table})[0]
        line = lines[0]
        if row["unequal_slice"] is not None:
            line.differences.append(f"{table}: the counts of slice {row['unequal_slice']} do not add up to its rows")
        if row["rebuilding"]:
            return  # the parts that are loaded are not in the table yet
        in_table = sum(one.counts["in_table"] + one.counts["extra"] for one in lines.values())
        line.counts["ledger"] = int(row["ledger_rows"])
        if in_table != row["ledger_rows"]:
            told = f"the ledger says {row['ledger_rows']:,} rows (inserted less deleted), the table has {in_table:,}"
            line.differences.append(f"{table}: {told}")

    def _close(
        self, table: str, day: date, shard: int, shards: int, mark: Mark, counts: Mapping[str, int], checksum: int
    ) -> None:
        if day >= self._over:
            return
        named = {"rows": "lake_rows", "in_table": "in_table", "quarantined": "quarantined", "repeated": "repeated"}
        row: dict[str, Any] = {column: counts.get(name, 0) for name, column in named.items()}
        row |= {"table_name": table, "event_date": day, "shard": shard, "shards": shards, "checksum": checksum}
        row["erased"] = self._erased_of(table, day)
        row |= {"day_rows": mark.rows, "first_offset": mark.first_offset, "last_offset": mark.last_offset}
        self.closes.append(row)


def _explained(places: Mapping[str, int], there: Sums, shard: int) -> Counter[str]:
    in_table = sum(rows for (number, _), (rows, _) in there.items() if number == shard)
    counts = {"in_table": in_table, "quarantined": places.get("aside", 0), "repeated": places.get("later", 0)}
    return Counter(rows=sum(places.values()), **counts)


def _mark(row: Row) -> Mark:
    return Mark(row["day_rows"], row["first_offset"], row["last_offset"])


def _bounds(day: date) -> tuple[datetime, datetime]:
    start = datetime.combine(day, time())
    return start, start + timedelta(days=1)


def _between(closed: Iterable[date]) -> Iterator[tuple[datetime, datetime]]:
    """The times that are on none of these days, as the database has them."""
    start = datetime(1000, 1, 1)
    for day in sorted(closed):
        first, end = _bounds(day)
        if start < first:
            yield start, first
        start = end
    yield start, datetime(9999, 12, 31, 23, 59, 59)

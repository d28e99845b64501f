"""The books of the reporting tables: each row of the lake is in its table, in quarantine, or a repeated delivery.

A day that is over and explained is closed, and not read again while the lake has the same number of rows of it.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta

import duckdb
import pyarrow as pa
from deltalake import DeltaTable

from pinwheel.clients import memsql
from pinwheel.clients.memsql import Connection, Row
from pinwheel.core.contract import DEAD_LETTER, TABLES
from pinwheel.core.shards import shard_number
from pinwheel.quality.books_day import COLUMNS, POSITIONS, Day, Sums, bounds
from pinwheel.quality.books_lake import LakeFiles, Mark
from pinwheel.quality.books_lines import TABLE, Line

KINDS = {**{table: kind.name for table, kind in TABLES.items()}, DEAD_LETTER: DEAD_LETTER}  # what days are kept of
KEPT = {"lake_rows": "rows", "in_table": "in_table", "quarantined": "quarantined", "repeated": "repeated"}
EVER = datetime(1000, 1, 1), datetime(9999, 12, 31, 23, 59, 59)


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
        self._open_since = now.date() - timedelta(days=open_days)
        self._closed: dict[str, dict[tuple[date, int], Row]] = defaultdict(dict)
        for row in memsql.fetch(connection, "quality/books/closed_days"):
            self._closed[row["table_name"]][row["event_date"], row["shard"]] = row
        rows = memsql.fetch(connection, "quality/books/erased_days")
        self._erased = Counter({(row["event_type"], row["event_date"]): row["records"] for row in rows})
        self._first_kept = {store: _kept_from(connection, store) for store in ("events", "lake", "dead_letters")}
        self._anew: set[str] = set()  # tables of which closed days are read too, if both lake and table have them
        self.closes: list[Row] = []  # the days to close
        self.opens: set[tuple[str, date]] = set()  # closed days of which the lake has other rows by now
        self._at: dict[int, LakeFiles] = {}
        self._summed: dict[tuple[str, frozenset[date]], dict[date, Sums]] = {}

    def removed(self, files: LakeFiles) -> int:
        """The rows of closed days that retention has taken out of the lake."""
        total = 0
        for table, closed in self._closed.items():
            there, of_days = files.days(KINDS[table]), defaultdict(list)
            for (day, _), row in sorted(closed.items(), key=lambda item: item[0]):
                if day < self._lake_from(table):
                    of_days[day].append(row)
            total += sum(_gone(rows, there.get(d), self._erased[KINDS[table], d]) for d, rows in of_days.items())
        return total

    def _lake_from(self, table: str) -> date:
        """The first day that retention has left in the lake."""
        return self._first_kept["dead_letters" if table == DEAD_LETTER else "lake"]

    def dead_letters(self, files: LakeFiles) -> None:
        """Close days of dead letters, whose offsets are explained by the books of the offsets.

        One whose letters have all come home is forgotten: retention does not take them.
        """
        there = files.days(DEAD_LETTER)
        gone = {day for day, _ in self._closed[DEAD_LETTER] if day not in there and day >= self._lake_from(DEAD_LETTER)}
        self.opens |= {(DEAD_LETTER, day) for day in gone}
        for day, mark in there.items():
            row = self._closed[DEAD_LETTER].get((day, 0))
            if row is None or Mark.of(row) != mark:
                self._close(DEAD_LETTER, day, (0, 1), mark, {"rows": mark.rows}, 0)

    def closed_through(self, files: LakeFiles) -> date | None:
        """The last day such that it and all before are closed, as the lake is now."""
        kept = (r for n, days in self._closed.items() for r in days.values() if (n, r["event_date"]) not in self.opens)
        rows = {(row["table_name"], row["event_date"], row["shard"]): row for row in [*kept, *self.closes]}
        shards = Counter((name, day, Mark.of(row), row["shards"]) for (name, day, _), row in rows.items())
        closed = {(name, day, mark) for (name, day, mark, of), count in shards.items() if count == of}
        days = {(name, day, mark) for name, kind in KINDS.items() for day, mark in files.days(kind).items()}
        open_ = [day for _, day, _ in days - closed]
        return min(open_) - timedelta(days=1) if open_ else max((day for _, day, _ in closed), default=None)

    def lines(self, table: str) -> list[Line]:
        """The lines of a table's shards.

        Raises:
            LakeError: a file of the lake can't be read.
        """
        ledger = memsql.fetch(self._connection, "quality/books/ledger", {"table_name": table})[0]
        shards = memsql.fetch(self._connection, "quality/books/watermarks", {"table_name": table})
        self._recast(table, shards[0]["shards"] if shards else 1, ledger["rebuilt_at"])
        closes = len(self.closes)
        lines = self._lines(table, shards, ledger["rebuilt_at"])
        if _in_table(lines) != ledger["ledger_rows"] and not ledger["rebuilding"]:
            # A row of a closed day may have come out of quarantine, which the lake's rows don't tell.
            del self.closes[closes:]
            self._anew.add(table)
            lines = self._lines(table, shards, ledger["rebuilt_at"])
        self._compare_ledger(table, ledger, lines)
        return list(lines.values())

    def _recast(self, table: str, of: int, rebuilt_at: datetime | None) -> None:
        """Put days that were closed under another number of shards, and can't be read again, on the first shard."""
        readable_from = max(self._first_kept["events"], self._lake_from(table))
        for day in {day for day, _ in self._closed[table] if day < readable_from}:
            rows = [row for (closed, _), row in self._closed[table].items() if closed == day]
            if rows[0]["shards"] == of or len(rows) != rows[0]["shards"] or not _is_later(rows[0], rebuilt_at):
                continue
            self.opens.add((table, day))
            sums = {name: sum(row[name] for row in rows) for name in (*KEPT, "checksum")}
            for n in range(max(of, len(rows))):
                self._closed[table].pop((day, n), None)
            for n in range(of):
                mine = dict.fromkeys(sums, 0) if n else sums
                self._closed[table][day, n] = {**rows[0], **mine, "shard": n, "shards": of}
                self.closes.append(self._closed[table][day, n])

    def _lines(self, table: str, rows: Sequence[Row], rebuilt_at: datetime | None) -> dict[int, Line]:
        of = rows[0]["shards"] if rows else 1
        lines = {n: Line(TABLE, table, n) for n in range(of)}
        for version in sorted({row["version"] for row in rows}):
            mine = {row["shard"]: lines[row["shard"]] for row in rows if row["version"] == version}
            for line in mine.values():
                line.counts["watermark"] = version
            if version >= 0:
                self._of_version(table, version, mine, of, rebuilt_at)
        return lines

    def _of_version(
        self, table: str, version: int, lines: Mapping[int, Line], of: int, rebuilt_at: datetime | None
    ) -> None:
        """Add the days of the shards that have merged the lake up to ``version`` to their lines."""
        if version not in self._at:
            self._at[version] = LakeFiles(DeltaTable(self._uri, version=version))
        files, kind = self._at[version], TABLES[table].name
        days = files.days(kind)
        closed = self._still_closed(table, days, list(lines), of, rebuilt_at)
        for day in closed:
            rows = [self._closed[table][day, n] for n in lines]
            if day in days and any(Mark.of(row) != days[day] or not _is_later(row, rebuilt_at) for row in rows):
                self._close_again(table, files, day, (list(lines), of), rebuilt_at)
            for n, line in lines.items():
                row = self._closed[table][day, n]
                if day in days or _is_later(row, rebuilt_at):  # else the table was made anew without it
                    line.counts.update({name: row[column] for column, name in KEPT.items()})
        there, quarantined = self._sums(table, of, closed), self._quarantined(table)
        for day in sorted({*days, *there} - closed):
            with files.read(self._db, files.paths_of_day(kind, day), COLUMNS):
                found = Day(self._db, self._connection, table, day, (list(lines), of))
            mine = {key: sums for key, sums in there.get(day, {}).items() if key[0] in lines}
            found.explain(quarantined, mine)
            for n, line in lines.items():
                kept = self._closed[table].get((day, n))
                differences = found.differences(n, kept["quarantined"] if kept else 0)
                line.counts.update(found.found[n])
                line.differences += differences
                if not differences:
                    total = sum(total for (number, _), (_, total) in mine.items() if number == n)
                    self._close(table, day, (n, of), days.get(day, Mark(0, None, None)), found.found[n], total)

    def _close_again(
        self, table: str, files: LakeFiles, day: date, shards: tuple[list[int], int], rebuilt_at: datetime | None
    ) -> None:
        """Close a day whose rows have left the table, with what the lake has of it by now: late events were set aside.

        If the table was made anew since, it was without this day, and so is its ledger.
        """
        kind, (numbers, of) = TABLES[table].name, shards
        mark, erased = files.days(kind)[day], self._erased[kind, day]
        with files.read(self._db, files.paths_of_day(kind, day), ("event_id",)):
            rows = dict(self._db.execute(f"SELECT {shard_number(of)}, COUNT(*) FROM files GROUP BY ALL").fetchall())
        for n in numbers:
            row = self._closed[table][day, n]
            found = {"lake_rows": rows.get(n, 0), "erased": erased}
            if day < self._lake_from(table) and _was_taken(row, mark, erased):  # all but late events
                found = {"lake_rows": row["lake_rows"] + rows.get(n, 0), "erased": row["erased"]}
            found["quarantined"] = row["quarantined"] + max(0, found["lake_rows"] - row["lake_rows"])
            if not _is_later(row, rebuilt_at):
                found["in_table"] = 0
            self._closed[table][day, n] = {**row, **found, **mark.columns}
            self.closes.append(self._closed[table][day, n])

    def _still_closed(
        self, table: str, days: Mapping[date, Mark], numbers: list[int], of: int, rebuilt_at: datetime | None
    ) -> set[date]:
        """The closed days of which the lake has the same rows, or that have left the lake or the table by their age.

        All others are read again, and all that both have when the table was made anew since.
        """
        oldest = min(days, default=None)
        begins = memsql.fetch(self._connection, "quality/books/oldest", table=table)[0]["occurred_hour"]
        closed = set()
        for day in {day for day, n in self._closed[table] if n in numbers}:
            rows = [self._closed[table].get((day, n)) for n in numbers]
            known = [row for row in rows if row is not None and row["shards"] == of]
            same = table not in self._anew and all(Mark.of(row) == days.get(day) for row in known)
            left_lake = day not in days and (oldest is None or day < oldest)
            expired = day < self._first_kept["events"]
            left_table = begins is not None and day < begins.date() and any(row["in_table"] for row in known)
            later = all(_is_later(row, rebuilt_at) for row in known)
            if len(known) == len(numbers) and (left_lake or expired or (later and (same or left_table))):
                closed.add(day)
            else:
                self.opens.add((table, day))
        return closed

    def _sums(self, table: str, of: int, closed: set[date]) -> dict[date, Sums]:
        """The table's sums of all days that are not closed."""
        if (table, frozenset(closed)) in self._summed:  # for shards that have merged another version
            return self._summed[table, frozenset(closed)]
        found: dict[date, Sums] = defaultdict(dict)
        for first, end in _between(closed):
            params = {"shards": of, "from_hour": first, "to_hour": end}
            for row in memsql.fetch(self._connection, "quality/books/sums", params, table=table):
                found[row["event_date"]][int(row["shard"]), int(row["bucket"])] = row["row_count"], int(row["checksum"])
        self._summed[table, frozenset(closed)] = found
        return found

    def _quarantined(self, table: str) -> pa.Table:
        rows = memsql.fetch(self._connection, "quality/books/quarantined", {"table_name": table})
        return pa.Table.from_pylist(rows, schema=POSITIONS)

    def _compare_ledger(self, table: str, row: Row, lines: Mapping[int, Line]) -> None:
        """Compare the ledger's sums with the table's rows; on the line of the first shard."""
        line = lines[0]
        if row["unequal_slice"] is not None:
            line.differences.append(f"{table}: the counts of slice {row['unequal_slice']} do not add up to its rows")
        if row["rebuilding"]:
            return  # the parts that are loaded are not in the table yet
        in_table = _in_table(lines)
        line.counts["ledger"] = int(row["ledger_rows"])
        if in_table != row["ledger_rows"]:
            told = f"the ledger says {row['ledger_rows']:,} rows (inserted less deleted), the table has {in_table:,}"
            line.differences.append(f"{table}: {told}")

    def _close(
        self, table: str, day: date, shard: tuple[int, int], mark: Mark, counts: Mapping[str, int], checksum: int
    ) -> None:
        if day >= self._open_since:
            return
        row = {column: counts.get(name, 0) for column, name in KEPT.items()}
        named = {"table_name": table, "event_date": day, "shard": shard[0], "shards": shard[1], "checksum": checksum}
        self.closes.append({**row, **named, **mark.columns, "erased": self._erased[KINDS[table], day]})


def _in_table(lines: Mapping[int, Line]) -> int:
    return sum(line.counts["in_table"] + line.counts["extra"] for line in lines.values())


def _is_later(row: Row, rebuilt_at: datetime | None) -> bool:
    """Whether a day was closed after the table was made anew."""
    return rebuilt_at is None or row["closed_at"] > rebuilt_at


def _kept_from(connection: Connection, store: str) -> date:
    """The first day that retention has left in a store."""
    found: date | None = memsql.fetch(connection, "quality/kept_from", {"store": store})[0]["kept_from"]
    return found or date.min


def _was_taken(row: Row, mark: Mark, erased: int) -> bool:
    """Whether retention has taken what a day had when it was closed; the lake has another ``mark`` of it by now."""
    return bool(Mark.of(row) != mark and mark.rows < row["day_rows"] - (erased - row["erased"]))


def _gone(rows: list[Row], mark: Mark | None, erased: int) -> int:
    """How many rows of an old closed day retention has taken out of the lake, which has ``mark`` of it by now.

    Args:
        rows: of its shards, the first one first.
        mark: None: no row is left.
        erased: the number of all records of the day that were erased.
    """
    lake_rows = sum(row["lake_rows"] for row in rows)
    if mark is not None and Mark.of(rows[0]) == mark:  # late events only, or retention has yet to come by
        return int(lake_rows - mark.rows)
    taken = mark is None or _was_taken(rows[0], mark, erased)
    return int(lake_rows - (erased - rows[0]["erased"])) if taken else 0


def _between(closed: Iterable[date]) -> Iterator[tuple[datetime, datetime]]:
    """The times that are on none of these days, as the database has them."""
    start, last = EVER
    for day in sorted(closed):
        first, end = bounds(day)
        if start < first:
            yield start, first
        start = end
    yield start, last

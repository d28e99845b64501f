"""Apply queued increments to the rollups, exactly once (ADR 0012).

A merge queues what it added and took away, in its own transaction. A refresh sums the queued increments per bucket, and
adds the sums in one transaction that also removes them from the queue. If it dies before the commit, nothing has
changed. Of two at once, the second finds that ``generation`` has moved and changes nothing. The order of slices does
not matter. The cost follows the rows that came, never what a bucket already holds.
"""

import logging
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pinwheel.clients import memsql
from pinwheel.clients.memsql import Connection, Row
from pinwheel.core.contract import ROLLUPS, TABLES
from pinwheel.core.increments import INCREMENTS, bucket_columns, unpack
from pinwheel.core.offsets import Reach
from pinwheel.core.times import utc_now
from pinwheel.merge import ledger
from pinwheel.merge.ledger import SupersededError
from pinwheel.merge.load import load_table
from pinwheel.rollup.buckets import Buckets, Name
from pinwheel.rollup.people import People
from pinwheel.rollup.presence import NegativeCountError
from pinwheel.rollup.sums import SEEN, SUMS, Rollup, Sums

log = logging.getLogger(__name__)

ALL_TABLES = {"table_names": list(TABLES), "tables": len(TABLES)}  # one without progress holds back the rollups'
PEOPLE_BITS = (("people_daily", "day"), ("people_hourly", "hour"))  # a bit per person; and their column of time
ADD = {"country_hourly": "add_country_hourly", "pin_hourly": "add_pin_hourly"}  # the others: rollup/add
MOST_ROWS = 2_000_000  # of the queue in one refresh: some hundred megabytes
NONE = INCREMENTS.append(pa.field("table_name", pa.string())).empty_table()


class Rollups:
    """Refreshes the rollups. Keeps people's numbers and buckets in memory between refreshes.

    Args:
        now: the clock; repins after it come from a producer's wrong clock and decide nothing about the trends.
    """

    def __init__(self, now: Callable[[], datetime] = utc_now) -> None:
        self._now = now
        self._generation = -1
        self._people: People  # read with the first refresh
        self._buckets = Buckets()

    def refresh(self, connection: Connection) -> int:
        """Apply the oldest queued increments, and make a stale day anew; returns the number of slices.

        Args:
            connection: opened with ``local_infile``; its transactions are committed.

        Raises:
            SupersededError: another process refreshed at the same time; this one changed nothing.
        """
        try:
            return self._refresh(connection)
        except BaseException as error:
            self._generation = -1  # what is in memory may not be what is stored
            if not isinstance(error, NegativeCountError):
                raise
            log.error("presence is wrong, so the day is made anew day=%s error=%s", error.day, error)
            day = error.day
        with memsql.transaction(connection):
            note_stale_day(connection, day)
        return self.refresh(connection)

    def _refresh(self, connection: Connection) -> int:
        taken = self._take(connection)
        if not taken.queued and taken.day is None:
            return 0
        if taken.day is not None:
            self._buckets.forget(taken.day)
        with (
            closing(Sums(self._numbered(taken.queued), self._numbered(taken.recounted), taken.stale)) as sums,
            memsql.transaction(connection),
        ):
            self._load_sums(connection, sums)
            takes_away = sums.takes_away()
        memsql.retry_conflicts(lambda: self._apply(connection, taken, takes_away))
        self._people.stored()
        self._buckets.stored()
        self._generation += 1
        return len({row["slice_id"] for row in taken.queued_keys})

    def _take(self, connection: Connection) -> "_Taken":
        """Read what to apply; if a day is stale, all of the queue and the day's rows, from one snapshot."""
        stale = stale_days(connection)
        if stale and (gone := memsql.execute(connection, "rollup/forget_gone_days")):
            log.error("rollups of days stay as they are, because their rows are no longer kept days=%d", gone)
            stale = stale_days(connection)
        is_short = stale and memsql.fetch(connection, "rollup/waiting")[0]["queued_rows"] <= MOST_ROWS
        connection.commit()
        day = stale[0] if is_short else None
        if day is not None:
            memsql.execute(connection, "rollup/snapshot")
        with memsql.transaction(connection):
            self._know(connection)
            # Before the queue, so that all that the progress covers is in it.
            progress = memsql.fetch(connection, "rollup/progress", ALL_TABLES)
            slices = memsql.fetch(connection, "rollup/queued")
            last = _last(slices, MOST_ROWS if day is None else sys.maxsize)
            queued = memsql.fetch(connection, "rollup/increments", {"slice_id": last})
            noted = {row["day"]: row["noted_at"] for row in memsql.fetch(connection, "rollup/stale_days")}
            kept_from = ledger.kept_from(connection)
            if day is not None and day < kept_from:
                raise SupersededError(f"the rows of {day} have expired meanwhile; nothing was changed")
            counted_from = ledger.kept_from(connection, ledger.PRESENCE)
            recounted = list(_rows_of(connection, day)) if day is not None else []
        parts = [(row["table_name"], _since(kept_from, unpack(row["increments"]))) for row in queued]
        days = {d for _, rows in parts for d in days_of(rows)} if counted_from > kept_from else set()
        uncounted = {d for d in days if d < counted_from} - noted.keys()
        if uncounted:  # their people are no longer known, but their rows are
            with memsql.transaction(connection):
                for day in uncounted:
                    note_stale_day(connection, day)
            return self._take(connection)
        keys = [{name: row[name] for name in ("slice_id", "part")} for row in queued]
        is_complete = not (slices and last < slices[-1]["slice_id"]) and len(noted) == (day is not None)
        return _Taken(keys, parts, recounted, day, noted, progress if is_complete else [])

    def _know(self, connection: Connection) -> None:
        """Read people's numbers, and drop cached buckets, unless they are as this process has stored them."""
        generation = int(memsql.fetch(connection, "rollup/generation")[0]["generation"])
        if generation != self._generation:
            self._people, self._buckets, self._generation = People(connection), Buckets(), generation

    def _numbered(self, parts: Sequence[tuple[str, pa.Table]]) -> pa.Table:
        """The rows of all parts, with table and person."""
        named = [rows.append_column("table_name", pa.repeat(table, rows.num_rows)) for table, rows in parts]
        rows = pa.concat_tables([NONE, *named])
        return rows.append_column("person", pa.array(self._people.numbers(rows["user_id"].to_numpy())))

    def _load_sums(self, connection: Connection, sums: Sums) -> None:
        """Load the sums into this connection's work tables."""
        memsql.execute_all(connection, "rollup/work_tables")
        sums.know_people(self._buckets.change(connection, sums.people()))
        for rollup in SUMS:
            _load_changes(connection, "added", rollup.table, sums.of(rollup))
        for how, changed in (("came", self._buckets.came), ("left", self._buckets.left)):
            for table, by in PEOPLE_BITS:
                _load_changes(connection, how, table, _bits(changed, by))
        _load_changes(connection, "added", "repin_minutes", sums.minutes(self._now()))
        load_table(connection, "touched_firsts", sums.pins_of_gone_rows())
        load_table(connection, "touched_logins", sums.logged_in())

    def _apply(self, connection: Connection, taken: "_Taken", takes_away: bool) -> None:
        with memsql.transaction(connection):
            if memsql.execute(connection, "rollup/claim", {"generation": self._generation}) != 1:
                raise SupersededError("the rollups were refreshed by another process; this one changed nothing")
            if taken.day is not None:
                _clear(connection, taken.day)
                anew = {"day": taken.day, "noted_at": taken.stale.get(taken.day)}
                memsql.execute(connection, "rollup/day_is_anew", anew)
            self._people.store(connection)
            self._buckets.store(connection)
            for rollup in SUMS:
                _add(connection, rollup, takes_away)
            memsql.execute(connection, "rollup/add_minutes")
            if takes_away:
                memsql.execute(connection, "rollup/drop_minutes")
            for table, by in PEOPLE_BITS:
                memsql.execute_all(connection, "rollup/add_people", rollup=table, time_column=by)
            for statement in ("pin_firsts", "person_homes"):
                memsql.execute_all(connection, f"rollup/{statement}")
            memsql.execute_many(connection, "rollup/take", taken.queued_keys)
            reached = {r["kafka_partition"]: Reach(r["next_offset"], r["kafka_timestamp"]) for r in taken.progress}
            ledger.move_progress(connection, ROLLUPS, reached)


def days_of(rows: pa.Table) -> list[date]:
    """The UTC days of some increments."""
    return list(pc.unique(_days(rows)).to_pylist())


def _days(rows: pa.Table) -> pa.ChunkedArray:
    return rows["at_us"].cast(pa.timestamp("us")).cast(pa.date32())


def _since(kept_from: date, rows: pa.Table) -> pa.Table:
    """Without increments of days whose rollups stay as they are: their rows go, by retention or before it comes."""
    return rows if kept_from == date.min else rows.filter(pc.greater_equal(_days(rows), kept_from))


def _last(slices: Sequence[Row], most_rows: int) -> int:
    """The slice up to which to take the queue, oldest first: about ``most_rows``, but at least one slice."""
    rows, last = 0, -1
    for slice_ in slices:
        rows += int(slice_["queued_rows"])
        if last >= 0 and rows > most_rows:
            break
        last = slice_["slice_id"]
    return last


def note_stale_day(connection: Connection, day: date) -> None:
    """Have the rollups of a day made anew from its rows. Idempotent; does not commit."""
    memsql.execute(connection, "rollup/note_stale_day", {"day": day})


def stale_days(connection: Connection) -> list[date]:
    """The days whose rollups are to be made anew from their rows, newest first."""
    return [row["day"] for row in memsql.fetch(connection, "rollup/stale_days")]


@dataclass(frozen=True)
class _Taken:
    """The input of a refresh. ``recounted``: all rows of a ``day`` whose rollups are made anew, by table.

    ``stale``: days that are made anew now or later, and when they were noted. ``progress``: what the rollups are
    complete through afterwards.
    """

    queued_keys: Sequence[Row]
    queued: Sequence[tuple[str, pa.Table]]
    recounted: Sequence[tuple[str, pa.Table]]
    day: date | None
    stale: Mapping[date, datetime]
    progress: Sequence[Row]


def _rows_of(connection: Connection, day: date) -> Iterator[tuple[str, pa.Table]]:
    """The rows of a day, hour by hour, as increments."""
    for table in SEEN:
        columns = ["occurred_at", "user_id", *bucket_columns(TABLES[table])]
        for hour in range(24):
            at = datetime.combine(day, time(hour))
            for rows in memsql.stream(connection, "rollup/rows_of_hour", {"hour": at}, table=table, columns=columns):
                yield table, _increments(columns, rows)


def _increments(columns: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> pa.Table:
    values: dict[str, Any] = dict(zip(columns, zip(*rows, strict=True), strict=True))
    moments = pa.array(values.pop("occurred_at"), pa.timestamp("us")).cast(pa.int64())
    values |= {"weight": [1] * len(rows), "at_us": moments}
    return pa.table({name: values.get(name, [None] * len(rows)) for name in INCREMENTS.names}, schema=INCREMENTS)


def _clear(connection: Connection, day: date) -> None:
    """Delete all that is kept of a day, before its rows are added again."""
    for table in (*(rollup.table for rollup in SUMS), *(table for table, _ in PEOPLE_BITS), "presence"):
        time_column = "hour" if table.endswith("_hourly") else "day"
        memsql.execute(connection, "rollup/clear", {"day": day}, rollup=table, time_column=time_column)


def _load_changes(connection: Connection, how: str, table: str, rows: pa.Table) -> None:
    """Load changes of a table into a new work table of this connection, called after it and ``how`` it changes."""
    memsql.execute_all(connection, "rollup/changes", how=how, rollup=table, columns=rows.column_names)
    load_table(connection, f"{how}_{table}", rows)


def _add(connection: Connection, rollup: Rollup, takes_away: bool) -> None:
    columns = [*rollup.keys, *rollup.counts]
    statement = ADD.get(rollup.table, "add")
    memsql.execute(connection, f"rollup/{statement}", rollup=rollup.table, columns=columns)
    if takes_away:
        memsql.execute(connection, "rollup/drop_empty", rollup=rollup.table, keys=list(rollup.keys))


def _bits(changed: Sequence[tuple[Name, np.ndarray]], by: str) -> pa.Table:
    """The people of the scope ``all`` as people_daily has them, or people_hourly: ``by`` day or hour, a bit each."""
    times, chunks, bits = list[object](), list[np.ndarray](), list[np.ndarray]()
    for (scope, _, day), keys in changed:
        parts = keys >> np.uint64(32)
        for part in np.unique(parts).tolist() if scope == "all" else ():
            if (part == 0) != (by == "day"):
                continue
            people = np.sort(keys[parts == part] & np.uint64(0xFFFFFFFF))
            found, starts = np.unique(people >> np.uint64(6), return_index=True)
            times += [day if by == "day" else datetime.combine(day, time(part - 1))] * len(found)
            chunks.append(found)
            bits.append(np.bitwise_or.reduceat(np.uint64(1) << (people & np.uint64(63)), starts))
    none = np.array([], np.uint64)
    at = pa.array(times, pa.date32() if by == "day" else pa.timestamp("us"))
    return pa.table({by: at, "chunk": np.concatenate([none, *chunks]), "bits": np.concatenate([none, *bits])})

"""Check hours of all tables: profile the lake, then compare with the reporting tables and with the past.

The lake is read at the version that the reporting table has merged, so both must agree to the row even while merges go
on. Results are written in one transaction per hour and table: a check that dies half-way is done again.
"""

import logging
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from deltalake import DeltaTable
from deltalake.exceptions import DeltaError

from expectations.measures import measures
from pinwheel.clients import memsql
from pinwheel.clients.memsql import Connection, Row
from pinwheel.core.contract import ROLLUP_TABLES, ROLLUPS, TABLES, EventType, landed_columns
from pinwheel.core.errors import LakeError, MissingPartError
from pinwheel.core.increments import unpack
from pinwheel.core.quarantine import QUARANTINED
from pinwheel.core.settings import QualitySettings
from pinwheel.core.shards import shard_number
from pinwheel.core.times import HOUR, naive
from pinwheel.enrich.locations import Locator
from pinwheel.lake import events_table
from pinwheel.quality import results
from pinwheel.quality.judge import Judge, Verdict
from pinwheel.quality.known import DELIVERY, known
from pinwheel.quality.profile import SAMPLE_ROWS, Hour, Profile
from pinwheel.quality.usual import expected

log = logging.getLogger(__name__)

PEOPLE_BITS = {"people_daily": "day", "people_hourly": "hour"}  # rollups with a bit per person; their column of time
MAX_DIFFERENT_ROWS = 2_000_000  # differing rows are searched for in hours up to this size: 500 MB of memory


@dataclass(frozen=True)
class Outcome:
    """The result of checking one hour of one table."""

    table: str
    hour: datetime
    rows: int
    verdicts: tuple[Verdict, ...]
    samples: dict[str, list[dict[str, Any]]] = field(default_factory=dict)

    @property
    def unmet(self) -> list[Verdict]:
        """The unmet expectations, critical ones first."""
        return sorted((v for v in self.verdicts if not v.is_met), key=lambda v: (not v.is_critical, v.measure))


class Checker:
    """Checks hours of the lake and the database."""

    def __init__(self, settings: QualitySettings, connection: Connection, judge: Judge) -> None:
        self._settings = settings
        self._connection = connection
        self._judge = judge
        self._locator = _locator(settings)

    def hours(self, hours: Iterable[datetime], now: Callable[[], datetime]) -> list[Outcome]:
        """Check all tables and the rollups, hour by hour; each outcome is stored at once."""
        outcomes = []
        for hour in hours:
            outcomes += [self.table(table, hour, now()) for table in TABLES]
            outcomes.append(self.rollups(hour, now()))
        return outcomes

    def table(self, table: str, hour: datetime, now: datetime) -> Outcome:
        """Check one hour of one table and store the outcome. An unreadable lake is an unmet expectation, no error."""
        try:
            profile, outcome = self._look(table, hour)
        except (DeltaError, OSError, LakeError) as error:
            profile = Profile(table, hour)
            unread = Verdict("lake", "readable", True, False, f"{error!s:.500}", "the lake's files can be read")
            outcome = Outcome(table, hour, 0, (unread,))
        results.keep(
            self._connection, profile, outcome.verdicts, outcome.samples, now, self._settings.quality_keep_days
        )
        _log(outcome)
        return outcome

    def _look(self, table: str, hour: datetime) -> tuple[Profile, Outcome]:
        kind = TABLES[table]
        with ExitStack() as opened:
            with memsql.snapshot(self._connection):  # rows, watermarks, quarantine of one moment, while merges go on
                shards = memsql.fetch(self._connection, "quality/books/watermarks", {"table_name": table})
                merged = bool(shards) and all(row["version"] >= 0 for row in shards)
                lake = _rows(self._settings.events_uri, kind, hour, shards if merged else [])
                rows = opened.enter_context(lake)
                aside = self._quarantined(rows, table) if merged else []
                there = self._sums(table, hour, aside)
            profile = rows.profile(self._locator)
            usual = expected(profile, results.past(self._connection, table, hour), measures(kind))
            values: dict[str, Any] = dict(profile.values)
            if merged:
                if aside:
                    rows.leave_out(pa.Table.from_pylist(aside, schema=QUARANTINED))
                here = rows.sums()
                if here != there and here[0] <= MAX_DIFFERENT_ROWS:
                    self._leave_out_of_other_hours(rows, table)
                    here = rows.sums()
                # As text: a sum has more digits than a float holds.
                values |= {"lake_row_count": str(here[0]), "memsql_row_count": str(there[0])}
                values |= {"lake_checksum": str(here[1]), "memsql_checksum": str(there[1])}
            verdicts = self._judge.hour(profile, values, usual, merged)
            samples = self._samples(rows, table, [v.measure for v in verdicts if not v.is_met])
        return profile, Outcome(table, hour, int(profile.rows), tuple(verdicts), samples)

    def _quarantined(self, rows: Hour, table: str) -> list[Row]:
        first, last = rows.offsets()
        params = {"table_name": table, "first_offset": first, "last_offset": last}
        return memsql.fetch(self._connection, "quality/quarantined", params)

    def _sums(self, table: str, hour: datetime, aside: Sequence[Row]) -> tuple[int, int]:
        """Rows and checksum of the reporting table's hour, without those of which a correction is in quarantine."""
        found = memsql.fetch(self._connection, "quality/sums", {"hour": naive(hour)}, table=table)[0]
        ids = sorted({row["event_id"] for row in aside if row["event_id"] is not None})
        there = [row for row in known(self._connection, table, ids) if row.pop("occurred_hour") == naive(hour)]
        kept = {row["event_id"] for row in there if row in aside}
        sums = self._checksums(table, hour) if kept else {}
        return found["row_count"] - len(kept), int(found["checksum"]) - sum(sums[event_id] for event_id in kept)

    def _leave_out_of_other_hours(self, rows: Hour, table: str) -> None:
        """Leave out later deliveries of events whose first one is at another time: the books have them."""
        ids = sorted(rows.checksums().keys() - self._checksums(table, rows.hour).keys())
        found = [row for row in known(self._connection, table, ids) if row["occurred_hour"] != naive(rows.hour)]
        self._connection.commit()
        if found:
            rows.leave_out_later(pa.Table.from_pylist(found, schema=DELIVERY))

    def _samples(self, rows: Hour, table: str, failed: Sequence[str]) -> dict[str, list[dict[str, Any]]]:
        """A few offending rows for each failed measure that can be traced to rows."""
        culprits = {m.name: m.culprits for m in measures(rows.kind) if m.culprits}
        samples = {name: rows.sample(culprits[name]) for name in failed if name in culprits}
        differ = [name for name in failed if name in ("row_count", "checksum")]
        if differ and rows.sums()[0] <= MAX_DIFFERENT_ROWS:
            different = self._different(rows, table)
            samples |= dict.fromkeys(differ, different) if different else {}
        return samples

    def _different(self, rows: Hour, table: str) -> list[dict[str, Any]]:
        """Events that differ between lake and reporting table, or are in only one of them."""
        here, there = rows.checksums(), self._checksums(table, rows.hour)
        self._connection.commit()
        ids = sorted(i for i in {*here, *there} if here.get(i) != there.get(i))[:SAMPLE_ROWS]
        return [{"event_id": i, "in_lake": i in here, "in_reporting_table": i in there} for i in ids]

    def _checksums(self, table: str, hour: datetime) -> dict[str, int]:
        """Event id -> checksum of the reporting table's rows of the hour."""
        found = memsql.fetch(self._connection, "quality/checksums", {"hour": naive(hour)}, table=table)
        return {row["event_id"]: int(row["checksum"]) for row in found}

    def rollups(self, hour: datetime, now: datetime) -> Outcome:
        """Compare the rollups of an hour, and of its day, with a count of the rows."""
        params = {"hour": naive(hour), "day": hour.date()}
        with memsql.snapshot(self._connection):
            if memsql.fetch(self._connection, "quality/stale_day", params):
                log.warning("rollups are not checked hour=%s reason=they are being made anew", hour)
                return Outcome(ROLLUPS, hour, 0, ())
            self._note_stale(hour)
            numbers = self._people_of(params)
            wrong = {name: self._wrong(name, params, numbers) for name in ROLLUP_TABLES}
            if any(wrong.values()):  # made anew by the next refresh, if an increment went wrong
                memsql.execute(self._connection, "quality/note_stale_day", params)
        verdicts = self._judge.rollups(hour, {name: len(rows) for name, rows in wrong.items()})
        samples = {f"wrong_{name}": rows[:SAMPLE_ROWS] for name, rows in wrong.items() if rows}
        outcome = Outcome(ROLLUPS, hour, 0, tuple(verdicts), samples)
        days = self._settings.quality_keep_days
        results.keep(self._connection, Profile(ROLLUPS, hour), outcome.verdicts, samples, now, days)
        _log(outcome)
        return outcome

    def _note_stale(self, hour: datetime) -> None:
        """Note the queued increments of the hour's day, and all logins: their buckets are not right yet, and left out.

        A person's home country counts the logins of all days.
        """
        memsql.execute_all(self._connection, "quality/stale_rows")
        for queued in memsql.fetch(self._connection, "quality/queued"):
            rows = unpack(queued["increments"])
            moments = pc.floor_temporal(rows["at_us"].cast(pa.timestamp("us")), unit="hour")
            rows = rows.drop_columns(["at_us", "weight"]).append_column("occurred_hour", moments)
            if queued["table_name"] != "logins":
                rows = rows.filter(pc.equal(moments.cast(pa.date32()), hour.date()))
            stale = [{**row, "table_name": queued["table_name"]} for row in rows.to_pylist()]
            memsql.execute_many(self._connection, "quality/note_stale_row", stale)

    def _people_of(self, params: dict[str, Any]) -> dict[int, int | None]:
        """The numbers of a sixteenth of the people with an event in the hour; None: a person without one."""
        people = [row["user_id"] for row in memsql.fetch(self._connection, "quality/people_of_hour", params)]
        blocks = memsql.fetch(self._connection, "quality/people")
        ids = np.frombuffer(b"".join(row["user_ids"] for row in blocks), np.int64)
        wanted = np.isin(ids, people)
        number_of = dict(zip(ids[wanted].tolist(), np.flatnonzero(wanted).tolist(), strict=True))
        return {user_id: number_of.get(user_id) for user_id in people}

    def _wrong(self, name: str, params: dict[str, Any], numbers: Mapping[int, int | None]) -> list[Row]:
        if name not in PEOPLE_BITS:
            return memsql.fetch(self._connection, f"quality/wrong_{name}", params)
        by = PEOPLE_BITS[name]
        found = memsql.fetch(self._connection, "quality/people_bits", {"at": params[by]}, rollup=name, time_column=by)
        bits = {row["chunk"]: row["bits"] for row in found}
        return [{"user_id": user_id} for user_id, number in numbers.items() if not _is_set(bits, number)]


def _is_set(bits: Mapping[int, int], number: int | None) -> bool:
    return number is not None and bool(bits.get(number >> 6, 0) >> (number & 63) & 1)


@contextmanager
def _rows(events_uri: str, kind: EventType, hour: datetime, shards: Sequence[Row]) -> Iterator[Hour]:
    """An hour's rows in the lake, those of each shard at the version that it has merged; no shards: the newest."""
    of_version: dict[int | None, list[int]] = defaultdict(list)
    for row in shards:
        of_version[row["version"]].append(row["shard"])
    number = shard_number(len(shards))
    parts = [
        (_read(events_uri, kind, hour, version), f"{number} IN ({', '.join(map(str, mine))})")
        for version, mine in of_version.items()
    ] or [(_read(events_uri, kind, hour, None), "TRUE")]
    try:
        opened = Hour(parts, kind, hour)
    except duckdb.Error as error:  # wraps the reader's own error, e.g. a missing file
        raise LakeError(f"{kind.name} of {hour:%Y-%m-%d} in {events_uri} can't be read: {error}") from error
    with closing(opened):
        yield opened


def _read(events_uri: str, kind: EventType, hour: datetime, version: int | None) -> pa.RecordBatchReader:
    if version is None and events_table.open_table(events_uri) is None:  # the stream has never started
        return events_table.arrow_schema().empty_table().select(landed_columns(kind)).to_reader()
    table = DeltaTable(events_uri, version=version)
    day = hour.date().isoformat()
    dataset = table.to_pyarrow_dataset(
        file_pruning_predicate=[("event_date", "=", day), ("event_type", "=", kind.name)]
    )
    at = pc.field("occurred_at")
    within = (at >= pa.scalar(hour, pa.timestamp("us", "UTC"))) & (
        at < pa.scalar(hour + HOUR, pa.timestamp("us", "UTC"))
    )
    return dataset.scanner(columns=landed_columns(kind), filter=within).to_reader()


def _locator(settings: QualitySettings) -> Locator | None:
    try:
        return Locator(settings)
    except MissingPartError as error:
        log.warning("locations are not checked reason=%s", error)
        return None


def _log(outcome: Outcome) -> None:
    log.info(
        "checked table=%s hour=%s rows=%d expectations=%d unmet=%d",
        outcome.table, f"{outcome.hour:%Y-%m-%dT%H}", outcome.rows, len(outcome.verdicts), len(outcome.unmet),
    )  # fmt: skip
    for verdict in outcome.unmet:
        severity = "critical" if verdict.is_critical else "warning"
        log.warning(
            "unmet table=%s severity=%s measure=%s observed=%s expected=%s sample=%s",
            outcome.table, severity, verdict.measure, verdict.observed, verdict.expected,
            outcome.samples.get(verdict.measure, []),
        )  # fmt: skip

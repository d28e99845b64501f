"""Retention: takes away what each store has kept for long enough, in bounded steps; rollups stay.

For the reporting tables and presence, the first day that is kept moves forward before the first row goes, so that
nothing recomputes a day of which rows are missing. Each step is one transaction. Dying between two: the next run does
the rest. Twice, or late: there is nothing left to take away.
"""

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from pinwheel.clients import memsql
from pinwheel.clients.memsql import Connection
from pinwheel.core.contract import TABLES
from pinwheel.core.increments import unpack
from pinwheel.core.settings import RetentionSettings
from pinwheel.core.times import EPOCH
from pinwheel.lake import expiry
from pinwheel.merge import ledger
from pinwheel.merge.ledger import EVENTS, FIRST_WATERMARK, PRESENCE
from pinwheel.quality.books import closed_through
from pinwheel.reports.store import Store

log = logging.getLogger(__name__)

STEP_ROWS = 10_000  # per transaction: takes a fraction of a second, and holds up nobody for longer
LOGINS = "logins"


@dataclass(frozen=True)
class Expired:
    """The rows that a run took away from a store, or would: those from before a time."""

    store: str
    before: datetime
    rows: int


def apply_retention(settings: RetentionSettings, now: datetime, dry_run: bool) -> list[Expired]:
    """Take away what is older than the settings say; with ``dry_run`` only count it. One store after the other."""
    with memsql.connect(settings) as connection:
        found = list(Retention(settings, connection, now, dry_run).stores())
    for one in found:
        log.info("expired dry_run=%s store=%s before=%s rows=%d", dry_run, one.store, one.before, one.rows)
    return found


class Retention:
    """A run. Its connection's transactions are committed."""

    def __init__(self, settings: RetentionSettings, connection: Connection, now: datetime, dry_run: bool) -> None:
        self._settings, self._connection, self._dry_run = settings, connection, dry_run
        self._today = datetime(now.year, now.month, now.day)

    def stores(self) -> Iterator[Expired]:
        """Each store with a retention; the tables before the lake, which keeps what they are rebuilt from."""
        for table in TABLES if self._settings.retain_event_days else ():
            before = self._kept_from(EVENTS, self._settings.retain_event_days)
            yield Expired(table, before, self._events(table, before))
        if days := self._settings.retain_lake_days:
            before = min(self._before(days), self._floor(EVENTS, self._settings.retain_event_days))
            yield Expired("lake", before, self._lake(before.date()))
        if days := self._settings.retain_dead_letter_days:
            before = min(self._before(days), datetime.combine(first_open_day(self._connection), datetime.min.time()))
            self._connection.commit()
            self._note("dead_letters", before.date())
            uri = self._settings.events_uri
            yield Expired("dead_letters", before, expiry.expire_letters(uri, before.date(), self._dry_run))
        if days := self._settings.retain_presence_days:
            before = self._kept_from(PRESENCE, days)
            yield Expired(PRESENCE, before, self._rows(PRESENCE, before))
        for store, days in (
            ("quarantine", self._settings.retain_quarantine_days),
            ("messages", self._settings.retain_alert_days),
            ("alerts", self._settings.retain_alert_days),
            ("silences", self._settings.retain_alert_days),
        ):
            if days:
                yield Expired(store, self._before(days), self._rows(store, self._before(days)))
        if days := self._settings.retain_report_days:
            yield Expired("reports", self._before(days), self._reports(self._before(days)))
        if days := self._settings.retain_pin_days:
            yield Expired("pin_cache", self._before(days), self._pins(self._before(days)))

    def _before(self, days: int) -> datetime:
        return self._today - timedelta(days=days)

    def _floor(self, store: str, days: int) -> datetime:
        """The first day that a store keeps; in a dry run, the one that it would keep."""
        kept_from = ledger.kept_from(self._connection, store)
        if self._dry_run and days and (first := self._first(store, days)) is not None:
            kept_from = max(kept_from, first)
        self._connection.commit()
        return datetime.combine(kept_from, datetime.min.time())

    def _kept_from(self, store: str, days: int) -> datetime:
        """Move the first day that a store keeps forward; returns it. A day that is not settled yet is kept."""
        if not self._dry_run:
            with memsql.transaction(self._connection):
                memsql.fetch(self._connection, "operate/retention/lock")
                if (first := self._first(store, days)) is not None:
                    memsql.execute(self._connection, "operate/retention/move", {"store": store, "kept_from": first})
        return self._floor(store, days)

    def _first(self, store: str, days: int) -> date | None:
        """The first day to keep. None: none expires while a table is rebuilt, as parts that are loaded would bring back
        its rows, and logins that are counted already. Does not commit.
        """
        if found := memsql.fetch(self._connection, "operate/retention/rebuilding"):
            tables = ",".join(row["table_name"] for row in found)
            log.warning("nothing more of store=%s expires while tables are rebuilt tables=%s", store, tables)
            return None
        return min(self._before(days).date(), *unsettled_days(self._connection))

    def _count(self, store: str, values: dict[str, Any], **names: str) -> int:
        found = memsql.fetch(self._connection, f"operate/retention/count_{store}", values, **names)[0]["found"]
        self._connection.commit()
        return int(found)

    def _events(self, table: str, before: datetime) -> int:
        if self._dry_run:
            return self._count("events", {"kept_from": before}, table=table)
        rows = 0
        while (hour := self._oldest_hour(table, before)) is not None:
            rows += self._logins(hour) if table == LOGINS else self._hour(table, hour)
        return rows

    def _oldest_hour(self, table: str, before: datetime) -> datetime | None:
        found = memsql.fetch(self._connection, "operate/retention/oldest_hour", {"kept_from": before}, table=table)
        self._connection.commit()
        hour: datetime | None = found[0]["hour"]
        return hour

    def _hour(self, table: str, hour: datetime) -> int:
        with memsql.transaction(self._connection):
            step = {"hour": hour, "most": STEP_ROWS}
            return memsql.execute(self._connection, "operate/retention/delete_events", step, table=table)

    def _logins(self, hour: datetime) -> int:
        """An hour in one step: its logins are counted for ``person_homes``, which has those of all time."""
        with memsql.transaction(self._connection):
            memsql.fetch(self._connection, "operate/retention/lock_logins")  # or a merge could change one in between
            memsql.execute(self._connection, "operate/retention/keep_login_counts", {"hour": hour})
            return memsql.execute(self._connection, "operate/retention/delete_logins", {"hour": hour})

    def _lake(self, before: date) -> int:
        merged = memsql.fetch(self._connection, "operate/retention/merged")[0]
        self._connection.commit()
        version = merged["version"] if merged["tables"] == len(TABLES) else FIRST_WATERMARK
        if version == FIRST_WATERMARK:  # a table was never merged
            return 0
        self._note("lake", before)
        return expiry.expire_events(self._settings.events_uri, before, version, self._dry_run)

    def _note(self, store: str, before: date) -> None:
        """Before the first row goes: the books then take days that are gone for expired."""
        if not self._dry_run:
            named = {"store": store, "kept_from": max(before, EPOCH.date())}
            with memsql.transaction(self._connection):
                memsql.execute(self._connection, "operate/retention/move", named)

    def _rows(self, store: str, before: datetime) -> int:
        """Rows of a table by their time."""
        if self._dry_run:
            return self._count(store, {"before_time": before})
        return delete_rows(self._connection, store, before)

    def _reports(self, before: datetime) -> int:
        """Files first: a report without files is found again by the next run, files without a report never."""
        if self._dry_run:
            return self._count("reports", {"before_time": before.date()})
        rows = 0
        with Store(self._settings.reports_uri) as store:
            while found := self._some("old_reports", {"before_time": before.date(), "most": STEP_ROWS}):
                for report in found:
                    store.delete(report["folder"])
                    with memsql.transaction(self._connection):
                        rows += memsql.execute(self._connection, "operate/retention/delete_report", report)
        return rows

    def _pins(self, before: datetime) -> int:
        if self._dry_run:
            return self._count("pins", {"before_time": before})
        rows, last = 0, -(2**63)
        while found := self._some("unused_pins", {"before_time": before, "after_id": last, "most": STEP_ROWS}):
            ids = [row["pin_id"] for row in found]
            with memsql.transaction(self._connection):
                unused = {"before_time": before, "pin_ids": ids}
                rows += memsql.execute(self._connection, "operate/retention/delete_pins", unused)
            last = ids[-1]
        return rows

    def _some(self, statement: str, values: dict[str, Any]) -> list[memsql.Row]:
        found = memsql.fetch(self._connection, f"operate/retention/{statement}", values)
        self._connection.commit()
        return found


def delete_rows(connection: Connection, store: str, before: date) -> int:
    """Delete the rows of a store from before a time, step by step; returns their number. Idempotent."""
    rows, step = 0, {"before_time": before, "most": STEP_ROWS}

    def delete() -> int:
        with memsql.transaction(connection):
            return memsql.execute(connection, f"operate/retention/delete_{store}", step)

    while True:
        gone = memsql.retry_conflicts(delete)
        rows += gone
        if gone < STEP_ROWS:
            return rows


def unsettled_days(connection: Connection) -> set[date]:
    """Days whose rows are needed: by the books, to make rollups anew, or because rollups do not have them yet."""
    found = memsql.fetch(connection, "operate/retention/oldest_stale_day")[0]["day"]
    days = {first_open_day(connection), *([found] if found else [])}
    for row in memsql.fetch(connection, "operate/retention/queued"):
        moments = unpack(row["increments"])["at_us"].cast(pa.timestamp("us"))
        days |= set(pc.unique(moments.cast(pa.date32())).to_pylist())
    return days


def first_open_day(connection: Connection) -> date:
    """The first day whose books are not closed; none is if they were never drawn up. Does not commit."""
    closed = closed_through(connection)
    return EPOCH.date() if closed is None else closed + timedelta(days=1)

"""Keep merging one table for a while: what a long-lived Airflow task runs.

Long-lived because importing Great Expectations costs seconds of CPU per process. A broken lake or database never
ends a session before its time: it is tried again with growing pauses.
"""

import logging
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime

from pinwheel import memsql
from pinwheel.alerts import (
    EVENTS_CONFLICTING,
    MERGE_FAILING,
    ROWS_QUARANTINED,
    SLICE_HELD,
    SLICE_WARNING,
    TRENDS_FAILING,
    Alert,
    Send,
    raise_alert,
    resolve_alert,
)
from pinwheel.contracts import TABLES
from pinwheel.errors import MergeError
from pinwheel.memsql import Connection
from pinwheel.merge import ledger
from pinwheel.merge.audit import Verdict, audit
from pinwheel.merge.gate import Gate
from pinwheel.merge.ledger import Slice, State, SupersededError
from pinwheel.merge.merge import MINUTES_FROM, Counts, merge
from pinwheel.merge.stage import stage
from pinwheel.settings import MergeSettings, load
from pinwheel.stopping import told_to_stop
from pinwheel.trends import Trends

log = logging.getLogger(__name__)

FIRST_PAUSE_SECONDS = 1.0  # after an error; doubles with each one in a row
MAX_PAUSE_SECONDS = 60.0
ALERT_AFTER_ERRORS = 3  # a restart of the database is two


@dataclass
class Report:
    """What a session did."""

    slices: int = 0
    rows: int = 0
    quarantined: int = 0
    held: int = 0
    superseded: int = 0
    errors: int = 0


def merge_session(
    table: str,
    settings: MergeSettings,
    *,
    clock: Callable[[], float],
    now: Callable[[], datetime],
    wait: Callable[[float], bool],
    alert: Send,
    resolve: Send,
) -> Report:
    """Merge what comes, for ``merge_session_seconds`` or until told to stop.

    Args:
        table: a reporting table; other tables are other processes.
        settings: lake, database and pace.
        clock: seconds, monotonic.
        now: the time of day, UTC.
        wait: waits so many seconds; True when told to stop.
        alert: told of held slices, warnings, conflicting events and lasting errors.
        resolve: told when held slices and lasting errors are over.

    Raises:
        MergeError: there is no such table.
    """
    if table not in TABLES:
        raise MergeError(f"no reporting table {table!r}; there are {', '.join(TABLES)}")
    trends = Trends(settings.trends_interval_seconds, clock, now) if table == MINUTES_FROM else None
    session = Session(table, settings, alert, resolve, trends=trends)
    end = clock() + settings.merge_session_seconds
    try:
        while clock() < end:
            started = clock()
            worked = session.turn()
            if wait(max(0.0, min(session.pause(worked) - (clock() - started), end - clock()))):
                break
    finally:
        session.close()
    log.info("session_ended table=%s slices=%d rows=%d", table, session.report.slices, session.report.rows)
    return session.report


def run_session(table: str) -> dict[str, int]:
    """A session on the real lake, database and alerts, with settings from the environment; what it did."""
    settings = load(MergeSettings)
    with told_to_stop() as stop:
        report = merge_session(
            table,
            settings,
            clock=time.monotonic,
            now=lambda: datetime.now(UTC),
            wait=stop.wait,
            alert=raise_alert,
            resolve=resolve_alert,
        )
    return asdict(report)


class Session:
    """One table's merging, a turn at a time."""

    def __init__(
        self, table: str, settings: MergeSettings, alert: Send, resolve: Send, *, trends: Trends | None = None
    ) -> None:
        self.report = Report()
        self._table = table
        self._settings = settings
        self._alert = alert
        self._resolve = resolve
        self._gate: Gate | None = None
        self._connection: Connection | None = None
        self._errors_in_row = 0
        self._held_told: int | None = None
        self._trends = trends
        self._trends_errors_in_row = 0
        self._trends_told = True  # an earlier session may have

    def turn(self) -> bool:
        """Merge one slice if there is one; returns whether there was. Errors are counted, not raised."""
        try:
            worked = self._work()
        except SupersededError as error:
            self.report.superseded += 1
            log.warning("superseded table=%s reason=%s", self._table, error)
            return False
        except Exception as error:  # whatever it is, the next turn may well do better
            self._failed(error)
            return False
        if self._errors_in_row >= ALERT_AFTER_ERRORS:
            self._resolve(MERGE_FAILING, self._table, "a turn went through")
        self._errors_in_row = 0
        if self._trends is not None:
            self._refresh(self._trends)
        return worked

    def pause(self, worked: bool) -> float:
        """Seconds from the start of the last turn to the next one."""
        if self._errors_in_row:
            return min(FIRST_PAUSE_SECONDS * 2.0 ** (self._errors_in_row - 1), MAX_PAUSE_SECONDS)
        settings = self._settings
        return settings.merge_interval_seconds if worked else settings.merge_poll_seconds

    def close(self) -> None:
        """Let go of the database."""
        if self._connection is not None and self._connection.open:
            self._connection.close()
        self._connection = None

    def _work(self) -> bool:
        connection = self._connected()
        gate = self._gated()  # before there is work: making it takes seconds, which the first slice need not wait for
        waiting = ledger.waiting(connection, self._table)
        connection.commit()
        if waiting is not None and waiting.state == State.HELD:
            self._tell_held(waiting, "it was held by an earlier session")
            return False
        if self._held_told is not None:
            self._resolve(SLICE_HELD, self._table, f"slice {self._held_told} is released")
            self._held_told = None
        found = waiting or stage(self._table, self._settings, connection)
        if found is None:
            return False
        self._merge(connection, found, gate)
        return True

    def _merge(self, connection: Connection, found: Slice, gate: Gate) -> None:
        verdict = audit(found, gate, connection, self._settings.quarantine_max_share)
        self.report.quarantined += verdict.quarantined
        self._tell_warnings(found, verdict)
        if verdict.held:
            self.report.held += 1
            self._tell_held(found, "; ".join(verdict.reasons))
            return
        counts = merge(found.slice_id, connection)
        self.report.slices += 1
        self.report.rows += found.rows_read
        self._tell_conflicting(found, counts)

    def _refresh(self, trends: Trends) -> None:
        """Nothing that goes wrong with trends holds up the merge: they are tried again when they are next due."""
        try:
            refreshed = trends.refresh(self._connected())
        except Exception as error:
            self._trends_failed(error)
            return
        if refreshed and self._trends_told:
            self._resolve(TRENDS_FAILING, self._table, "a refresh went through")
            self._trends_told = False
        self._trends_errors_in_row = 0 if refreshed else self._trends_errors_in_row

    def _trends_failed(self, error: Exception) -> None:
        self.close()  # its state is not known
        self._trends_errors_in_row += 1
        log.error("trends_failed errors=%d", self._trends_errors_in_row, exc_info=error)
        if self._trends_errors_in_row == ALERT_AFTER_ERRORS:
            self._tell(TRENDS_FAILING, f"{ALERT_AFTER_ERRORS} refreshes in a row failed, the last: {error}")
            self._trends_told = True

    def _connected(self) -> Connection:
        if self._connection is None or not self._connection.open:
            self._connection = memsql.connect(self._settings, local_infile=True)
        return self._connection

    def _gated(self) -> Gate:
        if self._gate is None:
            self._gate = Gate(self._settings)
            self._gate.prepare(self._table)
        return self._gate

    def _failed(self, error: Exception) -> None:
        self.report.errors += 1
        self._errors_in_row += 1
        self.close()  # its state is not known
        log.error("failed table=%s errors=%d", self._table, self._errors_in_row, exc_info=error)
        if self._errors_in_row == ALERT_AFTER_ERRORS:
            self._tell(MERGE_FAILING, f"{self._errors_in_row} errors in a row, the last: {error}")

    def _tell_held(self, found: Slice, why: str) -> None:
        if self._held_told == found.slice_id:
            return
        self._held_told = found.slice_id
        text = f"slice {found.slice_id} of {found.table} is held: {why}. Release it with 'retry' or 'accept'"
        self._tell(SLICE_HELD, text)

    def _tell_warnings(self, found: Slice, verdict: Verdict) -> None:
        if verdict.warnings:
            self._tell(SLICE_WARNING, f"slice {found.slice_id} of {found.table}: {'; '.join(verdict.warnings)}")
        if verdict.quarantined:
            text = f"slice {found.slice_id} of {found.table}: {verdict.quarantined} rows went to quarantine"
            self._tell(ROWS_QUARANTINED, text)

    def _tell_conflicting(self, found: Slice, counts: Counts) -> None:
        if counts.conflicting:
            text = f"slice {found.slice_id} of {found.table}: {counts.conflicting} events reuse an event_id"
            self._tell(EVENTS_CONFLICTING, f"{text} with another payload; the lake has them all")

    def _tell(self, alert: Alert, message: str) -> None:
        self._alert(alert, self._table, message)

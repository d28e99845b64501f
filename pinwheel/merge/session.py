"""The session of a long-lived Airflow task that keeps merging one table."""

import logging
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass

from pinwheel.alerts.catalogue import (
    EVENTS_CONFLICTING,
    ROWS_QUARANTINED,
    SLICE_HELD,
    SLICE_WARNING,
    Alert,
    Send,
)
from pinwheel.alerts.latch import Latch
from pinwheel.alerts.raising import raise_alert, resolve_alert
from pinwheel.clients.memsql import Connection
from pinwheel.core.contract import TABLES, SliceState
from pinwheel.core.errors import MergeError
from pinwheel.core.settings import MergeSettings, load
from pinwheel.core.signals import stop_on_sigterm
from pinwheel.merge import ledger
from pinwheel.merge.audit import Verdict, audit
from pinwheel.merge.gate import Gate
from pinwheel.merge.ledger import Slice
from pinwheel.merge.merge import Counts, merge
from pinwheel.merge.stage import stage
from pinwheel.merge.turns import Turns, take_turns

log = logging.getLogger(__name__)


@dataclass
class SessionCounts:
    """Counts of a session's work."""

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
    wait: Callable[[float], bool],
    alert: Send,
    resolve: Send,
) -> SessionCounts:
    """Merge new versions for ``merge_session_seconds`` or until asked to stop.

    Args:
        table: a reporting table; each table has its own process.
        settings: lake, database and pace.
        clock: seconds, monotonic.
        wait: waits for some seconds; True if asked to stop.
        alert: raises alerts about held slices, warnings, conflicting events and errors in a row.
        resolve: resolves the alerts about held slices and errors in a row.

    Raises:
        MergeError: there is no such table.
    """
    if table not in TABLES:
        raise MergeError(f"no reporting table {table!r}; there are {', '.join(TABLES)}")
    session = Session(table, settings, alert, resolve)
    take_turns([session], settings.merge_session_seconds, clock, wait)
    report = session.report
    report.superseded, report.errors = session.superseded, session.errors
    log.info("session_ended table=%s slices=%d rows=%d", table, report.slices, report.rows)
    return report


def run_session(table: str) -> dict[str, int]:
    """A session on the real lake, database and alerts, with settings from the environment; returns its counts."""
    settings = load(MergeSettings)
    with stop_on_sigterm() as stop:
        report = merge_session(
            table,
            settings,
            clock=time.monotonic,
            wait=stop.wait,
            alert=raise_alert,
            resolve=resolve_alert,
        )
    return asdict(report)


class Session(Turns):
    """Merges one table: each turn merges one slice, if there is one."""

    loads_files = True  # a slice is loaded from a file

    def __init__(self, table: str, settings: MergeSettings, alert: Send, resolve: Send) -> None:
        super().__init__(table, settings, alert, resolve)
        self.report = SessionCounts()
        self._gate: Gate | None = None
        self._held = Latch(SLICE_HELD, table, alert, resolve)

    def work(self, connection: Connection) -> bool:
        """Stage, audit and merge a slice; returns whether there was one."""
        gate = self._gated()  # before there is work: building it takes seconds, which the first slice need not wait for
        waiting = ledger.waiting(connection, self.subject)
        connection.commit()
        if waiting is not None and waiting.state == SliceState.HELD:
            self._alert_held(waiting, "it was held by an earlier session")
            return False
        self._held.end("no slice is held any more")
        slice_ = waiting or stage(self.subject, self.settings, connection)
        if slice_ is None:
            return False
        self._merge(connection, slice_, gate)
        return True

    def _merge(self, connection: Connection, slice_: Slice, gate: Gate) -> None:
        verdict = audit(slice_, gate, connection, self.settings.quarantine_max_share)
        self.report.quarantined += verdict.quarantined
        self._alert_warnings(slice_, verdict)
        if verdict.held:
            self.report.held += 1
            self._alert_held(slice_, "; ".join(verdict.reasons))
            return
        counts = merge(slice_.slice_id, connection)
        self.report.slices += 1
        self.report.rows += slice_.rows_read
        self._alert_conflicting(slice_, counts)

    def _gated(self) -> Gate:
        if self._gate is None:
            self._gate = Gate(self.settings)
            self._gate.prepare(self.subject)
        return self._gate

    def _alert_held(self, slice_: Slice, why: str) -> None:
        self._held.start(
            f"slice {slice_.slice_id} of {slice_.table} is held: {why}. Release it with 'retry' or 'accept'"
        )

    def _alert_warnings(self, slice_: Slice, verdict: Verdict) -> None:
        if verdict.warnings:
            self._alert(SLICE_WARNING, f"slice {slice_.slice_id} of {slice_.table}: {'; '.join(verdict.warnings)}")
        if verdict.quarantined:
            text = f"slice {slice_.slice_id} of {slice_.table}: {verdict.quarantined} rows were quarantined"
            self._alert(ROWS_QUARANTINED, text)

    def _alert_conflicting(self, slice_: Slice, counts: Counts) -> None:
        if counts.conflicting:
            text = f"slice {slice_.slice_id} of {slice_.table}: {counts.conflicting} events reuse an event_id"
            self._alert(EVENTS_CONFLICTING, f"{text} with another payload; the lake keeps all of them")

    def _alert(self, alert: Alert, message: str) -> None:
        self.alert(alert, self.subject, message)

"""The session of a long-lived Airflow task that keeps merging one table."""

import logging
import time
from contextlib import closing
from dataclasses import asdict, dataclass
from datetime import datetime

from pinwheel.alerts.catalogue import (
    EVENTS_CONFLICTING,
    ROWS_QUARANTINED,
    SLICE_HELD,
    SLICE_WARNING,
    TABLE_CUT_OFF,
    Alert,
    Resolve,
    Send,
)
from pinwheel.alerts.latch import Latch
from pinwheel.alerts.raising import raise_alert, resolve_alert
from pinwheel.clients import memsql
from pinwheel.clients.memsql import Connection
from pinwheel.core.contract import TABLES, SliceState
from pinwheel.core.errors import LogCutError, MergeError
from pinwheel.core.settings import MergeSettings, load
from pinwheel.core.signals import stop_on_sigterm
from pinwheel.lake.change_feed import ChangeFeed
from pinwheel.merge import ledger, rebuild
from pinwheel.merge.announce import Announce, Announcements
from pinwheel.merge.gate import Gate, Verdict
from pinwheel.merge.ledger import FIRST_WATERMARK, ONLY, Shard, Slice
from pinwheel.merge.merge import merge, next_slice, prepared
from pinwheel.merge.plan import Counts
from pinwheel.merge.prepare import Next, Prepared
from pinwheel.merge.turns import Turns, seconds_left, take_turns

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


def run_session(table: str, shard: int, began: datetime | None, announce: Announce | None = None) -> dict[str, int]:
    """Merge a table's new versions until the session is over, or asked to stop; returns its counts.

    Args:
        table: a reporting table.
        shard: which part of it; each has its own process.
        began: when the Airflow run did; see ``seconds_left``.
        announce: called with what was merged while the session lasts.

    Raises:
        MergeError: there is no such table.
        StoppedError: asked to stop.
    """
    if table not in TABLES:
        raise MergeError(f"no reporting table {table!r}; there are {', '.join(TABLES)}")
    settings = load(MergeSettings)
    session = Session(table, settings, raise_alert, resolve_alert, Shard(shard, settings.merge_shards))
    session.news = announce and Announcements(announce, settings.merge_announce_seconds, time.monotonic)
    with stop_on_sigterm() as stop:
        take_turns([session], seconds_left(settings, began), time.monotonic, stop.wait)
    report = session.report
    report.superseded, report.errors = session.superseded, session.errors
    log.info("session_ended subject=%s slices=%d rows=%d", session.subject, report.slices, report.rows)
    return asdict(report)


class Session(Turns):
    """Merges one shard of a table: each turn merges one slice, if there is one."""

    loads_files = True  # a slice is loaded from a file

    def __init__(self, table: str, settings: MergeSettings, alert: Send, resolve: Resolve, shard: Shard = ONLY) -> None:
        super().__init__(f"{table}{shard.label}", settings, alert, resolve)
        self.report = SessionCounts()
        self._table, self._shard = table, shard
        self._feed = ChangeFeed(settings.events_uri)
        self._gate: Gate | None = None
        self._held = Latch(SLICE_HELD, self.subject, alert, resolve)
        self._cut_off = Latch(TABLE_CUT_OFF, self.subject, alert, resolve)
        self._rebuilding = False
        self.news: Announcements | None = None

    def work(self, connection: Connection) -> bool:
        """Prepare, judge and merge a slice, or go on with a rebuild; returns whether there was work."""
        if self.news:
            self.news.tick()
        gate = self._gated()  # before there is work: building it takes seconds, which the first slice need not wait for
        if self._rebuilds(connection, gate):
            return self._rebuilding
        waiting = ledger.waiting(connection, self._table, self._shard)
        if waiting is not None:  # a slice of another number of shards is superseded now
            ledger.watermark(connection, self._table, self._shard)
            waiting = ledger.waiting(connection, self._table, self._shard)
        connection.commit()
        if waiting is not None and waiting.state == SliceState.HELD:
            self._alert_held(waiting, "it was held by an earlier session")
            return False
        self._held.end("No slice is held any more")
        if waiting is not None:
            again = Next(waiting.versions, False, waiting.progress)
            slice_ = prepared(self._table, self._feed, again, self._shard, connection)
        elif (found := self._next(connection)) is not None:
            slice_ = found
        else:
            return False
        with closing(slice_):
            self._merge(connection, slice_, gate, waiting)
        return True

    def _next(self, connection: Connection) -> Prepared | None:
        """The next slice. A table that was never merged is rebuilt if the log no longer has its first versions."""
        try:
            found = next_slice(self._table, self.settings, connection, self._shard, self._feed)
        except LogCutError as error:
            if ledger.watermark(connection, self._table, self._shard) == FIRST_WATERMARK:
                rebuild.request(connection, self.settings, [self._table], "merge_events: never merged, log cut")
            else:
                self._cut_off.start(f"{self.subject}: {error}. Trigger rebuild_tables for it")
            return None
        self._cut_off.end("its versions are in the log again, or it was rebuilt")
        return found

    def _rebuilds(self, connection: Connection, gate: Gate) -> bool:
        """Go on with the table's rebuild, in the session of its first shard; whether there is one."""
        found = rebuild.waiting(connection, self._table)
        connection.commit()
        self._rebuilding = found is not None and self._shard.number == 0 and rebuild.is_mine(found)
        if found is not None and self._rebuilding:
            rebuild.go_on(found, self.settings, connection, gate)
        return found is not None

    def close(self) -> None:
        """Also after an error: the next turn opens the lake's table again."""
        super().close()
        self._feed = ChangeFeed(self.settings.events_uri)

    def pause(self, worked: bool) -> float:
        """No pause between the parts of a rebuild."""
        return 0.0 if worked and self._rebuilding else super().pause(worked)

    def _merge(self, connection: Connection, slice_: Prepared, gate: Gate, accepted: Slice | None) -> None:
        verdict = gate.check(slice_, accepted=accepted is not None)
        self.report.quarantined += verdict.quarantined
        if verdict.held:
            with memsql.transaction(connection):
                held = ledger.hold(connection, slice_, asdict(verdict))
            self.report.held += 1
            self._alert_held(held, "; ".join(verdict.reasons))
            return
        counts = merge(slice_, connection, verdict, accepted_id=accepted.slice_id if accepted else None)
        self.report.slices += 1
        self.report.rows += slice_.rows_read
        if self.news:
            self.news.add(slice_.versions.to, slice_.rows_read)
        self._alert_judged(verdict, counts, is_accepted=accepted is not None)

    def _gated(self) -> Gate:
        if self._gate is None:
            self._gate = Gate(self.settings.quarantine_max_share)
        return self._gate

    def _alert_judged(self, verdict: Verdict, counts: Counts, *, is_accepted: bool) -> None:
        if verdict.warnings:
            self._alert(SLICE_WARNING, f"{self.subject}: {'; '.join(verdict.warnings)}")
        if verdict.quarantined and not is_accepted:  # or a person has just decided it
            self._alert(ROWS_QUARANTINED, f"{self.subject}: {verdict.quarantined} rows of a slice were quarantined")
        if counts.conflicting:
            text = f"{self.subject}: {counts.conflicting} events of a slice reuse an event_id"
            self._alert(EVENTS_CONFLICTING, f"{text} with another payload; the lake keeps all of them")

    def _alert_held(self, slice_: Slice, why: str) -> None:
        self._held.start(f"Slice {slice_.slice_id} of {slice_.table} is held: {why}")

    def _alert(self, alert: Alert, message: str) -> None:
        self.alert(alert, self.subject, message)

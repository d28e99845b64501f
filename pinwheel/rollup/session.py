"""The session of a long-lived Airflow task that keeps rollups and trends up to date."""

import logging
import time
from collections.abc import Callable
from datetime import datetime

from pinwheel.alerts.catalogue import TRENDS_FAILING, Resolve, Send
from pinwheel.alerts.raising import raise_alert, resolve_alert
from pinwheel.clients import memsql
from pinwheel.clients.memsql import Connection
from pinwheel.core.contract import ROLLUPS
from pinwheel.core.settings import MergeSettings, load
from pinwheel.core.signals import stop_on_sigterm
from pinwheel.core.times import utc_now
from pinwheel.merge.turns import Turns, seconds_left, take_turns
from pinwheel.rollup import trends
from pinwheel.rollup.rollups import ALL_TABLES, Rollups

log = logging.getLogger(__name__)

MANY_ROWS = 100_000  # queued: a refresh of so many costs hardly less with more, and the merges leave it a core


class RollupSession(Turns):
    """Keeps the rollups up to date: each turn does one refresh if increments are queued."""

    loads_files = True  # sums are loaded from files

    def __init__(self, settings: MergeSettings, alert: Send, resolve: Resolve) -> None:
        super().__init__(ROLLUPS, settings, alert, resolve)
        self.slices = 0
        self._rollups = Rollups()

    def work(self, connection: Connection) -> bool:
        """Refresh once the oldest increment has waited a little, for other tables' merges; many do not wait."""
        waiting = memsql.fetch(connection, "rollup/waiting")[0]
        if not waiting["slices"]:
            memsql.execute(connection, "rollup/keep_progress", {**ALL_TABLES, "rollups": ROLLUPS})
        connection.commit()
        is_late = waiting["slices"] and waiting["oldest_seconds"] >= self.settings.rollup_interval_seconds
        if not is_late and waiting["queued_rows"] < MANY_ROWS and not waiting["stale_days"]:
            return False
        began = time.monotonic()
        slices = self._rollups.refresh(connection)
        self.slices += slices
        log.info("refreshed slices=%d seconds=%.1f", slices, time.monotonic() - began)
        return False  # the queue decides when the next one is due


class TrendsSession(Turns):
    """Keeps the trends up to date: each turn scores them."""

    failing = TRENDS_FAILING

    def __init__(self, settings: MergeSettings, alert: Send, resolve: Resolve, *, now: Callable[[], datetime]) -> None:
        super().__init__("trends", settings, alert, resolve)
        self._now = now

    def work(self, connection: Connection) -> bool:
        """Score the trends."""
        return trends.refresh(connection, self._now())

    def pause(self, worked: bool) -> float:
        """At least ``trends_interval_seconds``: a refresh costs the same however little is new."""
        return max(super().pause(worked), self.settings.trends_interval_seconds)


def run_session(began: datetime | None) -> dict[str, int]:
    """Keep both up to date as long as the merges of the run that began then; returns numbers of slices and errors."""
    settings = load(MergeSettings)
    refreshing_rollups = RollupSession(settings, raise_alert, resolve_alert)
    scoring = TrendsSession(settings, raise_alert, resolve_alert, now=utc_now)
    with stop_on_sigterm() as stop:
        take_turns([refreshing_rollups, scoring], seconds_left(settings, began), time.monotonic, stop.wait)
    errors = refreshing_rollups.errors + scoring.errors
    log.info("session_ended slices=%d errors=%d", refreshing_rollups.slices, errors)
    return {"slices": refreshing_rollups.slices, "errors": errors}

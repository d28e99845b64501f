"""The session of a long-lived Airflow task that keeps rollups and trends up to date."""

import logging
import time
from collections.abc import Callable
from datetime import datetime

from pinwheel.alerts.catalogue import TRENDS_FAILING, Send
from pinwheel.alerts.raising import raise_alert, resolve_alert
from pinwheel.clients import memsql
from pinwheel.clients.memsql import Connection
from pinwheel.core.contract import ROLLUPS, TABLES
from pinwheel.core.settings import MergeSettings, load
from pinwheel.core.signals import stop_on_sigterm
from pinwheel.core.times import utc_now
from pinwheel.lake import events_table
from pinwheel.merge import ledger
from pinwheel.merge.turns import Turns, take_turns
from pinwheel.rollup import rollups, trends
from pinwheel.rollup.rollups import ALL_TABLES

log = logging.getLogger(__name__)

COST_SHARE = 4  # wait this many times as long as the last recomputation took, while merges are behind


class RollupSession(Turns):
    """Keeps the rollups up to date: each turn does one recomputation if it is due."""

    def __init__(self, settings: MergeSettings, alert: Send, resolve: Send) -> None:
        super().__init__(ROLLUPS, settings, alert, resolve)
        self.slices = 0
        self._took_seconds = 0.0

    def work(self, connection: Connection) -> bool:
        """Recompute soon after a merge, but rarely while merges are behind: each time rereads the same buckets."""
        if not self._is_due(connection):
            return False
        began = time.monotonic()
        slices = rollups.recompute(connection)
        self._took_seconds = time.monotonic() - began
        self.slices += slices
        log.info("recomputed slices=%d seconds=%.1f", slices, self._took_seconds)
        return False  # the queue decides when the next one is due

    def _is_due(self, connection: Connection) -> bool:
        waiting = memsql.fetch(connection, "rollup/waiting")[0]
        if not waiting["slices"]:
            memsql.execute(connection, "rollup/keep_progress", {**ALL_TABLES, "rollups": ROLLUPS})
        connection.commit()
        if not waiting["slices"] or waiting["oldest_seconds"] < self.settings.rollup_interval_seconds:
            return False
        patience = max(self.settings.rollup_max_seconds, COST_SHARE * self._took_seconds)
        return waiting["oldest_seconds"] >= patience or not self._are_behind(connection)

    def _are_behind(self, connection: Connection) -> bool:
        marks = [ledger.watermark(connection, table) for table in TABLES]
        connection.commit()
        unmerged = events_table.commits(self.settings.events_uri, min(marks))
        return sum(sum((c.rows or {}).values()) for c in unmerged) > self.settings.rollup_behind_rows


class TrendsSession(Turns):
    """Keeps the trends up to date: each turn does one refresh."""

    failing = TRENDS_FAILING

    def __init__(
        self,
        settings: MergeSettings,
        alert: Send,
        resolve: Send,
        *,
        clock: Callable[[], float],
        now: Callable[[], datetime],
    ) -> None:
        super().__init__("trends", settings, alert, resolve)
        self._clock, self._now = clock, now
        self._swept: float | None = None

    def work(self, connection: Connection) -> bool:
        """Refresh; every ``trends.SWEEP_SECONDS``, recount late events' minutes too."""
        at = self._clock()
        sweep = self._swept is None or at - self._swept >= trends.SWEEP_SECONDS
        refreshed = trends.refresh(connection, self._now(), sweep=sweep)
        self._swept = at if sweep else self._swept
        return refreshed

    def pause(self, worked: bool) -> float:
        """At least ``trends_interval_seconds``: a refresh costs the same however little is new."""
        return max(super().pause(worked), self.settings.trends_interval_seconds)


def run_session() -> dict[str, int]:
    """Keep both up to date for ``merge_session_seconds``; returns the numbers of slices and errors."""
    settings = load(MergeSettings)
    recomputing = RollupSession(settings, raise_alert, resolve_alert)
    refreshing = TrendsSession(settings, raise_alert, resolve_alert, clock=time.monotonic, now=utc_now)
    with stop_on_sigterm() as stop:
        take_turns([recomputing, refreshing], settings.merge_session_seconds, time.monotonic, stop.wait)
    errors = recomputing.errors + refreshing.errors
    log.info("session_ended slices=%d errors=%d", recomputing.slices, errors)
    return {"slices": recomputing.slices, "errors": errors}

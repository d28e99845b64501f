"""Observes the running stack: events per second, lag, freshness, and what the first rollup waits for."""

import time
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime

from pinwheel.clients import kafka, memsql
from pinwheel.core.errors import PinwheelError
from pinwheel.core.settings import SourceSettings, load
from pinwheel.core.times import aware
from pinwheel.lake import events_table
from pinwheel.local import environment
from pinwheel.local.credentials import Credentials
from pinwheel.local.kafka import client
from pinwheel.local.settings import LocalSettings
from pinwheel.stream import driver_lock, source_log

TOP = 10


@dataclass(frozen=True)
class Pulse:
    """One observation; None where a part is down or has no data yet."""

    sent: int | None  # records that Kafka ever received
    rate: float | None  # records per second since the previous pulse
    lag: int | None  # records that are not in the lake yet; None also if the lake is landed from another log
    fresh_seconds: float | None  # age of the newest record in the reporting tables


class Watch:
    """Reads Kafka, the lake and the database; writes nothing."""

    def __init__(self, settings: LocalSettings, credentials: Credentials) -> None:
        self._settings = settings
        self._source = load(
            SourceSettings,
            **client(settings, credentials),
            topic=settings.topic,
            lake_uri=f"{settings.stack_dir}/lake",
        )
        self._memsql = environment.memsql(settings, credentials, "report")
        self._connection: memsql.Connection | None = None
        self._last: tuple[float, int] | None = None

    def pulse(self) -> Pulse:
        """Observe the stack once."""
        sent = lag = None
        with suppress(PinwheelError):
            held = kafka.held_offsets(self._source)
            sent = sum(h.end for h in held.values())
            events = events_table.open_table(self._source.events_uri)
            lags = [n for n in source_log.lags(self._source, events, held).values() if n is not None]
            lag = sum(lags) if len(lags) == len(held) else None
        return Pulse(sent, self._rate(sent), lag, self._fresh_seconds())

    def _rate(self, sent: int | None) -> float | None:
        if sent is None:
            return None
        now, last = time.monotonic(), self._last
        self._last = (now, sent)
        return None if last is None else (sent - last[1]) / (now - last[0])

    def _fresh_seconds(self) -> float | None:
        rows = self._rows("local/newest_merged")
        newest = rows[0]["newest_at"] if rows else None
        return None if newest is None else (datetime.now(UTC) - aware(newest)).total_seconds()

    def top_brands(self) -> list[memsql.Row]:
        """The ``TOP`` brands by engagement; empty before the first rollup."""
        return self._rows("local/top_brands", {"top": TOP})

    def _rows(self, name: str, params: memsql.Params | None = None) -> list[memsql.Row]:
        """Rows of a query; none while the database is unreachable."""
        import pymysql

        try:
            if self._connection is None:
                self._connection = memsql.connect(self._memsql)
            with memsql.transaction(self._connection):
                return memsql.fetch(self._connection, name, params)
        except (PinwheelError, pymysql.err.Error, OSError):
            self._connection = None
            return []

    def waiting_for(self) -> str:
        """The next step that the first rollup needs."""
        if driver_lock.running(self._settings.driver_lock_path) is None:
            return "Airflow to start the stream's driver"
        with suppress(PinwheelError):
            ends = kafka.end_offsets(self._source)
            landed = events_table.landed_offsets(self._source.events_uri, self._source.topic, ends).values()
            if sum(landed):
                return f"the first merge ({sum(landed):,} records are in the lake)"
        return "the stream's first commit to the lake"


def line(pulse: Pulse) -> str:
    """The status line."""
    return " · ".join(
        (
            f"{_number(pulse.sent)} events in Kafka",
            f"{_number(pulse.rate)} events/s",
            f"lag {_number(pulse.lag)}",
            f"newest in the reports {_number(pulse.fresh_seconds)} s old",
        )
    )


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:,.0f}"

"""Measure the pipeline's health from outside the jobs: from Kafka, the lake, the merge's ledger, the driver's lock.

Steps are compared with Kafka's newest record by Kafka's clock, so silent producers and producers with wrong clocks make
no step unwell. A step that never had a record is as far behind as the oldest record has waited.
"""

import json
import logging
import shutil
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pymysql
from deltalake import DeltaTable
from deltalake.exceptions import DeltaError

from pinwheel.alerts.catalogue import (
    HEALTH_ALERTS,
    SOURCE_DOWN,
    STREAM_STOPPED,
    Resolve,
    Send,
)
from pinwheel.alerts.latch import Latch
from pinwheel.alerts.listing import open_alerts
from pinwheel.clients import kafka, kafka_topic, memsql
from pinwheel.clients.kafka import Held
from pinwheel.clients.memsql import Connection, Row
from pinwheel.core import atomic, offsets
from pinwheel.core.contract import DEAD_LETTER, ROLLUPS, TABLES
from pinwheel.core.errors import MemsqlError, PinwheelError
from pinwheel.core.settings import CompactSettings, HealthSettings, load
from pinwheel.core.times import FIRST_KAFKA, aware, naive
from pinwheel.lake import events_table
from pinwheel.lake.compaction import measure as measure_files
from pinwheel.operate.causes import follows
from pinwheel.operate.flow import landing_rate
from pinwheel.operate.sentences import sentence
from pinwheel.stream import driver_lock, source_log, supervisor

log = logging.getLogger(__name__)

UNDELIVERED_SHOWN = timedelta(days=2)  # alerts are given up after one day; they stay unwell for another day
CLOCKS_DIFFER = timedelta(minutes=10)  # by less, between machines
RECENT_COMMITS = 50  # window for the share of dead letters: about 100 s
CATCH_UP_LOOKS = 5  # what waited for 10 minutes is merged within 5


@dataclass(frozen=True)
class Measure:
    """One measure. ``value`` None: unknown. ``limit`` None: for information only."""

    name: str
    subject: str
    value: float | None
    limit: float | None = None

    @property
    def is_well(self) -> bool:
        """Within its limit."""
        return self.limit is None or (self.value is not None and self.value <= self.limit)


@dataclass(frozen=True)
class Topic:
    """Kafka's offsets, and its times of the oldest and newest record; empty if Kafka is empty or does not answer.

    A time that can't be right, see ``FIRST_KAFKA``, is None.
    """

    held: dict[int, Held] = field(default_factory=dict)
    has_records: bool = False
    oldest: datetime | None = None
    newest: datetime | None = None


def look(settings: HealthSettings, now: datetime) -> list[Measure]:
    """All measures now. A source that does not answer is a measure too; the others are still measured."""
    measures: list[Measure] = []
    topic = Topic()

    def ask(source: str, question: Callable[[], Iterable[Measure]]) -> None:
        try:
            answers = list(question())
        except (PinwheelError, DeltaError, pymysql.Error, OSError) as error:
            log.warning("source down name=%s error=%s", source, error)
            measures.append(Measure("source_down", source, 1, 0))
        else:
            measures.extend([Measure("source_down", source, 0, 0), *answers])

    def ask_kafka() -> Iterator[Measure]:
        nonlocal topic
        held = kafka.held_offsets(settings)
        newest = kafka.newest_times(settings, held)
        oldest = kafka.oldest_times(settings, held)
        ages = {p: (now - at).total_seconds() if _can_be_right(at, now) else None for p, at in newest.items()}
        first, last = ([at for at in times.values() if _can_be_right(at, now)] for times in (oldest, newest))
        topic = Topic(held, bool(newest), min(first, default=None), max(last, default=None))
        for partition, age in ages.items():
            yield Measure("kafka_age_seconds", f"partition {partition}", age)
        is_brokers = kafka_topic.has_brokers_time(settings)
        yield Measure("producers_time", "topic", None if is_brokers is None else float(not is_brokers))

    ask("kafka", ask_kafka)
    ask("lake", lambda: _lake(settings, topic, now))
    ask("memsql", lambda: _memsql(settings, topic, now))
    ask("driver", lambda: _driver(settings, now))
    ask("disk", lambda: _disk(settings))
    return measures


def _lake(settings: HealthSettings, topic: Topic, now: datetime) -> Iterator[Measure]:
    table = events_table.open_table(settings.events_uri)
    landed = events_table.landed(table, settings.topic, topic.held)
    lags = source_log.lags(settings, table, topic.held)
    for partition, lag in lags.items():
        yield Measure("lag_records", f"partition {partition}", lag, settings.health_max_lag)
    commits = [] if table is None else events_table.recent_commits(table, RECENT_COMMITS)
    landings = [c for c in commits if c.rows is not None]
    if landings or not landed:  # otherwise the last landing is older than the recent commits, and its time unknown
        reached = offsets.newest(landings[-1].progress) if landings else None
        yield from _behind("lake_behind_seconds", "events", topic, reached, now, settings)
    if landings:
        if topic.held:
            open_for = (now - landings[-1].committed_at).total_seconds() if any(lags.values()) else 0.0
            yield Measure("open_batch_seconds", "stream_engagement", open_for, settings.health_max_batch_seconds)
        yield _dead_share([c.rows or {} for c in landings], settings)
        yield Measure("landed_per_second", "events", landing_rate(landings, now))
    if table is not None:
        yield _file_debt(table, settings, now)


def _behind(
    name: str, subject: str, topic: Topic, reached: datetime | None, now: datetime, settings: HealthSettings
) -> Iterator[Measure]:
    """Seconds between Kafka's newest record and the step's; since Kafka's oldest record if the step has none."""
    if not topic.has_records:
        return
    start, end = (reached, topic.newest) if reached else (topic.oldest, now)
    behind = max(0.0, (end - start).total_seconds()) if start and end else None
    yield Measure(name, subject, behind, settings.health_max_behind_seconds)


def _can_be_right(kafka_time: datetime, now: datetime) -> bool:
    """Whether it can be when Kafka got a record. A topic may keep the producer's time, whatever that is."""
    return FIRST_KAFKA <= kafka_time <= now + CLOCKS_DIFFER


def _dead_share(rows: list[dict[str, int]], settings: HealthSettings) -> Measure:
    total = sum(sum(r.values()) for r in rows)
    dead = sum(r.get(DEAD_LETTER, 0) for r in rows)
    return Measure("dead_letter_share", "events", dead / total if total else 0.0, settings.health_max_dead_share)


def _file_debt(table: DeltaTable, settings: HealthSettings, now: datetime) -> Measure:
    today = now.astimezone(UTC).date().isoformat()
    over = [p.small_files for p in measure_files(table, load(CompactSettings)) if p.event_date < today]
    return Measure("small_files", "fullest closed day", max(over, default=0), settings.health_max_small_files)


def _memsql(settings: HealthSettings, topic: Topic, now: datetime) -> Iterator[Measure]:
    with memsql.connect(settings, statement_seconds=settings.health_memsql_seconds) as connection:
        merged = {row["table_name"]: row["newest_at"] for row in memsql.fetch(connection, "operate/merged")}
        held = {row["table_name"]: row["slices"] for row in memsql.fetch(connection, "operate/held")}
        pins = memsql.fetch(connection, "operate/pending")[0]["pins"]
        since = naive(now - UNDELIVERED_SHOWN)
        undelivered = memsql.fetch(connection, "operate/undelivered", {"since": since})[0]
        connection.commit()
    for table in TABLES:
        reached = aware(merged.get(table))
        yield from _behind("merged_behind_seconds", table, topic, reached, now, settings)
        yield Measure("held_slices", table, held.get(table, 0), 0)
    rolled_up = aware(merged.get(ROLLUPS))
    yield from _behind("merged_behind_seconds", ROLLUPS, topic, rolled_up, now, settings)
    yield Measure("pending_pins", "events", pins, settings.health_max_pending_pins)
    for how in ("waiting", "given_up"):
        yield Measure("alerts_undelivered", how, undelivered[how], 0)


def _driver(settings: HealthSettings, now: datetime) -> Iterator[Measure]:
    state = supervisor.state_of(settings.stream_dir)
    is_down = driver_lock.running(settings.driver_lock_path) is None
    tried_at = max(state.launched_at, state.next_start_at)
    is_first = not tried_at and events_table.open_table(settings.events_uri) is None
    is_at_work = now.timestamp() - tried_at < supervisor.START_SECONDS  # the supervisor, which tells when it gives up
    is_no_fault = is_first or is_at_work or state.stopped_at
    yield Measure("driver_down", "stream_engagement", float(is_down), None if is_no_fault else 0)
    stopped = now.timestamp() - state.stopped_at if state.stopped_at else 0.0
    yield Measure(STREAM_STOPPED.name, "stream_engagement", stopped, settings.health_max_stopped_seconds)
    yield Measure("driver_restarts", "stream_engagement", state.restarts)


def _disk(settings: HealthSettings) -> Iterator[Measure]:
    if "://" not in settings.lake_uri:
        Path(settings.lake_uri).mkdir(parents=True, exist_ok=True)
        usage = shutil.disk_usage(settings.lake_uri)
        share = usage.used / (usage.used + usage.free)  # as df does: without the space reserved for root
        yield Measure("disk_used_share", "lake", share, settings.health_max_disk_share)


def keep(connection: Connection, measures: Iterable[Measure], now: datetime, days: int) -> None:
    """Store the measures, and delete those older than ``days``. Idempotent."""
    at = naive(now)
    rows = [
        {
            "measured_at": at,
            "measure": m.name,
            "subject": m.subject,
            "value": m.value,
            "max_value": m.limit,
            "is_well": int(m.is_well),
        }
        for m in measures
    ]
    with memsql.transaction(connection):
        memsql.execute_many(connection, "operate/insert", rows)
        memsql.execute(connection, "operate/expire", {"before_time": at - timedelta(days=days)})


def update_alerts(
    measures: Sequence[Measure],
    path: Path,
    now: datetime,
    after_looks: int,
    raise_: Send,
    resolve: Resolve,
    open_alerts: Collection[Row] = (),
) -> None:
    """Raise alerts about measures that were unwell in ``after_looks`` runs in a row, and resolve those that are well.

    A measure that follows from another fault raises nothing, also for some runs after it: the pipeline catches up. The
    runs are counted in the file ``path``. Dying before writing that: the next run repeats the calls, which are no-ops.
    """
    before: dict[str, dict[str, Any]] = json.loads(path.read_text()) if path.exists() else {}
    after = dict(before)  # alerts whose measures are missing keep their state
    known = _known(before, after_looks, open_alerts)
    for name, of_alert in _by_alert(measures).items():
        unwell, was = [m for m in of_alert if not m.is_well], before.get(name, {})
        looks, excused = was.get("looks", 0), was.get("excused", 0)
        since = was.get("since") or f"{now.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
        latch = Latch(HEALTH_ALERTS[name], "pipeline", raise_, resolve, is_open=looks >= after_looks)
        if not unwell:
            latch.end(f"Over. Since {since}: {was.get('told')}")
            after.pop(name, None)
            continue
        causes = [follows(m, measures, open_alerts) for m in unwell]
        own = [m for m, cause in zip(unwell, causes, strict=True) if cause is None]
        if not own and not latch.is_open:
            # A cause that comes and goes, and is never alerted, must not hide this one: the looks stay counted.
            kept = {"looks": looks, "since": since}
            after[name] = {"excused": CATCH_UP_LOOKS} if known.intersection(causes) else kept
        elif excused and not latch.is_open:
            after[name] = {"excused": excused - 1}
        else:
            text = ". ".join(sentence(m.name, m.subject, m.value, m.limit) for m in own or unwell)
            after[name] = {"looks": looks + 1, "told": text, "since": since}
            if looks + 1 >= after_looks:
                latch.start(f"{text} (since {since})")
    atomic.write_text(path, json.dumps(after))


def _known(before: Mapping[str, dict[str, Any]], after_looks: int, open_alerts: Iterable[Row]) -> set[str]:
    """The causes that people know: what is alerted, and a stream that a person stopped."""
    raised = {name for name, state in before.items() if state.get("looks", 0) >= after_looks}
    return raised | {alert["name"] for alert in open_alerts} | {STREAM_STOPPED.name}


def _by_alert(measures: Iterable[Measure]) -> dict[str, list[Measure]]:
    """Alert name -> its measures."""
    by_alert: dict[str, list[Measure]] = {}
    for measure in measures:
        if measure.name in HEALTH_ALERTS:
            by_alert.setdefault(measure.name, []).append(measure)
    return by_alert


def _open_alerts(settings: HealthSettings) -> list[Row]:
    """Empty while the database is away, which is an alert of its own."""
    try:
        with memsql.connect(settings, statement_seconds=settings.health_memsql_seconds) as connection:
            return open_alerts(connection)
    except (PinwheelError, pymysql.Error) as error:
        log.warning("open alerts are unknown: %s", error)
        return []


def watch(settings: HealthSettings, now: datetime, raise_: Send, resolve: Resolve) -> list[Measure]:
    """One run of watch_health: measure, alert, store. An unavailable database raises an alert, not an error."""
    measures = look(settings, now)
    state, after_looks = settings.stream_dir / "health.json", settings.health_alert_after_looks
    is_away = any(m.name == SOURCE_DOWN.name and m.subject == "memsql" and not m.is_well for m in measures)
    update_alerts(measures, state, now, after_looks, raise_, resolve, [] if is_away else _open_alerts(settings))
    if not is_away:
        try:
            with memsql.connect(settings, statement_seconds=settings.health_memsql_seconds) as connection:
                keep(connection, measures, now, settings.health_keep_days)
        except (MemsqlError, pymysql.err.OperationalError) as error:
            if isinstance(error, pymysql.err.OperationalError) and error.args[0] not in memsql.UNREACHABLE:
                raise
            log.warning("not kept, the database went away or is too slow error=%s", error)
    return measures

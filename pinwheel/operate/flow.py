"""The flow from Kafka to the rollups for the health page, a function per step. Pure: ``flow_sources`` does the I/O."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from pinwheel.alerts.catalogue import ALERTS, HEALTH_ALERTS
from pinwheel.clients.memsql import Row
from pinwheel.core import offsets
from pinwheel.core.contract import DEAD_LETTER, ROLLUPS, TABLES
from pinwheel.core.times import aware
from pinwheel.lake.events_table import Commit
from pinwheel.operate.flow_types import DatabaseRows, Driver, Flow, Lag, Landings, Problem, Step, TableProgress
from pinwheel.operate.sentences import sentence

STALE_AFTER = timedelta(minutes=3)  # watch_health measures every minute
STILL_AFTER = timedelta(seconds=20)  # without a landing; between two are 4 seconds at most while records come
RATE_OVER = timedelta(minutes=5)  # window for rows/s of judging and merging: about fifty slices per table
PRODUCERS_TIME = "Records have their producers' times: all ages are as good as those clocks"
STREAM_DAG, MERGE_DAG = "supervise_stream", "merge_events"
# Step -> title, Dag, and the measures and alerts about it ("name" or "name/subject").
STEPS: dict[str, tuple[str, str, tuple[str, ...]]] = {
    "kafka": ("Kafka", STREAM_DAG, ("source_down/kafka", "lag_records")),
    "lake": (
        "Lake",
        STREAM_DAG,
        (
            *(
                "driver_down",
                "stopped_seconds",
                "driver_failing",
                "driver_stalled",
                "stream_refused",
                "source_down/lake",
                "source_down/driver",
            ),
            *("open_batch_seconds", "lake_behind_seconds", "dead_letter_share", "disk_used_share"),
            *("small_files", "pending_pins"),
        ),
    ),
    "gate": ("Gate", MERGE_DAG, ("held_slices", "slice_held", "slice_warning", "rows_quarantined")),
    "merged": (
        "Merged",
        MERGE_DAG,
        (
            *(f"merged_behind_seconds/{table}" for table in TABLES),
            *("merged_behind_seconds/pipeline", "table_cut_off", "merge_failing", "source_down/memsql"),
        ),
    ),
    "rollups": (
        "Rollups",
        MERGE_DAG,
        (f"merged_behind_seconds/{ROLLUPS}", "trends_failing", "quality_failed", "quality_warning"),
    ),
}


@dataclass(frozen=True)
class Seen:
    """Input of a step."""

    rows: DatabaseRows
    commits: list[Commit]
    tables: list[TableProgress]
    driver: Driver
    now: datetime

    @property
    def measured_at(self) -> datetime | None:
        """When watch_health last measured."""
        return max((at for row in self.rows.measures if (at := aware(row["measured_at"]))), default=None)


def picture(rows: DatabaseRows, landings: Landings, driver: Driver, *, away: list[str], now: datetime) -> Flow:
    """The whole flow at ``now``."""
    tables = [_table(name, rows, landings.version, now) for name in (*TABLES, ROLLUPS)]
    seen = Seen(rows, landings.commits, tables, driver, now)
    return Flow(
        now=now,
        measured_at=seen.measured_at,
        away=away,
        steps=[kafka(seen), lake(seen), gate(seen), merged(seen), rollups(seen)],
        lags=[Lag(partition=r["subject"], records=r["value"]) for r in _of(rows, "lag_records")],
        driver=driver,
        tables=tables,
    )


def kafka(seen: Seen) -> Step:
    """Records that Kafka received; the backlog is not in the lake yet."""
    is_producers = any(row["value"] for row in _of(seen.rows, "producers_time"))
    return _step(
        "kafka",
        seen,
        note=PRODUCERS_TIME if is_producers else None,
        rows_per_second=_arrival_rate(seen),
        newest_age_seconds=min((r["value"] for r in _of(seen.rows, "kafka_age_seconds")), default=None),
        backlog=_sum(r["value"] for r in _of(seen.rows, "lag_records")),
        backlog_unit="records to land",
    )


def lake(seen: Seen) -> Step:
    """Events that landed; the backlog is the versions that the slowest table has not merged."""
    return _step(
        "lake",
        seen,
        rows_per_second=landing_rate(seen.commits, seen.now),
        newest_age_seconds=_age(_newest(seen.commits), seen.now),
        backlog=max((t.versions_behind or 0 for t in seen.tables), default=None),
        backlog_unit="versions to merge",
    )


def gate(seen: Seen) -> Step:
    """Rows that were judged; the backlog is the slices that the gate holds."""
    return _step(
        "gate",
        seen,
        rows_per_second=_per_second(seen.rows.merges, "judged"),
        newest_age_seconds=_age(_latest(seen.rows.merges, "audited_at"), seen.now),
        backlog=sum(t.held_slices for t in seen.tables),
        backlog_unit="slices held",
    )


def merged(seen: Seen) -> Step:
    """Rows that were merged; their age is that of the table that is furthest behind."""
    ages = [t.age_seconds for t in seen.tables if t.age_seconds is not None and t.table != ROLLUPS]
    return _step(
        "merged",
        seen,
        rows_per_second=_per_second(seen.rows.merges, "merged"),
        newest_age_seconds=max(ages, default=None),
        backlog=sum(t.slices_open for t in seen.tables),
        backlog_unit="slices accepted",
    )


def rollups(seen: Seen) -> Step:
    """How far the rollups are. They are sums, so there are no rows/s."""
    return _step(
        "rollups",
        seen,
        newest_age_seconds=_age(aware(_row(seen.rows.complete, ROLLUPS).get("complete_through_utc")), seen.now),
        backlog=seen.rows.rollup_queue,
        backlog_unit="slices to roll up",
    )


def _step(name: str, seen: Seen, **fields: Any) -> Step:
    title, dag, about = STEPS[name]
    unwell = [*_open(seen.rows, about), *_unwell(seen.rows, about)]
    is_down = seen.driver.state in ("stopped", "restarting") and not seen.driver.stopped_by
    if name == "lake" and is_down and seen.commits and not unwell:
        unwell = [f"The stream's driver is {seen.driver.state}"]  # the next measure comes within a minute
    known = seen.measured_at is not None and seen.now - seen.measured_at < STALE_AFTER
    problem = _problem(seen.rows.alerts, about)
    return Step(name=name, title=title, dag=dag, last_error=problem, unwell=unwell, is_known=known, **fields)


def _table(name: str, rows: DatabaseRows, version: int | None, now: datetime) -> TableProgress:
    complete = _row(rows.complete, name)
    merge = _row(rows.merges, name)
    watermark = _row(rows.watermarks, name).get("version")
    behind = None if watermark is None or version is None else max(0, version - int(watermark))
    held = [r["value"] for r in _of(rows, "held_slices") if r["subject"] == name]
    through = aware(complete.get("complete_through_utc"))
    return TableProgress(
        table=name,
        complete_through=through,
        age_seconds=_age(through, now),
        rows_per_second=_per_second([merge], "merged") if merge else None,
        versions_behind=behind,
        slices_open=int(merge.get("slices_open") or 0),
        held_slices=int(_sum(held) or 0),
        merged_at=aware(merge.get("merged_at")),
    )


def _row(rows: Iterable[Row], table: str) -> Row:
    return next((row for row in rows if row["table_name"] == table), {})


def _of(rows: DatabaseRows, measure: str) -> list[Row]:
    return [row for row in rows.measures if row["measure"] == measure]


def _open(rows: DatabaseRows, about: tuple[str, ...]) -> list[str]:
    """Titles of the open alerts that are no measures: these have a sentence with their value."""
    found = [
        ALERTS[a["name"]].title.format(subject=a["subject"])
        for a in rows.open_alerts
        if a["name"] not in HEALTH_ALERTS and _is_about(a["name"], a["subject"], about) and a["name"] in ALERTS
    ]
    return [title[0].upper() + title[1:] for title in found]


def _unwell(rows: DatabaseRows, about: tuple[str, ...]) -> list[str]:
    """Measures beyond their limit, as texts for people."""
    return [
        sentence(r["measure"], r["subject"], r["value"], r["max_value"])
        for r in rows.measures
        if not r["is_well"] and _is_about(r["measure"], r["subject"], about)
    ]


def _problem(alerts: list[Row], about: tuple[str, ...]) -> Problem | None:
    newest = next((a for a in alerts if _is_about(a["name"], a["subject"], about)), None)
    if newest is None:
        return None
    times = {"raised_at": aware(newest["raised_at"]), "resolved_at": aware(newest["resolved_at"])}
    return Problem(**{**{k: newest[k] for k in ("name", "subject", "message")}, **times})


def _is_about(name: str, subject: str, about: tuple[str, ...]) -> bool:
    return name in about or f"{name}/{subject}" in about


def _arrival_rate(seen: Seen) -> float | None:
    """Records per second that Kafka received, by Kafka's clock; unknown while records wait and nothing lands."""
    commits = seen.commits
    if len(commits) < 2:
        return None
    records = sum(n for c in commits[1:] for n in (c.rows or {}).values())
    first, last = _newest(commits[:1]), _newest(commits)
    if seen.now - commits[-1].committed_at > STILL_AFTER:
        last = None if _sum(r["value"] for r in _of(seen.rows, "lag_records")) else seen.now
    seconds = (last - first).total_seconds() if first and last else 0.0
    return records / seconds if seconds > 0 else None


def _newest(commits: list[Commit]) -> datetime | None:
    """The newest Kafka time in some commits."""
    return offsets.newest(offsets.together(c.progress for c in commits))


def landing_rate(commits: list[Commit], now: datetime) -> float | None:
    """Events per second that were committed, without dead letters; it falls once nothing lands."""
    if len(commits) < 2:
        return None
    rows = sum(n for c in commits[1:] for name, n in (c.rows or {}).items() if name != DEAD_LETTER)
    last = commits[-1].committed_at
    seconds = ((now if now - last > STILL_AFTER else last) - commits[0].committed_at).total_seconds()
    return rows / seconds if seconds > 0 else None


def _per_second(merges: list[Row], column: str) -> float | None:
    if not merges:
        return None
    return float(sum(row[column] or 0 for row in merges)) / RATE_OVER.total_seconds()


def _latest(rows: list[Row], column: str) -> datetime | None:
    return max((at for at in (aware(row[column]) for row in rows) if at), default=None)


def _sum(values: Iterable[float | None]) -> int | None:
    known = [value for value in values if value is not None]
    return int(sum(known)) if known else None


def _age(time: datetime | None, now: datetime) -> float | None:
    return None if time is None else max(0.0, (now - time).total_seconds())

"""The flow from Kafka to the rollups for the health page, a function per step. Pure: ``flow_sources`` does the I/O."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from pinwheel.clients.memsql import Row
from pinwheel.core import offsets
from pinwheel.core.contract import DEAD_LETTER, ROLLUPS, TABLES
from pinwheel.core.times import aware
from pinwheel.lake.events_table import Commit
from pinwheel.operate.flow_types import DatabaseRows, Driver, Flow, Lag, Landings, Problem, Step, TableProgress
from pinwheel.operate.sentences import sentence

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
    now: datetime


def picture(rows: DatabaseRows, landings: Landings, driver: Driver, *, away: list[str], now: datetime) -> Flow:
    """The whole flow at ``now``."""
    tables = [_table(name, rows, landings.version, now) for name in (*TABLES, ROLLUPS)]
    seen = Seen(rows, landings.commits, tables, now)
    measured = [aware(row["measured_at"]) for row in rows.measures]
    return Flow(
        now=now,
        measured_at=max((at for at in measured if at), default=None),
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
        rows_per_second=_arrival_rate(seen.commits),
        newest_age_seconds=min((r["value"] for r in _of(seen.rows, "kafka_age_seconds")), default=None),
        backlog=_sum(r["value"] for r in _of(seen.rows, "lag_records")),
        backlog_unit="records to land",
    )


def lake(seen: Seen) -> Step:
    """Events that landed; the backlog is the versions that the slowest table has not merged."""
    return _step(
        "lake",
        seen,
        rows_per_second=_landing_rate(seen.commits),
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
    problem, unwell = _problem(seen.rows.alerts, about), _unwell(seen.rows, about)
    return Step(name=name, title=title, dag=dag, last_error=problem, unwell=unwell, **fields)


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


def _arrival_rate(commits: list[Commit]) -> float | None:
    """Records per second that Kafka received, by Kafka's clock."""
    if len(commits) < 2:
        return None
    records = sum(n for c in commits[1:] for n in (c.rows or {}).values())
    first, last = _newest(commits[:1]), _newest(commits)
    seconds = (last - first).total_seconds() if first and last else 0.0
    return records / seconds if seconds > 0 else None


def _newest(commits: list[Commit]) -> datetime | None:
    """The newest Kafka time in some commits."""
    return offsets.newest(offsets.together(c.progress for c in commits))


def _landing_rate(commits: list[Commit]) -> float | None:
    """Events per second that were committed, without dead letters."""
    if len(commits) < 2:
        return None
    rows = sum(n for c in commits[1:] for name, n in (c.rows or {}).items() if name != DEAD_LETTER)
    seconds = (commits[-1].committed_at - commits[0].committed_at).total_seconds()
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

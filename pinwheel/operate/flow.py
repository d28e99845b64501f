"""The flow from Kafka to the rollups as one picture, put together from what each source says; none hides another.

Pure but for ``landings`` and ``driver``, which look at the lake's log and the driver's notes.
"""

import json
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from pydantic import BaseModel

from pinwheel.clients.memsql import utc
from pinwheel.core.contract import DEAD_LETTER, ROLLUPS, TABLES
from pinwheel.core.settings import HealthSettings
from pinwheel.lake import events_table
from pinwheel.lake.events_table import Commit
from pinwheel.stream import driver_lock as drivers

Row = dict[str, Any]

RATE_OVER = timedelta(minutes=5)  # over which rows/s of staging and merging are taken: some fifty slices a table
SLICES = 2000  # newest rows of the ledger that are looked at: three quarters of an hour of four tables
COMMITS = 30  # newest commits that rows/s of Kafka and the lake are taken over: a minute
STREAM_DAG, MERGE_DAG = "supervise_stream", "merge_events"
# Of each step: its title, its Dag, and the measures and alerts that are about it.
STEPS: dict[str, tuple[str, str, tuple[str, ...]]] = {
    "kafka": ("Kafka", STREAM_DAG, ("source_down/kafka", "lag_records")),
    "lake": (
        "Lake",
        STREAM_DAG,
        (
            *("driver_down", "driver_failing", "driver_stalled", "source_down/lake", "source_down/driver"),
            *("open_batch_seconds", "lake_behind_seconds", "dead_letter_share", "disk_used_share"),
            *("small_files", "pending_pins"),
        ),
    ),
    "staged": ("Staged", MERGE_DAG, ("staged_behind_seconds", "held_slices", "slice_held", "rows_quarantined")),
    "merged": (
        "Merged",
        MERGE_DAG,
        (
            *(f"merged_behind_seconds/{table}" for table in TABLES),
            *("merged_behind_seconds/pipeline", "merge_failing", "source_down/memsql"),
        ),
    ),
    "rollups": (
        "Rollups",
        MERGE_DAG,
        (f"merged_behind_seconds/{ROLLUPS}", "trends_failing", "quality_failed", "quality_warning"),
    ),
}


class Problem(BaseModel):
    """The newest alert about a step in the last day. ``resolved_at`` null: it lasts."""

    name: str
    subject: str
    message: str
    raised_at: datetime
    resolved_at: datetime | None


class Step(BaseModel):
    """One step of the flow. Null is not known. ``unwell``: measures over their limit, told in words."""

    name: str
    title: str
    dag: str
    rows_per_second: float | None = None
    newest_age_seconds: float | None = None
    backlog: int | None = None
    backlog_unit: str = "records to land"
    unwell: list[str] = []
    last_error: Problem | None = None


class Lag(BaseModel):
    """Records of a Kafka partition that are not in the lake yet."""

    partition: str
    records: float | None


class Driver(BaseModel):
    """The stream's driver. ``since``: when it started, or when it is to start again."""

    state: Literal["running", "restarting", "stopped", "unknown"]
    since: datetime | None
    failures: int
    restarts_today: int | None


class TableProgress(BaseModel):
    """How far a reporting table is, and the rollups of all of them. ``versions_behind``: lake versions not merged yet;
    null for rollups, which follow the tables."""

    table: str
    complete_through: datetime | None
    age_seconds: float | None
    rows_per_second: float | None
    versions_behind: int | None
    slices_open: int
    held_slices: int
    merged_at: datetime | None


class Flow(BaseModel):
    """The whole picture. ``away``: sources that do not answer. ``measured_at``: when watch_health looked last."""

    now: datetime
    measured_at: datetime | None
    away: list[str]
    steps: list[Step]
    lags: list[Lag]
    driver: Driver
    tables: list[TableProgress]


class Books(BaseModel):
    """What the reporting database says; all empty while it is away."""

    measures: list[Row] = []
    merges: list[Row] = []
    watermarks: list[Row] = []
    complete: list[Row] = []
    alerts: list[Row] = []
    rollup_queue: int | None = None
    restarts_before: float | None = None


def landings(settings: HealthSettings) -> tuple[list[Commit], int | None]:
    """The newest landings, oldest first, and the lake's version; None: there is no table yet."""
    table = events_table.open_table(settings.events_uri)
    if table is None:
        return [], None
    found = events_table.recent_commits(table, COMMITS)
    return [c for c in found if c.rows is not None and c.spans], table.version()


def driver(settings: HealthSettings, books: Books) -> Driver:
    """The driver by its lock, its failures by the supervisor's notes."""
    notes = settings.stream_dir / "supervisor.json"
    if not settings.stream_dir.exists():
        return Driver(state="unknown", since=None, failures=0, restarts_today=None)
    state: Row = json.loads(notes.read_text()) if notes.exists() else {}
    before = books.restarts_before
    today = None if before is None else max(0, int(state.get("restarts", 0) - before))
    failures = int(state.get("failures", 0))
    found = drivers.running(settings.driver_lock_path)
    if found is not None:
        started = datetime.fromtimestamp(found.started_at, UTC)
        return Driver(state="running", since=started, failures=failures, restarts_today=today)
    next_start = state.get("next_start_at")
    since = datetime.fromtimestamp(next_start, UTC) if next_start else None
    known: Literal["restarting", "stopped"] = "restarting" if failures or state.get("launched_pid") else "stopped"
    return Driver(state=known, since=since, failures=failures, restarts_today=today)


def picture(
    books: Books, commits: list[Commit], version: int | None, driver: Driver, away: list[str], now: datetime
) -> Flow:
    """Everything in one."""
    tables = [_table(name, books, version, now) for name in (*TABLES, ROLLUPS)]
    looked = [utc(row["measured_at"]) for row in books.measures]
    return Flow(
        now=now,
        measured_at=max((at for at in looked if at), default=None),
        away=away,
        steps=[_step(name, books, commits, tables, now) for name in STEPS],
        lags=[Lag(partition=r["subject"], records=r["value"]) for r in _of(books, "lag_records")],
        driver=driver,
        tables=tables,
    )


def _step(name: str, books: Books, commits: list[Commit], tables: list[TableProgress], now: datetime) -> Step:
    title, dag, about = STEPS[name]
    step = Step(name=name, title=title, dag=dag, last_error=_problem(books.alerts, about), unwell=_unwell(books, about))
    match name:
        case "kafka":
            step.rows_per_second = _arrival_rate(commits)
            step.newest_age_seconds = min((r["value"] for r in _of(books, "kafka_age_seconds")), default=None)
            step.backlog = _sum(r["value"] for r in _of(books, "lag_records"))
        case "lake":
            step.rows_per_second = _landing_rate(commits)
            step.newest_age_seconds = _age(max((_newest(c) for c in commits), default=None), now)
            step.backlog = max((t.versions_behind or 0 for t in tables), default=None)
            step.backlog_unit = "versions to merge"
        case "staged":
            step.rows_per_second = _per_second(books.merges, "staged")
            step.newest_age_seconds = _age(_latest(books.merges, "staged_at"), now)
            step.backlog, step.backlog_unit = sum(t.held_slices for t in tables), "slices held"
        case "merged":
            step.rows_per_second = _per_second(books.merges, "merged")
            ages = [t.age_seconds for t in tables if t.age_seconds is not None and t.table != ROLLUPS]
            step.newest_age_seconds = max(ages, default=None)
            step.backlog, step.backlog_unit = sum(t.slices_open for t in tables), "slices in work"
        case "rollups":
            step.newest_age_seconds = _age(utc(_row(books.complete, ROLLUPS).get("complete_through_utc")), now)
            step.backlog, step.backlog_unit = books.rollup_queue, "slices to take in"
    return step


def _table(name: str, books: Books, version: int | None, now: datetime) -> TableProgress:
    complete = _row(books.complete, name)
    merge = _row(books.merges, name)
    watermark = _row(books.watermarks, name).get("version")
    behind = None if watermark is None or version is None else max(0, version - int(watermark))
    held = [r["value"] for r in _of(books, "held_slices") if r["subject"] == name]
    through = utc(complete.get("complete_through_utc"))
    return TableProgress(
        table=name,
        complete_through=through,
        age_seconds=_age(through, now),
        rows_per_second=_per_second([merge], "merged") if merge else None,
        versions_behind=behind,
        slices_open=int(merge.get("slices_open") or 0),
        held_slices=int(_sum(held) or 0),
        merged_at=utc(merge.get("merged_at")),
    )


def _row(rows: Iterable[Row], table: str) -> Row:
    return next((row for row in rows if row["table_name"] == table), {})


def _of(books: Books, measure: str) -> list[Row]:
    return [row for row in books.measures if row["measure"] == measure]


def _unwell(books: Books, about: tuple[str, ...]) -> list[str]:
    """Measures that are over their limit, as a person reads them."""
    return [_told(r) for r in books.measures if not r["is_well"] and _is_about(r["measure"], r["subject"], about)]


def _told(row: Row) -> str:
    if row["measure"] == "source_down":
        return f"{row['subject']} does not answer"
    value = "not known" if row["value"] is None else f"{row['value']:,.6g}"
    return f"{row['measure'].replace('_', ' ')} of {row['subject']}: {value}, allowed {row['max_value']:,.6g}"


def _problem(alerts: list[Row], about: tuple[str, ...]) -> Problem | None:
    found = next((a for a in alerts if _is_about(a["name"], a["subject"], about)), None)
    if found is None:
        return None
    times = {"raised_at": utc(found["raised_at"]), "resolved_at": utc(found["resolved_at"])}
    return Problem(**{**{k: found[k] for k in ("name", "subject", "message")}, **times})


def _is_about(name: str, subject: str, about: tuple[str, ...]) -> bool:
    return name in about or f"{name}/{subject}" in about


def _arrival_rate(commits: list[Commit]) -> float | None:
    """Records a second that Kafka received, by its own clock."""
    if len(commits) < 2:
        return None
    records = sum(s.end - s.start for c in commits[1:] for s in c.spans.values())
    seconds = (_newest(commits[-1]) - _newest(commits[0])).total_seconds()
    return records / seconds if seconds > 0 else None


def _landing_rate(commits: list[Commit]) -> float | None:
    """Events a second that were committed, without dead letters."""
    if len(commits) < 2:
        return None
    rows = sum(n for c in commits[1:] for name, n in (c.rows or {}).items() if name != DEAD_LETTER)
    seconds = (commits[-1].committed_at - commits[0].committed_at).total_seconds()
    return rows / seconds if seconds > 0 else None


def _newest(commit: Commit) -> datetime:
    return max(span.timestamp for span in commit.spans.values())


def _per_second(merges: list[Row], what: str) -> float | None:
    if not merges:
        return None
    return float(sum(row[what] or 0 for row in merges)) / RATE_OVER.total_seconds()


def _latest(rows: list[Row], what: str) -> datetime | None:
    return max((at for at in (utc(row[what]) for row in rows) if at), default=None)


def _sum(values: Iterable[float | None]) -> int | None:
    known = [value for value in values if value is not None]
    return int(sum(known)) if known else None


def _age(time: datetime | None, now: datetime) -> float | None:
    return None if time is None else max(0.0, (now - time).total_seconds())

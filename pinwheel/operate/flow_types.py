"""The types of the flow: the health page's response, and the rows it is computed from."""

from datetime import datetime
from typing import Literal, NamedTuple

from pydantic import BaseModel

from pinwheel.clients.memsql import Row
from pinwheel.lake.events_table import Commit


class Problem(BaseModel):
    """The newest alert about a step, among the last hundred alerts. ``resolved_at`` null: it is open."""

    name: str
    subject: str
    message: str
    raised_at: datetime
    resolved_at: datetime | None


class Step(BaseModel):
    """One step of the flow. Null: unknown. ``unwell``: measures beyond their limit, in words, and open alerts.

    ``is_known``: its measures are fresh. ``note``: what is no fault, but people should know when they read the numbers.
    """

    name: str
    title: str
    dag: str
    rows_per_second: float | None = None
    newest_age_seconds: float | None = None
    backlog: int | None = None
    backlog_unit: str
    unwell: list[str] = []
    is_known: bool = True
    note: str | None = None
    last_error: Problem | None = None


class Lag(BaseModel):
    """Records of a Kafka partition that are not in the lake yet."""

    partition: str
    records: float | None


class Driver(BaseModel):
    """The stream's driver.

    ``since``: its start, its next start while restarting, or when ``stopped_by``, a person, stopped it.
    """

    state: Literal["running", "restarting", "stopped", "unknown"]
    since: datetime | None
    failures: int
    restarts_today: int | None
    stopped_by: str | None = None


class TableProgress(BaseModel):
    """How far a reporting table is, or the rollups of all tables.

    ``versions_behind``: lake versions not merged yet; null for rollups, which follow the tables.
    """

    table: str
    complete_through: datetime | None
    age_seconds: float | None
    rows_per_second: float | None
    versions_behind: int | None
    slices_open: int
    held_slices: int
    merged_at: datetime | None


class Flow(BaseModel):
    """The whole flow. ``away``: sources that do not answer. ``measured_at``: the last run of watch_health."""

    now: datetime
    measured_at: datetime | None
    away: list[str]
    steps: list[Step]
    lags: list[Lag]
    driver: Driver
    tables: list[TableProgress]


class DatabaseRows(BaseModel):
    """Rows from the reporting database; all empty while it does not answer."""

    measures: list[Row] = []
    merges: list[Row] = []
    watermarks: list[Row] = []
    complete: list[Row] = []
    alerts: list[Row] = []
    open_alerts: list[Row] = []
    rollup_queue: int | None = None
    restarts_before: float | None = None


class Landings(NamedTuple):
    """The lake's newest landings, oldest first, and its version; None: the table does not exist yet."""

    commits: list[Commit]
    version: int | None

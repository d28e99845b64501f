"""A person in every store, among others, for the tests of erasures."""

import json
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
from deltalake import DeltaTable
from pydantic import SecretStr

from pinwheel.clients import memsql
from pinwheel.clients.memsql import Connection, Row
from pinwheel.core.contract import TABLES
from pinwheel.core.settings import EraseSettings, MergeSettings
from pinwheel.erase.ledger import Request
from pinwheel.erase.passing import POLL_SECONDS
from pinwheel.lake import events_table
from pinwheel.rollup.rollups import Rollups
from tests.support.lakes import NOON, event, hours, land
from tests.support.slices import merge_all

PERSON, OTHER, PIN = 81_234_567, 41, 700
SCHEMA = events_table.arrow_schema()
REQUEST = Request(PERSON, "asked for by letter", "ann", "bea")
AIRFLOW = """
CREATE TABLE dag_run (id INTEGER PRIMARY KEY, dag_id VARCHAR(250), conf JSON);
CREATE TABLE log (id INTEGER PRIMARY KEY, event VARCHAR(60), extra TEXT);
CREATE TABLE xcom (id INTEGER PRIMARY KEY, value JSON);
"""


@dataclass
class World:
    """Stores that an erasure reaches."""

    settings: EraseSettings
    connection: Connection
    airflow: Path

    def merge(self, seconds: float = POLL_SECONDS) -> None:
        """Do the work of the running sessions, while an erasure waits for them."""
        if seconds != POLL_SECONDS:
            return
        own = {k: v for k, v in self.settings.model_dump().items() if k in MergeSettings.model_fields}
        settings = MergeSettings(**own)
        with memsql.connect(settings, local_infile=True) as connection:
            for table in TABLES:
                merge_all(table, settings, connection)
            Rollups(now=lambda: NOON + hours(12)).refresh(connection)

    def execute(self, sql: str, *values: Any) -> None:
        """On the database."""
        with self.connection.cursor() as cursor:
            cursor.execute(sql, values)
        self.connection.commit()

    @property
    def logs(self) -> Path:
        """The first of the folders of logs."""
        return Path(self.settings.erasure_log_dirs.split(":")[0])

    def plant(self) -> None:
        """The person, in every store; merged."""
        land(self.settings.lake_uri, their_rows(0) + rows_about_them(100))
        land(self.settings.lake_uri, others(200))
        self.merge()
        for store in PLANTED.values():
            store(self)

    def in_airflow(self, sql: str, *values: Any) -> list[Any]:
        """On Airflow's database."""
        with sqlite3.connect(self.airflow) as airflow:
            return airflow.execute(sql, values).fetchall()

    def write(self, folder: Path, text: str) -> Path:
        """Another file in a folder."""
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"file-{len(list(folder.iterdir()))}.log"
        path.write_text(text)
        return path


def make(settings: MergeSettings, connection: Connection, folder: Path) -> World:
    """Nobody is in it yet."""
    airflow = folder / "airflow.db"
    with sqlite3.connect(airflow) as made:
        made.executescript(AIRFLOW)
    own = {k: v for k, v in settings.model_dump().items() if k in EraseSettings.model_fields}
    erasing = EraseSettings(
        **own,
        erasure_key=SecretStr("a key of the tests"),
        erasure_wait_seconds=20,
        erasure_alone=False,
        erasure_log_dirs=f"{folder / 'logs'}:{folder / 'airflow-logs'}",
        kafka_bootstrap="127.0.0.1:1",
        quality_dir=folder / "quality",
        stream_dir=folder / "stream",
        reports_uri=str(folder / "reports"),
        checkpoint_uri=str(folder / "checkpoints" / "stream"),
    )
    (folder / "logs").mkdir()
    return World(erasing, connection, airflow)


def their_rows(offset: int) -> list[Row]:
    """Events of the person, at ten offsets from this one."""
    kinds = ["pin", "repin", "repin", "comment", "login", "login", "login"]
    made = [
        event(kind, f"{kind}-{offset + n}", offset + n, user_id=PERSON, occurred_at=NOON + n * timedelta(hours=3))
        for n, kind in enumerate(kinds)
    ]
    for row in made:
        if row["event_type"] != "login":
            row |= {"pin_id": PIN, "pin_creator_id": PERSON, "title": "my kitchen"}
    return made


def rows_about_them(offset: int) -> list[Row]:
    """Rows of others that have the id: of a pin that the person made, in texts, in dead letters."""
    pin = {"pin_id": PIN, "pin_creator_id": PERSON, "title": "my kitchen", "link": f"https://a.org/?user_id={PERSON}"}
    letter = {"user_id": None, "dead_reason": "bad_field"}
    value = json.dumps({"event_id": "x", "user_id": PERSON, "text": ["a"]})
    return [
        event("repin", "about-1", offset, user_id=OTHER, **pin),
        event("repin", "about-2", offset + 1, user_id=OTHER + 1, **pin),
        event("comment", "about-3", offset + 2, user_id=OTHER, text=f"as {PERSON} said, and 1{PERSON} did not"),
        event("login", "about-4", offset + 3, user_id=OTHER, extra=json.dumps({"seen": [PERSON]})),
        event("dead_letter", None, offset + 4, dead_detail=f"user_id={PERSON}", dead_value=value.encode(), **letter),
        event("dead_letter", None, offset + 5, dead_detail="text", dead_value=value.encode("utf-16"), **letter),
    ]


def others(offset: int, count: int = 40) -> list[Row]:
    """Rows that an erasure must not touch."""
    kinds = [*TABLES.values()]
    rows = [
        event(
            kinds[n % 4].name, f"other-{offset + n}", offset + n, user_id=OTHER + n % 7,
            occurred_at=NOON + timedelta(hours=n), country_code=["NL", "US", None][n % 3],
        )
        for n in range(count)
    ]  # fmt: skip
    return [*rows, event("dead_letter", None, offset + count, user_id=None, dead_value=b"{", dead_detail="not JSON")]


def _quote(table: str, columns: str, *values: Any) -> Callable[[World], None]:
    marks = ", ".join(["%s"] * len(values))
    return lambda world: world.execute(f"INSERT INTO {table} ({columns}) VALUES ({marks})", *values)


ROW_JSON = json.dumps({"event_id": "x", "user_id": PERSON})
PLANTED: dict[str, Callable[[World], None]] = {
    "table pin_cache": _quote("pin_cache", "pin_id, creator_id, brand_id, title", PIN + 1, PERSON, 70, "my garden"),
    "table expired_logins": _quote("expired_logins", "user_id, country_code, logins", PERSON, "NL", 3),
    "table quarantine": _quote(
        "quarantine", "slice_id, row_num, table_name, kafka_partition, kafka_offset, reason, row_json",
        10**6, 1, "repins", 0, 9_999, f"user_is_positive: user_id={PERSON}", ROW_JSON,
    ),
    "table alerts": _quote(
        "alerts", "name, subject, severity, message", "rows_quarantined", "repins", "warning", f"observed [{PERSON}, 3]"
    ),
    "table alert_messages": _quote(
        "alert_messages", "receiver, title, body, posted_at, next_try_at", "r", "t", f"user {PERSON}", NOON, NOON
    ),
    "table dq_results": _quote(
        "dq_results",
        "table_name, occurred_hour, measure, expectation, severity, is_met, sample, checked_at",
        "repins", NOON, "m", "e", "critical", 0, json.dumps([{"user_id": PERSON}]), NOON,
    ),
    "table merge_slices": _quote(
        "merge_slices", "table_name, from_version, to_version, state, detail", "repins", -9, -8, "superseded",
        json.dumps({"reasons": [f"user_id not null: 1 rows, observed [{PERSON}]"]}),
    ),
    "pages of checks": lambda world: void(world.write(world.settings.quality_dir, f"<td>{PERSON}</td>")),
    "logs 1": lambda world: void(world.write(world.logs, f"user_id={PERSON}\n")),
    "stream": lambda world: void(world.write(world.settings.stream_dir, f"refused user {PERSON}.\n")),
    "airflow dag_run": lambda world: void(
        world.in_airflow("INSERT INTO dag_run (dag_id, conf) VALUES ('d', ?)", json.dumps({"user_id": PERSON}))
    ),
    "airflow log": lambda world: void(
        world.in_airflow("INSERT INTO log (event, extra) VALUES ('e', ?)", json.dumps({"conf": {"user_id": PERSON}}))
    ),
}  # fmt: skip


def void(_: object) -> None:
    """Drop a result."""


def lake_rows(uri: str) -> pa.Table:
    """All rows of the lake's newest version, by their place in Kafka."""

    return (
        DeltaTable(f"{uri}/events")
        .to_pyarrow_table()
        .sort_by([("kafka_partition", "ascending"), ("kafka_offset", "ascending")])
    )

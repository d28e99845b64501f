"""The alerts' tables in SQLite."""

import re
import sqlite3
from contextlib import closing
from datetime import datetime
from typing import Any, cast

from pinwheel.clients.memsql import Connection
from pinwheel.core.errors import MemsqlError

TABLES = """
CREATE TABLE alerts (
    alert_id INTEGER PRIMARY KEY, name, subject, severity, message, runbook, raised_at TIMESTAMP, resolved_at TIMESTAMP,
    is_sent DEFAULT 1
);
CREATE TABLE alert_messages (
    message_id INTEGER PRIMARY KEY, receiver, title, body, attempts DEFAULT 0, doubtful DEFAULT 0,
    posted_at TIMESTAMP, next_try_at TIMESTAMP, delivered_at TIMESTAMP, given_up_at TIMESTAMP
);
CREATE TABLE alert_silences (
    silence_id INTEGER PRIMARY KEY, name, subject, reason, silenced_by, silenced_at TIMESTAMP, until_at TIMESTAMP
);
CREATE TABLE merge_locks (name);
"""


class FakeDatabase:
    """The alerts table in SQLite: the statements of ``sql/alerts`` are really run.

    ``away``: it takes no connections. ``error``: what its statements raise.
    """

    engine = "mariadb"
    open = True

    def __init__(self) -> None:
        self._sqlite = sqlite3.connect(":memory:", detect_types=sqlite3.PARSE_DECLTYPES)
        self._sqlite.row_factory = sqlite3.Row
        self._sqlite.executescript(TABLES)
        self.away = False
        self.error: Exception | None = None

    def connect(self, settings: object, statement_seconds: float) -> "closing[FakeDatabase]":
        if self.away:
            raise MemsqlError("no connection to mariadb at nowhere")
        return closing(self)

    def as_connection(self) -> Connection:
        return cast(Connection, self)

    def close(self) -> None:
        """As when a PyMySQL connection is closed: uncommitted changes are lost."""
        self._sqlite.rollback()

    def cursor(self) -> "FakeCursor":
        return FakeCursor(self._sqlite, self.error)

    def commit(self) -> None:
        self._sqlite.commit()

    def rollback(self) -> None:
        self._sqlite.rollback()

    def add(self, name: str, subject: str) -> None:
        row = (name, subject, datetime(2026, 3, 14))
        self._sqlite.execute("INSERT INTO alerts (name, subject, raised_at) VALUES (?, ?, ?)", row)
        self.commit()

    def rows(self, table: str = "alerts", **wanted: Any) -> list[dict[str, Any]]:
        found = [dict(row) for row in self._sqlite.execute(f"SELECT * FROM {table} ORDER BY 1")]
        return [row for row in found if wanted.items() <= row.items()]


class FakeCursor:
    def __init__(self, connection: sqlite3.Connection, error: Exception | None) -> None:
        self._cursor = connection.cursor()
        self._error = error

    def __enter__(self) -> "FakeCursor":
        return self

    def __exit__(self, *_: object) -> None:
        self._cursor.close()

    def execute(self, sql: str, params: dict[str, Any] | None) -> int:
        if self._error:
            raise self._error
        self._cursor.execute(re.sub(r"%\((\w+)\)s", r":\1", sql).replace("FOR UPDATE", ""), params or {})
        return self._cursor.rowcount

    @property
    def lastrowid(self) -> int | None:
        return self._cursor.lastrowid

    def fetchall(self) -> list[sqlite3.Row]:
        return self._cursor.fetchall()

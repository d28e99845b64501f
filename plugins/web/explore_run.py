"""One statement of a viewer: on a connection of its own, within limits, and ended when nobody waits for it any more.

The server refuses what the user may not do, and whatever is no reading (``pages/explore_session``). It also ends what
takes too long; if it does not, the connection is ended from another one.
"""

import asyncio
import logging
import re
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Lock
from typing import Any, Literal

import pymysql
from fastapi import HTTPException, Request
from pymysql.constants import ER, FIELD_TYPE
from pymysql.cursors import SSCursor
from starlette.concurrency import run_in_threadpool

from pinwheel.clients import memsql
from pinwheel.clients.memsql import Connection
from pinwheel.core.errors import MemsqlError
from pinwheel.core.settings import MemsqlSettings

log = logging.getLogger(__name__)

Kind = Literal["number", "time", "text"]
Cells = list[str | None]

SORT_BYTES, SORT_DISK_BYTES = 256 << 20, 2 << 30  # of the server, for one statement
GRACE_SECONDS = 2.0  # for the server to end a statement by itself
CELL_BYTES = 50  # that a short text takes in memory besides its characters
AGAIN_SECONDS = 1.0  # until one that did not end is ended again
TIMED_OUT = 1969  # MariaDB's max_statement_time
TOO_MANY, REFUSED_LOGIN = (ER.TOO_MANY_USER_CONNECTIONS, 1226), (ER.ACCESS_DENIED_ERROR, ER.DBACCESS_DENIED_ERROR)
HOST = re.compile(r"@(['`])[^'`]*\1")
KINDS: dict[int, Kind] = dict.fromkeys((FIELD_TYPE.DATE, FIELD_TYPE.DATETIME, FIELD_TYPE.TIMESTAMP), "time")
KINDS |= dict.fromkeys(
    (
        *(FIELD_TYPE.DECIMAL, FIELD_TYPE.NEWDECIMAL, FIELD_TYPE.FLOAT, FIELD_TYPE.DOUBLE, FIELD_TYPE.YEAR),
        *(FIELD_TYPE.TINY, FIELD_TYPE.SHORT, FIELD_TYPE.INT24, FIELD_TYPE.LONG, FIELD_TYPE.LONGLONG),
    ),
    "number",
)


@dataclass(frozen=True)
class Limits:
    """Of one statement; ``size``: bytes of memory that its answer takes, about."""

    seconds: float
    rows: int
    size: int


@dataclass
class Found:
    """An answer. ``cut_by``: what kept further rows out of it; null: it has all."""

    names: list[str] = field(default_factory=list)
    kinds: list[Kind] = field(default_factory=list)
    rows: list[Cells] = field(default_factory=list)
    cut_by: Literal["rows", "size"] | None = None
    seconds: float = 0.0


class Slots:
    """How many statements run at once, in this process."""

    def __init__(self, total: int, each: int) -> None:
        self._total, self._each = total, each
        self._lock, self._running = Lock(), Counter[str]()

    @contextmanager
    def taken(self, person: str) -> Iterator[None]:
        """For the block; 429 if there is none."""
        with self._lock:
            if self._running[person] >= self._each:
                raise HTTPException(429, f"You already have {self._each} statements running. Cancel one, or wait.")
            if self._running.total() >= self._total:
                raise HTTPException(429, f"{self._total} statements are running already. Try again in a moment.")
            self._running[person] += 1
        try:
            yield
        finally:
            with self._lock:
                self._running -= Counter([person])


class Statement:
    """A statement that another thread can end."""

    def __init__(self, settings: MemsqlSettings, sql: str, limits: Limits) -> None:
        self._settings, self._sql, self._limits = settings, sql, limits
        self._connection_id: int | None = None
        self.is_ended = False

    def run(self) -> Found:
        """Its answer; HTTPException with the server's message if it refuses or ends the statement."""
        started = time.monotonic()
        connection = self._opened()
        try:
            memsql.execute(connection, "pages/explore_session", self._session())
            self._connection_id = int(connection.thread_id())  # type: ignore[no-untyped-call]  # its stubs
            if self.is_ended:
                raise HTTPException(422, self._too_long())
            found = self._read(connection)
        except pymysql.err.Error as error:
            if self.is_ended or memsql.error_code(error) == TIMED_OUT:
                raise HTTPException(422, self._too_long()) from error
            if memsql.is_away(error):
                raise
            raise HTTPException(422, HOST.sub("", str(error.args[-1]))) from error
        finally:
            self._connection_id = None
            connection.abandon()
        found.seconds = time.monotonic() - started
        return found

    def end(self) -> None:
        """End it with its connection, if it runs; as the same user, who may."""
        self.is_ended = True
        if (running := self._connection_id) is None:
            return
        try:
            with memsql.connect(self._settings) as other:
                memsql.execute(other, "pages/explore_end", {"connection_id": running})
        except (MemsqlError, pymysql.err.Error) as error:  # it has just ended, or the server does it
            log.info("explore connection=%d could not be ended: %s", running, error)

    def _opened(self) -> Connection:
        try:
            return memsql.connect(self._settings, statement_seconds=self._limits.seconds + 4 * GRACE_SECONDS)
        except MemsqlError as error:
            code = memsql.error_code(error)
            if code in TOO_MANY:
                raise HTTPException(429, "Analysts have too many connections open. Try again in a moment.") from error
            if code in REFUSED_LOGIN:
                raise HTTPException(
                    503, "The database refuses the analysts' login: PINWHEEL_ANALYST_MEMSQL_PASSWORD is wrong."
                ) from error
            raise

    def _session(self) -> dict[str, float]:
        limits = {"seconds": self._limits.seconds, "row_limit": self._limits.rows + 1}
        return limits | {"memory_bytes": SORT_BYTES, "disk_bytes": SORT_DISK_BYTES}

    def _read(self, connection: Connection) -> Found:
        connection.decoders = {}  # cells as the server writes them: exact, also where JavaScript's numbers are not
        cursor = connection.cursor(SSCursor)
        cursor.execute(self._sql)
        columns: Any = cursor.description or ()  # its stubs have the types of another cursor
        found = Found([str(c[0]) for c in columns], [KINDS.get(c[1], "text") for c in columns])
        size = 0
        while columns and (row := cursor.fetchone()) is not None:
            cells = [_text(cell) for cell in row]
            size += sum(len(cell or "") + CELL_BYTES for cell in cells)
            if len(found.rows) >= self._limits.rows or size > self._limits.size:
                found.cut_by = "size" if size > self._limits.size else "rows"
                break
            found.rows.append(cells)
        return found

    def _too_long(self) -> str:
        return (
            f"Ended after {self._limits.seconds:g} s, the most that a statement may take here. Ask for a shorter "
            "period, or ask a rollup instead of the events."
        )


def _text(cell: str | bytes | None) -> str | None:
    return f"0x{cell.hex()}" if isinstance(cell, bytes) else cell


async def answered(request: Request, statement: Statement, limits: Limits, slots: Slots, person: str) -> Found:
    """Run a statement in a thread; end it if it takes too long or the viewer is gone."""

    def run() -> Found:
        with slots.taken(person):
            return statement.run()

    work, gone = asyncio.ensure_future(run_in_threadpool(run)), asyncio.ensure_future(_leaves(request))
    try:
        await asyncio.wait({work, gone}, timeout=limits.seconds + GRACE_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        while not work.done():
            await asyncio.to_thread(statement.end)
            await asyncio.wait({work}, timeout=AGAIN_SECONDS)
    except asyncio.CancelledError:  # the server stops
        await asyncio.shield(asyncio.to_thread(statement.end))
        raise
    finally:
        gone.cancel()
    return work.result()


async def _leaves(request: Request) -> None:
    """Until the viewer closes the connection, which ``request.is_disconnected`` never notices behind Airflow."""
    while (await request.receive())["type"] != "http.disconnect":
        pass

"""Read-only questions to the reporting database, as its reader.

Connections are kept for the next request: making one takes PyMySQL 30 ms of processor time, a question often 1 ms. One
that is broken is thrown away, so that the pages heal by themselves.
"""

import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, cast

import pymysql
from fastapi import Depends, Request
from pydantic import SecretStr

from pinwheel.clients.memsql import Connection, connect
from pinwheel.core.settings import MemsqlSettings, WebSettings

KEPT = 4  # idle connections: more requests at once make their own
KEPT_SECONDS = 30.0  # servers and what is between close the idle ones after minutes


def as_reader(settings: WebSettings) -> MemsqlSettings:
    """The settings with the user who may only read, if there is one of its own."""
    reader = os.environ.get("PINWHEEL_REPORT_MEMSQL_USER")
    if not reader:
        return settings
    password = SecretStr(os.environ.get("PINWHEEL_REPORT_MEMSQL_PASSWORD", ""))
    return settings.model_copy(update={"memsql_user": reader, "memsql_password": password})


class Pool:
    """Idle connections of the reader."""

    def __init__(self, settings: WebSettings) -> None:
        self._settings = settings
        self._idle: list[tuple[float, Connection]] = []
        self._lock = threading.Lock()

    @contextmanager
    def connection(self) -> Iterator[Connection]:
        """One for the block; what it read is given up at its end."""
        found = self._take() or self._make()
        try:
            yield found
            found.rollback()  # the next one must not see this one's snapshot
        except BaseException:
            _close(found)
            raise
        self._keep(found)

    def _make(self) -> Connection:
        return connect(as_reader(self._settings), statement_seconds=self._settings.page_statement_seconds)

    def _take(self) -> Connection | None:
        """An idle connection whose server still answers."""
        while True:
            with self._lock:
                if not self._idle:
                    return None
                since, found = self._idle.pop()
            if time.monotonic() - since < KEPT_SECONDS and _answers(found):
                return found
            _close(found)

    def _keep(self, connection: Connection) -> None:
        with self._lock:
            if len(self._idle) < KEPT:
                self._idle.append((time.monotonic(), connection))
                return
        _close(connection)


def _answers(connection: Connection) -> bool:
    try:
        connection.ping(reconnect=False)
    except pymysql.err.Error:
        return False
    return True


def _close(connection: Connection) -> None:
    if connection.open:
        connection.close()


def pool_of(request: Request) -> Pool:
    """The app's pool."""
    return cast(Pool, request.app.state.pool)


PoolDep = Annotated[Pool, Depends(pool_of)]


def database(pool: PoolDep) -> Iterator[Connection]:
    """A connection for one request; its user may change nothing."""
    with pool.connection() as connection:
        yield connection


DatabaseDep = Annotated[Connection, Depends(database)]

"""Pooled read-only connections to the reporting database, as its read-only user.

Pooled because opening a connection takes PyMySQL 30 ms of CPU, and a query often 1 ms. A broken connection is
discarded, so the pages recover by themselves.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any, cast

from fastapi import Depends, Request
from pydantic import SecretStr
from sqlalchemy.dialects.mysql import pymysql
from sqlalchemy.pool import QueuePool

from pinwheel.clients.memsql import Connection, connect
from pinwheel.core import connections
from pinwheel.core.settings import MemsqlSettings, WebSettings

KEPT = 4  # idle connections; further concurrent requests open their own
KEPT_SECONDS = 30  # a connection's age: servers and proxies close idle ones after minutes


def as_reader(settings: WebSettings) -> MemsqlSettings:
    """The settings with the read-only user, if one is configured."""
    return _as(settings, "report") or settings


def as_analyst(settings: WebSettings) -> MemsqlSettings | None:
    """The settings with the analysts' user, if one is configured."""
    return _as(settings, "analyst")


def _as(settings: WebSettings, who: str) -> MemsqlSettings | None:
    user = connections.lookup(f"{who}_memsql_user")
    if not user:
        return None
    password = SecretStr(connections.lookup(f"{who}_memsql_password") or "")
    return settings.model_copy(update={"memsql_user": user, "memsql_password": password})


class Pool:
    """The reader's connections."""

    def __init__(self, settings: WebSettings) -> None:
        self._settings = settings
        self._pool = QueuePool(
            self._make,
            pool_size=KEPT,
            max_overflow=-1,
            use_lifo=True,  # extra connections of a busy minute then stay idle, age and are closed
            recycle=KEPT_SECONDS,
            pre_ping=True,
            dialect=pymysql.dialect(dbapi=pymysql.dialect.import_dbapi()),  # needed for pre_ping
        )

    @contextmanager
    def connection(self) -> Iterator[Connection]:
        """A connection for the block; rolled back at its end, so that its next user gets a new snapshot."""
        borrowed = self._pool.connect()
        try:
            yield cast(Connection, borrowed.dbapi_connection)
        except BaseException as error:
            borrowed.invalidate(error)
            raise
        borrowed.close()

    def _make(self) -> Any:  # a Connection: PyMySQL's types do not fit SQLAlchemy's protocol
        return connect(as_reader(self._settings), statement_seconds=self._settings.page_statement_seconds)


def pool_of(request: Request) -> Pool:
    """The app's pool."""
    return cast(Pool, request.app.state.pool)


PoolDep = Annotated[Pool, Depends(pool_of)]


def database(pool: PoolDep) -> Iterator[Connection]:
    """A connection for one request, with a read-only user."""
    with pool.connection() as connection:
        yield connection


DatabaseDep = Annotated[Connection, Depends(database)]

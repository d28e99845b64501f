"""The database, its users and their rights (``sql/grants/``), made by the server's administrator at each start.

Every statement may run again: what is there stays, passwords become the given ones. If a start dies in between, the
next one finishes. Users log in from one host: the embedded stack names loopback, servers name any host.
"""

import re
from collections.abc import Mapping
from typing import Any, TypeAlias

import pymysql

from pinwheel.clients import memsql
from pinwheel.core.contract import TABLES
from pinwheel.core.errors import MemsqlError, SettingError

ANY_HOST = "%"
PLAIN_NAME = re.compile(r"[a-z][a-z0-9_]*")
ROLES = ("merge", "stream", "report", "analyst")  # of the users that processes and people log in as

Connection: TypeAlias = "pymysql.Connection[Any]"  # generic in its type stubs only


def make_users(connection: Connection, database: str, *, engine: str, host: str, passwords: Mapping[str, str]) -> None:
    """Make the database and a user per role; ``passwords`` by role, with ``admin`` also the owner of the schema.

    Raises:
        SettingError: the database's name is not a plain one.
        MemsqlError: names the statement that was refused, without its values.
    """
    _run(connection, statements("grants/users", engine, database), {"host": host, **passwords})
    if "admin" in passwords:
        _run(connection, statements("grants/admin", engine, database), {"host": host, **passwords})


def grant_tables(connection: Connection, database: str, *, engine: str, host: str) -> None:
    """Grant the rights on single tables, once the schema is there.

    Raises:
        SettingError, MemsqlError: as for the users.
    """
    for table in TABLES:
        _run(connection, statements("grants/reporting_table", engine, database, table=table), {"host": host})
    for name in ("grants/stream", "grants/analyst"):
        _run(connection, statements(name, engine, database), {"host": host})


def statements(name: str, engine: str, database: str, **names: str) -> list[str]:
    """The statements of one file for an engine and a database, values not bound yet."""
    if not PLAIN_NAME.fullmatch(database):
        raise SettingError(f"PINWHEEL_MEMSQL_DATABASE={database!r} must be small letters, digits and _")
    return memsql.statements(name, engine, database=database, **names)


def _run(connection: Connection, statements: list[str], values: Mapping[str, str]) -> None:
    with connection.cursor() as cursor:
        for statement in statements:
            try:
                cursor.execute(statement, values)
            except pymysql.MySQLError as error:
                raise MemsqlError(f"{statement}: {error}") from error

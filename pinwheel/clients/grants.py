"""The database, its users and their grants (``sql/grants/``), created by the server's administrator at each start.

Idempotent: existing objects stay, passwords are reset to the given ones, and a start that died half-way is completed
by the next. Users log in from one host: loopback in the embedded stack, any host on servers.
"""

import logging
import re
from collections.abc import Mapping
from typing import Any, TypeAlias

import pymysql

from pinwheel.clients import memsql
from pinwheel.core.contract import TABLES
from pinwheel.core.errors import MemsqlError, SettingError

log = logging.getLogger(__name__)

ANY_HOST = "%"
PLAIN_NAME = re.compile(r"[a-z][a-z0-9_]*")
ROLES = ("merge", "stream", "report", "analyst")  # one user each

Connection: TypeAlias = "pymysql.Connection[Any]"  # generic in its type stubs only


def make_users(connection: Connection, database: str, *, engine: str, host: str, passwords: Mapping[str, str]) -> None:
    """Create the database and one user per role.

    Args:
        passwords: by role; with ``admin``, the owner of the schema is created too.

    Raises:
        SettingError: the database's name is not a plain one.
        MemsqlError: names the statement that was refused, without its values.
    """
    _run(connection, statements("grants/users", engine, database), {"host": host, **passwords})
    if "admin" in passwords:
        _run(connection, statements("grants/admin", engine, database), {"host": host, **passwords})


def grant_tables(connection: Connection, database: str, *, engine: str, host: str) -> None:
    """Grant the rights on single tables; the schema must exist. A table that was dropped stops nothing but itself.

    Raises:
        SettingError, MemsqlError: as for the users.
    """
    for table in TABLES:
        try:
            _run(connection, statements("grants/reporting_table", engine, database, table=table), {"host": host})
        except MemsqlError as error:
            if memsql.error_code(error) != memsql.NO_SUCH_TABLE:
                raise
            log.error("there is no table %s: `pinwheel rebuild %s` makes it anew from the lake", table, table)
    for name in ("grants/merge", "grants/stream", "grants/analyst"):
        _run(connection, statements(name, engine, database), {"host": host})


def statements(name: str, engine: str, database: str, **names: str) -> list[str]:
    """The statements of one file for an engine and a database; values are not bound yet."""
    if not PLAIN_NAME.fullmatch(database):
        raise SettingError(f"PINWHEEL_MEMSQL_DATABASE={database!r} may hold lower-case letters, digits and _ only")
    return memsql.statements(name, engine, database=database, **names)


def _run(connection: Connection, statements: list[str], values: Mapping[str, str]) -> None:
    with connection.cursor() as cursor:
        for statement in statements:
            try:
                cursor.execute(statement, values)
            except pymysql.MySQLError as error:
                raise MemsqlError(f"{statement}: {error}") from error

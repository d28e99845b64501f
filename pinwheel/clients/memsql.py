"""The reporting database (SingleStore, or MariaDB over the same protocol): connections, statements, transactions.

Statements live in ``sql/``; values are bound as ``%(name)s``, identifiers from the contract fill ``$name``.
"""

import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING, Any, TypeVar

import pymysql
from pymysql.cursors import DictCursor
from tenacity import Retrying, retry_if_exception, stop_after_attempt, wait_random_exponential

from pinwheel.core.errors import MemsqlError, MissingPartError
from pinwheel.core.settings import MemsqlSettings

SQL_DIR = Path(__file__).resolve().parents[2] / "sql"
CONFLICTS = (1205, 1213)  # lock wait timeout, deadlock: somebody else was faster, the same again works
UNREACHABLE = (1040, 1053, 1077, 1158, 1159, 1160, 1161, 1927, 2002, 2003, 2006, 2013, 2055)
CONFLICT_ATTEMPTS = 5  # a slice that still loses after five turns is left to the next poll

Row = dict[str, Any]
Params = Mapping[str, Any]
T = TypeVar("T")


if TYPE_CHECKING:
    from sqlalchemy import URL

    _Connection = pymysql.connections.Connection[DictCursor]
else:  # generic in its type stubs only
    _Connection = pymysql.connections.Connection


class Connection(_Connection):
    """A PyMySQL connection that knows which engine's marked lines its statements need."""

    settings: MemsqlSettings

    @property
    def engine(self) -> str:
        """Which engine's marked lines count."""
        return self.settings.memsql_engine

    def limit(self, seconds: float) -> None:
        """Give the connection up when the server is silent for so long; PyMySQL sets this at the start only."""
        self._read_timeout = self._write_timeout = seconds

    def another(self) -> "Connection":
        """A second connection like this one, for work side by side."""
        return connect(self.settings, statement_seconds=self._read_timeout)


def where(settings: MemsqlSettings) -> str:
    """Server, database and user, for messages."""
    server = f"{settings.memsql_host}:{settings.memsql_port}"
    return f"{settings.memsql_engine} at {server}, database {settings.memsql_database}, user {settings.memsql_user}"


def connect(
    settings: MemsqlSettings, *, local_infile: bool = False, statement_seconds: float | None = None
) -> Connection:
    """Open a connection, closed at the end of a ``with``: no autocommit, READ COMMITTED, UTC, utf8mb4.

    Args:
        settings: where the server is.
        local_infile: let the server ask for client files (LOAD DATA LOCAL), so only loaders set it.
        statement_seconds: how long a statement may take, for those who can't wait ``memsql_statement_seconds``;
            a longer one is an OperationalError (2013), and its connection is closed.

    Raises:
        MemsqlError: the server can't be reached or refuses the user; says which and what to do.
    """
    try:
        connection = Connection(
            host=settings.memsql_host,
            port=settings.memsql_port,
            user=settings.memsql_user,
            password=settings.memsql_password.get_secret_value(),
            database=settings.memsql_database,
            charset="utf8mb4",
            autocommit=False,
            connect_timeout=settings.memsql_connect_seconds,
            read_timeout=settings.memsql_connect_seconds,  # the kernel accepts for a hung server: it never says hello
            write_timeout=settings.memsql_connect_seconds,
            cursorclass=DictCursor,
            local_infile=local_infile,
            ssl={"ca": str(settings.memsql_ssl_ca)} if settings.memsql_ssl_ca else None,
            init_command=statement("clients/session", settings.memsql_engine),
        )
    except (pymysql.err.Error, OSError) as error:
        raise MemsqlError(
            f"no connection to {where(settings)}: {error}. Is the server up, and are "
            "PINWHEEL_MEMSQL_HOST, _PORT, _DATABASE, _USER and _PASSWORD right?"
        ) from error
    connection.settings = settings
    connection.limit(statement_seconds or settings.memsql_statement_seconds)
    return connection


def sqlalchemy_url(settings: MemsqlSettings) -> "URL":
    """The same server for the libraries that go through SQLAlchemy (Alembic, Great Expectations)."""
    from sqlalchemy import URL  # Spark's workers import this module and have no use for it

    statement_seconds = str(math.ceil(settings.memsql_statement_seconds))  # SQLAlchemy takes whole seconds
    query = {"charset": "utf8mb4", "read_timeout": statement_seconds, "write_timeout": statement_seconds}
    if settings.memsql_ssl_ca:
        query["ssl_ca"] = str(settings.memsql_ssl_ca)
    return URL.create(
        "mysql+pymysql",
        username=settings.memsql_user,
        password=settings.memsql_password.get_secret_value(),
        host=settings.memsql_host,
        port=settings.memsql_port,
        database=settings.memsql_database,
        query=query,
    )


def statement(name: str, engine: str = "mariadb", /, **identifiers: str | Sequence[str] | int) -> str:
    """The statement in ``sql/<name>.sql``, without comments, for ``engine``, with ``$identifiers`` filled in.

    Raises:
        MissingPartError: no such file.
        MemsqlError: an identifier that is not a plain name.
    """
    template = _read(name, engine)
    if not identifiers:
        return template
    return Template(template).substitute({key: _identifier(value) for key, value in identifiers.items()})


def statements(name: str, engine: str = "mariadb", /, **identifiers: str) -> list[str]:
    """The statements of a file that holds several; each ends with ``;`` at the end of a line."""
    parts = re.split(r";\s*(?:\n|$)", statement(name, engine, **identifiers))
    return [part.strip() for part in parts if part.strip()]


@lru_cache
def _read(name: str, engine: str) -> str:
    path = SQL_DIR / f"{name}.sql"
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        raise MissingPartError(f"no statement {path}; is the checkout complete?") from None
    unmarked = (re.sub(rf"^(\s*)--{engine}:\s?", r"\1", line) for line in lines)
    return "\n".join(line for line in unmarked if line.strip() and not line.lstrip().startswith("--"))


def _identifier(value: str | Sequence[str] | int) -> str:
    names = [str(value)] if isinstance(value, str | int) else list(value)
    for name in names:
        if not re.fullmatch(r"[A-Za-z0-9_]+", name):
            raise MemsqlError(f"{name!r} is not a plain SQL name; names come from the contract only")
    return ", ".join(names)


def execute(connection: Connection, name: str, params: Params | None = None, /, **identifiers: Any) -> int:
    """Run ``sql/<name>.sql``; returns the affected rows."""
    with connection.cursor() as cursor:
        return int(cursor.execute(statement(name, connection.engine, **identifiers), params))


def execute_all(connection: Connection, name: str, /, **identifiers: str) -> None:
    """Run the statements of ``sql/<name>.sql`` one after the other."""
    with connection.cursor() as cursor:
        for sql in statements(name, connection.engine, **identifiers):
            cursor.execute(sql)


def insert_id(connection: Connection, name: str, params: Params) -> int:
    """Run the INSERT in ``sql/<name>.sql``; returns the key that the server gave."""
    with connection.cursor() as cursor:
        cursor.execute(statement(name, connection.engine), params)
        return int(cursor.lastrowid)


def execute_many(connection: Connection, name: str, params: Sequence[Params]) -> int:
    """Run ``sql/<name>.sql`` for each of ``params``; PyMySQL sends INSERT … VALUES in large batches."""
    with connection.cursor() as cursor:
        return int(cursor.executemany(statement(name, connection.engine), params) or 0)


def fetch(connection: Connection, name: str, params: Params | None = None, /, **identifiers: Any) -> list[Row]:
    """Rows of ``sql/<name>.sql``."""
    with connection.cursor() as cursor:
        cursor.execute(statement(name, connection.engine, **identifiers), params)
        return list(cursor.fetchall())


def warnings(connection: Connection) -> list[Row]:
    """What the server minded about the last statement."""
    return fetch(connection, "clients/show_warnings")


@contextmanager
def transaction(connection: Connection) -> Iterator[Connection]:
    """Commit at the end of the block, roll back when it raises."""
    try:
        yield connection
        connection.commit()
    except BaseException:
        if connection.open:
            connection.rollback()
        raise


def error_code(error: BaseException) -> int | None:
    """The server's or client's error number, looking through causes."""
    found: BaseException | None = error
    while found is not None:
        if isinstance(found, pymysql.err.Error) and found.args and isinstance(found.args[0], int):
            return int(found.args[0])
        found = found.__cause__ or found.__context__
    return None


def is_conflict(error: BaseException) -> bool:
    """Whether the same transaction again may well succeed."""
    return error_code(error) in CONFLICTS


def is_transient(error: BaseException) -> bool:
    """Whether waiting may help: conflicts, and a server that is away."""
    code = error_code(error)
    return code in CONFLICTS or code in UNREACHABLE or isinstance(error, pymysql.err.InterfaceError)


def retry_conflicts(work: Callable[[], T]) -> T:
    """Do ``work`` (a whole transaction), again with growing pauses while it loses to others' locks."""
    retrying = Retrying(
        retry=retry_if_exception(is_conflict),
        stop=stop_after_attempt(CONFLICT_ATTEMPTS),
        wait=wait_random_exponential(multiplier=0.05, max=2),
        reraise=True,
    )
    return retrying(work)

"""The reporting database (SingleStore, or MariaDB over the same protocol): connections, statements, transactions.

Statements are files of ``sql/``: values are bound as ``%(name)s``, identifiers from the contract replace ``$name``.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING, Any, TypeVar

import pymysql
from pymysql.cursors import DictCursor, SSCursor
from tenacity import Retrying, retry_if_exception, stop_after_attempt, wait_random_exponential

from pinwheel.clients.strangers import CLEAR_TEXT, CheckedResult, ClearTextLogin
from pinwheel.core.errors import MemsqlError, MissingPartError
from pinwheel.core.settings import MemsqlSettings

SQL_DIR = Path(__file__).resolve().parents[2] / "sql"
NO_SUCH_TABLE = 1146
CONFLICTS = (1205, 1213)  # lock wait timeout, deadlock: a retry of the transaction helps
UNREACHABLE = (1040, 1053, 1077, 1158, 1159, 1160, 1161, 1927, 2002, 2003, 2006, 2013, 2055)
STREAM_ROWS = 50_000
CONFLICT_ATTEMPTS = 5  # then the slice is left to the next poll

Row = dict[str, Any]
Params = Mapping[str, Any]
T = TypeVar("T")


if TYPE_CHECKING:
    _Connection = pymysql.connections.Connection[DictCursor]
else:  # generic in its type stubs only
    _Connection = pymysql.connections.Connection


@dataclass(frozen=True)
class Engine:
    """A kind of database server."""

    name: str  # in the settings, and on the marked lines of statements
    loads_in_transaction: bool  # whether LOAD DATA is part of the surrounding transaction


ENGINES = {engine.name: engine for engine in (Engine("mariadb", True), Engine("singlestore", False))}


class Connection(_Connection):
    """A PyMySQL connection that knows its settings, and so the engine.

    ``file``: the only one that the server may ask for, while it is loaded.
    """

    settings: MemsqlSettings
    file: str | None = None

    @property
    def warning_count(self) -> int:
        """Warnings of the last statement."""
        return self._result.warning_count if self._result else 0

    def _read_query_result(self, unbuffered: bool = False) -> int:
        """As PyMySQL's, which names its result's class."""
        self._result = None
        result = CheckedResult(self)
        if unbuffered:
            result.init_unbuffered_query()
        else:
            result.read()
        self._result = result
        if result.server_status is not None:
            self.server_status = result.server_status
        return int(result.affected_rows or 0)

    @property
    def engine(self) -> str:
        """The engine whose marked lines (``--mariadb:``, ``--singlestore:``) are part of a statement."""
        return self.settings.memsql_engine

    @property
    def loads_in_transaction(self) -> bool:
        """Whether LOAD DATA is part of the surrounding transaction."""
        return ENGINES[self.engine].loads_in_transaction

    def limit(self, seconds: float) -> None:
        """Set the read and write timeout; PyMySQL has it as an argument of ``connect`` only."""
        self._read_timeout = self._write_timeout = seconds

    def abandon(self) -> None:
        """Close without reading the rest of a streamed result, as ``close`` would; the server stops sending it."""
        if self._result is not None and self._result.unbuffered_active:
            self._result.unbuffered_active = False
            self._force_close()  # type: ignore[attr-defined]  # private: not in the stubs
        elif self.open:
            self.close()


def where(settings: MemsqlSettings) -> str:
    """Server, database and user, for messages."""
    server = f"{settings.memsql_host}:{settings.memsql_port}"
    return f"{settings.memsql_engine} at {server}, database {settings.memsql_database}, user {settings.memsql_user}"


def connect(
    settings: MemsqlSettings, *, local_infile: bool = False, statement_seconds: float | None = None
) -> Connection:
    """Open a connection: no autocommit, READ COMMITTED, UTC, utf8mb4. A ``with`` closes it.

    Args:
        local_infile: allow ``load``.
        statement_seconds: timeout of a statement, if not ``memsql_statement_seconds``. A statement that takes longer
            raises OperationalError (2013), and its connection is closed.

    Raises:
        MemsqlError: the server can't be reached or refuses the user.
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
            read_timeout=settings.memsql_connect_seconds,  # a hung server's kernel accepts, but no handshake follows
            write_timeout=settings.memsql_connect_seconds,
            cursorclass=DictCursor,
            local_infile=local_infile,
            auth_plugin_map=dict.fromkeys(CLEAR_TEXT, ClearTextLogin),
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


def statement(name: str, engine: str = "mariadb", /, **identifiers: str | Sequence[str] | int) -> str:
    """The statement in ``sql/<name>.sql`` for ``engine``, without comments, with ``$identifiers`` replaced.

    Raises:
        MissingPartError: the file does not exist.
        MemsqlError: an identifier is not a plain name.
    """
    template = _read(name, engine)
    if not identifiers:
        return template
    return Template(template).substitute({key: _identifier(value) for key, value in identifiers.items()})


def statements(name: str, engine: str = "mariadb", /, **identifiers: str | Sequence[str]) -> list[str]:
    """The statements of a file that holds several, each ended by ``;`` at the end of a line."""
    parts = re.split(r";\s*(?:\n|$)", statement(name, engine, **identifiers))
    return [part.strip() for part in parts if part.strip()]


@lru_cache
def _read(name: str, engine: str) -> str:
    path = SQL_DIR / f"{name}.sql"
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        raise MissingPartError(f"there is no statement file {path}; is the checkout complete?") from None
    unmarked = (re.sub(rf"^(\s*)--{engine}:\s?", r"\1", line) for line in lines)
    return "\n".join(line for line in unmarked if line.strip() and not line.lstrip().startswith("--"))


def _identifier(value: str | Sequence[str] | int) -> str:
    names = [str(value)] if isinstance(value, str | int) else list(value)
    for name in names:
        if not re.fullmatch(r"[A-Za-z0-9_]+", name):
            raise MemsqlError(f"{name!r} is not a plain SQL name; names come from the contract only")
    return ", ".join(names)


def execute(connection: Connection, name: str, params: Params | None = None, /, **identifiers: Any) -> int:
    """Run ``sql/<name>.sql``; returns the number of affected rows."""
    with connection.cursor() as cursor:
        return int(cursor.execute(statement(name, connection.engine, **identifiers), params))


def load(connection: Connection, name: str, path: str | Path, /, **identifiers: Any) -> tuple[int, int]:
    """Run the LOAD DATA LOCAL in ``sql/<name>.sql``; returns the numbers of loaded rows and of warnings."""
    connection.file = str(path)
    try:
        rows = execute(connection, name, {"path": connection.file}, **identifiers)
        return rows, connection.warning_count
    finally:
        connection.file = None


def execute_all(connection: Connection, name: str, /, **identifiers: str | Sequence[str]) -> None:
    """Run the statements of ``sql/<name>.sql`` one after the other."""
    with connection.cursor() as cursor:
        for sql in statements(name, connection.engine, **identifiers):
            cursor.execute(sql)


def insert_id(connection: Connection, name: str, params: Params) -> int:
    """Run the INSERT in ``sql/<name>.sql``; returns the generated key."""
    with connection.cursor() as cursor:
        cursor.execute(statement(name, connection.engine), params)
        return int(cursor.lastrowid)


def execute_many(connection: Connection, name: str, params: Sequence[Params]) -> int:
    """Run ``sql/<name>.sql`` for each of ``params``; PyMySQL combines INSERT … VALUES into large batches."""
    if not params:
        return 0
    with connection.cursor() as cursor:
        return int(cursor.executemany(statement(name, connection.engine), params) or 0)


def fetch(connection: Connection, name: str, params: Params | None = None, /, **identifiers: Any) -> list[Row]:
    """Rows of ``sql/<name>.sql``."""
    with connection.cursor() as cursor:
        cursor.execute(statement(name, connection.engine, **identifiers), params)
        return list(cursor.fetchall())


def stream(
    connection: Connection, name: str, params: Params, /, **identifiers: Any
) -> Iterator[Sequence[tuple[Any, ...]]]:
    """Rows of ``sql/<name>.sql`` as tuples, in chunks of ``STREAM_ROWS`` as they arrive; read them all."""
    with connection.cursor(SSCursor) as cursor:
        cursor.execute(statement(name, connection.engine, **identifiers), params)
        while rows := cursor.fetchmany(STREAM_ROWS):
            yield rows


def warnings(connection: Connection) -> list[Row]:
    """The server's warnings about the last statement."""
    return fetch(connection, "clients/show_warnings")


@contextmanager
def transaction(connection: Connection) -> Iterator[Connection]:
    """Commit when the block ends, roll back when it raises."""
    try:
        yield connection
        connection.commit()
    except BaseException:
        if connection.open:
            connection.rollback()
        raise


@contextmanager
def snapshot(connection: Connection) -> Iterator[Connection]:
    """A transaction whose statements all read the same state; see the statement for SingleStore."""
    execute(connection, "clients/snapshot")
    with transaction(connection):
        yield connection


def error_code(error: BaseException) -> int | None:
    """The server's or client's error number, of the error or the nearest of its causes that has one."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, pymysql.err.Error) and cause.args and isinstance(cause.args[0], int):
            return int(cause.args[0])
        cause = cause.__cause__ or cause.__context__
    return None


def is_conflict(error: BaseException) -> bool:
    """Whether a retry of the transaction at once is likely to succeed."""
    return error_code(error) in CONFLICTS


def is_transient(error: BaseException) -> bool:
    """Whether a retry may help: a conflict, or an unreachable server."""
    return error_code(error) in CONFLICTS or is_away(error)


def is_away(error: BaseException) -> bool:
    """Whether it is the server that can't be reached, not a statement of ours."""
    return error_code(error) in UNREACHABLE or isinstance(error, pymysql.err.InterfaceError)


def retry_conflicts(work: Callable[[], T]) -> T:
    """Run ``work`` (a whole transaction); on lock conflicts retry it with exponential backoff."""
    retrying = Retrying(
        retry=retry_if_exception(is_conflict),
        stop=stop_after_attempt(CONFLICT_ATTEMPTS),
        wait=wait_random_exponential(multiplier=0.05, max=2),
        reraise=True,
    )
    return retrying(work)

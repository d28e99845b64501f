"""The database schema: Alembic runs the numbered files of ``sql/schema``; each file is one revision."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

from alembic.runtime.migration import MigrationContext, MigrationStep
from alembic.script import Script, ScriptDirectory
from alembic.script.revision import RevisionMap
from pymysql.cursors import Cursor
from sqlalchemy import Connection as SqlalchemyConnection
from sqlalchemy import create_engine
from tenacity import Retrying, retry_if_exception, stop_after_delay, wait_fixed

from pinwheel.clients import memsql
from pinwheel.core.errors import MissingPartError
from pinwheel.core.settings import MemsqlSettings

SCHEMA_DIR = memsql.SQL_DIR / "schema"
# Statements that define a table or change it; each may run twice.
DEFINES = r"(\s*(?:CREATE TABLE IF NOT EXISTS|ALTER TABLE|(?:CREATE|DROP) INDEX[^;]*?\bON)\s+){table}\b"
LOCK_SECONDS = 600  # how long a second process waits for the first


def apply(settings: MemsqlSettings) -> list[str]:
    """Migrate the database to the newest schema; returns the files that ran, in order.

    Idempotent, also when called concurrently or after a run that died half-way: a lock admits one process at a time,
    and every statement of a file may run twice.
    """
    with _schema_lock(settings):
        engine = create_engine("mysql+pymysql://", creator=partial(_connected, settings))
        try:
            with engine.connect() as connection:
                return _upgrade(connection, settings.memsql_engine)
        finally:
            engine.dispose()


def restore(settings: MemsqlSettings, tables: Sequence[str]) -> list[str]:
    """Make those of ``tables`` that were dropped anew, empty, by the statements that define them; returns their names.

    Rebuild them right after: until then, the merge goes on with what is new. A table gets its name last: dying before
    that leaves ``restored_<table>``, which the next run makes anew.
    """
    if not tables:
        return []
    with _schema_lock(settings), memsql.connect(settings) as connection, connection.cursor() as cursor:
        present = there(connection, tables)
        lost = [table for table in tables if table not in present]
        for table in lost:
            memsql.execute(connection, "clients/drop_restored", table=table)
            for path in schema_files():
                for sql in memsql.statements(f"schema/{path.stem}", settings.memsql_engine):
                    if defines := re.match(DEFINES.format(table=re.escape(table)), sql):
                        cursor.execute(f"{defines[1]}restored_{table}{sql[defines.end() :]}")
            memsql.execute(connection, "clients/name_restored", table=table)
        return lost


def there(connection: memsql.Connection, tables: Sequence[str]) -> set[str]:
    """Those of ``tables`` that the database has."""
    return {row["name"] for row in memsql.fetch(connection, "clients/there", {"table_names": tuple(tables)})}


def _connected(settings: MemsqlSettings) -> memsql.Connection:
    connection = memsql.connect(settings)
    connection.cursorclass = Cursor  # type: ignore[assignment]  # SQLAlchemy wants tuples
    return connection


def _upgrade(connection: SqlalchemyConnection, engine: str) -> list[str]:
    done: list[str] = []
    scripts = _scripts(engine, done)

    def steps(current: Any, _context: MigrationContext) -> Iterable[MigrationStep]:
        missing = list(scripts.iterate_revisions("head", current or "base", implicit_base=True))
        return [MigrationStep.upgrade_from_script(scripts.revision_map, s) for s in reversed(missing)]

    # Without a primary key: on SingleStore it would be the shard key, which no statement may update.
    opts = {"fn": steps, "script": scripts, "version_table_pk": False}
    context = MigrationContext.configure(connection, opts=opts)
    context.run_migrations(connection=connection)
    connection.commit()
    return done


def _scripts(engine: str, done: list[str]) -> ScriptDirectory:
    directory = ScriptDirectory(str(SCHEMA_DIR))
    directory.revision_map = RevisionMap(partial(_revisions, engine, done))
    return directory


def _revisions(engine: str, done: list[str]) -> list[Script]:
    """Each file as an Alembic script whose parent is the file before it."""
    scripts, before = [], None
    for path in schema_files():
        number = path.stem.split("_")[0]
        module = ModuleType(path.stem)
        module.__dict__.update(down_revision=before, upgrade=_upgrading(path, engine, done))
        scripts.append(Script(module, number, str(path)))
        before = number
    return scripts


def schema_files() -> list[Path]:
    """The migration files, in order.

    Raises:
        MissingPartError: there are none, or a number is missing or used twice (two branches were merged).
    """
    paths = sorted(SCHEMA_DIR.glob("*.sql"))
    numbers = [int(re.split(r"\D", path.stem)[0] or 0) for path in paths]
    if not paths or numbers != list(range(1, len(paths) + 1)):
        raise MissingPartError(f"{SCHEMA_DIR} must hold files numbered 0001, 0002, … without gaps; it has {numbers}")
    return paths


def _upgrading(path: Path, engine: str, done: list[str]) -> Callable[..., None]:
    def upgrade(*, connection: SqlalchemyConnection) -> None:  # not a partial: Alembic logs the function's name
        for sql in memsql.statements(f"schema/{path.stem}", engine):
            connection.exec_driver_sql(sql.replace("%", "%%"))
        done.append(path.stem)

    return upgrade


@contextmanager
def _schema_lock(settings: MemsqlSettings) -> Iterator[None]:
    """Lock one row in a separate transaction: DDL commits implicitly, so it can't hold the lock itself."""
    with memsql.connect(settings) as connection:
        memsql.execute_all(connection, "clients/create_schema_lock")
        connection.commit()
        waiting = Retrying(
            retry=retry_if_exception(memsql.is_conflict),
            stop=stop_after_delay(LOCK_SECONDS),
            wait=wait_fixed(0.2),
            reraise=True,
        )
        waiting(memsql.fetch, connection, "clients/lock_schema")
        yield

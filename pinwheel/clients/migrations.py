"""The database schema: Alembic runs the numbered files of ``sql/schema``, one file = one revision."""

import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

from alembic.runtime.migration import MigrationContext, MigrationStep
from alembic.script import Script, ScriptDirectory
from alembic.script.revision import RevisionMap
from sqlalchemy import Connection as SqlalchemyConnection
from sqlalchemy import create_engine
from tenacity import Retrying, retry_if_exception, stop_after_delay, wait_fixed

from pinwheel.clients import memsql
from pinwheel.core.errors import MissingPartError
from pinwheel.core.settings import MemsqlSettings

SCHEMA_DIR = memsql.SQL_DIR / "schema"
LOCK_SECONDS = 600  # a second starter waits this long for the first


def apply(settings: MemsqlSettings) -> list[str]:
    """Bring the database to the newest schema; returns the files that ran, in order.

    Safe to call again, from two starters at once, and after a run that died half-way: one at a time holds the
    lock, and every statement of a file may run twice.
    """
    with _schema_lock(settings):
        engine = create_engine(memsql.sqlalchemy_url(settings))
        try:
            with engine.connect() as connection:
                return _upgrade(connection, settings.memsql_engine)
        finally:
            engine.dispose()


def _upgrade(connection: SqlalchemyConnection, engine: str) -> list[str]:
    done: list[str] = []
    scripts = _scripts(engine, done)

    def steps(current: Any, _context: MigrationContext) -> Iterable[MigrationStep]:
        missing = list(scripts.iterate_revisions("head", current or "base", implicit_base=True))
        return [MigrationStep.upgrade_from_script(scripts.revision_map, s) for s in reversed(missing)]

    context = MigrationContext.configure(connection, opts={"fn": steps, "script": scripts})
    context.run_migrations(connection=connection)
    connection.commit()
    return done


def _scripts(engine: str, done: list[str]) -> ScriptDirectory:
    directory = ScriptDirectory(str(SCHEMA_DIR))
    directory.revision_map = RevisionMap(partial(_revisions, engine, done))
    return directory


def _revisions(engine: str, done: list[str]) -> list[Script]:
    """Each file as an Alembic script that comes after the file before it."""
    found, before = [], None
    for path in schema_files():
        number = path.stem.split("_")[0]
        module = ModuleType(path.stem)
        module.__dict__.update(down_revision=before, upgrade=_upgrading(path, engine, done))
        found.append(Script(module, number, str(path)))
        before = number
    return found


def schema_files() -> list[Path]:
    """The migration files, in order.

    Raises:
        MissingPartError: none there, or a number twice or left out (two branches met).
    """
    paths = sorted(SCHEMA_DIR.glob("*.sql"))
    numbers = [int(re.split(r"\D", path.stem)[0] or 0) for path in paths]
    if not paths or numbers != list(range(1, len(paths) + 1)):
        raise MissingPartError(f"{SCHEMA_DIR} must hold files numbered 0001, 0002, … without gap; it has {numbers}")
    return paths


def _upgrading(path: Path, engine: str, done: list[str]) -> Callable[..., None]:
    def upgrade(*, connection: SqlalchemyConnection) -> None:  # a partial has no name, and Alembic logs it
        for sql in memsql.statements(f"schema/{path.stem}", engine):
            connection.exec_driver_sql(sql.replace("%", "%%"))
        done.append(path.stem)

    return upgrade


@contextmanager
def _schema_lock(settings: MemsqlSettings) -> Iterator[None]:
    """Hold one row in a transaction of its own: DDL commits implicitly, so it can't hold the lock itself."""
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

"""A fresh database per test run, a fresh lake and empty tables per test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from pinwheel import memsql, schema
from pinwheel.local.stack import Stack
from pinwheel.memsql import Connection
from pinwheel.settings import MemsqlSettings, MergeSettings
from tests.merge import lakes


@pytest.fixture(scope="session")
def memsql_settings(stack: Stack, merge_database: dict[str, str]) -> MemsqlSettings:
    """The stack's server with an empty database of its own, schema applied."""
    settings = MemsqlSettings(
        memsql_host="127.0.0.1",
        memsql_port=stack.settings.memsql_port,
        memsql_user=merge_database["user"],
        memsql_password=merge_database["password"],
        memsql_database=merge_database["database"],
    )
    schema.apply(settings)
    return settings


@pytest.fixture
def settings(memsql_settings: MemsqlSettings, tmp_path: Path) -> MergeSettings:
    """A new lake and an emptied database."""
    empty_tables(memsql_settings)
    values = memsql_settings.model_dump(include=set(MemsqlSettings.model_fields))
    return MergeSettings(**values, lake_uri=lakes.make(tmp_path))


def empty_tables(settings: MemsqlSettings) -> None:
    keep = {"merge_locks", "alembic_version", "schema_lock", "clock_hours", "view_columns"}
    connection = memsql.connect(settings)
    with connection, connection.cursor() as cursor:
        cursor.execute("SHOW FULL TABLES WHERE Table_type = 'BASE TABLE'")
        for row in cursor.fetchall():
            name, _ = row.values()
            if name not in keep:
                cursor.execute(f"DELETE FROM {name}")
        connection.commit()


@pytest.fixture
def connection(settings: MergeSettings) -> Iterator[Connection]:
    """A loader's connection."""
    opened = memsql.connect(settings, local_infile=True)
    with opened:
        yield opened


@pytest.fixture
def query(settings: MergeSettings):
    """Ask the database, on a connection of its own, in a fresh transaction each time."""

    def ask(sql: str) -> list[dict]:
        with memsql.connect(settings) as asking, asking.cursor() as cursor:
            cursor.execute(sql)
            return list(cursor.fetchall())

    return ask

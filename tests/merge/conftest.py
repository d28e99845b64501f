"""A fresh database per test run, a fresh lake and empty tables per test."""

import os
import secrets
from collections.abc import Iterator
from pathlib import Path

import pymysql
import pytest

from pinwheel import memsql, schema
from pinwheel.memsql import Connection
from pinwheel.settings import MemsqlSettings, MergeSettings
from tests.merge import lakes


@pytest.fixture(scope="session")
def memsql_settings() -> Iterator[MemsqlSettings]:
    """Settings of a database made for this run, dropped at its end.

    The server is the one of PINWHEEL_TEST_MEMSQL_HOST, _PORT, _USER and _PASSWORD; the user may create databases.
    """
    port = os.environ.get("PINWHEEL_TEST_MEMSQL_PORT")
    if port is None:
        pytest.skip("no database server: set PINWHEEL_TEST_MEMSQL_PORT")
    settings = MemsqlSettings(
        memsql_host=os.environ.get("PINWHEEL_TEST_MEMSQL_HOST", "127.0.0.1"),
        memsql_port=int(port),
        memsql_user=os.environ.get("PINWHEEL_TEST_MEMSQL_USER", "root"),
        memsql_password=os.environ.get("PINWHEEL_TEST_MEMSQL_PASSWORD", ""),
        memsql_database=f"pinwheel_test_{secrets.token_hex(4)}",
    )
    create_database(settings)
    schema.apply(settings)
    yield settings
    drop_database(settings)


def create_database(settings: MemsqlSettings) -> None:
    _admin(settings, f"CREATE DATABASE {settings.memsql_database} DEFAULT CHARACTER SET utf8mb4")


def drop_database(settings: MemsqlSettings) -> None:
    _admin(settings, f"DROP DATABASE {settings.memsql_database}")


def _admin(settings: MemsqlSettings, sql: str) -> None:
    connection = pymysql.connect(
        host=settings.memsql_host,
        port=settings.memsql_port,
        user=settings.memsql_user,
        password=settings.memsql_password.get_secret_value(),
    )
    with connection, connection.cursor() as cursor:
        cursor.execute(sql)


@pytest.fixture
def settings(memsql_settings: MemsqlSettings, tmp_path: Path) -> MergeSettings:
    """A new lake and an emptied database."""
    empty_tables(memsql_settings)
    values = memsql_settings.model_dump(include=set(MemsqlSettings.model_fields))
    return MergeSettings(**values, lake_uri=lakes.make(tmp_path))


def empty_tables(settings: MemsqlSettings) -> None:
    keep = {"merge_locks", "alembic_version", "schema_lock"}
    connection = memsql.connect(settings)
    with connection, connection.cursor() as cursor:
        cursor.execute("SHOW TABLES")
        for row in cursor.fetchall():
            (name,) = row.values()
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

"""Migrations of a database on a real server: a new one, and one that has data."""

from contextlib import suppress
from datetime import date
from itertools import count
from uuid import uuid4

import pytest

from pinwheel.clients import memsql, migrations
from pinwheel.clients.memsql import Connection, Row
from pinwheel.core.contract import TABLES
from pinwheel.core.settings import MemsqlSettings
from pinwheel.local.stack import Stack
from tests.support.database import make_database

BEFORE_DIRECT_LOADS = 17
OLD_ROWS = """
INSERT INTO merge_watermarks (table_name, version) VALUES ('repins', 7), ('pins', 8);
INSERT INTO merge_progress (table_name, kafka_partition, next_offset, kafka_timestamp)
    VALUES ('repins', 0, 70, '2026-03-14 12:00:00');
INSERT INTO merge_slices (table_name, from_version, to_version, state)
    VALUES ('repins', 5, 7, 'merged'), ('repins', 7, 8, 'staged'), ('pins', 8, 9, 'held');
INSERT INTO repins (event_id, occurred_at, occurred_hour, user_id, kafka_partition, kafka_offset, kafka_timestamp)
    VALUES ('a', '2026-03-14 12:30:00', '2026-03-14 12:00:00', 3, 0, 1, '2026-03-14 12:30:00');
INSERT INTO people_daily (day, chunk, bits) VALUES ('2026-03-14', 0, 8)
"""


@pytest.fixture
def empty(stack_with_memsql: Stack) -> MemsqlSettings:
    """An empty database of the test's own."""
    return make_database(stack_with_memsql, f"migrations_{uuid4().hex}")


def ask(connection: Connection, sql: str) -> list[Row]:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        found = list(cursor.fetchall())
    connection.commit()
    return found


def test_the_version_table_has_no_primary_key(empty: MemsqlSettings) -> None:
    """On SingleStore it would be the shard key, which no statement may update."""
    assert len(migrations.apply(empty)) == len(migrations.schema_files())
    with memsql.connect(empty) as connection:
        assert ask(connection, "SHOW KEYS FROM alembic_version") == []
    assert migrations.apply(empty) == []


def test_a_database_whose_version_table_has_a_key_keeps_it(
    empty: MemsqlSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = migrations.schema_files()
    with monkeypatch.context() as patch:
        patch.setattr(migrations, "schema_files", lambda: files[:-1])
        migrations.apply(empty)
    with memsql.connect(empty) as connection:
        ask(connection, "ALTER TABLE alembic_version ADD PRIMARY KEY (version_num)")
        assert migrations.apply(empty) == [files[-1].stem]
        assert [row["Key_name"] for row in ask(connection, "SHOW KEYS FROM alembic_version")] == ["PRIMARY"]


def test_a_database_that_staged_its_slices(empty: MemsqlSettings, monkeypatch: pytest.MonkeyPatch) -> None:
    files = migrations.schema_files()
    with monkeypatch.context() as patch:
        patch.setattr(migrations, "schema_files", lambda: files[:BEFORE_DIRECT_LOADS])
        migrations.apply(empty)
    with memsql.connect(empty) as connection:
        for sql in OLD_ROWS.split(";"):
            ask(connection, sql)
        migrations.apply(empty)
        for sql in memsql.statements(f"schema/{files[BEFORE_DIRECT_LOADS].stem}"):  # as after a run that died
            ask(connection, sql)

        assert ask(connection, "SELECT table_name, shard, shards, version FROM merge_shards ORDER BY version") == [
            {"table_name": "repins", "shard": 0, "shards": 1, "version": 7},
            {"table_name": "pins", "shard": 0, "shards": 1, "version": 8},
        ]
        assert ask(connection, "SELECT table_name, next_offset FROM table_progress") == [
            {"table_name": "repins", "next_offset": 70}
        ]
        states = ask(connection, "SELECT state FROM merge_slices ORDER BY slice_id")
        assert [row["state"] for row in states] == ["merged", "superseded", "superseded"]
        assert ask(connection, "SELECT day FROM stale_days") == [{"day": date(2026, 3, 14)}]
        assert ask(connection, "SELECT * FROM people_daily") == []
        assert ask(connection, "SHOW TABLES LIKE 'staging%'") == []


def test_a_table_that_was_dropped_is_made_as_it_was(empty: MemsqlSettings) -> None:
    migrations.apply(empty)
    with memsql.connect(empty) as connection:
        made = {table: ask(connection, f"SHOW CREATE TABLE {table}") for table in TABLES}
        for table in TABLES:
            ask(connection, f"DROP TABLE {table}")
        assert migrations.restore(empty, ["repins"]) == ["repins"]
        assert migrations.restore(empty, list(TABLES)) == [table for table in TABLES if table != "repins"]
        assert {table: ask(connection, f"SHOW CREATE TABLE {table}") for table in TABLES} == made
        assert migrations.restore(empty, list(TABLES)) == migrations.restore(empty, []) == []


@pytest.mark.parametrize("dies_at", range(5))
def test_a_restore_that_dies_leaves_no_half_table(
    empty: MemsqlSettings, monkeypatch: pytest.MonkeyPatch, dies_at: int
) -> None:
    migrations.apply(empty)
    with memsql.connect(empty) as connection:
        made = ask(connection, "SHOW CREATE TABLE logins")
        ask(connection, "DROP TABLE logins")
        left, real = count(dies_at, -1), memsql.statements

        def dying(name: str, engine: str) -> list[str]:
            found = real(name, engine)
            if any("logins" in sql for sql in found) and next(left) == 0:
                raise KeyboardInterrupt
            return found

        with monkeypatch.context() as patch, suppress(KeyboardInterrupt):
            patch.setattr(memsql, "statements", dying)
            migrations.restore(empty, ["logins"])
        migrations.restore(empty, ["logins"])
        assert ask(connection, "SHOW CREATE TABLE logins") == made
        assert not ask(connection, "SHOW TABLES LIKE 'restored%'")


def test_a_table_that_is_there_is_not_touched(empty: MemsqlSettings) -> None:
    migrations.apply(empty)
    with memsql.connect(empty) as connection:
        ask(connection, "INSERT INTO pin_cache (pin_id, brand_id, category) VALUES (7, 70, 'art')")
        ask(connection, "ALTER TABLE repins COMMENT = 'mine'")
        assert migrations.restore(empty, list(TABLES)) == []
        assert "mine" in str(ask(connection, "SHOW CREATE TABLE repins"))

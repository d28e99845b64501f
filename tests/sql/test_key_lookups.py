"""Pins are read by their key, whatever the server believes of their number, and brands with events by an index."""

from collections.abc import Iterator

import pytest

from pinwheel.clients import memsql
from pinwheel.clients.memsql import Connection
from pinwheel.core.settings import MemsqlSettings
from tests.support.database import empty_tables

PINS = 2000
SOME = {"pin_ids": list(range(0, PINS, PINS // 10))}


@pytest.fixture
def full(memsql_settings: MemsqlSettings) -> Iterator[Connection]:
    """With many pins in a table whose statistics say that it has none, as after a restart right after it was filled."""
    empty_tables(memsql_settings)
    with memsql.connect(memsql_settings) as connection, connection.cursor() as cursor:
        cursor.execute("ANALYZE TABLE pin_cache")
        cursor.fetchall()
        rows = [(n, f"title {n}") for n in range(PINS)]
        cursor.executemany("INSERT INTO pin_cache (pin_id, title) VALUES (%s, %s)", rows)
        connection.commit()
        cursor.execute("ALTER TABLE pin_cache STATS_AUTO_RECALC = 0")  # reads the statistics that are saved
        yield connection
        connection.rollback()
        cursor.execute("TRUNCATE TABLE pin_cache")
        cursor.execute("ALTER TABLE pin_cache STATS_AUTO_RECALC = DEFAULT")


def plan(connection: Connection, sql: str) -> tuple[str, str | None]:
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN {sql}", SOME)
        (row,) = [row for row in cursor.fetchall() if row["table"] in ("pin", "pin_cache")]
        return row["type"], row["key"]


@pytest.mark.parametrize("name", ["pages/pins", "enrich/select_pins", "enrich/select_versions", "reports/titles"])
def test_pins_are_read_by_their_key_when_statistics_are_old(full: Connection, name: str) -> None:
    sql = memsql.statement(name)
    assert plan(full, sql) == ("range", "PRIMARY")
    assert plan(full, sql.replace("FORCE INDEX (PRIMARY)", "")) == ("ALL", None), "else the test proves nothing"
    assert "INDEX" not in memsql.statement(name, "singlestore")


def test_brands_with_events_and_the_first_day_are_skipped_to(connection: Connection) -> None:
    """In a rollup that is never cut: 20,000 rows of 100 brands."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO brand_daily SELECT brand.seq, '2026-01-01' + INTERVAL day.seq DAY, 1, 1, 1, 1, NOW(6) "
            "FROM seq_1_to_100 AS brand, seq_1_to_200 AS day"
        )
        connection.commit()
        cursor.execute("ANALYZE TABLE brand_daily")
        cursor.fetchall()
        every = {"all_brands": 1, "brands": (0,)}
        cursor.execute(f"EXPLAIN {memsql.statement('pages/brand_choices')}", every)
        choices = {row["table"]: row for row in cursor.fetchall()}
        cursor.execute(f"EXPLAIN {memsql.statement('pages/reports_days')}")
        extras = [row["Extra"] for row in cursor.fetchall()]
    assert choices["brand_daily"]["Extra"] == "Using index for group-by"
    assert "Select tables optimized away" in extras

"""The analysts' views: their columns mean what they say, and analysts can read nothing else."""

import re
from datetime import datetime

import pymysql
import pytest

from pinwheel.clients import memsql
from pinwheel.clients.memsql import Connection, Row
from pinwheel.core.errors import MemsqlError
from pinwheel.core.settings import MergeSettings
from pinwheel.local import environment
from pinwheel.local.stack import Stack
from tests.support.lakes import NOON, event, hours
from tests.support.types import MergeEvents, Query

FOR_ANALYSTS = (
    "engagement", "brand_engagement_hourly", "brand_engagement_daily", "brand_country_engagement_daily",
    "category_engagement_hourly", "country_engagement_hourly", "pin_engagement_hourly", "pin_first_repins",
    "people_daily_counts", "people_homes", "complete_through", "merge_ledger", "data_dictionary", "trending",
)  # fmt: skip
TABLES = (
    "brands", "pins", "repins", "comments", "logins", "pin_cache", "brand_hourly", "brand_daily", "brand_country_daily",
    "category_hourly", "country_hourly", "pin_hourly", "pin_firsts", "people_daily", "people_hourly", "person_homes",
    "clock_hours", "view_columns", "repin_minutes",
)  # fmt: skip


def ask(connection: Connection, sql: str) -> list[Row]:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return list(cursor.fetchall())


def test_every_column_of_a_view_says_what_it_means_and_nothing_else_does(
    settings: MergeSettings, query: Query, subtests: pytest.Subtests
) -> None:
    for view in FOR_ANALYSTS:
        with subtests.test(view):
            shown = {row["Field"] for row in query(f"SHOW COLUMNS FROM {view}")}
            told = {
                row["column_name"] for row in query(f"SELECT column_name FROM view_columns WHERE view_name = '{view}'")
            }
            assert told == shown


def test_every_view_is_known_here(settings: MergeSettings, query: Query) -> None:
    views = {next(iter(row.values())) for row in query("SHOW FULL TABLES WHERE Table_type = 'VIEW'")}
    assert {view for view in views if view != "table_progress" and not view.startswith("checked_")} == set(FOR_ANALYSTS)
    assert {row["view_name"] for row in query("SELECT DISTINCT view_name FROM view_columns")} == set(FOR_ANALYSTS)


def test_the_dictionary_knows_every_column_that_an_analyst_may_read(analyst: Connection) -> None:
    found = ask(analyst, "SELECT table_name, column_name, meaning FROM data_dictionary")
    assert {row["table_name"] for row in found} == {*FOR_ANALYSTS, *TABLES}
    assert [row for row in found if not row["meaning"]] == []


def test_an_analyst_may_read(analyst: Connection, subtests: pytest.Subtests) -> None:
    for name in [*FOR_ANALYSTS, *TABLES]:
        with subtests.test(name):
            ask(analyst, f"SELECT * FROM {name} LIMIT 1")


@pytest.mark.parametrize(
    "name",
    ["quarantine", "alerts", "health", "merge_slices", "merge_shards", "shard_progress", "table_progress",
     "rollup_increments", "people", "presence", "merge_locks", "pending_pins", "mysql.global_priv"],
)  # fmt: skip
def test_an_analyst_may_not_read(name: str, analyst: Connection) -> None:
    with pytest.raises(pymysql.err.OperationalError, match="denied"):
        ask(analyst, f"SELECT * FROM {name} LIMIT 1")


@pytest.mark.parametrize(
    "sql",
    [
        "INSERT INTO brands (brand_id, name) VALUES (1, 'x')",
        "UPDATE repins SET brand_id = 1",
        "DELETE FROM engagement",
        "DROP VIEW engagement",
        "CREATE TABLE mine (a INT)",
        "CREATE TEMPORARY TABLE mine (a INT)",
        "LOCK TABLES repins WRITE",
        "SET GLOBAL max_statement_time = 0",
        "SELECT * FROM repins INTO OUTFILE '/tmp/x'",
    ],
)
def test_an_analyst_changes_nothing(sql: str, analyst: Connection) -> None:
    with pytest.raises((pymysql.err.OperationalError, pymysql.err.ProgrammingError), match=r"denied|need"):
        ask(analyst, sql)


def test_a_statement_of_an_analyst_ends_after_a_minute(analyst: Connection) -> None:
    (row,) = ask(analyst, "SELECT @@max_statement_time AS seconds")
    assert row["seconds"] == 60
    with pytest.raises(pymysql.err.OperationalError, match="max_statement_time"):
        ask(analyst, "SET STATEMENT max_statement_time = 0.2 FOR SELECT COUNT(*) FROM information_schema.columns AS a, "
            "information_schema.columns AS b, information_schema.columns AS c")  # fmt: skip


def test_nobody_is_an_analyst_without_the_password(stack_with_memsql: Stack) -> None:
    settings = environment.memsql(stack_with_memsql.settings, stack_with_memsql.credentials, "analyst")
    with pytest.raises(MemsqlError, match="Access denied"):
        memsql.connect(settings.model_copy(update={"memsql_password": settings.memsql_password.__class__("wrong")}))


def test_one_row_of_each_type_is_in_engagement(merged: MergeEvents, query: Query) -> None:
    merged(
        [event("pin", "p", 0), event("repin", "r", 1, brand_id=None), event("comment", "c", 2), event("login", "l", 3)]
    )
    rows = query("SELECT event_type, brand_name, category FROM engagement ORDER BY event_id")
    assert [tuple(row.values()) for row in rows] == [
        ("comment", "brand 70", "travel"),
        ("login", None, None),
        ("pin", "brand 70", "travel"),
        ("repin", None, "travel"),
    ]


def progress(connection: Connection, *rows: tuple[str, int, datetime | None]) -> None:
    for table, partition, at in rows:
        where = {"table_name": table, "shard": 0, "kafka_partition": partition}
        memsql.execute(connection, "merge/move_progress", where | {"next_offset": 1, "kafka_timestamp": at})
    connection.commit()


def complete(query: Query) -> dict[str, tuple[datetime | None, datetime | None]]:
    rows = query("SELECT table_name, complete_through_utc, newest_utc FROM complete_through")
    return {row["table_name"]: (row["complete_through_utc"], row["newest_utc"]) for row in rows}


def test_a_table_is_complete_through_its_slowest_partition(connection: Connection, query: Query) -> None:
    early, late = datetime(2026, 3, 14, 9), datetime(2026, 3, 14, 10)
    progress(connection, ("repins", 0, early), ("repins", 1, late), ("pins", 0, late), ("pins", 1, late))
    assert complete(query) == {"repins": (early, late), "pins": (late, late)}


def test_a_partition_that_another_table_knows_is_missing_here(connection: Connection, query: Query) -> None:
    at = datetime(2026, 3, 14, 9)
    progress(connection, ("repins", 0, at), ("repins", 1, at), ("pins", 0, at), ("logins", 0, at), ("logins", 1, None))
    assert complete(query) == {"repins": (at, at), "pins": (None, at), "logins": (None, at)}


def test_nothing_merged_is_nothing_complete(settings: MergeSettings, query: Query) -> None:
    assert complete(query) == {}


def test_complete_through_follows_the_merge(merged: MergeEvents, query: Query) -> None:
    merged([event("repin", "a", 0), event("repin", "b", 1, occurred_at=NOON + hours(1), kafka_partition=1)])
    assert complete(query)["repins"] == (datetime(2026, 3, 14, 12), datetime(2026, 3, 14, 13))


def test_unique_people_say_over_what(settings: MergeSettings, query: Query) -> None:
    rows = query("SELECT table_name, meaning FROM data_dictionary WHERE column_name = 'unique_people'")
    views = {row["table_name"]: row["meaning"] for row in rows if row["table_name"] in FOR_ANALYSTS}
    assert len(views) == 5
    assert [view for view, meaning in views.items() if not re.match(r"Different people (who|with) ", meaning)] == []

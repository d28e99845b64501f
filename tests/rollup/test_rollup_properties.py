"""Any history of a lake: the rollups equal a recount in Python of the merged rows."""

from collections import Counter, defaultdict
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import given

from pinwheel.clients.memsql import Connection, Row
from pinwheel.core.contract import TABLES
from pinwheel.core.settings import MergeSettings
from pinwheel.rollup.rollups import Rollups
from tests.support import slices
from tests.support.database import merge_settings
from tests.support.histories import Lake, Merge, Step, histories
from tests.support.properties import examples
from tests.support.types import Query

Key = tuple[Any, ...]
KINDS = {"pins": "pin", "repins": "repin", "comments": "comment"}


def recount(query: Query, key: Callable[[Row], Key | None]) -> dict[Key, tuple[int, int, int, int]]:
    """Counts and distinct people per key, from the rows of the three tables."""
    counts, people = defaultdict[Key, Counter[str]](Counter), defaultdict[Key, set[int]](set)
    for table in KINDS:
        for row in query(f"SELECT * FROM {table}"):
            if (bucket := key(row)) is not None:
                counts[bucket][table] += 1
                people[bucket].add(row["user_id"])
    return {k: (n["pins"], n["repins"], n["comments"], len(people[k])) for k, n in counts.items()}


def rolled(query: Query, table: str, *keys: str) -> dict[Key, tuple[int, int, int, int]]:
    rows = query(f"SELECT * FROM {table}")
    return {tuple(r[k] for k in keys): (r["pins"], r["repins"], r["comments"], r["unique_people"]) for r in rows}


def rows_of(query: Query, *tables: str) -> list[Row]:
    return [row for table in tables for row in query(f"SELECT * FROM {table}")]


def recount_people(query: Query, at: Callable[[Row], date]) -> set[tuple[date, int]]:
    """The people with an event of any type, per day or hour."""
    return {(at(row), row["user_id"]) for row in rows_of(query, *KINDS, "logins")}


def rolled_people(query: Query, rollup: str, by: str) -> set[tuple[date, int]]:
    ids = np.frombuffer(b"".join(r["user_ids"] for r in query("SELECT user_ids FROM people ORDER BY block")), np.int64)
    rows = query(f"SELECT {by} AS at, chunk, bits FROM {rollup}")
    assert all(row["bits"] for row in rows)
    return {(r["at"], int(ids[r["chunk"] * 64 + n])) for r in rows for n in range(64) if r["bits"] >> n & 1}


def recount_homes(query: Query) -> dict[int, tuple[str, int]]:
    logins = defaultdict[int, Counter[str]](Counter)
    for row in rows_of(query, "logins"):
        logins[row["user_id"]][row["country_code"] or "ZZ"] += 1
    return {u: min(found.items(), key=lambda c: (c[0] == "ZZ", -c[1], c[0])) for u, found in logins.items()}


def recount_firsts(query: Query) -> dict[int, tuple[datetime, datetime | None]]:
    pinned: dict[int, datetime] = {}
    for row in rows_of(query, "pins"):
        pinned[row["pin_id"]] = min(row["occurred_at"], pinned.get(row["pin_id"], row["occurred_at"]))
    repins = rows_of(query, "repins")
    times = {p: [r["occurred_at"] for r in repins if r["pin_id"] == p] for p in pinned}
    after = {p: [at for at in times[p] if at >= t] for p, t in pinned.items()}
    return {p: (t, min(after[p], default=None)) for p, t in pinned.items()}


def branded(row: Row, *parts: Any) -> Key | None:
    return None if row["brand_id"] is None else (row["brand_id"], *parts)


def test_rollups_equal_a_recount(settings: MergeSettings, connection: Connection, query: Query, tmp_path: Path) -> None:
    most, tried = 0, 0

    @examples(5)
    @given(histories(tuple(TABLES), landings=3, most_rows=24, ids=40))
    def holds(history: list[Step]) -> None:
        nonlocal most, tried
        tried += 1
        here = merge_settings(settings, str(tmp_path / str(tried)))
        lake = Lake(here.lake_uri)
        for step in history:
            if isinstance(step, Merge):
                merge_all(here, step)
            else:
                lake.take(step)
        most = max(most, check(query))

    def merge_all(here: MergeSettings, step: Merge) -> None:
        """One slice of one table after the other, or several of several tables at once."""
        for table in step.tables:
            slices.merge_all(table, here, connection)
        if step.rolled_up:
            if tried % 2:
                break_rollups(connection)
            while Rollups().refresh(connection) or query("SELECT day FROM stale_days"):
                pass

    holds()
    assert most > 20


def break_rollups(connection: Connection) -> None:
    """Wrong numbers in every rollup of every day, which are to be made anew."""
    with connection.cursor() as cursor:
        for table in ("brand_hourly", "brand_daily", "brand_country_daily", "category_hourly", "pin_hourly"):
            cursor.execute(f"UPDATE {table} SET repins = repins + 5, pins = 9")
        cursor.execute("DELETE FROM presence WHERE scope <> 'category'")
        cursor.execute("UPDATE people_daily SET bits = bits ^ 5")
        for table in TABLES:
            cursor.execute(f"INSERT IGNORE INTO stale_days (day) SELECT DATE(occurred_hour) FROM {table}")
    connection.commit()


def check(query: Query) -> int:
    """Each rollup against a recount; returns how many hours of brands there are."""
    hour = recount(query, lambda r: branded(r, r["occurred_hour"]))
    assert rolled(query, "brand_hourly", "brand_id", "hour") == hour
    assert rolled(query, "brand_daily", "brand_id", "day") == recount(
        query, lambda r: branded(r, r["occurred_at"].date())
    )
    assert rolled(query, "brand_country_daily", "brand_id", "country_code", "day") == recount(
        query, lambda r: branded(r, r["country_code"] or "ZZ", r["occurred_at"].date())
    )
    assert rolled(query, "category_hourly", "category", "hour") == recount(
        query, lambda r: (r["category"] or "(none)", r["occurred_hour"])
    )
    # The rollups of schema/0010.
    counts = {key: found[:3] for key, found in recount(query, lambda r: (r["pin_id"], r["occurred_hour"])).items()}
    pins = {(r["pin_id"], r["hour"]): (r["pins"], r["repins"], r["comments"]) for r in rows_of(query, "pin_hourly")}
    assert pins == counts
    assert all(r["engagement"] == r["repins"] + r["comments"] for r in rows_of(query, "pin_hourly"))
    by_country = recount(query, lambda r: (r["country_code"] or "ZZ", r["occurred_hour"]))
    counts = {key: found[:3] for key, found in by_country.items()}
    countries = rows_of(query, "country_hourly")
    assert {(r["country_code"], r["hour"]): (r["pins"], r["repins"], r["comments"]) for r in countries} == counts
    by_day = recount_people(query, lambda row: row["occurred_at"].date())
    assert rolled_people(query, "people_daily", "day") == by_day
    by_hour = recount_people(query, lambda row: row["occurred_hour"])
    assert rolled_people(query, "people_hourly", "hour") == by_hour
    assert {r["user_id"]: (r["country_code"], r["logins"]) for r in rows_of(query, "person_homes")} == recount_homes(
        query
    )
    firsts = {r["pin_id"]: (r["pinned_at"], r["repinned_at"]) for r in rows_of(query, "pin_firsts")}
    assert firsts == recount_firsts(query)
    return len(hour)

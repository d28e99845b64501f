"""Random events, redeliveries, corrections and erasures: rollups equal a recount in Python of the merged rows."""

import random
from collections import Counter, defaultdict

import pytest

from pinwheel.merge.merge import merge
from pinwheel.merge.stage import stage
from pinwheel.rollup import rollups
from tests.support.lakes import NOON, delete, event, hours, land, update

KINDS = {"pins": "pin", "repins": "repin", "comments": "comment"}


def random_rows(dice: random.Random, first: int, count: int) -> list[dict]:
    rows = []
    for offset in range(first, first + count):
        kind = dice.choice(["pin", "repin", "repin", "comment", "login"])
        values = {
            "occurred_at": NOON + hours(dice.uniform(-30, 2)),
            "user_id": dice.randint(1, 9),
            "country_code": dice.choice(["NL", "US", None]),
            "pin_id": dice.randint(1, 6) if kind != "login" else None,
            "kafka_partition": dice.randint(0, 2),
        }
        if kind != "login":
            values |= {"brand_id": dice.choice([1, 2, None]), "category": dice.choice(["food", "art", None])}
        rows.append(event(kind, f"{kind}{dice.randint(0, first + count)}", offset, **values))
    return rows


def recount(query, key) -> dict:
    """Counts and distinct people per key, from the rows of the three tables."""
    found = defaultdict(lambda: {"pins": 0, "repins": 0, "comments": 0, "people": set()})
    for table in KINDS:
        for row in query(f"SELECT * FROM {table}"):
            if (bucket := key(row)) is not None:
                found[bucket][table] += 1
                found[bucket]["people"].add(row["user_id"])
    return {k: (v["pins"], v["repins"], v["comments"], len(v["people"])) for k, v in found.items()}


def rolled(query, table: str, *keys: str) -> dict:
    rows = query(f"SELECT * FROM {table}")
    return {tuple(r[k] for k in keys): (r["pins"], r["repins"], r["comments"], r["unique_people"]) for r in rows}


def rows_of(query, *tables: str) -> list[dict]:
    return [row for table in tables for row in query(f"SELECT * FROM {table}")]


def recount_people(query) -> set:
    """The people with an event of any type, per day."""
    return {(row["occurred_at"].date(), row["user_id"]) for row in rows_of(query, *KINDS, "logins")}


def rolled_people(query) -> set:
    rows = query("SELECT day, chunk, bits FROM people_daily")
    assert all(row["bits"] for row in rows)
    return {(r["day"], r["chunk"] * 64 + bit) for r in rows for bit in range(64) if r["bits"] >> bit & 1}


def recount_homes(query) -> dict:
    logins = defaultdict(Counter)
    for row in rows_of(query, "logins"):
        logins[row["user_id"]][row["country_code"] or "ZZ"] += 1
    return {u: min(found.items(), key=lambda c: (c[0] == "ZZ", -c[1], c[0])) for u, found in logins.items()}


def recount_firsts(query) -> dict:
    pinned = {}
    for row in rows_of(query, "pins"):
        pinned[row["pin_id"]] = min(row["occurred_at"], pinned.get(row["pin_id"], row["occurred_at"]))
    repins = rows_of(query, "repins")
    times = {p: [r["occurred_at"] for r in repins if r["pin_id"] == p] for p in pinned}
    after = {p: [at for at in times[p] if at >= t] for p, t in pinned.items()}
    return {p: (t, min(after[p], default=None)) for p, t in pinned.items()}


def branded(row, *parts):
    return None if row["brand_id"] is None else (row["brand_id"], *parts)


@pytest.mark.parametrize("seed", [1, 2])
def test_rollups_equal_a_recount(settings, connection, query, seed):
    dice = random.Random(seed)
    for turn in range(4):
        land(settings.lake_uri, random_rows(dice, turn * 60, 60))
        if turn == 1:
            update(settings.lake_uri, "brand_id IS NULL AND event_type = 'repin'", {"brand_id": "2"})
        if turn == 2:
            delete(settings.lake_uri, "user_id = 3")
        for table in dice.sample([*KINDS, "logins"], 4):
            while (found := stage(table, settings, connection)) is not None:
                merge(found.slice_id, connection)
            if dice.random() < 0.3:  # or several slices of several tables at once
                rollups.recompute(connection)
    rollups.recompute(connection)
    hour = recount(query, lambda r: branded(r, r["occurred_hour"]))
    assert len(hour) > 20
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
    assert rolled_people(query) == recount_people(query)
    assert {r["user_id"]: (r["country_code"], r["logins"]) for r in rows_of(query, "person_homes")} == recount_homes(
        query
    )
    firsts = {r["pin_id"]: (r["pinned_at"], r["repinned_at"]) for r in rows_of(query, "pin_firsts")}
    assert firsts == recount_firsts(query)

"""Random events, redeliveries, corrections and erasures: rollups equal a recount in Python of the merged rows."""

import random
from collections import defaultdict

import pytest

from pinwheel.merge.merge import merge
from pinwheel.merge.stage import stage
from tests.merge.lakes import NOON, delete, event, hours, land, update

pytestmark = pytest.mark.memsql
KINDS = {"pins": "pin", "repins": "repin", "comments": "comment"}


def random_rows(dice: random.Random, first: int, count: int) -> list[dict]:
    rows = []
    for offset in range(first, first + count):
        kind = dice.choice(["pin", "repin", "repin", "comment", "login"])
        values = {
            "occurred_at": NOON + hours(dice.uniform(-30, 2)),
            "user_id": dice.randint(1, 9),
            "country_code": dice.choice(["NL", "US", None]),
            "kafka_partition": dice.randint(0, 2),
        }
        if kind != "login":
            values |= {"brand_id": dice.choice([1, 2, None]), "category": dice.choice(["food", "art", None])}
        rows.append(event(kind, f"{kind}{dice.randint(0, first + count)}", offset, **values))
    return rows


def recount(query, key) -> dict:
    """Counts and different people per key, from the rows of the three tables."""
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

"""The page of a pin: its numbers equal a recount, and people see the pins of their brands alone."""

import random
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from pinwheel.clients import memsql
from pinwheel.clients.memsql import Row
from pinwheel.core.settings import MemsqlSettings, MergeSettings
from plugins.web.brand import clock
from plugins.web.pin import MOST_ROWS, newest
from tests.support.database import merge_settings
from tests.support.lakes import NOON, event
from tests.support.pages import Login, app_on
from tests.support.types import MergeEvents

NOW = NOON + timedelta(minutes=30)
SHOWN = timedelta(days=7)
FIRST = datetime(2026, 3, 8, tzinfo=UTC)  # of the hours that are shown


@pytest.fixture
def settings(memsql_settings: MemsqlSettings, place: str) -> MergeSettings:
    """The settings of the merge that fills the tables."""
    return merge_settings(memsql_settings, place)


@pytest.fixture
def app(tokens: dict[str, str], settings: MergeSettings) -> FastAPI:
    made = app_on(settings)
    made.dependency_overrides[clock] = lambda: NOW
    return made


def told(client: TestClient, pin: int = 7) -> dict[str, Any]:
    answer = client.get(f"/api/pins/{pin}")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def run(settings: MergeSettings, sql: str, *values: object) -> None:
    with memsql.connect(settings) as connection, connection.cursor() as cursor:
        cursor.execute(sql, values)
        connection.commit()


def test_every_number_is_that_of_a_recount(merged: MergeEvents, ann: TestClient) -> None:
    dice = random.Random(5)
    rows: list[Row] = [
        event(
            dice.choice(["repin", "repin", "comment", "pin"]),
            f"e{n}",
            n,
            pin_id=dice.choice([7, 7, 8]),
            user_id=dice.randint(1, 30),
            country_code=dice.choice(["NL", "US", None]),
            occurred_at=NOON - timedelta(hours=dice.uniform(0, 24 * 9)),
        )
        for n in range(400)
    ]
    for row in rows:
        row["board_id"] = dice.randint(1, 40) if row["event_type"] == "repin" else None
    merged(rows)
    engaged = [row for row in rows if row["pin_id"] == 7 and row["event_type"] != "pin"]
    recent = [row for row in engaged if row["occurred_at"] >= FIRST]
    saved = [row for row in recent if row["event_type"] == "repin"]
    hours = Counter(row["occurred_at"].replace(minute=0, second=0, microsecond=0) for row in recent)
    countries = Counter(row["country_code"] or "ZZ" for row in recent)
    found = told(ann)
    assert (found["repins"] + found["comments"], found["shown_from"]) == (len(engaged), "2026-03-08T00:00:00Z")
    assert {h["hour"]: h["repins"] + h["comments"] for h in found["hours"] if h["repins"] + h["comments"]} == {
        f"{hour:%Y-%m-%dT%H:%M:%S}Z": n for hour, n in hours.items()
    }
    assert [h["hour"] for h in found["hours"]] == sorted(h["hour"] for h in found["hours"])
    saves = found["saves"]
    assert (saves["boards"], saves["people"]) == (
        len({row["board_id"] for row in saved}),
        len({row["user_id"] for row in saved}),
    )
    assert (saves["is_all"], saves["since"]) == (True, found["shown_from"])
    assert [(c["country_code"], c["engagement"]) for c in saves["countries"]] == sorted(
        countries.items(), key=lambda item: (-item[1], item[0])
    )


def test_what_is_known_of_a_pin_is_its_newest_version(
    merged: MergeEvents, settings: MergeSettings, ann: TestClient
) -> None:
    pin_id = 2**62 + 1
    texts = {"title": "<b>Cake</b>", "description": "a\nb", "link": "javascript:alert(1)"}
    run(settings, "INSERT INTO brands (brand_id, name) VALUES (70, 'Copper')")
    merged([event("pin", "p", 0, pin_id=pin_id, **texts), event("repin", "r", 1, pin_id=pin_id)])
    found = told(ann, pin_id)
    assert found["pin_id"] == str(pin_id)
    assert {name: found[name] for name in texts} == texts
    assert (found["brand_id"], found["brand_name"], found["category"], found["trend"]) == (70, "Copper", "travel", None)


def test_a_pin_that_is_not_known_has_its_numbers(merged: MergeEvents, ann: TestClient) -> None:
    merged([event("repin", "r", 1, pin_id=8, brand_id=None, pin_status="pending")])
    found = told(ann, 8)
    assert (found["title"], found["brand_id"], found["repins"]) == (None, None, 1)


def test_a_trend_of_the_pin_is_told(merged: MergeEvents, settings: MergeSettings, ann: TestClient) -> None:
    merged([event("pin", "p", 0), event("repin", "r", 1)])
    values = "('pin', '7', '2026-03-14 11:57', '2026-03-14 12:00:30', 72, 24, 4, 1, -8)"
    run(settings, f"INSERT INTO trends VALUES {values}")
    found = told(ann)
    assert (found["trend"]["times_usual"], found["learning_until"]) == (6, "2026-03-14T13:00:00Z")


def test_a_bound_person_sees_pins_of_their_brands_and_the_same_404_for_all_others(
    merged: MergeEvents, ann: TestClient, carl: TestClient, login: Login
) -> None:
    """Carl is bound to 1 and 2."""
    brands = {21: 1, 22: 3, 23: None}
    merged(
        [event("pin", f"p{pin}", pin, pin_id=pin, brand_id=brand, title="x") for pin, brand in brands.items()]
        + [event("repin", "r", 1, pin_id=24, brand_id=None)]
    )
    assert told(carl, 21)["brand_id"] == 1
    for pin in (21, 22, 23, 24):
        assert told(ann, pin)["pin_id"] == str(pin)
    for client, pin in ((carl, 22), (carl, 23), (carl, 24), (carl, 99), (ann, 99)):
        answer = client.get(f"/api/pins/{pin}")
        assert answer.status_code == 404
        assert answer.json()["error"]["message"] == f"There is no pin {pin} that you may see."
    assert login(None).get("/api/pins/21").status_code == 401


def test_a_pin_that_changed_its_brand_gives_the_earlier_numbers_to_nobody_of_the_new_one(
    merged: MergeEvents, settings: MergeSettings, ann: TestClient, carl: TestClient
) -> None:
    """Carl is bound to 1 and 2. The pin was of brand 3, of none, and is of 1 now; a late worker still says 3."""
    dice = random.Random(8)
    rows = [event("pin", "was", 0, brand_id=3, occurred_at=NOON - timedelta(days=6)),
            event("pin", "is", 1, brand_id=1, occurred_at=NOON - timedelta(days=2))]  # fmt: skip
    for n in range(10, 200):
        at = NOON - timedelta(hours=dice.uniform(0, 24 * 9))
        rows.append(event(dice.choice(["repin", "comment"]), f"e{n}", n, user_id=dice.randint(1, 20), occurred_at=at,
                          brand_id=dice.choice([1, 2, 3, None]), country_code=dice.choice(["NL", "US"])))  # fmt: skip
        rows[-1]["board_id"] = dice.randint(1, 30) if rows[-1]["event_type"] == "repin" else None
    merged(rows)
    run(settings, "INSERT INTO trends VALUES ('pin', '7', '2026-03-14 11:57', '2026-03-14 12:00:30', 9, 9, 4, 1, -8)")
    assert told(ann)["repins"] + told(ann)["comments"] == len(rows) - 2
    mine = [r for r in rows if r["event_type"] != "pin" and r["brand_id"] in (1, 2) and r["occurred_at"] >= FIRST]
    saved = [r for r in mine if r["event_type"] == "repin"]
    found = told(carl)
    assert (found["brand_id"], found["repins"], found["comments"]) == (1, len(saved), len(mine) - len(saved))
    assert sum(h["repins"] + h["comments"] for h in found["hours"]) == len(mine)
    first = min(r["occurred_at"] for r in mine).replace(minute=0, second=0, microsecond=0)
    assert (found["first_hour"], found["hours"][0]["hour"]) == (f"{first:%Y-%m-%dT%H:%M:%SZ}",) * 2
    saves = found["saves"]
    assert saves["boards"] == len({r["board_id"] for r in saved})
    assert saves["people"] == len({r["user_id"] for r in saved})
    assert {c["country_code"]: c["engagement"] for c in saves["countries"]} == Counter(r["country_code"] for r in mine)


@pytest.mark.parametrize(("brand", "is_told"), [(3, False), (None, True), (2, True)])
def test_a_rise_before_a_pin_changed_its_brand_is_not_told_to_the_new_one(
    merged: MergeEvents, settings: MergeSettings, ann: TestClient, carl: TestClient, brand: int | None, is_told: bool
) -> None:
    at = NOON - timedelta(minutes=80)
    merged([event("pin", "p", 0, brand_id=1, occurred_at=NOON), event("repin", "r", 1, brand_id=brand, occurred_at=at)])
    run(settings, "INSERT INTO trends VALUES ('pin', '7', '2026-03-14 11:57', '2026-03-14 12:00:30', 9, 9, 4, 1, -8)")
    assert (told(carl)["trend"] is not None) == is_told
    assert [t["item"] for t in carl.get("/api/trends").json()["pins"]] == ["7"] * is_told
    assert [t["item"] for t in carl.get("/api/brands/1").json()["trends"]["pins"]] == ["7"] * is_told
    assert [t["item"] for t in ann.get("/api/brands/1").json()["trends"]["pins"]] == ["7"]
    assert told(ann)["trend"] is not None
    assert [t["item"] for t in ann.get("/api/trends").json()["pins"]] == ["7"]


@pytest.mark.parametrize("pin", ["x", "-1", str(2**63)])
def test_what_is_no_pin_is_refused(ann: TestClient, pin: str) -> None:
    assert ann.get(f"/api/pins/{pin}").status_code == 422


def test_only_so_many_rows_are_looked_up_and_only_those_that_are_kept(
    merged: MergeEvents, settings: MergeSettings, ann: TestClient
) -> None:
    hours = [{"hour": datetime(2026, 3, 14, 12 - n), "repins": MOST_ROWS // 2, "comments": 0} for n in range(4)]
    assert newest(hours, None) == [datetime(2026, 3, 14, 12), datetime(2026, 3, 14, 11)]
    assert newest([hours[0] | {"repins": 2 * MOST_ROWS}, hours[1]], None) == []
    assert newest(hours, date(2026, 3, 15)) == []
    merged([event("repin", f"e{n}", n, occurred_at=NOON - timedelta(days=n)) for n in range(4)])
    run(settings, "INSERT INTO retention (store, kept_from) VALUES ('events', '2026-03-13')")
    saves = told(ann)["saves"]
    assert (saves["is_all"], saves["since"]) == (False, "2026-03-13T12:00:00Z")
    assert [c["engagement"] for c in saves["countries"]] == [2]
    run(settings, "UPDATE retention SET kept_from = '2026-03-15'")
    saves = told(ann)["saves"]
    assert (saves["is_all"], saves["boards"], saves["people"], saves["countries"]) == (False, None, None, [])

"""The bars of the live page: which repins they count, and for whom."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient

from pinwheel.clients.memsql import Connection
from tests.support.pages import Login

MINUTE = datetime(2026, 3, 14, 12, 0)


def counted(connection: Connection, kind: str, item: str, minutes_ago: int, repins: int) -> None:
    row = (MINUTE - timedelta(minutes=minutes_ago), kind, item, repins)
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO repin_minutes (minute, kind, item, repins) VALUES (%s, %s, %s, %s)", row)
    connection.commit()


@pytest.fixture
def minutes(connection: Connection) -> None:
    """Counted since 25 minutes; the last minute is not over."""
    for ago, factor in ((25, 1), (1, 10), (0, 1000)):
        for kind, item, repins in (("all", "", 9), ("category", "food", 4)):
            counted(connection, kind, item, ago, factor * repins)
        for brand in (1, 2, 3):
            counted(connection, "brand", str(brand), ago, factor * brand)


def asked(client: TestClient, **params: Any) -> dict[str, Any]:
    answer = client.get("/api/live/minutes", params=params)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


@pytest.mark.usefixtures("minutes")
@pytest.mark.parametrize(("params", "each"), [({}, 9), ({"brand": 3}, 3), ({"category": "food"}, 4)])
def test_the_last_half_hour_of_all_a_brand_or_a_category(ann: TestClient, params: dict[str, Any], each: int) -> None:
    assert asked(ann, **params) == {
        "first": "2026-03-14T11:30:00Z",
        "repins": [None] * 5 + [each] + [0] * 23 + [10 * each],
        "is_counted": True,
    }


@pytest.mark.usefixtures("minutes")
def test_who_is_bound_to_brands_sees_their_sum_alone(carl: TestClient) -> None:
    assert asked(carl)["repins"][-1] == 10 * (1 + 2)
    assert asked(carl, brand=2)["repins"][-1] == 20
    assert carl.get("/api/live/minutes", params={"brand": 3}).status_code == 404


@pytest.mark.usefixtures("minutes")
def test_a_brand_s_category_is_not_counted_nor_shown_as_that_of_all(ann: TestClient, carl: TestClient) -> None:
    nothing: dict[str, Any] = {"first": None, "repins": [], "is_counted": False}
    assert asked(ann, brand=1, category="food") == asked(carl, category="food") == nothing


@pytest.mark.usefixtures("connection")
def test_before_anything_is_counted(ann: TestClient) -> None:
    assert asked(ann) == {"first": None, "repins": [], "is_counted": True}


def test_nobody_sees_anything(login: Login) -> None:
    assert login(None).get("/api/live/minutes").status_code == 401

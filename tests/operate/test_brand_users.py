"""Binding users to brands: all or nothing, as often as asked, and never oneself."""

from collections.abc import Sequence
from datetime import datetime

import pytest

from pinwheel.clients.memsql import Connection, transaction
from pinwheel.core.errors import PinwheelError
from pinwheel.core.settings import MergeSettings
from pinwheel.operate.brand_users import bind, bind_by_form
from tests.support.database import environment_of
from tests.support.types import Query

NOW = datetime(2026, 3, 14, 12)
ROWS = "SELECT user_name, brand_id, reason, bound_by FROM brand_users ORDER BY user_name, brand_id"


@pytest.fixture(autouse=True)
def _brands(connection: Connection) -> None:
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO brands (brand_id, name) VALUES (1, 'Halden'), (2, 'Nordwind')")
    connection.commit()


def bound(connection: Connection, user: str, brands: Sequence[int], reason: str = "asked", by: str = "ann") -> str:
    with transaction(connection):
        return bind(connection, user, brands, reason, by, NOW)


def test_a_user_gets_these_brands_and_no_others(connection: Connection, query: Query) -> None:
    assert bound(connection, " dora ", [2, 1, 2]) == "dora sees Halden, Nordwind, and nothing else"
    bound(connection, "emil", [1])
    assert bound(connection, "dora", [2], "fewer", "bob") == "dora sees Nordwind, and nothing else"
    assert query(ROWS) == [
        {"user_name": "dora", "brand_id": 2, "reason": "fewer", "bound_by": "bob"},
        {"user_name": "emil", "brand_id": 1, "reason": "asked", "bound_by": "ann"},
    ]


def test_a_brand_without_a_name_can_be_bound_once_it_has_events(connection: Connection) -> None:
    with pytest.raises(PinwheelError, match="there is no brand 70"):
        bound(connection, "dora", [70])
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO brand_daily VALUES (70, '2026-03-14', 1, 1, 1, 1, NOW(6))")
    connection.commit()
    assert bound(connection, "dora", [1, 70]) == "dora sees Halden, brand 70, and nothing else"


def test_users_are_told_apart_by_every_byte(connection: Connection, query: Query) -> None:
    for name in ("dora", "Dora", "dorà"):
        bound(connection, name, [1])
    assert len(query(ROWS)) == 3


def test_twice_is_once(connection: Connection, query: Query) -> None:
    bound(connection, "dora", [1])
    bound(connection, "dora", [1])
    assert len(query(ROWS)) == 1
    assert "bound to no brand any more" in bound(connection, "dora", [])
    with pytest.raises(PinwheelError, match="nothing to end"):
        bound(connection, "dora", [])


@pytest.mark.parametrize(
    ("user", "brands", "reason", "why"),
    [
        ("  ", [1], "asked", "user: it is empty"),
        ("ann", [1], "asked", "user: ann is you"),
        ("dora", [1], " ", "reason: it is empty"),
        ("dora", [1, 3, 2**70], "asked", rf"there is no brand 3, {2**70}"),
    ],
)
def test_what_makes_no_sense_is_refused_and_changes_nothing(
    connection: Connection, query: Query, user: str, brands: list[int], reason: str, why: str
) -> None:
    bound(connection, "dora", [2])
    with pytest.raises(PinwheelError, match=why):
        bound(connection, user, brands, reason)
    assert [row["brand_id"] for row in query(ROWS)] == [2]


def test_the_form_binds_in_the_database(settings: MergeSettings, query: Query, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable, value in environment_of(settings).items():
        monkeypatch.setenv(variable, value)
    assert "Halden, Nordwind" in bind_by_form({"user": "dora", "brand_ids": "1, 2", "reason": "asked"}, "ann")
    assert [row["brand_id"] for row in query(ROWS)] == [1, 2]
    assert "no brand any more" in bind_by_form({"user": "dora", "brand_ids": None, "reason": "asked"}, "ann")

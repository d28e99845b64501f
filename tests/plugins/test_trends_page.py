"""The page of trends: which brands a user sees, what it shows, and its answers without data or database."""

from datetime import datetime, timedelta

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from pinwheel.clients.memsql import Connection
from pinwheel.core.settings import MemsqlSettings
from pinwheel.rollup.trends import WINDOW
from plugins.web.database import Pool
from plugins.web.trends import COMPARED
from tests.support.pages import Login

AS_OF = datetime(2026, 3, 14, 12, 0, 30)
SCRIPT = "<script>alert(1)</script>\u202e" + "🌻" * 200
LISTS = ("pins", "categories", "brands", "countries")


def run(connection: Connection, sql: str, *values: object) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
    connection.commit()


def trend(connection: Connection, kind: str, item: str, chance: float = -8, usual: float = 4) -> None:
    row = (kind, item, AS_OF - timedelta(minutes=3), AS_OF, 72, 24, usual, 1, chance)
    run(connection, "INSERT INTO trends VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)", *row)


def pin(connection: Connection, pin_id: int, brand_id: int | None, title: str | None) -> None:
    run(connection, "INSERT INTO pin_cache (pin_id, brand_id, title) VALUES (%s, %s, %s)", pin_id, brand_id, title)


def counted(connection: Connection, item: str, minutes_ago: int, repins: int) -> None:
    minute = AS_OF.replace(second=0) - timedelta(minutes=minutes_ago)
    run(
        connection,
        "INSERT INTO repin_minutes (minute, kind, item, repins) VALUES (%s, 'pin', %s, %s)",
        minute,
        item,
        repins,
    )


def items(client: TestClient, **params: str | int) -> dict[str, list[str]]:
    told = client.get("/api/trends", params=params).json()
    return {name: [t["item"] for t in told[name]] for name in LISTS if told[name]}


def test_a_trend_is_told_with_everything_that_the_page_shows(connection: Connection, ann: TestClient) -> None:
    pin(connection, 7, 2, SCRIPT)
    trend(connection, "pin", "7")
    counted(connection, "7", 30, 5)
    counted(connection, "7", 1, 24)
    counted(connection, "7", 0, 12)
    answer = ann.get("/api/trends")
    assert answer.status_code == 200
    told = answer.json()
    assert (told["as_of"], told["counted_from"]) == ("2026-03-14T12:00:30Z", "2026-03-14T11:30:00Z")
    (found,) = told["pins"]
    assert found["minutes"] == [None] * 30 + [5] + [0] * 28 + [24]  # the minute that is not over is left out
    assert found | {"minutes": 0} == {
        "item": "7", "name": SCRIPT, "brand_id": 2, "since": "2026-03-14T11:57:30Z", "repins": 72, "per_minute": 24,
        "usual_per_minute": 4, "times_usual": 6, "chance_log10": -8, "confidence": "sure", "minutes": 0,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("chance", "word"), [(-6.1, "sure"), (-9, "very_sure"), (-15, "beyond_doubt"), (-400, "beyond_doubt")]
)
def test_confidence_has_a_word(connection: Connection, ann: TestClient, chance: float, word: str) -> None:
    trend(connection, "country", "NL", chance)
    assert ann.get("/api/trends").json()["countries"][0]["confidence"] == word


def test_what_was_never_there_has_no_size(connection: Connection, ann: TestClient) -> None:
    trend(connection, "pin", "9", usual=0)
    (found,) = ann.get("/api/trends").json()["pins"]
    assert (found["times_usual"], found["name"], found["brand_id"]) == (None, None, None)


def test_the_surest_ten_of_a_kind_are_told(connection: Connection, ann: TestClient) -> None:
    for n in range(12):
        trend(connection, "category", f"c{n:02}", chance=-7 - n)
    assert items(ann) == {"categories": [f"c{n:02}" for n in range(11, 1, -1)]}


def test_who_is_bound_to_brands_sees_these_and_their_pins_alone(
    connection: Connection, ann: TestClient, carl: TestClient
) -> None:
    for number, brand in ((7, 2), (8, 3), (9, None)):
        pin(connection, number, brand, "a title")
        trend(connection, "pin", str(number))
    for item in ("1", "3"):
        trend(connection, "brand", item)
    trend(connection, "category", "food")
    trend(connection, "country", "NL")
    assert items(ann) == {"pins": ["7", "8", "9"], "brands": ["1", "3"], "categories": ["food"], "countries": ["NL"]}
    assert items(carl) == {"pins": ["7"], "brands": ["1"]}
    assert carl.get("/api/trends").json()["only_brands"]
    assert items(ann, brand=3) == {"pins": ["8"], "brands": ["3"]}
    assert items(carl, brand=2) == {"pins": ["7"]}
    assert carl.get("/api/trends", params={"brand": 3}).status_code == 404


def test_a_pin_of_another_brand_is_looked_for_in_all_that_is_compared() -> None:
    assert COMPARED == WINDOW


def test_nothing_counted_yet_is_no_error(connection: Connection, ann: TestClient) -> None:
    nothing = {"as_of": None, "counted_from": None, "learning_until": None, "only_brands": False}
    assert ann.get("/api/trends").json() == nothing | {n: [] for n in LISTS}


def counted_all(connection: Connection, minutes_ago: int, repins: int) -> None:
    minute = AS_OF.replace(second=0) - timedelta(minutes=minutes_ago)
    run(connection, "INSERT INTO repin_minutes (minute, kind, item, repins) VALUES (%s, 'all', '', %s)", minute, repins)


@pytest.mark.parametrize(
    ("begun", "until"), [(20, "2026-03-14T12:40:00Z"), (59, "2026-03-14T12:01:00Z"), (60, None), (61, None)]
)
def test_what_is_usual_is_learnt_for_an_hour(
    connection: Connection, ann: TestClient, begun: int, until: str | None
) -> None:
    trend(connection, "country", "NL", usual=0)
    for minutes_ago in range(begun + 1):
        counted_all(connection, minutes_ago, 100)
    assert ann.get("/api/trends").json()["learning_until"] == until


def test_late_events_of_before_the_start_are_no_past(connection: Connection, ann: TestClient) -> None:
    trend(connection, "country", "NL", usual=0)
    for minutes_ago in range(30):
        counted_all(connection, minutes_ago, 100)
    for minutes_ago in range(30, 90):
        counted_all(connection, minutes_ago, 2)
    answer = ann.get("/api/trends").json()
    assert (answer["counted_from"], answer["learning_until"]) == ("2026-03-14T10:31:00Z", "2026-03-14T12:31:00Z")


def test_nobody_sees_anything(login: Login) -> None:
    assert login(None).get("/api/trends").status_code == 401


@pytest.mark.parametrize("brand", ["x", "-1"])
def test_a_wrong_brand_is_refused(connection: Connection, ann: TestClient, brand: str) -> None:
    assert ann.get("/api/trends", params={"brand": brand}).status_code == 422


def test_a_database_that_is_away_is_told_and_the_next_question_is_answered(
    app: FastAPI, ann: TestClient, memsql_settings: MemsqlSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PINWHEEL_REPORT_MEMSQL_USER", raising=False)  # set by the tests of the whole stack
    answer = ann.get("/api/trends")
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "memsql_away")
    of_server = memsql_settings.model_dump(include=set(MemsqlSettings.model_fields))
    app.state.pool = Pool(app.state.settings.model_copy(update=of_server))
    assert ann.get("/api/trends").status_code == 200

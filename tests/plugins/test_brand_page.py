"""The page of a brand's running day: every number equals a recount of the rows, and people see their brands alone."""

import random
from collections import Counter
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from pinwheel.clients import memsql
from pinwheel.clients.memsql import Row
from pinwheel.core.settings import MemsqlSettings, MergeSettings
from plugins.web.brand import clock
from plugins.web.brand_day import span_of, usual_days
from tests.support.database import merge_settings
from tests.support.lakes import delete, event, update
from tests.support.pages import Login, app_on
from tests.support.types import MergeEvents

MIDNIGHT = datetime(2026, 3, 14, tzinfo=UTC)
NEWEST = MIDNIGHT + timedelta(hours=14, minutes=37, seconds=20)
TO = NEWEST.replace(second=0)
DAY = timedelta(days=1)


@pytest.fixture
def settings(memsql_settings: MemsqlSettings, place: str) -> MergeSettings:
    """The settings of the merge that fills the tables."""
    return merge_settings(memsql_settings, place)


@pytest.fixture
def app(tokens: dict[str, str], settings: MergeSettings) -> FastAPI:
    """On a clock that stands a little after the newest event."""
    made = app_on(settings)
    made.dependency_overrides[clock] = lambda: NEWEST + timedelta(minutes=3)
    return made


@pytest.fixture
def named(settings: MergeSettings) -> Callable[..., None]:
    """Gives brands names."""

    def name(**names: str) -> None:
        with memsql.connect(settings) as connection, connection.cursor() as cursor:
            cursor.executemany(
                "INSERT INTO brands (brand_id, name) VALUES (%s, %s)", [(n[1:], name) for n, name in names.items()]
            )
            connection.commit()

    return name


def newest(first: int) -> list[Row]:
    """The newest event of each type: how far the tables are."""
    kinds = ("pin", "repin", "comment", "login")
    return [event(kind, f"last{n}", first + n, brand_id=None, occurred_at=NEWEST) for n, kind in enumerate(kinds)]


def made_up(dice: random.Random, n: int, first: int = 0) -> list[Row]:
    """Events of nine days, some in the running minute and right at hours and midnights."""
    return [_event(dice, f"e{first + i}", first + i) for i in range(n)]


def _event(dice: random.Random, event_id: str, offset: int) -> Row:
    at = (
        MIDNIGHT
        - dice.randrange(9) * DAY
        + dice.choice(
            [
                timedelta(seconds=dice.uniform(0, 86399)),
                timedelta(hours=14, minutes=dice.choice([36, 37]), seconds=dice.uniform(0, 20)),
                timedelta(hours=dice.choice([0, 13, 14])),
                timedelta(hours=14, minutes=37),
            ]
        )
    )
    values: dict[str, Any] = {"occurred_at": min(at, NEWEST), "user_id": dice.randint(1, 25)}
    values |= {"country_code": dice.choice(["NL", "US", None]), "category": dice.choice(["food", "travel", None])}
    values |= {"brand_id": dice.choice([1, 1, 3, None]), "pin_id": dice.choice([11, 12, 2**62 + 1, 13])}
    return event(dice.choice(["pin", "repin", "repin", "comment"]), event_id, offset, **values)


def told(client: TestClient, brand: int = 1) -> dict[str, Any]:
    answer = client.get(f"/api/brands/{brand}")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def so_far(rows: Iterable[Row], back: int) -> list[Row]:
    """The rows of a day, to the same minute."""
    shift = back * DAY
    return [row for row in rows if MIDNIGHT - shift <= row["occurred_at"] < TO - shift]


def numbers(rows: list[Row]) -> dict[str, float]:
    count = Counter(row["event_type"] for row in rows)
    return {
        "engagement": count["repin"] + count["comment"],
        "repins": count["repin"],
        "comments": count["comment"],
        "pins": count["pin"],
        "people": len({row["user_id"] for row in rows}),
    }


def engaged(rows: Iterable[Row]) -> list[Row]:
    return [row for row in rows if row["event_type"] != "pin"]


def whole_hour(rows: list[Row], back: int, hour: int) -> int:
    begin = MIDNIGHT - back * DAY + timedelta(hours=hour)
    return len([row for row in engaged(rows) if begin <= row["occurred_at"] < begin + timedelta(hours=1)])


def recount(rows: list[Row]) -> dict[str, Any]:
    """The answer, from the rows of the brand. Its first day, the eighth back, tells nothing about what is usual."""
    today, days = so_far(rows, 0), range(1, 8)
    usual = [numbers(so_far(rows, n)) for n in days]
    pins, countries = Counter[int](), Counter[str]()
    for row in engaged(today):
        pins[row["pin_id"]] += 1
        countries[row["country_code"] or "ZZ"] += 1
    categories = Counter(row["category"] or "(none)" for row in engaged(today))
    people = {c: {r["user_id"] for r in engaged(today) if (r["country_code"] or "ZZ") == c} for c in countries}
    return {
        "today": numbers(today),
        "yesterday": numbers(so_far(rows, 1)),
        "usual": {name: pytest.approx(sum(day[name] for day in usual) / 7) for name in usual[0]},
        "hours": [
            (
                len([r for r in engaged(today) if r["occurred_at"].hour == hour]) if hour <= TO.hour else None,
                whole_hour(rows, 1, hour),
                pytest.approx(sum(whole_hour(rows, n, hour) for n in days) / 7),
            )
            for hour in range(24)
        ],
        "pins": [(str(p), n) for p, n in sorted(pins.items(), key=lambda item: (-item[1], item[0]))],
        "categories": sorted(categories.items(), key=lambda item: (-item[1], item[0])),
        "countries": [(c, n, len(people[c])) for c, n in sorted(countries.items(), key=lambda i: (-i[1], i[0]))],
    }


def shown(found: dict[str, Any]) -> dict[str, Any]:
    """The answer in the same form."""
    return {
        **{name: found[name] for name in ("today", "yesterday", "usual")},
        "hours": [(hour["today"], hour["yesterday"], hour["usual"]) for hour in found["hours"]],
        "pins": [(pin["pin_id"], pin["engagement"]) for pin in found["pins"]],
        "categories": [(c["category"], c["engagement"]) for c in found["categories"]],
        "countries": [(c["country_code"], c["engagement"], c["people"]) for c in found["countries"]],
    }


@pytest.mark.parametrize("seed", [1, 2])
def test_every_number_is_that_of_a_recount(
    merged: MergeEvents, settings: MergeSettings, ann: TestClient, seed: int
) -> None:
    dice = random.Random(seed)
    rows = [event("pin", "first", 0, brand_id=1, occurred_at=MIDNIGHT - 8 * DAY), *made_up(dice, 500, 10)]
    merged([*rows, *newest(600)])
    of_brand = [row for row in rows if row["brand_id"] == 1]
    found = told(ann)
    assert (found["to"], found["complete_through"]) == ("2026-03-14T14:37:00Z", "2026-03-14T14:37:20Z")
    assert (found["day"], found["usual_days"]) == ("2026-03-14", 7)
    assert shown(found) == recount(of_brand)
    late = made_up(dice, 100, 1000)
    gone = {f"e{dice.randrange(10, 510)}" for _ in range(40)}
    delete(settings.lake_uri, f"event_id IN ({', '.join(map(repr, sorted(gone)))})")
    update(settings.lake_uri, "brand_id IS NULL AND pin_id = 13", {"brand_id": "1"})
    merged(late)
    left = [row for row in [*rows, *late] if row["event_id"] not in gone]
    moved = [r for r in left if r["brand_id"] == 1 or (r["brand_id"] is None and r["pin_id"] == 13 and r not in late)]
    assert shown(told(ann)) == recount(moved)


def test_a_day_without_events_is_0_and_a_new_brand_has_no_usual(merged: MergeEvents, ann: TestClient) -> None:
    merged([event("repin", "a", 0, brand_id=1, occurred_at=MIDNIGHT - DAY), *newest(10)])
    found = told(ann)
    assert (found["usual"], found["usual_days"], found["today"]["engagement"]) == (None, 0, 0)
    assert (found["yesterday"]["engagement"], found["pins"], found["name"]) == (1, [], "brand 1")
    assert [hour["usual"] for hour in found["hours"]] == [None] * 24


def test_pins_have_their_titles_and_the_brand_its_name(
    merged: MergeEvents, named: Callable[..., None], ann: TestClient
) -> None:
    named(b1="Copper <b>Kitchen</b>")
    merged(
        [
            event("pin", "p", 0, brand_id=1, pin_id=11, title="<b>Cake</b>", occurred_at=MIDNIGHT),
            event("repin", "a", 1, brand_id=1, pin_id=11, occurred_at=MIDNIGHT),
            *newest(10),
        ]
    )
    found = told(ann)
    assert (found["name"], [pin["title"] for pin in found["pins"]]) == ("Copper <b>Kitchen</b>", ["<b>Cake</b>"])


def test_while_the_tables_are_of_yesterday_nothing_is_said_of_today(
    app: FastAPI, merged: MergeEvents, ann: TestClient
) -> None:
    merged([event("repin", "a", 0, brand_id=1, occurred_at=NEWEST), *newest(10)])
    app.dependency_overrides[clock] = lambda: NEWEST + DAY
    found = told(ann)
    assert (found["to"], found["complete_through"]) == ("2026-03-15T00:00:00Z", "2026-03-14T14:37:20Z")
    assert (found["today"]["engagement"], found["yesterday"]["engagement"]) == (0, 0)
    assert found["hours"][0]["today"] == 0
    assert [hour["yesterday"] for hour in found["hours"]] == [int(n == 14) for n in range(24)]


def test_a_bound_person_gets_their_brands_and_the_same_404_for_others_and_none(
    merged: MergeEvents, ann: TestClient, carl: TestClient, login: Login
) -> None:
    """Carl is bound to 1 and 2; 2 has nothing, 3 is another's, 9 does not exist."""
    merged([event("repin", f"b{n}", n, brand_id=n, occurred_at=MIDNIGHT) for n in (1, 3)] + newest(10))
    assert told(carl)["today"]["repins"] == 1
    assert told(ann, 3)["today"]["repins"] == 1
    for client, brand in ((carl, 2), (carl, 3), (carl, 9), (ann, 9)):
        answer = client.get(f"/api/brands/{brand}")
        assert answer.status_code == 404
        assert answer.json()["error"]["message"] == f"There is no brand {brand} that you may see."
    assert login(None).get("/api/brands/1").status_code == 401


@pytest.mark.parametrize("brand", ["x", "-1", str(2**63)])
def test_what_is_no_brand_is_refused(ann: TestClient, brand: str) -> None:
    assert ann.get(f"/api/brands/{brand}").status_code == 422


def test_days_that_are_not_kept_tell_nothing(merged: MergeEvents, settings: MergeSettings, ann: TestClient) -> None:
    merged([event("repin", f"e{n}", n, brand_id=1, occurred_at=MIDNIGHT - n * DAY) for n in range(9)] + newest(20))
    with memsql.connect(settings) as connection, connection.cursor() as cursor:
        cursor.execute("INSERT INTO retention (store, kept_from) VALUES ('events', '2026-03-12')")
        connection.commit()
    found = told(ann)
    assert (found["usual_days"], found["usual"]["engagement"], found["yesterday"]["engagement"]) == (2, 1, 1)


def test_what_is_usual_are_whole_kept_days() -> None:
    day = [MIDNIGHT.replace(tzinfo=None) - n * DAY for n in range(8)]
    assert usual_days(day, None, None) == []
    assert usual_days(day, date(2026, 3, 11), None) == [1, 2]
    assert usual_days(day, date(2020, 1, 1), None) == [1, 2, 3, 4, 5, 6, 7]
    assert usual_days(day, date(2020, 1, 1), date(2026, 3, 13)) == [1]
    assert usual_days(day, date(2020, 1, 1), date(2026, 3, 14)) == []


@pytest.mark.parametrize(
    ("through", "to"),
    [
        (None, datetime(2026, 3, 14, 10, 5)),
        (datetime(2026, 3, 14, 9, 59, 59, 9), datetime(2026, 3, 14, 9, 59)),
        (datetime(2026, 3, 13, 23), datetime(2026, 3, 14)),
        (datetime(2026, 3, 14, 11), datetime(2026, 3, 14, 10, 5)),  # a producer's wrong clock
    ],
)
def test_the_day_goes_to_the_last_complete_minute(through: datetime | None, to: datetime) -> None:
    assert span_of(1, datetime(2026, 3, 14, 10, 5, 30), through).to == to

"""The page of a brand's running day by the clock of its time zone: equal to a recount, also when clocks change."""

import random
from collections import Counter
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, timedelta
from typing import Any, cast
from zoneinfo import ZoneInfo

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from pinwheel.clients import memsql
from pinwheel.clients.memsql import Connection, Row
from pinwheel.core.settings import MemsqlSettings, MergeSettings
from plugins.web import brand_day, brand_minutes
from plugins.web.brand import clock
from plugins.web.brand_day import Span, span_of
from tests.support.database import merge_settings
from tests.support.lakes import delete, event
from tests.support.pages import app_on
from tests.support.types import MergeEvents

DAY = timedelta(days=1)
BERLIN, KOLKATA, LORD_HOWE = "Europe/Berlin", "Asia/Kolkata", "Australia/Lord_Howe"
NOW = [  # the time by the clock, and the hours that the day has
    (KOLKATA, datetime(2026, 3, 14, 14, 37), 24),
    ("Asia/Kathmandu", datetime(2026, 3, 14, 0, 20), 24),
    (BERLIN, datetime(2026, 3, 29, 14, 37), 23),
    (BERLIN, datetime(2026, 3, 30, 14, 37), 24),
    (BERLIN, datetime(2026, 10, 25, 14, 37), 25),
    (BERLIN, datetime(2026, 10, 26, 14, 37), 24),
    (LORD_HOWE, datetime(2026, 4, 5, 14, 37), 25),
    (LORD_HOWE, datetime(2026, 10, 5, 14, 37), 24),
]


@pytest.fixture
def settings(memsql_settings: MemsqlSettings, place: str) -> MergeSettings:
    """The settings of the merge that fills the tables."""
    return merge_settings(memsql_settings, place)


@pytest.fixture
def app(tokens: dict[str, str], settings: MergeSettings) -> FastAPI:
    return app_on(settings)


def name(settings: MergeSettings, time_zone: str) -> None:
    with memsql.connect(settings) as connection:
        memsql.execute(connection, "generate/upsert_brands", {"brand_id": 1, "name": "Copper Kitchen", "contact": None})
        why = {"reason": "they live there", "set_by": "ann", "now": datetime(2026, 3, 1)}
        memsql.execute(connection, "reports/set_zone", {"brand_id": 1, "time_zone": time_zone} | why)
        connection.commit()


def made_up(newest: datetime, zone: ZoneInfo) -> list[Row]:
    """Events of nine days by the clock, many at midnights, in the running hour and where clocks change."""
    dice = random.Random(3)
    newest_utc = newest.astimezone(UTC)
    rows = [event("pin", "first", 0, brand_id=1, occurred_at=newest_utc - 10 * DAY)]
    for n in range(1, 600):
        day = datetime.combine(newest.date() - dice.randrange(9) * DAY, datetime.min.time(), zone)
        at = day.astimezone(UTC) + dice.choice(
            [
                timedelta(seconds=dice.uniform(0, 86399)),
                timedelta(minutes=dice.choice([0, 30, 60, 90, 120, 150, 180, 210])),
                -timedelta.resolution,
                timedelta(hours=newest.hour, minutes=newest.minute, seconds=dice.uniform(-60, 60)),
            ]
        )
        values: dict[str, Any] = {"occurred_at": min(at, newest_utc), "user_id": dice.randint(1, 25), "brand_id": 1}
        values |= {"country_code": dice.choice(["NL", None]), "pin_id": dice.choice([11, 12])}
        rows.append(event(dice.choice(["pin", "repin", "repin", "comment"]), f"e{n}", n, **values))
    return [*rows, *through(newest, 1000)]


def numbers(rows: list[Row]) -> dict[str, float]:
    count = Counter(row["event_type"] for row in rows)
    engagement = count["repin"] + count["comment"]
    return {"engagement": engagement, "repins": count["repin"], "comments": count["comment"], "pins": count["pin"],
            "people": len({row["user_id"] for row in rows})}  # fmt: skip


class Recount:
    """The answer from the rows, by what the zone's clock showed at each."""

    def __init__(self, rows: Iterable[Row], newest: datetime, zone: ZoneInfo) -> None:
        self.rows = [(row["occurred_at"].astimezone(zone), row) for row in rows if row["brand_id"] == 1]
        self.to, self.zone = newest.replace(second=0), zone

    def so_far(self, back: int) -> list[Row]:
        day, time = self.to.date() - back * DAY, self.to.time()
        return [row for at, row in self.rows if at.date() == day and at.time() < time]

    def hour(self, day: date, hour: int, offset: timedelta | None = None) -> int | None:
        """Of all rows of that hour by the clock; None if the clock left it out."""
        real = datetime.combine(day, datetime.min.time(), self.zone).replace(hour=hour, minute=59)
        if real.astimezone(UTC).astimezone(self.zone).hour != hour:
            return None
        mine = [row for at, row in self.rows if at.date() == day and at.hour == hour and row["event_type"] != "pin"
                and (offset is None or at.utcoffset() == offset)]  # fmt: skip
        return len(mine)


def require_recount(client: TestClient, rows: Iterable[Row], newest: datetime, count: int) -> None:
    """The answer is that of a recount by the clock of the newest event's zone; the day has ``count`` hours."""
    answer = client.get("/api/brands/1")
    assert answer.status_code == 200, answer.text
    zone, today = cast(ZoneInfo, newest.tzinfo), newest.date()
    told, recount = answer.json(), Recount(rows, newest, zone)
    assert (told["time_zone"], told["day"]) == (zone.key, str(today))
    assert told["to"] == recount.to.isoformat()
    assert told["today"] == numbers(recount.so_far(0))
    assert told["yesterday"] == numbers(recount.so_far(1))
    usual = [numbers(recount.so_far(n)) for n in range(1, 8)]
    assert told["usual"] == {key: pytest.approx(sum(day[key] for day in usual) / 7) for key in usual[0]}
    assert len(told["hours"]) == count
    for hour in told["hours"]:
        begin = datetime.fromisoformat(hour["begin"])
        past = [recount.hour(today - n * DAY, begin.hour) for n in range(8)]
        now = recount.hour(today, begin.hour, begin.utcoffset())
        assert hour["yesterday"] == past[1], begin
        assert hour["usual"] == pytest.approx(sum(filter(None, past[1:])) / len([p for p in past[1:] if p is not None]))
        if begin.hour < newest.hour:
            assert hour["today"] == now, begin
        elif begin.hour > newest.hour:
            assert hour["today"] is None
    assert sum(hour["today"] or 0 for hour in told["hours"]) == told["today"]["engagement"]
    assert sum(pin["engagement"] for pin in told["pins"]) == told["today"]["engagement"]
    assert sum(country["engagement"] for country in told["countries"]) == told["today"]["engagement"]


@pytest.mark.parametrize(("time_zone", "wall", "count"), NOW, ids=str)
def test_every_number_is_that_of_a_recount_by_the_clock(
    app: FastAPI,
    merged: MergeEvents,
    settings: MergeSettings,
    ann: TestClient,
    time_zone: str,
    wall: datetime,
    count: int,
) -> None:
    zone = ZoneInfo(time_zone)
    newest = wall.replace(second=20, tzinfo=zone)
    app.dependency_overrides[clock] = lambda: newest.astimezone(UTC) + timedelta(minutes=1)
    name(settings, time_zone)
    rows = made_up(newest, zone)
    merged(rows)
    require_recount(ann, rows, newest, count)


def test_before_the_clocks_go_back_and_after_are_two_hours(
    app: FastAPI, merged: MergeEvents, settings: MergeSettings, ann: TestClient
) -> None:
    """In the second 02:xx: yesterday is as far as its own 02:xx."""
    zone, midnight = ZoneInfo(BERLIN), datetime(2026, 10, 24, 22, tzinfo=UTC)
    newest = midnight + timedelta(hours=3, minutes=30)
    app.dependency_overrides[clock] = lambda: newest
    name(settings, BERLIN)
    at = [midnight + timedelta(hours=n, minutes=10) for n in range(4)] + [midnight - DAY + timedelta(hours=2, minutes=n)
                                                                         for n in (10, 40)]  # fmt: skip
    rows = [event("repin", f"e{n}", n, brand_id=1, occurred_at=when) for n, when in enumerate(at)]
    merged([*rows, *through(newest, 50)])
    told = ann.get("/api/brands/1").json()
    assert datetime.fromisoformat(told["to"]).astimezone(zone).fold == 1
    assert [h["begin"][11:] for h in told["hours"][1:4]] == ["01:00:00+02:00", "02:00:00+02:00", "02:00:00+01:00"]
    assert [h["today"] for h in told["hours"]][:5] == [1, 1, 1, 1, None]
    assert (told["today"]["repins"], told["yesterday"]["repins"]) == (4, 1)


def test_utc_asks_the_same_hours_as_before() -> None:
    """Whole hours from the rollup and the index, and rows of the running hour alone."""
    asked = Span(1, date(2026, 3, 14), datetime(2026, 3, 14, 14, 37)).sql()
    assert asked["hours"] == [datetime(2026, 3, 14, 14)]
    assert asked["first_hour"] == asked["from_time"] == datetime(2026, 3, 14)


def test_the_running_day_is_that_of_the_clock() -> None:
    span = span_of(1, datetime(2026, 3, 14, 18, 45), None, KOLKATA)
    assert (span.day, span.midnight, span.to) == (
        date(2026, 3, 15), datetime(2026, 3, 14, 18, 30), datetime(2026, 3, 14, 18, 45),
    )  # fmt: skip


@pytest.mark.parametrize(
    "time_zone", [KOLKATA, "Asia/Kathmandu", "Pacific/Chatham", "America/St_Johns", "Pacific/Marquesas"]
)
def test_days_that_are_over_are_looked_up_once_and_again_when_they_change(
    app: FastAPI,
    merged: MergeEvents,
    settings: MergeSettings,
    ann: TestClient,
    asked: list[list[datetime]],
    time_zone: str,
) -> None:
    """Through late events, erased ones and midnight."""
    dice, zone = random.Random(5), ZoneInfo(time_zone)
    newest = datetime(2026, 3, 14, 23, 38, 20, tzinfo=zone)
    name(settings, time_zone)
    rows = made_up(newest, zone)
    merged(rows)
    for step, late in enumerate((0, 3, 5, 0)):
        newest += timedelta(minutes=17)
        app.dependency_overrides[clock] = standing(newest)
        gone = [row["event_id"] for row in dice.sample(rows, late)]
        if gone:
            delete(settings.lake_uri, f"event_id IN ({', '.join(map(repr, gone))})")
        more = [late_comment(dice, 1000 * (step + 2) + n, newest) for n in range(late)]
        merged([*more, *through(newest, 1000 * (step + 2) + 10)])
        rows = [*(row for row in rows if row["event_id"] not in gone), *more]
        asked.clear()
        require_recount(ann, rows, newest, 24)
        hours = {hour for each in asked for hour in each}
        assert len(hours) > 100 if step == 0 else len(hours) <= 2 * late, "only what has changed"
        asked.clear()
        require_recount(ann, rows, newest, 24)
        assert not asked, "nothing has changed"


def standing(at: datetime) -> Callable[[], datetime]:
    """A clock that stands."""
    return lambda: at.astimezone(UTC)


def late_comment(dice: random.Random, offset: int, newest: datetime) -> Row:
    """Of any time in eight days."""
    at = newest - timedelta(days=dice.uniform(0, 7.9))
    return event("comment", f"late{offset}", offset, brand_id=1, user_id=offset, occurred_at=at)


def through(newest: datetime, offset: int) -> list[Row]:
    """How far the tables are."""
    kinds = ("pin", "repin", "comment", "login")
    at = newest.astimezone(UTC)
    return [event(k, f"through{offset + n}", offset + n, brand_id=None, occurred_at=at) for n, k in enumerate(kinds)]


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[list[datetime]]:
    """The hours of each time that rows are looked up by minute; nothing is known at first."""
    found: list[list[datetime]] = []
    fetch = memsql.fetch

    def noted(connection: Connection, name: str, params: dict[str, Any]) -> list[Row]:
        found.append(params["hours"])
        return fetch(connection, name, params)

    monkeypatch.setattr(brand_minutes, "fetch", noted)
    monkeypatch.setattr(brand_day, "minutes", brand_minutes.Minutes())
    return found


@pytest.mark.parametrize("name_of_none", ["Mars/Base", "", "europe/berlin", "../etc/passwd"])
def test_a_zone_that_is_not_known_here_is_told_and_days_are_utc(
    app: FastAPI, merged: MergeEvents, settings: MergeSettings, ann: TestClient, name_of_none: str
) -> None:
    newest = datetime(2026, 3, 14, 14, 37, tzinfo=UTC)
    app.dependency_overrides[clock] = lambda: newest
    name(settings, name_of_none)
    merged([*through(newest, 20), event("repin", "e", 9, brand_id=1, occurred_at=newest.replace(hour=9))])
    answer = ann.get("/api/brands/1")
    assert answer.status_code == 200, answer.text
    told = answer.json()
    assert (told["unknown_zone"], told["time_zone"], told["day"]) == (name_of_none, "UTC", "2026-03-14")
    assert [hour["today"] for hour in told["hours"][8:11]] == [0, 1, 0]
    name(settings, BERLIN)
    assert ann.get("/api/brands/1").json()["unknown_zone"] is None

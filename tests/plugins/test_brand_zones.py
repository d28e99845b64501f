"""The page of a brand's running day by the clock of its time zone: equal to a recount, also when clocks change."""

import random
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from pinwheel.clients import memsql
from pinwheel.clients.memsql import Row
from pinwheel.core.settings import MemsqlSettings, MergeSettings
from plugins.web.brand import clock
from plugins.web.brand_day import Span, span_of
from tests.support.database import merge_settings
from tests.support.lakes import event
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
        memsql.execute(connection, "reports/set_zone", {"brand_id": 1, "time_zone": time_zone})
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
    kinds = ("pin", "repin", "comment", "login")
    last = [event(k, f"last{n}", 1000 + n, brand_id=None, occurred_at=newest_utc) for n, k in enumerate(kinds)]
    return [*rows, *last]


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
    answer = ann.get("/api/brands/1")
    assert answer.status_code == 200, answer.text
    told, recount = answer.json(), Recount(rows, newest, zone)
    assert (told["time_zone"], told["day"]) == (time_zone, str(wall.date()))
    assert told["to"] == recount.to.isoformat()
    assert told["today"] == numbers(recount.so_far(0))
    assert told["yesterday"] == numbers(recount.so_far(1))
    usual = [numbers(recount.so_far(n)) for n in range(1, 8)]
    assert told["usual"] == {key: pytest.approx(sum(day[key] for day in usual) / 7) for key in usual[0]}
    assert len(told["hours"]) == count
    for hour in told["hours"]:
        begin = datetime.fromisoformat(hour["begin"])
        past = [recount.hour(wall.date() - n * DAY, begin.hour) for n in range(8)]
        now = recount.hour(wall.date(), begin.hour, begin.utcoffset())
        assert hour["yesterday"] == past[1], begin
        assert hour["usual"] == pytest.approx(sum(filter(None, past[1:])) / len([p for p in past[1:] if p is not None]))
        if begin.hour < wall.hour:
            assert hour["today"] == now, begin
        elif begin.hour > wall.hour:
            assert hour["today"] is None
    assert sum(hour["today"] or 0 for hour in told["hours"]) == told["today"]["engagement"]
    assert sum(pin["engagement"] for pin in told["pins"]) == told["today"]["engagement"]
    assert sum(country["engagement"] for country in told["countries"]) == told["today"]["engagement"]


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
    kinds = ("pin", "repin", "comment", "login")
    merged([*rows, *(event(k, f"l{k}", 50 + n, brand_id=None, occurred_at=newest) for n, k in enumerate(kinds))])
    told = ann.get("/api/brands/1").json()
    assert datetime.fromisoformat(told["to"]).astimezone(zone).fold == 1
    assert [h["begin"][11:] for h in told["hours"][1:4]] == ["01:00:00+02:00", "02:00:00+02:00", "02:00:00+01:00"]
    assert [h["today"] for h in told["hours"]][:5] == [1, 1, 1, 1, None]
    assert (told["today"]["repins"], told["yesterday"]["repins"]) == (4, 1)


def test_utc_asks_the_same_hours_as_before() -> None:
    """Whole hours from the rollup and the index, and rows of the running hour alone."""
    asked = Span(1, date(2026, 3, 14), datetime(2026, 3, 14, 14, 37)).sql()
    assert asked["hours"] == [datetime(2026, 3, 14, 14)]
    assert asked["first_hour"] == asked["from_hour"] == asked["from_time"] == datetime(2026, 3, 14)


def test_the_running_day_is_that_of_the_clock() -> None:
    span = span_of(1, datetime(2026, 3, 14, 18, 45), None, KOLKATA)
    assert (span.day, span.midnight, span.to) == (
        date(2026, 3, 15), datetime(2026, 3, 14, 18, 30), datetime(2026, 3, 14, 18, 45),
    )  # fmt: skip


@pytest.mark.parametrize("name_of_none", ["Mars/Base", "", "europe/berlin", "../etc/passwd"])
def test_a_zone_that_is_not_known_here_is_told_and_days_are_utc(
    app: FastAPI, merged: MergeEvents, settings: MergeSettings, ann: TestClient, name_of_none: str
) -> None:
    newest = datetime(2026, 3, 14, 14, 37, tzinfo=UTC)
    app.dependency_overrides[clock] = lambda: newest
    name(settings, name_of_none)
    kinds = ("pin", "repin", "comment", "login")
    rows = [event(kind, f"l{kind}", n, brand_id=None, occurred_at=newest) for n, kind in enumerate(kinds)]
    merged([*rows, event("repin", "e", 9, brand_id=1, occurred_at=newest.replace(hour=9))])
    answer = ann.get("/api/brands/1")
    assert answer.status_code == 200, answer.text
    told = answer.json()
    assert (told["unknown_zone"], told["time_zone"], told["day"]) == (name_of_none, "UTC", "2026-03-14")
    assert [hour["today"] for hour in told["hours"][8:11]] == [0, 1, 0]
    name(settings, BERLIN)
    assert ann.get("/api/brands/1").json()["unknown_zone"] is None

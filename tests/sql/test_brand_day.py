"""A brand's day has the same numbers in sql/questions, from the rollups, and in the reports, from the events."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any

import pytest

from pinwheel.clients.memsql import Connection
from pinwheel.core.settings import MergeSettings
from pinwheel.reports import read
from pinwheel.reports.numbers import Numbers
from pinwheel.reports.period import Period
from tests.support.lakes import delete, event, update

Rows = list[dict[str, Any]]
Report = Callable[..., Rows]

DAY = date(2026, 3, 14)
MIDNIGHT = datetime(2026, 3, 14, tzinfo=UTC)
BRANDS = (70, 71, 72)  # the last has no events
EVENTS = 150


def made_up(dice: Random, first: int) -> Rows:
    """Events around the day, of returning people, some without a brand, a category, a pin or a place."""
    kinds = ["pin", "repin", "repin", "comment", "login"]
    return [_event(dice, dice.choice(kinds), first + n) for n in range(EVENTS)]


def _event(dice: Random, kind: str, number: int) -> dict[str, Any]:
    at = MIDNIGHT + dice.choice(
        [timedelta(hours=dice.uniform(-36, 36)), timedelta(hours=dice.choice([-24, 0, 24])), -timedelta.resolution]
    )
    values: dict[str, Any] = {"occurred_at": at, "user_id": dice.randint(1, 30)}
    values["country_code"] = dice.choice(["NL", "US", "ZA", None])
    if kind != "login":
        values["pin_id"] = dice.choice([1, 2, 3, 10, 11, 200])
        values["brand_id"] = dice.choice([70, 70, 71, None])
        values["category"] = dice.choice(["travel", "food", None])
        values["title"] = dice.choice(["A garden", None])
    return event(kind, f"e{number}", number, **values)


def by_questions(report: Report, brand: int) -> dict[str, object]:
    (total,) = report("brand_day", brand_id=brand, day=DAY)
    hours = report("brand_day_hours", brand_id=brand, day=DAY)
    countries = report("brand_day_countries", brand_id=brand, day=DAY, top=1000)
    pins = report("brand_day_pins", brand_id=brand, day=DAY, top=1000)
    names = ("repins", "comments", "pins", "engaged_people", "pinning_people")
    return {
        "total": tuple(total[n] for n in (*names, "engagement_day_before", "engaged_people_day_before")),
        "hours": [(r["repins"], r["comments"]) for r in hours],
        "countries": [
            (r["country_code"], r["repins"], r["comments"], r["engaged_people"]) for r in countries if r["engagement"]
        ],
        "pins": [(r["pin_id"], r["repins"], r["comments"], r["title"], r["category"]) for r in pins],
    }


def by_report(numbers: Numbers) -> dict[str, object]:
    now, before = numbers.now, numbers.before
    return {
        "total": (now.repins, now.comments, now.pins, now.people, now.pinners, before.engagement, before.people),
        "hours": list(numbers.hours),
        "countries": [(g.key, g.repins, g.comments, g.people) for g in numbers.countries],
        "pins": [(int(g.key), g.repins, g.comments, g.title, g.category) for g in numbers.pins],
    }


@pytest.mark.parametrize("seed", range(6))
def test_questions_and_reports_agree(
    merged: Callable[..., None], report: Report, connection: Connection, settings: MergeSettings, seed: int
) -> None:
    dice = Random(seed)
    merged(made_up(dice, 0))
    _agree(report, connection)
    delete(settings.lake_uri, f"event_id IN ({', '.join(repr(f'e{dice.randrange(EVENTS)}') for _ in range(20))})")
    update(settings.lake_uri, "brand_id IS NULL AND pin_id = 3", {"brand_id": "71", "category": "'garden'"})
    merged(made_up(dice, EVENTS))  # late: the day was merged before
    found = _agree(report, connection)
    assert found[70]["total"] != found[71]["total"] != found[72]["total"]


def _agree(report: Report, connection: Connection) -> dict[int, dict[str, object]]:
    told = read.read(connection, Period(DAY, 1), BRANDS)
    found = {brand: by_questions(report, brand) for brand in BRANDS}
    assert found == {brand: by_report(numbers) for brand, numbers in told.items()}
    assert found[72]["total"] == (0,) * 7
    return found

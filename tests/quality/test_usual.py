"""Usual values: none from too few hours, mostly from the same hour of earlier days, and no alarm by chance."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from expectations.measures import measures
from pinwheel.core.contract import TABLES
from pinwheel.quality.profile import Profile
from pinwheel.quality.usual import basis, expected

NOON = datetime(2026, 3, 20, 12, tzinfo=UTC)  # a Friday
DAY = timedelta(days=1)
HOUR = timedelta(hours=1)


def profile(hour: datetime, rows: float = 1000, shares: dict[str, float] | None = None, **values: float) -> Profile:
    found = Profile("repins", hour, {"row_count": rows, **values})
    found.shares = {"category": shares or {"travel": 0.6, "food": 0.4}}
    return found


def allowed(now: Profile, past: list[Profile]) -> dict[str, Any]:
    return expected(now, past, measures(TABLES["repins"]))


def number(of: Profile, name: str) -> float:
    found = of.values[name]
    assert found is not None
    return found


def test_with_less_than_three_hours_nothing_is_expected() -> None:
    assert allowed(profile(NOON), [profile(NOON - n * DAY) for n in (1, 2)]) == {}


def test_the_same_hour_of_earlier_days_of_the_same_kind_is_compared_with() -> None:
    past = [profile(NOON - n * HOUR) for n in range(1, 14 * 24)]
    before, daily = basis(profile(NOON), past)
    assert daily
    assert {p.hour.hour for p in before} == {12}
    assert {p.hour.weekday() for p in before} == {0, 1, 2, 3, 4}
    saturday, _ = basis(profile(NOON + DAY), [*past, profile(NOON)])
    assert {p.hour.weekday() for p in saturday} == {5, 6}


def test_without_earlier_days_the_hours_before_say_what_does_not_follow_the_clock() -> None:
    past = [profile(NOON - n * HOUR, null_share_category=0.01) for n in range(1, 6)]
    found = allowed(profile(NOON, null_share_category=0.01), past)
    assert "row_count" not in found
    assert found["null_share_category"].high == pytest.approx(0.04, abs=0.01)
    assert "the 5 hours before" in found["null_share_category"].why


@pytest.mark.parametrize(("rows", "met"), [(500, False), (2000, False), (800, True), (1250, True)])
def test_half_and_double_are_not_usual_and_a_quiet_day_is(rows: int, met: bool) -> None:
    bounds = allowed(profile(NOON, rows), [profile(NOON - n * DAY, 1000 + n) for n in range(1, 6)])["row_count"]
    assert (bounds.low <= rows <= bounds.high) == met


def test_one_bad_hour_in_the_past_does_not_become_the_standard() -> None:
    past = [profile(NOON - n * DAY, 1000 if n != 3 else 90_000) for n in range(1, 8)]
    assert allowed(profile(NOON), past)["row_count"].high < 2000


def test_of_few_rows_chance_is_allowed_for() -> None:
    past = [profile(NOON - n * DAY, 30, null_share_category=0.1) for n in range(1, 8)]
    few = allowed(profile(NOON, 30, null_share_category=0.3), past)["null_share_category"].high
    assert few > 0.3
    assert allowed(profile(NOON, 30_000), past)["null_share_category"].high < 0.2


@pytest.mark.parametrize(
    ("shares", "name"),
    [
        ({"travel": 0.6, "food": 0.3, "trips": 0.1}, "new_values_share_category"),
        ({"food": 1.0}, "gone_values_share_category"),
        ({"travel": 0.3, "food": 0.7}, "drift_category"),
    ],
)
def test_values_that_are_new_gone_or_moved_show(shares: dict[str, float], name: str) -> None:
    now = profile(NOON, shares=shares)
    bounds = allowed(now, [profile(NOON - n * DAY) for n in range(1, 6)])
    assert number(now, name) > bounds[name].high
    same = profile(NOON)
    bounds = allowed(same, [profile(NOON - n * DAY) for n in range(1, 6)])
    assert number(same, name) <= bounds[name].high


def test_what_is_right_or_wrong_by_itself_is_not_compared() -> None:
    past = [profile(NOON - n * DAY, same_record_rows=5.0) for n in range(1, 6)]
    assert "same_record_rows" not in allowed(profile(NOON), past)

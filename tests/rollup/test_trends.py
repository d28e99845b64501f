"""Trends on streams small enough to count by hand, through the merge itself."""

import math
import random
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from pinwheel.clients import memsql
from pinwheel.clients.memsql import Connection, Row
from pinwheel.core.settings import MergeSettings
from pinwheel.rollup import trends
from pinwheel.rollup.trends import refresh
from tests.support.lakes import NOON, delete, event, hours, update
from tests.support.types import AskReport, MergeEvents, Query

ListTrends = Callable[..., list[tuple[Any, ...]]]  # kind and item of each
MINUTE = timedelta(minutes=1)
ALL = {"top": 10, "all_brands": 1, "brands": [0]}
LULL = 40  # events of other pins in each minute: the "everything else"


def stream(counts: list[int], first: int = 0, other: int = LULL, **values: Any) -> list[Row]:
    """These numbers of repins of pin 7 in the minutes up to noon, over a steady stream of other pins."""
    start, made = NOON - len(counts) * MINUTE, []
    for nth, count in enumerate(counts):
        at = start + nth * MINUTE
        made += [(at + MINUTE * k / count, values) for k in range(count)]
        made += [
            (at + MINUTE * k / other, {"pin_id": 100 + k, "brand_id": 71, "category": "food"}) for k in range(other)
        ]
    return [event("repin", f"e{first + n}", first + n, occurred_at=t, **v) for n, (t, v) in enumerate(made)]


def chance(before: list[float], since: list[float], w: float) -> float:
    """The statistic as the score statement defines it, summed up one minute after the other, over w minutes; log10."""
    weights = [math.exp(-(len(before) - i) / 30) for i in range(len(before))]
    b = sum(weights) ** 2 / sum(w * w for w in weights)
    m = sum(w * x for w, x in zip(weights, before, strict=True)) / sum(weights) * b
    n, g = sum(since), max(1, (LULL * len(since) + 10) / (LULL * w + 10))
    q = 1.25 * g * w / (1.25 * g * w + b)
    return -(n * math.log(n / (q * (n + m))) + (m * math.log(m / ((1 - q) * (n + m))) if m else 0)) / math.log(10)


@pytest.fixture
def told(report: AskReport) -> ListTrends:
    """Kind and item of each trend."""
    return lambda **who: [(r["kind"], r["item"]) for r in report("trends", **ALL | who)]


def test_a_burst_is_told_with_its_size_its_start_and_how_sure_it_is(
    merged: MergeEvents, connection: Connection, report: AskReport
) -> None:
    merged(stream([4] * 60 + [24] * 3))
    assert refresh(connection, NOON)
    (pin,) = [r for r in report("trends", **ALL) if r["kind"] == "pin"]
    exposed = (pin["as_of_utc"] - datetime(2026, 3, 14, 11, 57)) / MINUTE
    assert pin["since_utc"] == datetime(2026, 3, 14, 11, 57)
    assert (pin["item"], pin["repins"]) == ("7", 72)
    rates = [pin[name] for name in ("usual_per_minute", "per_minute", "times_usual")]
    assert rates == pytest.approx([4, 72 / exposed, 72 / exposed / 4], abs=0.005)
    assert rates == [round(rate, 2) for rate in rates], "as a person reads them"
    assert pin["chance_log10"] == pytest.approx(chance([4] * 60, [24] * 3, exposed), rel=1e-6)


def test_the_baseline_forgets_by_the_exponential(
    merged: MergeEvents, connection: Connection, report: AskReport
) -> None:
    merged(stream([10] * 30 + [2] * 30 + [30] * 4))
    refresh(connection, NOON)
    (pin,) = [r for r in report("trends", **ALL) if r["kind"] == "pin"]
    weights = [math.exp(-(60 - i) / 30) for i in range(60)]
    usual = sum(w * x for w, x in zip(weights, [10] * 30 + [2] * 30, strict=True)) / sum(weights)
    assert pin["usual_per_minute"] == pytest.approx(usual, abs=0.005)


def test_all_four_kinds_are_told_and_what_everything_does_is_no_trend(
    merged: MergeEvents, connection: Connection, told: ListTrends
) -> None:
    merged(stream([4] * 60 + [24] * 3, brand_id=70, category="art", country_code="SE"))
    refresh(connection, NOON)
    assert told() == [("brand", "70"), ("category", "art"), ("country", "SE"), ("pin", "7")]


@pytest.mark.parametrize("seed", range(3))
def test_a_daily_rhythm_is_no_trend(seed: int, merged: MergeEvents, connection: Connection, told: ListTrends) -> None:
    dice = random.Random(seed)
    rise = [20 * (1 + 0.6 * math.sin(2 * math.pi * (m - 60) / 1440)) for m in range(120)]
    counts = [sum(dice.random() < r / 60 for _ in range(60)) for r in rise]
    merged(stream(counts))
    refresh(connection, NOON)
    assert told() == []


@pytest.mark.parametrize("counts", [[4] * 60, [0] * 60 + [9], [4] * 15 + [40] * 3, [24] * 40 + [4] * 20], ids=str)
def test_steady_rare_without_a_past_or_falling_is_no_trend(
    counts: list[int], merged: MergeEvents, connection: Connection, told: ListTrends
) -> None:
    merged(stream(counts))
    refresh(connection, NOON)
    assert told() == []


def test_a_rise_that_is_over_is_no_trend(merged: MergeEvents, connection: Connection, told: ListTrends) -> None:
    merged(stream([4] * 60 + [24] * 5 + [4] * 4))
    refresh(connection, NOON)
    assert told() == []


def test_when_everything_comes_back_after_a_silence_nothing_is_trending(
    merged: MergeEvents, connection: Connection, told: ListTrends
) -> None:
    events = [e for e in stream([10] * 90) if not NOON - 40 * MINUTE < e["occurred_at"] < NOON - 5 * MINUTE]
    merged(events)
    refresh(connection, NOON)
    assert told() == []


@pytest.mark.parametrize("seconds", [1, 10, 31])
def test_a_minute_that_is_not_over_is_no_fall(
    seconds: int, merged: MergeEvents, connection: Connection, told: ListTrends
) -> None:
    until = NOON - MINUTE + timedelta(seconds=seconds)
    merged([e for e in stream([4] * 60 + [24] * 4) if e["occurred_at"] < until])
    refresh(connection, until)
    assert ("pin", "7") in told()


def test_a_burst_is_found_within_its_first_minute(
    merged: MergeEvents, connection: Connection, told: ListTrends
) -> None:
    until = NOON - timedelta(seconds=20)
    merged([e for e in stream([4] * 60 + [60]) if e["occurred_at"] < until])
    refresh(connection, until)
    assert ("pin", "7") in told()


def test_an_event_of_a_wrong_clock_does_not_count_before_its_time(
    merged: MergeEvents, connection: Connection, told: ListTrends, report: AskReport
) -> None:
    merged([*stream([4] * 60 + [24] * 3), event("repin", "x", 9999, occurred_at=NOON + 5 * MINUTE)])
    refresh(connection, NOON)
    assert {r["as_of_utc"] < datetime(2026, 3, 14, 12) for r in report("trends", **ALL)} == {True}
    refresh(connection, NOON + 6 * MINUTE)
    assert told() == []


def test_the_same_refresh_again_changes_nothing(merged: MergeEvents, connection: Connection, query: Query) -> None:
    merged(stream([4] * 60 + [24] * 3))
    refresh(connection, NOON)
    before = query("SELECT * FROM trends"), query("SELECT * FROM repin_minutes")
    assert before[0]
    assert refresh(connection, NOON)
    assert (query("SELECT * FROM trends"), query("SELECT * FROM repin_minutes")) == before


def test_late_rows_are_counted_and_so_are_changed_ones(
    settings: MergeSettings, merged: MergeEvents, connection: Connection, query: Query
) -> None:
    merged(stream([4] * 90))
    refresh(connection, NOON)
    early = NOON - 60 * MINUTE
    merged([event("repin", "late", 9000, occurred_at=early), event("repin", "late", 9001, occurred_at=early)])
    update(settings.lake_uri, "event_id = 'e0'", {"pin_id": "5"})
    merged()
    counted = "SELECT repins FROM repin_minutes WHERE kind = 'pin' AND item = '7' AND minute = '2026-03-14 11:00:00'"
    assert query(counted) == [{"repins": 5}]
    assert query("SELECT repins FROM repin_minutes WHERE item = '5'") == [{"repins": 1}]


def test_erased_rows_leave(
    settings: MergeSettings,
    merged: MergeEvents,
    connection: Connection,
    query: Query,
    told: ListTrends,
) -> None:
    merged(stream([4] * 60 + [24] * 3))
    refresh(connection, NOON)
    delete(settings.lake_uri, "pin_id = 7")
    merged()
    refresh(connection, NOON)
    assert told() == []
    assert query("SELECT * FROM repin_minutes WHERE item = '7'") == []
    delete(settings.lake_uri, "event_type = 'repin'")
    merged()
    assert not refresh(connection, NOON)
    assert query("SELECT * FROM repin_minutes") == query("SELECT * FROM trends") == []


def test_minutes_are_what_a_full_count_says_whatever_came_in_whichever_order(
    settings: MergeSettings, merged: MergeEvents, connection: Connection, query: Query
) -> None:
    dice = random.Random(4)
    events = [
        event("repin", f"e{n % 450}", n, pin_id=dice.randint(1, 9), occurred_at=NOON - MINUTE * dice.uniform(0, 85))
        for n in range(500)
    ]
    for start in range(0, 500, 100):
        merged(events[start : start + 100])
        refresh(connection, NOON)
    delete(settings.lake_uri, "pin_id = 3")
    merged()
    refresh(connection, NOON)
    full = (
        "SELECT occurred_hour + INTERVAL MINUTE(occurred_at) MINUTE AS minute, CAST(pin_id AS CHAR) AS item, "
        "COUNT(*) AS repins FROM repins GROUP BY minute, item ORDER BY minute, item"
    )
    assert query("SELECT minute, item, repins FROM repin_minutes WHERE kind = 'pin' ORDER BY minute, item") == query(
        full
    )


def test_an_old_backlog_is_not_counted(merged: MergeEvents, connection: Connection, query: Query) -> None:
    old = NOON - hours(30)
    merged([event("repin", f"e{n}", n, occurred_at=old + MINUTE * n / 10) for n in range(100)])
    merged(stream([4] * 60 + [24] * 3, first=1000))
    refresh(connection, NOON)
    assert query("SELECT MIN(minute) AS m FROM repin_minutes") == [{"m": datetime(2026, 3, 14, 10, 57)}]


def test_what_is_too_old_leaves(merged: MergeEvents, connection: Connection, query: Query) -> None:
    merged(stream([4] * 60))
    refresh(connection, NOON)
    merged([event("repin", "later", 9000, occurred_at=NOON + hours(1))])
    refresh(connection, NOON + hours(2))
    assert query("SELECT MIN(minute) AS m FROM repin_minutes") == [{"m": datetime(2026, 3, 14, 11, 30)}]


def test_a_refresh_that_dies_leaves_what_was_there(
    merged: MergeEvents, connection: Connection, query: Query, monkeypatch: pytest.MonkeyPatch
) -> None:
    merged(stream([4] * 60 + [24] * 3))
    refresh(connection, NOON)
    before = query("SELECT * FROM trends")
    merged([event("repin", "more", 9000, occurred_at=NOON - MINUTE)])
    execute = memsql.execute

    def dying(asked: Connection, name: str, *given: Any) -> int:
        return 1 // 0 if name == "rollup/trends/score" else execute(asked, name, *given)

    monkeypatch.setattr(memsql, "execute", dying)
    with pytest.raises(ZeroDivisionError):
        refresh(connection, NOON)
    assert query("SELECT * FROM trends") == before
    monkeypatch.undo()
    assert refresh(connection, NOON)


def test_two_at_once_take_turns(
    settings: MergeSettings, merged: MergeEvents, connection: Connection, query: Query
) -> None:
    merged(stream([4] * 60 + [24] * 3))
    with memsql.connect(settings) as other:
        memsql.fetch(other, "rollup/trends/lock")
        with connection.cursor() as cursor:
            cursor.execute("SET innodb_lock_wait_timeout = 1")
        with pytest.raises(Exception, match="Lock wait timeout"):
            trends._refresh_once(connection, NOON.replace(tzinfo=None))
        other.rollback()
    assert refresh(connection, NOON)


def test_who_is_bound_to_brands_sees_these_alone(merged: MergeEvents, connection: Connection, told: ListTrends) -> None:
    merged([event("pin", "p", 9999, occurred_at=NOON - hours(2)), *stream([4] * 60 + [24] * 3, category="art")])
    refresh(connection, NOON)
    assert told() == [("brand", "70"), ("category", "art"), ("pin", "7")]
    assert told(all_brands=0, brands=[70, 5]) == [("brand", "70"), ("pin", "7")]
    assert told(all_brands=0, brands=[71]) == []


def test_a_sparkline_has_the_whole_minutes_of_the_hour_before(
    merged: MergeEvents, connection: Connection, report: AskReport
) -> None:
    merged(stream([4] * 80 + [24] * 3))
    refresh(connection, NOON)
    asked = {"kind": "pin", "items": ["7"], "as_of": datetime(2026, 3, 14, 11, 59, 50)}
    rows = report("trend_minutes", **asked)
    assert [r["repins"] for r in rows] == [4] * 58 + [24] * 2
    assert rows[-1]["minute"] == datetime(2026, 3, 14, 11, 58)

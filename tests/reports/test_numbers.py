"""Periods, trends, words, charts, and when two reports count as equal, without a database."""

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from random import Random

import pytest

from pinwheel.clients.kafka import Held
from pinwheel.core.errors import AskedError
from pinwheel.reports import charts, complete, trends, words
from pinwheel.reports.numbers import (
    Change,
    Earlier,
    Group,
    Numbers,
    Quality,
    ReportStatus,
    Totals,
    Trend,
    changes,
    digest,
    digest_without_people,
    flat_of,
    is_unchanged,
    numbers_of,
)
from pinwheel.reports.numbers import settled as settle
from pinwheel.reports.period import Period, asked, recent, require_over

NOW = datetime(2026, 3, 16, 4, 30, tzinfo=UTC)  # a Monday
DAY = Period(date(2026, 3, 14), 1)
WEEK = Period(date(2026, 3, 9), 7)
PASSED = Quality("passed", 24, 24)
PIN = Group("7", 5, 1, 2, None, "A garden", "travel")
NUMBERS = Numbers(
    Totals(5, 1, 2, 4, 2), Totals(1, 1, 0, 1, 0), ((5, 1),) * 24, (2,) * 24, (PIN,), (Group("travel", 5, 1, 2),)
)


def test_a_week_is_compared_with_the_week_before() -> None:
    assert WEEK.before == Period(date(2026, 3, 2), 7)
    assert WEEK.before.end == WEEK.start
    assert (WEEK.kind, DAY.kind, Period(date(2026, 3, 10), 7).kind) == ("week", "day", "7 days")


def test_on_a_monday_the_day_and_the_week_are_due_newest_first() -> None:
    found = recent("both", 3, NOW)
    assert found == [Period(date(2026, 3, 15), 1), WEEK, Period(date(2026, 3, 14), 1), Period(date(2026, 3, 13), 1)]
    assert recent("week", 1, NOW) == [WEEK]
    assert {p.days for p in recent("day", 31, NOW)} == {1}
    assert all(p.is_over(NOW) for p in recent("both", 31, NOW))


def test_the_newest_week_is_due_all_week() -> None:
    assert WEEK in recent("both", 1, NOW + timedelta(days=6))


@pytest.mark.parametrize(
    ("first_day", "days", "says"),
    [
        ("14 March", 1, "must be a date like 2026-03-14"),
        ("2026-02-30", 1, "must be a date"),
        ("0001-01-01", 1, "must be a date"),
        ("2026-03-14", 0, "1 to 31"),
        ("2026-01-01", 32, "1 to 31"),
        ("2026-03-16", 1, "not over yet: it is 2026-03-16 04:30 UTC"),
        ("2026-03-14", 3, "not over yet"),
    ],
)
def test_a_period_that_can_t_be_says_why(first_day: str, days: int, says: str) -> None:
    with pytest.raises(AskedError, match=says):
        require_over(asked(first_day, days), NOW)


def test_a_rise_by_chance_is_no_trend_and_a_real_one_is() -> None:
    usual, burst, few = Group("1", 52, 0, 40), Group("2", 60, 0, 20), Group("3", 9, 0, 0)
    assert [t.group.key for t in trends.rising("pin", [usual, burst, few])] == ["2"]
    assert trends.chance(10, 0, 1) == pytest.approx(1 / 1024, rel=1e-2)
    assert trends.chance(10, 0, 100) == pytest.approx(100 / 1024, rel=1e-2)
    assert trends.chance(0, 5, 10) == 1.0
    assert 0 <= trends.chance(10**6, 1, 1) < 1e-300


def test_without_any_change_one_brand_in_a_hundred_shows_a_trend() -> None:
    dice = Random(2015)
    brands = [[_group(n, dice) for n in range(30)] for _ in range(300)]
    shown = sum(bool(trends.rising("pin", groups)) for groups in brands)
    assert shown <= 8  # 3 expected


def _group(n: int, dice: Random) -> Group:
    now, before = (sum(dice.random() < 0.05 for _ in range(600)) for _ in range(2))
    return Group(str(n), now, 0, before)


@pytest.mark.parametrize(
    ("now", "before", "told"),
    [(112, 100, "+12%"), (95, 100, "−5%"), (1001, 1000, "+0.1%"), (100001, 100000, "+under 0.1%"), (5, 0, "new"),
     (0, 0, "no change"), (0, 7, "−100%"), (140, 10, "×14"), (1023, 1000, "+2.3%")],
)  # fmt: skip
def test_changes_in_words(now: int, before: int, told: str) -> None:
    assert words.change(now, before) == told


@pytest.mark.parametrize(
    ("now", "before", "told"),
    [
        (118, 100, "18 % more than the day before"),
        (95, 100, "5 % fewer than the day before"),
        (1001, 1000, "under 1 % more than the day before"),
        (7, 7, "as many as the day before"),
        (140, 10, "14 times as many as the day before"),
        (3, 0, "none the day before"),
        (0, 40, "40 the day before"),
        (0, 0, "nor the day before"),
    ],
)
def test_changes_in_a_sentence(now: int, before: int, told: str) -> None:
    assert words.compared(now, before, "the day before") == told


def test_a_period_in_a_sentence() -> None:
    assert [words.engagements(n) for n in (0, 1, 1204)] == ["no engagement", "1 engagement", "1,204 engagements"]
    assert [words.on(p) for p in (DAY, WEEK, Period(date(2026, 2, 26), 7))] == [
        "on 14 March",
        "from 9 to 15 March",
        "from 26 February to 4 March",
    ]


def test_numbers_and_days_in_words() -> None:
    assert [words.whole(1234567), words.signed(12), words.signed(-1234)] == ["1,234,567", "+12", "−1,234"]
    assert [words.short(n) for n in (0, 2.5, 950, 1500, 20_000, 3e6)] == ["0", "2.5", "950", "1.5k", "20k", "3M"]
    assert [words.chance(c) for c in (0.009, 1e-9, 0.0)] == ["1 in 111", *["under 1 in 1,000,000"] * 2]
    assert words.days(DAY) == "Saturday 14 March 2026"
    assert words.days(WEEK) == "9 – 15 March 2026"
    assert words.days(Period(date(2025, 12, 29), 7)) == "29 December 2025 – 4 January 2026"
    assert [words.country(c) for c in ("NL", "ZZ", "Q?")] == ["Netherlands", "Not known", "Q?"]


def test_what_no_page_can_hold_is_left_out_of_texts() -> None:
    assert words.clean("a\0b\x1bc\ud800d\u202ee\tf") == "abcd\u202ee\tf"
    assert words.cut("é👕" * 5000) == ("é👕" * 80)[: words.LONGEST - 1] + "…"
    assert words.one_line("a\r\nBcc: b@example.org") == "a Bcc: b@example.org"


@pytest.mark.parametrize(("most", "top"), [(0, 2), (1, 2), (3, 4), (5, 6), (10, 10), (11, 20), (70, 80), (99, 100)])
def test_an_axis_ends_at_a_round_number(most: int, top: int) -> None:
    assert charts.top_of_axis(most) == top


def test_bars_are_inside_their_chart_and_in_order() -> None:
    hours = [(n, n % 3) for n in range(24)]
    chart = charts.by_hour(DAY, hours, [30] * 24)
    assert len(chart.bars) == 24
    for bar in chart.bars:
        assert 0 <= bar.upper_y <= bar.lower_y
        assert bar.lower_y + bar.lower_height == pytest.approx(charts.HEIGHT - charts.BOTTOM)
        assert bar.upper_y + bar.upper_height == pytest.approx(bar.lower_y)
    assert all(a.x + a.width < b.x for a, b in pairwise(chart.bars))
    assert "13:00: 13 repins, 1 comments" in chart.bars[13].label


def test_no_events_are_an_empty_chart_and_no_error() -> None:
    assert {b.lower_height for b in charts.by_hour(DAY, [(0, 0)] * 24, [0] * 24).bars} == {0}
    chart = charts.heat_map(WEEK, [(0, 0)] * 168)
    assert (len(chart.cells), {c.shade for c in chart.cells}) == (168, {0})


def test_the_busiest_hour_has_the_darkest_shade() -> None:
    hours = [(0, 0)] * 167 + [(10, 5)]
    hours[3] = (1, 0)
    shades = [cell.shade for cell in charts.heat_map(WEEK, hours).cells]
    assert (shades[167], shades[3], shades[0]) == (5, 1, 0)


def test_numbers_that_were_kept_are_the_same_numbers() -> None:
    assert flat_of(NUMBERS.to_json()) == NUMBERS.flat()
    assert "garden" not in NUMBERS.to_json()


def older(numbers: Numbers, people: int) -> str:
    """The numbers as they were stored when people included pinners, so many of them."""
    stored = json.loads(numbers.to_json())
    for totals in (stored["now"], stored["before"]):
        del totals["pinners"]
        totals["people"] = people
    stored["countries"] = [[*group[:4], people] for group in stored["countries"]]
    return json.dumps(stored, separators=(",", ":"), ensure_ascii=False)


def test_numbers_from_before_pinners_were_counted_apart_are_read() -> None:
    told = flat_of(older(NUMBERS, 6))
    assert told == {name: n for name, n in NUMBERS.flat().items() if not name.endswith((" people", " pinners"))}
    assert changes(told, NUMBERS.flat()) == [], "what was not counted then has not changed"
    read = numbers_of(older(NUMBERS, 6))
    assert (read.now, read.pins[0].key) == (Totals(5, 1, 2), "7")


def test_the_new_count_of_people_alone_makes_no_revision() -> None:
    text = older(NUMBERS, 6)
    earlier = Earlier(1, NOW, NOW, True, "passed", "x", flat_of(text), digest_without_people(text, True, "passed"))
    assert is_unchanged(earlier, NUMBERS, ReportStatus(NOW, True, PASSED))
    assert not is_unchanged(earlier, NUMBERS, ReportStatus(NOW, False, PASSED))
    more = replace(NUMBERS, hours=((6, 1), *NUMBERS.hours[1:]))
    assert not is_unchanged(earlier, more, ReportStatus(NOW, True, PASSED))


def test_stored_numbers_are_read_with_their_trends() -> None:
    risen = replace(NUMBERS, trends=(Trend("pin", PIN, 1e-4), Trend("category", Group("not listed", 11, 0, 0), 1e-3)))
    assert numbers_of(risen.to_json()).trends == (Trend("pin", replace(PIN, title=None, category=None), 1e-4),)


def test_a_changed_title_is_no_other_report_and_a_changed_state_is() -> None:
    retitled = Numbers(**{**vars(NUMBERS), "pins": (Group("7", 5, 1, 2, None, "Another", "food"),)})
    state = ReportStatus(NOW, True, PASSED)
    said = digest(NUMBERS, state)
    assert digest(retitled, state) == said
    assert digest(NUMBERS, ReportStatus(NOW + timedelta(days=1), True, PASSED)) == said
    assert digest(NUMBERS, ReportStatus(NOW, False, PASSED)) != said
    assert digest(NUMBERS, ReportStatus(NOW, True, Quality("failed", 24, 24))) != said


def test_changes_begin_with_the_totals_and_then_the_largest() -> None:
    before = {"total repins": 5, "pin 7": 5, "pin 8": 100, "hour 3": 1, "before people": 2}
    after = {"total repins": 6, "pin 7": 6, "pin 9": 3, "hour 3": 1, "before people": 3}
    assert changes(before, after) == [
        Change("total repins", 5, 6),
        Change("before people", 2, 3),
        Change("pin 8", 100, None),
        Change("pin 9", None, 3),
        Change("pin 7", 5, 6),
    ]


def test_what_was_known_is_not_unlearned() -> None:
    earlier = Earlier(1, NOW, NOW, True, "passed", "")
    assert settle(ReportStatus(None, False, Quality("unchecked", 24, 0)), earlier) == ReportStatus(
        NOW, True, Quality("passed", 24, 0)
    )
    assert settle(ReportStatus(NOW, True, Quality("failed", 24, 24)), earlier).quality.verdict == "failed"
    assert settle(ReportStatus(None, False, PASSED), None) == ReportStatus(None, False, PASSED)


ASKED = datetime(2026, 3, 15, 1)
OLD = datetime(2026, 3, 14, 20)
Books = dict[tuple[str, int], tuple[int, datetime | None]]


def _books(offset: int, at: datetime | None = OLD, partition: int = 0) -> Books:
    return {(table, partition): (offset, at) for table in complete.TABLES}


@pytest.mark.parametrize(
    ("held", "books", "told"),
    [
        ({0: Held(0, 10)}, _books(10), ASKED),
        ({0: Held(0, 11)}, _books(10), OLD),
        ({0: Held(0, 10)}, _books(10) | {("pins", 0): (9, OLD)}, OLD),
        ({0: Held(0, 10), 1: Held(0, 0)}, _books(10), ASKED),
        ({0: Held(0, 10), 1: Held(0, 1)}, _books(10), None),
        ({}, _books(10), OLD),
        ({}, {}, None),
        ({0: Held(0, 10)}, {}, None),
    ],
)
def test_complete_through(held: dict[int, Held], books: Books, told: datetime | None) -> None:
    assert complete.through(held, books, ASKED) == told

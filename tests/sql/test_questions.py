"""Every report on tables small enough to read: its rows, and that no data gives 0 or no row, not an error."""

import random
from collections import Counter
from datetime import date, datetime, timedelta
from typing import Any

import pytest

from pinwheel.clients import memsql
from pinwheel.clients.memsql import Connection, Row
from pinwheel.core.settings import MergeSettings
from tests.support.lakes import NOON, delete, event, hours, update
from tests.support.types import AskReport, MergeEvents, Query

DAY = date(2026, 3, 14)
MIDNIGHT = datetime(2026, 3, 14)
WHOLE_DAY = {"from_time": MIDNIGHT, "to_time": MIDNIGHT + timedelta(days=1)}
REPORTS = sorted(path.stem for path in (memsql.SQL_DIR / "questions").glob("*.sql"))
PARAMS: dict[str, Any] = {
    **WHOLE_DAY,
    "from_day": DAY,
    "to_day": DAY + timedelta(days=1),
    "day": DAY,
    "as_of": datetime(2026, 3, 14, 12, 30),
    "kind": "pin",
    "items": ["7"],
    "all_brands": 1,
    "brands": [0],
    "brand_id": 70,
    "top": 10,
}
ONE_ROW_ALWAYS = {"unique_people", "unique_people_of_brand", "brand_day"}


def at(hour: float, days: float = 0) -> datetime:
    """That hour of the 14th."""
    return NOON + hours(hour - 12 + 24 * days)


def told(rows: list[Row], *columns: str) -> list[tuple[Any, ...]]:
    return [tuple(row[c] for c in columns) for row in rows]


def test_empty_tables_are_no_error(settings: MergeSettings, report: AskReport, subtests: pytest.Subtests) -> None:
    for name in REPORTS:
        with subtests.test(name):
            rows = report(name, **PARAMS)
            if name in ONE_ROW_ALWAYS:
                (row,) = rows
                counts = [v for k, v in row.items() if k not in ("brand_id", "brand_name", "day")]
                assert counts
                assert set(counts) == {0}
            elif name == "brand_day_hours":
                assert [row["engagement"] for row in rows] == [0] * 24
            else:
                assert rows == []


def test_a_day_that_does_not_exist_has_no_rows(
    merged: MergeEvents, report: AskReport, subtests: pytest.Subtests
) -> None:
    merged([event("repin", "a", 0), event("comment", "b", 1), event("pin", "c", 2), event("login", "d", 3)])
    never = {k: v - timedelta(days=400) if isinstance(v, date) else v for k, v in PARAMS.items()}
    for name in REPORTS:
        with subtests.test(name):
            if name == "home_countries":  # of all people, not of one period
                assert told(report(name, top=1), "country_code", "people") == [("NL", 1)]
            elif name in ONE_ROW_ALWAYS:
                (row,) = report(name, **never)
                assert {v for k, v in row.items() if k not in ("brand_id", "brand_name", "day")} == {0}
            else:
                assert sum(row.get("engagement", 1) for row in report(name, **never)) == 0


def test_one_row_is_counted_once(merged: MergeEvents, report: AskReport, subtests: pytest.Subtests) -> None:
    merged([event("pin", "p", 0), event("repin", "a", 1, occurred_at=at(12.5))])
    for name in [n for n in REPORTS if n != "home_countries" and not n.startswith("trend")]:
        with subtests.test(name):
            rows = report(name, **PARAMS)
            if "engagement" in rows[0]:
                assert sum(row["engagement"] for row in rows) == 1
            else:
                assert rows


def test_engagement_by_hour_counts_each_type(merged: MergeEvents, report: AskReport) -> None:
    merged(
        [event("pin", "p", 0, occurred_at=at(9)), event("login", "l", 1, occurred_at=at(9))]
        + [event("repin", f"r{n}", 2 + n, occurred_at=at(9.5)) for n in range(3)]
        + [event("comment", "c", 9, occurred_at=at(10), category=None)]
        + [event("repin", "early", 10, occurred_at=at(-0.1)), event("login", "late", 11, occurred_at=at(24))]
    )
    assert told(report("engagement_by_hour", **WHOLE_DAY), "hour", "event_type", "events") == [
        (datetime(2026, 3, 14, 9), "login", 1),
        (datetime(2026, 3, 14, 9), "pin", 1),
        (datetime(2026, 3, 14, 9), "repin", 3),
        (datetime(2026, 3, 14, 10), "comment", 1),
    ]


def test_top_brands_ties_go_by_id_and_an_unknown_brand_has_its_number(merged: MergeEvents, report: AskReport) -> None:
    brands = (3, 3, 2, 2, 5, None)
    merged([event("repin", f"r{n}", n, brand_id=brand) for n, brand in enumerate(brands)])
    rows = report("top_brands", **WHOLE_DAY, top=2)
    assert told(rows, "brand_id", "brand_name", "engagement") == [(2, "brand 2", 2), (3, "brand 3", 2)]


def test_top_categories_and_countries_name_what_is_not_known(merged: MergeEvents, report: AskReport) -> None:
    merged(
        [event("repin", f"a{n}", n, category=None, country_code=None) for n in range(2)]
        + [event("comment", "b", 5, category="food", country_code="US"), event("pin", "c", 6, country_code="SE")]
    )
    assert told(report("top_categories", **WHOLE_DAY, top=9), "category", "engagement") == [("(none)", 2), ("food", 1)]
    assert told(report("top_countries", **WHOLE_DAY, top=9), "country_code", "engagement") == [("ZZ", 2), ("US", 1)]


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("top", [1, 3, 200])
def test_top_pins_are_those_of_a_full_count(seed: int, top: int, merged: MergeEvents, report: AskReport) -> None:
    dice = random.Random(seed)
    events = [
        event(
            dice.choice(["repin", "repin", "comment", "pin"]),
            f"e{n}",
            n,
            pin_id=int(dice.paretovariate(0.7)) % 90,
            occurred_at=at(dice.uniform(-10, 30)),
        )
        for n in range(400)
    ]
    merged(events)
    period = {"from_time": MIDNIGHT + timedelta(hours=3), "to_time": MIDNIGHT + timedelta(hours=20)}
    count = Counter(
        e["pin_id"]
        for e in events
        if e["event_type"] != "pin" and period["from_time"] <= e["occurred_at"].replace(tzinfo=None) < period["to_time"]
    )
    expected = sorted(count.items(), key=lambda pair: (-pair[1], pair[0]))[:top]
    assert told(report("top_pins", **period, top=top), "pin_id", "engagement") == expected


def test_top_pins_carry_what_is_known_of_the_pin(merged: MergeEvents, report: AskReport) -> None:
    merged([event("pin", "p", 0, title="A garden"), event("repin", "r", 1), event("repin", "s", 2, pin_id=8)])
    rows = report("top_pins", **WHOLE_DAY, top=5)
    assert told(rows, "pin_id", "title", "brand_id", "brand_name") == [
        (7, "A garden", 70, "brand 70"),
        (8, None, None, None),
    ]


@pytest.mark.parametrize(("start", "end"), [(-48, 72), (0, 24), (5, 20), (-7, 3), (-7, 30), (3, 3), (20, 5), (0, 1)])
def test_unique_people_are_a_distinct_count(start: int, end: int, merged: MergeEvents, report: AskReport) -> None:
    dice = random.Random(start * 100 + end)
    people = [1, 2, 63, 64, 65, -1, -64, -65, 2**63 - 1, -(2**63)]
    events = [
        event(
            dice.choice(["pin", "repin", "comment", "login"]),
            f"e{n}",
            n,
            user_id=dice.choice(people),
            occurred_at=at(dice.uniform(-40, 60)),
        )
        for n in range(30)
    ]
    merged(events)
    since, until = MIDNIGHT + timedelta(hours=start), MIDNIGHT + timedelta(hours=end)
    expected = {e["user_id"] for e in events if since <= e["occurred_at"].replace(tzinfo=None) < until}
    assert report("unique_people", from_time=since, to_time=until) == [{"unique_people": len(expected)}]


def test_unique_people_of_a_brand_are_not_the_sum_of_its_days(merged: MergeEvents, report: AskReport) -> None:
    merged(
        [
            event("repin", "a", 0),
            event("comment", "b", 1, occurred_at=at(12, 1)),
            event("repin", "c", 2, user_id=2),
            event("repin", "d", 3, user_id=3, brand_id=None),
        ]
    )
    week = {"from_time": MIDNIGHT, "to_time": MIDNIGHT + timedelta(days=7)}
    assert report("unique_people_of_brand", **week, brand_id=70) == [{"unique_people": 2}]


def test_new_people_are_new_once(merged: MergeEvents, report: AskReport) -> None:
    merged(
        [
            event("login", "a", 0, occurred_at=at(12, -1)),
            event("repin", "b", 1),
            event("login", "c", 2),
            event("repin", "d", 3, user_id=2),
            event("repin", "e", 4, user_id=2, occurred_at=at(9, 1)),
        ]
    )
    rows = report("new_and_returning_people", from_day=DAY, to_day=DAY + timedelta(days=2))
    assert told(rows, "day", "people", "new_people", "returning_people") == [
        (DAY, 2, 1, 1),
        (DAY + timedelta(days=1), 1, 0, 1),
    ]


def test_who_is_erased_was_never_there(settings: MergeSettings, merged: MergeEvents, report: AskReport) -> None:
    merged([event("login", "a", 0, user_id=1), event("repin", "b", 1, user_id=1), event("repin", "c", 2, user_id=2)])
    delete(settings.lake_uri, "event_id = 'b'")
    merged()
    assert report("unique_people", **WHOLE_DAY) == [{"unique_people": 2}]  # one login is left
    delete(settings.lake_uri, "user_id = 1")
    merged()
    assert report("unique_people", **WHOLE_DAY) == [{"unique_people": 1}]
    assert report("home_countries", top=9) == []


def test_home_is_where_most_logins_come_from(merged: MergeEvents, report: AskReport) -> None:
    countries: dict[int, list[str | None]] = {1: ["NL", "US", "US"], 2: ["SE", "NL"], 3: [None, None, "DE"], 4: [None]}
    logins = [(person, country) for person, given in countries.items() for country in given]
    merged([event("login", f"l{n}", n, user_id=u, country_code=c) for n, (u, c) in enumerate(logins)])
    rows = report("home_countries", top=9)
    assert told(rows, "country_code", "people") == [("DE", 1), ("NL", 1), ("US", 1), ("ZZ", 1)]


def test_conversion_waits_for_the_first_repin_after_the_pin(
    settings: MergeSettings, merged: MergeEvents, report: AskReport
) -> None:
    merged(
        [event("pin", f"p{n}", n, pin_id=n, occurred_at=at(10)) for n in (1, 2, 3, 4)]
        + [
            event("repin", "before", 10, pin_id=1, occurred_at=at(9)),
            event("repin", "same", 11, pin_id=1, occurred_at=at(10.5)),
        ]
        + [event("repin", "next day", 12, pin_id=2, occurred_at=at(12, 1)), event("repin", "x", 13, pin_id=9)]
        + [event("repin", "third", 14, pin_id=3, occurred_at=at(11))]
    )
    columns = ("day", "pins", "repinned", "repinned_in_24_hours", "median_seconds_to_first_repin")
    assert told(report("pin_conversion", **WHOLE_DAY), *columns) == [(DAY, 4, 3, 2, 3600)]
    delete(settings.lake_uri, "event_id = 'third'")
    update(settings.lake_uri, "event_id = 'next day'", {"pin_id": "4"})
    merged(
        [
            event("pin", "again", 20, pin_id=1, occurred_at=at(20)),
            event("repin", "late", 21, pin_id=1, occurred_at=at(10.25)),
        ]
    )
    assert told(report("pin_conversion", **WHOLE_DAY), *columns) == [(DAY, 4, 2, 1, (900 + 26 * 3600) / 2)]


def test_a_brand_s_day(merged: MergeEvents, report: AskReport) -> None:
    merged(
        [event("repin", f"r{n}", n, user_id=n, occurred_at=at(8)) for n in range(2)]
        + [event("comment", "c", 5, user_id=1, country_code=None), event("pin", "p", 6, user_id=9)]
        + [event("repin", "y", 7, occurred_at=at(12, -1)), event("repin", "other", 8, brand_id=71)]
        + [event("repin", "q", 9, user_id=1, pin_id=5, occurred_at=at(23.9))]
    )
    (row,) = report("brand_day", brand_id=70, day=DAY)
    assert row == {
        "brand_id": 70, "brand_name": "brand 70", "day": DAY, "engagement": 4, "repins": 3, "comments": 1, "pins": 1,
        "engaged_people": 2, "pinning_people": 1, "engagement_day_before": 1, "engaged_people_day_before": 1,
    }  # fmt: skip
    rows = report("brand_day_hours", brand_id=70, day=DAY)
    assert [(n, r["engagement"]) for n, r in enumerate(rows) if r["engagement"]] == [(8, 2), (12, 1), (23, 1)]
    assert told(report("brand_day_countries", brand_id=70, day=DAY, top=9), "country_code", "engagement") == [
        ("NL", 3),
        ("ZZ", 1),
    ]
    assert told(report("brand_day_pins", brand_id=70, day=DAY, top=9), "pin_id", "repins", "comments") == [
        (7, 2, 1),
        (5, 1, 0),
    ]


def test_rows_merged_before_the_rollups_were_there_are_filled_in(
    merged: MergeEvents, connection: Connection, query: Query
) -> None:
    dice = random.Random(5)
    merged(
        [
            event(
                dice.choice(["pin", "repin", "repin", "comment", "login"]),
                f"e{n}",
                n,
                user_id=dice.randint(1, 200),
                country_code=dice.choice(["NL", "US", None]),
                occurred_at=at(dice.uniform(-30, 30)),
            )
            | ({"pin_id": dice.randint(1, 30)} if n % 9 else {})
            for n in range(300)
        ]
    )
    rollups = ("pin_hourly", "country_hourly", "person_homes", "pin_firsts")

    def content() -> list[list[Row]]:
        found = [
            [{k: v for k, v in r.items() if k != "updated_at"} for r in query(f"SELECT * FROM {t}")] for t in rollups
        ]
        return [sorted(rows, key=str) for rows in found]

    before = content()
    assert all(before)
    with connection.cursor() as cursor:
        for table in rollups:
            cursor.execute(f"DELETE FROM {table}")
        for _ in range(2):  # a migration that died half-way runs again
            for sql in memsql.statements("schema/0010_report_rollups"):
                cursor.execute(sql)
    connection.commit()
    assert content() == before

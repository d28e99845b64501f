"""Reports with the days of a brand's time zone: equal to a plain recount, and apart from those of other zones."""

import random
from collections import Counter
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from pinwheel.clients import memsql
from pinwheel.clients.memsql import Connection, Row
from pinwheel.core.errors import AskedError
from pinwheel.core.settings import MailSettings, MergeSettings
from pinwheel.core.times import naive
from pinwheel.reports import charts, letter, read, revisions, words, zones
from pinwheel.reports.numbers import Brand, Numbers, Totals, numbers_of
from pinwheel.reports.page import number_name
from pinwheel.reports.period import Period, recent
from pinwheel.reports.store import Store
from tests.support.brand_reports import DAY, MORNING_AFTER, NameBrands, NewMaker, RunReports, at, some
from tests.support.database import environment_of
from tests.support.lakes import delete, event
from tests.support.types import MergeEvents, Query

SetZone = Callable[[int, str], str]
BERLIN, KOLKATA = "Europe/Berlin", "Asia/Kolkata"
SET_AT = datetime(2026, 3, 1)


@pytest.fixture
def set_zone(connection: Connection) -> SetZone:
    """Sets the time zone of a brand."""

    def go(brand_id: int, time_zone: str) -> str:
        with memsql.transaction(connection):
            return zones.set_zone(connection, brand_id, time_zone, "they live there", "ann", SET_AT)

    return go


PERIODS = [
    Period(date(2026, 3, 14), 1, KOLKATA),
    Period(date(2026, 3, 9), 7, "Asia/Kathmandu"),
    Period(date(2026, 3, 29), 1, BERLIN),
    Period(date(2026, 10, 25), 1, BERLIN),
    Period(date(2026, 10, 26), 1, BERLIN),
    Period(date(2026, 3, 23), 7, BERLIN),
    Period(date(2026, 4, 5), 1, "Australia/Lord_Howe"),
    Period(date(2026, 10, 4), 1, "Australia/Lord_Howe"),
]


def made_up(period: Period) -> list[Row]:
    """Events of the period, of the one before and around them, many right at the borders."""
    dice = random.Random(7)
    first, last = (at.replace(tzinfo=UTC) for at in (period.before.start, period.end))
    borders = [at.replace(tzinfo=UTC) for p in (period.before, period) for at in (p.start, p.end)]
    return [
        event(
            dice.choice(["repin", "repin", "comment", "pin"]),
            f"e{n}",
            n,
            user_id=dice.randint(1, 400),
            pin_id=dice.randint(1, 5),
            country_code=dice.choice(["NL", "US", None]),
            occurred_at=dice.choice(
                [
                    first - timedelta(hours=3) + dice.random() * (last - first + timedelta(hours=6)),
                    dice.choice(borders) - dice.choice([timedelta(), timedelta.resolution]),
                ]
            ),
        )
        for n in range(600)
    ]


def mine(events: list[Row], period: Period) -> list[Row]:
    """By the dates that the zone's clock shows."""
    days = {period.first_day + timedelta(days=n) for n in range(period.days)}
    return [e for e in events if e["occurred_at"].astimezone(ZoneInfo(period.time_zone)).date() in days]


def by_hour(events: list[Row], period: Period) -> dict[tuple[Any, ...], list[int]]:
    """Repins and comments by date, hour and offset of the clock."""
    found: dict[tuple[Any, ...], list[int]] = {}
    for e in events:
        clock = e["occurred_at"].astimezone(ZoneInfo(period.time_zone))
        if e["event_type"] != "pin":
            counts = found.setdefault((clock.date(), clock.hour, clock.utcoffset()), [0, 0])
            counts[e["event_type"] == "comment"] += 1
    return found


def told_hours(numbers: Numbers, period: Period) -> dict[tuple[Any, ...], list[int]]:
    clocks = [hour.local for hour in period.hours]
    told = zip(clocks, numbers.hours, strict=True)
    return {(c.date(), c.hour, c.utcoffset()): list(counts) for c, counts in told if any(counts)}


def totals(events: list[Row]) -> Totals:
    kinds = Counter(e["event_type"] for e in events)
    pinners = {e["user_id"] for e in events if e["event_type"] == "pin"}
    engaged = {e["user_id"] for e in events if e["event_type"] != "pin"}
    return Totals(kinds["repin"], kinds["comment"], kinds["pin"], len(engaged), len(pinners))


@pytest.mark.parametrize("period", PERIODS, ids=lambda p: p.key)
def test_numbers_are_those_of_a_recount_by_the_clock(
    merged: MergeEvents, connection: Connection, period: Period
) -> None:
    events = made_up(period)
    merged(events)
    told = read.read(connection, period, [70])[70]
    now, before = mine(events, period), mine(events, period.before)
    assert (told.now, told.before) == (totals(now), totals(before))
    assert told_hours(told, period) == by_hour(now, period)
    assert sum(told.hours_before) == told.before.engagement
    pins = Counter(str(e["pin_id"]) for e in now if e["event_type"] != "pin")
    assert {g.key: g.engagement for g in told.pins} == pins
    assert sum(g.before for g in told.pins) == told.before.engagement
    people: dict[str, set[int]] = {}
    for e in now:
        if e["event_type"] != "pin":
            people.setdefault(e["country_code"] or "ZZ", set()).add(e["user_id"])
    assert {g.key: g.people for g in told.countries} == {code: len(found) for code, found in people.items()}


def test_utc_asks_what_it_asked_before(connection: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    """By whole hours, which are in the index; rows are looked up for zones whose hours are no UTC hours alone."""
    asked: list[tuple[str, Any]] = []
    fetch = memsql.fetch

    def noted(of: Connection, name: str, params: Any = None, /, **names: Any) -> list[Row]:
        asked.append((name, names))
        return fetch(of, name, params, **names)

    monkeypatch.setattr(memsql, "fetch", noted)
    for time_zone, column, hours in (
        ("UTC", "occurred_hour", "hours"),
        (BERLIN, "occurred_hour", "hours"),
        (KOLKATA, "occurred_at", "quarters"),
    ):
        asked.clear()
        read.read(connection, Period(date(2026, 3, 14), 1, time_zone), [70])
        assert [name for name, _ in asked][:2] == [f"reports/{hours}", "reports/people"]
        assert {tuple(names.values()) for _, names in asked[1:4]} == {(column,)}


@pytest.mark.parametrize("period", [DAY, PERIODS[0]], ids=lambda p: p.key)
def test_the_index_serves_every_statement(merged: MergeEvents, connection: Connection, period: Period) -> None:
    """EXPLAIN on rows of many brands: by_brand_hour in any zone; for whole hours nothing else."""
    merged([e | {"brand_id": n % 50} for n, e in enumerate(made_up(period))])
    with connection.cursor() as cursor:
        for table in ("pins", "repins", "comments"):
            cursor.execute(f"ANALYZE TABLE {table}")
            cursor.fetchall()
    column = "occurred_hour" if period == DAY else "occurred_at"
    for name in ("people", "countries", "engagement", "hours" if period == DAY else "quarters"):
        names = {} if name in ("hours", "quarters") else {"time_column": column}
        plan = explained(connection, f"reports/{name}", period, **names)
        assert {row["key"] for row in plan} == {"by_brand_hour"}, name
        is_alone = all("Using index" in row["Extra"].replace("Using index condition", "") for row in plan)
        assert is_alone == (period == DAY), name


@pytest.mark.parametrize(("rollup", "column"), [("brand_hourly", "hour"), ("brand_daily", "day")])
def test_of_a_rollup_only_the_hours_of_brands_with_a_report_are_read(
    connection: Connection, rollup: str, column: str
) -> None:
    """EXPLAIN on 50 hours or days of 80 brands."""
    start = datetime(2026, 3, 1)
    step = timedelta(hours=1) if column == "hour" else timedelta(days=1)
    with connection.cursor() as cursor:
        rows = [(brand, start + n * step) for brand in range(80) for n in range(50)]
        sql = f"INSERT INTO {rollup} (brand_id, {column}, pins, repins, comments, unique_people)"
        cursor.executemany(f"{sql} VALUES (%s, %s, 1, 1, 1, 1)", rows)
        connection.commit()
        cursor.execute(f"ANALYZE TABLE {rollup}")
        cursor.fetchall()
        found = {"first_day": start.date(), "days": 1, "time_zone": "UTC", "brand_ids": [7, 8, 9]}
        begins = {name: start + (10 + n) * step for n, name in enumerate(("before_at", "from_at", "to_at"))}
        sql = memsql.statement("reports/latest", connection.engine, rollup=rollup, time_column=column)
        cursor.execute(f"EXPLAIN {sql}", found | begins)
        (plan,) = [row for row in cursor.fetchall() if row["table"] == rollup]
    assert (plan["type"], plan["key"]) == ("range", "PRIMARY")
    assert int(plan["rows"]) <= 2 * 2 * 3


def test_more_brands_than_are_asked_for_at_once(
    merged: MergeEvents, named: NameBrands, run: RunReports, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(revisions, "BRANDS_AT_ONCE", 2)
    named(*((n, f"brand {n}", None) for n in range(1, 5)))
    merged(some())
    assert run() == {"made": 5}
    assert list(revisions.latest(connection, DAY)) == [1, 2, 3, 4, 70]


def explained(connection: Connection, name: str, period: Period, **names: str) -> list[Row]:
    """The plan's lines that read events."""
    hour = period.before.start.replace(minute=0)
    params = {"brand_ids": [7, 8], "before_hour": hour, "before_time": period.before.start, "from_time": period.start}
    with connection.cursor() as cursor:
        sql = memsql.statement(name, connection.engine, **names)
        cursor.execute(f"EXPLAIN {sql}", params | {"to_time": period.end})
        return [row for row in cursor.fetchall() if row["table"] in ("pins", "repins", "comments")]


def test_the_days_that_are_due_are_those_over_by_the_clock() -> None:
    """At 19:00 UTC the 14th is over in India, but not in Berlin."""
    now = datetime(2026, 3, 14, 19, tzinfo=UTC)
    assert [recent("day", 1, now, name)[0].first_day.day for name in (KOLKATA, BERLIN, "UTC")] == [14, 13, 13]
    assert all(
        p.is_over(now) for name in (KOLKATA, BERLIN, "America/Los_Angeles") for p in recent("both", 9, now, name)
    )
    assert Period(date(2026, 3, 14), 1, KOLKATA).utc_hours == 25


def listed(query: Query) -> list[tuple[Any, ...]]:
    rows = query("SELECT * FROM brand_reports WHERE days = 1 ORDER BY brand_id, first_day, revision")
    return [(r["brand_id"], r["first_day"].day, r["revision"], r["time_zone"], r["engagement"]) for r in rows]


def test_a_change_of_zone_twice_keeps_reports_apart(
    merged: MergeEvents,
    named: NameBrands,
    set_zone: SetZone,
    maker: NewMaker,
    query: Query,
    store: Store,
    connection: Connection,
) -> None:
    """23:30 UTC of the 14th is the 15th in Berlin."""
    mails = MailSettings(smtp_host="mail.example.org")
    named((70, "Copper Kitchen", "ann@example.org"))
    merged(some("a", 3) + some("b", 2, 10, occurred_at=at(23.5)))

    def due() -> None:
        made = maker(mails, report_periods="day", report_catch_up_days=2)
        made.due()
        assert made.tally.failed == {}

    due()
    first = (70, 14, 1, "UTC", 5)
    assert listed(query) == [first]
    set_zone(70, BERLIN)
    due()
    due()
    second = (70, 14, 2, BERLIN, 3)
    assert listed(query) == [first, second], "a second run makes nothing"
    text = mailed(connection)
    assert "Daily report of Copper Kitchen, Saturday 14 March 2026, Europe/Berlin" in text
    assert "Revision 2 is the first with days of Europe/Berlin." in text
    named((70, "Copper Kitchen", "ann@example.org"))
    set_zone(70, "UTC")
    due()
    due()
    third = (70, 14, 3, "UTC", 5)
    assert listed(query) == [first, second, third]
    merged([event("repin", "late", 90, user_id=9, occurred_at=at(2))])
    due()
    rows = query("SELECT * FROM brand_reports WHERE days = 1 ORDER BY revision")
    assert [(r["time_zone"], r["change_count"] > 0, r["mail"]) for r in rows] == [
        ("UTC", False, "due"), (BERLIN, False, "due"), ("UTC", False, "due"), ("UTC", True, "due"),
    ]  # fmt: skip
    assert len({r["folder"] for r in rows}) == 4
    html = store.read(f"{rows[1]['folder']}/report.html").decode()
    assert "14 March 2026, Europe/Berlin" in html
    assert "What changed since" not in html, "it is compared with no report in another zone"
    assert "What changed since revision 1" in store.read(f"{rows[2]['folder']}/report.html").decode()
    assert "What changed since revision 3" in store.read(f"{rows[3]['folder']}/report.html").decode()
    assert store.read(f"{rows[1]['folder']}/changes.csv").decode("utf-8-sig").split() == ["number,before,after"]


def mailed(connection: Connection) -> str:
    """The text of the newest mail that is due."""
    row = revisions.due_mails(connection, date(2026, 3, 1))[-1]
    brand, period = Brand(70, row["name"]), Period(row["first_day"], row["days"], row["time_zone"])
    return letter.text(letter.Letter(brand, period, numbers_of(revisions.numbers_text(connection, row)), row))


@pytest.mark.parametrize("time_zone", [BERLIN, KOLKATA])
def test_late_events_and_erasures_make_revisions_in_the_same_zone(
    merged: MergeEvents,
    named: NameBrands,
    set_zone: SetZone,
    maker: NewMaker,
    query: Query,
    settings: MergeSettings,
    time_zone: str,
) -> None:
    named((70, "Copper Kitchen", None))
    set_zone(70, time_zone)
    merged([*some("a", 3), event("repin", "other", 9, brand_id=71)])
    maker().due()
    delete(settings.lake_uri, "event_id = 'a0'")
    merged([])
    maker().due()
    delete(settings.lake_uri, "brand_id = 70")
    merged([])
    maker().due()
    assert [row for row in listed(query) if row[:2] == (70, 14)] == [
        (70, 14, n + 1, time_zone, e) for n, e in enumerate((3, 2, 0))
    ]


def test_reports_that_may_differ_are_looked_at_anew(
    merged: MergeEvents,
    named: NameBrands,
    set_zone: SetZone,
    maker: NewMaker,
    query: Query,
    connection: Connection,
    settings: MergeSettings,
) -> None:
    """By the rollups' hours, long after the last event; in India always, as they have none of its hours."""
    named((70, "Copper Kitchen", None), (71, "Moss & Stone", None))
    set_zone(70, BERLIN)
    set_zone(71, KOLKATA)
    merged([*some("a", 3, brand_id=70, occurred_at=at(23.5, -1)), *some("b", 3, 10, brand_id=71)])

    first = {("2026-03-14-1d-Europe-Berlin", 70), ("2026-03-14-1d-Asia-Kolkata", 71)}

    def looked_at() -> set[tuple[str, int]]:
        with connection.cursor() as cursor:  # as if all that were long ago
            for table in ("brand_hourly", "brand_daily"):
                cursor.execute(f"UPDATE {table} SET updated_at = updated_at - INTERVAL 1 DAY")
            cursor.execute("UPDATE brand_reports SET is_complete = 1")
        connection.commit()
        made = maker(report_periods="day", report_catch_up_days=2)
        made.due()
        return {(key, brand) for (key, brand) in made.tally.outcomes if key in {day for day, _ in first}}

    assert looked_at() == first
    assert looked_at() == {("2026-03-14-1d-Asia-Kolkata", 71)}
    delete(settings.lake_uri, "event_id IN ('a0', 'a1', 'a2', 'b0', 'b1', 'b2')")
    merged([event("repin", "c", 20, brand_id=72)])
    assert looked_at() == first
    newest = {brand: engagement for brand, day, _, _, engagement in listed(query) if day == 14}
    assert newest == {70: 0, 71: 0, 72: 1}


def test_the_first_day_with_rows_is_made_for_the_zones_that_have_them(
    merged: MergeEvents, named: NameBrands, set_zone: SetZone, run: RunReports, connection: Connection, query: Query
) -> None:
    named((70, "Copper Kitchen", None), (71, "Moss & Stone", None))
    set_zone(70, BERLIN)
    merged([*some("a", 3, brand_id=70), *some("b", 3, 10, brand_id=71)])
    kept = {"store": "events", "kept_from": DAY.before.first_day}
    with memsql.transaction(connection):
        memsql.execute(connection, "operate/retention/move", kept)
    run(DAY)
    assert [(brand, zone) for brand, _, _, zone, _ in listed(query)] == [(71, "UTC")]
    with pytest.raises(AskedError, match="the tables keep rows from 2026-03-13 on"):
        run(DAY, [70])


def test_an_hour_that_a_zone_no_longer_has_is_named_all_the_same() -> None:
    """Its rules have changed since a revision was made."""
    assert number_name("hour 24", DAY, {}) == "Hour 25"


def test_each_brand_gets_the_days_of_its_own_zone(
    merged: MergeEvents, named: NameBrands, set_zone: SetZone, run: RunReports, query: Query
) -> None:
    """At 04:30 UTC of the 15th the 14th is not over in California, so the schedule makes that report later."""
    named(*((n, f"brand {n}", None) for n in (1, 2, 3)))
    set_zone(2, KOLKATA)
    set_zone(3, "America/Los_Angeles")
    merged([e | {"brand_id": n, "event_id": f"{n}{e['event_id']}", "kafka_offset": 10 * n + e["kafka_offset"]}
            for n in (1, 2, 3, 77) for e in some("a", 2, occurred_at=at(19))])  # fmt: skip
    assert run() == {"made": 3}
    assert listed(query) == [(1, 14, 1, "UTC", 2), (2, 14, 1, KOLKATA, 0), (77, 14, 1, "UTC", 2)]
    with pytest.raises(AskedError, match="not over yet: it is 2026-03-14 21:30 America/Los_Angeles"):
        run(DAY, [1, 3])
    assert run(Period(date(2026, 3, 13), 1), [3]) == {"made": 1}
    assert run(DAY, [2]) == {"unchanged": 1}


def test_a_name_that_is_no_zone_fails_its_brands_alone(
    merged: MergeEvents, named: NameBrands, maker: NewMaker, query: Query, connection: Connection
) -> None:
    named((70, "Copper Kitchen", None), (71, "Quiet", None))
    with memsql.transaction(connection), connection.cursor() as cursor:
        cursor.execute("UPDATE brands SET time_zone = 'Mars/Base' WHERE brand_id = 71")
    merged(some())
    made = maker(report_periods="day", report_catch_up_days=1)
    made.due()
    assert [row[0] for row in listed(query)] == [70]
    ((what, why),) = made.tally.failed.items()
    assert what == "all reports of brand 71, in the time zone 'Mars/Base'"
    assert why.startswith("time_zone: there is no time zone 'Mars/Base'")
    assert why.endswith("set_time_zone")
    made.tally.failed.clear()
    made.asked(DAY, [70, 71])
    assert (list(made.tally.failed), [row[0] for row in listed(query)]) == ([what], [70])


def test_changes_of_a_report_in_a_zone_that_is_no_longer_known_name_hours_by_number() -> None:
    assert number_name("hour 13", Period(date(2026, 3, 14), 1, "Mars/Base"), {}) == "Hour 14"


def test_setting_a_zone_says_what_it_did_and_refuses_what_is_none(
    named: NameBrands, set_zone: SetZone, query: Query
) -> None:
    named((70, "Copper Kitchen", None))
    assert query("SELECT time_zone FROM brands") == [{"time_zone": "UTC"}]
    assert set_zone(70, BERLIN) == "Copper Kitchen (70) has Europe/Berlin from now on, before UTC"
    assert set_zone(70, BERLIN) == "Copper Kitchen (70) has Europe/Berlin already: nothing to change"
    named((70, "Renamed", None))
    assert query("SELECT name, time_zone FROM brands") == [{"name": "Renamed", "time_zone": BERLIN}]
    with pytest.raises(AskedError, match="brand_id: 7 is not in the table brands"):
        set_zone(7, BERLIN)
    with pytest.raises(AskedError, match=r"no time zone 'europe/berlin'.*Europe/Berlin"):
        set_zone(70, "europe/berlin")


def test_the_form_sets_it_and_wants_a_reason(
    named: NameBrands, settings: MergeSettings, query: Query, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in environment_of(settings).items():
        monkeypatch.setenv(name, value)
    named((70, "Copper Kitchen", None))
    form = {"brand_id": 70, "time_zone": " Asia/Kolkata ", "reason": "they are in Pune"}
    with pytest.raises(AskedError, match="reason: it is empty"):
        zones.set_by_form(form | {"reason": " "}, "ann")
    why = "SELECT time_zone, time_zone_reason AS reason, time_zone_set_by AS set_by FROM brands"
    assert query(why) == [{"time_zone": "UTC", "reason": None, "set_by": None}]
    assert zones.set_by_form(form, "ann").endswith("before UTC")
    told = [{"time_zone": KOLKATA, "reason": "they are in Pune", "set_by": "ann"}]
    assert query(why) == told
    zones.set_by_form(form | {"reason": "the same again"}, "bob")
    named((70, "Renamed", None))
    assert query(why) == told
    (at,) = query("SELECT time_zone_set_at AS set_at FROM brands")
    assert abs(naive(datetime.now(UTC)) - at["set_at"]) < timedelta(minutes=1)


@pytest.mark.parametrize(
    ("first_day", "count", "around_two"),
    [(date(2026, 3, 29), 23, ["01:00", "03:00"]), (date(2026, 10, 25), 25, ["01:00", "02:00", "02:00 again", "03:00"])],
)
def test_hours_are_named_by_the_clock(first_day: date, count: int, around_two: list[str]) -> None:
    period = Period(first_day, 1, BERLIN)
    names = [number_name(f"hour {n}", period, {}) for n in range(len(period.hours))]
    assert (len(names), names[1 : 1 + len(around_two)]) == (count, around_two)
    chart = charts.by_hour(period, [(1, 0)] * count, [100 + n for n in range(24)])
    assert [bar.label.partition(":00")[0] for bar in chart.bars][:2] == ["00", "01"]
    at_three = 103 if count == 25 else 102 + 103  # of the hour that is left out now, too
    labels = [bar.label for bar in chart.bars]
    assert f"{around_two[-1]}: 1 repins, 0 comments; before {at_three} together" in labels
    assert ("02:00 again: 1 repins, 0 comments; no such hour before" in labels) == (count == 25)


CLOCKS = [BERLIN, "Australia/Lord_Howe", "Pacific/Chatham", "Asia/Beirut", "America/Nuuk", "Antarctica/Troll"]


@pytest.mark.parametrize("time_zone", CLOCKS)
@pytest.mark.parametrize("days", [1, 7])
def test_the_hours_before_are_each_counted_once(time_zone: str, days: int) -> None:
    """On all days of a year: those with 23, 24 and 25 hours, those after them, and those with half an hour."""
    sizes = set()
    for n in range(0, 366, 1 if days == 1 else 5):
        period = Period(date(2026, 1, 1) + timedelta(days=n), days, time_zone)
        before = [2**hour for hour in range(len(period.before.hours))]  # so that no two sums are the same by chance
        found = period.aligned(before)
        sizes.add(len(found))
        assert len(found) == len(period.hours)
        assert sum(value or 0 for value in found) == sum(before), period.key
        clock = [(period.day_of(h), h.local.hour) for h in period.before.hours]
        for hour, value in zip(period.hours, found, strict=True):
            is_there = (period.day_of(hour), hour.local.hour) in clock
            assert (value is not None) or not is_there or hour.local.fold, f"{period.key} {hour.local}"
    assert len(sizes) > 1


def test_a_week_with_a_change_of_clocks_has_seven_days_and_their_hours() -> None:
    week = Period(date(2026, 10, 19), 7, BERLIN)
    hours = [(1, 0)] * len(week.hours)
    assert len(hours) == 169
    assert [b.label.split(":")[1] for b in charts.by_day(week, hours, [0] * 168).bars][5:] == [
        " 24 repins, 0 comments; before 0 together", " 25 repins, 0 comments; before 0 together",
    ]  # fmt: skip
    cells = charts.heat_map(week, hours).cells
    assert len(cells) == 168
    assert [c.label for c in cells if c.label.endswith(": 2")] == ["Sun 25 October 02:00: 2"]
    assert words.moment(naive(MORNING_AFTER), KOLKATA) == "15 March 2026, 10:00 Asia/Kolkata"

"""Reports made from merged events: their content, and how reruns, late data and failures change them."""

import json
import random
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pymysql
import pytest

from pinwheel.clients import memsql
from pinwheel.clients.kafka import Held
from pinwheel.clients.memsql import Connection, Row
from pinwheel.core.contract import TABLES
from pinwheel.core.errors import AskedError, MemsqlError, ReportError
from pinwheel.core.settings import MailSettings, MergeSettings, ReportSettings
from pinwheel.reports import make, read, revisions
from pinwheel.reports import run as tasks
from pinwheel.reports.numbers import Group, Numbers, Totals
from pinwheel.reports.page import page
from pinwheel.reports.period import Period
from pinwheel.reports.revisions import Report
from pinwheel.reports.store import Store
from tests.support.brand_reports import DAY, MORNING_AFTER, Clock, NameBrands, NewMaker, RunReports, at, some
from tests.support.lakes import NOON, delete, event, update
from tests.support.sql_files import header
from tests.support.types import MergeEvents, Query

WEEK = Period(date(2026, 3, 9), 7)
Listed = Callable[[], list[tuple[Any, ...]]]  # the reports that are listed


@pytest.fixture
def reports(query: Query) -> Listed:
    """The reports that are listed, as brand, first day, days, revision, engagement."""

    def ask() -> list[tuple[Any, ...]]:
        rows = query("SELECT * FROM brand_reports ORDER BY first_day, days, brand_id, revision")
        return [(r["brand_id"], r["first_day"].day, r["days"], r["revision"], r["engagement"]) for r in rows]

    return ask


def test_numbers_are_those_of_a_plain_count(merged: MergeEvents, connection: Connection) -> None:
    dice = random.Random(7)
    events = [
        event(
            dice.choice(["repin", "repin", "comment", "pin"]),
            f"e{n}",
            n,
            user_id=dice.randint(1, 40),
            pin_id=dice.randint(1, 12),
            brand_id=dice.choice([70, 71]),
            category=dice.choice(["travel", "food", None]),
            country_code=dice.choice(["NL", "US", None]),
            occurred_at=at(dice.uniform(-24 * 8, 24 * 7)),
        )
        for n in range(800)
    ]
    merged(events)
    period = Period(date(2026, 3, 13), 7)
    for brand, told in read.read(connection, period, [70, 71]).items():
        mine = [e for e in events if e["brand_id"] == brand]
        now, before = (_in(mine, p) for p in (period, period.before))
        assert (told.now, told.before) == (_totals(now), _totals(before))
        assert told.hours == tuple(_by_hour(now, period))
        assert told.hours_before == tuple(map(sum, _by_hour(before, period.before)))
        assert tuple(replace(g, title=None, category=None) for g in told.pins) == _groups(
            now, before, lambda e: str(e["pin_id"])
        )
        assert told.categories == _groups(now, before, lambda e: e["category"] or "(none)")
        people = defaultdict(set)
        for e in now:
            if e["event_type"] != "pin":
                people[e["country_code"] or "ZZ"].add(e["user_id"])
        assert {g.key: g.people for g in told.countries} == {c: len(found) for c, found in people.items()}


def _in(events: list[Row], period: Period) -> list[Row]:
    return [e for e in events if period.start <= e["occurred_at"].replace(tzinfo=None) < period.end]


def _totals(events: list[Row]) -> Totals:
    kinds = Counter(e["event_type"] for e in events)
    people, pinners = ({e["user_id"] for e in events if (e["event_type"] == "pin") is made} for made in (False, True))
    return Totals(kinds["repin"], kinds["comment"], kinds["pin"], len(people), len(pinners))


def _by_hour(events: list[Row], period: Period) -> list[tuple[int, int]]:
    found = [[0, 0] for _ in range(24 * period.days)]
    for e in events:
        if e["event_type"] != "pin":
            hour = int((e["occurred_at"].replace(tzinfo=None) - period.start) / timedelta(hours=1))
            found[hour][e["event_type"] == "comment"] += 1
    return [(repins, comments) for repins, comments in found]


def _groups(now: list[Row], before: list[Row], key: Callable[[Row], str]) -> tuple[Group, ...]:
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for name, events in (("now", now), ("before", before)):
        for e in events:
            if e["event_type"] != "pin":
                counts[key(e)][f"{name} {e['event_type']}"] += 1
    found = [
        Group(k, c["now repin"], c["now comment"], c["before repin"] + c["before comment"]) for k, c in counts.items()
    ]
    return tuple(sorted((g for g in found if g.engagement), key=lambda g: (-g.engagement, len(g.key), g.key)))


def test_a_burst_is_a_trend_and_what_is_big_is_none(merged: MergeEvents, connection: Connection) -> None:
    merged(
        some("big", 60, 0, pin_id=1)
        + some("bigger", 60, 100, pin_id=1, occurred_at=at(12, -1))
        + some("burst", 30, 200, pin_id=2, category="art")
        + some("was", 4, 300, pin_id=2, category="art", occurred_at=at(9, -1))
    )
    told = read.read(connection, DAY, [70])[70]
    assert [(t.kind, t.group.key, t.group.engagement, t.group.before) for t in told.trends] == [
        ("pin", "2", 30, 4),
        ("category", "art", 30, 4),
    ]
    assert 0 < told.trends[0].chance < 1e-4


def test_all_brands_get_a_report_known_or_not_busy_or_not(
    merged: MergeEvents, named: NameBrands, run: RunReports, reports: Listed, store: Store, query: Query
) -> None:
    named((1, "Copper Kitchen", None), (2, "Quiet", None))
    merged(some("a", 3, brand_id=1) + some("b", 2, 10, brand_id=77) + [event("pin", "p", 20, title="A garden")])
    assert run() == {"made": 4}
    assert reports() == [(1, 14, 1, 1, 3), (2, 14, 1, 1, 0), (70, 14, 1, 1, 0), (77, 14, 1, 1, 2)]
    html = {
        r["brand_id"]: store.read(f"{r['folder']}/report.html").decode() for r in query("SELECT * FROM brand_reports")
    }
    assert "Copper Kitchen" in html[1]
    assert "A garden" in html[1]
    assert "Nothing happened" in html[2]
    assert "brand 77" in html[77]


def test_the_same_run_twice_changes_nothing(
    merged: MergeEvents, run: RunReports, query: Query, report_settings: ReportSettings
) -> None:
    merged(some())
    assert run() == {"made": 1}
    before = query("SELECT * FROM brand_reports")
    assert run() == {"unchanged": 1}
    assert query("SELECT * FROM brand_reports") == before


def test_late_events_make_a_revision_that_says_what_changed(
    merged: MergeEvents, run: RunReports, query: Query, store: Store, clock: Clock
) -> None:
    merged(some("r", 3))
    run()
    clock.now += timedelta(days=1)
    merged([event("comment", "late", 99, user_id=50, occurred_at=at(13), country_code="US")])
    assert run() == {"revised": 1}
    first, second = query("SELECT * FROM brand_reports ORDER BY revision")
    assert (first["engagement"], second["engagement"], second["revision"]) == (3, 4, 2)
    assert first["folder"] != second["folder"]
    found = {c["name"]: (c["before"], c["after"]) for c in json.loads(second["changes"])}
    assert found["total engagement"] == (3, 4)
    assert found["total comments"] == (0, 1)
    assert found["hour 13"] == (0, 1)
    assert found["country US"] == (None, 1)
    assert second["change_count"] == len(found)
    html = store.read(f"{second['folder']}/report.html").decode()
    assert "What changed since revision 1" in html
    assert "13:00" in html
    assert b"total engagement,3,4" in store.read(f"{second['folder']}/changes.csv")
    assert "What changed" not in store.read(f"{first['folder']}/report.html").decode(), "the first stays as it was"


def test_an_erasure_and_a_corrected_brand_make_revisions(
    merged: MergeEvents, maker: NewMaker, reports: Listed, settings: MergeSettings
) -> None:
    merged(some("r", 3))
    maker().due()
    delete(settings.lake_uri, "event_id = 'r0'")
    update(settings.lake_uri, "event_id = 'r1'", {"brand_id": "71"})
    merged()
    maker().due()
    days = [row for row in reports() if row[2] == 1]
    assert days == [(70, 14, 1, 1, 3), (70, 14, 1, 2, 1), (71, 14, 1, 1, 1)]
    delete(settings.lake_uri, "brand_id = 70")
    merged()
    maker().due()
    assert (70, 14, 1, 3, 0) in reports(), "a day of which nothing is left"


def test_the_schedule_makes_the_day_the_week_and_what_was_missed(
    merged: MergeEvents, named: NameBrands, maker: NewMaker, reports: Listed, clock: Clock
) -> None:
    named((70, "Copper Kitchen", None))
    clock.now = datetime(2026, 3, 16, 4, 30, tzinfo=UTC)  # a Monday
    merged(some("a", 2, occurred_at=at(12, -2)) + some("b", 3, 10, occurred_at=at(12, 1)))
    due = maker()
    due.due()
    assert reports() == [
        (70, 9, 7, 1, 5), (70, 12, 1, 1, 2), (70, 13, 1, 1, 0), (70, 14, 1, 1, 0), (70, 15, 1, 1, 3),
    ]  # fmt: skip
    again = maker()
    again.due()
    assert set(again.tally.counts()) <= {"unchanged"}


def test_the_schedule_looks_anew_at_what_changed_alone(
    merged: MergeEvents, maker: NewMaker, reports: Listed, clock: Clock, connection: Connection
) -> None:
    merged(some("a", 2) + some("b", 3, 10, occurred_at=at(12, -1), brand_id=71))
    maker().due()
    clock.now += timedelta(days=9)
    with connection.cursor() as cursor:  # as if all that were long ago
        cursor.execute("UPDATE brand_daily SET updated_at = updated_at - INTERVAL 1 DAY")
        cursor.execute("UPDATE brand_reports SET is_complete = 1")
    connection.commit()
    quiet = maker(report_periods="day", report_catch_up_days=1)
    quiet.due()
    assert {
        outcome for (day, _), outcome in quiet.tally.outcomes.items() if day in ("2026-03-14-1d", "2026-03-13-1d")
    } == set()
    merged([event("repin", "late", 99, occurred_at=at(10))])
    looked = maker(report_periods="day", report_catch_up_days=1)
    looked.due()
    assert looked.tally.outcomes[("2026-03-14-1d", 70)] == "revised"
    assert ("2026-03-13-1d", 71) not in looked.tally.outcomes


def test_nothing_merged_is_nothing_to_do(maker: NewMaker, reports: Listed) -> None:
    maker().due()
    assert reports() == []


@pytest.mark.parametrize(
    ("period", "brand_ids", "says"),
    [
        (
            Period(date(2020, 1, 1), 1),
            [],
            "nothing to report for 1 days from 2020-01-01: the first day with events is 2026-03-14",
        ),
        (DAY, [70, 999, 5], "unknown brands: 999, 5"),
    ],
)
def test_what_can_t_be_reported_says_why(
    period: Period, brand_ids: list[int], says: str, merged: MergeEvents, run: RunReports, reports: Listed
) -> None:
    merged(some())
    with pytest.raises(AskedError, match=says):
        run(period, brand_ids)
    assert reports() == []


def test_a_period_whose_rows_are_gone_is_not_reported(
    merged: MergeEvents, run: RunReports, maker: NewMaker, reports: Listed, connection: Connection
) -> None:
    """Its report stays as it was made, also where the period before it is needed."""
    merged(some())
    run()
    before = reports()
    for kept_from in (DAY.first_day, DAY.first_day + timedelta(days=1)):
        with memsql.transaction(connection):
            memsql.execute(connection, "operate/retention/move", {"store": "events", "kept_from": kept_from})
            connection.cursor().execute("DELETE FROM repins")
        with pytest.raises(AskedError, match=f"can't be made: the tables keep rows from {kept_from}"):
            run()
        maker().due()
        assert reports() == before


def test_before_anything_is_merged_it_says_so(run: RunReports, settings: MergeSettings) -> None:
    with pytest.raises(AskedError, match="nothing has been merged yet"):
        run()


def test_a_day_without_data_between_others_has_reports(merged: MergeEvents, run: RunReports, reports: Listed) -> None:
    merged(some("a", 2, occurred_at=at(12, -3)) + some("b", 1, 9, occurred_at=at(12, 0)))
    assert run(Period(date(2026, 3, 12), 1)) == {"made": 1}
    assert reports() == [(70, 12, 1, 1, 0)]


def test_some_brands_may_be_asked_for(merged: MergeEvents, run: RunReports, reports: Listed) -> None:
    merged(some("a", 2) + some("b", 2, 10, brand_id=71))
    assert run(DAY, [71]) == {"made": 1}
    assert [row[0] for row in reports()] == [71]


def test_it_is_complete_when_kafka_holds_no_more(
    merged: MergeEvents, run: RunReports, held: dict[int, Held], query: Query, store: Store
) -> None:
    merged(some("r", 3))
    held[0] = Held(0, 10)
    run()
    held[0] = Held(0, 3)
    assert run() == {"revised": 1}
    held.clear()
    assert run() == {"unchanged": 1}, "Kafka that is away takes nothing back"
    first, second = query("SELECT * FROM brand_reports ORDER BY revision")
    assert (first["is_complete"], first["complete_through"]) == (0, NOON.replace(tzinfo=None))
    assert (second["is_complete"], second["complete_through"]) == (1, MORNING_AFTER.replace(tzinfo=None))
    assert second["change_count"] == 0
    html = store.read(f"{second['folder']}/report.html").decode()
    assert "It was not complete then." in html
    assert "No number changed." in html


def test_the_verdict_of_the_checks_is_in_it(
    merged: MergeEvents, run: RunReports, query: Query, connection: Connection
) -> None:
    merged(some("r", 3))
    checked(connection, range(24))
    run()
    checked(connection, [12], severity="critical", is_met=0, measure="row_count")
    run()
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM dq_results")
    connection.commit()
    assert run() == {"unchanged": 1}, "verdicts are forgotten after weeks, reports keep theirs"
    assert [r["verdict"] for r in query("SELECT * FROM brand_reports ORDER BY revision")] == ["passed", "failed"]


def checked(
    connection: Connection,
    hours_of_day: Iterable[int],
    severity: str = "warning",
    is_met: int = 1,
    measure: str = "null_share",
) -> None:
    sql = "INSERT INTO dq_results VALUES (%s, %s, %s, 'x', %s, %s, NULL, NULL, NULL, NOW())"
    with connection.cursor() as cursor:
        cursor.executemany(sql, [
            (table, datetime(2026, 3, 14, hour), measure, severity, is_met)
            for table in ("pins", "repins", "comments") for hour in hours_of_day
        ])  # fmt: skip
    connection.commit()


def test_a_period_that_was_checked_in_part_is_unchecked(connection: Connection, settings: MergeSettings) -> None:
    checked(connection, range(20))
    told = read.quality(connection, DAY)
    assert (told.verdict, told.checked_hours) == ("unchecked", 20)


def test_dying_before_it_is_listed_is_mended_by_the_next_run(
    merged: MergeEvents,
    run: RunReports,
    reports: Listed,
    monkeypatch: pytest.MonkeyPatch,
    report_settings: ReportSettings,
) -> None:
    merged(some("a", 2) + some("b", 3, 10, brand_id=71) + some("c", 4, 20, brand_id=72))
    insert = revisions.insert

    def dies(connection: Connection, report: Report, mail: str) -> None:
        if report.brand.brand_id == 71:
            raise KeyboardInterrupt
        insert(connection, report, mail)

    monkeypatch.setattr(revisions, "insert", dies)
    with pytest.raises(KeyboardInterrupt):
        run()
    assert [row[0] for row in reports()] == [70]
    monkeypatch.setattr(revisions, "insert", insert)
    assert run() == {"unchanged": 1, "made": 2}
    assert [(row[0], row[3]) for row in reports()] == [(70, 1), (71, 1), (72, 1)]


def test_one_brand_s_failure_stops_no_other_and_is_told(
    merged: MergeEvents, maker: NewMaker, reports: Listed, monkeypatch: pytest.MonkeyPatch
) -> None:
    merged(some("a", 2) + some("b", 3, 10, brand_id=71) + some("c", 4, 20, brand_id=72))
    monkeypatch.setattr(make, "page", lambda report: 1 / 0 if report.brand.brand_id == 71 else page(report))
    made = maker()
    made.asked(DAY, [])
    assert made.tally.counts() == {"made": 2, "failed": 1}
    assert made.tally.failed == {"brand 71 (71), 2026-03-14-1d": "ZeroDivisionError: division by zero"}
    assert [row[0] for row in reports()] == [70, 72]
    with pytest.raises(ReportError, match=r"1 failed:\nbrand 71 \(71\), 2026-03-14-1d: ZeroDivisionError"):
        tasks.require_none(made.tally.failed, {})


def test_a_brand_that_the_database_refuses_stops_no_other(
    merged: MergeEvents, maker: NewMaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    merged(some("a", 2) + some("b", 3, 10, brand_id=71) + some("c", 4, 20, brand_id=72))

    def refuses(connection: Connection, period: Period, ids: Sequence[int]) -> dict[int, Numbers]:
        if 71 in ids:
            raise pymysql.err.DataError(1690, "out of range")
        return read.read(connection, period, ids)

    monkeypatch.setattr(make, "read", refuses)
    made = maker()
    made.asked(DAY, [])
    assert made.tally.counts() == {"made": 2, "failed": 1}


def thread_of(maker: make.Maker) -> int:
    assert maker._connection is not None
    return int(maker._connection.thread_id())  # type: ignore[no-untyped-call]


def test_the_database_away_in_the_middle_is_waited_for(
    merged: MergeEvents, maker: NewMaker, reports: Listed, monkeypatch: pytest.MonkeyPatch, query: Query
) -> None:
    merged(some("a", 2) + some("b", 3, 10, brand_id=71) + some("c", 4, 20, brand_id=72))
    made, killed = maker(), list[int]()

    def kill_once(report: Report) -> str:
        if report.brand.brand_id == 71 and not killed:
            killed.append(thread_of(made))
            query(f"KILL {killed[0]}")
        return page(report)

    monkeypatch.setattr(make, "page", kill_once)
    made.asked(DAY, [])
    assert killed
    assert made.tally.counts() == {"made": 3}
    assert [row[0] for row in reports()] == [70, 71, 72]


def test_a_database_that_stays_away_fails_the_task_after_some_attempts(
    report_settings: ReportSettings, store: Store
) -> None:
    waits = list[float]()
    nowhere = report_settings.model_copy(update={"memsql_port": 1})
    away = make.Maker(nowhere, MailSettings(), store, lambda: NOON, waits.append)
    with pytest.raises(MemsqlError, match="no connection to"):
        away.due()
    assert waits == [1, 2, 4, 8, 16]


def test_two_runs_at_once_list_a_revision_once(
    merged: MergeEvents, maker: NewMaker, reports: Listed, monkeypatch: pytest.MonkeyPatch
) -> None:
    merged(some())
    other = maker()

    def overtaken(report: Report) -> str:
        monkeypatch.setattr(make, "page", page)
        other.asked(DAY, [])
        return page(report)

    monkeypatch.setattr(make, "page", overtaken)
    slow = maker()
    slow.asked(DAY, [])
    assert other.tally.counts() == {"made": 1}
    assert slow.tally.counts() == {"failed": 1}
    assert "IntegrityError" in next(iter(slow.tally.failed.values()))
    assert len(reports()) == 1


def test_a_merge_between_two_statements_is_in_none_of_them(
    merged: MergeEvents, report_settings: ReportSettings, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    merged(some("a", 2))
    fetch = memsql.fetch

    def merging(asking: Connection, name: str, *rest: Any) -> list[Row]:
        rows = fetch(asking, name, *rest)
        if name == "reports/hours":
            monkeypatch.setattr(memsql, "fetch", fetch)
            merged(some("b", 3, 10))
        return rows

    monkeypatch.setattr(memsql, "fetch", merging)
    reading = memsql.connect(report_settings)
    told = read.read(reading, DAY, [70])[70]
    reading.close()
    assert told.now.engagement == sum(g.engagement for g in told.countries) == sum(g.engagement for g in told.pins) == 2


def test_a_revision_from_before_pinners_were_counted_apart_stays_until_something_else_changes(
    merged: MergeEvents, run: RunReports, connection: Connection, query: Query
) -> None:
    merged([*some("a", 3), event("pin", "p", 20, user_id=99)])
    assert run() == {"made": 1}
    stored = json.loads(query("SELECT numbers FROM brand_reports")[0]["numbers"])
    for totals in (stored["now"], stored["before"]):
        totals["people"] += totals.pop("pinners")
    with connection.cursor() as cursor:
        cursor.execute("UPDATE brand_reports SET digest = 'x', numbers = %s", (json.dumps(stored),))
    connection.commit()
    assert run() == {"unchanged": 1}
    merged(some("b", 1, 30))
    assert run() == {"revised": 1}
    names = {c["name"] for c in json.loads(query("SELECT changes FROM brand_reports WHERE revision = 2")[0]["changes"])}
    assert "total repins" in names
    assert not names & {"total people", "total pinners", "before people"}


def test_every_table_that_numbers_are_counted_from_counts_for_completeness() -> None:
    counted = set()
    for name in ("hours", "people", "countries", "engagement"):
        counted |= {t for t in TABLES if t in header(memsql.SQL_DIR / "reports" / f"{name}.sql")["reads"].split(", ")}
    assert counted == {"pins", "repins", "comments"}


def test_a_task_that_failed_as_a_whole_is_told_beside_the_list() -> None:
    tasks.require_none({}, {})
    with pytest.raises(ReportError, match="failed as a whole"):
        tasks.require_none({}, None)
    with pytest.raises(ReportError, match=r"failed as a whole.*\n1 failed:\nb: no"):
        tasks.require_none({"b": "no"}, None)


@pytest.mark.parametrize(("text", "told"), [(None, []), ("", []), (" 3, 1,3 ", [3, 1]), ("7", [7])])
def test_brands_from_a_form(text: str | None, told: list[int]) -> None:
    assert tasks.numbers_in(text) == told


def test_brands_that_are_no_numbers_are_refused() -> None:
    with pytest.raises(AskedError, match="whole numbers separated by commas, not '1; 2'"):
        tasks.numbers_in("1; 2")
    with pytest.raises(AskedError, match="needs first_day"):
        tasks.make(None, 1, "7", False)

"""Whole hours on a real lake and a real database: correct hours pass, and each fault is named."""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from pinwheel.alerts.catalogue import Alert
from pinwheel.clients import memsql
from pinwheel.clients.memsql import Connection, Row
from pinwheel.core.contract import ROLLUP_TABLES, TABLES
from pinwheel.core.errors import AskedError, MemsqlError
from pinwheel.core.settings import MergeSettings, QualitySettings
from pinwheel.core.times import HOUR
from pinwheel.merge.gate import Gate
from pinwheel.merge.ledger import Shard
from pinwheel.quality import results
from pinwheel.quality.check import Checker, Outcome
from pinwheel.quality.judge import Judge
from pinwheel.quality.pages import FILES
from pinwheel.quality.run import check, due_hours, period
from pinwheel.rollup.rollups import Rollups
from tests.support import slices
from tests.support.lakes import NOON, delete, event, land, update
from tests.support.ledgers import merge_judged
from tests.support.types import MergeAll, Query

NOW = datetime(2026, 3, 14, 14, 20, tzinfo=UTC)
FETCHED = re.compile(r"""<(?:script|img)[^>]*\ssrc="([^"?]+)|<link[^>]*\shref="([^"]+[.]css)""")
QUARANTINE = "slice_id, row_num, table_name, event_id, kafka_partition, kafka_offset, reason, row_json"


def some(kind: str, count: int = 4) -> list[Row]:
    return [
        event(kind, f"{kind}{n}", 10 * n + len(kind), user_id=n + 11, text="é 👕" if kind == "comment" else None)
        for n in range(count)
    ]


@pytest.fixture
def full(settings: MergeSettings, merge_all: MergeAll) -> None:
    """A few events of every type, merged."""
    land(settings.lake_uri, [row for kind in ("pin", "repin", "comment", "login") for row in some(kind)])
    merge_all()


def unmet(outcome: Outcome) -> list[str]:
    return [v.measure for v in outcome.unmet]


def run(sql: str, connection: Connection) -> None:
    with connection.cursor() as cursor:
        assert cursor.execute(sql) > 0
    connection.commit()


def test_what_was_merged_agrees_with_the_lake(checker: Checker, full: None) -> None:
    outcomes = checker.hours([NOON], lambda: NOW)
    assert [(o.table, o.rows, unmet(o)) for o in outcomes] == [*((t, 4, []) for t in TABLES), ("rollups", 0, [])]


def test_a_merge_in_between_does_not_matter(
    checker: Checker, full: None, settings: MergeSettings, merge_all: MergeAll
) -> None:
    land(settings.lake_uri, [event("repin", "later", 99)])
    assert unmet(checker.table("repins", NOON, NOW)) == []
    merge_all()
    found = checker.table("repins", NOON, NOW)
    assert (found.rows, unmet(found)) == (5, [])


def test_buckets_with_queued_increments_are_not_wrong(
    checker: Checker, full: None, settings: MergeSettings, merge_all: MergeAll, connection: Connection, query: Query
) -> None:
    later = [event(kind, f"{kind} later", 90 + n, user_id=77) for n, kind in enumerate(("pin", "repin", "login"))]
    land(settings.lake_uri, later)
    update(settings.lake_uri, "event_id = 'comment1'", {"brand_id": "71", "category": "'food'"})
    merge_all(rolled_up=False)
    run("UPDATE country_hourly SET repins = 9 WHERE country_code = 'NL'", connection)
    assert unmet(checker.rollups(NOON, NOW)) == []
    assert query("SELECT * FROM stale_days") == []
    merge_all()
    assert unmet(checker.rollups(NOON, NOW)) == ["wrong_country_hourly"]


def test_a_queued_login_of_another_day_makes_no_home_wrong(
    checker: Checker, full: None, settings: MergeSettings, merge_all: MergeAll
) -> None:
    """A home counts the logins of all days; the person whose homes are checked at noon has id 12."""
    land(settings.lake_uri, [event("login", "next day", 90, user_id=12, occurred_at=NOON + 24 * HOUR)])
    merge_all(rolled_up=False)
    assert unmet(checker.rollups(NOON, NOW)) == []
    merge_all()
    assert unmet(checker.rollups(NOON, NOW)) == []


def test_the_rollups_and_the_queue_are_read_from_one_snapshot(
    checker: Checker,
    full: None,
    settings: MergeSettings,
    merge_all: MergeAll,
    query: Query,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A merge that commits while the rollups are checked: neither its rows nor its increments are seen."""
    land(settings.lake_uri, [event("repin", "meanwhile", 90)])
    wrong = checker._wrong

    def late(name: str, *given: Any) -> list[Row]:
        if name == ROLLUP_TABLES[0]:
            with memsql.connect(settings, local_infile=True) as another:
                slices.merge_all("repins", settings, another)
        return wrong(name, *given)

    monkeypatch.setattr(checker, "_wrong", late)
    assert unmet(checker.rollups(NOON, NOW)) == []
    assert len(query("SELECT slice_id FROM rollup_increments")) == 1


def test_a_wrong_rollup_is_made_anew_by_the_next_refresh(
    checker: Checker, full: None, connection: Connection, query: Query
) -> None:
    right = query("SELECT brand_id, hour, repins, unique_people FROM brand_hourly")
    run("UPDATE brand_hourly SET repins = repins + 1, unique_people = 9", connection)
    assert "wrong_brand_hourly" in unmet(checker.rollups(NOON, NOW))
    assert [row["day"] for row in query("SELECT day FROM stale_days")] == [NOON.date()]
    assert checker.rollups(NOON, NOW).verdicts == (), "until it is made anew, there is nothing to judge"

    Rollups().refresh(connection)

    assert query("SELECT * FROM stale_days") == []
    assert query("SELECT brand_id, hour, repins, unique_people FROM brand_hourly") == right
    assert unmet(checker.rollups(NOON, NOW)) == []


def test_redelivered_corrected_and_erased_rows_agree(
    checker: Checker, full: None, settings: MergeSettings, merge_all: MergeAll
) -> None:
    land(settings.lake_uri, [event("repin", "repin0", 500, user_id=11)])
    update(settings.lake_uri, "event_id = 'repin1'", {"brand_id": "71", "category": "'food'"})
    delete(settings.lake_uri, "event_id = 'repin2'")
    merge_all()
    found = checker.table("repins", NOON, NOW)
    assert (found.rows, unmet(found)) == (3, [])


def test_degrees_that_end_in_a_half_agree(checker: Checker, settings: MergeSettings, merge_all: MergeAll) -> None:
    degrees = [1.30785, 2.15685, -1.30785, 0.00005, -0.00005, 52.1, 179.99995, -33.868820]
    rows = [event("login", f"l{n}", n, user_id=n + 1, latitude=d, longitude=-d) for n, d in enumerate(degrees)]
    land(settings.lake_uri, rows)
    merge_all()
    assert unmet(checker.table("logins", NOON, NOW)) == []


def test_a_row_that_is_gone_from_the_reporting_table_is_named(
    checker: Checker, full: None, connection: Connection
) -> None:
    run("DELETE FROM repins WHERE event_id = 'repin3'", connection)
    found = checker.table("repins", NOON, NOW)
    assert unmet(found) == ["checksum", "row_count"]
    assert found.samples["row_count"] == [{"event_id": "repin3", "in_lake": True, "in_reporting_table": False}]


@pytest.mark.parametrize(
    "change",
    [
        "category = 'trip'",
        "category = NULL",
        "latitude = latitude + 0.001",
        "occurred_at = occurred_at + INTERVAL 1 SECOND",
    ],
)
def test_a_row_that_was_changed_is_named(checker: Checker, full: None, connection: Connection, change: str) -> None:
    run(f"UPDATE repins SET {change} WHERE event_id = 'repin3'", connection)
    found = checker.table("repins", NOON, NOW)
    assert unmet(found) == ["checksum"]
    assert [row["event_id"] for row in found.samples["checksum"]] == ["repin3"]


def test_quarantined_rows_are_not_missed(checker: Checker, full: None, connection: Connection) -> None:
    run("DELETE FROM repins WHERE event_id = 'repin3'", connection)
    run(
        f"INSERT INTO quarantine ({QUARANTINE}) VALUES (1, 1, 'repins', 'repin3', 0, 35, 'x', '{{}}')",
        connection,
    )
    assert unmet(checker.table("repins", NOON, NOW)) == []


def test_a_quarantined_row_of_an_earlier_log_takes_no_other_away(
    checker: Checker, full: None, connection: Connection
) -> None:
    """The place is the same, the event is another."""
    run(
        f"INSERT INTO quarantine ({QUARANTINE}) VALUES (1, 1, 'repins', 'of the old log', 0, 35, 'x', '{{}}'), "
        "(1, 2, 'repins', NULL, 0, 35, 'x', '{}')",
        connection,
    )
    assert unmet(checker.table("repins", NOON, NOW)) == []


def test_an_event_whose_first_delivery_is_in_quarantine_counts_by_its_next(
    checker: Checker, settings: MergeSettings, merge_all: MergeAll, connection: Connection
) -> None:
    land(settings.lake_uri, [event("repin", "twice", 1, user_id=-1), event("repin", "twice", 2, user_id=1)])
    merge_all()
    run("UPDATE repins SET user_id = 1, kafka_offset = 2", connection)
    assert unmet(checker.table("repins", NOON, NOW)) == ["checksum"]
    run(
        f"INSERT INTO quarantine ({QUARANTINE}) VALUES (1, 1, 'repins', 'twice', 0, 1, 'x', '{{}}')",
        connection,
    )
    assert unmet(checker.table("repins", NOON, NOW)) == []


@pytest.mark.parametrize(
    ("change", "rollup"),
    [
        ("UPDATE brand_hourly SET repins = repins + 1", "brand_hourly"),
        ("UPDATE brand_hourly SET unique_people = 9", "brand_hourly"),
        ("DELETE FROM brand_hourly", "brand_hourly"),
        ("UPDATE category_hourly SET comments = 0", "category_hourly"),
        ("UPDATE country_hourly SET repins = repins + 1", "country_hourly"),
        ("DELETE FROM pin_hourly", "pin_hourly"),
        ("DELETE FROM brand_daily", "brand_daily"),
        ("UPDATE brand_daily SET unique_people = 100", "brand_daily"),
        ("UPDATE brand_country_daily SET pins = 3", "brand_country_daily"),
        ("DELETE FROM people_daily", "people_daily"),
        ("DELETE FROM people_hourly", "people_hourly"),
        ("UPDATE people_daily SET bits = bits & ~(1 << 1)", "people_daily"),
        ("UPDATE person_homes SET country_code = 'AQ'", "person_homes"),
        ("UPDATE person_homes SET logins = logins + 1", "person_homes"),
        ("DELETE FROM person_homes", "person_homes"),
        ("DELETE FROM pin_firsts", "pin_firsts"),
        ("UPDATE pin_firsts SET pinned_at = pinned_at + INTERVAL 1 SECOND", "pin_firsts"),
        ("UPDATE pin_firsts SET repinned_at = NULL", "pin_firsts"),
    ],
)
def test_a_wrong_rollup_is_named_and_made_anew(
    checker: Checker, full: None, connection: Connection, query: Query, change: str, rollup: str
) -> None:
    assert unmet(checker.rollups(NOON, NOW)) == []
    assert query("SELECT * FROM stale_days") == []
    run(change, connection)
    found = checker.rollups(NOON, NOW)
    assert f"wrong_{rollup}" in unmet(found)
    assert found.samples[f"wrong_{rollup}"]
    Rollups().refresh(connection)
    assert unmet(checker.rollups(NOON, NOW)) == []


def test_a_first_that_no_row_says_is_named(checker: Checker, full: None, connection: Connection) -> None:
    run("UPDATE pin_firsts SET pinned_at = pinned_at - INTERVAL 1 SECOND", connection)
    assert unmet(checker.rollups(NOON - HOUR, NOW)) == ["wrong_pin_firsts"]


def test_an_empty_table_and_one_of_one_row_pass(checker: Checker, settings: MergeSettings, merge_all: MergeAll) -> None:
    land(settings.lake_uri, [event("login", "only", 0)])
    merge_all()
    assert [(o.rows, unmet(o)) for o in checker.hours([NOON], lambda: NOW)] == [
        (0, []), (0, []), (0, []), (1, []), (0, []),
    ]  # fmt: skip


def test_a_lake_that_lost_a_file_is_a_finding_and_the_other_tables_are_checked(
    checker: Checker, full: None, settings: MergeSettings, tmp_path: Path
) -> None:
    for path in (tmp_path / "lake" / "events").rglob("event_type=repin/*.parquet"):
        path.unlink()
    outcomes = {o.table: unmet(o) for o in checker.hours([NOON], lambda: NOW)}
    assert outcomes == {"pins": [], "repins": ["lake"], "comments": [], "logins": [], "rollups": []}


def test_an_hour_is_due_until_it_passed(
    quality: QualitySettings, checker: Checker, full: None, connection: Connection
) -> None:
    first = due_hours(connection, NOW, 3)
    assert first == [NOON - HOUR, NOON, NOON + HOUR]
    run("DELETE FROM logins WHERE event_id = 'login0'", connection)
    checker.hours(first, lambda: NOW)
    assert due_hours(connection, NOW, 3) == [NOON]


def test_an_hour_that_was_checked_in_part_is_due(checker: Checker, full: None, connection: Connection) -> None:
    """A check that died half-way has saved results of some tables only, and all of those passed."""
    checker.table("pins", NOON, NOW)
    assert due_hours(connection, NOW, 3) == [NOON - HOUR, NOON, NOON + HOUR]
    checker.hours([NOON], lambda: NOW)
    assert due_hours(connection, NOW, 3) == [NOON - HOUR, NOON + HOUR]


def test_checking_twice_keeps_one_verdict(checker: Checker, full: None, query: Query) -> None:
    checker.hours([NOON], lambda: NOW)
    before = query("SELECT * FROM dq_results"), query("SELECT * FROM dq_profiles")
    checker.hours([NOON], lambda: NOW)
    assert (query("SELECT * FROM dq_results"), query("SELECT * FROM dq_profiles")) == before
    assert before[0]
    assert before[1]


def test_one_failure_is_one_alert_and_one_recovery(
    quality: QualitySettings, full: None, connection: Connection
) -> None:
    told = []

    def go(word: str) -> Callable[[Alert, str, str], None]:
        return lambda kind, table, message: told.append((word, kind.name, table, message))

    run("DELETE FROM logins WHERE event_id = 'login0'", connection)
    check(quality, None, lambda: NOW, go("alert"), go("resolve"))
    (alert,) = [t for t in told if t[0] == "alert"]
    assert alert[1:3] == ("quality_failed", "logins")
    assert "row_count" in alert[3]
    assert "login0" in alert[3]
    assert ("resolve", "quality_failed", "logins") not in [t[:3] for t in told]
    told.clear()
    connection.rollback()
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM dq_results WHERE table_name = 'logins'")
        cursor.execute("UPDATE merge_shards SET version = -1 WHERE table_name = 'logins'")
    connection.commit()
    check(quality, None, lambda: NOW, go("alert"), go("resolve"))
    assert not [t for t in told if t[0] == "alert"]
    assert ("resolve", "quality_failed", "logins") in [t[:3] for t in told]


def test_data_docs_have_a_page_for_each_table(quality: QualitySettings, full: None) -> None:
    check(quality, ("2026-03-14T12:00", "2026-03-14T13:00"), lambda: NOW, lambda *_: None, lambda *_: None)
    index = quality.quality_dir / "gx" / "uncommitted" / "data_docs" / "local_site" / "index.html"
    pages = list(index.parent.glob("validations/*/2026-03-14T12/**/*.html"))
    assert {p.relative_to(index.parent / "validations").parts[0] for p in pages} == {*TABLES, "rollups"}
    assert "2026-03-14T12" in index.read_text()
    fetched = {(p, way) for p in [index, *pages] for found in FETCHED.findall(p.read_text()) for way in found if way}
    assert {way.partition("static/web/")[2] for _, way in fetched} >= set(FILES.values()), "the templates name others"
    assert [str(way) for page, way in fetched if not (page.parent / way).is_file()] == []


@pytest.mark.parametrize(
    ("start", "end", "said"),
    [
        ("yesterday", "2026-03-14", "must be times"),
        ("2026-03-14T12", "2026-03-14T12", "at least one hour"),
        ("2026-03-14T12", "2026-03-14T11", "at least one hour"),
        ("2025-03-14T12", "2026-03-14T11", "at most 35 days"),
        ("2026-03-14T12", "2026-03-14T15", "in the future"),
    ],
)
def test_a_period_that_can_not_be_says_why(start: str, end: str, said: str) -> None:
    with pytest.raises(AskedError, match=said):
        period(start, end, NOW, 35)


def test_a_period_is_whole_hours() -> None:
    assert period("2026-03-14T11:30", "2026-03-14T14:00+01:00", NOW, 35) == [NOON - HOUR, NOON]


def test_a_day_without_events_has_nothing_to_mind(checker: Checker, full: None) -> None:
    assert all(unmet(o) == [] for o in checker.hours([NOON.replace(year=2025)], lambda: NOW))


def test_a_database_that_is_away_is_one_clear_error(quality: QualitySettings) -> None:
    away = quality.model_copy(update={"memsql_port": 1})
    with pytest.raises(MemsqlError, match="no connection to"):
        check(away, None, lambda: NOW, lambda *_: None, lambda *_: None)


def test_what_is_remembered_is_what_was_found(checker: Checker, full: None, connection: Connection) -> None:
    checker.hours([NOON], lambda: NOW)
    (profile,) = results.past(connection, "repins", NOON + HOUR)
    assert (profile.rows, profile.shares["category"]) == (4, {"travel": 1.0})


def test_each_shard_is_compared_at_its_own_watermark(
    checker: Checker, settings: MergeSettings, connection: Connection, gate: Gate
) -> None:
    for first in range(2):
        land(settings.lake_uri, [event("repin", f"repin{n}", n, user_id=n) for n in range(first, 40, 2)])
        merge_judged(settings, connection, gate, Shard(0, 2))
        if not first:
            merge_judged(settings, connection, gate, Shard(1, 2))
    found = checker.table("repins", NOON, NOW)
    assert unmet(found) == []
    assert 20 < found.rows < 40, "one shard has merged both commits, the other one"


def test_an_event_that_came_again_at_another_time_is_missed_in_none_of_its_hours(
    checker: Checker, settings: MergeSettings, merge_all: MergeAll
) -> None:
    """The first delivery counts, and the second is in the books as conflicting."""
    land(
        settings.lake_uri, [event("repin", "twice", 1, occurred_at=NOON + HOUR), event("repin", "other", 2, user_id=2)]
    )
    merge_all()
    land(settings.lake_uri, [event("repin", "twice", 3, occurred_at=NOON), event("repin", "new", 4, user_id=4)])
    merge_all()
    assert [unmet(checker.table("repins", hour, NOW)) for hour in (NOON, NOON + HOUR)] == [[], []]


def test_a_row_whose_correction_is_in_quarantine_is_as_it_was(
    checker: Checker, full: None, settings: MergeSettings, connection: Connection, gate: Gate, query: Query
) -> None:
    update(settings.lake_uri, "event_id = 'repin1'", {"category": "'(none)'"})
    merge_judged(settings, connection, gate)
    assert [row["event_id"] for row in query("SELECT event_id FROM quarantine")] == ["repin1"]
    assert unmet(checker.table("repins", NOON, NOW)) == []
    run("UPDATE repins SET board_id = 6 WHERE event_id = 'repin2'", connection)
    assert unmet(checker.table("repins", NOON, NOW)) == ["checksum"]


def test_before_the_first_start_of_the_stream_nothing_is_wrong(
    checker: Checker, quality: QualitySettings, connection: Connection, judge: Judge, tmp_path: Path
) -> None:
    nowhere = quality.model_copy(update={"lake_uri": str(tmp_path / "nowhere")})
    outcomes = Checker(nowhere, connection, judge).hours([NOON], lambda: NOW)
    assert [(o.rows, unmet(o)) for o in outcomes] == [(0, [])] * (len(TABLES) + 1)

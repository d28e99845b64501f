"""Retention: old rows go, rollups stay, and nothing recomputes a day whose rows are gone."""

from collections.abc import Callable
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from deltalake import DeltaTable

from pinwheel.clients import memsql
from pinwheel.clients.memsql import Connection, Row
from pinwheel.core.contract import TABLES
from pinwheel.core.errors import QualityError
from pinwheel.core.settings import MergeSettings, RetentionSettings
from pinwheel.lake import events_table, expiry
from pinwheel.merge import ledger, rebuild
from pinwheel.merge.ledger import SupersededError
from pinwheel.merge.merge import merge
from pinwheel.operate import expire
from pinwheel.operate.expire import apply_retention
from pinwheel.quality import results
from pinwheel.rollup.rollups import Rollups, note_stale_day
from tests.support.dying import die_at
from tests.support.lakes import NOON, delete, event, hours, land, update
from tests.support.rebuilds import everything, work
from tests.support.slices import prepared
from tests.support.types import Query

OLD = NOON - timedelta(days=100)  # 2025-12-04
NOW = datetime(2026, 3, 14, 14, tzinfo=UTC)
KEPT_FROM = (NOW - timedelta(days=70)).date()
ROWS = ("pins", "repins", "comments", "logins", "pin_cache", "table_progress")
Apply = Callable[..., dict[str, int]]


def close_books(connection: Connection, through: str) -> None:
    with memsql.transaction(connection), connection.cursor() as cursor:
        cursor.execute(
            "REPLACE INTO books VALUES ('all', '', 0, '{}', '[]', 1, CURRENT_TIMESTAMP(6), %(through)s)",
            {"through": through},
        )


@pytest.fixture
def apply(settings: MergeSettings, connection: Connection, tmp_path: Path) -> Apply:
    """Applies retention with 70 days for tables and lake, unless said otherwise; rows that went, by store."""
    close_books(connection, "2099-12-31")
    values = settings.model_dump(include=set(RetentionSettings.model_fields))
    days = {"retain_event_days": 70, "retain_lake_days": 70, "retain_presence_days": 70}

    def go(dry_run: bool = False, now: datetime = NOW, **changed: int) -> dict[str, int]:
        made = RetentionSettings(**{**values, "reports_uri": str(tmp_path / "reports"), **days, **changed})
        return {one.store: one.rows for one in apply_retention(made, now, dry_run)}

    return go


def old_and_new() -> list[Row]:
    """Events of an old day and of today: in both, people and pins come again."""
    kinds = [kind.name for kind in TABLES.values()]
    return [
        event(
            kinds[n % 4],
            f"e{n}",
            n,
            user_id=n % 7,
            pin_id=n % 5,
            country_code=("NL", "US", None)[n % 3],
            occurred_at=(OLD if n < 60 else NOON) + hours(n % 20 / 10),
        )
        for n in range(80)
    ]


def rollups(query: Query) -> dict[str, list[Row]]:
    return {name: rows for name, rows in everything(query).items() if name not in ROWS}


def people(query: Query) -> list[Row]:
    return query("SELECT day, chunk, bits FROM people_daily ORDER BY day, chunk")


def test_old_rows_go_and_rollups_stay(settings: MergeSettings, query: Query, apply: Apply) -> None:
    land(settings.lake_uri, old_and_new())
    work(settings)
    before, bits = rollups(query), people(query)
    would = apply(dry_run=True)
    assert {t: would[t] for t in TABLES} == dict.fromkeys(TABLES, 15)
    assert len(query("SELECT * FROM repins")) == 20
    assert query("SELECT * FROM retention") == []

    gone = apply()
    assert gone == would
    assert (gone["lake"], gone["presence"] > 0) == (60, True)
    assert {t: len(query(f"SELECT * FROM {t}")) for t in TABLES} == dict.fromkeys(TABLES, 5)
    assert DeltaTable(settings.events_uri).to_pyarrow_dataset().count_rows() == 20
    work(settings)
    assert {t: len(query(f"SELECT * FROM {t}")) for t in TABLES} == dict.fromkeys(TABLES, 5)
    assert (rollups(query), people(query)) == (before, bits)
    assert set(apply().values()) == {0}


def test_a_day_whose_books_are_open_is_kept(settings: MergeSettings, connection: Connection, apply: Apply) -> None:
    land(settings.lake_uri, [*old_and_new(), event("dead_letter", None, 90, occurred_at=OLD)])
    work(settings)
    for through in (OLD.date() - timedelta(days=1), OLD.date()):
        close_books(connection, through.isoformat())
        would = apply(dry_run=True, retain_dead_letter_days=70)
        gone = apply(retain_dead_letter_days=70)
        assert would == gone
        is_closed = through == OLD.date()
        assert gone == {**gone, "repins": 15 * is_closed, "lake": 60 * is_closed, "dead_letters": int(is_closed)}


def test_by_default_no_row_of_tables_lake_and_reports_goes(settings: MergeSettings, query: Query, apply: Apply) -> None:
    land(settings.lake_uri, old_and_new())
    work(settings)
    before = everything(query)
    gone = apply(retain_event_days=0, retain_lake_days=0, retain_presence_days=93)
    assert set(gone) == {"dead_letters", "presence", "quarantine", "messages", "alerts", "silences", "pin_cache"}
    work(settings)
    assert everything(query) == before


def test_the_merge_does_not_take_expired_rows_of_the_lake_for_corrections(
    settings: MergeSettings, connection: Connection, query: Query, apply: Apply, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The commit stands between two that have rows, so that the feed would be read across it."""
    land(settings.lake_uri, old_and_new())
    work(settings)
    before = everything(query)
    land(settings.lake_uri, [event("repin", "x", 100)])
    uri, kept = settings.events_uri, date(2026, 1, 1)
    version = DeltaTable(uri).version()
    assert expiry.expire_events(uri, kept, version, dry_run=False) == 60
    land(settings.lake_uri, [event("repin", "y", 101)])
    feed_rows = [c.expires for c in events_table.recent_commits(DeltaTable(uri), 3)]
    assert feed_rows == [False, True, False]
    work(settings)
    after = everything(query)
    assert {row["event_id"] for row in after["repins"]} - {row["event_id"] for row in before["repins"]} == {"x", "y"}
    assert len(after["repins"]) == len(before["repins"]) + 2
    assert {t: after[t] for t in ("pins", "comments", "logins")} == {
        t: before[t] for t in ("pins", "comments", "logins")
    }


def test_the_lake_keeps_what_a_table_has_not_merged(settings: MergeSettings, apply: Apply, query: Query) -> None:
    land(settings.lake_uri, old_and_new())
    work(settings, "pins", "repins", "comments")
    assert apply()["lake"] == 0, "logins were never merged"
    work(settings)
    land(settings.lake_uri, [event("comment", "late", 200, occurred_at=OLD)])
    assert apply()["lake"] == 0, "this comment is not merged"
    work(settings)
    assert apply()["lake"] == 61


def test_days_are_kept_until_their_rollups_are_settled(
    settings: MergeSettings, connection: Connection, query: Query, apply: Apply
) -> None:
    land(settings.lake_uri, old_and_new())
    for table in TABLES:
        with closing(prepared(table, settings, connection)) as slice_:
            merge(slice_, connection)
    assert apply()["repins"] == 0, "the rollups do not have these rows"
    Rollups().refresh(connection)
    with memsql.transaction(connection):
        note_stale_day(connection, OLD.date())
    assert apply()["repins"] == 0, "the day is to be made anew from these rows"
    Rollups().refresh(connection)
    assert apply()["repins"] == 15


def test_a_day_whose_rows_are_gone_is_not_made_anew(
    settings: MergeSettings, connection: Connection, query: Query, apply: Apply, caplog: pytest.LogCaptureFixture
) -> None:
    land(settings.lake_uri, old_and_new())
    work(settings)
    before = rollups(query)
    apply()
    with memsql.transaction(connection):
        note_stale_day(connection, OLD.date())
        for table in TABLES:
            rebuild.note_stale_days(connection, table)
    assert {row["day"] for row in query("SELECT day FROM stale_days")} == {OLD.date(), NOON.date()}
    work(settings)
    assert rollups(query) == before
    assert query("SELECT * FROM stale_days") == []
    assert "rows are no longer kept" in caplog.text
    with pytest.raises(QualityError, match=f"keep rows from {KEPT_FROM}"):
        results.require_rows(connection, OLD)
    results.require_rows(connection, NOON)


def test_a_rebuild_brings_no_old_row_back(
    settings: MergeSettings, connection: Connection, query: Query, apply: Apply
) -> None:
    land(settings.lake_uri, old_and_new())
    work(settings)
    apply(retain_lake_days=0)
    before = everything(query)
    rebuild.request(connection, settings, list(TABLES), "ann")
    work(settings.model_copy(update={"merge_slice_rows": 1}))
    assert everything(query) == before
    assert query("SELECT * FROM quarantine") == []


def test_retention_waits_for_a_rebuild(
    settings: MergeSettings, connection: Connection, query: Query, apply: Apply
) -> None:
    land(settings.lake_uri, old_and_new())
    work(settings)
    rebuild.request(connection, settings, ["logins"], "ann")
    assert (apply(retain_lake_days=0)["logins"], query("SELECT * FROM retention WHERE store = 'events'")) == (0, [])
    work(settings)
    assert apply()["logins"] == 0, "its books are to be drawn up again"
    close_books(connection, "2099-12-31")
    assert apply()["logins"] == 15
    assert query("SELECT SUM(logins) AS n FROM expired_logins") == [{"n": 15}]


def test_a_part_that_was_prepared_before_days_expired_is_prepared_again(
    settings: MergeSettings, connection: Connection, query: Query, apply: Apply, monkeypatch: pytest.MonkeyPatch
) -> None:
    land(settings.lake_uri, old_and_new())
    work(settings)
    apply(retain_lake_days=0)
    rebuild.request(connection, settings, ["logins"], "ann")
    real, answers = ledger.kept_from, [date.min]
    monkeypatch.setattr(ledger, "kept_from", lambda *given: answers.pop() if answers else real(*given))
    work(settings)
    assert query("SELECT COUNT(*) AS n FROM logins") == [{"n": 5}]
    assert query("SELECT SUM(logins) AS n FROM expired_logins") == [{"n": 15}]


def test_a_rebuild_waits_until_expired_logins_are_counted(
    settings: MergeSettings, connection: Connection, query: Query, apply: Apply
) -> None:
    land(settings.lake_uri, old_and_new())
    work(settings)
    with pytest.MonkeyPatch.context() as patch:
        die_at(patch, "operate/retention/delete_logins", after=True)
        with pytest.raises(KeyboardInterrupt):
            apply(retain_lake_days=0)
    rebuild.request(connection, settings, ["logins"], "ann")
    work(settings)
    assert query("SELECT state FROM rebuilds") == [{"state": "exchanging"}]
    apply(retain_lake_days=0)
    work(settings)
    assert query("SELECT state FROM rebuilds") == []
    assert query("SELECT SUM(logins) AS n FROM expired_logins") == [{"n": 15}]


def test_a_late_event_of_a_gone_day_is_quarantined_not_counted_twice(
    settings: MergeSettings, connection: Connection, query: Query, apply: Apply
) -> None:
    land(settings.lake_uri, old_and_new())
    work(settings)
    apply()
    before = rollups(query)
    again = {**old_and_new()[1], "kafka_offset": 300}
    land(settings.lake_uri, [again, event("repin", "late", 301, occurred_at=OLD), event("repin", "new", 302)])
    work(settings)
    assert [r["event_id"] for r in query("SELECT event_id FROM quarantine ORDER BY event_id")] == ["e1", "late"]
    assert [r["event_id"] for r in query("SELECT event_id FROM repins WHERE event_id = 'new'")] == ["new"]
    after = rollups(query)
    assert [r for r in after["brand_daily"] if r["day"] == OLD.date()] == [
        r for r in before["brand_daily"] if r["day"] == OLD.date()
    ]
    (row,) = query("SELECT rows_read, inserted, quarantined FROM merge_slices ORDER BY slice_id DESC LIMIT 1")
    assert row == {"rows_read": 3, "inserted": 1, "quarantined": 2}


def test_a_correction_of_a_gone_day_is_not_quarantined(
    settings: MergeSettings, connection: Connection, query: Query, apply: Apply
) -> None:
    """As of an erasure; a letter that comes home is no correction."""
    land(settings.lake_uri, [*old_and_new(), event("dead_letter", None, 90, occurred_at=OLD)])
    work(settings)
    apply(retain_lake_days=0)
    before = everything(query)
    update(settings.lake_uri, "event_type = 'repin' AND kafka_offset < 60", {"category": "'food'"})
    work(settings)
    assert query("SELECT event_id FROM quarantine") == []
    assert everything(query) == before
    update(settings.lake_uri, "event_type = 'dead_letter'", {"event_type": "'repin'", "event_id": "'home'"})
    work(settings)
    assert query("SELECT event_id FROM quarantine") == [{"event_id": "home"}]


def test_a_slice_that_was_prepared_before_days_expired_is_prepared_again(
    settings: MergeSettings, connection: Connection, query: Query, apply: Apply
) -> None:
    land(settings.lake_uri, old_and_new())
    work(settings)
    land(settings.lake_uri, [{**old_and_new()[1], "kafka_offset": 300}])
    with closing(prepared("repins", settings, connection)) as slice_:
        apply()
        with pytest.raises(SupersededError, match="expired meanwhile"):
            merge(slice_, connection)
    with closing(prepared("repins", settings, connection)) as slice_:
        merge(slice_, connection)
    assert [r["event_id"] for r in query("SELECT event_id FROM quarantine")] == ["e1"]


def test_homes_and_firsts_still_know_what_is_gone(
    settings: MergeSettings, connection: Connection, query: Query, apply: Apply
) -> None:
    rows = [
        *(event("login", f"l{n}", n, user_id=1, country_code="US", occurred_at=OLD) for n in range(3)),
        event("login", "l3", 3, user_id=1, country_code=None, occurred_at=OLD),
        event("pin", "p1", 4, pin_id=1, occurred_at=OLD),
        event("repin", "r1", 5, pin_id=1, occurred_at=OLD + hours(1)),
        event("pin", "p2", 6, pin_id=2, occurred_at=OLD),
    ]
    land(settings.lake_uri, rows)
    work(settings)
    apply()
    later = [
        *(event("login", f"n{n}", 10 + n, user_id=1, country_code="NL") for n in range(2)),
        event("pin", "p1b", 20, pin_id=1),
        event("repin", "r1b", 21, pin_id=1),
        event("repin", "r2", 22, pin_id=2, occurred_at=NOON + hours(1)),
        event("repin", "r2b", 23, pin_id=2),
    ]
    land(settings.lake_uri, later)
    work(settings)
    assert query("SELECT country_code, logins FROM person_homes") == [{"country_code": "US", "logins": 3}]
    firsts = {row["pin_id"]: row for row in query("SELECT pin_id, pinned_at, repinned_at FROM pin_firsts")}
    plain = [at.replace(tzinfo=None) for at in (OLD, OLD + hours(1), NOON)]
    assert (firsts[1]["pinned_at"], firsts[1]["repinned_at"]) == (plain[0], plain[1])
    assert (firsts[2]["pinned_at"], firsts[2]["repinned_at"]) == (plain[0], plain[2])
    assert memsql.fetch(connection, "rollup/stale_days") == []


def test_people_of_a_day_without_presence_are_counted_again(
    settings: MergeSettings, query: Query, apply: Apply
) -> None:
    land(settings.lake_uri, old_and_new())
    work(settings)
    (before,) = query(f"SELECT repins, unique_people FROM brand_daily WHERE day = '{OLD.date()}'")
    apply(retain_event_days=0, retain_lake_days=0)
    assert query(f"SELECT * FROM presence WHERE day = '{OLD.date()}'") == []
    late = [event("repin", f"late{n}", 300 + n, user_id=user, occurred_at=OLD) for n, user in enumerate((0, 1, 99))]
    land(settings.lake_uri, late)
    work(settings)
    (after,) = query(f"SELECT repins, unique_people FROM brand_daily WHERE day = '{OLD.date()}'")
    assert (after["repins"] - before["repins"], after["unique_people"] - before["unique_people"]) == (3, 1)
    assert apply(retain_event_days=0, retain_lake_days=0)["presence"] > 0


STEPS = [
    ("operate/retention/move", False),
    ("operate/retention/delete_events", False),
    ("operate/retention/delete_events", True),
    ("operate/retention/keep_login_counts", True),
    ("operate/retention/delete_logins", True),
    ("operate/retention/delete_presence", True),
]


@pytest.mark.parametrize(("statement", "after"), STEPS)
def test_a_run_that_dies_is_finished_by_the_next(
    settings: MergeSettings,
    query: Query,
    apply: Apply,
    monkeypatch: pytest.MonkeyPatch,
    statement: str,
    after: bool,
) -> None:
    land(settings.lake_uri, old_and_new())
    work(settings)
    before = rollups(query)
    monkeypatch.setattr(expire, "STEP_ROWS", 4)
    with pytest.MonkeyPatch.context() as patch:
        die_at(patch, statement, after=after)
        with pytest.raises(KeyboardInterrupt):
            apply()
    land(settings.lake_uri, [event("login", "new", 400, user_id=3, country_code="US")])
    work(settings)
    assert {t: len(query(f"SELECT * FROM {t}")) >= 5 for t in TABLES} == dict.fromkeys(TABLES, True)
    for _ in range(2):
        apply()
    work(settings)
    assert {t: len(query(f"SELECT * FROM {t}")) for t in TABLES} == dict.fromkeys(TABLES, 5) | {"logins": 6}
    assert query("SELECT SUM(logins) AS n FROM expired_logins") == [{"n": 15}]
    assert {k: v for k, v in rollups(query).items() if k not in ("person_homes", "table_progress")} == {
        k: v for k, v in before.items() if k not in ("person_homes", "table_progress")
    }


def test_an_erasure_while_retention_is_halfway(settings: MergeSettings, query: Query, apply: Apply) -> None:
    """The row of a gone day is still in the table, presence is not: its rollups stay, and nothing fails."""
    land(settings.lake_uri, old_and_new())
    work(settings)
    before = rollups(query)
    apply(retain_event_days=0, retain_lake_days=0)
    with pytest.MonkeyPatch.context() as patch:
        die_at(patch, "operate/retention/delete_events")
        with pytest.raises(KeyboardInterrupt):
            apply()
    delete(settings.lake_uri, "event_id = 'e1'")
    work(settings)
    assert rollups(query) == before
    assert len(query("SELECT * FROM repins")) == 19
    apply()
    work(settings)
    assert rollups(query) == before


def insert(connection: Connection, sql: str, *rows: tuple[Any, ...]) -> None:
    with memsql.transaction(connection), connection.cursor() as cursor:
        cursor.executemany(sql, rows)


def test_other_stores_by_age(settings: MergeSettings, connection: Connection, query: Query, apply: Apply) -> None:
    old, new = datetime(2024, 1, 1), datetime(2026, 3, 1)
    insert(
        connection,
        "INSERT INTO quarantine (slice_id, row_num, table_name, reason, row_json, quarantined_at) "
        "VALUES (%s, 1, 'pins', 'x', '{}', %s)",
        (1, old),
        (2, new),
    )
    insert(
        connection,
        "INSERT INTO alerts (name, subject, severity, message, raised_at, resolved_at) VALUES (%s, '', '', '', %s, %s)",
        ("ended", old, old),
        ("open", old, None),
        ("recent", old, new),
    )
    insert(
        connection,
        "INSERT INTO alert_silences (name, subject, reason, silenced_by, silenced_at, until_at) "
        "VALUES (%s, '', '', '', %s, %s)",
        ("ended", old, old),
        ("recent", old, new),
    )
    insert(
        connection,
        "INSERT INTO alert_messages (receiver, title, body, posted_at, next_try_at, delivered_at) "
        "VALUES ('a', %s, '', %s, %s, %s)",
        ("sent", old, old, old),
        ("waits", old, old, None),
        ("recent", new, new, new),
    )
    insert(
        connection,
        "INSERT INTO pin_cache (pin_id, fetched_at) VALUES (%s, %s)",
        (-5, old),
        (7, old),
        (8, old),
        (9, new),
    )
    land(settings.lake_uri, [event("repin", "r", 1, pin_id=7), event("repin", "o", 2, pin_id=8, occurred_at=OLD)])
    land(settings.lake_uri, [{**event("dead_letter", None, 3), "event_date": old.date(), "occurred_at": None}])
    work(settings)
    would = apply(dry_run=True, retain_pin_days=80)
    gone = apply(retain_pin_days=80)
    assert gone == would
    named = {"quarantine": 1, "alerts": 1, "silences": 1, "messages": 1, "pin_cache": 2, "dead_letters": 1}
    assert {store: gone[store] for store in named} == named
    assert [r["pin_id"] for r in query("SELECT pin_id FROM pin_cache ORDER BY pin_id")] == [7, 9]
    assert [r["name"] for r in query("SELECT name FROM alerts ORDER BY name")] == ["open", "recent"]
    assert [r["title"] for r in query("SELECT title FROM alert_messages ORDER BY title")] == ["recent", "waits"]


def report(first_day: date, mail: str, folder: str) -> tuple[Any, ...]:
    return (1, first_day, 1, 1, first_day, first_day, 1, "passed", 0, 0, 0, 0, "[]", "{}", "d", folder, mail)


def test_reports_go_with_their_files(
    settings: MergeSettings,
    connection: Connection,
    query: Query,
    apply: Apply,
    tmp_path: Path,
) -> None:
    folders = {name: tmp_path / "reports" / name for name in ("old", "due", "new")}
    for folder in folders.values():
        folder.mkdir(parents=True)
        (folder / "report.html").write_text("x")
    names = (
        "brand_id, first_day, days, revision, made_at, read_at, is_complete, verdict, engagement, engagement_before, "
        "unique_people, change_count, changes, numbers, digest, folder, mail"
    )
    rows = [report(date(2025, 1, 1), "sent", "old"), report(date(2025, 1, 2), "due", "due")]
    rows.append(report(date(2026, 3, 1), "sent", "new"))
    insert(connection, f"INSERT INTO brand_reports ({names}) VALUES ({', '.join(['%s'] * 17)})", *rows)
    for statement in ("operate/retention/delete_report",):
        with pytest.MonkeyPatch.context() as patch:
            die_at(patch, statement)
            with pytest.raises(KeyboardInterrupt):
                apply(retain_report_days=100)
    assert apply(retain_report_days=100)["reports"] == 1
    assert [r["folder"] for r in query("SELECT folder FROM brand_reports ORDER BY first_day")] == ["due", "new"]
    assert [folder.exists() for folder in folders.values()] == [False, True, True]

"""An alert is sent once for as long as it lasts, and a failure to send it never stops the work."""

import logging
import re
import socket
from pathlib import Path

import pymysql
import pytest

from pinwheel.alerts import raising
from pinwheel.alerts.catalogue import (
    BOOKS_DIFFER,
    DRIVER_ALERTS,
    DRIVER_FAILING,
    MERGE_ALERTS,
    MERGE_FAILING,
    ROWS_QUARANTINED,
    SLICE_HELD,
    Alert,
)
from tests.support.alert_database import FakeDatabase
from tests.support.receivers import Inbox, kinds


def test_an_alert_is_logged_stored_and_sent(
    database: FakeDatabase, inbox: Inbox, caplog: pytest.LogCaptureFixture
) -> None:
    raising.raise_alert(SLICE_HELD, "repins", "slice 7 is held")

    (row,) = database.rows()
    assert row["resolved_at"] is None
    assert (row["name"], row["subject"], row["severity"]) == ("slice_held", "repins", "critical")
    assert (row["message"], row["runbook"]) == ("slice 7 is held", "docs/runbooks/merge_events.md")
    title, body = inbox.got[0]
    assert title == "CRITICAL: a slice of repins is held"
    assert body.startswith("slice 7 is held\nWhat it means: ")
    assert re.search(r"^Raised: 20\d\d-\d\d-\d\d \d\d:\d\d:\d\d UTC$", body, re.MULTILINE)
    assert "\nDo: fix what broke the rule" in body
    assert "docs/runbooks/merge_events.md" in body
    assert "slice 7 is held" in caplog.text


def test_raised_again_while_open_only_the_message_changes(database: FakeDatabase, inbox: Inbox) -> None:
    raising.raise_alert(SLICE_HELD, "repins", "first")
    raising.raise_alert(SLICE_HELD, "repins", "second")
    raising.raise_alert(SLICE_HELD, "repins", "second")

    assert [row["message"] for row in database.rows()] == ["second"]
    assert len(inbox.got) == 1


def test_another_subject_or_name_is_another_alert(database: FakeDatabase, inbox: Inbox) -> None:
    raising.raise_alert(SLICE_HELD, "repins", "a")
    raising.raise_alert(SLICE_HELD, "pins", "b")
    raising.raise_alert(MERGE_FAILING, "repins", "c")

    assert [row["message"] for row in database.rows(resolved_at=None)] == ["a", "b", "c"]
    assert len(inbox.got) == 3


def test_resolved_once_and_may_come_again(database: FakeDatabase, inbox: Inbox) -> None:
    raising.raise_alert(SLICE_HELD, "repins", "first")
    raising.raise_alert(SLICE_HELD, "pins", "stays")
    raising.resolve_alert(SLICE_HELD, "repins", "released")
    raising.resolve_alert(SLICE_HELD, "repins", "released")
    raising.raise_alert(SLICE_HELD, "repins", "again")

    assert [row["message"] for row in database.rows(resolved_at=None)] == ["stays", "again"]
    assert kinds(inbox) == ["CRITICAL", "CRITICAL", "RESOLVED", "CRITICAL"]
    title, body = inbox.got[2]
    assert title == "RESOLVED: a slice of repins is held"
    since = r"20\d\d-\d\d-\d\d \d\d:\d\d:\d\d UTC"
    assert re.fullmatch(rf"released\nLasted: [\d.]+ s, raised {since}\nAlert: slice_held, repins", body)


def test_nobody_is_told_that_what_never_was_is_over(database: FakeDatabase, inbox: Inbox) -> None:
    raising.resolve_alert(DRIVER_FAILING, "stream_engagement", "fine")
    assert (database.rows(), inbox.got) == ([], [])


def test_what_just_happens_is_sent_each_time_and_never_open(database: FakeDatabase, inbox: Inbox) -> None:
    raising.raise_alert(ROWS_QUARANTINED, "repins", "3 rows")
    raising.raise_alert(ROWS_QUARANTINED, "repins", "4 rows")

    assert [row["message"] for row in database.rows()] == ["3 rows", "4 rows"]
    assert database.rows(resolved_at=None) == []
    assert len(inbox.got) == 2


def test_what_just_happens_is_sent_whatever_the_table_says(database: FakeDatabase, inbox: Inbox) -> None:
    database.add("rows_quarantined", "repins")
    raising.raise_alert(ROWS_QUARANTINED, "repins", "3 rows")
    assert len(inbox.got) == 1


def test_what_lasts_is_resolved_by_somebody_and_nothing_else_is() -> None:
    sources = (path.read_text() for path in Path(raising.__file__).parents[1].rglob("*.py"))
    resolved = {
        name
        for source in sources
        for name in re.findall(r"(?:resolve\(|Latch\(|failing = )([A-Z_]+)(?=,| *$| +#)", source, re.MULTILINE)
    }
    assert {name.lower() for name in resolved} == {
        a.name for a in (*DRIVER_ALERTS, *MERGE_ALERTS, BOOKS_DIFFER) if a.lasting
    }  # health's are resolved by their measures, see test_health


def test_without_a_database_an_alert_is_logged_and_sent(
    database: FakeDatabase, inbox: Inbox, caplog: pytest.LogCaptureFixture
) -> None:
    database.away = True
    raising.raise_alert(DRIVER_FAILING, "stream_engagement", "it ended 3 times")
    raising.resolve_alert(DRIVER_FAILING, "stream_engagement", "it runs")

    assert kinds(inbox) == ["CRITICAL", "RESOLVED"]
    assert "it ended 3 times" in caplog.text
    assert "no connection to mariadb at nowhere" in caplog.text


def test_the_end_of_what_the_database_missed_is_told_once(database: FakeDatabase, inbox: Inbox) -> None:
    """This is the rule for alerts about the database itself."""
    database.away = True
    raising.raise_alert(MERGE_FAILING, "repins", "3 errors")
    database.away = False
    raising.resolve_alert(MERGE_FAILING, "repins", "a turn went through")
    raising.resolve_alert(MERGE_FAILING, "repins", "a turn went through")
    assert kinds(inbox) == ["CRITICAL", "RESOLVED"]


def test_an_end_that_the_database_missed_does_not_silence_the_next_alert(database: FakeDatabase, inbox: Inbox) -> None:
    raising.raise_alert(DRIVER_FAILING, "stream_engagement", "first")
    database.away = True
    raising.resolve_alert(DRIVER_FAILING, "stream_engagement", "over")
    database.away = False
    raising.raise_alert(DRIVER_FAILING, "stream_engagement", "second")
    raising.raise_alert(DRIVER_FAILING, "stream_engagement", "third")

    assert kinds(inbox) == ["CRITICAL", "RESOLVED", "CRITICAL"]
    assert [row["message"] for row in database.rows(resolved_at=None)] == ["third"]


def test_a_database_that_refuses_the_statement_stops_nothing(
    database: FakeDatabase, inbox: Inbox, caplog: pytest.LogCaptureFixture
) -> None:
    database.error = pymysql.err.ProgrammingError(1146, "Table 'pinwheel.alerts.raising' doesn't exist")
    raising.raise_alert(SLICE_HELD, "repins", "slice 7 is held")
    assert len(inbox.got) == 1
    assert "doesn't exist" in caplog.text


def test_bad_database_settings_stop_nothing(
    inbox: Inbox, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(raising, "_unstored", set())
    monkeypatch.setenv("PINWHEEL_MEMSQL_PORT", "none")
    raising.raise_alert(SLICE_HELD, "repins", "slice 7 is held")
    assert len(inbox.got) == 1
    assert "PINWHEEL_MEMSQL_PORT" in caplog.text


@pytest.mark.parametrize(("alert", "level"), [(SLICE_HELD, logging.ERROR), (ROWS_QUARANTINED, logging.WARNING)])
def test_an_alert_is_logged_as_severe_as_it_is(
    alert: Alert, level: int, database: FakeDatabase, inbox: Inbox, caplog: pytest.LogCaptureFixture
) -> None:
    raising.raise_alert(alert, "repins", "about slice 7")
    ours = [r for r in caplog.records if r.name.startswith("pinwheel")]
    assert [r.levelno for r in ours if "about slice 7" in r.getMessage()] == [level]


def test_no_urls_send_nothing_and_complain_about_nothing(
    database: FakeDatabase, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.delenv("PINWHEEL_ALERT_URLS", raising=False)
    raising.raise_alert(SLICE_HELD, "repins", "slice 7 is held")
    assert len(database.rows()) == 1
    assert [r for r in caplog.records if r.levelno == logging.WARNING] == []


def test_a_service_that_can_not_be_reached_is_logged(
    database: FakeDatabase, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # nothing listens here
        monkeypatch.setenv("PINWHEEL_ALERT_URLS", f"json://127.0.0.1:{taken.getsockname()[1]}")
        raising.raise_alert(SLICE_HELD, "repins", "slice 7 is held")
    assert re.search(
        r"not delivered receiver=json:\w{12} outcome=away: CRITICAL: a slice of repins is held", caplog.text
    )


def test_a_url_that_is_none_is_logged_and_the_others_are_told(
    database: FakeDatabase, inbox: Inbox, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("PINWHEEL_ALERT_URLS", f"no-such-service://secret {inbox.url}")
    raising.raise_alert(SLICE_HELD, "repins", "slice 7 is held")
    assert [title for title, _ in inbox.got] == [
        "CRITICAL: a slice of repins is held",
        "WARNING: a receiver did not take a message",
    ]
    assert "not delivered receiver=no-such-service" in caplog.text
    assert "secret" not in "".join(r.getMessage() for r in caplog.records if r.name.startswith("pinwheel"))


def test_a_service_that_raises_stops_nothing_and_tells_no_secret(
    database: FakeDatabase, inbox: Inbox, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def explode(*_: object, **__: object) -> bool:
        raise RuntimeError("json://user:password@host")

    monkeypatch.setattr("apprise.Apprise.notify", explode)
    raising.raise_alert(SLICE_HELD, "repins", "slice 7 is held")
    assert "not delivered" in caplog.text
    assert "password" not in caplog.text
    assert len(database.rows()) == 1


def test_with_an_address_a_message_links_to_what_it_is_about(
    database: FakeDatabase, inbox: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PINWHEEL_BASE_URL", "https://airflow.example/")
    raising.raise_alert(SLICE_HELD, "repins", "slice 7 is held")
    (_, body) = inbox.got[0]
    assert "Alert: slice_held, repins, https://airflow.example/pinwheel/health#alert-1\n" in body
    assert "Page: https://airflow.example/pinwheel/quality\n" in body
    assert "Runs: https://airflow.example/dags/merge_events/runs\n" in body
    assert body.endswith("Runbook: https://airflow.example/pinwheel/runbooks/merge_events")


@pytest.mark.parametrize("address", ["airflow.example.com", "javascript:alert(1)", " "])
def test_an_address_that_is_none_costs_the_links_alone(
    database: FakeDatabase, inbox: Inbox, monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    monkeypatch.setenv("PINWHEEL_BASE_URL", address)
    raising.raise_alert(SLICE_HELD, "repins", "slice 7 is held")
    assert inbox.got[0][1].endswith("Alert: slice_held, repins\nRunbook: docs/runbooks/merge_events.md")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("/srv/lake/events can't be read", "…/events can't be read"),
        ("'/srv/lake/events'", "'…/events'"),
        ("at file:///srv/lake/events", "at …/events"),
        ("see https://host/a/b/c", "see https://host/a/b/c"),
        ("s3://bucket/lake/events", "s3://bucket/lake/events"),
        ("1/2 of 3/4", "1/2 of 3/4"),
        ("and/or", "and/or"),
    ],
)
def test_no_folder_of_a_server_is_told(database: FakeDatabase, inbox: Inbox, text: str, told: str) -> None:
    raising.raise_alert(SLICE_HELD, "repins", text)
    assert inbox.got[0][1].splitlines()[0] == told
    assert database.rows()[0]["message"] == told


def test_the_end_of_what_only_people_know_is_told(database: FakeDatabase, inbox: Inbox) -> None:
    """The database was down when another process raised it."""
    raising.resolve_alert(SLICE_HELD, "repins", "released", was_sent=True)
    assert kinds(inbox) == ["RESOLVED"]

"""The health page's endpoints: their answers while a source is down, and the rights that actions need."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from pinwheel.alerts import listing, silences
from pinwheel.alerts.catalogue import ALERTS
from pinwheel.clients import memsql
from pinwheel.clients.memsql import Connection
from pinwheel.core.settings import WebSettings
from pinwheel.core.times import naive
from pinwheel.operate import flow_sources
from plugins.web import health, pages
from plugins.web.database import database
from tests.support.live_lakes import land, now_events

AT = datetime(2026, 1, 2, 3, 4, 5)
ALERT = {
    "alert_id": 1,
    "name": "slice_held",
    "subject": "<img src=x onerror=alert(1)>",
    "severity": "critical",
    "message": "m",
    "runbook": "docs/runbooks/merge_events.md",
    "raised_at": AT,
    "resolved_at": None,
}
Rows = Callable[..., list[dict[str, Any]]]


@pytest.fixture
def rows(app: FastAPI, monkeypatch: pytest.MonkeyPatch) -> dict[str, list[dict[str, Any]]]:
    """The database's answers, by statement; a test fills them in."""
    answers: dict[str, list[dict[str, Any]]] = {}
    for module in (listing, flow_sources, health, silences):
        monkeypatch.setattr(module, "fetch", lambda _, name, params=None: answers[name])
    app.dependency_overrides[database] = lambda: None
    return answers


def test_without_database_and_lake_the_flow_says_which_are_away(ann: TestClient, settings: WebSettings) -> None:
    log = Path(settings.lake_uri) / "events" / "_delta_log"
    log.mkdir(parents=True)
    (log / f"{0:020}.json").write_text("no JSON")
    told = ann.get("/api/health/flow").json()
    assert told["away"] == ["memsql", "lake"]
    assert len(told["steps"]) == 5


def test_without_the_database_the_lake_still_shows(ann: TestClient, settings: WebSettings) -> None:
    land(Path(settings.lake_uri), now_events(1))
    assert ann.get("/api/health/flow").json()["away"] == ["memsql"]


@pytest.mark.parametrize("path", ["alerts", "books", "complete"])
def test_without_the_database_the_rest_says_so(ann: TestClient, path: str) -> None:
    answer = ann.get(f"/api/health/{path}")
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "memsql_away")


def test_an_alert_says_what_to_do(ann: TestClient, rows: dict[str, list[dict[str, Any]]]) -> None:
    rows |= {"alerts/list_open": [ALERT], "alerts/list_recent": [ALERT | {"name": "of a later version"}]}
    rows["alerts/list_silences"] = []
    told = ann.get("/api/health/alerts").json()
    kind = ALERTS[str(ALERT["name"])]
    assert [told["open"][0][name] for name in ("do", "means", "dag")] == [kind.do, kind.means, kind.dag]
    assert told["open"][0]["title"] == f"a slice of {ALERT['subject']} is held"
    assert told["open"][0]["raised_at"] == "2026-01-02T03:04:05Z"
    assert told["open"][0]["subject"] == ALERT["subject"]
    assert told["recent"][0]["do"] is None
    assert told["open"][0]["silence"] is None


def test_a_silence_is_shown_with_its_alert(ann: TestClient, rows: dict[str, list[dict[str, Any]]]) -> None:
    of = {"reason": "planned", "silenced_by": "ann", "until_at": AT}
    for_all, other = ({"name": name, "subject": "", **of} for name in ("slice_held", "merge_failing"))
    rows |= {"alerts/list_open": [ALERT], "alerts/list_recent": [ALERT], "alerts/list_silences": [other, for_all]}
    told = ann.get("/api/health/alerts").json()
    assert told["open"][0]["silence"] == for_all | {"until_at": "2026-01-02T03:04:05Z"}
    assert [silence["name"] for silence in told["silences"]] == ["merge_failing", "slice_held"]


@pytest.mark.parametrize(("period", "parts", "seconds"), [("hour", 30, 120), ("day", 96, 900), ("month", 120, 21600)])
def test_a_history_has_the_worst_value_of_each_part(
    ann: TestClient, connection: Connection, period: str, parts: int, seconds: int
) -> None:
    now = naive(datetime.now(UTC))
    for minutes_ago, subject, value in ((0, "partition 0", 5), (0, "partition 1", 7), (90, "partition 0", 1e6)):
        row = {"measure": "lag_records", "subject": subject, "value": value, "max_value": 10.0, "is_well": 1}
        at = now - (minutes_ago / 60) * timedelta(seconds=seconds * parts / 2) - timedelta(seconds=1)
        memsql.execute(connection, "operate/insert", row | {"measured_at": at})
    told = {one["measure"]: one for one in ann.get("/api/health/history", params={"period": period}).json()}
    lag, rate = told["lag_records"], told["landed_per_second"]
    assert (len(lag["values"]), lag["limit"], lag["values"][-1]) == (parts, 10.0, 7.0)
    assert lag["values"][parts // 4 - 1 : parts // 4 + 1].count(1e6) == 1
    assert sum(value is not None for value in lag["values"]) == 2
    assert (rate["values"], rate["limit"]) == ([None] * parts, None)


def test_who_is_bound_sees_how_complete_tables_are_and_no_more(
    carl: TestClient, rows: dict[str, list[dict[str, Any]]]
) -> None:
    rows["operate/complete_through"] = [
        {"table_name": "pins", "complete_through_utc": AT, "age_seconds": 1, "newest_utc": None}
    ]
    assert carl.get("/api/health/complete").json()["tables"] == [
        {"table": "pins", "complete_through": "2026-01-02T03:04:05Z", "newest": None}
    ]
    for path in ("flow", "alerts", "books", "history", "driver-log"):
        assert carl.get(f"/api/health/{path}").status_code == 403


def test_the_books_balance_or_say_what_differs(ann: TestClient, rows: dict[str, list[dict[str, Any]]]) -> None:
    rows["pages/health_books"] = []
    never: dict[str, Any] = {"through": None, "offsets": 0, "differences": [], "closed_through": None}
    assert ann.get("/api/health/books").json() == never
    kept = {"counts": '{"offsets": 12}', "differences": '["<b>lost</b>"]'}
    rows["pages/health_books"] = [{**kept, "through_at": AT, "closed_through": AT.date()}]
    told = ann.get("/api/health/books").json()
    assert (told["through"], told["closed_through"]) == ("2026-01-02T03:04:05Z", "2026-01-02")
    assert (told["offsets"], told["differences"]) == (12, ["<b>lost</b>"])


def test_the_end_of_the_driver_s_log(ann: TestClient, settings: WebSettings) -> None:
    assert ann.get("/api/health/driver-log").status_code == 404
    settings.stream_dir.mkdir(parents=True)
    (settings.stream_dir / "driver.log").write_bytes(b"".join(b"line %d \xff\n" % i for i in range(300)))
    lines = ann.get("/api/health/driver-log").json()["lines"]
    assert (len(lines), lines[-1]) == (200, "line 299 \ufffd")


def test_a_runbook_is_shown(ann: TestClient) -> None:
    text = ann.get("/runbooks/watch_health").text
    assert "<h1>Runbook: watch_health</h1>" in text
    assert 'href="merge_events"' in text
    assert 'href="../static/pinwheel.css"' in text
    assert ann.get("/runbooks/../../README").status_code == 404
    assert ann.get("/runbooks/nothing").status_code == 404


def test_every_link_between_runbooks_and_the_list_of_alerts_leads_somewhere(ann: TestClient) -> None:
    names = [path.stem for path in pages.RUNBOOKS.glob("*.md")]
    for name in [*names, "alerts"]:
        text = ann.get(f"/runbooks/{name}").text
        for link in re.findall(r'<a href="(\w+)(?:#[^"]*)?"', text.partition("<article")[2]):
            assert ann.get(f"/runbooks/{link}").status_code == 200, (name, link)
        assert "<h1>" in text

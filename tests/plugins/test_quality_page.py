"""The page of data quality: verdicts for everybody, rows only for users with every brand, Data Docs without scripts."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from pinwheel.clients.memsql import Connection, Row
from pinwheel.core.settings import WebSettings
from pinwheel.core.times import utc_now
from plugins.web import quality_docs
from tests.support.live_lakes import event, land
from tests.support.pages import Login

NOW = datetime(2026, 3, 14, 12, 30, tzinfo=UTC)
SCRIPT = "<img src=x onerror=alert(1)>\u202e"
PATHS = ("/api/quality", "/api/quality/rows", "/api/quality/dead-letters", "/api/quality/docs/x.html")


@pytest.fixture(autouse=True)
def _clock(app: FastAPI) -> None:
    app.dependency_overrides[utc_now] = lambda: NOW


def insert(connection: Connection, table: str, **values: object) -> None:
    names = ", ".join(values)
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {table} ({names}) VALUES ({', '.join(['%s'] * len(values))})", list(values.values())
        )
    connection.commit()


def ago(hours: float) -> datetime:
    return (NOW - timedelta(hours=hours)).replace(tzinfo=None)


def judged(connection: Connection, table: str, hour: float, measure: str, *, met: bool, **values: object) -> None:
    given = {"severity": "critical", "observed": "1", "expected": "2", "sample": None, "checked_at": ago(0)}
    at = ago(hour).replace(minute=0)
    key = {"table_name": table, "occurred_hour": at, "measure": measure, "expectation": "e", "is_met": int(met)}
    insert(connection, "dq_results", **key | given | values)


def merged(connection: Connection, table: str, state: str = "merged", **values: object) -> None:
    given = {"rows_read": 100, "quarantined": 0, "merged_at": ago(0.5), "audited_at": ago(0.5), "detail": None}
    key = {"table_name": table, "state": state, "from_version": 1, "to_version": 2}
    insert(connection, "merge_slices", **key | given | values)


def table_of(client: TestClient, name: str) -> Row:
    found: Row
    (found,) = [t for t in client.get("/api/quality").json()["tables"] if t["table"] == name]
    return found


@pytest.mark.parametrize("path", PATHS)
def test_nobody_sees_anything(login: Login, path: str) -> None:
    assert login(None).get(path).status_code == 401


@pytest.mark.parametrize("path", PATHS[1:])
def test_rows_are_not_for_who_is_bound_to_brands(connection: Connection, carl: TestClient, path: str) -> None:
    assert (carl.get(path).status_code, carl.get(path).json()["error"]["code"]) == (403, "forbidden")


def test_who_is_bound_to_brands_sees_verdicts_without_numbers_of_rows(
    connection: Connection, ann: TestClient, carl: TestClient
) -> None:
    merged(connection, "repins", rows_read=78_901, quarantined=45_678)
    assert "78901" in ann.get("/api/quality").text
    found = table_of(carl, "repins")
    assert (found["slice_rows"], found["slice_quarantined"]) == (None, None)
    assert found["audited_at"] is not None
    assert not [digits for digits in ("78901", "45678") if digits in carl.get("/api/quality").text]


def test_nothing_judged_yet_is_no_error(connection: Connection, ann: TestClient, carl: TestClient) -> None:
    told = carl.get("/api/quality").json()
    assert [t["table"] for t in told["tables"]] == ["pins", "repins", "comments", "logins", "rollups"]
    assert {(t["hour"], t["expectations"], t["slice_id"], t["held"]) for t in told["tables"]} == {(None, None, None, 0)}
    rows = ann.get("/api/quality/rows").json()
    assert rows.pop("now") == "2026-03-14T12:30:00Z"
    assert {name: len(found) for name, found in rows.items()} == dict.fromkeys(rows, 0)
    assert ann.get("/api/quality/dead-letters").json()["found"]["letters"] == 0


def test_the_last_verdicts_of_both_suites(connection: Connection, ann: TestClient) -> None:
    judged(connection, "repins", 2, "a", met=False)
    for measure, met, severity in (("a", True, "critical"), ("b", False, "warning"), ("c", False, "critical")):
        judged(connection, "repins", 1, measure, met=met, severity=severity)
    merged(connection, "repins", quarantined=50)
    merged(connection, "repins", rows_read=7, quarantined=2)
    merged(connection, "repins", state="held", merged_at=None)
    found = table_of(ann, "repins")
    assert (found["hour"], found["expectations"]) == ("2026-03-14T11:00:00Z", 3)
    assert (found["critical_unmet"], found["warnings_unmet"]) == (1, 1)
    assert (found["slice_rows"], found["slice_quarantined"], found["held"]) == (7, 2, 1)


def test_failures_come_with_their_rows_as_text(connection: Connection, ann: TestClient) -> None:
    sample = json.dumps([{"title": SCRIPT, "pin_id": 7, "text": "x" * 999}] * 9)
    judged(connection, "pins", 3, "title", met=False, sample=sample, observed=SCRIPT)
    judged(connection, "pins", 1, "rows", met=False, sample='[{"cut', severity="warning")
    judged(connection, "pins", 1, "fine", met=True)
    judged(connection, "pins", 40, "old", met=False)
    first, second = ann.get("/api/quality/rows").json()["failures"]
    assert (first["measure"], first["critical"], first["sample"], first["docs"]) == ("rows", False, [], None)
    assert (second["observed"], len(second["sample"])) == (SCRIPT, 5)
    assert second["sample"][0] == {"title": SCRIPT, "pin_id": "7", "text": "x" * 300 + "…"}


def test_row_failures_are_told_by_the_hour(connection: Connection, ann: TestClient) -> None:
    for hours, bad in ((0.5, 3), (0.6, 1), (2, 0), (30, 9)):
        merged(connection, "logins", quarantined=bad, merged_at=ago(hours))
    (found,) = ann.get("/api/quality/rows").json()["row_failures"]
    assert found == {
        "table": "logins",
        "hours": [
            {"hour": "2026-03-14T10:00:00Z", "rows_read": 100, "quarantined": 0},
            {"hour": "2026-03-14T11:00:00Z", "rows_read": 100, "quarantined": 1},
            {"hour": "2026-03-14T12:00:00Z", "rows_read": 100, "quarantined": 3},
        ],
    }


def test_held_slices_say_why(connection: Connection, ann: TestClient) -> None:
    merged(connection, "pins", state="held", merged_at=None, detail=json.dumps({"reasons": [SCRIPT, "y" * 999]}))
    merged(connection, "pins", state="held", merged_at=None, detail="{cut")
    second, first = ann.get("/api/quality/rows").json()["held"]
    assert (first["table"], first["rows_read"], first["reasons"]) == ("pins", 100, [SCRIPT, "y" * 300 + "…"])
    assert second["reasons"] == []


def test_quarantine_is_told_by_rule(connection: Connection, ann: TestClient) -> None:
    for n, reason in enumerate(("in_range: latitude=91.5", "in_range: latitude=-99", f"not_null: user_id={SCRIPT}")):
        row = {"slice_id": 1, "row_num": n, "table_name": "repins", "event_id": f"e{n}", "quarantined_at": ago(3 - n)}
        insert(connection, "quarantine", **row, reason=reason, row_json=json.dumps({"a": "z" * 3000}))
    told = ann.get("/api/quality/rows").json()
    assert [(b["rule"], b["rows"]) for b in told["broken"]] == [("in_range: latitude", 2), ("not_null: user_id", 1)]
    assert [q["event_id"] for q in told["quarantined"]] == ["e2", "e1", "e0"]
    assert (told["quarantined"][0]["reason"], len(told["quarantined"][0]["row"])) == (
        f"not_null: user_id={SCRIPT}",
        2000,
    )


def test_dead_letters_come_from_the_lake_and_it_is_read_once(
    ann: TestClient, settings: WebSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    letter = {"dead_reason": "not_json", "dead_detail": SCRIPT, "dead_value": SCRIPT.encode()}
    where = {"kafka_partition": 0, "kafka_offset": 5}
    land(Path(settings.lake_uri), [event("dead_letter", NOW, **letter, **where)])
    found = ann.get("/api/quality/dead-letters").json()["found"]
    (reason,) = found["reasons"]
    assert (found["letters"], found["is_all"], reason["reason"]) == (1, True, "not_json")
    assert (reason["samples"][0]["value"], reason["samples"][0]["detail"]) == (SCRIPT, SCRIPT)
    today = ann.get("/api/quality/dead-letters").json()["days"][-1]
    assert today == {"day": "2026-03-14", "reasons": {"not_json": 1}, "is_all": True}
    monkeypatch.setattr("plugins.web.quality.summary", lambda *_: 1 / 0)
    assert ann.get("/api/quality/dead-letters").json()["found"] == found


def test_a_broken_lake_and_a_database_that_is_away_are_told(ann: TestClient, settings: WebSettings) -> None:
    log = Path(settings.events_uri) / "_delta_log"
    log.mkdir(parents=True)
    (log / f"{0:020}.json").write_text("no JSON")
    answer = ann.get("/api/quality/dead-letters")
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "lake_away")
    for path in PATHS[:2]:
        assert (ann.get(path).status_code, ann.get(path).json()["error"]["code"]) == (503, "memsql_away")


@pytest.fixture
def site(settings: WebSettings) -> Path:
    """A page of Data Docs, its style sheet, and a secret in a file next to the site."""
    root = quality_docs.site(settings)
    page = root / "validations" / "repins" / "2026-03-14T11" / "20260314T110000Z" / "hours-repins.html"
    page.parent.mkdir(parents=True)
    page.write_text("<h1>An hour</h1><script>alert(1)</script>")
    (root / "static").mkdir()
    (root / "static" / "a.css").write_text("h1 {}")
    (root / "static" / "a.js").write_text("alert(1)")
    (root.parent / "secret.html").write_text("secret")
    (root / "link.html").symlink_to(root.parent / "secret.html")
    return root


def test_data_docs_run_no_script(ann: TestClient, site: Path) -> None:
    answer = ann.get("/api/quality/docs/validations/repins/2026-03-14T11/20260314T110000Z/hours-repins.html")
    policy = answer.headers["content-security-policy"]
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert "script-src" not in policy
    assert "default-src 'none'" in policy
    assert policy.endswith("sandbox allow-same-origin")
    assert ann.get("/api/quality/docs/static/a.css").headers["content-type"].startswith("text/css")
    assert ann.get("/api/quality/docs/static/a.js").status_code == 404


@pytest.mark.parametrize(
    "path",
    ["nothing.html", "../secret.html", "..%2fsecret.html", "%2e%2e/secret.html", "link.html", "static", "/etc/passwd"],
)
def test_nothing_but_the_site_is_served(ann: TestClient, site: Path, path: str) -> None:
    answer = ann.get(f"/api/quality/docs/{path}")
    assert answer.status_code == 404
    assert "secret" not in answer.text


@pytest.mark.parametrize("path", ["%00.html", "static/a%00.css", f"{'x' * 300}.html"])
def test_a_name_that_the_disk_cannot_have_is_refused(ann: TestClient, site: Path, path: str) -> None:
    assert ann.get(f"/api/quality/docs/{path}").status_code == 400


def test_the_index_is_our_own_page(ann: TestClient, site: Path) -> None:
    answer = ann.get("/api/quality/docs/index.html", follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, "../../../quality")


def test_a_failure_leads_to_its_page(connection: Connection, ann: TestClient, site: Path) -> None:
    judged(connection, "repins", 1, "rows", met=False)
    (failure,) = ann.get("/api/quality/rows").json()["failures"]
    assert ann.get(f"/api/quality/docs/{failure['docs']}").status_code == 200


def test_a_verdict_leads_to_its_page_for_who_may_open_it(
    connection: Connection, ann: TestClient, carl: TestClient, site: Path
) -> None:
    judged(connection, "repins", 1, "rows", met=True)
    judged(connection, "logins", 1, "rows", met=True)
    assert ann.get(f"/api/quality/docs/{table_of(ann, 'repins')['docs']}").status_code == 200
    assert table_of(ann, "logins")["docs"] is None
    assert table_of(carl, "repins")["docs"] is None

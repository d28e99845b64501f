"""The page of brand reports, on reports that were really made."""

import re
import shutil
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from pinwheel.clients import memsql
from pinwheel.clients.memsql import Connection
from pinwheel.core.settings import MemsqlSettings, MergeSettings, ReportSettings
from pinwheel.reports import zones
from pinwheel.reports.page import style_hash_of
from pinwheel.reports.period import Period
from pinwheel.reports.tables import FILES
from tests.support.brand_reports import Clock, NameBrands, RunReports, at, some
from tests.support.database import merge_settings
from tests.support.lakes import event
from tests.support.pages import Login, app_on
from tests.support.types import MergeEvents

WEEK = Period(date(2026, 3, 9), 7)
OF_1 = "/api/reports/1/2026-03-14/1"


@pytest.fixture
def settings(memsql_settings: MemsqlSettings, place: str) -> MergeSettings:
    """The settings of the merge that fills the tables; in the other pages' tests the database is down."""
    return merge_settings(memsql_settings, place)


@pytest.fixture
def app(tokens: dict[str, str], report_settings: ReportSettings) -> FastAPI:
    return app_on(report_settings, reports_uri=report_settings.reports_uri)


@pytest.fixture
def made(merged: MergeEvents, named: NameBrands, run: RunReports, clock: Clock) -> None:
    """Reports of three brands on the 14th, of one of them also on the 13th and on the week."""
    named((1, "Copper <b>Kitchen</b>", None), (3, "Other people's", None))
    merged(some("a", 3, brand_id=1) + some("b", 2, 10, brand_id=3) + some("c", 1, 20, brand_id=70)
           + some("d", 1, 30, brand_id=1, occurred_at=at(12, -1)))  # fmt: skip
    clock.now += timedelta(days=1)  # the week is over
    run()
    run(Period(date(2026, 3, 13), 1), [1])
    run(WEEK, [1])


def listed(client: TestClient, **params: Any) -> list[tuple[Any, ...]]:
    answer = client.get("/api/reports", params=params)
    assert answer.status_code == 200, answer.text
    return [(r["brand_id"], r["first_day"], r["days"], r["revision"]) for r in answer.json()["reports"]]


def test_by_itself_the_list_is_the_newest_day_of_all_brands(made: None, ann: TestClient) -> None:
    answer = ann.get("/api/reports").json()
    assert (answer["day"], answer["newest_days"]) == (None, ["2026-03-14"])
    assert [(r["brand_name"], r["days"], r["engagement"]) for r in answer["reports"]] == [
        ("Copper <b>Kitchen</b>", 1, 3),
        ("Other people's", 1, 2),
        ("brand 70", 1, 1),
        ("Copper <b>Kitchen</b>", 7, 4),
    ]
    first = answer["reports"][0]
    assert (first["is_complete"], first["verdict"], first["engagement_before"]) == (False, "unchecked", 1)
    assert first["made_at"].endswith("Z")


def test_it_is_filtered_by_brand_day_and_length(made: None, ann: TestClient) -> None:
    assert listed(ann, brand=1) == [(1, "2026-03-14", 1, 1), (1, "2026-03-13", 1, 1), (1, "2026-03-09", 7, 1)]
    assert listed(ann, brand=1, days=1) == [(1, "2026-03-14", 1, 1), (1, "2026-03-13", 1, 1)]
    assert listed(ann, day="2026-03-13") == [(1, "2026-03-13", 1, 1), (1, "2026-03-09", 7, 1)]
    assert listed(ann, day="2026-03-11") == [(1, "2026-03-09", 7, 1)]
    assert listed(ann, days=7) == [(1, "2026-03-09", 7, 1)]
    assert listed(ann, day="2026-03-16") == []
    assert listed(ann, day="1000-01-01") == listed(ann, day="9999-12-31") == []


def brands_listed(client: TestClient, **params: Any) -> list[int]:
    return [brand for brand, *_ in listed(client, **params)]


def test_a_brand_is_found_by_a_part_of_its_name_or_number(made: None, ann: TestClient, carl: TestClient) -> None:
    assert listed(ann, find="kitch") == listed(ann, brand=1)
    assert brands_listed(ann, find="OTHER people's (3)") == [3]
    for unnamed in ("70", "brand 70", "Brand 70 (70)"):
        assert brands_listed(ann, find=unnamed) == [70], "it has no name"
    assert brands_listed(ann, find="kitch", day="2026-03-13", days=1) == [1]
    for nothing in ("nobody", "%", "_", "\\", "' OR 1 = 1 -- "):
        assert brands_listed(ann, find=nothing) == []
    assert brands_listed(carl, find="other") == [], "bound to others"
    assert ann.get("/api/reports", params={"find": "x" * 101}).status_code == 422


def test_it_is_sorted_as_asked_before_it_is_cut_off(made: None, ann: TestClient) -> None:
    def order(sort: str) -> list[int]:
        return brands_listed(ann, day="2026-03-14", days=1, sort=sort)

    assert order("brand") == [70, 1, 3], "the one without a name first"
    assert order("-brand") == [3, 1, 70]
    assert order("engagement") == [70, 3, 1]
    assert order("-engagement") == [1, 3, 70]
    assert brands_listed(ann, day="2026-03-14", sort="-engagement", top=1) == [1]
    assert [day for _, day, *_ in listed(ann, brand=1, sort="period")] == ["2026-03-09", "2026-03-13", "2026-03-14"]
    made_at = [r["made_at"] for r in ann.get("/api/reports?find=kitch&sort=made").json()["reports"]]
    assert made_at == sorted(made_at)
    assert ann.get("/api/reports?sort=name").status_code == 422


def test_the_days_that_a_report_can_be_made_of(made: None, ann: TestClient, carl: TestClient) -> None:
    yesterday = datetime.now(UTC).date() - timedelta(days=1)
    told = {"time_zone": "UTC", "first_day": "2026-03-13", "kept_from": None, "last_day": yesterday.isoformat()}
    assert ann.get("/api/reports/days").json() == told
    assert carl.get("/api/reports/days").status_code == 403


@pytest.mark.parametrize(
    ("time_zone", "first_day", "kept_from"),
    [
        ("Europe/Berlin", date(2026, 3, 13), date(2026, 3, 11)),
        ("America/New_York", date(2026, 3, 12), date(2026, 3, 10)),
        ("Pacific/Kiritimati", date(2026, 3, 13), date(2026, 3, 11)),
        ("Etc/GMT+12", date(2026, 3, 12), date(2026, 3, 10)),
    ],
)
def test_the_days_are_those_of_the_brand_s_time_zone_and_can_all_be_made(
    made: None, ann: TestClient, connection: Connection, time_zone: str, first_day: date, kept_from: date
) -> None:
    with memsql.transaction(connection):
        zones.set_zone(connection, 1, time_zone, "they live there", "ann", datetime(2026, 3, 1))
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM retention")
        cursor.execute("INSERT INTO retention (store, kept_from) VALUES ('events', '2026-03-10')")
    connection.commit()
    told = ann.get("/api/reports/days", params={"brand": 1}).json()
    today = datetime.now(ZoneInfo(time_zone)).date()
    assert told == {
        "time_zone": time_zone,
        "first_day": first_day.isoformat(),
        "kept_from": kept_from.isoformat(),
        "last_day": (today - timedelta(days=1)).isoformat(),
    }
    first, kept = Period(first_day, 1, time_zone), Period(kept_from, 1, time_zone)
    assert first.ends_after(date(2026, 3, 13))
    assert not first.before.ends_after(date(2026, 3, 13))
    assert kept.begins_after(date(2026, 3, 10))
    assert not kept.before.begins_after(date(2026, 3, 10))
    assert ann.get("/api/reports/days", params={"brand": 3}).json()["time_zone"] == "UTC"
    assert ann.get("/api/reports/days", params={"brand": 70}).json()["time_zone"] == "UTC", "it has no row"


def test_by_itself_the_list_has_the_newest_day_of_each_time_zone(
    made: None, ann: TestClient, carl: TestClient, connection: Connection, run: RunReports
) -> None:
    """A day is over on Kiritimati 14 hours before it is in UTC."""
    with memsql.transaction(connection):
        zones.set_zone(connection, 3, "Pacific/Kiritimati", "they live there", "ann", datetime(2026, 3, 1))
    run(Period(date(2026, 3, 15), 1), [3])
    answer = ann.get("/api/reports?days=1").json()
    assert answer["newest_days"] == ["2026-03-14", "2026-03-15"]
    assert {(r["brand_id"], r["first_day"], r["time_zone"]) for r in answer["reports"]} == {
        (1, "2026-03-14", "UTC"), (70, "2026-03-14", "UTC"), (3, "2026-03-14", "UTC"),
        (3, "2026-03-15", "Pacific/Kiritimati"),
    }  # fmt: skip
    assert carl.get("/api/reports?days=1").json()["newest_days"] == ["2026-03-14"], "of their own brands"
    with memsql.transaction(connection):
        zones.set_zone(connection, 3, "UTC", "they moved back", "ann", datetime(2026, 3, 1))
    assert ann.get("/api/reports?days=1").json()["newest_days"] == ["2026-03-14"], "no brand has the other zone"


def test_reports_of_found_brands_are_read_by_their_index(connection: Connection, settings: MergeSettings) -> None:
    """Among 200,000 reports."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO brand_reports (brand_id, first_day, days, revision, made_at, read_at, folder, digest, "
            "is_complete, verdict, engagement, engagement_before, unique_people, change_count, changes, numbers, mail) "
            "SELECT brand.seq, '2025-01-01' + INTERVAL day.seq DAY, 1, 1, NOW(6), NOW(6), '', '', 1, "
            "'passed', 1, 1, 1, 0, '[]', '{}', 'none' FROM seq_1_to_1000 AS brand, seq_1_to_200 AS day"
        )
        connection.commit()
        cursor.execute("ANALYZE TABLE brand_reports")
        cursor.fetchall()
        chosen = {"all_brands": 0, "brands": (70, 170), "is_newest": 0, "days": 0, "sort": "-period", "top": 101}
        between = {"from_day": date(1970, 1, 1), "to_day": date(2026, 3, 14), "day": date(1970, 1, 1)}
        cursor.execute("EXPLAIN " + memsql.statement("pages/reports_list", connection.engine), chosen | between)
        listing = {row["table"]: row for row in cursor.fetchall()}
    assert (listing["report"]["type"], listing["report"]["key"]) == ("range", "PRIMARY")
    assert int(listing["report"]["rows"]) < 1000


def test_without_events_no_report_can_be_made(ann: TestClient, settings: MergeSettings) -> None:
    assert ann.get("/api/reports/days").json()["first_day"] is None


def test_revisions_name_the_time_zone_of_their_days(
    made: None, ann: TestClient, run: RunReports, connection: Connection
) -> None:
    with memsql.transaction(connection):
        zones.set_zone(connection, 1, "Europe/Berlin", "they live there", "ann", datetime(2026, 3, 1))
    run()
    (newest, older) = ann.get(OF_1).json()["revisions"]
    assert [(r["revision"], r["time_zone"], r["change_count"]) for r in (newest, older)] == [
        (2, "Europe/Berlin", 0), (1, "UTC", 0),
    ]  # fmt: skip
    listed_zones = {r["brand_id"]: r["time_zone"] for r in ann.get("/api/reports?days=1").json()["reports"]}
    assert listed_zones == {1: "Europe/Berlin", 3: "UTC", 70: "UTC"}
    for revision, zone in ((1, "UTC"), (2, "Europe/Berlin")):
        assert f"14 March 2026, {zone}" in ann.get(f"{OF_1}/{revision}/report.html").text
        hours = ann.get(f"{OF_1}/{revision}/hours.csv").text.splitlines()
        assert hours[1].endswith(f",2026-03-14 00:00:00,{zone}")
    assert hours[1].startswith("2026-03-13 23:00:00,")
    assert ann.get(f"{OF_1}/2/changes.csv").status_code == 200


def test_a_long_list_says_that_there_is_more(made: None, ann: TestClient) -> None:
    answer = ann.get("/api/reports", params={"top": 2}).json()
    assert (len(answer["reports"]), answer["has_more"]) == (2, True)
    assert ann.get("/api/reports", params={"top": 4}).json()["has_more"] is False


def test_without_reports_it_is_empty(ann: TestClient, settings: MergeSettings) -> None:
    assert ann.get("/api/reports").json() == {"day": None, "newest_days": [], "reports": [], "has_more": False}


def test_who_is_bound_to_brands_sees_their_reports_alone(made: None, carl: TestClient) -> None:
    """To 1 and 2."""
    assert {brand for brand, *_ in listed(carl)} == {1}
    assert {brand for brand, *_ in listed(carl, day="2026-03-14")} == {1}
    assert carl.get("/api/reports?brand=2").status_code == 404, "bound to it, but there is no such brand"
    assert carl.get(OF_1).status_code == 200
    for path in (
        "?brand=3",
        "/3/2026-03-14/1",
        "/3/2026-03-14/1/1/report.html",
        "/3/2026-03-14/1/1/totals.csv",
        "/70/2026-03-14/1",
    ):
        answer = carl.get(f"/api/reports{path}")
        assert answer.status_code == 404, path
        assert "that you may see" in answer.json()["error"]["message"]


@pytest.mark.parametrize(
    ("path", "status", "says"),
    [
        ("?brand=999", 404, "There is no brand 999."),
        ("/999/2026-03-14/1", 404, "There is no brand 999."),
        (
            "/1/2020-01-01/1",
            404,
            "There is no report of brand 1 for 1 days from 2020-01-01. To make it, trigger report_brands",
        ),
        ("/1/2026-03-14/3", 404, "There is no report"),
        ("/1/2026-03-14/1/9/report.html", 404, "There is no revision 9 of this report; the newest is 1."),
        ("/1/2026-03-14/1/1/changes.csv", 404, "A report has no file changes.csv"),
        ("/1/2026-03-14/1/1/..%2fsecret", 404, ""),
        ("/1/2026-03-14/1/1/%2e%2e", 404, ""),
        ("/1/14-03-2026/1", 422, "first_day"),
        ("/1/2026-03-14/0", 422, "days"),
        ("?day=yesterday", 422, "day"),
        ("?days=40", 422, "days"),
    ],
)
def test_what_is_not_there_says_so(path: str, status: int, says: str, made: None, ann: TestClient) -> None:
    answer = ann.get(f"/api/reports{path}")
    assert answer.status_code == status
    assert says in answer.json()["error"]["message"]


def test_the_page_of_a_report_runs_nothing(made: None, ann: TestClient) -> None:
    answer = ann.get(f"{OF_1}/1/report.html")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    policy = answer.headers["content-security-policy"]
    assert policy.startswith(f"default-src 'none'; style-src {style_hash_of(answer.text)};")
    assert re.search(r"; sandbox$", policy)
    assert "unsafe" not in policy
    assert "script" not in policy
    assert "content-disposition" not in answer.headers
    assert "Copper &lt;b&gt;Kitchen&lt;/b&gt;" in answer.text


@pytest.mark.parametrize(("theme", "media"), [("light", "not all"), ("dark", "all")])
def test_the_page_of_a_report_is_in_the_theme_of_the_page_around_it(
    made: None, ann: TestClient, theme: str, media: str
) -> None:
    answer = ann.get(f"{OF_1}/1/report.html?theme={theme}")
    assert f"@media {media} {{" in answer.text
    assert "prefers-color-scheme" not in answer.text
    style = style_hash_of(answer.text)
    assert f"style-src {style};" in answer.headers["content-security-policy"]
    assert f"style-src {style}" in answer.text.replace("&#39;", "'"), "in its own policy"
    assert ann.get(f"{OF_1}/1/report.html?theme=red").status_code == 422


def test_a_report_and_its_tables_can_be_downloaded(made: None, ann: TestClient) -> None:
    page = ann.get(f"{OF_1}/1/report.html?download=true")
    assert page.headers["content-disposition"] == 'attachment; filename="brand-1-2026-03-14-1d-r1.html"'
    assert "sandbox" in page.headers["content-security-policy"]
    for name in FILES[:-1]:
        answer = ann.get(f"{OF_1}/1/{name}")
        assert answer.headers["content-type"] == "text/csv; charset=utf-8"
        assert answer.headers["content-disposition"] == f'attachment; filename="brand-1-2026-03-14-1d-r1-{name}"'
    assert "engagement,3,1" in ann.get(f"{OF_1}/1/totals.csv").text


def test_revisions_say_what_changed(
    made: None, ann: TestClient, merged: MergeEvents, run: RunReports, clock: Clock
) -> None:
    clock.now += timedelta(hours=1)
    merged([event("comment", "late", 99, brand_id=1, occurred_at=at(13))])
    run()
    newest, first = ann.get(OF_1).json()["revisions"]
    assert (newest["revision"], newest["engagement"], first["engagement"], first["changes"]) == (2, 4, 3, [])
    assert {"name": "Comments", "before": 0, "after": 1} in newest["changes"]
    assert {"name": "13:00", "before": 0, "after": 1} in newest["changes"]
    assert newest["change_count"] == len(newest["changes"])
    assert newest["tables"] == list(FILES)
    assert listed(ann, day="2026-03-14", days=1)[0] == (1, "2026-03-14", 1, 2), "the newest alone is listed"
    assert "What changed since revision 1" in ann.get(f"{OF_1}/2/report.html").text
    assert "What changed" not in ann.get(f"{OF_1}/1/report.html").text
    assert "total engagement,3,4" in ann.get(f"{OF_1}/2/changes.csv").text


def test_files_that_are_gone_are_told(made: None, ann: TestClient, report_settings: ReportSettings) -> None:
    shutil.rmtree(report_settings.reports_uri)
    answer = ann.get(f"{OF_1}/1/report.html")
    assert answer.status_code == 404
    assert "are missing" in answer.json()["error"]["message"]
    assert report_settings.reports_uri not in answer.text


def test_a_database_that_is_away_is_told(app: FastAPI, ann: TestClient) -> None:
    app.dependency_overrides.clear()
    for path in ("", "/1/2026-03-14/1", "/1/2026-03-14/1/1/report.html"):
        answer = ann.get(f"/api/reports{path}")
        assert (answer.status_code, answer.json()["error"]["code"]) == (503, "memsql_away")


def test_nobody_else_gets_in(made: None, login: Login) -> None:
    for path in ("", "/1/2026-03-14/1", "/1/2026-03-14/1/1/report.html", "/1/2026-03-14/1/1/totals.csv"):
        assert login(None).get(f"/api/reports{path}").status_code == 401

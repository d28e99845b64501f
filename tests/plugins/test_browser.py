"""The pages in a real browser: hostile texts stay texts, and everything can be used as it should be."""

import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, expect
from pydantic import BaseModel

from pinwheel.core.settings import WebSettings
from plugins.web import brand, explore, live, pin, quality, reports, trends
from plugins.web.navigation import LINKED, PAGES
from tests.support.browser import attacks, available, hostile, opened, ran
from tests.support.live_lakes import LIMA, land, now_events
from tests.support.pages import MODULES

pytestmark = pytest.mark.skipif(not available() or not MODULES.exists(), reason="needs Chromium, and `make setup`")

LONG = "x" * 10_000
ODD = [LONG, "😀🎈 pins", "\u202eright to left\u202c אבג", "", "a\x00b", "line\nline"]
NOW = datetime.now(UTC).isoformat()
NO_ALERTS: dict[str, Any] = {"open": [], "recent": [], "silences": []}
AIRFLOW_S_SANDBOX = "allow-scripts allow-same-origin allow-forms allow-downloads"  # of its frame around our pages


def alert(text: str, number: int, **values: Any) -> dict[str, Any]:
    given = {"alert_id": number, "name": text, "subject": text, "severity": text, "message": text, "do": text}
    said = {name: text for name in ("title", "means", "dag", "runbook")}
    return {**given, **said, "raised_at": NOW, "resolved_at": None, **values}


def flow(text: str) -> dict[str, Any]:
    problem = {"name": text, "subject": text, "message": text, "raised_at": NOW, "resolved_at": None}
    step = {"name": text, "title": text, "dag": text, "rows_per_second": 1, "newest_age_seconds": 1, "backlog": 1}
    table = {"table": text, "complete_through": NOW, "age_seconds": 1, "rows_per_second": 1, "versions_behind": 1}
    return {
        "now": NOW,
        "measured_at": NOW,
        "away": [],
        "steps": [step | {"backlog_unit": text, "unwell": [text], "is_known": True, "last_error": problem}],
        "lags": [{"partition": text, "records": 1}],
        "driver": {"state": "running", "since": NOW, "failures": 0, "restarts_today": 0},
        "tables": [table | {"slices_open": 1, "held_slices": 1, "merged_at": NOW}],
    }


def test_there_are_two_hundred_attacks_and_they_work() -> None:
    assert len(set(attacks())) == 200


def test_the_attacks_run_where_they_can(browser: Browser) -> None:
    """Or the tests below would prove nothing."""
    page = browser.new_page()
    page.set_content("".join(attacks()))
    page.wait_for_timeout(500)
    assert ran(page)
    page.close()


def test_alerts_with_hostile_texts_are_read_not_run(browser: Browser, address: str, tokens: dict[str, str]) -> None:
    found = [alert(text, n) for n, text in enumerate([*attacks(), *ODD])]
    answers = {"health/alerts": {"open": found, "recent": found, "silences": []}, "health/flow": flow(attacks()[1])}
    with opened(browser, f"{address}/health", tokens["ann"], answers) as (page, seen):
        expect(page.locator("#recent tbody tr")).to_have_count(len(found))
        expect(page.locator("#open article").first).to_contain_text(attacks()[0])
        page.wait_for_timeout(500)
        assert (ran(page), seen.dialogs, seen.faults) == (False, [], [])
        assert page.locator("main script, main iframe, main img, main [onerror]").count() == 0
        assert set(page.eval_on_selector_all("a", "links => links.map((a) => a.protocol)")) == {"http:"}


def test_names_of_brands_categories_and_towns_are_read_not_run(
    browser: Browser, address: str, tokens: dict[str, str], settings: WebSettings
) -> None:
    texts = [*attacks(), *ODD]
    folder = Path(settings.lake_uri)
    land(folder, [e for n, text in enumerate(texts) for e in now_events(1, city=text[:200], latitude=float(n % 60))])
    choices = {"brands": [{"brand_id": n, "name": text} for n, text in enumerate(texts)], "categories": texts}
    with opened(browser, f"{address}/live", tokens["ann"], {"live/choices": choices}) as (page, seen):
        expect(page.locator("#brand option")).to_have_count(len(texts) + 1)
        page.get_by_role("radio", name="Table").check()
        expect(page.locator("#table tbody tr").nth(50)).to_be_visible()
        page.wait_for_timeout(500)
        assert (ran(page), seen.dialogs, seen.faults) == (False, [], [])
        assert page.locator("#table script, #table img, #table svg").count() == 0


OTHERS: dict[str, dict[str, type[BaseModel]]] = {
    "trends": {"trends": trends.Trends},
    "quality": {
        "quality": quality.Verdicts,
        "quality/rows": quality.Rows,
        "quality/dead-letters": quality.DeadLetters,
    },
    "reports": {"reports?*": reports.Reports, "reports": reports.Reports},
    "brand?brand=1": {"brands/1": brand.BrandToday, "live/choices": live.Choices},
    "pin?pin=7": {"pins/7": pin.Pin},
    "explore": {"explore": explore.Explore},
}


@pytest.mark.parametrize("name", OTHERS)
def test_titles_comments_and_brands_on_the_other_pages_are_read_not_run(
    browser: Browser, address: str, tokens: dict[str, str], name: str
) -> None:
    answers = {path: hostile(model, [*attacks(), *ODD]) for path, model in OTHERS[name].items()}
    with opened(browser, f"{address}/{name}", tokens["ann"], answers) as (page, seen):
        expect(page.locator("main")).to_contain_text(attacks()[1])
        page.wait_for_timeout(1000)
        assert (ran(page), seen.dialogs, seen.faults) == (False, [], [])
        assert page.locator("main script, main iframe, main img, main [onerror]").count() == 0
        assert page.locator('a[href^="javascript" i]').count() == 0


def dead_letters(reasons: dict[str, int]) -> dict[str, Any]:
    """The answer about dead letters: of each reason so many on each of thirty days."""
    sample = {
        "kafka_partition": 0,
        "kafka_offset": 5,
        "kafka_timestamp": NOW,
        "detail": "event_type=share",
        "value": "{}",
    }
    told = [{"reason": name, "letters": count, "samples": [sample]} for name, count in reasons.items()]
    days = [
        {"day": f"2026-03-{n + 1:02}", "reasons": {k: c * n for k, c in reasons.items()}, "is_all": True}
        for n in range(30)
    ]
    found = {"letters": sum(reasons.values()), "since": NOW, "is_all": True, "reasons": told}
    return {"found": found, "days": days, "never": ["empty", "too_large"]}


def test_letters_are_shown_over_time_and_the_button_asks_which_come_home(
    browser: Browser, address: str, tokens: dict[str, str]
) -> None:
    quality_answers: dict[str, Any] = {
        "quality": {"now": NOW, "tables": []},
        "quality/rows": hostile(quality.Rows, ["x"]),
        "quality/dead-letters": dead_letters({"unknown_type": 5, "not_json": 2, "too_large": 1}),
    }
    runs = "v2/dags/replay_dead_letters/dagRuns"
    for width in (1280, 390):
        size = {"viewport": {"width": width, "height": 860}}
        answers = quality_answers | {runs: {"dag_run_id": "manual__2026+00:00"}}
        with opened(browser, f"{address}/quality", tokens["ann"], answers, **size) as (page, seen):
            bars = page.get_by_role("img", name="Dead letters per day over 30 days, at most 232")
            expect(bars).to_be_visible()
            assert bars.locator("rect").count() == 3 * 29
            assert bars.locator("rect title").last.text_content() == "2026-03-30: 29 too_large"
            expect(page.get_by_role("button", name="Dry run: dead letters too_large")).to_have_count(0)
            with page.expect_request(f"**/api/{runs}") as asked:
                page.get_by_role("button", name="Dry run: dead letters unknown_type").press("Enter")
            assert asked.value.post_data_json == {
                "logical_date": None,
                "conf": {"reason": "unknown_type", "quarantine": False, "dry_run": True},
            }
            with page.expect_request(f"**/api/{runs}") as asked:
                page.get_by_role("button", name="Judge again: all quarantined rows").press("Enter")
            assert asked.value.post_data_json == {
                "logical_date": None,
                "conf": {"letters": False, "quarantine": True, "dry_run": True},
            }
            link = page.locator("#tried").get_by_role("link", name="its results")
            expect(link).to_have_attribute(
                "href", re.compile(r"/dags/replay_dead_letters/runs/manual__2026%2B00%3A00$")
            )
            assert page.evaluate("document.documentElement.scrollWidth") <= width
            assert seen.faults == []


def test_a_held_slice_is_judged_again_where_it_is_seen(browser: Browser, address: str, tokens: dict[str, str]) -> None:
    slice_ = {"slice_id": 186, "table": "repins", "rows_read": 9, "audited_at": NOW, "reasons": ["<b>4 rows"]}
    answers: dict[str, Any] = {
        "quality/rows": hostile(quality.Rows, ["x"]) | {"held": [slice_]},
        "v2/dags/release_slice/dagRuns": {"dag_run_id": "manual__1"},
    }
    with opened(browser, f"{address}/quality", tokens["ann"], answers) as (page, seen):
        with page.expect_request("**/release_slice/dagRuns") as asked:
            page.get_by_role("button", name="Judge again: slice 186 of repins").click()
        assert json.loads(asked.value.post_data or "")["conf"] == {"slice_id": 186, "decision": "retry"}
        expect(page.locator("#rows")).to_contain_text("Slice 186: asked for")
        page.get_by_role("button", name="Accept: slice 186 of repins").click()
        asking = page.get_by_role("dialog", name="Merge slice 186 of repins without the rows that break a rule?")
        with page.expect_request("**/release_slice/dagRuns") as asked:
            asking.get_by_role("button", name="Accept").click()
        assert json.loads(asked.value.post_data or "")["conf"] == {"slice_id": 186, "decision": "accept"}
        assert seen.faults == []
    with opened(browser, f"{address}/quality", tokens["bob"], answers) as (page, _):
        expect(page.locator("#rows")).to_contain_text("Held slices")
        assert page.get_by_role("button", name="Accept: slice 186 of repins").count() == 0


def test_who_may_not_trigger_the_dag_is_told_so(browser: Browser, address: str, tokens: dict[str, str]) -> None:
    answers = {"quality/dead-letters": dead_letters({"not_json": 1})}
    with opened(browser, f"{address}/quality", tokens["ann"], answers) as (page, _):
        page.route("**/api/v2/**", lambda route: route.fulfill(status=403, json={"detail": "Forbidden"}))
        page.get_by_role("button", name="Dry run: dead letters not_json").click()
        expect(page.locator("#tried")).to_have_text("You may not trigger replay_dead_letters.")


def test_the_globe_shows_what_happens(
    browser: Browser, address: str, tokens: dict[str, str], settings: WebSettings
) -> None:
    folder = Path(settings.lake_uri)
    land(folder, now_events(5))
    with opened(browser, f"{address}/live", tokens["ann"]) as (page, seen):
        expect(page.locator("#map canvas").first).to_be_visible(timeout=20_000)
        expect(page.locator("#places")).to_contain_text("Paris")
        expect(page.locator("#fresh")).to_contain_text("Newest event")
        land(folder, now_events(3, "comment", **LIMA))
        page.get_by_role("checkbox", name="Comments").check()
        expect(page.locator("#places")).to_contain_text("Lima")
        assert page.evaluate("pinwheelLive.rings.born.some(Boolean)")
        assert seen.faults == []
        assert [url for url in seen.requests if not url.startswith(address)] == [], "nothing from elsewhere"


def test_the_globe_is_light_and_has_one_three(
    browser: Browser, address: str, tokens: dict[str, str], settings: WebSettings
) -> None:
    land(Path(settings.lake_uri), now_events(5))
    with opened(browser, f"{address}/live", tokens["ann"]) as (page, seen):
        expect(page.locator("#map canvas").first).to_be_visible(timeout=20_000)
        assert 200_000 < sum(seen.bytes.values()) < 600_000
        assert len([url for url in seen.bytes if url.endswith("three.core.js")]) == 1


def test_what_a_page_s_policy_stops_is_seen(browser: Browser, address: str, tokens: dict[str, str]) -> None:
    """Or no violation of it, on any page, would prove nothing."""
    with opened(browser, f"{address}/health", tokens["ann"]) as (page, seen):
        page.evaluate("document.body.setAttribute('style', 'color: red')")
        page.wait_for_timeout(200)
        assert len(seen.faults) == 1


def test_without_webgl_there_is_a_map(
    browser: Browser, address: str, tokens: dict[str, str], settings: WebSettings
) -> None:
    land(Path(settings.lake_uri), now_events(5))
    without = "HTMLCanvasElement.prototype.getContext = ((get) => function (kind, ...rest) { return kind.startsWith('webgl') ? null : get.call(this, kind, ...rest); })(HTMLCanvasElement.prototype.getContext)"  # noqa: E501
    with opened(browser, f"{address}/health", tokens["ann"]) as (page, seen):
        page.add_init_script(without)
        page.goto(f"{address}/live")
        expect(page.locator("#map canvas")).to_have_count(1)
        expect(page.locator('#views input[value="map"]')).to_be_checked()
        expect(page.locator('#views input[value="globe"]')).to_be_disabled()
        assert seen.faults == []


def test_who_wants_no_motion_gets_none(browser: Browser, address: str, tokens: dict[str, str]) -> None:
    with opened(browser, f"{address}/live", tokens["ann"], reduced_motion="reduce") as (page, _):
        assert page.evaluate("import('./static/live-world.js').then((world) => world.isStill())")


def test_a_lake_that_is_away_is_said_and_healed(
    browser: Browser, address: str, tokens: dict[str, str], settings: WebSettings
) -> None:
    folder = Path(settings.lake_uri)
    broken = folder / "events" / "_delta_log" / f"{0:020}.json"
    broken.parent.mkdir(parents=True)
    broken.write_text("no JSON")
    with opened(browser, f"{address}/live", tokens["ann"]) as (page, _):
        expect(page.locator("#problem")).to_contain_text("The lake can't be read")
        broken.unlink()
        land(folder, now_events(2))
        expect(page.locator("#places")).to_contain_text("Paris", timeout=15_000)
        expect(page.locator("#problem")).to_be_empty()


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("page_name", PAGES | LINKED)
def test_no_page_is_wider_than_the_window(
    browser: Browser, address: str, tokens: dict[str, str], page_name: str, width: int
) -> None:
    size = {"width": width, "height": 800}
    with opened(browser, f"{address}/{page_name}", tokens["ann"], viewport=size) as (page, seen):
        page.wait_for_timeout(800)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert seen.faults == []


def test_the_keyboard_reaches_everything_and_shows_where_it_is(
    browser: Browser, address: str, tokens: dict[str, str]
) -> None:
    with opened(browser, f"{address}/live", tokens["ann"]) as (page, _):
        page.wait_for_timeout(500)
        page.keyboard.press("Tab")
        expect(page.locator(".skip")).to_be_focused()
        for _ in PAGES:
            page.keyboard.press("Tab")
        expect(page.get_by_role("link", name=[*PAGES.values()][-1])).to_be_focused()
        page.keyboard.press("Tab")
        page.keyboard.press("Space")
        expect(page.locator('#types input[value="repin"]')).not_to_be_checked()
        outline = "getComputedStyle(document.activeElement.nextElementSibling).outlineStyle"
        assert page.evaluate(outline) == "solid"


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_theme_is_airflow_s(browser: Browser, address: str, tokens: dict[str, str], theme: str) -> None:
    other = "dark" if theme == "light" else "light"
    with opened(browser, f"{address}/health", tokens["ann"], color_scheme=other) as (page, _):
        page.evaluate(f"localStorage.setItem('theme', '{theme}')")
        page.reload()
        assert page.evaluate("getComputedStyle(document.documentElement).colorScheme") == theme


def test_who_is_signed_out_is_told(browser: Browser, address: str, tokens: dict[str, str]) -> None:
    with opened(browser, f"{address}/health", tokens["ann"]) as (page, _):
        page.context.clear_cookies()
        page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
        expect(page.locator("#problem")).to_contain_text("You are signed out of Airflow")


def test_the_stream_is_started_where_it_is_seen_to_be_stopped(
    browser: Browser, address: str, tokens: dict[str, str]
) -> None:
    answers = {
        "health/alerts": NO_ALERTS,
        "health/flow": flow("x")
        | {"driver": {"state": "stopped", "since": NOW, "failures": 0, "restarts_today": 0, "stopped_by": "<b>ann"}},
        "v2/dags/control_stream/dagRuns": {"dag_run_id": "manual__1"},
    }
    with opened(browser, f"{address}/health", tokens["ann"], answers) as (page, seen):
        expect(page.locator("#state")).to_contain_text("Stopped by <b>ann")
        with page.expect_request("**/control_stream/dagRuns") as asked:
            page.get_by_role("button", name="Start", exact=True).click()
        assert json.loads(asked.value.post_data or "")["conf"] == {"wanted": "running"}
        expect(page.locator("#driver")).to_contain_text("Asked for")
        assert seen.faults == []
    with opened(browser, f"{address}/health", tokens["bob"], answers) as (page, _):
        expect(page.locator("#driver")).to_contain_text("On purpose")
        assert page.locator("#driver button").count() == 0


def test_an_alert_is_silenced_and_sent_again_in_airflow_s_frame(
    browser: Browser, address: str, tokens: dict[str, str]
) -> None:
    """Whose sandbox blocks confirm() and prompt()."""
    of = {"name": "slice_held", "subject": "repins", "reason": "<b>planned</b>", "silenced_by": "ann", "until_at": NOW}
    found = [alert("x", 1, name="slice_held", subject="repins"), alert("x", 2, name="slice_held", silence=of)]
    answers = {
        "health/alerts": {"open": found, "recent": [], "silences": [of]},
        "v2/dags/silence_alert/dagRuns": {"dag_run_id": "manual__1"},
    }
    frame = f'<iframe sandbox="{AIRFLOW_S_SANDBOX}" src="{address}/health" width=900 height=700></iframe>'
    with opened(browser, f"{address}/health", tokens["ann"], answers) as (page, seen):
        page.route("**/frame", lambda route: route.fulfill(body=frame, content_type="text/html"))
        page.goto(f"{address}/frame")
        health = page.frame_locator("iframe")
        health.get_by_role("button", name="Silence").click()
        asking = health.get_by_role("dialog")
        asking.get_by_role("button", name="Cancel").click()
        expect(asking).to_have_count(0)
        health.get_by_role("button", name="Silence").click()
        asking.get_by_label("For").select_option("4")
        asking.get_by_label("Why").fill("planned work")
        with page.expect_request("**/silence_alert/dagRuns") as asked:
            asking.get_by_role("button", name="Silence").click()
        conf = {"name": "slice_held", "subject": "repins"}
        assert json.loads(asked.value.post_data or "")["conf"] == conf | {"hours": 4, "reason": "planned work"}
        expect(health.locator("#open")).to_contain_text("Silenced by ann (slice_held, repins)")
        with page.expect_request("**/silence_alert/dagRuns") as asked:
            health.locator("#open").get_by_role("button", name="Send it again").click()
        assert json.loads(asked.value.post_data or "")["conf"] == conf | {"hours": 0, "reason": ""}
        assert seen.faults == []


def test_a_table_that_is_cut_off_is_rebuilt_where_it_is_seen(
    browser: Browser, address: str, tokens: dict[str, str]
) -> None:
    found = [alert("x", 1, name="table_cut_off", subject="repins shard 1")]
    answers = {
        "health/alerts": NO_ALERTS | {"open": found},
        "v2/dags/rebuild_tables/dagRuns": {"dag_run_id": "manual__1"},
    }
    with opened(browser, f"{address}/health", tokens["ann"], answers) as (page, seen):
        page.get_by_role("button", name="Rebuild").click()
        with page.expect_request("**/rebuild_tables/dagRuns") as asked:
            page.get_by_role("dialog").get_by_role("button", name="Rebuild").click()
        assert json.loads(asked.value.post_data or "")["conf"] == {"tables": ["repins"], "dry_run": False}
        expect(page.locator("#alerts-said")).to_contain_text("Asked for")
        assert seen.faults == []


def test_histories_have_their_limit_and_their_gaps(browser: Browser, address: str, tokens: dict[str, str]) -> None:
    lag = {"measure": "lag_records", "title": "Fullest partition's lag", "unit": "records", "limit": 9}
    none = {"measure": "x", "title": "Lake behind Kafka", "unit": "seconds", "limit": None, "values": [None] * 3}
    answers = {"health/history*": [lag | {"values": [1, 12, None]}, none]}
    with opened(browser, f"{address}/health", tokens["ann"], answers) as (page, seen):
        expect(page.locator("#histories li")).to_have_count(2)
        expect(page.locator("#histories li").first).to_contain_text(
            "now 12 records, most 12 records, allowed 9 records"
        )
        expect(page.locator("#histories li").last).to_contain_text("now unknown, most unknown")
        assert page.locator("#histories .limit").count() == 1
        with page.expect_request("**/health/history?period=month"):
            page.get_by_role("button", name="month").click()
        expect(page.get_by_role("button", name="month")).to_have_attribute("aria-pressed", "true")
        assert seen.faults == []


def test_the_alert_that_an_address_names_is_shown(browser: Browser, address: str, tokens: dict[str, str]) -> None:
    found = [alert("x", n) for n in range(60)]
    answers = {"health/alerts": {"open": found, "recent": found, "silences": []}, "health/flow": flow("x")}
    with opened(browser, f"{address}/health#alert-57", tokens["ann"], answers) as (page, _):
        expect(page.locator("#alert-57")).to_be_in_viewport()
        expect(page.locator("#alert-57")).to_have_class(re.compile("named"))


def test_without_the_database_the_last_known_flow_stays_in_grey(
    browser: Browser, address: str, tokens: dict[str, str]
) -> None:
    away = flow("x") | {"away": ["memsql"], "steps": [], "tables": [], "lags": [], "measured_at": None}
    answers = {"health/alerts": NO_ALERTS, "health/flow": flow("pins")}
    with opened(browser, f"{address}/health", tokens["ann"], answers) as (page, _):
        expect(page.locator("#flow .step")).to_have_count(1)
        page.unroute("**/api/health/flow")
        page.route("**/api/health/flow", lambda route: route.fulfill(json=away))
        page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
        expect(page.locator("#state")).to_contain_text("MemSQL does not answer")
        expect(page.locator("#flow .step.stale")).to_contain_text("Unknown")
        expect(page.locator("#tables")).to_contain_text("pins")


def test_the_test_alert_is_sent_by_a_button(browser: Browser, address: str, tokens: dict[str, str]) -> None:
    answers = {
        "health/alerts": NO_ALERTS,
        "health/flow": flow("x"),
        "v2/dags/watch_health/dagRuns": {"dag_run_id": "manual__1"},
    }
    with opened(browser, f"{address}/health", tokens["ann"], answers) as (page, _):
        expect(page.locator("#recent")).to_contain_text("No alerts yet")
        page.get_by_role("button", name="Send a test alert").click()
        expect(page.locator("#sent")).to_contain_text("It comes within a minute")
    with opened(browser, f"{address}/health", tokens["bob"], answers) as (page, _):
        expect(page.locator("#recent")).to_contain_text("No alerts yet")
        assert not page.get_by_role("button", name="Send a test alert").is_visible()


def test_who_is_bound_sees_only_how_complete_the_tables_are(
    browser: Browser, address: str, tokens: dict[str, str]
) -> None:
    table = {"table": "repins", "complete_through": NOW, "newest": NOW}
    answers = {"health/complete": {"now": NOW, "tables": [table]}}
    with opened(browser, f"{address}/health", tokens["carl"], answers) as (page, seen):
        expect(page.locator("#tables")).to_contain_text("repins")
        assert not page.locator("#recent").is_visible()
        assert [url for url in seen.requests if "health/flow" in url or "health/alerts" in url] == []

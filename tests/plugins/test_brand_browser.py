"""The pages of a brand's day and of a pin in a real browser, and the ways that lead to them."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from pinwheel.core.settings import WebSettings
from tests.support.browser import available, opened
from tests.support.live_lakes import land, now_events
from tests.support.pages import MODULES

pytestmark = pytest.mark.skipif(not available() or not MODULES.exists(), reason="needs Chromium, and `make setup`")

NOW = datetime.now(UTC).replace(microsecond=0)
SIZES = pytest.mark.parametrize("width", [1280, 390])
NO_TRENDS: dict[str, Any] = {
    "as_of": NOW.isoformat(),
    "counted_from": (NOW - timedelta(minutes=90)).isoformat(),
    "learning_until": None,
    "only_brands": True,
    **{name: [] for name in ("pins", "categories", "brands", "countries")},
}


def rise(item: str, name: str, **values: Any) -> dict[str, Any]:
    since = (NOW - timedelta(minutes=12)).isoformat()
    return {
        "item": item, "name": name, "brand_id": 1, "since": since, "repins": 300, "per_minute": 25.0,
        "usual_per_minute": 4.0, "times_usual": 6.2, "chance_log10": -20.0, "confidence": "beyond_doubt",
        "minutes": [3 + n % 4 for n in range(48)] + [9, 14, 20, 22, 25, 27, 24, 26, 25, 28, 26, 25],
    } | values  # fmt: skip


def numbers(engagement: float, people: float) -> dict[str, float]:
    comments = round(engagement * 0.21)
    return {
        "engagement": engagement, "repins": engagement - comments, "comments": comments, "pins": 12, "people": people
    }  # fmt: skip


def brand_today(**values: Any) -> dict[str, Any]:
    """A day to 14:37 UTC."""
    usual = [40 + 30 * (8 < hour < 22) + 7 * (hour % 5) for hour in range(24)]
    return {
        "brand_id": 1,
        "name": "Copper Kitchen",
        "time_zone": "UTC",
        "unknown_zone": None,
        "day": "2026-03-14",
        "complete_through": NOW.isoformat(),
        "to": "2026-03-14T14:37:00Z",
        "today": numbers(1234, 870),
        "yesterday": numbers(1100, 901),
        "usual": numbers(987.43, 803.3),
        "usual_days": 7,
        "hours": [
            {
                "begin": f"2026-03-14T{h:02}:00:00Z",
                "today": usual[h] + h * 2 if h <= 14 else None,
                "yesterday": usual[h] + 3,
                "usual": usual[h],
            }
            for h in range(24)
        ],
        "pins": [
            {"pin_id": str(2**62 + n), "title": title, "engagement": 300 - n, "repins": 250, "comments": 50 - n}
            for n, title in enumerate(["Lemon cake with poppy seeds", None, "Sourdough in two days, a plan " * 6])
        ],
        "categories": [{"category": "food", "engagement": 900}, {"category": "(none)", "engagement": 334}],
        "countries": [
            {"country_code": code, "engagement": 500 - n * 90, "people": 400 - n * 80}
            for n, code in enumerate(["NL", "US", "ZZ"])
        ],
        "trends": NO_TRENDS | {"pins": [rise("4611686018427387905", "Lemon cake with poppy seeds")]},
    } | values


def pin_of(**values: Any) -> dict[str, Any]:
    begin = datetime(2026, 3, 7, 15, tzinfo=UTC)
    return {
        "pin_id": "7", "title": "Lemon cake", "description": "Light.\nWith poppy seeds.", "category": "food",
        "link": "https://example.org/cake", "image_url": "http://example.org/cake.jpg", "created_at": begin.isoformat(),
        "brand_id": 1, "brand_name": "Copper Kitchen", "repins": 1500, "comments": 120, "first_hour": begin.isoformat(),
        "complete_through": NOW.isoformat(), "shown_from": begin.isoformat(),
        "shown_to": (begin + timedelta(days=7)).isoformat(),
        "hours": [
            {"hour": (begin + timedelta(hours=n)).isoformat(), "repins": n % 24, "comments": n % 3} for n in range(168)
        ],
        "saves": {
            "since": begin.isoformat(), "is_all": False, "boards": 311, "people": 290,
            "countries": [{"country_code": "NL", "engagement": 900, "people": 500}],
        },
        "trend": rise("7", "Lemon cake"), "learning_until": None,
    } | values  # fmt: skip


def test_a_day_whose_clocks_go_back_has_25_hours_in_its_zone(
    browser: Browser, address: str, tokens: dict[str, str]
) -> None:
    begins = [f"0{h}:00:00+02:00" for h in range(3)] + [f"{h:02}:00:00+01:00" for h in range(2, 24)]
    hours = [{"begin": f"2026-10-25T{at}", "today": 7 if n <= 3 else None, "yesterday": 5, "usual": 6}
             for n, at in enumerate(begins)]  # fmt: skip
    told = brand_today(time_zone="Europe/Berlin", day="2026-10-25", to="2026-10-25T02:14:00+01:00", hours=hours)
    with opened(browser, f"{address}/brand?brand=1", tokens["ann"], {"brands/1": told}) as (page, seen):
        expect(page.locator("#said")).to_contain_text("Sunday 25 October, 00:00 to 02:14 Europe/Berlin")
        chart = page.get_by_role("img", name="Engagement in each hour of today, Europe/Berlin, at most 7")
        assert chart.locator("title").all_text_contents()[2:5] == [
            "02:00 Europe/Berlin, today 7, yesterday 5, usual 6",
            "02:00 Europe/Berlin, today so far, to 02:14 7, yesterday 5, usual 6",
            "03:00 Europe/Berlin, yesterday 5, usual 6",
        ]
        assert page.locator("rect.begun").count() == 1
        page.get_by_text("As a table").click()
        expect(page.get_by_role("columnheader", name="Hour, Europe/Berlin")).to_be_visible()
        assert seen.faults == []


@SIZES
def test_a_time_zone_that_is_not_known_is_told_with_what_to_do(
    browser: Browser, address: str, tokens: dict[str, str], width: int
) -> None:
    size = {"width": width, "height": 860}
    answers = {"brands/1": brand_today(unknown_zone="Mars/<b>Base</b>")}
    for person, todo in (("ann", "Set the right one with set_time_zone."), ("carl", "Ask who runs Pinwheel")):
        with opened(browser, f"{address}/brand?brand=1", tokens[person], answers, viewport=size) as (page, seen):
            told = page.locator("#content .notice")
            expect(told).to_contain_text("is “Mars/<b>Base</b>”, which is none that is known here")
            expect(told).to_contain_text(todo)
            expect(page.locator("#said")).to_contain_text("00:00 to 14:37 UTC")
            assert page.get_by_role("link", name="set_time_zone").count() == (person == "ann")
            assert seen.faults == []


@SIZES
def test_a_brand_s_day_is_read_and_leads_to_its_pins(
    browser: Browser, address: str, tokens: dict[str, str], width: int
) -> None:
    answers = {"brands/1": brand_today(), f"pins/{2**62}": pin_of()}
    size = {"width": width, "height": 860}
    with opened(browser, f"{address}/brand?brand=1", tokens["ann"], answers, viewport=size) as (page, seen):
        expect(page.get_by_role("heading", level=1)).to_have_text("Copper Kitchen")
        expect(page.locator("#said")).to_contain_text("Saturday 14 March, 00:00 to 14:37 UTC")
        expect(page.locator("#state")).to_contain_text("Complete through")
        tile = page.get_by_role("region", name="Engagement", exact=True)
        expect(tile).to_contain_text("1,234")
        expect(tile.locator("dd").first).to_have_text("1,100 +12 %")
        expect(tile.locator("dd").last).to_have_text("987 +25 %")
        chart = page.get_by_role("img", name="Engagement in each hour of today, UTC, at most 126")
        expect(chart).to_be_visible()
        assert chart.locator("title").nth(14).text_content() == (
            "14:00 UTC, today so far, to 14:37 126, yesterday 101, usual 98"
        )
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert page.locator("main img").count() == 0, "no picture is asked from anybody"
        page.get_by_role("link", name="Lemon cake with poppy seeds").first.click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Lemon cake")
        assert seen.faults == []
        assert {url.split("/")[2] for url in seen.requests} == {address.split("/")[2]}


def test_the_table_of_hours_stays_open_when_the_numbers_come_again(
    browser: Browser, address: str, tokens: dict[str, str]
) -> None:
    with opened(browser, f"{address}/brand?brand=1", tokens["ann"], {"brands/1": brand_today()}) as (page, _):
        page.get_by_text("As a table").click()
        expect(page.get_by_role("cell", name="13:00")).to_be_visible()
        page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
        page.wait_for_timeout(500)
        expect(page.get_by_role("cell", name="13:00")).to_be_visible()


@SIZES
def test_a_pin_is_read_and_its_links_give_nothing_away(
    browser: Browser, address: str, tokens: dict[str, str], width: int
) -> None:
    size = {"width": width, "height": 860}
    with opened(browser, f"{address}/pin?pin=7", tokens["ann"], {"pins/7": pin_of()}, viewport=size) as (page, seen):
        expect(page.get_by_role("heading", level=1)).to_have_text("Lemon cake")
        expect(page.get_by_role("link", name="Copper Kitchen")).to_have_attribute(
            "href", re.compile(r"brand\?brand=1$")
        )
        link = page.get_by_role("link", name="https://example.org/cake")
        assert (link.get_attribute("href"), link.get_attribute("rel")) == (
            "https://example.org/cake",
            "noopener noreferrer",
        )
        expect(page.get_by_text("http://example.org/cake.jpg")).to_be_visible()
        assert page.get_by_role("link", name="http://example.org").count() == 0, "only https is a link"
        expect(page.get_by_role("region", name="Boards it was saved to")).to_contain_text("311")
        expect(page.get_by_role("region", name="Countries")).to_contain_text("Earlier hours are left out")
        assert page.get_by_role("img", name=re.compile("in each hour")).locator("title").count() == 168
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert (page.locator("main img").count(), seen.faults) == (0, [])


def test_a_pin_s_link_opens_a_tab_from_inside_airflow_s_frame(
    browser: Browser, address: str, tokens: dict[str, str]
) -> None:
    """Its sandbox has no pop-ups."""
    with opened(browser, f"{address}/trends", tokens["ann"], {"pins/7": pin_of(), "trends": NO_TRENDS}) as (page, seen):
        page.context.route("https://example.org/**", lambda route: route.fulfill(body="cake"))
        page.evaluate(
            """() => {
                const frame = document.createElement("iframe");
                frame.setAttribute("sandbox", "allow-scripts allow-same-origin allow-forms");
                frame.src = "pin?pin=7";
                document.body.replaceChildren(frame);
            }"""
        )
        with page.expect_popup() as tab:
            page.frame_locator("iframe").get_by_role("link", name="https://example.org/cake").click()
        assert tab.value.url == "https://example.org/cake"
        assert tab.value.evaluate("[window.opener, document.referrer]") == [None, ""]
        assert seen.faults == []


def test_a_brand_is_found_by_its_name_or_number(browser: Browser, address: str, tokens: dict[str, str]) -> None:
    brands = [{"brand_id": n, "name": f"Brand of {name}"} for n, name in ((1, "copper"), (2, "moss"), (3, "stone"))]
    answers = {"live/choices": {"brands": brands, "categories": []}, "brands/2": brand_today(name="Brand of moss")}
    with opened(browser, f"{address}/brand", tokens["ann"], answers) as (page, seen):
        expect(page.locator("#found a")).to_have_count(3)
        page.get_by_label("Brand", exact=True).fill("of MOSS")
        expect(page.locator("#found a")).to_have_text(["Brand of moss"])
        page.get_by_label("Brand", exact=True).fill("77")
        expect(page.locator("#found a")).to_have_attribute("href", re.compile(r"brand\?brand=77$"))
        page.get_by_label("Brand", exact=True).fill("moss")
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", level=1)).to_have_text("Brand of moss")
        assert seen.faults == []


def test_a_bound_person_begins_with_their_first_brand(browser: Browser, address: str, tokens: dict[str, str]) -> None:
    """Carl is bound to 1 and 2, and neither has a name."""
    answers = {"live/choices": {"brands": [], "categories": []}, "brands/1": brand_today()}
    with opened(browser, f"{address}/brand", tokens["carl"], answers) as (page, _):
        expect(page.get_by_role("heading", level=1)).to_have_text("Copper Kitchen")
        page.get_by_label("Brand", exact=True).fill("brand")
        expect(page.locator("#found a")).to_have_text(["brand 1", "brand 2"])


def test_what_does_not_exist_is_said(browser: Browser, address: str, tokens: dict[str, str]) -> None:
    with opened(browser, f"{address}/brand?brand=3", tokens["carl"]) as (page, _):
        expect(page.locator("#problem")).to_contain_text("There is no brand 3 that you may see.")
    with opened(browser, f"{address}/pin?pin=x", tokens["carl"]) as (page, _):
        expect(page.locator("main")).to_contain_text("Open a pin from Trends")


def test_trends_reports_and_the_globe_lead_to_brands_and_pins(
    browser: Browser, address: str, tokens: dict[str, str]
) -> None:
    answers: dict[str, Any] = {
        "trends": NO_TRENDS
        | {"pins": [rise("7", "Lemon cake")], "brands": [rise("1", "Copper")], "only_brands": False},
        "live/choices": {"brands": [{"brand_id": 1, "name": "Copper"}], "categories": []},
        "reports?*": {"day": None, "newest_days": [], "has_more": False, "reports": [report()]},
    }
    brand, pin = "brand?brand=1", "pin?pin=7"
    with opened(browser, f"{address}/trends", tokens["ann"], answers) as (page, _):
        expect(page.get_by_role("link", name="Copper")).to_have_attribute("href", brand)
        expect(page.get_by_role("link", name="Lemon cake")).to_have_attribute("href", pin)
    with opened(browser, f"{address}/reports", tokens["ann"], answers) as (page, _):
        expect(page.get_by_role("link", name="Copper", exact=True)).to_have_attribute("href", brand)
    with opened(browser, f"{address}/live", tokens["ann"], answers) as (page, _):
        assert not page.locator("#brand-today").is_visible()
        page.locator("#brand").select_option("1")
        expect(page.get_by_role("link", name="Copper today")).to_have_attribute("href", brand)


def test_the_globe_names_the_pins_of_the_moment_and_leaves_their_links_alone(
    browser: Browser, address: str, tokens: dict[str, str], settings: WebSettings
) -> None:
    land(Path(settings.lake_uri), now_events(2, pin_id=7, title="Lemon <b>cake</b>"))
    with opened(browser, f"{address}/live", tokens["ann"]) as (page, seen):
        link = page.get_by_role("link", name="Lemon <b>cake</b>")
        expect(link).to_have_attribute("href", "pin?pin=7")
        link.focus()
        page.wait_for_timeout(2500)
        expect(link).to_be_focused()
        assert seen.faults == []


def report() -> dict[str, Any]:
    return {
        "brand_id": 1, "brand_name": "Copper", "first_day": "2026-03-14", "days": 1, "revision": 1,
        "made_at": NOW.isoformat(), "complete_through": None, "is_complete": True, "verdict": "passed", "engagement": 9,
        "engagement_before": 8, "unique_people": 5, "change_count": 0, "mail": "none",
    }  # fmt: skip


def test_trends_say_that_they_are_learning_and_for_how_long(
    browser: Browser, address: str, tokens: dict[str, str]
) -> None:
    new = rise("7", "Lemon cake", times_usual=None, usual_per_minute=0.0)
    until = (NOW + timedelta(minutes=34, seconds=20)).isoformat()
    jumped = rise("8", "Plum cake", times_usual=120)
    answers = {"trends": NO_TRENDS | {"pins": [new, jumped], "learning_until": until}}
    with opened(browser, f"{address}/trends", tokens["ann"], answers) as (page, _):
        expect(page.get_by_role("status").filter(has_text="Learning")).to_contain_text("for another 35 min")
        expect(page.locator(".trend-size")).to_have_text(["learning", "learning"])
    answers = {"trends": NO_TRENDS | {"pins": [new]}}
    with opened(browser, f"{address}/trends", tokens["ann"], answers) as (page, _):
        expect(page.locator(".trend-size")).to_have_text("new")
        assert page.get_by_text("Learning").count() == 0

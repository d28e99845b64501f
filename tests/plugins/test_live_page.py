"""The live page in a browser: what is chosen, said, listed and pointed at."""

import json
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from pinwheel.core.settings import WebSettings
from tests.support.browser import available, opened
from tests.support.live_lakes import LIMA, land, now_events
from tests.support.pages import MODULES

pytestmark = pytest.mark.skipif(not available() or not MODULES.exists(), reason="needs Chromium, and `make setup`")

BRANDS = [{"brand_id": 1, "name": "Halden"}, {"brand_id": 2, "name": "Nordwind"}]
BARS = {"first": "2026-03-14T11:30:00Z", "repins": [None] * 5 + [0] * 23 + [40, 7], "is_counted": True}
ANSWERS: dict[str, Any] = {
    "live/choices": {"brands": BRANDS, "categories": ["food", "home"]},
    "live/minutes*": BARS,
}
AT_REST = """() => {
  const [before, [x]] = [window.seenAt, pinwheelLive.view().pointOf([-38, 30])];
  window.seenAt = x;
  return Math.abs(x - before) < 0.1;
}"""
FLAT = "?view=map"  # drawn sooner than the globe


@pytest.fixture
def folder(settings: WebSettings) -> Path:
    return Path(settings.lake_uri)


def module(page: Page, name: str, call: str, *values: Any) -> Any:
    """Call a function of one of the page's modules."""
    return page.evaluate(f"import('./static/{name}.js').then((m) => m.{call}(...{json.dumps(values)}))")


def test_filters_are_in_the_address_and_outlast_a_reload(
    browser: Browser, address: str, tokens: dict[str, str], folder: Path
) -> None:
    land(folder, now_events(2, "comment", brand_id=2, category="home"))
    with opened(browser, f"{address}/live{FLAT}", tokens["ann"], ANSWERS) as (page, seen):
        page.get_by_role("checkbox", name="Comments", exact=True).check()
        page.get_by_role("checkbox", name="Repins", exact=True).uncheck()
        page.get_by_label("Brand").select_option("Nordwind")
        page.get_by_label("Category").select_option("home")
        page.get_by_role("radio", name="Table").check()
        assert page.url.endswith("/live?view=table&types=comment&brand=2&category=home")
        page.reload()
        expect(page.get_by_label("Brand")).to_have_value("2")
        expect(page.get_by_label("Category")).to_have_value("home")
        expect(page.get_by_role("checkbox", name="Comments", exact=True)).to_be_checked()
        expect(page.get_by_role("checkbox", name="Repins", exact=True)).not_to_be_checked()
        expect(page.locator("#table tbody tr")).to_have_count(1)
        asked = [url for url in seen.requests if "live/events" in url]
        assert asked[-1].endswith("types=comment&brand=2&category=home")


def test_what_is_usual_is_not_in_the_address(browser: Browser, address: str, tokens: dict[str, str]) -> None:
    with opened(browser, f"{address}/live{FLAT}&brand=1&types=pin", tokens["ann"], ANSWERS) as (page, _):
        expect(page.get_by_label("Brand")).to_have_value("1")
        page.get_by_label("Brand").select_option("All brands")
        page.get_by_role("checkbox", name="Pins", exact=True).uncheck()
        page.get_by_role("checkbox", name="Repins", exact=True).check()
        assert page.url.endswith("/live?view=map")


def test_a_brand_that_is_not_offered_is_said(browser: Browser, address: str, tokens: dict[str, str]) -> None:
    with opened(browser, f"{address}/live{FLAT}&brand=9&types=nonsense,pin", tokens["carl"], ANSWERS) as (page, seen):
        expect(page.locator("#filter-note")).to_have_text("There is no brand 9 that you may see. All are shown.")
        expect(page.get_by_role("checkbox", name="Pins", exact=True)).to_be_checked()
        assert page.url.endswith("/live?view=map&types=pin")
        assert seen.faults == []


@pytest.mark.parametrize("window", ["pinwheel-live", "pinwheel-trends"])
def test_in_airflow_s_frame_the_address_is_that_of_its_window_while_it_is_that_of_live(
    browser: Browser, address: str, tokens: dict[str, str], window: str
) -> None:
    with opened(browser, f"{address}/trends", tokens["ann"], ANSWERS) as (page, _):
        page.evaluate(f"history.replaceState(null, '', '/plugin/{window}?brand=2&view=map')")
        page.evaluate(f"document.body.innerHTML = `<iframe src='{address}/live{FLAT}'></iframe>`")
        brand = page.frame_locator("iframe").get_by_label("Brand")
        expect(brand.get_by_role("option")).to_have_count(3)
        expect(brand).to_have_value("2" if window == "pinwheel-live" else "")
        brand.select_option("Halden")
        assert page.url.endswith(f"?brand={1 if window == 'pinwheel-live' else 2}&view=map")


def test_an_empty_choice_says_what_is_empty(
    browser: Browser, address: str, tokens: dict[str, str], folder: Path
) -> None:
    land(folder, now_events(3, brand_id=2, category="home"))
    with opened(browser, f"{address}/live{FLAT}&brand=1&category=food", tokens["ann"], ANSWERS) as (page, _):
        note = page.locator("#waiting")
        expect(note).to_have_text("No repins of Halden in food in the last minute.")
        page.get_by_role("checkbox", name="Pins", exact=True).check()
        expect(note).to_have_text("No repins and pins of Halden in food in the last minute.")
        page.get_by_role("radio", name="Table").check()
        expect(page.locator("#table")).to_contain_text("No repins and pins of Halden in food in the last minute.")
        page.get_by_label("Category").select_option("")
        page.get_by_label("Brand").select_option("")
        expect(page.locator("#table")).to_contain_text("Paris")
        for name in ("Repins", "Pins"):
            page.get_by_role("checkbox", name=name, exact=True).uncheck()
        expect(page.locator("#table")).to_contain_text("Choose what to show")


def test_events_without_a_place_are_said(browser: Browser, address: str, tokens: dict[str, str], folder: Path) -> None:
    land(folder, now_events(3, city=None, latitude=None, longitude=None))
    with opened(browser, f"{address}/live{FLAT}", tokens["ann"], ANSWERS) as (page, _):
        expect(page.locator("#waiting")).to_have_text("No place is known of the repins of the last minute.")


def test_the_last_half_hour_is_bars(browser: Browser, address: str, tokens: dict[str, str]) -> None:
    with opened(browser, f"{address}/live{FLAT}", tokens["ann"], ANSWERS) as (page, _):
        bars = page.get_by_role("img", name="Repins per minute from 11:30 to 12:00 UTC: at most 40, last 7")
        expect(bars.locator("rect")).to_have_count(25)
        assert bars.locator("rect title").nth(23).text_content() == "11:58 UTC: 40 repins"
        page.unroute("**/api/live/minutes*")
        page.route("**/api/live/minutes*", lambda r: r.fulfill(json=BARS | {"is_counted": False, "repins": []}))
        page.get_by_label("Category").select_option("home")
        page.get_by_label("Brand").select_option("Halden")
        said = "Repins of a category are counted for all brands together only."
        expect(page.locator("#minutes")).to_have_text(said)


def test_what_happens_stands_still_while_it_is_read(
    browser: Browser, address: str, tokens: dict[str, str], folder: Path
) -> None:
    land(folder, now_events(2))
    with opened(browser, f"{address}/live{FLAT}", tokens["ann"], ANSWERS) as (page, _):
        latest, busiest = page.locator("#latest"), page.locator("#places")
        expect(latest).to_contain_text("2 repins Paris, France")
        page.keyboard.press("Tab")
        latest.focus()
        land(folder, now_events(5, **LIMA))
        expect(busiest).to_contain_text("Lima")
        expect(latest).not_to_contain_text("Lima")
        busiest.get_by_role("button").first.focus()
        expect(latest).to_contain_text("Lima")
        land(folder, now_events(9, city="Oslo", country_code="NO"))
        expect(latest).to_contain_text("Oslo")
        expect(busiest).not_to_contain_text("Oslo")


def test_a_place_is_named_by_the_list_or_by_pointing(
    browser: Browser, address: str, tokens: dict[str, str], folder: Path
) -> None:
    land(folder, [*now_events(4), *now_events(1, **LIMA)])
    with opened(browser, f"{address}/live{FLAT}", tokens["ann"], ANSWERS) as (page, _):
        note = page.locator("#place")
        page.locator("#places").get_by_role("button", name="Lima").focus()
        expect(note).to_have_text("Lima, Peru1 repin in a minute")
        page.keyboard.press("Escape")
        expect(note).to_be_hidden()
        expect(page.locator("#map canvas")).to_be_visible()
        at = page.evaluate("pinwheelLive.view().pointOf([2.4, 48.9])")
        page.locator("#map").hover(position={"x": at[0] + 5, "y": at[1]})
        expect(note).to_have_text("Paris, France4 repins in a minute")
        page.locator("#map").hover(position={"x": 5, "y": 5})
        expect(note).to_be_hidden()


def test_the_globe_opens_where_people_are_and_the_keyboard_turns_it(
    browser: Browser, address: str, tokens: dict[str, str], folder: Path
) -> None:
    land(folder, now_events(4, **LIMA))
    with opened(browser, f"{address}/live", tokens["ann"], ANSWERS, reduced_motion="reduce") as (page, seen):
        middle = "() => { const [x, y] = pinwheelLive.view().pointOf([-77, -12]) ?? [0, 0]; return [x, y]; }"
        box = page.locator("#map").bounding_box()
        assert box is not None
        page.wait_for_function("() => window.pinwheelLive?.view() && !document.querySelector('#waiting').offsetParent")
        page.wait_for_function(f"() => Math.abs(({middle})()[0] - {box['width'] / 2}) < 4", timeout=15_000)
        assert page.evaluate(middle)[1] == pytest.approx(box["height"] / 2, abs=4)
        page.wait_for_timeout(1000)
        assert page.evaluate(middle)[0] == pytest.approx(box["width"] / 2, abs=4), "people want no motion"
        page.locator("#map").focus()
        page.keyboard.press("ArrowLeft")
        page.wait_for_function(f"() => ({middle})()[0] > {box['width'] / 2 + 10}")
        assert seen.faults == []


def test_without_that_wish_it_turns_until_somebody_is_at_it(
    browser: Browser, address: str, tokens: dict[str, str]
) -> None:
    with opened(browser, f"{address}/live", tokens["ann"], ANSWERS) as (page, _):
        page.wait_for_function("() => window.pinwheelLive?.view()", timeout=20_000)
        page.wait_for_timeout(1500)  # until a scroll bar has come, which moves it too
        x = page.evaluate("pinwheelLive.view().pointOf([-38, 30])[0]")
        page.wait_for_function(f"() => Math.abs(pinwheelLive.view().pointOf([-38, 30])[0] - {x}) > 3")
        page.locator("#map").hover()
        page.wait_for_function(AT_REST, polling=500)


def test_the_globe_faces_the_region_with_most_events_and_no_ocean(
    browser: Browser, address: str, tokens: dict[str, str]
) -> None:
    with opened(browser, f"{address}/trends", tokens["ann"], ANSWERS) as (page, _):
        fiji = [{"at": [179, 0], "events": 1}, {"at": [-179, 0], "events": 1}]
        longitude, latitude = module(page, "live-places", "middle", fiji)
        assert (abs(longitude), latitude) == (pytest.approx(180), pytest.approx(0))
        assert module(page, "live-places", "middle", []) is None
        two = [{"at": [-100, 40], "events": 3}, {"at": [10, 50], "events": 2}, {"at": [20, 50], "events": 2}]
        longitude, latitude = module(page, "live-places", "middle", two)
        assert (longitude, latitude) == (pytest.approx(15), pytest.approx(50, abs=1)), "not between the two regions"


@pytest.mark.parametrize(
    ("moment", "longitude", "latitude"),
    [
        ("2026-03-20T14:46:00Z", -39.7, 0.0),  # the equinox
        ("2026-06-21T08:25:00Z", 54.2, 23.44),  # the solstice
        ("2026-11-03T12:00:00Z", -4.1, -15.1),  # the sun is earliest
    ],
)
def test_the_sun_stands_where_almanacs_say(
    browser: Browser, address: str, tokens: dict[str, str], moment: str, longitude: float, latitude: float
) -> None:
    with opened(browser, f"{address}/trends", tokens["ann"], ANSWERS) as (page, _):
        found = page.evaluate(f"import('./static/live-sun.js').then((sun) => sun.sunAt(Date.parse('{moment}')))")
        assert found == [pytest.approx(longitude, abs=0.3), pytest.approx(latitude, abs=0.1)]

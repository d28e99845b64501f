"""Everybody can use the pages: axe-core finds nothing on any of them, in light, dark and on a phone."""

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from pinwheel.core.settings import WebSettings
from pinwheel.operate.flow_types import Flow
from plugins.web import brand, explore, health, pin, quality, reports, trends, users
from plugins.web.navigation import PAGES
from plugins.web.pages import RUNBOOKS
from tests.support.accessibility import AXE, findings, in_each_look
from tests.support.browser import available, hostile, opened
from tests.support.live_lakes import LIMA, land, now_events
from tests.support.pages import MODULES, ROOT

pytestmark = pytest.mark.skipif(
    not (available() and MODULES.exists() and AXE.exists()), reason="needs Chromium, and `make test`"
)

TEXTS = ["Halden", "Food and drink", "A longer sentence about what happened to whom, and what to do first."]
CHOICES = {"brands": [{"brand_id": n, "name": text} for n, text in enumerate(TEXTS)], "categories": TEXTS}
REPORT = ROOT / "tests" / "golden" / "reports" / "report.html"
ANSWERS: dict[str, Any] = {
    "live/choices": CHOICES,
    "live/minutes*": {"first": "2026-03-14T11:30:00Z", "repins": [None, *range(29)], "is_counted": True},
    "trends": hostile(trends.Trends, TEXTS),
    "health/flow": hostile(Flow, TEXTS),
    "health/alerts": hostile(health.Alerts, TEXTS),
    "health/books": hostile(health.BooksState, TEXTS),
    "health/driver-log": hostile(health.LogEnd, TEXTS * 40),
    "quality": hostile(quality.Verdicts, TEXTS),
    "quality/rows": hostile(quality.Rows, TEXTS),
    "quality/dead-letters": hostile(quality.DeadLetters, TEXTS),
    "reports?*": hostile(reports.Reports, TEXTS),
    "reports/days": {"first_day": "2026-01-05", "kept_from": None, "last_day": "2026-03-14"},
    "reports/3/*/3": hostile(reports.Revisions, TEXTS),
    "brands/1": hostile(brand.BrandToday, TEXTS),
    "pins/7": hostile(pin.Pin, TEXTS) | {"shown_from": "2026-03-07T00:00:00Z", "shown_to": "2026-03-14T00:00:00Z"},
    "explore": hostile(explore.Explore, TEXTS),
    "users": hostile(users.BoundList, TEXTS),
}
DEFECTS = {
    "color-contrast": '<p style="color: #999; background: #fff">too pale</p>',
    "button-name": "<button></button>",
    "select-name": "<select><option>1</option></select>",
    "label": "<input>",
    "link-name": '<a href="/x"></a>',
    "image-alt": '<img src="/x.svg">',
    "svg-img-alt": '<svg role="img" width="9" height="9"><path d="M0 0h9v9"/></svg>',
    "empty-table-header": '<table><tr><th scope="col"></th></tr><tr><td>1</td></tr></table>',
    "td-headers-attr": '<table><tr><th id="a">a</th></tr><tr><td headers="b">1</td></tr></table>',
    "scrollable-region-focusable": '<div style="height: 40px; overflow: auto"><p>a</p><p>b</p><p>c</p><p>d</p></div>',
    "aria-allowed-attr": '<p role="img" aria-label="x" aria-checked="true">x</p>',
    "aria-prohibited-attr": '<code aria-label="x"></code>',
    "aria-valid-attr-value": '<button aria-expanded="perhaps">x</button>',
    "heading-order": "<h5>too deep</h5>",
    "list": "<ul><p>no item</p></ul>",
    "landmark-unique": "<section aria-label='x'>1</section><section aria-label='x'>2</section>",
    "frame-title": '<iframe src="about:blank"></iframe>',
}


def broken(page: Page) -> dict[str, list[str]]:
    """The findings by look."""
    found = {look: findings(page) for look in in_each_look(page)}
    return {look: lines for look, lines in found.items() if lines}


@pytest.mark.parametrize("rule", DEFECTS)
def test_a_planted_defect_is_found(browser: Browser, rule: str) -> None:
    """Or the tests below would prove nothing."""
    page = browser.new_page()
    page.set_content(f"<html lang=en><title>x</title><main><h1>x</h1>{DEFECTS[rule]}</main>")
    assert rule in {line.partition(":")[0] for line in findings(page)}
    page.close()


def test_what_is_outside_of_a_landmark_is_found(browser: Browser) -> None:
    page = browser.new_page()
    page.set_content("<html lang=en><title>x</title><main><h1>x</h1></main><p>lost</p>")
    assert [line.partition(":")[0] for line in findings(page)] == ["region"]
    page.close()


@pytest.mark.parametrize("name", [*(name for name in PAGES if name != "brand"), "brand?brand=1", "pin?pin=7", "users"])
def test_a_page_with_data(
    browser: Browser, address: str, tokens: dict[str, str], settings: WebSettings, name: str
) -> None:
    land(Path(settings.lake_uri), [*now_events(5), *now_events(3, "comment", **LIMA)])
    with opened(browser, f"{address}/{name}", tokens["ann"], ANSWERS) as (page, seen):
        expect(page.locator("main")).to_contain_text("Paris" if name == "live" else TEXTS[0])
        assert (broken(page), seen.faults) == ({}, [])


@pytest.mark.parametrize("name", PAGES)
def test_a_page_whose_sources_are_away(browser: Browser, address: str, tokens: dict[str, str], name: str) -> None:
    with opened(browser, f"{address}/{name}", tokens["ann"]) as (page, _):
        page.wait_for_timeout(1500)
        assert broken(page) == {}


@pytest.mark.parametrize("view", ["Map", "Table"])
def test_the_other_views_of_the_globe(
    browser: Browser, address: str, tokens: dict[str, str], settings: WebSettings, view: str
) -> None:
    land(Path(settings.lake_uri), [e for n in range(60) for e in now_events(1, city=f"Town {n}", latitude=float(n))])
    with opened(browser, f"{address}/live", tokens["ann"], ANSWERS) as (page, _):
        page.get_by_role("radio", name=view).check()
        expect(page.locator("#places")).to_contain_text("Town")
        page.wait_for_timeout(1200)
        assert broken(page) == {}


def test_the_log_of_the_driver(browser: Browser, address: str, tokens: dict[str, str]) -> None:
    with opened(browser, f"{address}/health", tokens["ann"], ANSWERS) as (page, _):
        page.get_by_role("button", name="End of its log").click()
        expect(page.locator("#log")).to_contain_text(TEXTS[0])
        assert broken(page) == {}


def test_a_report_in_its_page(browser: Browser, address: str, tokens: dict[str, str]) -> None:
    with opened(browser, f"{address}/reports", tokens["ann"], ANSWERS) as (page, seen):
        page.route("**/report.html*", lambda route: route.fulfill(path=REPORT))
        page.get_by_text("Make a report").click()
        assert broken(page) == {}
        page.get_by_role("link", name="Open").first.click()
        expect(page.locator("#reader h1")).to_be_focused()
        assert (broken(page), seen.faults) == ({}, [])


def test_a_brand_s_report_as_a_file(browser: Browser) -> None:
    page = browser.new_page()
    page.goto(REPORT.as_uri())
    assert broken(page) == {}
    page.close()


def test_the_runbooks_and_the_list_of_alerts(browser: Browser, address: str, tokens: dict[str, str]) -> None:
    with opened(browser, f"{address}/runbooks/alerts", tokens["ann"]) as (page, seen):
        for name in ("alerts", *sorted(path.stem for path in RUNBOOKS.glob("*.md"))):
            page.goto(f"{address}/runbooks/{name}")
            assert (broken(page), seen.faults) == ({}, []), name


CONTROLS = """() => [...document.querySelectorAll('a[href], button, select, input, summary, [tabindex="0"]')].filter(
  (one) => one.checkVisibility() && !one.disabled && (one.type !== "radio" || one.checked))"""
FOCUSED = """() => {
  const one = document.activeElement;
  window.reached ??= new Set();
  window.reached.add(one);
  const outlined = [one, one.nextElementSibling].some((e) => e && getComputedStyle(e).outlineStyle !== "none");
  return outlined || one === document.body ? null : one.outerHTML.slice(0, 200);
}"""
UNREACHED = f"() => ({CONTROLS})().filter((one) => !reached.has(one)).map((one) => one.outerHTML.slice(0, 200))"


@pytest.mark.parametrize("name", PAGES)
def test_the_keyboard_reaches_every_control_and_shows_where_it_is(
    browser: Browser, address: str, tokens: dict[str, str], name: str
) -> None:
    with opened(browser, f"{address}/{name}", tokens["ann"], ANSWERS) as (page, _):
        page.wait_for_timeout(1000)
        presses = page.evaluate(f"({CONTROLS})().length")
        unseen = set()
        for _ in range(presses + 10):  # a date's parts are stops of their own
            page.keyboard.press("Tab")
            unseen.add(page.evaluate(FOCUSED))
        assert (unseen - {None}, page.evaluate(UNREACHED)) == (set(), [])


def test_a_refresh_leaves_the_focus_and_what_is_unfolded(
    browser: Browser, address: str, tokens: dict[str, str]
) -> None:
    refresh = "document.dispatchEvent(new Event('visibilitychange'))"
    with opened(browser, f"{address}/quality", tokens["ann"], ANSWERS) as (page, _):
        button = page.get_by_role("button", name="Judge again").last
        page.get_by_text("1 of them").first.click()
        button.focus()
        before = button.element_handle()
        page.evaluate(refresh)
        expect(page.locator("details[open]")).to_have_count(1)
        page.wait_for_function("(old) => !old.isConnected", arg=before)
        expect(button).to_be_focused()
        expect(page.locator("details[open]")).to_have_count(1)


def test_who_is_bound_to_brands(browser: Browser, address: str, tokens: dict[str, str]) -> None:
    table = {"table": "repins", "complete_through": None, "newest": None}
    answers = ANSWERS | {"health/complete": {"now": "2026-03-14T00:00:00Z", "tables": [table]}}
    with opened(browser, f"{address}/health", tokens["carl"], answers) as (page, _):
        expect(page.locator("#tables")).to_contain_text("repins")
        assert broken(page) == {}

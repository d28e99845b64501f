"""The page of brand reports in a real browser: its links and history, its order, and the form that makes a report."""

import json
import re
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Browser, Page, Request, Route, expect

from tests.support.browser import available, opened
from tests.support.pages import MODULES

pytestmark = pytest.mark.skipif(not available() or not MODULES.exists(), reason="needs Chromium, and `make setup`")

AIRFLOW_S_SANDBOX = "allow-scripts allow-same-origin allow-forms allow-downloads"  # of its frame around our pages
COPPER, MOSS = "1/2026-03-14/1", "2/2026-03-14/1"


def report(brand_id: int, name: str, **values: Any) -> dict[str, Any]:
    return {
        "brand_id": brand_id, "brand_name": name, "first_day": "2026-03-14", "days": 1, "time_zone": "UTC",
        "revision": 1,
        "made_at": "2026-03-15T04:30:00Z", "complete_through": None, "is_complete": True, "verdict": "passed",
        "engagement": 9, "engagement_before": 8, "unique_people": 5, "change_count": 0, "mail": "none",
    } | values  # fmt: skip


def revisions(brand_id: int, name: str, count: int = 1) -> dict[str, Any]:
    made = [report(brand_id, name, revision=n, changes=[], tables=["totals.csv"]) for n in range(count, 0, -1)]
    return {"revisions": made}


DAYS = {"time_zone": "UTC", "first_day": "2026-01-05", "kept_from": "2026-02-01", "last_day": "2026-03-14"}
ANSWERS: dict[str, Any] = {
    "reports?*": {
        "day": None,
        "newest_days": ["2026-03-14"],
        "has_more": False,
        "reports": [report(1, "Copper"), report(2, "Moss")],
    },
    "live/choices": {
        "brands": [
            {"brand_id": 1, "name": "Copper"},
            {"brand_id": 2, "name": "Moss"},
            {"brand_id": 3, "name": "Moss"},
            {"brand_id": 70, "name": None},
        ],
        "categories": [],
    },
    "reports/days*": DAYS,
    "reports/days?brand=1": DAYS | {"time_zone": "Pacific/Kiritimati", "last_day": "2026-03-15"},
    f"reports/{COPPER}": revisions(1, "Copper", 2),
    f"reports/{MOSS}": revisions(2, "Moss"),
}
# As Airflow does: it opens the address inside, and takes over that of a page that has loaded in its frame.
FRAME = f"""<iframe sandbox="{AIRFLOW_S_SANDBOX}" width=1200 height=800></iframe><script>
const base = location.pathname.match(/^\\/plugin\\/[^/]+/)[0], frame = document.querySelector("iframe");
const inside = () => location.pathname.slice(base.length) + location.search;
const isNamed = location.pathname !== base;
let known = isNamed ? inside() : null;
frame.addEventListener("load", () => {{
  const {{ href, pathname, search }} = frame.contentWindow.location;
  if (href === "about:blank" || pathname + search === known) return;
  known = pathname + search;
  history.replaceState(null, "", base + known);
}});
addEventListener("popstate", () => {{
  if (location.pathname === base || inside() === known) return;
  known = inside();
  frame.contentWindow.location.replace(known);
}});
frame.src = known ?? "/pinwheel/reports";
</script>"""


def said(page: Page) -> dict[str, list[str]]:
    return parse_qs(urlsplit(page.url).query)


def link(place: Any, name: str) -> Any:
    return place.get_by_role("link", name=f"Open the report of {name}")


def test_a_report_has_an_address_and_back_leads_back(browser: Browser, address: str, tokens: dict[str, str]) -> None:
    with opened(browser, f"{address}/reports?days=1&sort=brand", tokens["ann"], ANSWERS) as (page, seen):
        link(page, "Copper").click()
        expect(page.locator("#reader h1")).to_have_text("Copper, Sat, 14 Mar 2026, UTC")
        assert said(page) == {"days": ["1"], "sort": ["brand"], "report": [COPPER]}
        page.get_by_label("Revision").select_option("1")
        expect(page.locator("iframe")).to_have_attribute("src", f"api/reports/{COPPER}/1/report.html")
        assert said(page)["revision"] == ["1"]
        page.go_back()
        expect(page.locator("iframe")).to_have_attribute("src", f"api/reports/{COPPER}/2/report.html")
        page.go_back()
        expect(link(page, "Copper")).to_be_focused()
        expect(page.locator("#days")).to_have_value("1")
        page.go_forward()
        expect(page.locator("#reader h1")).to_be_focused()
        page.reload()
        expect(page.locator("#reader h1")).to_be_visible()
        page.get_by_role("link", name="Back to the list").click()
        assert said(page) == {"days": ["1"], "sort": ["brand"]}
        assert seen.faults == []


def test_a_report_opens_in_a_new_tab(browser: Browser, address: str, tokens: dict[str, str]) -> None:
    with opened(browser, f"{address}/reports", tokens["ann"], ANSWERS) as (page, _):
        with page.context.expect_page() as tab:
            link(page, "Moss").click(modifiers=["Control"])
        assert said(tab.value) == {"report": [MOSS]}
        assert said(page) == {}
        expect(page.locator("#reader")).to_be_hidden()


def test_an_old_bookmark_still_opens_its_report(browser: Browser, address: str, tokens: dict[str, str]) -> None:
    with opened(browser, f"{address}/reports#{MOSS}", tokens["ann"], ANSWERS) as (page, _):
        expect(page.locator("#reader h1")).to_contain_text("Moss")
        assert said(page) == {"report": [MOSS]}


def test_a_report_is_in_the_theme_of_the_page_around_it(browser: Browser, address: str, tokens: dict[str, str]) -> None:
    with opened(browser, f"{address}/reports?report={MOSS}", tokens["ann"], ANSWERS, color_scheme="light") as (page, _):
        expect(page.locator("iframe")).to_have_attribute("src", f"api/reports/{MOSS}/1/report.html")
        page.evaluate("localStorage.setItem('theme', 'dark')")
        page.reload()
        expect(page.locator("iframe")).to_have_attribute("src", f"api/reports/{MOSS}/1/report.html?theme=dark")


def in_frame(page: Page, address: str, path: str) -> Any:
    """The page inside Airflow's frame at Airflow's address ``path``."""
    page.context.route("**/plugin/**", lambda r: r.fulfill(body=FRAME, content_type="text/html"))
    page.goto(f"{address.removesuffix('/pinwheel')}/plugin/{path}")
    return page.frame_locator("iframe").first


def path_of(page: Page) -> str:
    found = urlsplit(page.url)
    return f"{found.path}?{found.query}".removesuffix("?")


def test_in_airflow_s_frame_the_address_is_that_of_its_window(
    browser: Browser, address: str, tokens: dict[str, str]
) -> None:
    with opened(browser, f"{address}/reports", tokens["ann"], ANSWERS) as (page, seen):
        inside = in_frame(page, address, "pinwheel-reports")
        view, key = "/plugin/pinwheel-reports/pinwheel/reports", MOSS.replace("/", "%2F")
        expect(link(inside, "Moss")).to_have_attribute("href", f"{view}?report={key}")
        link(inside, "Moss").click()
        expect(inside.locator("#reader h1")).to_contain_text("Moss")
        assert path_of(page) == f"{view}?report={key}"
        with page.context.expect_page() as printed:
            inside.get_by_role("link", name="Print").click()
        assert printed.value.url.endswith(f"/pinwheel/api/reports/{MOSS}/1/report.html")
        page.reload()
        expect(inside.locator("#reader h1")).to_contain_text("Moss")
        page.go_back()
        expect(inside.locator("#reader")).to_be_hidden()
        expect(link(inside, "Moss")).to_be_visible()
        assert path_of(page) == view
        page.go_forward()
        expect(inside.locator("#reader h1")).to_contain_text("Moss")
        page.go_back()
        page.wait_for_timeout(1000)  # Airflow loads the frame again
        inside.locator("#days").select_option("7")
        expect(link(inside, "Moss")).to_have_attribute("href", f"{view}?days=7&report={key}")
        assert path_of(page) == f"{view}?days=7"
        with page.context.expect_page() as tab:
            link(inside, "Moss").click(modifiers=["Control"])
        assert path_of(tab.value) == f"{view}?days=7&report={key}"
        assert seen.faults == []


def test_an_address_of_airflow_s_window_is_followed_in_its_frame(
    browser: Browser, address: str, tokens: dict[str, str]
) -> None:
    with opened(browser, f"{address}/reports", tokens["ann"], ANSWERS) as (page, _):
        for path in ("pinwheel-reports", "pinwheel-reports/pinwheel/reports", "pinwheel-live/pinwheel/reports"):
            inside = in_frame(page, address, f"{path}?days=7&report={MOSS}")
            expect(inside.locator("#reader h1")).to_contain_text("Moss")
            page.wait_for_timeout(500)
            assert said(page) == {"days": ["7"], "report": [MOSS]}
            inside.get_by_role("link", name="Back to the list").click()
            expect(inside.locator("#days")).to_have_value("7")
            assert said(page) == {"days": ["7"]}


def test_a_page_reached_inside_the_frame_does_not_take_the_address_of_the_one_before(
    browser: Browser, address: str, tokens: dict[str, str]
) -> None:
    with opened(browser, f"{address}/reports", tokens["ann"], ANSWERS) as (page, _):
        inside = in_frame(page, address, "pinwheel-live/pinwheel/live?brand=1&types=pin")
        inside.get_by_role("link", name="Brand reports").click()
        link(inside, "Moss").click()
        expect(inside.locator("#reader h1")).to_contain_text("Moss")
        assert said(page) == {"report": [MOSS]}
        inside.get_by_role("link", name="Brand reports").click()  # of the bar: the list, not the open report again
        expect(link(inside, "Moss")).to_be_visible()
        expect(inside.locator("#reader")).to_be_hidden()
        assert said(page) == {}


def test_the_list_is_searched_and_sorted_by_the_server(browser: Browser, address: str, tokens: dict[str, str]) -> None:
    asked: list[dict[str, list[str]]] = []

    def note(request: Request) -> None:
        if "/api/reports?" in request.url:
            asked.append(parse_qs(urlsplit(request.url).query))

    with opened(browser, f"{address}/reports", tokens["ann"], ANSWERS) as (page, _):
        page.on("request", note)
        expect(link(page, "Moss")).to_be_visible()
        page.locator("#find").press_sequentially("mo")
        with page.expect_request(re.compile("find=mo")):
            pass
        head = page.get_by_role("columnheader", name="Engagement")
        head.get_by_role("button").press("Enter")
        expect(head).to_have_attribute("aria-sort", "descending")
        expect(head.get_by_role("button")).to_be_focused()
        head.get_by_role("button").press("Enter")
        expect(head).to_have_attribute("aria-sort", "ascending")
        assert (asked[-1]["find"], asked[-1]["sort"]) == (["mo"], ["engagement"])
        assert said(page) == {"find": ["mo"], "sort": ["engagement"]}
        page.get_by_role("button", name="Newest").click()
        expect(page.get_by_role("columnheader", name="Period")).to_have_attribute("aria-sort", "descending")
        assert said(page) == {}


@pytest.mark.parametrize(
    ("brand", "first", "days", "told"),
    [
        ("", "2026-03-14", "1", "Which brand?"),
        ("Moss", "2026-03-14", "1", "Which brand?"),  # there are two
        ("Copper", "", "1", "Which first day?"),
        ("Copper", "2026-03-14", "32", "The number of days must be 1 to 31."),
        ("Copper", "2026-03-14", "1.5", "The number of days must be 1 to 31."),
        ("1", "2026-03-14", "3", "3 days from Sat, 14 Mar 2026 are not over yet: the last day that is over is Sun, 15"),
        ("Moss (3)", "2026-02-07", "7", "A report of 7 days can begin on Sun, 8 Feb 2026 at the earliest. Events are"),
    ],
)
def test_what_can_t_be_made_is_said_before_it_is_asked_for(
    browser: Browser, address: str, tokens: dict[str, str], brand: str, first: str, days: str, told: str
) -> None:
    with opened(browser, f"{address}/reports", tokens["ann"], ANSWERS) as (page, seen):
        asks(page, brand, first, days)
        expect(page.locator("#make-said")).to_contain_text(told)
        assert not [url for url in seen.requests if "/dagRuns" in url]


def asks(page: Page, brand: str, first: str, days: str) -> None:
    page.get_by_text("Make a report").click()
    form = page.get_by_role("form", name="Make a report")
    form.get_by_label("Brand", exact=True).fill(brand)
    form.get_by_label("Number of days").fill(days)
    form.get_by_label("First day").fill(first)
    form.get_by_role("button", name="Make it").click()


def test_a_report_is_asked_for_and_shown_when_it_is_made(
    browser: Browser, address: str, tokens: dict[str, str]
) -> None:
    asked: list[dict[str, Any]] = []
    states = iter(["queued", "running", "success"])

    def airflow(route: Route) -> None:
        if route.request.method == "POST":
            asked.append(json.loads(route.request.post_data or ""))
            route.fulfill(json={"dag_run_id": "manual__1"})
        else:
            route.fulfill(json={"state": next(states)})

    with opened(browser, f"{address}/reports", tokens["ann"], ANSWERS) as (page, _):
        page.route("**/api/v2/dags/report_brands/dagRuns**", airflow)
        page.get_by_text("Make a report").click()
        expect(page.locator("#make-days")).to_contain_text(
            "can begin on any day from Mon, 2 Feb 2026 to Sat, 14 Mar 2026"
        )
        page.get_by_text("Make a report").click()
        asks(page, "Moss (2)", "2026-03-14", "1")
        expect(page.locator("#make-said")).to_contain_text(
            "The report of Moss (2), Sat, 14 Mar 2026, waits for its turn"
        )
        expect(page.locator("#reader h1")).to_contain_text("Moss", timeout=15_000)
        conf = {"first_day": "2026-03-14", "days": 1, "brand_ids": "2", "mail": False}
        assert asked == [{"logical_date": None, "conf": conf}]
        assert said(page) == {"report": [MOSS]}


@pytest.mark.parametrize(
    "answer", [{"status": 403, "json": {}}, {"json": {"dag_run_id": "manual__1", "state": "failed"}}]
)
def test_what_is_not_made_is_said(
    browser: Browser, address: str, tokens: dict[str, str], answer: dict[str, Any]
) -> None:
    with opened(browser, f"{address}/reports", tokens["ann"], ANSWERS) as (page, _):
        page.route("**/api/v2/dags/report_brands/dagRuns**", lambda route: route.fulfill(**answer))
        asks(page, "Copper", "2026-03-14", "1")
        told = "You may not trigger report_brands." if "status" in answer else "could not be made"
        expect(page.locator("#make-said")).to_contain_text(told, timeout=10_000)
        expect(page.locator("#reader")).to_be_hidden()


def dialled(page: Page, seconds: int) -> None:
    for _ in range(seconds // 2):
        page.clock.run_for(2000)
        page.wait_for_timeout(5)


def test_a_look_at_the_run_that_fails_ends_nothing_and_is_no_refusal(
    browser: Browser, address: str, tokens: dict[str, str]
) -> None:
    looks: list[Route] = []

    def airflow(route: Route) -> None:
        if route.request.method == "POST":
            return route.fulfill(json={"dag_run_id": "manual__1"})
        looks.append(route)
        if len(looks) == 1:
            return route.fulfill(status=502, body="")
        if len(looks) == 2:
            return route.abort()
        return route.fulfill(json={"state": "success"})

    with opened(browser, f"{address}/reports", tokens["ann"], ANSWERS) as (page, _):
        page.route("**/api/v2/dags/report_brands/dagRuns**", airflow)
        asks(page, "Moss (2)", "2026-03-14", "1")
        expect(page.locator("#make-said")).to_contain_text("was asked for. How far it is can't be read just now")
        expect(page.locator("#make-said")).not_to_contain_text("could not be asked for")
        expect(page.locator("#reader h1")).to_contain_text("Moss", timeout=15_000)
        assert len(looks) == 3


def test_a_run_that_can_t_be_looked_at_for_long_is_left_to_airflow(
    browser: Browser, address: str, tokens: dict[str, str]
) -> None:
    def airflow(route: Route) -> None:
        is_asked = route.request.method == "POST"
        route.fulfill(**({"json": {"dag_run_id": "manual__1"}} if is_asked else {"status": 502, "body": ""}))

    with opened(browser, f"{address}/reports", tokens["ann"], ANSWERS) as (page, _):
        page.route("**/api/v2/dags/report_brands/dagRuns**", airflow)
        page.clock.install()
        page.reload()
        asks(page, "Moss (2)", "2026-03-14", "1")
        expect(page.locator("#make-said")).to_contain_text("just now")
        dialled(page, 150)
        expect(page.locator("#make-said")).to_contain_text("could not be read for minutes")
        run = page.locator("#make-said a")
        assert (run.get_attribute("href") or "").endswith("/dags/report_brands/runs/manual__1")
        expect(page.get_by_role("button", name="Make it")).to_be_enabled()


def test_the_days_offered_are_those_of_the_brand_s_time_zone(
    browser: Browser, address: str, tokens: dict[str, str]
) -> None:
    with opened(browser, f"{address}/reports", tokens["ann"], ANSWERS) as (page, seen):
        page.get_by_text("Make a report").click()
        told, form = page.locator("#make-days"), page.get_by_role("form", name="Make a report")
        expect(told).to_contain_text("to Sat, 14 Mar 2026")
        expect(told).not_to_contain_text("time zone")
        form.get_by_label("Brand", exact=True).fill("Copper (1)")
        expect(told).to_contain_text("to Sun, 15 Mar 2026")
        expect(told).to_contain_text("days of the brand’s time zone, Pacific/Kiritimati.")
        assert form.get_by_label("First day").get_attribute("max") == "2026-03-15"
        form.get_by_label("Brand", exact=True).fill("Moss (3)")
        expect(told).to_contain_text("to Sat, 14 Mar 2026")
        assert seen.faults == []


def test_before_anything_is_merged_the_form_says_so_and_then_works_by_itself(
    browser: Browser, address: str, tokens: dict[str, str]
) -> None:
    days: list[dict[str, str | None]] = [{**DAYS, "first_day": None, "kept_from": None}]
    with opened(browser, f"{address}/reports", tokens["ann"], ANSWERS) as (page, seen):
        page.route("**/pinwheel/api/reports/days**", lambda route: route.fulfill(json=days[-1]))
        page.clock.install()
        page.reload()
        page.get_by_text("Make a report").click()
        expect(page.locator("#make-days")).to_have_text("Nothing has been merged yet, so there is nothing to report.")
        days.append({**DAYS})
        page.clock.run_for(61_000)
        expect(page.locator("#make-days")).to_contain_text("can begin on any day from Mon, 2 Feb 2026")
        assert seen.faults == []


@pytest.mark.parametrize("said", ["70", "brand 70", "Brand 70 (70)"])
def test_a_brand_without_a_name_is_chosen_as_it_is_shown(
    browser: Browser, address: str, tokens: dict[str, str], said: str
) -> None:
    asked: list[str] = []

    def airflow(route: Route) -> None:
        asked.append(json.loads(route.request.post_data or "")["conf"]["brand_ids"])
        route.fulfill(status=403, json={})

    with opened(browser, f"{address}/reports", tokens["ann"], ANSWERS) as (page, _):
        page.route("**/api/v2/dags/report_brands/dagRuns**", airflow)
        expect(page.locator("#brands option").last).to_have_attribute("value", "brand 70 (70)")
        asks(page, said, "2026-03-14", "1")
        expect(page.locator("#make-said")).to_contain_text("You may not trigger report_brands.")
        assert asked == ["70"]


def test_newest_days_that_differ_by_time_zone_are_all_named(
    browser: Browser, address: str, tokens: dict[str, str]
) -> None:
    two = ANSWERS["reports?*"] | {"newest_days": ["2026-03-14", "2026-03-15"]}
    with opened(browser, f"{address}/reports", tokens["ann"], ANSWERS | {"reports?*": two}) as (page, _):
        expect(page.locator("#list h2")).to_have_text(
            "Reports that include Sat, 14 Mar 2026 or Sun, 15 Mar 2026, the newest day of their time zone"
        )


@pytest.mark.parametrize("name", ["bob", "carl"])
def test_who_may_not_trigger_has_no_form(browser: Browser, address: str, tokens: dict[str, str], name: str) -> None:
    with opened(browser, f"{address}/reports", tokens[name], ANSWERS) as (page, _):
        expect(link(page, "Copper")).to_be_visible()
        page.wait_for_timeout(500)
        expect(page.locator("#make")).to_be_hidden()

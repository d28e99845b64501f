"""Explore in a real browser: from a question to its answer, with a database behind it."""

import csv
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from fastapi import FastAPI
from playwright.sync_api import Browser, Page, expect, sync_playwright
from pymysql.converters import escape_item

from pinwheel.local import environment
from pinwheel.local.stack import Stack
from plugins.web import explore
from tests.support.browser import attacks, available, launch, opened, ran
from tests.support.pages import MODULES

pytestmark = pytest.mark.skipif(not available() or not MODULES.exists(), reason="needs Chromium, and `make setup`")

BY_HOUR = "SELECT DATE '2026-03-14' + INTERVAL hour_of_day HOUR AS hour, hour_of_day * 2 AS n, 5 AS m FROM clock_hours"
BY_NAME = "SELECT CONCAT('hour ', hour_of_day) AS name, hour_of_day AS n FROM clock_hours"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        found = launch(playwright)
        yield found
        found.close()


@pytest.fixture(autouse=True)
def _database(app: FastAPI, stack_with_memsql: Stack) -> None:
    analyst = environment.memsql(stack_with_memsql.settings, stack_with_memsql.credentials, "analyst")
    app.dependency_overrides[explore.analyst] = lambda: analyst


def run(page: Page, sql: str) -> None:
    page.locator("#sql").fill(sql)
    page.locator("#sql").press("Control+Enter")


@pytest.mark.parametrize("width", [1280, 390])
def test_a_question_is_asked_and_its_answer_sorted_drawn_and_kept(
    browser: Browser, address: str, tokens: dict[str, str], width: int, tmp_path: Path
) -> None:
    size = {"viewport": {"width": width, "height": 860}}
    with opened(browser, f"{address}/explore", tokens["ann"], **size) as (page, seen):
        page.get_by_label("Start with a question").select_option("top_brands")
        expect(page.locator("#sql")).to_have_value(re.compile(r"^-- The brands .*\nSELECT[\s\S]+LIMIT 10;\n$"))
        page.get_by_role("button", name="Run").click()
        expect(page.locator("#said")).to_contain_text("0 rows in")

        run(page, BY_HOUR)
        expect(page.get_by_role("img", name="n, m by hour, from 0 to 46")).to_be_visible()
        assert page.locator(".chart path").count() == 2
        page.locator("#result th").get_by_role("button", name="n", exact=True).click()
        expect(page.locator("#result tbody tr").first).to_contain_text("2026-03-14 23:00:00")
        expect(page.locator("#result th[aria-sort=descending]")).to_have_text("n")
        expect(page.locator("#result th").nth(1)).to_have_class("number")

        run(page, BY_NAME)
        expect(page.locator("#result .bars li")).to_have_count(15)
        with page.expect_download() as loading:
            page.get_by_role("button", name="Download CSV").click()
        loading.value.save_as(tmp_path / "file.csv")
        rows = list(csv.reader((tmp_path / "file.csv").read_text("utf-8-sig").splitlines()))
        assert (rows[:2], len(rows)) == ([["name", "n"], ["hour 0", "0"]], 25)

        assert page.evaluate("document.documentElement.scrollWidth") <= width
        page.reload()
        expect(page.locator("#sql")).to_have_value(BY_NAME)  # from the address
        expect(page.locator("#past li")).to_have_count(3)
        page.locator("#past button").nth(1).click()
        expect(page.locator("#sql")).to_have_value(BY_HOUR)
        assert seen.faults == []


def test_a_mistake_is_explained_where_it_is(browser: Browser, address: str, tokens: dict[str, str]) -> None:
    with opened(browser, f"{address}/explore", tokens["ann"]) as (page, seen):
        run(page, "SELECT 1\nFRM x y\n")
        expect(page.get_by_role("alert")).to_contain_text("at line 2")
        assert page.locator("#sql").evaluate("e => e.value.slice(e.selectionStart, e.selectionEnd)") == "FRM x y"
        run(page, "DELETE FROM repins")
        expect(page.get_by_role("alert")).to_contain_text("Explore only reads")
        run(page, "SELECT SLEEP(20)")
        page.get_by_role("button", name="Cancel").click()
        expect(page.locator("#said")).to_contain_text("Cancelled")
        expect(page.get_by_role("button", name="Run")).to_be_enabled()
        assert seen.faults == []


def test_a_link_writes_its_statement_and_does_not_run_it(
    browser: Browser, address: str, tokens: dict[str, str]
) -> None:
    with opened(browser, f"{address}/explore#sql={quote(BY_NAME)}", tokens["ann"]) as (page, seen):
        expect(page.locator("#sql")).to_have_value(BY_NAME)
        expect(page.locator("#link")).to_be_visible()
        assert not page.locator("#result").is_visible()
        assert [url for url in seen.requests if url.endswith("/api/explore")] == [f"{address}/api/explore"]


def test_the_dictionary_is_searched_and_writes_a_statement(
    browser: Browser, address: str, tokens: dict[str, str]
) -> None:
    with opened(browser, f"{address}/explore", tokens["ann"]) as (page, seen):
        page.get_by_label("Find a table").fill("first repin")
        page.locator("#dictionary summary", has_text="pin_first_repins").click()
        expect(page.locator("#dictionary details[open]")).to_contain_text("One row per pin with a pin event")
        page.locator("#dictionary details[open]").get_by_role("button", name="Select from it").click()
        page.locator("#sql").press("Control+Enter")
        expect(page.locator("#said")).to_contain_text("0 rows in")
        assert seen.faults == []


def test_answers_are_read_not_run(browser: Browser, address: str, tokens: dict[str, str]) -> None:
    texts = " UNION ALL ".join(f"SELECT {escape_item(text, 'utf8mb4')} AS name, 1 AS n" for text in attacks(60))
    with opened(browser, f"{address}/explore", tokens["ann"]) as (page, seen):
        run(page, texts)
        expect(page.locator("#result tbody tr")).to_have_count(60)
        run(page, "SELECT 1 AS `<img src=x onerror=window.__ran=1>`, '<img src=x onerror=window.__ran=1>'")
        expect(page.locator("#result th").first).to_contain_text("<img")
        page.wait_for_timeout(500)
        assert (ran(page), seen.dialogs, seen.faults) == (False, [], [])


def test_a_bound_person_is_refused(browser: Browser, address: str, tokens: dict[str, str]) -> None:
    with opened(browser, f"{address}/explore", tokens["carl"]) as (page, seen):
        expect(page.locator("#problem")).to_contain_text("Only people who see every brand")
        assert not page.locator("#explore").is_visible()
        assert seen.faults == []

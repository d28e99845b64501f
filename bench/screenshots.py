"""Takes screenshots: opens every page of a running stack in a browser, waits for data, uses it, saves a picture.

    # In another terminal; yesterday's reports need events of yesterday and the day before.
    PINWHEEL_DEMO_BACKFILL_HOURS=56 PINWHEEL_DEMO_BACKFILL=1200000 PINWHEEL_DEMO_RATE=12 make run
    python -m bench.screenshots                # writes docs/images/*.png; Git has those that the documents show

Exits with 1 when a page shows no data or has an error.
"""

import argparse
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
from playwright.sync_api import Browser, Error, FrameLocator, Page

from bench.browsing import address, chromium, opened, token

IMAGES = Path(__file__).resolve().parents[1] / "docs" / "images"
PREPARE_SECONDS = 300  # for each Dag
DESK, PHONE = (1280, 900), (390, 844)
Do = Callable[[FrameLocator | Page], None]


@dataclass(frozen=True)
class Shot:
    """One picture. ``waits``: selector of an element that exists once there is data; ``do``: actions before it."""

    name: str
    page: str
    waits: str
    do: Do | None = None
    scheme: str = "light"
    size: tuple[int, int] = DESK
    settle_seconds: float = 1.0


def _all_types(page: FrameLocator | Page) -> None:
    for name in ("Pins", "Comments", "Logins"):
        page.get_by_role("checkbox", name=name, exact=True).check()


def _filters(page: FrameLocator | Page) -> None:
    page.locator("#brand").select_option(index=1)
    page.locator("#places li").first.wait_for()
    page.locator("#brand").select_option("")
    page.locator("#category").select_option(index=1)
    page.locator("#places li").first.wait_for()
    page.locator("#category").select_option("")
    _all_types(page)


def _view(name: str) -> Do:
    def do(page: FrameLocator | Page) -> None:
        page.get_by_role("radio", name=name, exact=True).check()

    return do


def _first_report(page: FrameLocator | Page) -> None:
    page.locator("#list [data-report]").first.click()
    page.locator("iframe.report").wait_for()


def _brand(page: FrameLocator | Page) -> None:
    page.locator("#find").fill("a")
    page.locator("#found a").first.click()
    page.locator("#content .hours").first.wait_for()


def _pin(page: FrameLocator | Page) -> None:
    _brand(page)
    page.locator("#content .pins a").first.click()
    page.locator("#content .about-list").first.wait_for()


def _question(page: FrameLocator | Page) -> None:
    page.locator("#question").select_option("top_brands")
    page.locator("#run").click()
    page.locator("#result table").wait_for()


def _runbook(page: FrameLocator | Page) -> None:
    page.locator("a[href*='runbooks/']").first.click()
    page.locator(".prose h1").wait_for()


def _users(page: FrameLocator | Page) -> None:
    page.locator("#users").click()
    page.locator("#bind").wait_for()


PLACES = "#places li"
PAGES = (
    Shot("live", "live", PLACES, _filters, settle_seconds=8),
    Shot("trends", "trends", "#content .trend, #content .empty"),
    Shot("brand", "brand", "#find", _brand),
    Shot("pin", "brand", "#find", _pin),
    Shot("health", "health", "#flow .step .badge"),
    Shot("runbook", "health", "a[href*='runbooks/']", _runbook),
    Shot("users", "health", "#users", _users),
    Shot("quality", "quality", "#verdicts .verdict .badge"),
    Shot("reports", "reports", "#list table"),
    Shot("report", "reports", "#list table", _first_report, settle_seconds=3),
    Shot("explore", "explore", "#dictionary details", _question),
)


def _forms(shot: Shot) -> tuple[Shot, ...]:
    """Light and dark on a desk, and on a phone."""
    dark = replace(shot, name=f"{shot.name}-dark", scheme="dark")
    return shot, dark, replace(shot, name=f"{shot.name}-phone", size=PHONE)


SHOTS = (
    *(form for shot in PAGES for form in _forms(shot)),
    Shot("live-map", "live", PLACES, _view("Map"), settle_seconds=4),
    Shot("live-table", "live", PLACES, _view("Table"), settle_seconds=2),
)


def main() -> int:
    """Take all pictures, or the named ones."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("only", nargs="*", help=f"names of pictures: {', '.join(shot.name for shot in SHOTS)}")
    given = parser.parse_args()
    IMAGES.mkdir(parents=True, exist_ok=True)
    wanted = [shot for shot in SHOTS if not given.only or shot.name in given.only]
    session = token()
    if {shot.page for shot in wanted} & {"quality", "reports"}:
        _prepare(session)
    with chromium() as browser:
        failed = [shot.name for shot in wanted if not _take(browser, shot, session)]
    return int(bool(failed))


def _prepare(session: str) -> None:
    """Run the hourly and the daily Dag now, for the quality verdicts and yesterday's reports."""
    yesterday = (datetime.now(UTC) - timedelta(days=1)).date().isoformat()
    wanted = {"check_quality": {}, "report_brands": {"first_day": yesterday, "mail": False}}
    headers = {"Authorization": f"Bearer {session}"}
    with httpx.Client(base_url=f"{address()}/api/v2/dags/", headers=headers, timeout=60) as client:
        for dag, conf in wanted.items():
            asked = {"logical_date": None, "conf": conf}
            run = client.post(f"{dag}/dagRuns", json=asked).raise_for_status().json()["dag_run_id"]
            end = time.monotonic() + PREPARE_SECONDS
            state = "queued"
            while state in ("queued", "running") and time.monotonic() < end:
                time.sleep(3)
                state = client.get(f"{dag}/dagRuns/{run}").raise_for_status().json()["state"]
            print(f"{dag:14} {state}", flush=True)


def _take(browser: Browser, shot: Shot, session: str) -> bool:
    """Inside Airflow's frame on a desk, without it on a phone, where Airflow's navigation takes half the width."""
    is_desk = shot.size == DESK
    path = f"/plugin/pinwheel-{shot.page}" if is_desk else f"/pinwheel/{shot.page}"
    width, height = shot.size
    page = opened(browser, path, session, width, height, color_scheme=shot.scheme)
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    inside = page.frame_locator("iframe") if is_desk else page
    try:
        inside.locator(shot.waits).first.wait_for()
        if shot.do:
            shot.do(inside)
        page.wait_for_timeout(shot.settle_seconds * 1000)
    except Error as error:
        faults.append(error.message.split("\n")[0])
    page.screenshot(path=str(IMAGES / f"{shot.name}.png"))
    page.context.close()
    print(f"{shot.name:14} {'ok' if not faults else faults[0]}")
    return not faults


if __name__ == "__main__":
    sys.exit(main())

"""A browser signed in to the running stack as its admin, for the screenshots and the live benchmark."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
from playwright.sync_api import Browser, Page, sync_playwright

from pinwheel.core.settings import load
from pinwheel.local import credentials
from pinwheel.local.settings import LocalSettings
from pinwheel.operate.airflow_login import ADMIN

CHROMIUM = Path("/usr/bin/chromium")
# Without a graphics card the processor draws each pixel, and WebGL must be enabled.
ARGUMENTS = (
    "--no-sandbox",
    "--use-gl=angle",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--ignore-gpu-blocklist",
)
MEMORY = "--enable-precise-memory-info"
SECONDS = 60.0  # timeout of every action; the machine may be busy


def address() -> str:
    """URL of the stack's Airflow."""
    return load(LocalSettings).airflow_url


def token() -> str:
    """A session token of the admin."""
    secrets = credentials.load(load(LocalSettings).stack_dir)
    login = {"username": ADMIN, "password": secrets.airflow_admin}
    answer = httpx.post(f"{address()}/auth/token", json=login, timeout=SECONDS).raise_for_status()
    return str(answer.json()["access_token"])


@contextmanager
def chromium() -> Iterator[Browser]:
    """A headless browser with WebGL in software."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=[*ARGUMENTS, MEMORY])
        yield browser
        browser.close()


def opened(browser: Browser, path: str, session: str, width: int = 1280, height: int = 800, **context: Any) -> Page:
    """Open a signed-in page of the stack's Airflow."""
    signed_in = browser.new_context(viewport={"width": width, "height": height}, **context)
    signed_in.add_cookies([{"name": "_token", "value": session, "url": address()}])
    signed_in.set_default_timeout(SECONDS * 1000)
    page = signed_in.new_page()
    page.goto(f"{address()}{path}")
    return page

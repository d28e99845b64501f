"""Findings of axe-core on a page that a Chromium shows."""

from collections.abc import Iterator
from functools import cache
from typing import Any

from playwright.sync_api import Page

from tests.support.pages import ROOT

AXE = ROOT / ".pinwheel" / "tools" / "js" / "node_modules" / "axe-core" / "axe.min.js"
LOOKS = {"light": ("light", 1280), "dark": ("dark", 1280), "phone": ("light", 390)}
SETTLED_MS = 150  # a page redraws its charts for another width


def findings(page: Page) -> list[str]:
    """Each rule that is broken, where and why.

    The script comes through the debugging protocol, which the pages' policy does not concern: nothing is loosened.
    """
    page.evaluate(_axe())
    found: dict[str, Any] = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    return [_line(rule["id"], node) for rule in found["violations"] for node in rule["nodes"]]


def in_each_look(page: Page) -> Iterator[str]:
    """Show the page in light, dark and on a phone, in turn; yields the look's name."""
    for name, (scheme, width) in LOOKS.items():
        page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
        page.set_viewport_size({"width": width, "height": 860})
        page.wait_for_timeout(SETTLED_MS)
        yield name


@cache
def _axe() -> str:
    return AXE.read_text()


def _line(rule: str, node: dict[str, Any]) -> str:
    return f"{rule}: {node['html'][:160]}: {' '.join(node['failureSummary'].split())[:300]}"

"""The stand-in for Pinterest's pin service: a small HTTP server over the generator's catalogue."""

import sys

from pinwheel.core import http
from pinwheel.local.parts import LOOPBACK, Part
from pinwheel.local.processes import Program
from pinwheel.local.settings import LocalSettings


def part(settings: LocalSettings, environment: dict[str, str], withheld: frozenset[str]) -> Part:
    """The Pin API; of the ``withheld`` variables it has only those of its environment."""
    return Part(
        name="pin_api",
        title="Pin API stand-in",
        programs=(Program("pin_api", (sys.executable, "-m", "pinwheel.generate.pin_api"), environment, withheld),),
        waiting_for=f"its answer on port {settings.pin_api_port}",
        ready=lambda: healthy(f"http://{LOOPBACK}:{settings.pin_api_port}/health"),
    )


def healthy(url: str) -> bool:
    """Whether the URL answers 200."""
    try:
        return http.get(url, seconds=2)[0] == 200
    except OSError:
        return False

"""Checks whether a server answers: the health check of our containers.

    python -m pinwheel.server.probe http://127.0.0.1:8080/api/v2/monitor/health scheduler

Imports the standard library only, so that a check takes a tenth of a second.
"""

import json
import sys
from collections.abc import Sequence

from pinwheel.core import http

SECONDS = 5.0


def answers(url: str, component: str | None = None) -> bool:
    """Whether ``url`` answers and, if ``component`` is given, reports it as healthy.

    Without a component a 4xx (e.g. login required) counts as an answer, a 5xx does not.
    """
    try:
        status, body = http.get(url, SECONDS)
        return status < 500 if component is None else json.loads(body)[component]["status"] == "healthy"
    except (OSError, ValueError, KeyError, TypeError):
        return False


def main(words: Sequence[str]) -> int:
    """Returns the exit code: 0 if the server answers, else 1."""
    return int(not answers(*words))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""Checks whether a server answers: the health check of our containers.

    python -m pinwheel.server.probe http://127.0.0.1:8080/api/v2/monitor/health scheduler

Imports the standard library only, so that a check takes a tenth of a second.
"""

import json
import sys
import urllib.error
import urllib.request
from collections.abc import Sequence

SECONDS = 5.0


def answers(url: str, component: str | None = None) -> bool:
    """Whether ``url`` answers and, if ``component`` is given, reports it as healthy.

    Without a component a 4xx (e.g. login required) counts as an answer, a 5xx does not.
    """
    try:
        with urllib.request.urlopen(url, timeout=SECONDS) as answer:  # noqa: S310 - the compose file names it
            return component is None or json.load(answer)[component]["status"] == "healthy"
    except urllib.error.HTTPError as error:
        return component is None and error.code < 500
    except (OSError, ValueError, KeyError):
        return False


def main(words: Sequence[str]) -> int:
    """Returns the exit code: 0 if the server answers, else 1."""
    return int(not answers(*words))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

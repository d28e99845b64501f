"""Whether a server answers: the health check of our containers.

    python -m pinwheel.server.probe http://127.0.0.1:8080/api/v2/monitor/health scheduler

Imports the standard library alone, so that a look costs a tenth of a second.
"""

import json
import sys
import urllib.error
import urllib.request
from collections.abc import Sequence

SECONDS = 5.0


def answers(url: str, component: str | None = None) -> bool:
    """Whether ``url`` answers, and says that ``component`` is healthy, if one is named.

    A refusal for want of a login is an answer; an error of the server's own is none.
    """
    try:
        with urllib.request.urlopen(url, timeout=SECONDS) as answer:  # noqa: S310 - the compose file names it
            return component is None or json.load(answer)[component]["status"] == "healthy"
    except urllib.error.HTTPError as error:
        return component is None and error.code < 500
    except (OSError, ValueError, KeyError):
        return False


def main(words: Sequence[str]) -> int:
    """Exit code 0 or 1."""
    return int(not answers(*words))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""Receivers of alerts, up and down, and the clock of the alerts; a conftest imports the fixtures."""

import json
import threading
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from pinwheel.alerts import raising
from tests.support.ports import free_port

NOW = datetime(2026, 3, 14, 12, 0)


class Inbox:
    """A web hook: the messages that Apprise delivered, as (title, body), and their types.

    ``answers``: the HTTP statuses of the first messages; the others are accepted.
    """

    def __init__(self, port: int = 0, answers: Sequence[int] = ()) -> None:
        self.got: list[tuple[str, str]] = []
        self.types: list[str] = []
        got, types, left = self.got, self.types, list(answers)

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                told = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                status = left.pop(0) if left else 200
                if status == 200:
                    got.append((told["title"], told["message"]))
                    types.append(told["type"])
                self.send_response(status)
                self.end_headers()

            def log_message(self, *_: object) -> None: ...

        self.server = HTTPServer(("127.0.0.1", port), Handler)
        self.url = f"json://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()


def kinds(inbox: Inbox) -> list[str]:
    return [title.partition(":")[0] for title, _ in inbox.got]


class Away:
    """A receiver that is down, at an address where it can come back up."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.port = free_port()
        self.url = f"json://127.0.0.1:{self.port}/?token=hush"
        self.inbox: Inbox | None = None
        monkeypatch.setenv("PINWHEEL_ALERT_URLS", self.url)

    def come(self) -> Inbox:
        self.inbox = Inbox(self.port)
        return self.inbox

    def leave(self) -> None:
        if self.inbox:
            self.inbox.server.shutdown()
            self.inbox.server.server_close()
            self.inbox = None


class Clock:
    """The current time for ``alerts``."""

    def __init__(self) -> None:
        self.now = NOW

    def wait(self, **time: float) -> None:
        self.now += timedelta(**time)


@pytest.fixture
def inbox(monkeypatch: pytest.MonkeyPatch) -> Iterator[Inbox]:
    made = Inbox()
    monkeypatch.setenv("PINWHEEL_ALERT_URLS", made.url)
    yield made
    made.server.shutdown()
    made.server.server_close()


@pytest.fixture
def receiver(monkeypatch: pytest.MonkeyPatch) -> Iterator[Away]:
    made = Away(monkeypatch)
    yield made
    made.leave()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(raising, "_now", lambda: made.now)
    return made

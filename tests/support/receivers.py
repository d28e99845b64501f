"""Receivers of alerts, up and down, and the clock of the alerts; a conftest imports the fixtures."""

import json
import threading
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

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
        self.bodies: list[dict[str, Any]] = []  # the requests', as they arrived
        got, types, bodies, left = self.got, self.types, self.bodies, list(answers)

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                told = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                status = left.pop(0) if left else 200
                if status == 200:
                    got.append((told["title"], told["message"]))
                    types.append(told["type"])
                    bodies.append(told)
                self.send_response(status)
                self.end_headers()

            def log_message(self, *_: object) -> None: ...

        self.server = HTTPServer(("127.0.0.1", port), Handler)
        self.url = f"json://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()


class Mailbox:
    """A mail server and its only mailbox; ``answer``: to each mail."""

    def __init__(self) -> None:
        self.answer = "250 ok"
        self.got: list[EmailMessage] = []
        port = free_port()
        self.url = f"mailto://127.0.0.1:{port}/?from=pinwheel@example.org&to=ops@example.org"
        self._controller = Controller(self, hostname="127.0.0.1", port=port)
        self._controller.start()

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        assert envelope.original_content is not None
        self.got.append(message_from_bytes(envelope.original_content, policy=policy.default))
        return self.answer

    def close(self) -> None:
        self._controller.stop()


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
def mailbox() -> Iterator[Mailbox]:
    made = Mailbox()
    yield made
    made.close()


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

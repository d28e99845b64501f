"""The outcome of a message, read from what Apprise's plugins log."""

import logging
import socket
from collections.abc import Iterator

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from pinwheel.alerts.sending import Outcome, outcome_of, send
from tests.support.ports import free_port
from tests.support.receivers import Inbox


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        *((status, Outcome.REFUSED) for status in (400, 413, 422)),
        *((status, Outcome.DOUBTFUL) for status in (401, 403, 404, 410)),
        *((status, Outcome.AWAY) for status in (408, 429, 500, 502, 503)),
        (200, Outcome.ACCEPTED),
    ],
)
def test_by_the_http_status(status: int, outcome: Outcome) -> None:
    inbox = Inbox(answers=[status])
    assert send("json:1", inbox.url, "CRITICAL: x y", "a body") is outcome
    inbox.close()


def test_nobody_answers() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # nothing listens here
        port = taken.getsockname()[1]
        assert send("json:1", f"json://127.0.0.1:{port}", "a title", "a body") is Outcome.AWAY
        assert send("mail:1", f"mailto://127.0.0.1:{port}/?from=a@x.org&to=b@x.org", "a", "b") is Outcome.AWAY


class Mailbox:
    answer = "250 ok"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        return self.answer


@pytest.fixture
def mail() -> Iterator[tuple[Mailbox, str]]:
    mailbox, port = Mailbox(), free_port()
    controller = Controller(mailbox, hostname="127.0.0.1", port=port)
    controller.start()
    yield mailbox, f"mailto://127.0.0.1:{port}/?from=a@x.org&to=b@x.org"
    controller.stop()


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [("250 ok", Outcome.ACCEPTED), ("554 spam", Outcome.REFUSED), ("451 later", Outcome.AWAY)],
)
def test_by_the_mail_server_s_answer(mail: tuple[Mailbox, str], answer: str, outcome: Outcome) -> None:
    mailbox, url = mail
    mailbox.answer = answer
    assert send("mailto:1", url, "a title", "a body") is outcome


def test_no_url_of_a_receiver_is_refused() -> None:
    assert send("unknown:1", "no-such-service://secret", "a title", "a body") is Outcome.REFUSED


def test_a_failure_without_a_word_is_doubtful() -> None:
    assert outcome_of([]) is Outcome.DOUBTFUL


def test_nothing_of_a_url_is_logged(capfd: pytest.CaptureFixture[str]) -> None:
    """Tests see all records, so a handler at the root stands for a task's log."""
    inbox, seen = Inbox(answers=[400]), list[logging.LogRecord]()
    handler = logging.Handler()
    handler.emit = seen.append  # type: ignore[method-assign, assignment]
    logging.getLogger().addHandler(handler)
    send("json:1", f"{inbox.url}/hush/?token=hush", "a title", "a body")
    logging.getLogger().removeHandler(handler)
    inbox.close()
    assert "hush" not in "".join(capfd.readouterr())
    assert {record.name for record in seen} == {"pinwheel.alerts.sending"}

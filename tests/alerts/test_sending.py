"""The outcome of a message, read from what Apprise's plugins log."""

import logging
import socket

import pytest

from pinwheel.alerts.sending import Outcome, outcome_of, send
from tests.support.receivers import Inbox, Mailbox
from tests.support.shown_messages import part


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


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [("250 ok", Outcome.ACCEPTED), ("554 spam", Outcome.REFUSED), ("451 later", Outcome.AWAY)],
)
def test_by_the_mail_server_s_answer(mailbox: Mailbox, answer: str, outcome: Outcome) -> None:
    mailbox.answer = answer
    assert send("mailto:1", mailbox.url, "a title", "a body") is outcome


def test_a_mail_of_html_wraps_links_to_airflow_alone_and_shows_text_as_text(
    mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PINWHEEL_BASE_URL", "https://airflow.example.com")
    body = "It said: <b>&nbsp;'x'</b> https://evil.example/\nPage: https://airflow.example.com/pinwheel/health#alert-1"
    assert send("mailto:1", f"{mailbox.url}&format=html", "WARNING: 1 < 2 & 3", body) is Outcome.ACCEPTED
    (mail,) = mailbox.got
    assert mail["Subject"] == "WARNING: 1 < 2 & 3"
    assert part(mail, "plain").strip() == body
    page = "https://airflow.example.com/pinwheel/health#alert-1"
    assert part(mail, "html").strip() == (
        f"It said: &lt;b&gt;&amp;nbsp;'x'&lt;/b&gt; https://evil.example/<br/>Page: <a href=\"{page}\">{page}</a>"
    )


def test_each_receiver_of_a_url_gets_the_text_in_its_own_format(mailbox: Mailbox) -> None:
    inbox, html = Inbox(), f"{mailbox.url}&format=html"
    assert send("mail:1", f"{html},{html},{inbox.url}", "WARNING: 1 < 2", "a < b") is Outcome.ACCEPTED
    assert [part(mail, "html").strip() for mail in mailbox.got] == ["a &lt; b"] * 2
    assert inbox.got == [("WARNING: 1 < 2", "a < b")]
    inbox.close()


def test_one_receiver_of_a_url_that_refuses_holds_up_no_other(mailbox: Mailbox) -> None:
    refusing, away = Inbox(answers=[400, 400]), Inbox(answers=[503, 503])
    for urls in ((refusing.url, mailbox.url, away.url), (away.url, mailbox.url, refusing.url)):
        assert send("json:1", ",".join(urls), "a title", "a body") is Outcome.REFUSED
    assert len(mailbox.got) == 2
    refusing.close()
    away.close()


def test_a_mail_is_plain_text_unless_asked_otherwise(mailbox: Mailbox) -> None:
    assert send("mailto:1", mailbox.url, "WARNING: 1 < 2", "a < b\nc & d") is Outcome.ACCEPTED
    (mail,) = mailbox.got
    assert (mail.get_content_type(), part(mail, "plain")) == ("text/plain", "a < b\nc & d\n")


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

"""Sends one message to one receiver with Apprise, and says what became of it.

Apprise itself says only whether a message arrived. Why it did not is in what its plugins log, which it gives back.
"""

import logging
import re
from collections.abc import Iterable
from enum import StrEnum
from html import escape
from typing import TYPE_CHECKING

from pinwheel.alerts.texts import as_html

if TYPE_CHECKING:
    from apprise import NotifyBase

log = logging.getLogger(__name__)

MAX_CHARS = 8000  # of a body: an error may quote whole rows; the table ``alerts`` has the full text
TYPES = {"CRITICAL": "failure", "WARNING": "warning", "RESOLVED": "success"}  # a title's first word -> Apprise's type
# HTTP says with these that it is about the message. 404 and the like may be a proxy whose service is just restarted.
REFUSING = frozenset({400, 405, 406, 411, 413, 414, 415, 422, 431, 451})
WAITING = frozenset({408, 425, 429})  # of the 4xx: try again later
HTTP_STATUS = re.compile(r"\berror=(\d{3})\b")
NO_ANSWER = re.compile(r"onnection error|timed out|\(4\d\d, b['\"]")  # the last is SMTP's "later"
SMTP_REFUSAL = re.compile(r"(?:\(|refused: )55[0-4],? b['\"]")  # mailbox, size or content; 535 is about the login


class Outcome(StrEnum):
    """The outcome of a message."""

    ACCEPTED = "accepted"
    REFUSED = "refused"  # the receiver will never accept it
    AWAY = "away"  # the receiver does not answer, or asks to wait: it will accept it later
    DOUBTFUL = "doubtful"  # neither is known


def send(receiver: str, url: str, title: str, body: str) -> Outcome:
    """Send to a receiver by its URL; ``receiver`` is its name in logs, because a URL has secrets."""
    try:
        outcome = _notify(url, title, body)
    except Exception as error:  # Apprise's plugins raise anything; the text may hold the URL, which is secret
        log.warning("sending an alert failed receiver=%s: %s", receiver, type(error).__name__)
        outcome = Outcome.DOUBTFUL
    if outcome is not Outcome.ACCEPTED:
        log.warning("alert not delivered receiver=%s outcome=%s: %s", receiver, outcome, title)
    return outcome


def _notify(url: str, title: str, body: str) -> Outcome:
    from apprise import Apprise  # 0.3 s to import, and rarely needed

    apprise = logging.getLogger("apprise")
    apprise.propagate = False  # it logs URLs with their tokens; below they are read, and never shown
    apprise.handlers = apprise.handlers or [logging.NullHandler()]  # without any, warnings go to stderr
    apprise.setLevel(logging.DEBUG)  # what a mail server answered is logged at this level
    sender = Apprise()
    if not sender.add(url):  # not a URL that Apprise knows
        return Outcome.REFUSED
    outcomes = {_notify_service(service, title, body[:MAX_CHARS]) for service in sender}  # one URL may name several
    # What one refuses for ever is not sent again and again to those that have it.
    return next(one for one in (Outcome.REFUSED, Outcome.DOUBTFUL, Outcome.AWAY, Outcome.ACCEPTED) if one in outcomes)


def _notify_service(service: "NotifyBase", title: str, body: str) -> Outcome:
    from apprise import Apprise, NotifyFormat, OverflowMode

    kind, how = TYPES.get(title.partition(":")[0], "info"), NotifyFormat.TEXT
    service.overflow_mode = OverflowMode.SPLIT  # a service that refuses long texts would block all later messages
    if service.resolve_format(how) == NotifyFormat.HTML:
        # Apprise's own HTML of a text has only unbreakable spaces, one line that no phone shows, and no links.
        body, how = as_html(body), NotifyFormat.HTML
        title = title if service.title_maxlen > 0 else escape(title, quote=False)  # else it is put into the body
    sent = Apprise(service).notify(
        title=title,
        body=body,
        body_format=how,  # a receiver of Markdown gets it escaped
        notify_type=kind,
        log_level=logging.DEBUG,
    )
    return Outcome.ACCEPTED if sent else outcome_of(entry.message for entry in sent.logs())


def outcome_of(logged: Iterable[str]) -> Outcome:
    """The outcome of a message that did not arrive, by what Apprise's plugins logged about it."""
    text = "\n".join(logged)
    statuses = {int(status) for status in HTTP_STATUS.findall(text)}
    if statuses & REFUSING or SMTP_REFUSAL.search(text):
        return Outcome.REFUSED
    if any(400 <= status < 500 for status in statuses - WAITING):
        return Outcome.DOUBTFUL
    return Outcome.AWAY if statuses or NO_ANSWER.search(text) else Outcome.DOUBTFUL

"""The outbox: messages wait in ``alert_messages`` until each receiver (an Apprise URL) has accepted them, in order.

A message is claimed by compare-and-set before it is sent, so several processes may deliver at once. If a process dies
after sending and before marking the message delivered, it is sent again after the pause: at-least-once delivery.
"""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from hashlib import sha256

from pinwheel.clients.memsql import Connection, Row, execute, fetch, transaction
from pinwheel.core.settings import AlertSettings, load

log = logging.getLogger(__name__)

FIRST_PAUSE = timedelta(minutes=1)  # after a failure; doubles with each further failure in a row
MAX_PAUSE = timedelta(minutes=15)  # a receiver that recovers gets its messages within this time
GIVE_UP_AFTER = timedelta(hours=24)  # an older message helps nobody; the alert stays in ``alerts``
MAX_CHARS = 8000  # of a body: an error may quote whole rows; the table ``alerts`` has the full text
TYPES = {"CRITICAL": "failure", "WARNING": "warning", "RESOLVED": "success"}  # a title's first word -> Apprise's type


def receivers() -> dict[str, str]:
    """The Apprise URLs by a name without secrets: the kind of service and a digest of the URL."""
    urls = load(AlertSettings).alert_urls.get_secret_value().split()
    return {f"{_kind(url)}:{sha256(url.encode()).hexdigest()[:12]}": url for url in urls}


def _kind(url: str) -> str:
    kind, separator, _ = url.partition("://")
    return kind[:40] if separator else "unknown"  # the text may be a bare token


def post(connection: Connection, title: str, body: str, now: datetime) -> None:
    """Queue a message for every receiver. Does not commit. Times are naive UTC, as everywhere in this module."""
    for name in receivers():
        execute(connection, "alerts/post", {"receiver": name, "title": title, "body": body, "now": now})


def deliver(connection: Connection, clock: Callable[[], datetime]) -> None:
    """Send the messages that are due; a receiver that fails is skipped until its pause is over.

    The clock is read for each message, so messages that other processes post meanwhile are sent too: those processes
    leave a receiver to the one that already sends to it.
    """
    with transaction(connection):
        given_up = execute(connection, "alerts/give_up", {"now": clock(), "before_time": clock() - GIVE_UP_AFTER})
    if given_up:
        log.error("alerts undelivered for %s are given up messages=%d", GIVE_UP_AFTER, given_up)
    for name, url in receivers().items():
        while message := _claim(connection, name, clock()):
            if not _send(name, url, message["title"], message["body"]):
                break
            with transaction(connection):
                execute(connection, "alerts/delivered", {"message_id": message["message_id"], "now": clock()})


def send_directly(title: str, body: str) -> None:
    """Send to every receiver once, without the outbox: the fallback when the database is down."""
    for name, url in receivers().items():
        _send(name, url, title, body)


def _claim(connection: Connection, receiver: str, now: datetime) -> Row | None:
    """The receiver's oldest message, if it is due and no other process is sending it."""
    with transaction(connection):
        oldest = fetch(connection, "alerts/next_message", {"receiver": receiver})
        if not oldest or oldest[0]["next_try_at"] > now:
            return None
        message_id, attempts = oldest[0]["message_id"], oldest[0]["attempts"]
        pause = min(FIRST_PAUSE * 2 ** min(attempts, 10), MAX_PAUSE)
        claim = {"message_id": message_id, "attempts": attempts, "next_try_at": now + pause}
        return oldest[0] if execute(connection, "alerts/claim", claim) else None


def _send(receiver: str, url: str, title: str, body: str) -> bool:
    """Whether the receiver accepted the message."""
    try:
        sent = _notify(url, title, body)
    except Exception as error:  # Apprise's plugins raise anything; the text may hold the URL, which is secret
        log.warning("sending an alert failed receiver=%s: %s", receiver, type(error).__name__)
        sent = False
    if not sent:
        log.warning("alert not delivered receiver=%s: %s", receiver, title)
    return sent


def _notify(url: str, title: str, body: str) -> bool:
    from apprise import Apprise, OverflowMode  # 0.3 s to import, and rarely needed

    logging.getLogger("apprise").disabled = True  # it logs URLs with their tokens
    sender = Apprise()
    if not sender.add(url):  # not a URL that Apprise knows
        return False
    for service in sender:
        service.overflow_mode = OverflowMode.SPLIT  # a service that refuses long texts would block all later messages
    return bool(sender.notify(title=title, body=body[:MAX_CHARS], notify_type=TYPES.get(title.split(" ")[0], "info")))

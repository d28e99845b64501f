"""The way of alerts to people: messages wait in ``alert_messages`` until each Apprise URL has taken them, in order.

A message is claimed by compare-and-set before it is sent, so several processes may deliver at once. One that dies
between sending and noting it has it sent again after the pause: better twice than never.
"""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from hashlib import sha256

from pinwheel.clients.memsql import Connection, Row, execute, fetch, transaction
from pinwheel.core.settings import AlertSettings, load

log = logging.getLogger(__name__)

FIRST_PAUSE = timedelta(minutes=1)  # after a failure; doubles with each one in a row
MAX_PAUSE = timedelta(minutes=15)  # a receiver that is back is told within that
GIVE_UP_AFTER = timedelta(hours=24)  # what is older helps nobody; it stays in ``alerts``
MAX_CHARS = 8000  # of a body: an error may quote whole rows; the table ``alerts`` has all of it
TYPES = {"CRITICAL": "failure", "WARNING": "warning", "RESOLVED": "success"}  # a title's first word -> Apprise's type


def receivers() -> dict[str, str]:
    """The Apprise URLs by a name that may be seen: the kind of service and a digest."""
    urls = load(AlertSettings).alert_urls.get_secret_value().split()
    return {f"{_kind(url)}:{sha256(url.encode()).hexdigest()[:12]}": url for url in urls}


def _kind(url: str) -> str:
    kind, found, _ = url.partition("://")
    return kind[:40] if found else "unknown"  # it may be a bare token


def post(connection: Connection, title: str, body: str, now: datetime) -> None:
    """Put a message down for every receiver; commits nothing. Times here are UTC, without a zone."""
    for name in receivers():
        execute(connection, "alerts/post", {"receiver": name, "title": title, "body": body, "now": now})


def deliver(connection: Connection, clock: Callable[[], datetime]) -> None:
    """Send what waits and is due; a receiver that fails is left alone until its pause is over.

    The clock is read for each message: one that another process posts meanwhile is left by that process to this one.
    """
    with transaction(connection):
        given_up = execute(connection, "alerts/give_up", {"now": clock(), "before_time": clock() - GIVE_UP_AFTER})
    if given_up:
        log.error("alerts not delivered in %s, given up messages=%d", GIVE_UP_AFTER, given_up)
    for name, url in receivers().items():
        while message := _claim(connection, name, clock()):
            if not _send(name, url, message["title"], message["body"]):
                break
            with transaction(connection):
                execute(connection, "alerts/delivered", {"message_id": message["message_id"], "now": clock()})


def send_directly(title: str, body: str) -> None:
    """Send to every receiver, once: for when there is no table to put it down in."""
    for name, url in receivers().items():
        _send(name, url, title, body)


def _claim(connection: Connection, receiver: str, now: datetime) -> Row | None:
    """The receiver's oldest message, if it is due and nobody else is sending it."""
    with transaction(connection):
        found = fetch(connection, "alerts/next_message", {"receiver": receiver})
        if not found or found[0]["next_try_at"] > now:
            return None
        message_id, attempts = found[0]["message_id"], found[0]["attempts"]
        pause = min(FIRST_PAUSE * 2 ** min(attempts, 10), MAX_PAUSE)
        claim = {"message_id": message_id, "attempts": attempts, "next_try_at": now + pause}
        return found[0] if execute(connection, "alerts/claim", claim) else None


def _send(receiver: str, url: str, title: str, body: str) -> bool:
    """Whether the receiver took it."""
    try:
        sent = _notify(url, title, body)
    except Exception as error:  # whatever a service's plugin does; its text may hold the URL, which is a secret
        log.warning("sending an alert failed receiver=%s: %s", receiver, type(error).__name__)
        sent = False
    if not sent:
        log.warning("alert not delivered receiver=%s: %s", receiver, title)
    return sent


def _notify(url: str, title: str, body: str) -> bool:
    from apprise import Apprise, OverflowMode  # 0.3 s to import, and mostly not needed

    logging.getLogger("apprise").disabled = True  # it writes URLs, tokens and all, into the log
    sender = Apprise()
    if not sender.add(url):  # Apprise knows no such URL
        return False
    for service in sender:
        service.overflow_mode = OverflowMode.SPLIT  # one that refuses what is too long would never get the later ones
    return bool(sender.notify(title=title, body=body[:MAX_CHARS], notify_type=TYPES.get(title.split(" ")[0], "info")))

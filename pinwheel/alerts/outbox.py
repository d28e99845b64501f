"""The outbox: messages wait in ``alert_messages`` until each receiver (an Apprise URL) has accepted them, in order.

A message that a receiver refuses is given up at once, with an alert: it must not hold up those after it.

A message is claimed by compare-and-set before it is sent, so several processes may deliver at once. If a process dies
after sending and before marking the message delivered, it is sent again after the pause: at-least-once delivery.
"""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from hashlib import sha256

from pinwheel.alerts import texts
from pinwheel.alerts.catalogue import MESSAGE_GIVEN_UP
from pinwheel.alerts.sending import Outcome, send
from pinwheel.clients.memsql import Connection, Row, execute, fetch, insert_id, transaction
from pinwheel.core.settings import AlertSettings, load

log = logging.getLogger(__name__)

FIRST_PAUSE = timedelta(minutes=1)  # after a failure; doubles with each further failure in a row
MAX_PAUSE = timedelta(minutes=15)  # a receiver that recovers gets its messages within this time
GIVE_UP_AFTER = timedelta(hours=24)  # an older message helps nobody; the alert stays in ``alerts``
# Over an hour: until then, a receiver that says neither "refused" nor "later" may recover. Tries while it is away don't
# count: after an outage, one doubtful answer says nothing.
DOUBTFUL_TRIES = 8


def receivers() -> dict[str, str]:
    """The Apprise URLs by a name without secrets: the kind of service and a digest of the URL."""
    urls = load(AlertSettings).alert_urls.get_secret_value().split()
    return {f"{_kind(url)}:{sha256(url.encode()).hexdigest()[:12]}": url for url in urls}


def _kind(url: str) -> str:
    kind, separator, _ = url.partition("://")
    return kind[:40] if separator else "unknown"  # the text may be a bare token


def post(connection: Connection, title: str, body: str, now: datetime, *, but: str | None = None) -> None:
    """Queue a message for every receiver ``but`` one. Does not commit. Times are naive UTC, as all in this module."""
    for name in receivers().keys() - {but}:
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
            outcome = send(name, url, message["title"], message["body"])
            tries, doubtful = message["attempts"] + 1, message["doubtful"] + 1
            if outcome is Outcome.ACCEPTED:
                with transaction(connection):
                    execute(connection, "alerts/delivered", {"message_id": message["message_id"], "now": clock()})
            elif outcome is Outcome.REFUSED or (outcome is Outcome.DOUBTFUL and doubtful >= DOUBTFUL_TRIES):
                _give_up(connection, name, message, f"{outcome} after {tries} tries", clock())
            else:
                if outcome is Outcome.DOUBTFUL:
                    with transaction(connection):
                        execute(connection, "alerts/doubtful", {"message_id": message["message_id"]})
                break


def _give_up(connection: Connection, receiver: str, message: Row, why: str, now: datetime) -> None:
    """Give up a message, with an alert to the other receivers, in one transaction.

    Dying before it: the message is sent and given up again after its pause. Twice: the second changes nothing. If the
    others refuse that alert, there is no alert about it: two receivers would send alerts about each other for ever.
    """
    title, alert = message["title"], MESSAGE_GIVEN_UP
    text = f'the message "{title}" to {receiver} is given up: {why}; it is in the table alert_messages'
    log.error("alert=%s severity=%s runbook=%s: %s", alert.name, alert.severity, alert.runbook, text)
    with transaction(connection):
        if not execute(connection, "alerts/give_up_message", {"message_id": message["message_id"], "now": now}):
            return
        row = {"name": alert.name, "subject": receiver, "severity": alert.severity, "runbook": alert.runbook}
        alert_id = insert_id(connection, "alerts/raise", {**row, "message": text, "now": now, "is_sent": 1})
        execute(connection, "alerts/resolve", {**row, "now": now})  # an occurrence: nothing would ever resolve it
        told = texts.title(alert, receiver)
        if title != told:
            post(connection, told, texts.raised(alert, receiver, text, now, alert_id), now, but=receiver)


def send_directly(title: str, body: str) -> None:
    """Send to every receiver once, without the outbox: the fallback when the database is down."""
    for name, url in receivers().items():
        send(name, url, title, body)


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

"""Raise and resolve alerts: in the log, in the table ``alerts``, and at the receivers in PINWHEEL_ALERT_URLS."""

import logging
from collections.abc import Callable
from datetime import UTC, datetime

import pymysql

from pinwheel.alerts import outbox, silences, texts
from pinwheel.alerts.catalogue import Alert
from pinwheel.clients.memsql import Connection, Row, connect, execute, fetch, insert_id, transaction
from pinwheel.core.errors import PinwheelError
from pinwheel.core.settings import MemsqlSettings, load
from pinwheel.core.times import naive

log = logging.getLogger(__name__)

NOTHING = ""  # is sent
STORE_SECONDS = 5.0  # a hung database must not keep an alert from being sent

_unstored: set[tuple[str, str]] = set()  # (name, subject) of alerts whose row is outdated, as the database was down


def raise_alert(alert: Alert, subject: str, message: str) -> None:
    """Log, store and send an alert. If a lasting alert is already open, only its stored message changes.

    Never raises: an alert that can't be sent must not stop the work it is about.
    """
    level = logging.ERROR if alert.severity == "critical" else logging.WARNING
    facts = (alert.name, alert.severity, subject, alert.runbook, message)
    log.log(level, "alert=%s severity=%s subject=%s runbook=%s: %s", *facts)
    now, message = _now(), texts.without_paths(message)

    def open_(connection: Connection) -> str | None:
        opened = _open(connection, alert, subject, message, now)
        if opened is None:
            return None
        alert_id, is_silenced = opened
        return NOTHING if is_silenced else texts.raised(alert, subject, message, now, alert_id)

    title = texts.title(alert, subject)
    _store_and_send(alert, subject, title, texts.raised(alert, subject, message, now, None), open_)


def resolve_alert(alert: Alert, subject: str, message: str, was_sent: bool = False) -> None:
    """Resolve an alert and send how long it lasted; a no-op if it is not open, unless it ``was_sent``. Never raises."""
    log.info("resolved=%s subject=%s: %s", alert.name, subject, message)
    message = texts.without_paths(message)

    def close(connection: Connection) -> str | None:
        now = _now()
        rows = _close(connection, alert, subject, now)
        sent = [row["raised_at"] for row in rows if row["is_sent"]]
        if rows and not sent:
            return NOTHING
        return texts.resolved(alert, subject, message, min(sent), now) if sent else None

    _store_and_send(alert, subject, texts.over(alert, subject), message, close, was_sent)


def deliver_waiting() -> None:
    """Send the queued messages that are due, and alerts whose silence is over. Never raises: the next call retries."""
    try:
        with _connected() as connection:
            with transaction(connection):
                fetch(connection, "alerts/lock")
                silences.send_unsilenced(connection, _now())
            outbox.deliver(connection, _now)
    except (PinwheelError, pymysql.err.Error) as error:
        log.warning("queued alerts not delivered: %s", error)


def _store_and_send(
    alert: Alert,
    subject: str,
    title: str,
    fallback: str,
    store: Callable[[Connection], str | None],
    was_sent: bool = False,
) -> None:
    """Store a change and send the text that ``store`` returns, if any; None: the database knows of no change.

    ``fallback`` is sent if the database is down, and in place of None if it was down at the last change, and after a
    message that it does not know of (``was_sent``): better twice than never.
    """
    is_outdated = was_sent or (alert.name, subject) in _unstored
    try:
        with _connected() as connection, transaction(connection):
            fetch(connection, "alerts/lock")
            text = store(connection)
            if text is None and is_outdated:
                text = fallback
            if text:
                outbox.post(connection, title, text, _now())
    except (PinwheelError, pymysql.err.Error) as error:
        log.warning("alert not stored: %s", error)
        _unstored.add((alert.name, subject))
        outbox.send_directly(title, fallback)
        return
    _unstored.discard((alert.name, subject))
    if text:
        deliver_waiting()


def _connected() -> Connection:
    return connect(load(MemsqlSettings), statement_seconds=STORE_SECONDS)


def _now() -> datetime:
    return naive(datetime.now(UTC))


def _open(connection: Connection, alert: Alert, subject: str, message: str, now: datetime) -> tuple[int, bool] | None:
    """Open the alert, or update the open one; returns its id and whether it is silenced, None if it was open."""
    row = {"name": alert.name, "subject": subject, "message": message}
    if alert.lasting and fetch(connection, "alerts/find_open", row):
        execute(connection, "alerts/update_open", row)
        return None
    is_silenced = silences.of(silences.active(connection, now), alert.name, subject) is not None
    stored = row | {"severity": alert.severity, "runbook": alert.runbook, "now": now, "is_sent": int(not is_silenced)}
    alert_id = insert_id(connection, "alerts/raise", stored)
    if not alert.lasting:
        _close(connection, alert, subject, now)
    return alert_id, is_silenced


def _close(connection: Connection, alert: Alert, subject: str, now: datetime) -> list[Row]:
    """Close the alert; returns when it was raised and whether it was sent, or no row if it was not open."""
    params = {"name": alert.name, "subject": subject, "now": now}
    rows = fetch(connection, "alerts/find_open", params)
    execute(connection, "alerts/resolve", params)
    return rows

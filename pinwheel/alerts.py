"""Every alert there is, and how it goes out: the log, the ``alerts`` table, and Apprise URLs when set."""

import logging
from collections.abc import Callable
from dataclasses import dataclass

import pymysql

from pinwheel.errors import PinwheelError
from pinwheel.memsql import Connection, connect, execute, fetch, transaction
from pinwheel.settings import AlertSettings, MemsqlSettings, load

log = logging.getLogger(__name__)

STORE_SECONDS = 5.0  # a hung database must not keep an alert from being sent


@dataclass(frozen=True)
class Alert:
    """One kind of alert. ``runbook`` is a path in the repository.

    A lasting one is a state: it is open until it is resolved, and sent once in that time. One that is not lasting is
    something that happened: it is sent each time, and closed as soon as it is stored, because nothing ever ends it.
    """

    name: str
    severity: str  # critical: act now; warning: look today
    runbook: str
    lasting: bool = True


DRIVER_FAILING = Alert("driver_failing", "critical", "docs/runbooks/supervise_stream.md")
DRIVER_STALLED = Alert("driver_stalled", "critical", "docs/runbooks/supervise_stream.md")
SLICE_HELD = Alert("slice_held", "critical", "docs/runbooks/merge_events.md")
SLICE_WARNING = Alert("slice_warning", "warning", "docs/runbooks/merge_events.md", lasting=False)
ROWS_QUARANTINED = Alert("rows_quarantined", "warning", "docs/runbooks/merge_events.md", lasting=False)
EVENTS_CONFLICTING = Alert("events_conflicting", "warning", "docs/runbooks/merge_events.md", lasting=False)
MERGE_FAILING = Alert("merge_failing", "critical", "docs/runbooks/merge_events.md")
QUALITY_FAILED = Alert("quality_failed", "critical", "docs/runbooks/check_quality.md")
QUALITY_WARNING = Alert("quality_warning", "warning", "docs/runbooks/check_quality.md")
PINS_SKIPPED = Alert("pins_skipped", "warning", "docs/runbooks/supervise_stream.md", lasting=False)
DRIVER_ALERTS = (DRIVER_FAILING, DRIVER_STALLED)
MERGE_ALERTS = (SLICE_HELD, SLICE_WARNING, ROWS_QUARANTINED, EVENTS_CONFLICTING, MERGE_FAILING)
QUALITY_ALERTS = (QUALITY_FAILED, QUALITY_WARNING)
HEALTH_RUNBOOK = "docs/runbooks/watch_health.md"
SOURCE_DOWN = Alert("source_down", "critical", HEALTH_RUNBOOK)
# Named as the measures of ``pinwheel.health`` that they are about; held slices have an alert of their own.
HEALTH_ALERTS = {
    a.name: a
    for a in (
        SOURCE_DOWN,
        Alert("driver_down", "critical", HEALTH_RUNBOOK),
        Alert("lag_records", "warning", HEALTH_RUNBOOK),
        Alert("open_batch_seconds", "critical", HEALTH_RUNBOOK),
        Alert("lake_behind_seconds", "critical", HEALTH_RUNBOOK),
        Alert("staged_behind_seconds", "warning", HEALTH_RUNBOOK),
        Alert("merged_behind_seconds", "critical", HEALTH_RUNBOOK),
        Alert("dead_letter_share", "warning", HEALTH_RUNBOOK),
        Alert("pending_pins", "warning", HEALTH_RUNBOOK),
        Alert("small_files", "warning", HEALTH_RUNBOOK),
        Alert("disk_used_share", "critical", HEALTH_RUNBOOK),
    )
}
STREAM_ALERTS = (*DRIVER_ALERTS, PINS_SKIPPED)
ALERTS = {a.name: a for a in (*STREAM_ALERTS, *MERGE_ALERTS, *QUALITY_ALERTS, *HEALTH_ALERTS.values())}

Send = Callable[[Alert, str, str], None]  # alert, subject (what it is about), message

_unstored: set[tuple[str, str]] = set()  # name and subject: what the table is wrong about, because it was away


def raise_alert(alert: Alert, subject: str, message: str) -> None:
    """Tell people; of a lasting alert that is open already, only the stored message changes.

    Never raises: an alert that can't be sent must not stop the work it is about.
    """
    log.error(
        "alert=%s severity=%s subject=%s runbook=%s: %s", alert.name, alert.severity, subject, alert.runbook, message
    )
    if _is_news(alert, subject, lambda connection: _open(connection, alert, subject, message)):
        _send(f"{alert.severity.upper()} {alert.name}: {subject}", f"{message}\nRunbook: {alert.runbook}")


def resolve_alert(alert: Alert, subject: str, message: str) -> None:
    """Tell people that it is over; nobody is told of what was not open. Never raises."""
    log.info("resolved=%s subject=%s: %s", alert.name, subject, message)
    if _is_news(alert, subject, lambda connection: _close(connection, alert, subject)):
        _send(f"RESOLVED {alert.name}: {subject}", message)


def _is_news(alert: Alert, subject: str, store: Callable[[Connection], bool]) -> bool:
    """Whether people don't know it yet: what ``store`` says, or True when nobody can say. Better twice than never."""
    wrong = (alert.name, subject) in _unstored
    try:
        connection = connect(load(MemsqlSettings), statement_seconds=STORE_SECONDS)
        with connection, transaction(connection):
            changed = store(connection)
    except (PinwheelError, pymysql.err.Error) as error:
        log.warning("alert not stored: %s", error)
        _unstored.add((alert.name, subject))
        return True
    _unstored.discard((alert.name, subject))
    return changed or wrong


def _open(connection: Connection, alert: Alert, subject: str, message: str) -> bool:
    row = {"name": alert.name, "subject": subject, "message": message}
    if alert.lasting and fetch(connection, "alerts/find_open", row):
        execute(connection, "alerts/update_open", row)
        return False
    execute(connection, "alerts/raise", row | {"severity": alert.severity, "runbook": alert.runbook})
    if not alert.lasting:
        _close(connection, alert, subject)
    return True


def _close(connection: Connection, alert: Alert, subject: str) -> bool:
    return execute(connection, "alerts/resolve", {"name": alert.name, "subject": subject}) > 0


def _send(title: str, body: str) -> None:
    urls = load(AlertSettings).alert_urls.get_secret_value().split()
    if not urls:
        return
    try:
        sent = _notify(urls, title, body)
    except Exception as error:  # whatever a service's plugin does; its text may hold the URL, which is a secret
        log.warning("sending alerts failed: %s", type(error).__name__)
        sent = False
    if not sent:
        log.warning("alert not delivered to every PINWHEEL_ALERT_URLS: %s", title)


def _notify(urls: list[str], title: str, body: str) -> bool:
    from apprise import Apprise  # 0.3 s to import, and mostly not needed

    sender = Apprise()
    added = sender.add(urls)  # False when one of them is no URL that Apprise knows
    return bool(sender.notify(title=title, body=body) and added)

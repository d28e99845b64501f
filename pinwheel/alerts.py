"""Every alert there is, and how it goes out: the log, the ``alerts`` table, and Apprise URLs when set."""

import logging
from collections.abc import Callable
from dataclasses import dataclass

import pymysql

from pinwheel.errors import PinwheelError
from pinwheel.memsql import connect, execute, transaction
from pinwheel.settings import AlertSettings, MemsqlSettings, load

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Alert:
    """One kind of alert. ``runbook`` is a path in the repository."""

    name: str
    severity: str  # critical: act now; warning: look today
    runbook: str


DRIVER_FAILING = Alert("driver_failing", "critical", "docs/runbooks/supervise_stream.md")
DRIVER_STALLED = Alert("driver_stalled", "critical", "docs/runbooks/supervise_stream.md")
SLICE_HELD = Alert("slice_held", "critical", "docs/runbooks/merge_events.md")
SLICE_WARNING = Alert("slice_warning", "warning", "docs/runbooks/merge_events.md")
ROWS_QUARANTINED = Alert("rows_quarantined", "warning", "docs/runbooks/merge_events.md")
EVENTS_CONFLICTING = Alert("events_conflicting", "warning", "docs/runbooks/merge_events.md")
MERGE_FAILING = Alert("merge_failing", "critical", "docs/runbooks/merge_events.md")
DRIVER_ALERTS = (DRIVER_FAILING, DRIVER_STALLED)
MERGE_ALERTS = (SLICE_HELD, SLICE_WARNING, ROWS_QUARANTINED, EVENTS_CONFLICTING, MERGE_FAILING)
ALERTS = {a.name: a for a in (*DRIVER_ALERTS, *MERGE_ALERTS)}

Send = Callable[[Alert, str, str], None]  # alert, subject (what it is about), message


def raise_alert(alert: Alert, subject: str, message: str) -> None:
    """Tell people. Never raises: an alert that can't be sent must not stop the work it is about."""
    log.error(
        "alert=%s severity=%s subject=%s runbook=%s: %s", alert.name, alert.severity, subject, alert.runbook, message
    )
    row = {"name": alert.name, "subject": subject, "severity": alert.severity, "message": message}
    _store("alerts/raise", row | {"runbook": alert.runbook})
    _send(f"{alert.severity.upper()} {alert.name}: {subject}", f"{message}\nRunbook: {alert.runbook}")


def resolve_alert(alert: Alert, subject: str, message: str) -> None:
    """Tell people that it is over. Never raises."""
    log.info("resolved=%s subject=%s: %s", alert.name, subject, message)
    _store("alerts/resolve", {"name": alert.name, "subject": subject})
    _send(f"RESOLVED {alert.name}: {subject}", message)


def _store(name: str, values: dict[str, str]) -> None:
    try:
        connection = connect(load(MemsqlSettings))
        with connection, transaction(connection):
            execute(connection, name, values)
    except (PinwheelError, pymysql.err.Error) as error:
        log.warning("alert not stored: %s", error)


def _send(title: str, body: str) -> None:
    urls = load(AlertSettings).alert_urls.get_secret_value().split()
    if not urls:
        return
    from apprise import Apprise  # 0.3 s to import, and mostly not needed

    sender = Apprise()
    sender.add(urls)
    if not sender.notify(title=title, body=body):
        log.warning("alert not delivered to every PINWHEEL_ALERT_URLS: %s", title)

"""Every alert there is, and how it goes out: the log, the ``alerts`` table, and Apprise URLs when set."""

import logging
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime

import pymysql

from pinwheel.alerts import outbox
from pinwheel.clients.memsql import Connection, connect, execute, fetch, transaction
from pinwheel.core.errors import PinwheelError
from pinwheel.core.settings import MemsqlSettings, load

log = logging.getLogger(__name__)

STORE_SECONDS = 5.0  # a hung database must not keep an alert from being sent


STREAM_RUNBOOK = "docs/runbooks/supervise_stream.md"
MERGE_RUNBOOK = "docs/runbooks/merge_events.md"
HEALTH_RUNBOOK = "docs/runbooks/watch_health.md"
QUALITY_RUNBOOK = "docs/runbooks/check_quality.md"
REPORTS_RUNBOOK = "docs/runbooks/report_brands.md"


@dataclass(frozen=True)
class Alert:
    """One kind of alert: ``runbook`` is a path in the repository, ``do`` the first thing to do.

    A lasting one is a state: it is open until it is resolved, and sent once in that time. One that is not lasting is
    something that happened: it is sent each time, and closed as soon as it is stored, because nothing ever ends it.
    """

    name: str
    severity: str  # critical: act now; warning: look today
    runbook: str
    do: str
    lasting: bool = True


DRIVER_FAILING = Alert("driver_failing", "critical", STREAM_RUNBOOK, "read the end of the driver's log")
DRIVER_STALLED = Alert("driver_stalled", "critical", STREAM_RUNBOOK, "see whether the restart helped; read its log")
PINS_SKIPPED = Alert("pins_skipped", "warning", STREAM_RUNBOOK, "rebuild pins when you need it whole", lasting=False)
SLICE_HELD = Alert("slice_held", "critical", MERGE_RUNBOOK, "mend the cause, then trigger release_slice")
SLICE_WARNING = Alert("slice_warning", "warning", MERGE_RUNBOOK, "compare with the days before", lasting=False)
ROWS_QUARANTINED = Alert("rows_quarantined", "warning", MERGE_RUNBOOK, "read reason in quarantine", lasting=False)
EVENTS_CONFLICTING = Alert("events_conflicting", "warning", MERGE_RUNBOOK, "find the producer", lasting=False)
MERGE_FAILING = Alert("merge_failing", "critical", MERGE_RUNBOOK, "read the log of the task of this table")
TRENDS_FAILING = Alert("trends_failing", "warning", MERGE_RUNBOOK, "read the log of the task of repins")
QUALITY_FAILED = Alert("quality_failed", "critical", QUALITY_RUNBOOK, "look up the measures in the runbook")
QUALITY_WARNING = Alert("quality_warning", "warning", QUALITY_RUNBOOK, "look up the measures in the runbook")
REPORTS_FAILED = Alert("reports_failed", "warning", REPORTS_RUNBOOK, "read the log of report_brands; mend, trigger it")
DRIVER_ALERTS = (DRIVER_FAILING, DRIVER_STALLED)
MERGE_ALERTS = (SLICE_HELD, SLICE_WARNING, ROWS_QUARANTINED, EVENTS_CONFLICTING, MERGE_FAILING, TRENDS_FAILING)
QUALITY_ALERTS = (QUALITY_FAILED, QUALITY_WARNING)
SOURCE_DOWN = Alert("source_down", "critical", HEALTH_RUNBOOK, "see whether what is named is up")
# Named as the measures of ``pinwheel.operate.health`` that they are about; held slices have an alert of their own.
HEALTH_ALERTS = {
    a.name: a
    for a in (
        SOURCE_DOWN,
        Alert("driver_down", "critical", HEALTH_RUNBOOK, "see whether somebody stopped it; read its log"),
        Alert("lag_records", "warning", HEALTH_RUNBOOK, "see whether the stream runs and the lag falls"),
        Alert("open_batch_seconds", "critical", HEALTH_RUNBOOK, "read the end of the driver's log"),
        Alert("lake_behind_seconds", "critical", HEALTH_RUNBOOK, "see whether the stream runs and the lag falls"),
        Alert("staged_behind_seconds", "warning", HEALTH_RUNBOOK, "read the log of merge_events"),
        Alert("merged_behind_seconds", "critical", HEALTH_RUNBOOK, "look for held slices, then at merge_events"),
        Alert("dead_letter_share", "warning", HEALTH_RUNBOOK, "count the dead letters by reason, tell the producer"),
        Alert("pending_pins", "warning", HEALTH_RUNBOOK, "see whether the Pin API answers"),
        Alert("small_files", "warning", HEALTH_RUNBOOK, "read the log of compact_tables"),
        Alert("disk_used_share", "critical", HEALTH_RUNBOOK, "make room on the lake's disk"),
    )
}
TEST_ALERT = Alert("test_alert", "warning", HEALTH_RUNBOOK, "nothing: somebody tried whether it arrives", lasting=False)
STREAM_ALERTS = (*DRIVER_ALERTS, PINS_SKIPPED)
ALERTS = {
    a.name: a
    for a in (*STREAM_ALERTS, *MERGE_ALERTS, *QUALITY_ALERTS, REPORTS_FAILED, *HEALTH_ALERTS.values(), TEST_ALERT)
}

Send = Callable[[Alert, str, str], None]  # alert, subject (what it is about), message

_unstored: set[tuple[str, str]] = set()  # name and subject: what the table is wrong about, because it was away


def raise_alert(alert: Alert, subject: str, message: str) -> None:
    """Tell people; of a lasting alert that is open already, only the stored message changes.

    Never raises: an alert that can't be sent must not stop the work it is about.
    """
    log.error(
        "alert=%s severity=%s subject=%s runbook=%s: %s", alert.name, alert.severity, subject, alert.runbook, message
    )
    now = _now()
    text = f"{message}\nRaised: {now:%Y-%m-%d %H:%M:%S} UTC\nDo: {alert.do}\nRunbook: {alert.runbook}"
    title = f"{alert.severity.upper()} {alert.name}: {subject}"
    _tell(alert, subject, title, text, lambda c: text if _open(c, alert, subject, message, now) else None)


def resolve_alert(alert: Alert, subject: str, message: str) -> None:
    """Tell people that it is over, and how long it lasted; nobody is told of what was not open. Never raises."""
    log.info("resolved=%s subject=%s: %s", alert.name, subject, message)
    title = f"RESOLVED {alert.name}: {subject}"

    def close(connection: Connection) -> str | None:
        since, now = _close(connection, alert, subject, _now()), _now()
        if since is None:
            return None
        return f"{message}\nLasted: {str(now - since).partition('.')[0]}, since {since:%Y-%m-%d %H:%M:%S} UTC"

    _tell(alert, subject, title, message, close)


def deliver_waiting() -> None:
    """Send what could not be delivered before and is due. Never raises: the next look tries again."""
    try:
        with _connected() as connection:
            outbox.deliver(connection, _now)
    except (PinwheelError, pymysql.err.Error) as error:
        log.warning("waiting alerts not delivered: %s", error)


def _tell(alert: Alert, subject: str, title: str, otherwise: str, store: Callable[[Connection], str | None]) -> None:
    """Store it and send what ``store`` returns; ``otherwise`` is sent when nobody can say: better twice than never."""
    wrong = (alert.name, subject) in _unstored
    try:
        with _connected() as connection, transaction(connection):
            fetch(connection, "alerts/lock")
            text = store(connection) or (otherwise if wrong else None)
            if text:
                outbox.post(connection, title, text, _now())
    except (PinwheelError, pymysql.err.Error) as error:
        log.warning("alert not stored: %s", error)
        _unstored.add((alert.name, subject))
        outbox.send_directly(title, otherwise)
        return
    _unstored.discard((alert.name, subject))
    if text:
        deliver_waiting()


def _connected() -> closing[Connection]:
    return closing(connect(load(MemsqlSettings), statement_seconds=STORE_SECONDS))


def _now() -> datetime:
    """As the database keeps it: UTC, without a zone."""
    return datetime.now(UTC).replace(tzinfo=None)


def _open(connection: Connection, alert: Alert, subject: str, message: str, now: datetime) -> bool:
    """Whether it was not open before."""
    row = {"name": alert.name, "subject": subject, "message": message}
    if alert.lasting and fetch(connection, "alerts/find_open", row):
        execute(connection, "alerts/update_open", row)
        return False
    execute(connection, "alerts/raise", row | {"severity": alert.severity, "runbook": alert.runbook, "now": now})
    if not alert.lasting:
        _close(connection, alert, subject, now)
    return True


def _close(connection: Connection, alert: Alert, subject: str, now: datetime) -> datetime | None:
    """Since when it was open; None: it was not."""
    row = {"name": alert.name, "subject": subject, "now": now}
    found = fetch(connection, "alerts/find_open", row)
    execute(connection, "alerts/resolve", row)
    return min((r["raised_at"] for r in found), default=None)

"""The texts of messages about alerts: what is wrong for whom, since when, what to do, and where more is to be seen."""

import re
from datetime import datetime
from html import escape

from pinwheel.alerts.catalogue import Alert
from pinwheel.core.settings import AlertSettings, load
from pinwheel.core.words import duration

OVER = "RESOLVED"
LOCAL_PATH = re.compile(r"(?:\bfile:/{1,3}|(?<![\w.:/])/)(?:[^\s/:'\"]+/)+(?=[^\s/:'\"])")  # its folders


def without_paths(message: str) -> str:
    """The message without the folders of a server's disk, which errors name, and which say nothing to its readers."""
    return LOCAL_PATH.sub("…/", message)


def title(alert: Alert, subject: str) -> str:
    """The title of the message that it was raised."""
    return f"{alert.severity.upper()}: {alert.title.format(subject=subject)}"


def over(alert: Alert, subject: str) -> str:
    """The title of the message that it was resolved."""
    return f"{OVER}: {alert.title.format(subject=subject)}"


def raised(alert: Alert, subject: str, message: str, at: datetime, alert_id: int | None) -> str:
    """The message that it was raised; ``alert_id`` None: it is not stored."""
    lines = {
        "What it means": alert.means,
        "Do": alert.do,
        "Raised": _utc(at),
        "Alert": _row(alert, subject, alert_id),
        "Page": _url(f"pinwheel/{alert.page}"),
        "Runs": _url(f"dags/{alert.dag}/runs"),
        "Runbook": _url(f"pinwheel/runbooks/{alert.runbook_of or alert.dag}") or alert.runbook,
    }
    return "\n".join([message, *(f"{name}: {text}" for name, text in lines.items() if text)])


def resolved(alert: Alert, subject: str, message: str, since: datetime, now: datetime) -> str:
    """The message that it was resolved."""
    lasted = duration((now - since).total_seconds())
    return f"{message}\nLasted: {lasted}, raised {_utc(since)}\nAlert: {_row(alert, subject, None)}"


def as_html(body: str) -> str:
    """A message for a receiver of HTML: lines that wrap, and links only to Airflow, because errors quote anything."""
    shown = escape(body, quote=False).replace("\n", "<br/>")
    base = _url("")
    return re.sub(rf"{re.escape(base)}[^\s<>\"']*", r'<a href="\g<0>">\g<0></a>', shown) if base else shown


def _row(alert: Alert, subject: str, alert_id: int | None) -> str:
    link = _url(f"pinwheel/health#alert-{alert_id}") if alert_id is not None else None
    return f"{alert.name}, {subject}" + (f", {link}" if link else "")


def _utc(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S} UTC"


def _url(path: str) -> str | None:
    return load(AlertSettings).url(path)

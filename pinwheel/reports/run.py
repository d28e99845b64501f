"""The tasks of dags/report_brands.py, with settings from the environment."""

from collections.abc import Mapping
from contextlib import closing

from pinwheel.alerts.catalogue import REPORTS_FAILED
from pinwheel.alerts.raising import raise_alert, resolve_alert
from pinwheel.clients import memsql
from pinwheel.core.errors import AskedError, ReportError
from pinwheel.core.settings import MailSettings, ReportSettings, load
from pinwheel.core.times import utc_now
from pinwheel.reports import mail, period
from pinwheel.reports.make import Maker
from pinwheel.reports.store import Store

MAX_IN_MESSAGE = 10  # failures


def make(first_day: str | None, days: int, brand_ids: str | None, is_mailed: bool) -> dict[str, str]:
    """Make the due reports, or those of a requested period; returns failed report -> reason.

    ``is_mailed`` False: the new reports are not mailed.

    Raises:
        AskedError: the request is invalid.
    """
    settings = load(ReportSettings)
    mails = load(MailSettings) if is_mailed else load(MailSettings, smtp_host="")
    with (
        Store(settings.reports_uri, settings.report_writers) as store,
        closing(Maker(settings, mails, store, utc_now)) as maker,
    ):
        if first_day:
            maker.asked(period.asked(first_day, days), numbers_in(brand_ids))
        elif brand_ids:
            raise AskedError(f"brand_ids={brand_ids!r} needs first_day, the start of the period to report on")
        else:
            maker.due()
            _update_alert("reports", maker.tally.failed)
    return maker.tally.failed


def send_mails() -> dict[str, str]:
    """Send the due mails; returns failed mail -> reason."""
    settings, mails = load(ReportSettings), load(MailSettings)
    with memsql.connect(settings) as connection, Store(settings.reports_uri) as store:
        sent = mail.send_due(mails, connection, store, settings.report_back_days, utc_now)
    _update_alert("mails", sent.failed)
    return sent.failed


def _update_alert(subject: str, failed: Mapping[str, str]) -> None:
    if failed:
        raise_alert(REPORTS_FAILED, subject, listed(failed))
    else:
        resolve_alert(REPORTS_FAILED, subject, f"all {subject} succeeded")


def listed(failed: Mapping[str, str]) -> str:
    """Failures as a text: their number, and the first ones with their reasons."""
    lines = [f"{what}: {why}" for what, why in list(failed.items())[:MAX_IN_MESSAGE]]
    more = [f"and {len(failed) - MAX_IN_MESSAGE} more, see the task's log"] if len(failed) > MAX_IN_MESSAGE else []
    return "\n".join([f"{len(failed)} failed:", *lines, *more])


def require_none(*failures: Mapping[str, str] | None) -> None:
    """Do nothing if nothing failed; None stands for a task that failed as a whole.

    Raises:
        ReportError: lists the failures.
    """
    failed = {what: why for of_task in failures for what, why in (of_task or {}).items()}
    whole = ["a task before this one failed as a whole; see its log"] if None in failures else []
    if failed or whole:
        raise ReportError("\n".join([*whole, *([listed(failed)] if failed else [])]))


def numbers_in(text: str | None) -> list[int]:
    """Distinct whole numbers from a text where commas separate them.

    Raises:
        AskedError: the text has something else.
    """
    parts = [part.strip() for part in (text or "").split(",") if part.strip()]
    try:
        return list(dict.fromkeys(int(part) for part in parts))
    except ValueError as error:
        raise AskedError(f"brand_ids must be whole numbers separated by commas, not {text!r}: {error}") from error

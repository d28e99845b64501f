"""What the tasks of dags/report_brands.py do, with settings from the environment."""

from collections.abc import Mapping
from contextlib import closing
from datetime import UTC, datetime

from pinwheel.alerts.catalogue import REPORTS_FAILED
from pinwheel.alerts.raising import raise_alert, resolve_alert
from pinwheel.clients import memsql
from pinwheel.core.errors import AskedError, ReportError
from pinwheel.core.settings import MailSettings, ReportSettings, load
from pinwheel.reports import mail, period
from pinwheel.reports.make import Maker
from pinwheel.reports.store import Store

TOLD = 10  # failures in a message


def make(first_day: str | None, days: int, brand_ids: str | None, is_mailed: bool) -> dict[str, str]:
    """Make what is due, or the period that somebody asked for, to be mailed or not; what failed -> why.

    Raises:
        AskedError: what was asked for can't be.
    """
    settings = load(ReportSettings)
    mails = load(MailSettings) if is_mailed else load(MailSettings, smtp_host="")
    with (
        Store(settings.reports_uri, settings.report_writers) as store,
        closing(Maker(settings, mails, store, _now)) as maker,
    ):
        if first_day:
            maker.asked(period.asked(first_day, days, _now()), numbers_in(brand_ids))
        elif brand_ids:
            raise AskedError(f"brand_ids={brand_ids!r} needs first_day: which period of theirs is to be reported?")
        else:
            maker.due()
            _tell("reports", maker.tally.failed)
    return maker.tally.failed


def send_mails() -> dict[str, str]:
    """Mail what is due; what failed -> why."""
    settings, mails = load(ReportSettings), load(MailSettings)
    with memsql.connect(settings) as connection, Store(settings.reports_uri) as store:
        sent = mail.send_due(mails, connection, store, settings.report_back_days, _now)
    _tell("mails", sent.failed)
    return sent.failed


def _tell(subject: str, failed: Mapping[str, str]) -> None:
    if failed:
        raise_alert(REPORTS_FAILED, subject, listed(failed))
    else:
        resolve_alert(REPORTS_FAILED, subject, "all of them went well")


def listed(failed: Mapping[str, str]) -> str:
    """Failures for people: how many, the first of them, each with its reason."""
    lines = [f"{what}: {why}" for what, why in list(failed.items())[:TOLD]]
    more = [f"and {len(failed) - TOLD} more, see the task's log"] if len(failed) > TOLD else []
    return "\n".join([f"{len(failed)} failed:", *lines, *more])


def require_none(*failures: Mapping[str, str] | None) -> None:
    """Nothing, where nothing failed; None is a task that failed as a whole.

    Raises:
        ReportError: says what did.
    """
    failed = {what: why for found in failures for what, why in (found or {}).items()}
    whole = ["a task before this one failed as a whole: its log says why"] if None in failures else []
    if failed or whole:
        raise ReportError("\n".join([*whole, *([listed(failed)] if failed else [])]))


def numbers_in(text: str | None) -> list[int]:
    """Whole numbers, separated by commas; each once.

    Raises:
        AskedError: something else.
    """
    parts = [part.strip() for part in (text or "").split(",") if part.strip()]
    try:
        return list(dict.fromkeys(int(part) for part in parts))
    except ValueError as error:
        raise AskedError(f"brand_ids must be whole numbers separated by commas, not {text!r}: {error}") from error


def _now() -> datetime:
    return datetime.now(UTC)

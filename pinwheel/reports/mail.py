"""Mail reports to the brands' contacts, at least once: a run that dies between sending and recording sends again.

A second mail of the same revision has the same Message-ID, so mail programs can recognise the duplicate.
"""

import json
import logging
import re
import smtplib
import ssl
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email.message import EmailMessage
from email.utils import getaddresses

from pinwheel.clients.memsql import Connection, Row
from pinwheel.core.errors import PinwheelError, ReportError
from pinwheel.core.settings import MailSettings
from pinwheel.core.times import naive
from pinwheel.reports import revisions, words
from pinwheel.reports.numbers import Brand, Change
from pinwheel.reports.page import VERDICTS, number_name
from pinwheel.reports.period import Period
from pinwheel.reports.revisions import Report
from pinwheel.reports.smtp import Smtp, SmtpOverTls
from pinwheel.reports.store import Store
from pinwheel.reports.tables import FILES

log = logging.getLogger(__name__)

# Between commas or semicolons that are not in quotes, brackets or a comment.
PART = re.compile(r'(?:"[^"]*"|<[^>]*>|\([^)]*\)|[^,;"<(])+')
DUE, SENT, NONE = "due", "sent", "none"


@dataclass
class Mailed:
    """A run's result: the number of mails sent, and the failures by brand and period."""

    count: int = 0
    failed: dict[str, str] = field(default_factory=dict)


def addresses(contact: str | None) -> list[str]:
    """A contact's addresses, in the notations of mail programs; parts that can't be read are left out, see ``unread``.

    ``ann@example.org``, ``Ann <ann@example.org>``, ``ann@example.org (Ann)`` or ``mailto:ann@example.org``, several
    separated by commas or semicolons.
    """
    return [address for part in _parts(contact) for address in _read(part)]


def unread(contact: str | None) -> list[str]:
    """The parts of a contact that are no addresses."""
    return [part for part in _parts(contact) if not _read(part)]


def _parts(contact: str | None) -> list[str]:
    found = (part.strip() for part in PART.findall(contact or ""))
    return [part for part in found if part]


def _read(part: str) -> list[str]:
    if "\n" in part or "\r" in part:  # a 2nd line may be "Bcc: b@…"
        return []
    plain = re.sub(r"(?i)(^|<)mailto:([^>?]*)(\?[^>]*)?", r"\1\2", part)
    return [address for _, address in getaddresses([plain]) if _is_whole(address)]


def _is_whole(address: str) -> bool:
    name, _, host = address.partition("@")
    return bool(name and host) and "@" not in host and address.split() == [address]


def wanted(report: Report, settings: MailSettings) -> str:
    """Whether to mail a new report: a first revision always, a later one if it is complete now or totals changed."""
    if not settings.smtp_host or not _parts(report.brand.contact):
        return NONE
    return DUE if report.earlier is None or _is_worth_it(report, settings.mail_min_change) else NONE


def _is_worth_it(report: Report, least: float) -> bool:
    completed = report.earlier is not None and report.state.is_complete and not report.earlier.is_complete
    totals = [c for c in report.changes if c.name.startswith("total ")]
    return completed or any(abs(c.by) >= least * max(1, c.before or 0) for c in totals)


def send_due(
    settings: MailSettings,
    connection: Connection,
    store: Store,
    back_days: int,
    now: Callable[[], datetime],
) -> Mailed:
    """Mail the due reports, of several revisions only the newest. A mail that fails stays due.

    Raises:
        ReportError: the mail server is unavailable or rejects the login, so no mail can be sent.
    """
    sent = Mailed()
    rows = revisions.due_mails(connection, (now() - timedelta(days=back_days)).date())
    due = [row for row in rows if row["revision"] == row["newest_revision"]]
    for row in rows:
        if row["revision"] != row["newest_revision"]:
            revisions.set_mail(connection, row, NONE, None)
    if not due:
        return sent
    if not settings.smtp_host:
        log.warning("mails due=%d, but PINWHEEL_SMTP_HOST is not set", len(due))
        return sent
    with closing(Server(settings)) as server:
        for row in due:
            _send(server, settings, connection, store, row, now, sent)
    log.info("mails sent=%d failed=%d", sent.count, len(sent.failed))
    return sent


def _send(
    server: "Server",
    settings: MailSettings,
    connection: Connection,
    store: Store,
    row: Row,
    now: Callable[[], datetime],
    sent: Mailed,
) -> None:
    """Send one mail. Failures are collected; the other mails are still sent."""
    period, brand = _about(row)
    to = addresses(row["contact"])
    if bad := unread(row["contact"]):
        told = "; ".join(repr(part)[:100] for part in bad)
        sent.failed[f"{brand.title} ({brand.brand_id}), {period.key}"] = f"the contact is no mail address: {told}"
    if not to:  # also when the contact was removed after the report was made
        revisions.set_mail(connection, row, NONE, None)
        return
    try:
        refused = server.send(message(row, to, settings.smtp_from, store))
    except (smtplib.SMTPException, PinwheelError, ValueError, OSError) as error:
        if isinstance(error, ReportError):
            raise
        log.exception("mail brand=%s period=%s to=%s", brand.brand_id, period.key, ", ".join(to))
        sent.failed[f"{brand.title} ({brand.brand_id}), {period.key}"] = f"mail to {', '.join(to)}: {error}"
        return
    revisions.set_mail(connection, row, SENT, naive(now()))
    sent.count += 1
    if refused:  # the other recipients have it, so it must not be due again
        reason = f"the server accepted it for the others, but not for {', '.join(refused)}"
        sent.failed[f"{brand.title} ({brand.brand_id}), {period.key}"] = reason
    log.info("mailed brand=%s period=%s revision=%s", brand.brand_id, period.key, row["revision"])


def _about(row: Row) -> tuple[Period, Brand]:
    return Period(row["first_day"], row["days"], row["time_zone"]), Brand(row["brand_id"], row["name"], row["contact"])


def message(row: Row, to: list[str], sender: str, store: Store) -> EmailMessage:
    """The mail, with the report and its tables attached."""
    period, brand = _about(row)
    made = EmailMessage()
    revised = f", revision {row['revision']}" if row["revision"] > 1 else ""
    made["Subject"] = (
        f"{words.one_line(brand.title)}: {words.title(period).lower()}, {words.days_there(period)}{revised}"
    )
    made["From"] = sender
    made["To"] = ", ".join(to)
    made["Message-ID"] = f"<{brand.brand_id}.{period.key}.{row['revision']}@pinwheel>"
    made["Auto-Submitted"] = "auto-generated"  # prevents out-of-office replies
    made.set_content(_text(row, period, brand))
    name = f"brand-{brand.brand_id}-{period.key}-r{row['revision']}"
    html = store.read(f"{row['folder']}/report.html")
    made.add_attachment(html, maintype="text", subtype="html", filename=f"{name}.html")
    for file in FILES if row["revision"] > 1 else FILES[:-1]:
        content = store.read(f"{row['folder']}/{file}")
        made.add_attachment(content, maintype="text", subtype="csv", filename=f"{name}-{file}")
    return made


def _text(row: Row, period: Period, brand: Brand) -> str:
    change = words.change(row["engagement"], row["engagement_before"])
    lines = [
        f"{words.title(period)} of {words.one_line(brand.title)}, {words.days_there(period)}",
        "",
        f"Engagement (repins and comments): {words.whole(row['engagement'])}, {change} against {words.before(period)}",
        f"Unique people: {words.whole(row['unique_people'])}",
        f"Data quality: {VERDICTS[row['verdict']]}",
    ]
    if not row["is_complete"]:
        through = row["complete_through"]
        up_to = f"; it includes everything received by {words.moment(through, period.time_zone)}" if through else ""
        lines.append(f"This report is not complete{up_to}. The next revision will be.")
    if row["revision"] > 1 and not row["earlier_revisions"]:
        lines += ["", f"Revision {row['revision']}: the first with days of {period.time_zone}."]
    elif row["revision"] > 1:
        lines += ["", f"Revision {row['revision']}: {words.whole(row['change_count'])} numbers changed, the first:"]
        changes = [Change(**change) for change in json.loads(row["changes"])[:5]]
        lines += [f"  {number_name(c.name, period, {})}: {c.before} -> {c.after}" for c in changes]
    return "\n".join([*lines, "", "The whole report is attached: an HTML page to read or print, and CSV files.", ""])


class Server:
    """One connection for all mails, opened for the first mail, and again if the server has closed it."""

    def __init__(self, settings: MailSettings) -> None:
        self._settings = settings
        self._smtp: smtplib.SMTP | None = None

    def send(self, mail: EmailMessage) -> list[str]:
        """Hand a mail over; returns the recipients that the server refuses, if it accepts others.

        Raises:
            ReportError: the server is unavailable or rejects the login.
            smtplib.SMTPException: the server refuses this mail.
        """
        try:
            return list(self._connected().send_message(mail))
        except smtplib.SMTPServerDisconnected:  # idle for too long, or a limit of mails per connection
            self._smtp = None
            return list(self._connected().send_message(mail))

    def close(self) -> None:
        """Close the connection, if it is open."""
        if self._smtp is not None:
            self._smtp.close()
            self._smtp = None

    def _connected(self) -> smtplib.SMTP:
        if self._smtp is None:
            try:
                self._smtp = self._connect()
            except (OSError, smtplib.SMTPException) as error:
                where = f"{self._settings.smtp_host}:{self._settings.smtp_port}"
                raise ReportError(
                    f"no mail can be sent: {where}, security {self._settings.smtp_security}, user "
                    f"{self._settings.smtp_user or '(none)'}: {error}. Is the server up, and are PINWHEEL_SMTP_HOST, "
                    "_PORT, _SECURITY, _USER and _PASSWORD right? The mails stay due"
                ) from error
        return self._smtp

    def _connect(self) -> smtplib.SMTP:
        given = self._settings
        address = (given.smtp_host, given.smtp_port)
        tls = ssl.create_default_context()
        if given.smtp_security == "tls":
            smtp: Smtp = SmtpOverTls(*address, timeout=given.smtp_seconds, context=tls)
        else:
            smtp = Smtp(*address, timeout=given.smtp_seconds)
        if given.smtp_security == "starttls":
            smtp.starttls(context=tls)
        if given.smtp_user:
            smtp.login(given.smtp_user, given.smtp_password.get_secret_value())
        return smtp

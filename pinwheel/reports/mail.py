"""Mail reports to the brands' contacts, at least once: a run that dies between sending and recording sends again.

A second mail of the same revision has the same Message-ID, so mail programs can recognise the duplicate.
"""

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
from urllib.parse import unquote

from pinwheel.clients.memsql import Connection, Row
from pinwheel.core.errors import PinwheelError, ReportError
from pinwheel.core.settings import MailSettings
from pinwheel.core.times import naive
from pinwheel.reports import revisions
from pinwheel.reports.letter import Letter, message
from pinwheel.reports.numbers import Brand, counts_pinners, numbers_of
from pinwheel.reports.period import Period
from pinwheel.reports.read import titled
from pinwheel.reports.revisions import Report
from pinwheel.reports.smtp import Smtp, SmtpOverTls
from pinwheel.reports.store import Store

log = logging.getLogger(__name__)

# Between commas or semicolons that are not in quotes, brackets or a comment.
PART = re.compile(r'(?:"[^"]*"|<[^>]*>|\([^)]*\)|[^,;"<(])+')
# With its query, which may have commas too: up to the next address of a list.
MAILTO = re.compile(r"(?i)\bmailto:(?://)?([^\s<>?]+)(?:\?[^\s<>]*?(?=[,;]?(?:[\s<>]|$)|[,;]mailto:))?")
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
    plain = MAILTO.sub(lambda uri: unquote(uri[1]), contact or "")
    found = (part.strip().strip("'").rstrip(".") for part in PART.findall(plain))
    return [part for part in found if part]


def _read(part: str) -> list[str]:
    if len(part.splitlines()) > 1:  # a 2nd line may be "Bcc: b@…"
        return []
    bracketed = re.findall(r"<[^<>]*>", part)  # before them is a name, which may look like an address
    found = [address for _, address in getaddresses(bracketed or [part])]
    are_there = all(_is_whole(address) and address in part for address in found)  # it joins "a@example.org [Ann]"
    return [_with_ascii_host(address) for address in found] if are_there else []


def _is_whole(address: str) -> bool:
    name, _, host = address.partition("@")
    is_host = re.fullmatch(r"[\w.-]+|\[[\w.:]+\]", host) is not None
    return bool(name) and is_host and address.isprintable() and not re.search(r"[\s?]", name)


def _with_ascii_host(address: str) -> str:
    """Not all servers take another one (SMTPUTF8), and one address would keep the mail from the others."""
    name, _, host = address.partition("@")
    try:
        encoded = host.encode("idna")
    except UnicodeError:  # an empty part, which the server refuses
        return address
    return f"{name}@{encoded.decode()}" if encoded.decode("idna") == host.lower() else address


def wanted(report: Report, settings: MailSettings) -> str:
    """Whether to mail a new report.

    A first revision always; a later one if it is complete now, if totals changed, or if it takes the place of one that
    is not sent yet.
    """
    if not settings.smtp_host or not _parts(report.brand.contact):
        return NONE
    is_due = report.earlier is None or report.earlier.mail == DUE or _is_worth_it(report, settings.mail_min_change)
    return DUE if is_due else NONE


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
        report = store.read(f"{row['folder']}/report.html")
        refused = server.send(message(_letter(row, connection, settings), to, settings.smtp_from, report))
    except (smtplib.SMTPException, PinwheelError, ValueError, LookupError, OSError) as error:
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


def _letter(row: Row, connection: Connection, settings: MailSettings) -> Letter:
    """The report of a row, with its pins' titles of today."""
    period, brand = _about(row)
    text = revisions.numbers_text(connection, row)
    numbers = titled(connection, numbers_of(text))
    return Letter(brand, period, numbers, row, settings.url("pinwheel") or "", counts_pinners(text))


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

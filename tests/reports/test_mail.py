"""Mails of reports, through a real mail server on this machine."""

import email
import io
import re
import ssl
import subprocess
import time
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, Envelope, LoginPassword
from PIL import Image
from pydantic import SecretStr

from pinwheel.clients.memsql import Connection
from pinwheel.core.errors import ReportError
from pinwheel.core.settings import MailSettings, ReportSettings
from pinwheel.reports import mail, revisions
from pinwheel.reports import run as tasks
from pinwheel.reports.letter import Letter, cards, changed
from pinwheel.reports.numbers import Brand, Group, Numbers, Totals
from pinwheel.reports.period import Period
from pinwheel.reports.store import Store
from tests.support.brand_reports import DAY, Clock, NameBrands, RunReports, at, some
from tests.support.lakes import NOON, event
from tests.support.liars import Answer, answering, drips, floods
from tests.support.ports import free_port
from tests.support.types import MergeEvents, Query

Send = Callable[[MailSettings], mail.Mailed]


class Inbox:
    """The mails that the server received; it refuses ``refused`` addresses."""

    def __init__(self) -> None:
        self.got: list[tuple[list[str], EmailMessage]] = []
        self.refused: set[str] = set()

    async def handle_RCPT(self, server: Any, session: Any, envelope: Envelope, address: str, rcpt_options: Any) -> str:
        if address in self.refused:
            return "550 no such person"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Envelope) -> str:
        self.got.append((envelope.rcpt_tos, email.message_from_bytes(envelope.original_content or b"", policy=default)))
        return "250 OK"


def plain(message: EmailMessage) -> str:
    body = message.get_body(("plain",))
    assert body is not None
    return str(body.get_content())


def subject(message: EmailMessage) -> str:
    """On one line: a long one begins on the header's second."""
    return str(message["Subject"]).strip()


@pytest.fixture
def inbox() -> Inbox:
    return Inbox()


@pytest.fixture
def server(inbox: Inbox) -> Iterator[MailSettings]:
    """A mail server without login or encryption; the settings that lead to it."""
    controller = Controller(inbox, hostname="127.0.0.1", port=free_port())
    controller.start()
    yield MailSettings(
        smtp_host="127.0.0.1", smtp_port=controller.port, smtp_security="none", smtp_from="pw@example.org"
    )
    controller.stop()


@pytest.fixture
def send(connection: Connection, store: Store, clock: Clock) -> Send:
    """Mails the reports that are due."""

    def go(settings: MailSettings) -> mail.Mailed:
        return mail.send_due(settings, connection, store, 31, clock)

    return go


@pytest.fixture
def made(merged: MergeEvents, named: NameBrands, run: RunReports, server: MailSettings) -> None:
    """Reports of three brands, two of which have a contact."""
    named(
        (70, "Copper Kitchen", "ann@example.org, bob@example.org"),
        (71, "Moss & Stone", None),
        (72, "Ü", "c@example.org"),
    )
    merged(some("a", 3) + some("b", 2, 10, brand_id=71) + some("c", 4, 20, brand_id=72))
    assert run(mails=server) == {"made": 3}


def states(query: Query) -> list[tuple[Any, ...]]:
    return [
        (r["brand_id"], r["revision"], r["mail"])
        for r in query("SELECT * FROM brand_reports ORDER BY brand_id, revision")
    ]


def test_a_contact_gets_the_report_and_its_tables_once(
    made: None, send: Send, server: MailSettings, inbox: Inbox, query: Query
) -> None:
    assert states(query) == [(70, 1, "due"), (71, 1, "none"), (72, 1, "due")]
    assert send(server).count == 2
    assert send(server).count == 0
    assert states(query) == [(70, 1, "sent"), (71, 1, "none"), (72, 1, "sent")]
    (to, told), (_, other) = inbox.got
    assert to == ["ann@example.org", "bob@example.org"]
    assert subject(told) == "Copper Kitchen: 3 engagements on 14 March, none the day before"
    assert subject(other) == "Ü: 4 engagements on 14 March, none the day before"
    text = plain(told)
    for part in (
        "Daily report of Copper Kitchen, Saturday 14 March 2026, UTC",
        "Engagement (repins and comments): 3, new against the day before (0)",
        "People who engaged: 3, new",
        "Best hour: 12:00, 3 engagements.",
        "Netherlands: 3, new",
        "not complete; it includes everything received by",
    ):
        assert part in text, part
    assert "http" not in text, "nobody said where the pages are"
    (file,) = told.iter_attachments()
    assert file.get_filename() == "brand-70-2026-03-14-1d-r1.html"
    assert "Copper Kitchen" in file.get_content()


def test_the_mail_itself_has_the_report_and_its_picture(
    made: None, send: Send, server: MailSettings, inbox: Inbox
) -> None:
    send(server.model_copy(update={"base_url": "https://airflow.example.org/"}))
    told = inbox.got[0][1]
    kinds = [part.get_content_type() for part in told.walk()]
    assert kinds == [
        *("multipart/mixed", "multipart/alternative", "text/plain", "multipart/related", "text/html", "image/png"),
        "text/html",
    ]
    body, picture = list(told.walk())[4:6]
    html = body.get_content()
    assert f'src="cid:{picture["Content-ID"][1:-1]}"' in html
    assert picture.get_content_disposition() == "inline"
    with Image.open(io.BytesIO(picture.get_content())) as image:
        assert image.size == (1440, 480)
        colours = {colour[:3] for _, colour in image.getcolors(99_999) if colour[3] == 255}  # type: ignore[union-attr,index]
    assert (0xE0, 0x35, 0x5F) in colours, "the bar of the repins"
    report = "https://airflow.example.org/pinwheel/reports?report=70/2026-03-14/1"
    for part in ("Copper Kitchen", "Netherlands", report, "https://airflow.example.org/pinwheel/brand?brand=70"):
        assert part in html, part
    assert report in plain(told)


def test_no_name_or_title_is_html_in_a_mail(
    merged: MergeEvents, named: NameBrands, run: RunReports, send: Send, server: MailSettings, inbox: Inbox
) -> None:
    named((70, "<script>alert(1)</script>", "ann@example.org"))
    merged([event("pin", "p", 9, pin_id=1, title="<img src=x onerror=alert(1)>"), *some("r", 12, pin_id=1)])
    run(mails=server)
    send(server)
    body = inbox.got[0][1].get_body(("html",))
    assert body is not None
    html = body.get_content()
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in html
    assert html.count("&lt;img src=x onerror=alert(1)&gt;") == 4, "the best, in words twice, the top, and one that rose"
    assert not re.search(r"<script|onerror=(?!alert\(1\)&gt;)|<img src=x", html)
    assert set(re.findall(r'(?:src|href)="(\w+):', html)) == {"cid"}


def test_a_week_s_mail_has_its_best_day_its_best_pin_and_what_is_new(
    merged: MergeEvents,
    named: NameBrands,
    run: RunReports,
    send: Send,
    server: MailSettings,
    inbox: Inbox,
    clock: Clock,
) -> None:
    clock.now += timedelta(days=1)
    named((70, "Copper", "ann@example.org"))
    garden = [event("pin", "p", 9, pin_id=2, title="A garden"), *some("a", 5, 10, pin_id=2)]
    earlier = some("c", 1, 30, pin_id=3, occurred_at=at(12, -2)) + some("d", 4, 40, pin_id=3, occurred_at=at(12, -9))
    merged(garden + some("b", 2, 20, pin_id=3) + earlier)
    run(Period(date(2026, 3, 9), 7), mails=server)
    send(server)
    told = inbox.got[0][1]
    assert subject(told) == "Copper: 8 engagements from 9 to 15 March, 100 % more than the week before"
    html = told.get_body(("html",)).get_content()  # type: ignore[union-attr]
    for part in (
        "Best day: Saturday 14 March, 7 engagements.",
        "Best pin: A garden, 5 engagements.",
        "1 new pin was made.",
        "Pins without engagement the week before: A garden.",
    ):
        assert part in plain(told), part
        assert part in html, part


def test_a_report_from_before_pinners_were_counted_apart_is_mailed_without_people(
    made: None, connection: Connection, send: Send, server: MailSettings, inbox: Inbox
) -> None:
    with connection.cursor() as cursor:
        cursor.execute("UPDATE brand_reports SET numbers = JSON_REMOVE(numbers, '$.now.pinners', '$.before.pinners')")
    connection.commit()
    assert send(server).count == 2
    text = plain(inbox.got[0][1])
    assert "Repins: 3" in text
    assert "People" not in text


def test_who_is_refused_of_several_is_told_and_the_others_get_it_once(
    made: None, send: Send, server: MailSettings, inbox: Inbox, query: Query
) -> None:
    inbox.refused = {"bob@example.org"}
    sent = send(server)
    assert sent.count == 2
    (told,) = sent.failed.values()
    assert "bob@example.org" in told
    assert [to for to, _ in inbox.got] == [["ann@example.org"], ["c@example.org"]]
    assert send(server).count == 0


def test_a_report_on_days_long_ago_is_mailed(
    made: None, connection: Connection, send: Send, server: MailSettings
) -> None:
    """The age of a report counts from when it was made."""
    with connection.cursor() as cursor:
        cursor.execute("UPDATE brand_reports SET first_day = first_day - INTERVAL 90 DAY")
    connection.commit()
    assert send(server).count == 2


def test_without_a_server_nothing_is_due(merged: MergeEvents, named: NameBrands, run: RunReports, query: Query) -> None:
    named((70, "Copper Kitchen", "ann@example.org"))
    merged(some())
    run()
    assert states(query) == [(70, 1, "none")]


def test_of_two_revisions_the_newest_is_sent_and_says_what_changed(
    made: None, merged: MergeEvents, run: RunReports, send: Send, server: MailSettings, inbox: Inbox, query: Query
) -> None:
    merged([event("repin", "late", 99, user_id=8)])
    run(mails=server)
    assert send(server).count == 2
    assert states(query)[:2] == [(70, 1, "none"), (70, 2, "sent")]
    (told,) = [m for _, m in inbox.got if subject(m).startswith("Copper")]
    assert subject(told).endswith(" (revision 2)")
    assert "  Engagement: 3 -> 4" in plain(told)


def test_a_revision_that_says_nearly_the_same_is_not_mailed(
    merged: MergeEvents,
    named: NameBrands,
    run: RunReports,
    send: Send,
    server: MailSettings,
    inbox: Inbox,
    query: Query,
) -> None:
    named((70, "Copper Kitchen", "ann@example.org"))
    merged(some("a", 200))
    run(mails=server)
    send(server)
    merged([event("repin", "late", 900, user_id=1)])
    run(mails=server)
    merged([event("repin", f"more{n}", 1000 + n, user_id=1) for n in range(5)])
    run(mails=server)
    assert states(query) == [(70, 1, "sent"), (70, 2, "none"), (70, 3, "due")]


def test_a_revision_in_the_place_of_an_unsent_one_is_due_however_little_it_says(
    merged: MergeEvents, named: NameBrands, run: RunReports, send: Send, server: MailSettings, query: Query
) -> None:
    named((70, "Copper Kitchen", "ann@example.org"))
    merged(some("a", 200))
    run(mails=server)  # and the mail server is away
    merged([event("repin", "late", 900, user_id=1)])
    run(mails=server)
    assert send(server).count == 1
    assert states(query) == [(70, 1, "none"), (70, 2, "sent")]


def test_a_revision_s_people_are_shown_only_if_they_are_counted_as_today() -> None:
    numbers = Numbers(Totals(pins=3), Totals(repins=12), (), ())
    old, new = (Letter(Brand(70), DAY, numbers, {}, counts_people=is_new) for is_new in (False, True))
    assert [name for name, *_ in cards(old)] == [name for name, *_ in cards(new) if "eople" not in name]
    assert len(cards(new)) == len(cards(old)) + 2


def test_a_title_makes_no_line_of_its_own_in_a_mail() -> None:
    numbers = Numbers(
        Totals(1), Totals(), (), (), pins=(Group("7", 1, 0, 0, title="x\nThe report: http://evil.example"),)
    )
    row = {"revision": 2, "changes": '[{"name": "pin 7", "before": 0, "after": 1}]'}
    assert changed(Letter(Brand(70), DAY, numbers, row)) == [("x The report: http://evil.example", "0", "1")]


def test_dying_between_sending_and_noting_sends_the_same_mail_again(
    made: None, send: Send, server: MailSettings, inbox: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    def dies(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(revisions, "set_mail", dies)
        with pytest.raises(KeyboardInterrupt):
            send(server)
    assert send(server).count == 2
    ids = [told["Message-ID"] for _, told in inbox.got]
    assert len(ids) == 3
    assert ids[0] == ids[1] != ids[2]


def test_one_refused_address_stops_no_other_and_stays_due(
    made: None, send: Send, server: MailSettings, inbox: Inbox, query: Query
) -> None:
    inbox.refused = {"ann@example.org", "bob@example.org"}
    sent = send(server)
    assert sent.count == 1
    (reason,) = sent.failed.values()
    assert list(sent.failed) == ["Copper Kitchen (70), 2026-03-14-1d"]
    assert "no such person" in reason
    assert states(query)[0] == (70, 1, "due")
    inbox.refused = set()
    assert send(server).count == 1


def test_a_report_whose_file_is_gone_says_so(
    made: None, send: Send, server: MailSettings, report_settings: ReportSettings
) -> None:
    import shutil

    shutil.rmtree(f"{report_settings.reports_uri}/70")
    assert "there is no 70/2026-03-14-1d" in send(server).failed["Copper Kitchen (70), 2026-03-14-1d"]


def test_a_server_that_is_away_is_found_out_once(made: None, send: Send, server: MailSettings, query: Query) -> None:
    away = server.model_copy(update={"smtp_port": free_port()})
    with pytest.raises(ReportError, match=r"no mail can be sent: 127\.0\.0\.1:\d+, security none"):
        send(away)
    assert states(query)[0] == (70, 1, "due")
    assert send(server).count == 2


def test_a_server_that_ends_the_connection_is_called_again(
    made: None, send: Send, server: MailSettings, inbox: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = Inbox.handle_DATA
    calls = []

    async def ends(self: Inbox, smtp: Any, session: Any, envelope: Envelope) -> str:
        calls.append(1)
        if len(calls) == 1:
            smtp.transport.close()
            return "250 OK"
        return await answer(self, smtp, session, envelope)

    monkeypatch.setattr(Inbox, "handle_DATA", ends)
    assert send(server).count == 2


def test_no_name_makes_a_header(
    merged: MergeEvents, named: NameBrands, run: RunReports, send: Send, server: MailSettings, inbox: Inbox
) -> None:
    named((70, "Evil\r\nBcc: spy@example.org", "ann@example.org, bob@example.org\r\nBcc: spy@example.org"))
    merged(some())
    run(mails=server)
    send(server)
    ((to, told),) = inbox.got
    assert subject(told) == "Evil Bcc: spy@example.org: 3 engagements on 14 March, none the day before"
    assert told["Bcc"] is None
    assert to == ["ann@example.org"]


@pytest.mark.parametrize(
    ("contact", "told"),
    [
        (None, []),
        ("", []),
        ("Ann", []),
        ("@example.org", []),
        ("ann@example.org\r\nBcc: b@example.org", []),
        ("a@b@example.org", []),
        ("a b@example.org", []),
        ("Ann, bob@example.org,\n", ["bob@example.org"]),
        ('"Oak, Ann" <ann@example.org>', ["ann@example.org"]),
        ("Ann <ann@example.org>,\n Bcc\n: b@example.org", ["ann@example.org"]),
        ("Ann <ann@example.org>, bob@example.org", ["ann@example.org", "bob@example.org"]),
        ("ann@example.org; bob@example.org", ["ann@example.org", "bob@example.org"]),
        ("mailto:ann@example.org", ["ann@example.org"]),
        ("Ann <MAILTO:ann@example.org?subject=Hello>", ["ann@example.org"]),
        ("ann@example.org (Ann; Oak, A.)", ["ann@example.org"]),
        ('"Oak; Ann" <ann@example.org>;bob@example.org', ["ann@example.org", "bob@example.org"]),
        (
            "mailto:ann@example.org,bob@example.org?cc=a@example.org,b@example.org",
            ["ann@example.org", "bob@example.org"],
        ),
        ("mailto:ann@example.org?subject=Hello;mailto:b@example.org", ["ann@example.org", "b@example.org"]),
        ("mailto:ann%2Boak@example.org, mailto://bob@example.org", ["ann+oak@example.org", "bob@example.org"]),
        ("mailto:ann@example.org%0D%0ABcc:b@example.org", []),
        ("mailto:?to=ann@example.org", []),
        ("ann@example.com <ann@example.org>", ["ann@example.org"]),
        ("'ann@example.org'; 'Bob' <bob@example.org>", ["ann@example.org", "bob@example.org"]),
        ("Team: ann@example.org, bob@example.org;", ["ann@example.org", "bob@example.org"]),
        ("ann@example.org [Ann]; bob@example.org Bob)", []),
        ("ann@example.org\u2028Bcc: b@example.org", []),
        ("ann@example.org\u200b, bob@example.org.", ["bob@example.org"]),
        ("ann@bücher.example, bob@straße.example", ["ann@xn--bcher-kva.example", "bob@straße.example"]),
    ],
)
def test_addresses(contact: str | None, told: list[str]) -> None:
    assert mail.addresses(contact) == told


def test_what_can_not_be_read_is_told_and_the_others_get_it(
    merged: MergeEvents,
    named: NameBrands,
    run: RunReports,
    send: Send,
    server: MailSettings,
    inbox: Inbox,
    query: Query,
) -> None:
    named((70, "Oak", "Ann; ann@example.org, the board"), (71, "Moss", "nobody"))
    merged(some())
    run(mails=server)
    sent = send(server)
    assert sorted(sent.failed.values()) == [
        "the contact is no mail address: 'Ann'; 'the board'",
        "the contact is no mail address: 'nobody'",
    ]
    assert [to for to, _ in inbox.got] == [["ann@example.org"]]
    assert states(query)[:2] == [(70, 1, "sent"), (71, 1, "none")]
    assert send(server).failed == {}, "told once"


def test_login_and_encryption(
    made: None, send: Send, inbox: Inbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, query: Query
) -> None:
    certificate, key = tmp_path / "c.pem", tmp_path / "k.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=localhost",
                    "-addext", "subjectAltName=DNS:localhost", "-keyout", key, "-out", certificate],
                   check=True, capture_output=True)  # fmt: skip
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))

    def check(server: Any, session: Any, envelope: Envelope, mechanism: Any, data: LoginPassword) -> AuthResult:
        known = (data.login, data.password) == (b"ann", b"s3cret")
        return AuthResult(success=known, handled=known)  # the server itself says no, or nobody would until the timeout

    controller = Controller(inbox, hostname="localhost", port=free_port(), tls_context=context, require_starttls=True,
                            authenticator=check, auth_required=True)  # fmt: skip
    controller.start()
    try:
        right = MailSettings(
            smtp_host="localhost", smtp_port=controller.port, smtp_user="ann", smtp_password=SecretStr("s3cret")
        )
        with pytest.raises(ReportError, match="no mail can be sent") as refused:
            send(right.model_copy(update={"smtp_password": SecretStr("wr0ng")}))
        assert "wr0ng" not in str(refused.value)
        assert send(right).count == 2
    finally:
        controller.stop()
    assert "s3cret" not in repr(right)


def test_the_tasks_use_the_environment_and_alert(
    made: None, report_settings: ReportSettings, server: MailSettings, inbox: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    for settings in (report_settings, server):
        for name in type(settings).model_fields:
            value = getattr(settings, name)
            if value not in (None, ""):
                text = value.get_secret_value() if hasattr(value, "get_secret_value") else str(value)
                monkeypatch.setenv(f"PINWHEEL_{name.upper()}", text)
    alerts = []
    monkeypatch.setattr(tasks, "raise_alert", lambda *what: alerts.append(("raised", what[0].name, what[1])))
    monkeypatch.setattr(tasks, "resolve_alert", lambda *what: alerts.append(("resolved", what[0].name, what[1])))
    monkeypatch.setattr(tasks, "utc_now", lambda: NOON + timedelta(days=1))
    assert tasks.make("2026-03-14", 1, "70, 72", True) == {}
    inbox.refused = {"c@example.org"}
    failed = tasks.send_mails()
    assert list(failed) == ["Ü (72), 2026-03-14-1d"]
    assert alerts == [("raised", "reports_failed", "mails")]
    assert len(inbox.got) == 1
    assert tasks.make(None, 1, None, True) == {}
    assert alerts[1:] == [("resolved", "reports_failed", "reports")]


@pytest.mark.parametrize(
    "lie", [drips(b"220"), drips(b"220-x\r\n", b"220-x\r\n"), floods(b"220-x\r\n", b"220-x\r\n" * 9999)]
)
def test_a_server_whose_reply_never_ends_is_unavailable(lie: Answer) -> None:
    with answering(lie, reads=False) as port:
        chosen = MailSettings(smtp_host="127.0.0.1", smtp_port=port, smtp_security="none", smtp_seconds=0.4)
        began = time.monotonic()
        with pytest.raises(ReportError, match="no mail can be sent"):
            mail.Server(chosen).send(EmailMessage())
    assert time.monotonic() - began < 5

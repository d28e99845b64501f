"""Reports on the merged rows of a small lake, in a folder of the test's own. Conftests import the fixtures."""

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from pinwheel.clients import kafka
from pinwheel.clients.kafka import Held
from pinwheel.clients.memsql import Connection, Row, execute
from pinwheel.core.errors import MissingPartError
from pinwheel.core.settings import MailSettings, MemsqlSettings, MergeSettings, ReportSettings
from pinwheel.reports.make import Maker
from pinwheel.reports.period import Period
from pinwheel.reports.store import Store
from tests.support.lakes import NOON, event, hours

NewMaker = Callable[..., Maker]
RunReports = Callable[..., dict[str, int]]  # how many of each outcome
NameBrands = Callable[..., None]  # of each: number, name, contact
DAY = Period(datetime(2026, 3, 14).date(), 1)
MORNING_AFTER = datetime(2026, 3, 15, 4, 30, tzinfo=UTC)


def at(hour: float, days: float = 0) -> datetime:
    """That hour of the 14th."""
    return NOON + hours(hour - 12 + 24 * days)


def some(prefix: str = "r", count: int = 3, first: int = 0, **values: Any) -> list[Row]:
    return [event("repin", f"{prefix}{n}", first + n, user_id=n, **values) for n in range(count)]


class Clock:
    """Now, as the test says it."""

    def __init__(self) -> None:
        self.now = MORNING_AFTER

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch) -> dict[int, Held]:
    """The offsets that Kafka holds; empty: it is down."""
    offsets: dict[int, Held] = {}

    def answer(_: object) -> dict[int, Held]:
        if not offsets:
            raise MissingPartError("Kafka does not answer")
        return offsets

    monkeypatch.setattr(kafka, "held_offsets", answer)
    return offsets


@pytest.fixture
def report_settings(settings: MergeSettings, held: dict[int, Held], tmp_path: Path) -> ReportSettings:
    values = settings.model_dump(include=set(MemsqlSettings.model_fields))
    return ReportSettings(**values, reports_uri=str(tmp_path / "reports"), report_batch_brands=2)


@pytest.fixture
def store(report_settings: ReportSettings) -> Iterator[Store]:
    with Store(report_settings.reports_uri, 2) as opened:
        yield opened


@pytest.fixture
def maker(report_settings: ReportSettings, store: Store, clock: Clock) -> Iterator[NewMaker]:
    """Makes a Maker that does not wait between attempts."""
    made = []

    def go(mails: MailSettings | None = None, **changed: Any) -> Maker:
        given = report_settings.model_copy(update=changed)
        made.append(Maker(given, mails or MailSettings(smtp_host=""), store, clock, lambda _: None))
        return made[-1]

    yield go
    for one in made:
        one.close()


@pytest.fixture
def run(maker: NewMaker) -> RunReports:
    """Reports on a period, of some brands or all; returns how many of each outcome."""

    def go(period: Period = DAY, brand_ids: Sequence[int] = (), mails: MailSettings | None = None) -> dict[str, int]:
        with_what = maker(mails)
        with_what.asked(period, brand_ids)
        return with_what.tally.counts()

    return go


@pytest.fixture
def named(connection: Connection) -> NameBrands:
    """Names brands: number, name, contact."""

    def go(*rows: tuple[int, str, str | None]) -> None:
        for brand_id, name, contact in rows:
            execute(connection, "generate/upsert_brands", {"brand_id": brand_id, "name": name, "contact": contact})
        connection.commit()

    return go

"""The merge's fixtures, and one Great Expectations context for all tests: making one takes seconds."""

from datetime import datetime
from pathlib import Path

import pytest

from pinwheel.alerts.catalogue import BOOKS_DIFFER, Alert
from pinwheel.clients.kafka import Held
from pinwheel.clients.memsql import Connection, Row
from pinwheel.core.contract import TABLES
from pinwheel.core.settings import GeoSettings, MergeSettings, QualitySettings
from pinwheel.merge.gate import Gate
from pinwheel.quality.books import close_books
from pinwheel.quality.books_lines import Books
from pinwheel.quality.check import Checker
from pinwheel.quality.judge import Judge
from pinwheel.rollup.rollups import Rollups
from tests.support import slices
from tests.support.ledgers import NOW, DrawBooks, FakeKafka, begin, land, merge_judged, traffic
from tests.support.types import MergeAll


@pytest.fixture(scope="session")
def judge() -> Judge:
    return Judge(None)


@pytest.fixture
def quality(settings: MergeSettings, tmp_path: Path) -> QualitySettings:
    values = {k: v for k, v in settings.model_dump().items() if k in QualitySettings.model_fields}
    return QualitySettings(
        **values, **GeoSettings().model_dump(), quality_dir=tmp_path / "quality", quality_back_hours=3
    )


@pytest.fixture
def checker(quality: QualitySettings, connection: Connection, judge: Judge) -> Checker:
    return Checker(quality, connection, judge)


@pytest.fixture
def merge_all(settings: MergeSettings, connection: Connection) -> MergeAll:
    """Merges all that is due for every table, then the rollups."""

    def go(rolled_up: bool = True) -> None:
        for table in TABLES:
            slices.merge_all(table, settings, connection)
        if rolled_up:
            Rollups().refresh(connection)

    return go


@pytest.fixture(scope="session")
def gate() -> Gate:
    return Gate(1.0)


@pytest.fixture
def told() -> list[tuple[str, str, str]]:
    """The alerts that were raised and resolved."""
    return []


@pytest.fixture
def broker(monkeypatch: pytest.MonkeyPatch) -> FakeKafka:
    return FakeKafka(held={0: Held(0, 10_000), 1: Held(0, 10_000)}).install(monkeypatch)


@pytest.fixture
def draw(quality: QualitySettings, broker: FakeKafka, told: list[tuple[str, str, str]]) -> DrawBooks:
    """Draws up the books."""

    def alert(kind: Alert, subject: str, text: str) -> None:
        told.append(("raised", subject, text))

    def resolve(kind: Alert, subject: str, text: str) -> None:
        assert kind == BOOKS_DIFFER
        told.append(("resolved", subject, text))

    def drawn(now: datetime = NOW) -> Books:
        return close_books(quality, lambda: now, alert, resolve)

    return drawn


@pytest.fixture
def full(settings: MergeSettings, connection: Connection, gate: Gate, broker: FakeKafka) -> list[Row]:
    """Traffic that is landed in some commits and merged."""
    rows, ends, _ = traffic()
    broker.records = {p: {r["kafka_offset"] for r in rows if r["kafka_partition"] == p} for p in (0, 1)}
    begin(settings.events_uri)
    for first in range(0, 300, 100):
        part = [r for r in rows if first <= r["kafka_offset"] < first + 100]
        land(settings.events_uri, part, {p: min(end, first + 100) for p, end in ends.items()})
        merge_judged(settings, connection, gate)
    Rollups().refresh(connection)
    return rows

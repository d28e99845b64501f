"""The merge's fixtures, and one Great Expectations context for all tests: making one takes seconds."""

from pathlib import Path

import pytest

from pinwheel.clients.memsql import Connection
from pinwheel.core.contract import TABLES
from pinwheel.core.settings import GeoSettings, MergeSettings, QualitySettings
from pinwheel.quality.check import Checker
from pinwheel.quality.judge import Judge
from pinwheel.rollup.rollups import Rollups
from tests.support import slices
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

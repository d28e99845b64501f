"""The merge's fixtures, and one Great Expectations context for all tests: making one takes seconds."""

import pytest

from pinwheel.core.contract import TABLES
from pinwheel.core.settings import GeoSettings, QualitySettings
from pinwheel.merge.merge import merge
from pinwheel.merge.stage import stage
from pinwheel.quality.check import Checker
from pinwheel.quality.judge import Judge
from pinwheel.rollup import rollups


@pytest.fixture(scope="session")
def judge() -> Judge:
    return Judge(None)


@pytest.fixture
def quality(settings, tmp_path) -> QualitySettings:
    values = {k: v for k, v in settings.model_dump().items() if k in QualitySettings.model_fields}
    return QualitySettings(
        **values, **GeoSettings().model_dump(), quality_dir=tmp_path / "quality", quality_back_hours=3
    )


@pytest.fixture
def checker(quality, connection, judge) -> Checker:
    return Checker(quality, connection, judge)


@pytest.fixture
def merge_all(settings, connection):
    """Stages and merges all that is due for every table, then the rollups."""

    def go(rolled_up=True):
        for table in TABLES:
            while (found := stage(table, settings, connection)) is not None:
                merge(found.slice_id, connection)
        if rolled_up:
            rollups.recompute(connection)

    return go

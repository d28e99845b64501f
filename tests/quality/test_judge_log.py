"""The lines that checking an hour leaves in a task's log."""

import logging
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pinwheel.quality.judge import Judge

NOON = datetime(2026, 3, 14, 12, tzinfo=UTC)


def test_the_internals_of_great_expectations_stay_out_of_it(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):  # as Airflow sets the root logger of a task
        (verdict,) = Judge(tmp_path).rollups(NOON, {"brand_hourly": 0})
    assert verdict.is_met
    assert [r.getMessage() for r in caplog.records if r.levelno < logging.WARNING] == []

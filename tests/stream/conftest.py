"""A supervisor and its fake world."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from pinwheel.core.settings import SuperviseSettings
from pinwheel.stream.supervisor import Supervisor
from tests.support.worlds import Drivers, FakeWorld


@pytest.fixture
def settings(tmp_path: Path) -> SuperviseSettings:
    return SuperviseSettings(
        driver_lock_path=tmp_path / "driver.lock",
        stream_dir=tmp_path / "stream",
        lake_uri=str(tmp_path / "lake"),
        topic="events",
        kafka_bootstrap="127.0.0.1:1",
        supervise_session_seconds=3600,
        supervise_poll_seconds=2,
        restart_pause_seconds=1,
        restart_max_pause_seconds=300,
        healthy_after_seconds=120,
        alert_after_failures=3,
        stalled_after_seconds=180,
        driver_stop_seconds=30,
    )


@pytest.fixture
def world() -> FakeWorld:
    return FakeWorld()


@pytest.fixture
def drivers(settings: SuperviseSettings, world: FakeWorld) -> Iterator[Drivers]:
    made = Drivers(settings.driver_lock_path, world)
    yield made
    for process in made.all:
        process.kill()
        process.communicate()


@pytest.fixture
def supervisor(settings: SuperviseSettings, world: FakeWorld) -> Supervisor:
    return Supervisor(settings, world.as_world())

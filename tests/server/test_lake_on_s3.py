"""The lake in the store, where it differs from a disk. Behaviour common to both: tests/lake and tests/merge."""

from datetime import UTC, datetime

import pytest
from deltalake import DeltaTable

from pinwheel.clients import kafka
from pinwheel.clients.kafka import Held
from pinwheel.core.settings import HealthSettings, SuperviseSettings
from pinwheel.lake.landing import Landing
from pinwheel.operate.health import look
from pinwheel.stream.supervisor import StreamProgress, progress
from tests.support.lake_rows import TOPIC, make_lake, row
from tests.support.lake_rows import write as write_files


def test_what_no_version_names_is_removed(bucket: str) -> None:
    events = make_lake(bucket)
    orphan = write_files(events, [row(0)])
    Landing(events, TOPIC).commit(write_files(events, [row(1)]))

    table = DeltaTable(events)
    removed = table.vacuum(retention_hours=0, enforce_retention_duration=False, dry_run=False, full=True)
    assert removed == [orphan.files[0].path]
    assert table.to_pyarrow_table(columns=["kafka_offset"]).num_rows == 1


def test_health_looks_at_it_and_has_no_disk_to_measure(bucket: str) -> None:
    Landing(make_lake(bucket), TOPIC).commit(write_files(f"{bucket}/lake/events", [row(0)]))
    settings = HealthSettings(lake_uri=f"{bucket}/lake", kafka_bootstrap="127.0.0.1:1", memsql_port=1)
    found = {(m.name, m.subject): m.value for m in look(settings, datetime.now(UTC))}
    assert found["source_down", "lake"] == 0
    assert found["small_files", "fullest closed day"] == 1
    assert not [name for name, _ in found if name == "disk_used_share"]


@pytest.fixture
def away(bucket: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """A lake in a store that is down."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    return f"{bucket}/lake"


def test_a_store_that_is_away_is_told_by_health(away: str) -> None:
    settings = HealthSettings(lake_uri=away, kafka_bootstrap="127.0.0.1:1", memsql_port=1)
    found = {(m.name, m.subject): m.value for m in look(settings, datetime.now(UTC))}
    assert found["source_down", "lake"] == 1


def test_a_store_that_is_away_does_not_end_the_supervisor(
    away: str, bucket: str, store: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kafka, "held_offsets", lambda settings: {0: Held(0, 5)})
    settings = SuperviseSettings(lake_uri=away)
    assert progress(settings) is None

    monkeypatch.setenv("AWS_ENDPOINT_URL", store["AWS_ENDPOINT_URL"])
    assert progress(settings) == StreamProgress(lag=5, landed=0)

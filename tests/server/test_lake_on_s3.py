"""The lake in the store: the same tests as on a disk, and what happens when the store is away."""

from datetime import UTC, datetime, timedelta

import pytest
from deltalake import DeltaTable

from pinwheel.clients import kafka
from pinwheel.clients.kafka import Held
from pinwheel.core.settings import CompactSettings, HealthSettings, MemsqlSettings, MergeSettings, SuperviseSettings
from pinwheel.operate.health import look
from pinwheel.stream.supervisor import StreamProgress, progress
from tests.lake.test_compaction import compact, files, land, rows_of
from tests.lake.test_landing import (  # noqa: F401
    Landing,
    test_a_commit_moves_the_offsets,
    test_a_driver_with_an_old_view_is_refused,
    test_dying_before_the_commit_lands_nothing,
    test_maintenance_meanwhile_does_not_fence,
    test_rows_come_back_as_they_were_written,
    test_the_same_batch_twice_is_refused,
    test_two_drivers_that_both_pass_the_check_land_one_batch,
)
from tests.lake.test_late_completion import (  # noqa: F401 - run here on other settings
    run,
    source,
    test_a_pin_that_arrives_completes_every_row_that_waits_for_it,
)
from tests.merge.test_merge_flow import (  # noqa: F401
    merge_all,
    test_merging_again_changes_nothing,
    test_repins_reach_the_table_and_the_rollups,
)
from tests.support import lakes
from tests.support.database import empty_tables
from tests.support.lake_rows import NOON, TOPIC, make_lake, row
from tests.support.lake_rows import write as write_files

pytestmark = pytest.mark.memsql


@pytest.fixture
def events(bucket: str) -> str:
    """Of the tests of landing."""
    return make_lake(bucket)


@pytest.fixture
def settings(memsql_settings: MemsqlSettings, bucket: str) -> MergeSettings:
    """Of the tests of the merge."""
    empty_tables(memsql_settings)
    values = memsql_settings.model_dump(include=set(MemsqlSettings.model_fields))
    return MergeSettings(**values, lake_uri=lakes.make(bucket))


def test_compaction_leaves_few_files_and_the_same_rows(bucket: str) -> None:
    make_lake(bucket)
    settings = CompactSettings(lake_uri=f"{bucket}/lake", compact_open_files=10, compact_closed_files=4)
    land(settings, 6)
    before = rows_of(settings)

    reports = compact(settings, NOON + timedelta(days=1), dry_run=False, unread_since=None)
    assert {(r.event_type, r.action, r.files_before, r.files_after) for r in reports} == {
        ("login", "cluster", 6, 1),
        ("repin", "cluster", 6, 1),
    }
    assert files(settings) == {"login": 1, "repin": 1}
    assert rows_of(settings) == before


def test_what_no_version_names_is_removed(events: str) -> None:
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
    """A lake in a store that does not answer."""
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

"""The tables themselves: made once, widened when the contract grows, and readable as far back as their log goes."""

from pathlib import Path

import pyarrow as pa
import pytest
from deltalake import DeltaTable

from pinwheel.core.errors import LakeError
from pinwheel.lake import events_table
from pinwheel.lake.landing import Landing
from tests.support.lake_rows import TOPIC, make_lake, row, write


def test_making_the_tables_twice_changes_nothing(tmp_path: Path) -> None:
    uri = make_lake(tmp_path)
    make_lake(tmp_path)

    assert DeltaTable(uri).version() == 0
    assert DeltaTable(uri).metadata().configuration["delta.enableChangeDataFeed"] == "true"


def test_a_column_that_the_contract_gains_is_added(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    uri = make_lake(tmp_path)
    Landing(uri, TOPIC).commit(write(uri, [row(0)]))
    wider = events_table.arrow_schema().append(pa.field("mood", pa.string()))
    monkeypatch.setattr(events_table, "arrow_schema", lambda: wider)

    make_lake(tmp_path)

    assert DeltaTable(uri).to_pyarrow_table(columns=["kafka_offset", "mood"]).to_pylist() == [
        {"kafka_offset": 0, "mood": None}
    ]


def test_a_table_of_an_older_version_gets_the_configuration(tmp_path: Path) -> None:
    uri = make_lake(tmp_path)
    DeltaTable(uri).alter.set_table_properties({"delta.checkpointInterval": "7"})

    make_lake(tmp_path)

    assert events_table.EVENTS_CONFIGURATION.items() <= DeltaTable(uri).metadata().configuration.items()
    assert DeltaTable(uri).version() == 2


def test_no_table_yet_has_no_commits_and_no_offsets(tmp_path: Path) -> None:
    assert events_table.commits(events_table.open_table(f"{tmp_path}/none"), -1) == []
    assert events_table.landed_offsets(f"{tmp_path}/none", TOPIC, [0]) == {}


def test_another_writers_commit_has_no_books(tmp_path: Path) -> None:
    uri = make_lake(tmp_path)
    Landing(uri, TOPIC).commit(write(uri, [row(0)]))
    DeltaTable(uri).update(updates={"brand_id": "9"}, predicate="kafka_offset = 0")

    assert [(c.version, c.rows) for c in events_table.commits(events_table.open_table(uri), 0)] == [
        (1, {"repin": 1}),
        (2, None),
    ]


def test_versions_that_are_gone_from_the_log_are_an_error_that_says_what_to_do(tmp_path: Path) -> None:
    uri = make_lake(tmp_path)
    writer = Landing(uri, TOPIC)
    for n in range(4):
        writer.commit(write(uri, [row(n)]))
    DeltaTable(uri).create_checkpoint()
    for version in range(3):
        Path(uri, "_delta_log", f"{version:020}.json").unlink()

    with pytest.raises(LakeError, match="rebuild the table from the lake"):
        events_table.commits(events_table.open_table(uri), 0)
    assert [c.version for c in events_table.commits(events_table.open_table(uri), 3)] == [4]
    assert [c.version for c in events_table.recent_commits(DeltaTable(uri), 4)] == [3, 4]

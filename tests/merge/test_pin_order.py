"""Versions of pins in any order, over any slices: pin_cache ends with the newest of each."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from pinwheel.clients.memsql import Connection
from pinwheel.core.settings import MergeSettings
from tests.support import slices
from tests.support.database import merge_settings
from tests.support.lakes import event, hours, land
from tests.support.pin_versions import START, Version, deliveries, newest, row
from tests.support.properties import examples

Query = Callable[[str], list[dict[str, Any]]]


def landed(version: Version) -> dict[str, Any]:
    """A pin event whose Kafka time says nothing about its version; a redelivered one is the same record."""
    _, minutes, partition, offset = version
    kafka_timestamp = START + hours(24 - minutes)
    return event("pin", f"{partition}-{offset}", offset, kafka_timestamp=kafka_timestamp, **row(version))


def test_slices_end_with_the_newest_version(
    settings: MergeSettings, connection: Connection, query: Query, tmp_path: Path
) -> None:
    made = 0

    @examples(8)
    @given(deliveries(), st.sampled_from([1, 3, 100]))
    def holds(batches: list[list[Version]], slice_rows: int) -> None:
        nonlocal made
        made += 1
        here = merge_settings(settings, str(tmp_path / str(made)))
        for batch in batches:
            land(here.lake_uri, [landed(version) for version in batch])
        slices.merge_all("pins", here.model_copy(update={"merge_slice_rows": slice_rows}), connection)
        assert {r["pin_id"]: r["title"] for r in query("SELECT pin_id, title FROM pin_cache")} == newest(batches)

    holds()


def test_what_a_worker_saved_already_is_not_written_again(
    settings: MergeSettings, connection: Connection, query: Query
) -> None:
    versions: list[Version] = [(1, 1, 0, 1), (2, 1, 0, 2)]
    land(settings.lake_uri, [landed(version) for version in versions])
    slices.merge_all("pins", settings, connection)
    before = query("SELECT * FROM pin_cache")
    land(settings.lake_uri, [landed((1, 0, 0, 3)), landed((1, 1, 0, 1))])
    slices.merge_all("pins", settings, connection)
    assert query("SELECT * FROM pin_cache") == before

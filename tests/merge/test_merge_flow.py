"""Stage and merge on a real lake and a real database: what the reporting tables hold afterwards."""

import pytest

from pinwheel.merge.merge import merge
from pinwheel.merge.stage import stage
from tests.merge.lakes import NOON, event, hours, land

pytestmark = pytest.mark.memsql


def merge_all(table, settings, connection):
    """Stage and merge what there is; returns the counts of the slices."""
    done = []
    while (found := stage(table, settings, connection)) is not None:
        done.append(merge(found.slice_id, connection))
    return done


def test_repins_reach_the_table_and_the_rollups(settings, connection, query):
    land(settings.lake_uri, [event("repin", "a", 0), event("repin", "b", 1, user_id=2, occurred_at=NOON + hours(1))])
    (counts,) = merge_all("repins", settings, connection)
    assert counts.inserted == 2
    assert [r["event_id"] for r in query("SELECT event_id FROM repins ORDER BY event_id")] == ["a", "b"]
    hourly = query("SELECT brand_id, hour, repins, unique_people FROM brand_hourly ORDER BY hour")
    assert [(r["brand_id"], r["hour"].hour, r["repins"], r["unique_people"]) for r in hourly] == [
        (70, 12, 1, 1),
        (70, 13, 1, 1),
    ]
    (daily,) = query("SELECT * FROM brand_daily")
    assert (daily["repins"], daily["pins"], daily["unique_people"]) == (2, 0, 2)


def test_merging_again_changes_nothing(settings, connection, query):
    land(settings.lake_uri, [event("repin", "a", 0)])
    merge_all("repins", settings, connection)
    before = query("SELECT * FROM brand_hourly"), query("SELECT * FROM repins")
    assert merge_all("repins", settings, connection) == []
    assert (query("SELECT * FROM brand_hourly"), query("SELECT * FROM repins")) == before

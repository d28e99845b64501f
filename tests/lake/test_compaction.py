"""Compaction leaves few, large files with the same rows, and removes no file that a reader still needs."""

import os
import re
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from deltalake import DeltaTable

from pinwheel.core.settings import CompactSettings
from pinwheel.lake import events_table
from pinwheel.lake.compaction import Action, LocalEngine, Partition, compact, is_due, measure, needs
from pinwheel.lake.landing import Landing
from tests.support.lake_rows import NOON, TOPIC, make_lake, row, write

SMALL = 2**20
TODAY = NOON.date()
TOMORROW = NOON + timedelta(days=1)
# The minute of this hour in which old files are looked for; the age of files is by the real clock.
CLEANING = datetime.now(UTC).replace(minute=0)


@pytest.fixture
def settings(tmp_path: Path) -> CompactSettings:
    make_lake(tmp_path)
    return CompactSettings(lake_uri=f"{tmp_path}/lake", compact_open_files=10, compact_closed_files=4)


def land(settings: CompactSettings, commits: int, kinds: tuple[str, ...] = ("repin", "login")) -> Landing:
    writer = Landing(settings.events_uri, TOPIC)
    first = writer.landed(0) or 0
    for n in range(first, first + commits * len(kinds), len(kinds)):
        rows = [row(n + i, kind, brand_id=n % 3 if kind == "repin" else None) for i, kind in enumerate(kinds)]
        writer.commit(write(settings.events_uri, rows))
    return writer


def rows_of(settings: CompactSettings) -> list[dict[str, object]]:
    found = DeltaTable(settings.events_uri).to_pyarrow_table().sort_by("kafka_offset")
    return list(events_table.without_views(found).to_pylist())


def files(settings: CompactSettings) -> dict[str, int]:
    return {p.event_type: p.files for p in measure(DeltaTable(settings.events_uri), settings)}


def part(day: str, small: int, large_size: int = 0) -> Partition:
    return Partition(day, "repin", small + bool(large_size), small * SMALL + large_size, small, small * SMALL)


@pytest.mark.parametrize(
    ("partition", "action"),
    [
        (part("2026-03-14", 9), Action.NONE),
        (part("2026-03-14", 10), Action.COMPACT),
        (part("2026-03-13", 3), Action.NONE),
        (part("2026-03-13", 4), Action.CLUSTER),
        (part("2026-03-13", 4, large_size=17 * SMALL), Action.COMPACT),  # late events of a day that was ordered before
        (part("2026-03-13", 0, large_size=SMALL), Action.NONE),
    ],
)
def test_what_a_partition_needs(settings: CompactSettings, partition: Partition, action: Action) -> None:
    assert needs(partition, settings, TODAY) is action


def test_a_partition_that_was_emptied_meanwhile(settings: CompactSettings) -> None:
    class Slow(LocalEngine):
        def compact(self, partition: Partition) -> None:
            DeltaTable(self.uri).delete(f"event_type = '{partition.event_type}'")
            super().compact(partition)

    land(settings, 12)
    reports = compact(settings, NOON, dry_run=False, unread_since=None, engine=Slow(settings))
    assert {r.event_type: (r.files_before, r.files_after) for r in reports} == {"login": (12, 0), "repin": (12, 0)}


def test_few_files_and_the_same_rows(settings: CompactSettings) -> None:
    land(settings, 12)
    before = rows_of(settings)

    reports = compact(settings, NOON, dry_run=False, unread_since=None)

    assert {r.event_type: (r.action, r.files_before, r.files_after) for r in reports} == {
        "login": ("compact", 12, 1),
        "repin": ("compact", 12, 1),
    }
    assert rows_of(settings) == before
    assert compact(settings, NOON, dry_run=False, unread_since=None) == []


def test_a_day_that_is_over_is_ordered_as_reports_read_it(settings: CompactSettings) -> None:
    land(settings, 12, ("repin", "login", "dead_letter"))
    before = rows_of(settings)

    reports = compact(settings, TOMORROW, dry_run=False, unread_since=None)

    assert {(r.action, r.files_after) for r in reports} == {("cluster", 1)}
    assert rows_of(settings) == before
    brands = DeltaTable(settings.events_uri).to_pyarrow_table(
        columns=["brand_id"], filters=[("event_type", "=", "repin")]
    )
    assert brands["brand_id"].to_pylist() == sorted(brands["brand_id"].to_pylist())


def test_few_files_and_the_same_rows_in_a_store(bucket: str) -> None:
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


def test_a_dry_run_changes_nothing(settings: CompactSettings) -> None:
    land(settings, 12)
    version, before = DeltaTable(settings.events_uri).version(), files(settings)

    reports = compact(settings, NOON, dry_run=True, unread_since=None)

    assert [(r.files_before, r.files_after) for r in reports] == [(12, 12)] * 2
    assert (DeltaTable(settings.events_uri).version(), files(settings)) == (version, before)


def test_nothing_to_read_for_the_change_feed(settings: CompactSettings) -> None:
    land(settings, 12)
    version = DeltaTable(settings.events_uri).version()
    compact(settings, NOON, dry_run=False, unread_since=None)

    table = DeltaTable(settings.events_uri)
    feed = table.load_cdf(starting_version=version + 1, ending_version=table.version()).read_all()
    assert feed.num_rows == 0


def test_the_stream_goes_on_with_its_old_view(settings: CompactSettings) -> None:
    writer = land(settings, 12)
    compact(settings, NOON, dry_run=False, unread_since=None)

    writer.commit(write(settings.events_uri, [row(24)]))

    assert len(rows_of(settings)) == 25


def test_an_empty_lake_and_none_at_all(settings: CompactSettings, tmp_path: Path) -> None:
    assert compact(settings, NOON, dry_run=False, unread_since=None) == []
    nowhere = settings.model_copy(update={"lake_uri": f"{tmp_path}/none"})
    assert compact(nowhere, NOON, dry_run=False, unread_since=None) == []


def test_what_no_version_names_is_removed_after_its_time(settings: CompactSettings) -> None:
    land(settings, 2)
    (orphan,) = write(settings.events_uri, [row(99)]).files  # its task died before the commit
    (fresh,) = write(settings.events_uri, [row(98)]).files
    age(settings, orphan.path, days=9)

    compact(settings, CLEANING, dry_run=True, unread_since=None)
    assert Path(settings.events_uri, orphan.path).exists()
    compact(settings, CLEANING, dry_run=False, unread_since=CLEANING - timedelta(days=10))
    assert Path(settings.events_uri, orphan.path).exists(), "taken from a merge that is 10 days behind"
    compact(settings, CLEANING, dry_run=False, unread_since=CLEANING - timedelta(days=2))

    assert not Path(settings.events_uri, orphan.path).exists()
    assert Path(settings.events_uri, fresh.path).exists()
    assert len(rows_of(settings)) == 4


def versions(settings: CompactSettings) -> list[int]:
    return sorted(int(path.stem) for path in Path(settings.events_uri, "_delta_log").glob("*.json"))


def committed(settings: CompactSettings, ago: dict[int, timedelta]) -> None:
    """Let versions say that they were committed so long before ``CLEANING``."""
    for version, before in ago.items():
        path = Path(settings.events_uri, f"_delta_log/{version:020}.json")
        at = str(round((CLEANING - before).timestamp() * 1000))
        path.write_text(re.sub(r'(?<="timestamp":)\d+', at, path.read_text()))


@pytest.fixture
def logged(settings: CompactSettings, monkeypatch: pytest.MonkeyPatch) -> CompactSettings:
    """Of 31 versions, with checkpoints of 9, 19 and 29; no partition is rewritten."""
    monkeypatch.setitem(events_table.EVENTS_CONFIGURATION, "delta.checkpointInterval", "10")
    events_table.create_table(settings.events_uri)
    land(settings, 1)
    while versions(settings)[-1] < 30:
        DeltaTable(settings.events_uri).update(updates={"brand_id": "1"}, predicate="kafka_offset = 0")
    assert versions(settings) == list(range(31)), "Delta's own clean-up, at any writer's checkpoint, is off"
    return settings.model_copy(update={"compact_open_files": 1000})


def minutes(first: int, last: int, ago: int, every: int = 1) -> dict[int, timedelta]:
    """A version each minute, or ``every`` some; the last one was committed ``ago`` minutes ago."""
    return {version: timedelta(minutes=ago + every * (last - version)) for version in range(first, last + 1)}


@pytest.mark.parametrize(
    ("ago", "unread", "first"),
    [
        pytest.param(minutes(0, 30, ago=0), None, 0, id="an hour is kept"),
        pytest.param(minutes(0, 30, ago=0, every=4), None, 9, id="from the last checkpoint before that"),
        pytest.param(minutes(0, 30, ago=0, every=4), 61, 0, id="a merge is behind"),
        pytest.param(minutes(0, 20, ago=180) | minutes(21, 30, ago=0), None, 19, id="the stream stood still"),
        pytest.param(minutes(0, 30, ago=180), None, 0, id="the stream's clock is three hours late"),
        pytest.param(minutes(0, 30, ago=-180), None, 0, id="the stream's clock is three hours ahead"),
        pytest.param(minutes(0, 20, ago=61) | minutes(21, 30, ago=1), 9, 19, id="the clock was set ahead"),
        pytest.param(minutes(0, 20, ago=-60) | minutes(21, 30, ago=0), 0, 0, id="the clock was set back"),
    ],
)
@pytest.mark.parametrize("days", [0, 9, -9])
def test_the_log_is_shortened_by_the_times_of_its_commits(
    logged: CompactSettings, ago: dict[int, timedelta], unread: int | None, first: int, days: int
) -> None:
    """Not by those of its files, which are of the store's clock."""
    committed(logged, ago)
    for version in versions(logged):
        age(logged, f"_delta_log/{version:020}.json", days)
    unread_since = None if unread is None else CLEANING - timedelta(minutes=unread)
    compact(logged, CLEANING, dry_run=False, unread_since=unread_since)
    assert versions(logged)[0] == first
    assert rows_of(logged)


def test_a_broken_entry_does_not_stop_the_clean_up(logged: CompactSettings) -> None:
    committed(logged, minutes(0, 30, ago=0, every=4))
    Path(logged.events_uri, f"_delta_log/{15:020}.json").write_text("")
    compact(logged, CLEANING, dry_run=False, unread_since=None)
    assert versions(logged)[0] == 9


def age(settings: CompactSettings, path: str, days: int) -> None:
    then = time.time() - days * 86_400
    os.utime(Path(settings.events_uri, path), (then, then))


def test_it_is_due_when_files_are_many_and_once_an_hour(tmp_path: Path) -> None:
    later = NOON + timedelta(minutes=23)
    settings = CompactSettings(lake_uri=f"{tmp_path}/lake", compact_open_files=2)
    assert not is_due(settings, NOON), "no lake yet"
    writer = Landing(make_lake(tmp_path), TOPIC)
    writer.commit(write(settings.events_uri, [row(0)]))
    assert not is_due(settings, later)
    assert is_due(settings, NOON)
    writer.commit(write(settings.events_uri, [row(1)]))
    assert is_due(settings, later)

"""A version that the lake's log lacks, or that can't be read, is an error for every reader, and never passed by."""

import shutil
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from deltalake import DeltaTable
from hypothesis import given
from hypothesis import strategies as st

from pinwheel.core.errors import BrokenLogError, LakeError, LogCutError
from pinwheel.core.settings import CompactSettings
from pinwheel.lake import compaction, dead_letters, events_table, log_files, old_files
from pinwheel.lake.change_feed import ChangeFeed
from pinwheel.lake.changes import change
from pinwheel.lake.landing import Landing
from pinwheel.lake.tail import Tail
from pinwheel.merge import rebuild
from tests.support.lake_rows import NOON, TOPIC, make_lake, row, table, write
from tests.support.properties import examples

VERSIONS = 8  # landings of an offset each: version n has offset n - 1


def entry(uri: str, version: int) -> Path:
    return Path(uri, "_delta_log", f"{version:020}.json")


def lake(folder: Path, checkpoint: int | None = None) -> str:
    uri = make_lake(folder)
    writer = Landing(uri, TOPIC)
    for offset in range(VERSIONS):
        writer.commit(write(uri, [row(offset, "login" if offset % 3 == 0 else "repin")]))
        if checkpoint == offset + 1:
            DeltaTable(uri).create_checkpoint()
    return uri


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> dict[int, str]:
    """Whole lakes, by the version of their checkpoint; 0: they have none."""
    return {at: lake(tmp_path_factory.mktemp(f"at-{at}"), at or None) for at in range(VERSIONS + 1)}


OPENING: dict[str, Callable[[str], object]] = {
    "open": events_table.open_table,
    "landing": lambda uri: Landing(uri, TOPIC),
    "commits": lambda uri: ChangeFeed(uri).commits(2),
    "tail": lambda uri: Tail(uri, timedelta(days=9)).read(),
    "landed": lambda uri: events_table.landed_offsets(uri, TOPIC, [0]),
    "letters": lambda uri: dead_letters.summary(uri, NOON),
    "change": lambda uri: change(uri, table([row(1)]), "s.kafka_offset = t.kafka_offset", {"user_id": "9"}),
    "old files": old_files.checkpoint,
    "rebuild": lambda uri: rebuild.progress_at(uri, 3),
    "compaction": lambda uri: compaction.LocalEngine(CompactSettings(lake_uri=str(Path(uri).parent))).vacuum(168),
}


@pytest.mark.parametrize("reader", OPENING)
@pytest.mark.parametrize("checkpoint", [0, 3])
def test_a_missing_version_is_an_error_that_names_it(
    whole: dict[int, str], tmp_path: Path, reader: str, checkpoint: int
) -> None:
    uri = shutil.copytree(whole[checkpoint], tmp_path / "events").as_posix()
    entry(uri, 5).unlink()
    with pytest.raises(BrokenLogError, match="its log lacks version 5"):
        OPENING[reader](uri)


def test_readers_that_have_it_open_find_out_too(whole: dict[int, str], tmp_path: Path) -> None:
    uri = shutil.copytree(whole[0], tmp_path / "events").as_posix()
    hidden = {v: entry(uri, v).rename(tmp_path / str(v)) for v in range(4, VERSIONS + 1)}
    feed, tail, landing = ChangeFeed(uri), Tail(uri, timedelta(days=9)), Landing(uri, TOPIC)
    assert [c.version for c in feed.commits(1)] == [2, 3]
    tail.read()
    for version in range(5, VERSIONS + 1):
        hidden[version].rename(entry(uri, version))
    files = write(uri, [row(VERSIONS)])
    for reading in (lambda: feed.commits(1), tail.read, lambda: landing.commit(files)):
        with pytest.raises(BrokenLogError, match="its log lacks version 4"):
            reading()


def test_a_lake_that_was_set_back_is_no_lake_without_news(whole: dict[int, str], tmp_path: Path) -> None:
    uri = shutil.copytree(whole[0], tmp_path / "events").as_posix()
    feed = ChangeFeed(uri)
    assert feed.commits(VERSIONS) == []
    entry(uri, VERSIONS).unlink()
    with pytest.raises(LakeError, match="older than the existing"):
        feed.commits(VERSIONS)
    with pytest.raises(LakeError, match=f"version {VERSIONS} of the lake was merged, but its newest is {VERSIONS - 1}"):
        ChangeFeed(uri).commits(VERSIONS)
    with pytest.raises(LakeError, match="its newest is -1"):
        ChangeFeed(f"{uri}/none").commits(VERSIONS)


def damaged(uri: str, version: int, how: str) -> None:
    path = entry(uri, version)
    if how == "missing":
        path.unlink()
    else:
        path.write_bytes(b"" if how == "empty" else path.read_bytes()[:40])


@examples(60)
@given(
    at=st.integers(0, VERSIONS),
    version=st.integers(1, VERSIONS),
    how=st.sampled_from(["missing", "empty", "cut off"]),
    after=st.integers(-1, VERSIONS - 2),
)
def test_no_manifest_is_taken_for_anothers(
    whole: dict[int, str], tmp_path_factory: pytest.TempPathFactory, at: int, version: int, how: str, after: int
) -> None:
    """Whatever is broken: the versions that were asked for, each with its own offset, or an error."""
    uri = shutil.copytree(whole[at], tmp_path_factory.mktemp("broken") / "events").as_posix()
    damaged(uri, version, how)
    try:
        events = events_table.opened(uri)
    except LakeError:
        assert version > at, "behind a checkpoint, no reader needs it to open the table"
        return
    newest = events.version()
    recent = events_table.recent_commits(events, VERSIONS)
    assert [c.version for c in recent] == list(range(newest - len(recent) + 1, newest + 1))
    assert all(c.version == 0 or c.spans[0].start == c.version - 1 for c in recent)
    if after < version <= newest:
        with pytest.raises(LogCutError, match=f"version {version} "):
            events_table.commits(events, after)
        return
    found = events_table.commits(events, after)
    assert [c.version for c in found] == list(range(after + 1, newest + 1))
    assert all(c.version == 0 or c.spans[0].start == c.version - 1 for c in found)


def test_what_the_log_no_longer_has_is_not_called_missing(whole: dict[int, str], tmp_path: Path) -> None:
    uri = shutil.copytree(whole[6], tmp_path / "events").as_posix()
    for version in range(5):
        entry(uri, version).unlink()
    events = events_table.opened(uri)
    assert [c.version for c in events_table.commits(events, 4)] == [5, 6, 7, 8]
    with pytest.raises(LogCutError, match="versions 3 to 4 are no longer in its log"):
        events_table.commits(events, 2)
    entry(uri, 2).write_text("{}")
    with pytest.raises(LogCutError, match="version 4 is missing"):
        events_table.commits(events, 2)


def test_a_log_that_can_t_be_opened_for_another_reason_says_which(whole: dict[int, str], tmp_path: Path) -> None:
    uri = shutil.copytree(whole[3], tmp_path / "events").as_posix()
    next(Path(uri, "_delta_log").glob("*.checkpoint.parquet")).write_bytes(b"PAR1")
    with pytest.raises(LakeError, match="file size of 4 is less than footer") as raised:
        events_table.open_table(uri)
    assert not isinstance(raised.value, BrokenLogError)
    assert log_files.listed(log_files.storage(uri)).since_checkpoint == range(4, VERSIONS + 1)
    with pytest.raises(LakeError, match="is PINWHEEL_LAKE_URI right"):
        events_table.opened(f"{tmp_path}/none")

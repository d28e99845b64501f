"""A person's rows leave the lake, its old files and its log; others' rows, the stream and readers go on."""

import os
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from deltalake import DeltaTable
from deltalake.exceptions import CommitFailedError

from pinwheel.core.errors import LakeError
from pinwheel.core.mentions import Mention
from pinwheel.core.offsets import VersionRange
from pinwheel.erase.scan import Found, Id, scan_lake
from pinwheel.lake import erasure, events_table, old_files
from pinwheel.lake.change_feed import ChangeFeed
from pinwheel.lake.files import FileWriter
from pinwheel.lake.landing import Landing
from tests.support.erasures import OTHER, PERSON, lake_rows, others, rows_about_them, their_rows
from tests.support.lakes import NOON, event, hours, land, make
from tests.support.places import on_disk_and_in_a_store

TOPIC = "a topic"


def erase(uri: str, *, pins: bool = False) -> int:
    """All of it; returns the version without the person."""
    events = f"{uri}/events"
    for found in erasure.find(DeltaTable(events), Mention(PERSON)):
        erasure.erase(events, found, pins=pins)
    version = old_files.checkpoint(events)
    old_files.remove(events, version, Mention(PERSON), TOPIC)
    old_files.shorten_log(events, version)
    return version


def finds(uri: str) -> dict[str, int]:
    found = Found()
    scan_lake(uri, Id(PERSON), found)
    return dict(found.finds)


def rows_by_offset(uri: str) -> dict[int, dict[str, Any]]:
    return {row["kafka_offset"]: row for row in lake_rows(uri).to_pylist()}


def landed(landing: Landing, rows: list[dict[str, Any]]) -> None:
    """As the stream does it."""
    writer = FileWriter(landing.uri)
    writer.write(pa.Table.from_pylist(rows, schema=events_table.arrow_schema()))
    landing.commit(writer.close())


@on_disk_and_in_a_store
def test_nothing_of_the_person_is_left_in_any_file(place: str) -> None:
    uri = make(place)
    land(uri, their_rows(0) + rows_about_them(100))
    land(uri, others(200))
    before = rows_by_offset(uri)
    DeltaTable(f"{uri}/events").optimize.compact()  # its old files have the person too
    assert set(finds(uri)) == {"lake rows", "lake log"}

    erase(uri)

    assert finds(uri) == {}
    after = rows_by_offset(uri)
    assert set(before) - set(after) == set(range(7)), "the person's rows, and no others"
    assert {n: after[n] for n in range(200, 241)} == {n: before[n] for n in range(200, 241)}
    assert after[100] == before[100] | {"pin_creator_id": None, "link": "https://a.org/?user_id=0"}
    assert after[102]["text"] == f"as 0 said, and 1{PERSON} did not"
    assert after[103] == before[103] | {"extra": '{"seen": [0]}'}
    assert [after[n]["dead_value"] for n in (104, 105)] == [None, None]
    assert [after[n]["dead_reason"] for n in (104, 105)] == ["bad_field"] * 2


def test_the_texts_of_their_pins_go_when_it_is_asked_for(tmp_path: Path) -> None:
    uri = make(tmp_path)
    land(uri, rows_about_them(100))
    erase(uri, pins=True)
    row = rows_by_offset(uri)[100]
    assert (row["title"], row["link"], row["pin_creator_id"], row["brand_id"]) == (None, None, None, 70)


def test_again_changes_nothing(tmp_path: Path) -> None:
    uri = make(tmp_path)
    land(uri, their_rows(0) + others(200))
    version = erase(uri)
    rows = lake_rows(uri)
    assert erase(uri) == version
    assert lake_rows(uri) == rows


def test_the_change_feed_has_it_until_readers_have_passed(tmp_path: Path) -> None:
    uri = make(tmp_path)
    first = land(uri, their_rows(0) + rows_about_them(100))
    feed = ChangeFeed(f"{uri}/events")
    feed.commits(first)
    for found in erasure.find(DeltaTable(f"{uri}/events"), Mention(PERSON)):
        erasure.erase(f"{uri}/events", found, pins=False)

    versions = VersionRange(first, DeltaTable(f"{uri}/events").version())
    assert all(commit.rows is None for commit in feed.commits(first)), "read, as its rows are not known"
    changes = feed.rows(versions, "login", ["event_id", "user_id"]).read_all()
    assert sorted(zip(changes["event_id"].to_pylist(), changes["_change_type"].to_pylist(), strict=True)) == [
        ("about-4", "update_postimage"),
        ("about-4", "update_preimage"),
        ("login-4", "delete"),
        ("login-5", "delete"),
        ("login-6", "delete"),
    ]


def test_the_stream_and_an_erasure_do_not_wait_for_each_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Commits of the stream between the reading of an erasure and its commit."""
    uri = make(tmp_path)
    landing = Landing(f"{uri}/events", "log")
    landed(landing, their_rows(0))
    opened: list[int] = []

    class Slow(DeltaTable):
        def merge(self, *given: Any, **named: Any) -> Any:
            opened.append(self.version())
            login = {"user_id": OTHER, "occurred_at": NOON + hours(15)}  # the day of the person's logins
            landed(landing, [event("login", f"new-{len(opened)}", 1000 + len(opened), **login)])
            return super().merge(*given, **named)

    monkeypatch.setattr(events_table, "opened", Slow)
    found = list(erasure.find(DeltaTable(f"{uri}/events"), Mention(PERSON)))
    for one in found:
        erasure.erase(f"{uri}/events", one, pins=False)

    assert len(opened) == len(found), "no try was lost"
    landed(landing, [event("login", "last", 2000, user_id=OTHER)])
    assert sorted(rows_by_offset(uri)) == [*range(1001, 1001 + len(found)), 2000]


def test_a_conflict_is_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    uri = make(tmp_path)
    land(uri, [row for row in their_rows(0) if row["event_type"] == "login"])
    (found,) = list(erasure.find(DeltaTable(f"{uri}/events"), Mention(PERSON)))[:1]
    lost = iter([True, False])
    merge = DeltaTable.merge

    def losing(self: DeltaTable, *given: Any, **named: Any) -> Any:
        if next(lost):
            raise CommitFailedError("another was faster")
        return merge(self, *given, **named)

    monkeypatch.setattr(erasure.erase.retry, "sleep", lambda _: None)
    monkeypatch.setattr(DeltaTable, "merge", losing)
    assert erasure.erase(f"{uri}/events", found, pins=False) == found.rows.num_rows


def test_a_reader_opens_the_lake_after_its_log_was_shortened(tmp_path: Path) -> None:
    uri = make(tmp_path)
    landing = Landing(f"{uri}/events", "log")
    landed(landing, their_rows(0) + others(200))
    version = erase(uri)

    log = tmp_path / "lake" / "events" / "_delta_log"
    assert [p.name for p in log.glob("*.json")] == [f"{version:020}.json"]
    landed(landing, [event("login", "new", 5000)])  # its table was opened before
    assert landing.landed(0) == 5001
    assert [c.version for c in events_table.commits(DeltaTable(f"{uri}/events"), version)] == [version + 1]
    assert 5000 in rows_by_offset(uri)


def test_files_that_later_versions_name_are_kept_for_readers_of_the_feed(tmp_path: Path) -> None:
    uri = make(tmp_path)
    events = f"{uri}/events"
    land(uri, their_rows(0))
    for found in erasure.find(DeltaTable(events), Mention(PERSON)):
        erasure.erase(events, found, pins=False)
    version = old_files.checkpoint(events)
    land(uri, [event("login", "a", 50)])
    between = land(uri, [event("login", "b", 51)])
    DeltaTable(events).optimize.compact()  # the files of both are old now, but a merge may still have to read them
    old_files.checkpoint(events)
    for path in (tmp_path / "lake" / "events").rglob("*.parquet"):
        os.utime(path, (time.time() - 2 * old_files.OPEN_BATCH.total_seconds(),) * 2)

    old_files.remove(events, version, Mention(PERSON), TOPIC)
    old_files.shorten_log(events, version)

    feed = pa.table(DeltaTable(events).load_cdf(starting_version=version + 1))
    assert sorted(feed["event_id"].to_pylist()) == ["a", "b"]
    rows = DeltaTable(events, version=between).to_pyarrow_table()  # as a rebuild or a check reads it
    assert rows.num_rows == 2


def test_a_file_that_may_still_be_committed_stops_the_erasure(tmp_path: Path) -> None:
    uri = make(tmp_path)
    landing = Landing(f"{uri}/events", TOPIC)
    landed(landing, others(0))
    writer = FileWriter(landing.uri)
    writer.write(pa.Table.from_pylist(their_rows(100), schema=events_table.arrow_schema()))
    manifest = writer.close()  # of a batch that is about to be committed
    with pytest.raises(LakeError, match="has not landed"):
        erase(uri)

    landing.commit(manifest)
    erase(uri)
    assert finds(uri) == {}


def test_a_file_whose_batch_landed_by_another_goes(tmp_path: Path) -> None:
    uri = make(tmp_path)
    landing = Landing(f"{uri}/events", TOPIC)
    for _ in range(2):  # the task ran twice; one of its files was committed
        writer = FileWriter(landing.uri)
        writer.write(pa.Table.from_pylist(their_rows(0), schema=events_table.arrow_schema()))
        manifest = writer.close()
    landing.commit(manifest)
    with pytest.raises(LakeError, match="is young, and no commit names it"):
        erase(uri)  # for all that is known, compaction wrote it
    for path in (tmp_path / "lake" / "events").rglob("*.parquet"):
        os.utime(path, (time.time() - 2 * old_files.OPEN_BATCH.total_seconds(),) * 2)
    erase(uri)
    assert finds(uri) == {}


def test_what_an_attempt_left_that_lost_to_another_commit_goes_at_once(tmp_path: Path) -> None:
    uri = make(tmp_path)
    events = f"{uri}/events"
    landed(Landing(events, TOPIC), their_rows(0) + others(200))
    (found,) = [p for p in erasure.find(DeltaTable(events), Mention(PERSON)) if p.event_type == "login"]
    late = DeltaTable(events)
    erasure.erase(events, found, pins=False)
    before = set((tmp_path / "lake" / "events" / "_change_data").rglob("*.parquet"))
    with pytest.raises(CommitFailedError):
        late.merge(found.rows, erasure._within(found), source_alias="s", target_alias="t").when_matched_delete(
            "s.is_theirs"
        ).execute()
    assert set((tmp_path / "lake" / "events" / "_change_data").rglob("*.parquet")) > before
    erase(uri)
    assert finds(uri) == {}


def test_a_file_that_is_committed_meanwhile_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It quotes the person, so the next round erases that; a version names it."""
    uri = make(tmp_path)
    landing = Landing(f"{uri}/events", TOPIC)
    landed(landing, their_rows(0))
    recent = events_table.recent_commits

    def slow(*given: Any) -> Any:
        landed(landing, [event("comment", "new", 100, user_id=OTHER, text=f"as {PERSON} said")])
        return recent(*given)

    monkeypatch.setattr(events_table, "recent_commits", slow)
    erase(uri)
    assert rows_by_offset(uri)[100]["text"] == f"as {PERSON} said"
    monkeypatch.undo()
    erase(uri)
    assert finds(uri) == {}


def test_a_link_to_a_pin_of_the_same_number_stays(tmp_path: Path) -> None:
    uri = make(tmp_path)
    pin = {"pin_id": PERSON, "link": f"https://a.org/pin/{PERSON}", "image_url": f"https://a.org/{PERSON}.jpg"}
    land(uri, [event("repin", str(PERSON), 0, user_id=OTHER, **pin)])
    before = lake_rows(uri)
    assert list(erasure.find(DeltaTable(f"{uri}/events"), Mention(PERSON))) == []
    assert finds(uri) == {}
    erase(uri)
    assert lake_rows(uri) == before


def test_a_young_file_of_others_is_left_alone(tmp_path: Path) -> None:
    uri = make(tmp_path)
    landing = Landing(f"{uri}/events", TOPIC)
    landed(landing, their_rows(0))
    writer = FileWriter(landing.uri)
    writer.write(pa.Table.from_pylist(others(100), schema=events_table.arrow_schema()))
    manifest = writer.close()
    erase(uri)
    landing.commit(manifest)
    assert len(rows_by_offset(uri)) == 41


def test_a_record_of_another_log_at_the_same_place_stays(tmp_path: Path) -> None:
    """Kafka was made anew, and counts from 0 again."""
    uri = make(tmp_path)
    later = NOON + hours(1)
    bad = {"user_id": None, "dead_reason": "bad_field", "dead_value": b'{"user_id": %d}' % PERSON}
    land(uri, [event("login", "theirs", 5, user_id=PERSON), event("dead_letter", None, 6, **bad)])
    land(uri, [event("login", "a stranger's", 5, user_id=OTHER, kafka_timestamp=later)])
    land(uri, [event("dead_letter", None, 6, **bad | {"dead_value": b"{"}, kafka_timestamp=later)])
    before = lake_rows(uri).to_pylist()

    (_, logins) = found = sorted(erasure.find(DeltaTable(f"{uri}/events"), Mention(PERSON)), key=lambda f: f.event_type)
    assert [row["event_id"] for row in logins.erased] == ["theirs"]
    for place in found:
        erasure.erase(f"{uri}/events", place, pins=False)

    after = lake_rows(uri).to_pylist()
    assert [row for row in before if row["kafka_timestamp"] == later] == [
        row for row in after if row["kafka_timestamp"] == later
    ]
    assert [(row["kafka_offset"], row["dead_value"]) for row in after if row["kafka_timestamp"] == NOON] == [(6, None)]


def test_days_are_found_apart() -> None:
    rows = their_rows(0)
    assert len({row["event_date"] for row in rows}) == 2, "or the tests see one day"
    assert max(row["occurred_at"] for row in rows) - min(row["occurred_at"] for row in rows) > timedelta(hours=12)

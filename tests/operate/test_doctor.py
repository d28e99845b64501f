"""Each kind of damage, made for real: it is found, repaired where that is safe, and nothing is found afterwards."""

import json
import shutil
from pathlib import Path

import pytest
from deltalake import DeltaTable

from pinwheel.clients import memsql
from pinwheel.clients.memsql import Connection
from pinwheel.core.contract import TABLES
from pinwheel.core.errors import MissingPartError
from pinwheel.core.settings import DriverSettings, MergeSettings, SourceSettings
from pinwheel.merge import mends, rebuild
from pinwheel.merge.ledger import SupersededError
from pinwheel.merge.session import Session
from pinwheel.operate.doctor import Doctor
from pinwheel.operate.finding import Finding
from pinwheel.stream import driver_lock, source_log
from tests.support.dying import die_at
from tests.support.lakes import NOON, event, land, update
from tests.support.rebuilds import events, everything, work
from tests.support.types import Query

SET_BACK = ("merge/rebuild/set_watermarks", "merge/drop_progress", "merge/supersede_slices", "merge/move_progress")


@pytest.fixture
def doctor(settings: MergeSettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Doctor:
    """Of a lake that is merged, a checkpoint that a driver has left, and a topic that may go on."""
    monkeypatch.setattr(source_log, "refusal", lambda _: None)
    land(settings.lake_uri, events())
    land(settings.lake_uri, [event("repin", "e80", 80), event("login", "e81", 81)])
    update(settings.lake_uri, "event_id = 'e5'", {"user_id": "77"})
    work(settings)
    own = {"driver_lock_path": tmp_path / "driver.lock", "stream_dir": tmp_path}
    driver = DriverSettings(checkpoint_uri=f"{tmp_path}/checkpoints/stream", **own)
    for run in ("older", "newer"):
        checkpoint(driver, run)
    return Doctor(SourceSettings(lake_uri=settings.lake_uri), driver, settings)


def checkpoint(driver: DriverSettings, run: str) -> Path:
    folder = Path(driver.checkpoint_uri, run)
    for name, last in (("offsets", {"engagement.events": {"0": 7}}), ("commits", {"nextBatchWatermarkMs": 0})):
        (folder / name).mkdir(parents=True)
        lines = ["v1", json.dumps({"batchWatermarkMs": 0}), json.dumps(last)]
        for batch in (8, 9, 10):
            (folder / name / str(batch)).write_text("\n".join(lines))
        (folder / name / ".10.crc").write_bytes(b"crc")
    (folder / "metadata").write_text('{"id": "x"}')
    return folder


def parts(found: list[Finding]) -> list[tuple[str, bool]]:
    """The part of each finding, and whether it can be repaired."""
    return [(finding.part, finding.mend is not None) for finding in found]


def mended(doctor: Doctor) -> list[str]:
    """Repair; nothing is wrong afterwards."""
    told: list[str] = []
    assert doctor.mend(told.append) == []
    return told


def change(connection: Connection, *statements: str) -> None:
    with memsql.transaction(connection), connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def entry(settings: MergeSettings, version: int) -> Path:
    return Path(settings.events_uri, "_delta_log", f"{version:020}.json")


def test_nothing_is_wrong_with_what_is_well(doctor: Doctor, settings: MergeSettings, connection: Connection) -> None:
    assert doctor.look() == []
    land(settings.lake_uri, [event("repin", "new", 82)])
    assert doctor.look() == [], "a table that is behind"
    DeltaTable(settings.events_uri).create_checkpoint()
    rebuild.request(connection, settings, ["repins"], "ann")
    assert doctor.look() == [], "a rebuild that goes on"
    work(settings)
    assert doctor.look() == []
    with driver_lock.hold_lock(doctor.driver.driver_lock_path):
        assert doctor.look() == []
    assert mended(doctor) == []


def test_a_new_pipeline_has_nothing_wrong(
    settings: MergeSettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(source_log, "refusal", lambda _: None)
    shutil.rmtree(settings.events_uri)
    driver = DriverSettings(checkpoint_uri=f"{tmp_path}/none/stream", driver_lock_path=tmp_path / "none" / "lock")
    assert Doctor(SourceSettings(lake_uri=settings.lake_uri), driver, settings).look() == []


@pytest.mark.parametrize("content", [b"", b"v1", b"v1\n{}\n{", b"v2\n{}"])
@pytest.mark.parametrize("name", ["offsets", "commits"])
def test_a_broken_checkpoint_is_set_aside_while_no_driver_runs(doctor: Doctor, name: str, content: bytes) -> None:
    path = Path(doctor.driver.checkpoint_uri, "newer", name, "10")
    path.write_bytes(content)
    (finding,) = doctor.look()
    assert (finding.part, f"{name}/10" in finding.wrong) == ("checkpoint", True)
    with driver_lock.hold_lock(doctor.driver.driver_lock_path):
        assert parts(doctor.mend(lambda _: None)) == [("checkpoint", False)], "its driver runs"
    assert path.exists()
    assert len(mended(doctor)) == 1
    aside = Path(f"{doctor.driver.checkpoint_uri}.set_aside", "newer", name, "10")
    assert aside.read_bytes() == content
    assert Path(doctor.driver.checkpoint_uri, "older", name, "10").exists()


def test_setting_aside_may_die_between_two_files(doctor: Doctor, monkeypatch: pytest.MonkeyPatch) -> None:
    run = Path(doctor.driver.checkpoint_uri, "older")
    before = sorted(p.relative_to(run) for p in run.rglob("*") if p.is_file())
    (run / "commits" / "10").write_bytes(b"")
    (run / "offsets" / "10").rename(Path(doctor.driver.checkpoint_uri) / "moved")
    aside = Path(f"{doctor.driver.checkpoint_uri}.set_aside", "older")
    (aside / "offsets").mkdir(parents=True)
    (Path(doctor.driver.checkpoint_uri) / "moved").rename(aside / "offsets" / "10")
    mended(doctor)
    assert sorted(p.relative_to(aside) for p in aside.rglob("*") if p.is_file()) == before


def test_a_file_in_the_checkpoints_place_is_set_aside(doctor: Doctor) -> None:
    place = Path(doctor.driver.checkpoint_uri)
    shutil.rmtree(place)
    place.write_text("no folder")
    assert parts(doctor.look()) == [("checkpoint", True)]
    mended(doctor)
    assert Path(f"{place}.set_aside").read_text() == "no folder"


@pytest.mark.parametrize("how", ["missing", "empty", "cut off"])
def test_a_broken_version_of_the_lake_is_named(doctor: Doctor, settings: MergeSettings, how: str) -> None:
    path = entry(settings, 2)
    if how == "missing":
        path.unlink()
    else:
        path.write_bytes(b"" if how == "empty" else path.read_bytes()[:50])
    found = doctor.look()
    assert found[0].part == "lake"
    assert "version 2" in found[0].wrong
    assert not any(finding.mend for finding in found if finding.part == "lake")
    assert doctor.mend(lambda _: None)


@pytest.mark.parametrize("content", ['{"version":1,"size":6}', "{", ""])
def test_a_wrong_pointer_to_the_newest_checkpoint_is_set_aside(
    doctor: Doctor, settings: MergeSettings, content: str
) -> None:
    pointer = Path(settings.events_uri, "_delta_log", "_last_checkpoint")
    pointer.write_text(content)
    assert ("lake", True) in parts(doctor.look())
    mended(doctor)
    assert not pointer.exists()
    assert pointer.with_name("_last_checkpoint.set_aside").read_text() == content


def test_a_broken_checkpoint_of_the_lake_is_set_aside_if_the_log_before_it_is_whole(
    doctor: Doctor, settings: MergeSettings
) -> None:
    rows = DeltaTable(settings.events_uri).to_pyarrow_table().num_rows
    DeltaTable(settings.events_uri).create_checkpoint()
    (path,) = Path(settings.events_uri, "_delta_log").glob("*.checkpoint.parquet")
    path.write_bytes(path.read_bytes()[:-20])
    kept = entry(settings, 1).rename(entry(settings, 1).with_suffix(".kept"))
    assert ("lake", False) in parts(doctor.look())
    kept.rename(entry(settings, 1))
    assert ("lake", True) in parts(doctor.look())
    mended(doctor)
    assert DeltaTable(settings.events_uri).to_pyarrow_table().num_rows == rows


def test_a_lost_file_of_the_lake_is_named_with_its_rows(doctor: Doctor, settings: MergeSettings) -> None:
    lost = next(p for p in Path(settings.events_uri).rglob("event_type=login/*.parquet"))
    lost.unlink()
    (finding,) = doctor.look()
    assert (finding.part, finding.mend) == ("lake", None)
    assert lost.name in finding.wrong
    assert "login" in finding.means


def set_back(settings: MergeSettings, version: int) -> None:
    """As when an older copy of the lake is put back."""
    for entry_ in Path(settings.events_uri, "_delta_log").glob("*.json"):
        if int(entry_.stem) > version:
            entry_.unlink()


def test_tables_follow_a_lake_that_was_set_back_and_have_each_row_once(
    doctor: Doctor, settings: MergeSettings, query: Query
) -> None:
    before = everything(query)
    newest = DeltaTable(settings.events_uri).version()
    set_back(settings, newest - 2)
    found = [finding for finding in doctor.look() if finding.part == "watermarks"]
    assert parts(found) == [("watermarks", True)] * len(TABLES)
    assert f"version {newest}" in found[0].wrong
    mended(doctor)
    assert {row["version"] for row in query("SELECT version FROM merge_shards")} == {newest - 2}
    # The driver lands the same records again, with more that have come.
    land(settings.lake_uri, [event("repin", "e80", 80), event("login", "e81", 81), event("repin", "e82", 82)])
    update(settings.lake_uri, "event_id = 'e5'", {"user_id": "77"})
    work(settings)
    after = everything(query)
    assert [row for row in after["repins"] if row["event_id"] != "e82"] == before["repins"]
    assert len(after["repins"]) == len(before["repins"]) + 1
    assert after["logins"] == before["logins"]
    assert query("SELECT SUM(repins) AS n FROM brand_daily")[0]["n"] == len(after["repins"])
    assert doctor.look() == []


def test_setting_back_dies_without_a_trace(
    doctor: Doctor, settings: MergeSettings, query: Query, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At each statement of it; and a lake that has gone on meanwhile sets nothing back."""
    change(connection, "UPDATE merge_shards SET version = 99 WHERE table_name = 'repins'")
    states = ("merge_shards", "shard_progress", "merge_slices")
    before = {table: query(f"SELECT * FROM {table}") for table in states}
    for statement in SET_BACK:
        with monkeypatch.context() as patch:
            die_at(patch, statement)
            with pytest.raises(KeyboardInterrupt):
                mends.set_back(settings, "repins")
        assert {table: query(f"SELECT * FROM {table}") for table in states} == before, statement
    mended(doctor)
    changed = query("SELECT * FROM merge_shards ORDER BY table_name")
    mends.set_back(settings, "repins")
    assert query("SELECT * FROM merge_shards ORDER BY table_name") == changed
    work(settings)
    assert doctor.look() == []


def test_a_lake_that_was_set_back_and_has_gone_on_is_found_by_its_offsets(
    doctor: Doctor, settings: MergeSettings
) -> None:
    set_back(settings, DeltaTable(settings.events_uri).version() - 2)
    land(settings.lake_uri, [event("repin", f"n{n}", n) for n in range(80, 90)])
    update(settings.lake_uri, "event_id = 'e5'", {"user_id": "77"})
    found = doctor.look()
    assert parts(found) == [("watermarks", False)] * len(TABLES)
    assert "older copy" in found[0].wrong


def test_a_lost_lake_is_named(doctor: Doctor, settings: MergeSettings) -> None:
    shutil.rmtree(settings.events_uri)
    found = doctor.look()
    assert ("watermarks", False) in parts(found)
    assert doctor.mend(lambda _: None) == found


def test_a_table_that_is_cut_off_needs_a_rebuild(doctor: Doctor, settings: MergeSettings) -> None:
    land(settings.lake_uri, [event("repin", "e90", 90)])
    land(settings.lake_uri, [event("repin", "e91", 91)])
    newest = DeltaTable(settings.events_uri).version()
    DeltaTable(settings.events_uri).create_checkpoint()
    entry(settings, newest - 1).unlink()
    found = doctor.look()
    assert parts(found) == [("watermarks", False)] * len(TABLES)
    assert f"version {newest - 1} is missing" in found[0].wrong
    assert "rebuild" in found[0].do


@pytest.mark.parametrize("state", ["held", "accepted"])
def test_a_slice_that_no_session_can_merge_is_superseded(
    doctor: Doctor, settings: MergeSettings, connection: Connection, query: Query, state: str
) -> None:
    columns = "table_name, shard, from_version, to_version, state, rows_read, progress, detail"
    insert = f"INSERT INTO merge_slices ({columns}) VALUES ('repins', 0, %s, 99, '{state}', 5, '{{}}', NULL)"
    newest = DeltaTable(settings.events_uri).version()
    change(connection, insert % (newest - 1))
    assert parts(doctor.look()) == [("ledger", True)]
    land(settings.lake_uri, [event("repin", "e90", 90)])
    mended(doctor)
    work(settings)
    assert query("SELECT event_id FROM repins WHERE event_id = 'e90'")
    assert doctor.look() == []


def test_a_held_slice_waits_for_a_person(doctor: Doctor, settings: MergeSettings, connection: Connection) -> None:
    land(settings.lake_uri, [event("repin", None, 90)])
    work(settings, "repins")
    (finding,) = doctor.look()
    assert (finding.part, finding.mend) == ("ledger", None)
    assert "release_slice" in finding.do
    assert doctor.mend(lambda _: None) == [finding]


def test_what_a_rebuild_has_left_is_dropped(doctor: Doctor, connection: Connection, query: Query) -> None:
    change(connection, "CREATE TABLE rebuilt_repins LIKE repins", "CREATE TABLE replaced_logins LIKE logins")
    assert parts(doctor.look()) == [("ledger", True)] * 2
    mended(doctor)
    assert query("SHOW TABLES LIKE 'rebuilt%%'") == query("SHOW TABLES LIKE 'replaced%%'") == []


def test_nothing_of_a_rebuild_that_is_asked_for_is_dropped(
    doctor: Doctor, settings: MergeSettings, connection: Connection, query: Query
) -> None:
    change(connection, "CREATE TABLE rebuilt_repins LIKE repins")
    rebuild.request(connection, settings, ["repins"], "ann")
    assert doctor.look() == []
    with pytest.raises(SupersededError):
        mends.drop_left_over(settings, "repins")
    assert query("SHOW TABLES LIKE 'rebuilt%%'")
    assert [row["requested_by"] for row in query("SELECT requested_by FROM rebuilds")] == ["ann"]
    assert [row["loader"] for row in query("SELECT loader FROM rebuilds")] == ["session"]
    change(connection, "DROP TABLE rebuilt_repins")


def test_a_table_that_an_exchange_has_left_without_its_name_is_not_dropped(
    doctor: Doctor, connection: Connection, query: Query
) -> None:
    change(connection, "RENAME TABLE logins TO replaced_logins")
    try:
        assert "logins" not in mends.left_over(connection)
    finally:
        change(connection, "RENAME TABLE replaced_logins TO logins")


def test_a_rebuild_from_a_version_that_is_gone_is_given_up(
    doctor: Doctor, settings: MergeSettings, connection: Connection, query: Query
) -> None:
    rebuild.request(connection, settings, ["repins"], "ann")
    change(
        connection,
        "UPDATE rebuilds SET version = 99",
        "INSERT INTO rebuild_parts (table_name, part) VALUES ('repins', 0)",
    )
    going = rebuild.waiting(connection, "repins")
    connection.commit()
    assert parts(doctor.look()) == [("ledger", True)]
    mended(doctor)
    assert query("SELECT * FROM rebuilds") == query("SELECT * FROM rebuild_parts") == []
    assert going is not None
    with pytest.raises(SupersededError):
        mends.give_up(settings, going)


def test_increments_of_a_slice_that_is_not_merged_are_not_counted(
    doctor: Doctor, settings: MergeSettings, connection: Connection, query: Query, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = query("SELECT brand_id, repins, unique_people FROM brand_daily ORDER BY day, brand_id")
    land(settings.lake_uri, [event("repin", "e90", 90, user_id=555)])
    merge_only(settings)
    change(connection, "DELETE FROM merge_slices WHERE slice_id IN (SELECT slice_id FROM rollup_increments)")
    change(connection, "DELETE FROM repins WHERE event_id = 'e90'")
    assert parts(doctor.look()) == [("queue", True)]
    with monkeypatch.context() as patch:
        die_at(patch, "rollup/take")
        with pytest.raises(KeyboardInterrupt):
            doctor.mend(lambda _: None)
    assert parts(doctor.look()) == [("queue", True)]
    assert query("SELECT * FROM stale_days") == []
    mended(doctor)
    assert query("SELECT day FROM stale_days") == [{"day": NOON.date()}]
    work(settings)
    assert query("SELECT brand_id, repins, unique_people FROM brand_daily ORDER BY day, brand_id") == before
    assert doctor.look() == []


def merge_only(settings: MergeSettings) -> None:
    """Without the rollups."""
    session = Session("repins", settings, lambda *_: None, lambda *_: None)
    while session.turn():
        pass
    session.close()


def test_increments_that_nobody_takes_are_told(doctor: Doctor, settings: MergeSettings, connection: Connection) -> None:
    land(settings.lake_uri, [event("repin", "e90", 90)])
    merge_only(settings)
    assert doctor.look() == []
    change(connection, "UPDATE rollup_increments SET merged_at = merged_at - INTERVAL 1 HOUR")
    (finding,) = doctor.look()
    assert (finding.part, finding.mend) == ("queue", None)
    assert "roll_up" in finding.do


def test_rollups_that_say_they_are_further_than_the_tables_forget_it(
    doctor: Doctor, settings: MergeSettings, connection: Connection, query: Query
) -> None:
    change(connection, "UPDATE shard_progress SET next_offset = 999 WHERE table_name = 'rollups'")
    assert parts(doctor.look()) == [("queue", True)]
    mended(doctor)
    land(settings.lake_uri, [event("repin", "e90", 90)])
    work(settings)
    assert query("SELECT next_offset FROM shard_progress WHERE table_name = 'rollups'") == [{"next_offset": 91}]


def test_a_refused_topic_is_told(doctor: Doctor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source_log, "refusal", lambda _: "the log was truncated")
    (finding,) = doctor.look()
    assert (finding.part, finding.mend) == ("kafka", None)
    assert "truncated" in finding.wrong


def test_a_part_that_does_not_answer_hides_no_other(doctor: Doctor, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(_: object) -> str:
        raise MissingPartError("the broker does not answer")

    monkeypatch.setattr(source_log, "refusal", away)
    Path(doctor.driver.checkpoint_uri, "newer", "offsets", "10").write_bytes(b"")
    assert parts(doctor.look()) == [("checkpoint", True), ("kafka", False)]

"""A table made anew from a version of the lake equals the one that was merged slice by slice."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from deltalake import DeltaTable
from hypothesis import given

from expectations import suites
from pinwheel.alerts.catalogue import TABLE_CUT_OFF
from pinwheel.clients import memsql, migrations
from pinwheel.clients.memsql import Connection
from pinwheel.core.contract import TABLES
from pinwheel.core.errors import MergeError
from pinwheel.core.settings import CompactSettings, MergeSettings
from pinwheel.merge import mends, rebuild, rebuild_parts
from pinwheel.merge.gate import Gate
from pinwheel.merge.merge import Write, planned
from pinwheel.merge.rebuild import Rebuild
from pinwheel.merge.session import Session
from pinwheel.operate.retention import oldest_unread
from tests.support import slices
from tests.support.database import empty_tables, merge_settings
from tests.support.dying import die_at
from tests.support.histories import Lake, Landing, Merge, Step, histories
from tests.support.lakes import NOON, delete, event, hours, land, update
from tests.support.properties import examples
from tests.support.rebuilds import events, everything, work
from tests.support.types import Query


def cut_log(settings: MergeSettings) -> None:
    """Only the newest version stays in the log, as after an hour."""
    DeltaTable(settings.events_uri).create_checkpoint()
    version = DeltaTable(settings.events_uri).version()
    for entry in Path(settings.events_uri, "_delta_log").glob("*.json"):
        if int(entry.stem) < version:
            entry.unlink()


def test_a_dropped_database_comes_back_from_a_lake_whose_log_is_cut(settings: MergeSettings, query: Query) -> None:
    land(settings.lake_uri, events())
    land(settings.lake_uri, [event("repin", "e1", 100), event("repin", "bad", 101, latitude=99.0)])
    update(settings.lake_uri, "event_id = 'e5'", {"user_id": "77"})
    delete(settings.lake_uri, "event_id = 'e9'")
    land(settings.lake_uri, [event("login", "last", 102)])
    work(settings)
    before = everything(query)
    assert len(before["repins"]) == 20 - 1
    cut_log(settings)
    empty_tables(settings)
    small = settings.model_copy(update={"merge_slice_rows": 5})
    assert work(small) == []
    assert everything(query) == before
    assert [r["event_id"] for r in query("SELECT event_id FROM quarantine")] == ["bad"]
    land(settings.lake_uri, [event("repin", "new", 103)])
    work(settings)
    assert len(query("SELECT event_id FROM repins")) == 20


def test_a_table_that_was_dropped_comes_back_while_the_merge_goes_on(
    settings: MergeSettings, connection: Connection, query: Query
) -> None:
    land(settings.lake_uri, [*events(), event("repin", "bad", 101, latitude=99.0)])
    work(settings)
    before = everything(query)
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE repins")
    assert migrations.restore(settings, ["repins"]) == ["repins"]
    land(settings.lake_uri, [event("repin", "meanwhile", 200)])
    session = Session("repins", settings, lambda *_: None, lambda *_: None)
    assert session.turn()
    session.close()
    assert len(query("SELECT * FROM repins")) == 1
    rebuild.request(connection, settings, ["repins"], "ann")
    work(settings)
    after = everything(query)
    assert [r for r in after["repins"] if r["event_id"] != "meanwhile"] == before["repins"]
    delete(settings.lake_uri, "event_id = 'meanwhile'")
    work(settings)
    kept = {name for name in before if name != "table_progress"}
    assert {name: everything(query)[name] for name in kept} == {name: before[name] for name in kept}


def test_a_table_that_is_cut_off_is_told_and_a_person_has_it_rebuilt(
    settings: MergeSettings, connection: Connection, query: Query
) -> None:
    land(settings.lake_uri, [event("repin", "a", 0)])
    work(settings, "repins")
    for n in range(1, 4):
        land(settings.lake_uri, [event("repin", f"b{n}", n)])
    cut_log(settings)
    assert work(settings, "repins") == [TABLE_CUT_OFF.name]
    assert len(query("SELECT * FROM repins")) == 1
    (extent,) = rebuild_parts.extents(settings, ["repins"])
    assert (extent.rows, extent.version) == (4, DeltaTable(settings.events_uri).version())
    assert rebuild.request(connection, settings, ["repins"], "ann") == [extent]
    assert work(settings, "repins") == []
    assert len(query("SELECT * FROM repins")) == 4
    assert query("SELECT repins FROM brand_daily") == [{"repins": 4}]


def test_readers_see_the_old_table_until_the_exchange_and_the_feed_goes_on_after_it(
    settings: MergeSettings, connection: Connection, query: Query
) -> None:
    land(settings.lake_uri, [event("repin", f"e{n}", n) for n in range(4)])
    land(settings.lake_uri, [event("repin", f"f{n}", 10 + n) for n in range(4)])
    work(settings)
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM repins WHERE event_id = 'e2'")
        cursor.execute("INSERT INTO repins SELECT * FROM repins WHERE 1 = 0")
    connection.commit()
    rebuild.request(connection, settings, ["repins"], "ann")
    session = Session("repins", settings.model_copy(update={"merge_slice_rows": 4}), lambda *_: None, lambda *_: None)
    assert session.turn()
    assert session.pause(worked=True) == 0
    assert len(query("SELECT * FROM repins")) == 7
    land(settings.lake_uri, [event("repin", "meanwhile", 20)])
    update(settings.lake_uri, "event_id = 'e1'", {"user_id": "9"})
    session.close()
    work(settings)
    found = {r["event_id"]: r["user_id"] for r in query("SELECT event_id, user_id FROM repins")}
    assert len(found) == 9
    assert found["e1"] == 9
    assert query("SELECT repins, unique_people FROM brand_daily") == [{"repins": 9, "unique_people": 2}]
    assert query("SHOW TABLES LIKE 'replaced%%'") == query("SHOW TABLES LIKE 'rebuilt%%'") == []


def test_of_several_deliveries_the_first_is_kept_in_whatever_order_the_files_are(
    settings: MergeSettings, connection: Connection, query: Query
) -> None:
    land(settings.lake_uri, [event("repin", "a", 1, user_id=2, occurred_at=NOON - hours(48), kafka_timestamp=NOON)])
    land(
        settings.lake_uri, [event("repin", "a", 0, user_id=1, kafka_timestamp=NOON - hours(1)), event("repin", "b", 2)]
    )
    rebuild.request(connection, settings, ["repins"], "ann")
    work(settings.model_copy(update={"merge_slice_rows": 1}))
    rows = query("SELECT event_id, user_id FROM repins ORDER BY event_id")
    assert [tuple(row.values()) for row in rows] == [("a", 1), ("b", 1)]


def test_a_part_that_is_not_loaded_is_told_when_another_is(
    settings: MergeSettings, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def load_part(_: Rebuild, part: int, *__: Any) -> int:
        if part == 5:
            raise MergeError("another part was faster")
        return 1

    monkeypatch.setattr(rebuild, "load_part", load_part)
    found = Rebuild("repins", 0, 1, rebuild.SESSION, rebuild.LOADING)
    rebuild._load_next(found, settings, {4: [], 5: []}, Gate(1.0))
    assert "part not loaded table=repins part=5: another part was faster" in caplog.text


def test_of_three_deliveries_in_parts_that_load_at_once_the_first_is_kept(
    settings: MergeSettings, connection: Connection, query: Query, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The last one is there; both others are planned against it, and the first is faster than the second."""
    for offset in (3, 2, 1):
        land(settings.lake_uri, [event("repin", "a", offset, kafka_timestamp=NOON + hours(offset))])
    rebuild.request(connection, settings, ["repins"], "ann")
    found = rebuild.waiting(connection, "repins")
    assert found is not None
    found = replace(found, part_rows=1)
    rebuild.begin(found, settings, connection)
    missing, _ = rebuild.missing_parts(found, settings, connection)
    rows = {part: list(rebuild_parts.rows_of(settings.events_uri, "repins", paths)) for part, paths in missing.items()}
    parts = {row["kafka_offset"]: part for part in rows for batch in rows[part] for row in batch.to_pylist()}

    def load_part(offset: int) -> None:
        with memsql.connect(settings, local_infile=True) as own:
            rebuild.load_part(found, parts[offset], rows[parts[offset]], own, Gate(1.0))

    @contextmanager
    def overtaken(*given: Any) -> Iterator[Write]:
        with planned(*given) as write:
            monkeypatch.undo()
            load_part(1)
            yield write

    load_part(3)
    monkeypatch.setattr(rebuild, "planned", overtaken)
    with pytest.raises(MergeError, match="have changed since"):
        load_part(2)
    assert query("SELECT kafka_offset FROM rebuilt_repins") == [{"kafka_offset": 1}]
    load_part(2)
    assert query("SELECT kafka_offset FROM rebuilt_repins") == [{"kafka_offset": 1}]


BAD = {"country_code": "nl"}  # breaks a row rule
DIES_AT = [
    *("merge/rebuild/shadow", "merge/rebuild/forget_parts", "merge/rebuild/move", "merge/rebuild/add_part"),
    *("merge/load", "merge/quarantine", "merge/rebuild/judged_anew", "merge/rebuild/exchange"),
    *("merge/forget_quarantined", "merge/rebuild/settle_quarantine", "merge/rebuild/drop_aside"),
    *("merge/rebuild/note_stale_days", "merge/rebuild/done", "merge/rebuild/set_watermarks"),
]


@pytest.mark.parametrize("statement", DIES_AT)
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_a_rebuild_that_dies_goes_on(
    settings: MergeSettings,
    connection: Connection,
    query: Query,
    monkeypatch: pytest.MonkeyPatch,
    statement: str,
    after: bool,
) -> None:
    for start in range(0, 80, 40):
        land(settings.lake_uri, [*events()[start : start + 40], event("repin", f"bad{start}", 100 + start, **BAD)])
    work(settings)
    before = everything(query)
    assert len(before["quarantine"]) == 2
    rebuild.request(connection, settings, ["repins"], "ann")
    small = settings.model_copy(update={"merge_slice_rows": 1})

    die_at(monkeypatch, statement, after=after)
    with pytest.raises(KeyboardInterrupt):
        work(small, "repins")
    monkeypatch.undo()
    now = everything(query)
    assert now["pins"] == before["pins"]
    if query("SELECT * FROM rebuilds"):  # as readers see them: what the parts set aside comes with the exchange
        assert [r for r in now["quarantine"] if r["table_name"] == "repins"] == before["quarantine"]
    work(small)
    assert everything(query) == before
    assert query("SELECT * FROM rebuilds") == []


@pytest.mark.parametrize("given_up", [False, True])
def test_a_row_whose_rule_has_changed_leaves_quarantine_with_the_exchange_and_not_before(
    settings: MergeSettings, connection: Connection, query: Query, monkeypatch: pytest.MonkeyPatch, given_up: bool
) -> None:
    land(settings.lake_uri, [event("repin", "nl", 0, **BAD), event("repin", "far", 1, latitude=91.0)])
    work(settings)
    before = everything(query)
    rules = suites.row_rules
    monkeypatch.setattr(suites, "row_rules", lambda kind: [r for r in rules(kind) if "country_code" not in r.label])
    rebuild.request(connection, settings, ["repins"], "ann")
    session = Session("repins", settings, lambda *_: None, lambda *_: None)
    assert session.turn()
    assert query("SELECT event_id FROM rebuilt_repins") == [{"event_id": "nl"}]
    aside = [(r["table_name"], r["event_id"]) for r in everything(query)["quarantine"]]
    assert aside == [("rebuilt_repins", "far"), ("repins", "far"), ("repins", "nl")]

    if given_up:
        going = rebuild.waiting(connection, "repins")
        assert going is not None
        connection.commit()
        mends.give_up(settings, going)
        assert everything(query) == before
    else:
        work(settings)
        assert [r["event_id"] for r in query("SELECT event_id FROM repins")] == ["nl"]
        assert [(r["table_name"], r["event_id"]) for r in everything(query)["quarantine"]] == [("repins", "far")]
    session.close()


def test_the_lake_keeps_what_a_rebuild_reads(settings: MergeSettings, connection: Connection) -> None:
    land(settings.lake_uri, [event("repin", "a", 0)])
    work(settings)
    compact = CompactSettings(**settings.model_dump(include=set(CompactSettings.model_fields)))
    assert oldest_unread(compact) is None
    rebuild.request(connection, settings, ["repins"], "ann")
    land(settings.lake_uri, [event("repin", "b", 1)])
    work(settings, "pins", "comments", "logins")
    since = oldest_unread(compact)
    assert since is not None
    assert since <= datetime.now(UTC)
    work(settings)
    assert oldest_unread(compact) is None


def test_a_rebuild_of_nothing_is_refused_plainly(settings: MergeSettings, connection: Connection) -> None:
    with pytest.raises(MergeError, match="no reporting table 'pinss'; there are pins, repins"):
        rebuild.request(connection, settings, ["pinss"], "ann")
    nowhere = settings.model_copy(update={"lake_uri": f"{settings.lake_uri}-not-there"})
    with pytest.raises(MergeError, match="there is no lake at"):
        rebuild.request(connection, nowhere, ["pins"], "ann")


def test_after_any_history_a_rebuild_makes_the_same_table(
    settings: MergeSettings, connection: Connection, query: Query, tmp_path: Path
) -> None:
    rows, tried = 0, 0

    @examples(5)
    @given(histories(("pins", "repins"), landings=3, most_rows=14, ids=12))
    def holds(history: list[Step]) -> None:
        nonlocal rows, tried
        tried += 1
        here = merge_settings(settings, str(tmp_path / str(tried)))
        lake, number = Lake(here.lake_uri), count()
        for step in history:
            if isinstance(step, Merge):
                for table in step.tables:
                    slices.merge_all(table, here, connection)
            elif isinstance(step, Landing):  # each event once: of several deliveries, the lake may lose the first
                lake.take(Landing(tuple({**row, "number": next(number)} for row in step.rows)))
            else:
                lake.take(step)
        work(here)
        before = everything(query)
        rebuild.request(connection, here, list(TABLES), "ann")
        work(here.model_copy(update={"merge_slice_rows": 3}))
        after = everything(query)
        assert {t: after[t] for t in after if t != "pin_cache"} == {t: before[t] for t in before if t != "pin_cache"}
        rows = max(rows, len(before["repins"]))

    holds()
    assert rows > 5

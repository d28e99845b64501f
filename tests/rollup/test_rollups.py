"""The rollups follow the merges, several slices at a time: no event is lost and none is counted twice."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from pinwheel.alerts.catalogue import MERGE_FAILING
from pinwheel.clients import memsql
from pinwheel.clients.memsql import Connection
from pinwheel.core.errors import MissingPartError
from pinwheel.core.settings import MergeSettings
from pinwheel.merge.merge import merge
from pinwheel.merge.stage import stage
from pinwheel.rollup import rollups
from pinwheel.rollup.session import RollupSession
from tests.support.lakes import NOON, delete, event, hours, land, update
from tests.support.slices import staged
from tests.support.types import Query

MergeOnly = Callable[..., None]
MergeBefore = Callable[[str, str, str, Callable[[], object]], None]  # function, statement, table, change
Turn = Callable[..., int]


@pytest.fixture
def merge_only(settings: MergeSettings, connection: Connection) -> MergeOnly:
    """Stages and merges all that is due; the rollups stay as they are."""

    def go(*tables: str) -> None:
        for table in tables or ("repins",):
            while (found := stage(table, settings, connection)) is not None:
                merge(found.slice_id, connection)

    return go


@pytest.fixture
def merge_before(settings: MergeSettings, monkeypatch: pytest.MonkeyPatch) -> MergeBefore:
    """Lets another connection merge a change of the lake right before a statement, of ``memsql.fetch`` or another."""

    def go(function: str, statement: str, table: str, change: Callable[[], object]) -> None:
        kept = getattr(memsql, function)

        def merge_first(asked: Connection, name: str, *given: Any, **names: Any) -> Any:
            if name == statement:
                change()
                with memsql.connect(settings, local_infile=True) as other:
                    merge(staged(table, settings, other).slice_id, other)
            return kept(asked, name, *given, **names)

        monkeypatch.setattr(memsql, function, merge_first)

    return go


@pytest.fixture
def turn(settings: MergeSettings) -> Turn:
    """One turn of a session of its own, with these settings; what it took in."""

    def go(**values: Any) -> int:
        session = RollupSession(settings.model_copy(update=values), lambda *_: None, lambda *_: None)
        session.turn()
        session.close()
        assert session.errors == 0
        return session.slices

    return go


def brands(query: Query) -> list[tuple[Any, ...]]:
    rows = query("SELECT brand_id, repins, unique_people FROM brand_hourly ORDER BY brand_id, hour")
    return [tuple(row.values()) for row in rows]


def people(query: Query) -> int:
    return sum(row["bits"].bit_count() for row in query("SELECT bits FROM people_daily"))


def test_several_slices_of_several_tables_are_taken_in_at_once(
    settings: MergeSettings, connection: Connection, merge_only: MergeOnly, query: Query
) -> None:
    land(settings.lake_uri, [event("repin", "a", 0), event("comment", "c", 1, user_id=2)])
    merge_only("repins", "comments")
    land(settings.lake_uri, [event("repin", "b", 2, user_id=3)])
    merge_only()
    assert brands(query) == []
    assert len(query("SELECT * FROM stale_rows")) == 3

    assert rollups.recompute(connection) == 3
    assert brands(query) == [(70, 2, 3)]
    assert query("SELECT * FROM rollup_queue") == query("SELECT * FROM stale_rows") == []
    assert rollups.recompute(connection) == 0


@pytest.mark.parametrize("lane", ["BUCKETS", "PINS_AND_PEOPLE"])
def test_what_dies_half_way_has_taken_no_slice(
    settings: MergeSettings,
    connection: Connection,
    merge_only: MergeOnly,
    query: Query,
    monkeypatch: pytest.MonkeyPatch,
    lane: str,
) -> None:
    land(settings.lake_uri, [event("login", "l", 0), event("repin", "a", 1)])
    merge_only("logins", "repins")
    monkeypatch.setattr(rollups, lane, replace(getattr(rollups, lane), rollups=("brand_hourly", "no_such_rollup")))
    with pytest.raises(MissingPartError):
        rollups.recompute(connection)
    assert brands(query) == []
    assert len(query("SELECT * FROM rollup_queue")) == 2
    monkeypatch.undo()
    assert rollups.recompute(connection) == 2
    assert brands(query) == [(70, 1, 1)]


def test_a_row_that_is_corrected_before_the_rollups_is_counted_where_it_is_now(
    settings: MergeSettings, connection: Connection, merge_only: MergeOnly, query: Query
) -> None:
    land(settings.lake_uri, [event("repin", "a", 0, user_id=7), event("repin", "b", 1, user_id=8)])
    merge_only()
    update(settings.lake_uri, "event_id = 'a'", {"brand_id": "33", "user_id": "9"})
    merge_only()
    rollups.recompute(connection)
    assert brands(query) == [(33, 1, 1), (70, 1, 1)]
    assert people(query) == 2, "nobody acted as 7"


def test_a_row_that_is_erased_before_the_rollups_is_nowhere(
    settings: MergeSettings, connection: Connection, merge_only: MergeOnly, query: Query
) -> None:
    land(settings.lake_uri, [event("repin", "a", 0, user_id=7), event("login", "l", 1, user_id=7)])
    merge_only("repins", "logins")
    delete(settings.lake_uri, "user_id = 7")
    merge_only("repins", "logins")
    rollups.recompute(connection)
    assert brands(query) == []
    assert people(query) == 0
    assert query("SELECT * FROM person_homes") == []


def test_a_spare_delivery_makes_nobody_seen(
    settings: MergeSettings, connection: Connection, merge_only: MergeOnly, query: Query
) -> None:
    land(settings.lake_uri, [event("repin", "a", 0, user_id=7), event("repin", "a", 1, user_id=8)])
    merge_only()
    rollups.recompute(connection)
    assert people(query) == 1


def test_staging_keeps_what_the_rollups_need(
    settings: MergeSettings, connection: Connection, merge_only: MergeOnly, query: Query
) -> None:
    land(settings.lake_uri, [event("repin", "a", 0)])
    merge_only()
    land(settings.lake_uri, [event("repin", "b", 1)])
    merge_only()
    assert len(query("SELECT * FROM staging_repins")) == 2
    rollups.recompute(connection)
    land(settings.lake_uri, [event("repin", "c", 2)])
    merge_only()
    assert [r["event_id"] for r in query("SELECT event_id FROM staging_repins")] == ["c"]


def test_a_slice_that_is_merged_meanwhile_stays_in_the_queue(
    settings: MergeSettings,
    connection: Connection,
    merge_only: MergeOnly,
    merge_before: MergeBefore,
    query: Query,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    land(settings.lake_uri, [event("repin", "a", 0)])
    merge_only()
    later = [event("repin", "b", 1, occurred_at=NOON + hours(1))]
    merge_before("fetch", "rollup/lock", "repins", lambda: land(settings.lake_uri, later))
    assert rollups.recompute(connection) == 1
    monkeypatch.undo()
    assert len(query("SELECT * FROM rollup_queue")) == 1
    assert rollups.recompute(connection) == 1
    assert brands(query) == [(70, 1, 1), (70, 1, 1)]


def test_an_erasure_in_the_middle_of_a_recomputation_loses_no_first(
    settings: MergeSettings,
    connection: Connection,
    merge_only: MergeOnly,
    merge_before: MergeBefore,
    query: Query,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    land(settings.lake_uri, [event("pin", "a", 0), event("pin", "b", 1, occurred_at=NOON + hours(1))])
    merge_only("pins")
    rollups.recompute(connection)
    land(settings.lake_uri, [event("repin", "r", 2)])
    merge_only()
    merge_before("execute_all", "rollup/pin_firsts", "pins", lambda: delete(settings.lake_uri, "event_id = 'a'"))
    assert rollups.recompute(connection) == 1
    monkeypatch.undo()
    assert query("SELECT * FROM pin_firsts") == [], "the recomputation saw the erasure: otherwise this shows nothing"
    assert rollups.recompute(connection) == 1
    assert [row["pinned_at"] for row in query("SELECT pinned_at FROM pin_firsts")] == [
        (NOON + hours(1)).replace(tzinfo=None)
    ]


def test_rollups_are_complete_through_what_all_tables_are(
    settings: MergeSettings,
    connection: Connection,
    merge_only: MergeOnly,
    turn: Turn,
    query: Query,
) -> None:
    tables = ("pins", "repins", "comments", "logins")
    land(settings.lake_uri, [event("repin", "a", 41)])
    merge_only(*tables)
    reach = "SELECT next_offset FROM merge_progress WHERE table_name = 'rollups'"
    assert query(reach) == []
    rollups.recompute(connection)
    assert query(reach) == [{"next_offset": 42}]

    land(settings.lake_uri, [event("dead_letter", None, 42)])
    merge_only("repins")
    turn()
    assert query(reach) == [{"next_offset": 42}], "the other tables have not seen it"
    merge_only(*tables)
    turn()
    assert query(reach) == [{"next_offset": 43}], "without a slice in the queue too"


def test_rollups_are_complete_through_nothing_before_every_table_is(
    settings: MergeSettings,
    connection: Connection,
    merge_only: MergeOnly,
    turn: Turn,
    query: Query,
) -> None:
    land(settings.lake_uri, [event("repin", "a", 41)])
    merge_only("repins")
    rollups.recompute(connection)
    turn()
    assert query("SELECT next_offset FROM merge_progress WHERE table_name = 'rollups'") == []


def test_soon_after_a_merge_but_seldom_while_merges_are_behind(
    settings: MergeSettings, merge_only: MergeOnly, turn: Turn
) -> None:
    land(settings.lake_uri, [event("repin", "a", 0)])
    merge_only("pins", "repins", "comments", "logins")
    assert turn(rollup_interval_seconds=60.0) == 0
    land(settings.lake_uri, [event("repin", f"b{n}", n) for n in range(1, 9)])
    behind = {"rollup_interval_seconds": 0.001, "rollup_behind_rows": 7}
    assert turn(**behind, rollup_max_seconds=60.0) == 0
    assert turn(**behind, rollup_max_seconds=0.001) == 1
    merge_only("pins", "repins", "comments", "logins")
    assert turn(**behind, rollup_max_seconds=60.0) == 1


def test_lasting_errors_are_told_and_their_end(
    settings: MergeSettings, merge_only: MergeOnly, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = []
    session = RollupSession(
        settings.model_copy(update={"rollup_interval_seconds": 0.001}),
        lambda alert, subject, _: told.append(("raised", alert, subject)),
        lambda alert, subject, _: told.append(("resolved", alert, subject)),
    )
    land(settings.lake_uri, [event("repin", "a", 0)])
    merge_only()
    monkeypatch.setattr(rollups, "BUCKETS", replace(rollups.BUCKETS, rollups=("no_such_rollup",)))
    for _ in range(4):
        session.turn()
    assert session.pause(worked=False) == 8.0
    monkeypatch.undo()
    session.turn()
    session.close()
    assert told == [("raised", MERGE_FAILING, "rollups"), ("resolved", MERGE_FAILING, "rollups")]
    assert session.slices == 1

"""The rollups follow the merges, several slices at a time: no event is lost and none is counted twice."""

from collections.abc import Callable
from typing import Any

import pytest

from pinwheel.alerts.catalogue import MERGE_FAILING
from pinwheel.clients import memsql
from pinwheel.clients.memsql import Connection
from pinwheel.core.contract import TABLES
from pinwheel.core.settings import MergeSettings
from pinwheel.merge.ledger import SupersededError
from pinwheel.merge.merge import merge
from pinwheel.rollup.rollups import Rollups
from pinwheel.rollup.session import RollupSession
from tests.support import slices
from tests.support.dying import die_at
from tests.support.lakes import NOON, delete, event, hours, land, update
from tests.support.slices import prepared
from tests.support.types import Query

MergeOnly = Callable[..., None]
MergeBefore = Callable[[str, str, str, Callable[[], object]], None]  # function, statement, table, change
Turn = Callable[..., int]


@pytest.fixture
def merge_only(settings: MergeSettings, connection: Connection) -> MergeOnly:
    """Merges all that is due; the rollups stay as they are."""

    def go(*tables: str) -> None:
        for table in tables or ("repins",):
            slices.merge_all(table, settings, connection)

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
                    merge(prepared(table, settings, other), other)
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

    assert Rollups().refresh(connection) == 3
    assert brands(query) == [(70, 2, 3)]
    assert query("SELECT * FROM rollup_increments") == []
    assert Rollups().refresh(connection) == 0


DIES_AT = ["rollup/claim", "rollup/keep_presence", "rollup/add", "rollup/take", "merge/move_progress"]


@pytest.mark.parametrize("statement", DIES_AT)
def test_a_refresh_that_dies_has_taken_nothing(
    settings: MergeSettings,
    connection: Connection,
    merge_only: MergeOnly,
    query: Query,
    monkeypatch: pytest.MonkeyPatch,
    statement: str,
) -> None:
    land(settings.lake_uri, [event("repin", "z", 0, user_id=5)])
    merge_only(*TABLES)
    rollups = Rollups()
    rollups.refresh(connection)
    land(settings.lake_uri, [event("login", "l", 1), event("repin", "a", 2)])
    merge_only(*TABLES)

    die_at(monkeypatch, statement)
    with pytest.raises(KeyboardInterrupt):
        rollups.refresh(connection)
    assert brands(query) == [(70, 1, 1)]
    assert len(query("SELECT * FROM rollup_increments")) == 2
    monkeypatch.undo()
    assert rollups.refresh(connection) == 2
    assert brands(query) == [(70, 2, 2)]
    assert people(query) == 2


def test_of_two_refreshes_at_once_one_changes_nothing(
    settings: MergeSettings,
    connection: Connection,
    merge_only: MergeOnly,
    query: Query,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    land(settings.lake_uri, [event("repin", "a", 0)])
    merge_only()
    fetch, slow, fast = memsql.fetch, Rollups(), Rollups()

    def faster(asked: Connection, name: str, *given: Any, **names: Any) -> Any:
        found = fetch(asked, name, *given, **names)
        if name == "rollup/increments":
            monkeypatch.undo()
            with memsql.connect(settings, local_infile=True) as other:
                assert fast.refresh(other) == 1
        return found

    monkeypatch.setattr(memsql, "fetch", faster)
    with pytest.raises(SupersededError, match="refreshed by another process"):
        slow.refresh(connection)
    assert brands(query) == [(70, 1, 1)]
    land(settings.lake_uri, [event("repin", "b", 1)])
    merge_only()
    assert slow.refresh(connection) == 1
    assert brands(query) == [(70, 2, 1)]


def test_a_long_queue_is_taken_in_parts_and_only_then_complete(
    settings: MergeSettings,
    connection: Connection,
    merge_only: MergeOnly,
    query: Query,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("pinwheel.rollup.rollups.MOST_ROWS", 7)
    monkeypatch.setattr("pinwheel.merge.merge.PART_ROWS", 2)
    for start in (0, 3, 6, 9):
        land(settings.lake_uri, [event("repin", f"e{n}", n) for n in range(start, start + 3)][: 10 - start])
        merge_only(*TABLES)
    rollups, reached = Rollups(), []
    while rollups.refresh(connection):
        reached.append(
            (brands(query)[0][1], query("SELECT next_offset FROM table_progress WHERE table_name = 'rollups'"))
        )
    assert reached == [(6, []), (10, [{"next_offset": 10}])]


def test_a_day_is_made_anew_from_its_rows(
    settings: MergeSettings, connection: Connection, merge_only: MergeOnly, query: Query
) -> None:
    day_before = event("repin", "old", 9, occurred_at=NOON - hours(24))
    land(settings.lake_uri, [event("repin", "a", 0), event("repin", "b", 1, user_id=2), day_before])
    merge_only()
    rollups = Rollups()
    rollups.refresh(connection)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE brand_hourly SET repins = repins + 5, unique_people = 0")
        cursor.execute("DELETE FROM presence")
        cursor.execute("INSERT INTO stale_days (day) VALUES ('2026-03-14')")
    connection.commit()
    land(settings.lake_uri, [event("repin", "c", 2, user_id=3)])
    merge_only()
    assert rollups.refresh(connection) == 1, "what is queued for the day is in its rows already"
    assert brands(query) == [(70, 6, 0), (70, 3, 3)]
    assert query("SELECT * FROM stale_days") == []
    assert rollups.refresh(connection) == 0


def test_a_day_that_is_noted_again_meanwhile_is_made_anew_again(
    settings: MergeSettings,
    connection: Connection,
    merge_only: MergeOnly,
    query: Query,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Another table of it was exchanged after this refresh had read its rows."""
    land(settings.lake_uri, [event("repin", "a", 0)])
    merge_only()
    day = {"day": NOON.date()}
    memsql.execute(connection, "rollup/note_stale_day", day)
    connection.commit()
    execute = memsql.execute

    def noted_meanwhile(asked: Connection, name: str, *given: Any, **names: Any) -> int:
        if name == "rollup/claim":
            with memsql.connect(settings) as other, memsql.transaction(other):
                execute(other, "rollup/note_stale_day", day)
        return execute(asked, name, *given, **names)

    monkeypatch.setattr(memsql, "execute", noted_meanwhile)
    Rollups().refresh(connection)
    monkeypatch.undo()
    assert len(query("SELECT * FROM stale_days")) == 1
    Rollups().refresh(connection)
    assert query("SELECT * FROM stale_days") == []
    assert brands(query) == [(70, 1, 1)]


def test_a_stale_day_waits_for_its_turn_and_nothing_is_counted_twice(
    settings: MergeSettings, connection: Connection, merge_only: MergeOnly, query: Query
) -> None:
    """After an upgrade all days are stale, and no person is counted yet."""
    land(settings.lake_uri, [event("repin", f"e{n}", n, user_id=n, occurred_at=NOON - hours(24 * n)) for n in range(3)])
    merge_only(*TABLES)
    Rollups().refresh(connection)
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM presence")
        cursor.execute("INSERT INTO stale_days (day) SELECT DISTINCT day FROM brand_daily")
    connection.commit()
    update(settings.lake_uri, "event_id = 'e2'", {"user_id": "9"})
    land(settings.lake_uri, [event("repin", "new", 9, user_id=8, occurred_at=NOON - hours(24))])
    merge_only(*TABLES)
    rollups = Rollups()
    assert rollups.refresh(connection) == 1
    assert query("SELECT COUNT(*) AS n FROM stale_days") == [{"n": 2}]
    while query("SELECT * FROM stale_days"):
        rollups.refresh(connection)
    assert brands(query) == [(70, 1, 1), (70, 2, 2), (70, 1, 1)]
    assert people(query) == 4


def test_an_increment_that_went_wrong_has_its_day_made_anew(
    settings: MergeSettings, connection: Connection, merge_only: MergeOnly, query: Query
) -> None:
    land(settings.lake_uri, [event("repin", "a", 0), event("repin", "b", 1, user_id=2)])
    merge_only()
    Rollups().refresh(connection)
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM presence")
    connection.commit()
    delete(settings.lake_uri, "event_id = 'a'")
    merge_only()
    assert Rollups().refresh(connection) == 1
    assert brands(query) == [(70, 1, 1)]
    assert people(query) == 1


def test_a_row_that_is_corrected_before_the_rollups_is_counted_where_it_is_now(
    settings: MergeSettings, connection: Connection, merge_only: MergeOnly, query: Query
) -> None:
    land(settings.lake_uri, [event("repin", "a", 0, user_id=7), event("repin", "b", 1, user_id=8)])
    merge_only()
    update(settings.lake_uri, "event_id = 'a'", {"brand_id": "33", "user_id": "9"})
    merge_only()
    Rollups().refresh(connection)
    assert brands(query) == [(33, 1, 1), (70, 1, 1)]
    assert people(query) == 2, "nobody acted as 7"


def test_a_row_that_is_erased_before_the_rollups_is_nowhere(
    settings: MergeSettings, connection: Connection, merge_only: MergeOnly, query: Query
) -> None:
    land(settings.lake_uri, [event("repin", "a", 0, user_id=7), event("login", "l", 1, user_id=7)])
    merge_only("repins", "logins")
    delete(settings.lake_uri, "user_id = 7")
    merge_only("repins", "logins")
    Rollups().refresh(connection)
    assert brands(query) == []
    assert people(query) == 0
    assert query("SELECT * FROM person_homes") == []


def test_a_spare_delivery_makes_nobody_seen(
    settings: MergeSettings, connection: Connection, merge_only: MergeOnly, query: Query
) -> None:
    land(settings.lake_uri, [event("repin", "a", 0, user_id=7), event("repin", "a", 1, user_id=8)])
    merge_only()
    Rollups().refresh(connection)
    assert people(query) == 1


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
    merge_before("execute", "rollup/claim", "repins", lambda: land(settings.lake_uri, later))
    assert Rollups().refresh(connection) == 1
    monkeypatch.undo()
    assert len(query("SELECT * FROM rollup_increments")) == 1
    assert Rollups().refresh(connection) == 1
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
    Rollups().refresh(connection)
    land(settings.lake_uri, [event("repin", "r", 2)])
    merge_only()
    merge_before("execute_all", "rollup/pin_firsts", "pins", lambda: delete(settings.lake_uri, "event_id = 'a'"))
    assert Rollups().refresh(connection) == 1
    monkeypatch.undo()
    assert query("SELECT * FROM pin_firsts") == [], "the recomputation saw the erasure: otherwise this shows nothing"
    assert Rollups().refresh(connection) == 1
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
    reach = "SELECT next_offset FROM table_progress WHERE table_name = 'rollups'"
    assert query(reach) == []
    Rollups().refresh(connection)
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
    Rollups().refresh(connection)
    turn()
    assert query("SELECT next_offset FROM table_progress WHERE table_name = 'rollups'") == []


def test_soon_after_a_merge(settings: MergeSettings, merge_only: MergeOnly, turn: Turn) -> None:
    land(settings.lake_uri, [event("repin", "a", 0)])
    merge_only(*TABLES)
    assert turn(rollup_interval_seconds=60.0) == 0
    assert turn(rollup_interval_seconds=0.001) == 1


def test_many_increments_do_not_wait(
    settings: MergeSettings, merge_only: MergeOnly, turn: Turn, monkeypatch: pytest.MonkeyPatch
) -> None:
    land(settings.lake_uri, [event("repin", "a", 0), event("repin", "b", 1)])
    merge_only(*TABLES)
    monkeypatch.setattr("pinwheel.rollup.session.MANY_ROWS", 3)
    assert turn(rollup_interval_seconds=60.0) == 0
    monkeypatch.setattr("pinwheel.rollup.session.MANY_ROWS", 2)
    assert turn(rollup_interval_seconds=60.0) == 1


def test_lasting_errors_are_told_and_their_end(
    settings: MergeSettings, merge_only: MergeOnly, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = []
    session = RollupSession(
        settings.model_copy(update={"rollup_interval_seconds": 0.001}),
        lambda alert, subject, _: told.append(("raised", alert, subject)),
        lambda alert, subject, *_: told.append(("resolved", alert, subject)),
    )
    land(settings.lake_uri, [event("repin", "a", 0)])
    merge_only()

    def refuse(*_: object) -> int:
        raise RuntimeError("no rollups today")

    monkeypatch.setattr(Rollups, "refresh", refuse)
    for _ in range(4):
        session.turn()
    assert session.pause(worked=False) == 8.0
    monkeypatch.undo()
    session.turn()
    session.close()
    assert told == [("raised", MERGE_FAILING, "rollups"), ("resolved", MERGE_FAILING, "rollups")]
    assert session.slices == 1

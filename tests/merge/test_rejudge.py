"""Rows in quarantine whose rule has changed reach their table by the feed, once; all others stay."""

import json
from collections.abc import Callable
from contextlib import closing
from dataclasses import asdict
from typing import Any

import pytest
from deltalake import DeltaTable

from expectations import suites
from pinwheel.clients import memsql
from pinwheel.clients.memsql import Connection, Row
from pinwheel.core.settings import MergeSettings, ReplaySettings
from pinwheel.lake import changes
from pinwheel.lake.replay import Wanted
from pinwheel.lake.replay_outcome import EXPIRED
from pinwheel.merge import rejudge as judging
from pinwheel.merge.gate import Gate
from pinwheel.merge.merge import merge, next_slice
from pinwheel.merge.rejudge import Rejudged, rejudge
from pinwheel.rollup.rollups import Rollups
from tests.support.lakes import NOON, delete, event, hours, land
from tests.support.places import on_disk_and_in_a_store
from tests.support.types import Query

Run = Callable[..., Rejudged]
BAD = {"country_code": "nl"}  # breaks a row rule
RULE = "expect_column_values_to_match_regex(country_code)"


@pytest.fixture(scope="module")
def gate() -> Gate:
    return Gate(1.0)


@pytest.fixture
def run(settings: MergeSettings, connection: Connection) -> Run:
    def go(table: str = "repins", dry_run: bool = False, **wanted: Any) -> Rejudged:
        own = ReplaySettings(**settings.model_dump(include=set(ReplaySettings.model_fields)))
        found = rejudge(own, connection, Wanted(**wanted), "ann", dry_run=dry_run)
        return {done.table: done for done in found}.get(table, Rejudged("not judged"))

    return go


@pytest.fixture
def merge_gated(settings: MergeSettings, connection: Connection, gate: Gate) -> Callable[[], int]:
    """Judges and merges all that is due for repins, then the rollups; returns the number of rows read."""

    def go() -> int:
        read = 0
        while (found := next_slice("repins", settings, connection)) is not None:
            with closing(found):
                verdict = gate.check(found)
                merge(found, connection, verdict)
                read += found.rows_read
        Rollups(now=lambda: NOON + hours(12)).refresh(connection)
        return read

    return go


def drop_rule(monkeypatch: pytest.MonkeyPatch) -> None:
    """From now on ``BAD`` breaks no rule."""
    rules = suites.row_rules
    monkeypatch.setattr(suites, "row_rules", lambda kind: [rule for rule in rules(kind) if rule.label != RULE])


def version(settings: MergeSettings) -> int:
    return int(DeltaTable(settings.events_uri).version())


def in_table(query: Query) -> list[Row]:
    return query("SELECT event_id, country_code FROM repins ORDER BY event_id")


def test_while_the_rule_stands_all_stay(
    settings: MergeSettings, query: Query, run: Run, merge_gated: Callable[[], int]
) -> None:
    land(settings.lake_uri, [event("repin", "a", 0, **BAD), event("repin", "b", 1)])
    merge_gated()
    before = version(settings)
    done = run()
    assert (done.rows, done.passing, done.sent, done.broken) == (1, 0, 0, {RULE: 1})
    assert done.samples == ["expect_column_values_to_match_regex: country_code='nl'"]
    assert version(settings) == before
    assert len(query("SELECT * FROM quarantine")) == 1


@on_disk_and_in_a_store
def test_rows_whose_rule_has_changed_reach_the_table_and_the_rollups_once(
    settings: MergeSettings, query: Query, run: Run, merge_gated: Callable[[], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    land(settings.lake_uri, [event("repin", n, i, **BAD) for i, n in enumerate("abc")] + [event("repin", "d", 7)])
    merge_gated()
    assert [len(query("SELECT * FROM quarantine")), len(in_table(query))] == [3, 1]
    drop_rule(monkeypatch)

    before = version(settings)
    dry = run(dry_run=True)
    assert (dry.passing, dry.sent, version(settings)) == (3, 0, before)
    assert json.loads(json.dumps(asdict(dry)))["passing"] == 3
    assert run().sent == 3
    assert len(query("SELECT * FROM quarantine")) == 3, "until the merge has taken them in"
    assert merge_gated() == 3, "the other row of the file does not come again"
    assert query("SELECT * FROM quarantine") == []
    assert [row["event_id"] for row in in_table(query)] == ["a", "b", "c", "d"]
    assert query("SELECT SUM(repins) AS n FROM brand_daily")[0]["n"] == 4

    before, rows = version(settings), in_table(query)
    assert (run().rows, version(settings)) == (0, before)
    assert (merge_gated(), in_table(query)) == (0, rows)


def test_a_run_that_dies_and_one_that_comes_twice_change_nothing_more(
    settings: MergeSettings,
    query: Query,
    run: Run,
    merge_gated: Callable[[], int],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    land(settings.lake_uri, [event("repin", n, i, **BAD) for i, n in enumerate("abcd")])
    merge_gated()
    drop_rule(monkeypatch)
    monkeypatch.setattr(judging, "PAGE_ROWS", 2)
    for after in (False, True):
        with monkeypatch.context() as patch:
            patch.setattr(judging, "send_again", dying(after))
            with pytest.raises(KeyboardInterrupt):
                run()
    assert len(query("SELECT * FROM quarantine")) == 4
    assert run().sent == 4
    assert merge_gated() > 0
    assert [row["event_id"] for row in in_table(query)] == ["a", "b", "c", "d"]
    assert query("SELECT * FROM quarantine") == []
    assert query("SELECT SUM(repins) AS n FROM brand_daily")[0]["n"] == 4
    assert run().rows == 0


def dying(after: bool) -> Callable[..., int]:
    """Dies at its second call, before or after the commit."""
    calls: list[int] = []

    def call(*given: Any) -> int:
        calls.append(1)
        if len(calls) == 2 and not after:
            raise KeyboardInterrupt
        done = changes.send_again(*given)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return done

    return call


def test_another_log_s_event_at_the_same_offset_is_another_row(
    settings: MergeSettings, query: Query, run: Run, merge_gated: Callable[[], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A topic that was made anew: its new rows neither leave quarantine for old ones, nor the other way round."""
    land(settings.lake_uri, [event("repin", "old", 0, **BAD), event("repin", "worse", 1, user_id=-1, **BAD)])
    merge_gated()
    land(settings.lake_uri, [event("repin", "new", 0, user_id=-1, **BAD), event("repin", "fine", 1)])
    merge_gated()
    held = "SELECT event_id FROM quarantine ORDER BY event_id"
    assert [row["event_id"] for row in query(held)] == ["new", "old", "worse"]
    drop_rule(monkeypatch)
    done = run()
    assert (done.rows, done.sent, done.gone) == (3, 1, 0)
    merge_gated()
    assert [row["event_id"] for row in query(held)] == ["new", "worse"]
    assert [row["event_id"] for row in in_table(query)] == ["fine", "old"]


def test_only_those_are_judged_that_are_wanted(
    settings: MergeSettings, run: Run, merge_gated: Callable[[], int]
) -> None:
    later = NOON + hours(2)
    land(settings.lake_uri, [event("repin", "a", 0, **BAD), event("repin", "b", 1, kafka_timestamp=later, **BAD)])
    merge_gated()
    assert [run(since=later).rows, run(until=later).rows, run(event_type="repin").rows] == [1, 1, 2]
    assert run(event_type="pin").table == "not judged"
    delete(settings.lake_uri, "event_id = 'a'")
    assert (run().gone, run().rows) == (1, 1)


def test_an_earlier_delivery_that_comes_home_is_the_one_that_is_kept(
    settings: MergeSettings, query: Query, run: Run, merge_gated: Callable[[], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a rebuild and the checks of hours have it: the first by Kafka's time, whatever came to the table first."""
    again = NOON + hours(0.1)
    land(settings.lake_uri, [event("repin", "a", 0, **BAD), event("repin", "a", 5, kafka_timestamp=again)])
    merge_gated()
    assert query("SELECT kafka_offset FROM repins") == [{"kafka_offset": 5}]
    drop_rule(monkeypatch)
    run()
    merge_gated()
    assert query("SELECT kafka_offset, country_code FROM repins") == [{"kafka_offset": 0, "country_code": "nl"}]
    assert query("SELECT SUM(repins) AS n FROM brand_daily")[0]["n"] == 1
    countries = query("SELECT country_code, repins FROM brand_country_daily WHERE repins > 0")
    assert countries == [{"country_code": "nl", "repins": 1}]


def test_a_row_whose_day_is_no_longer_kept_stays_and_is_not_sent(
    settings: MergeSettings, connection: Connection, query: Query, run: Run, merge_gated: Callable[[], int]
) -> None:
    with memsql.transaction(connection), connection.cursor() as cursor:
        cursor.execute("INSERT INTO retention (store, kept_from) VALUES ('events', %s)", [NOON.date()])
    land(settings.lake_uri, [event("repin", "old", 0, occurred_at=NOON - hours(24)), event("repin", "new", 1)])
    merge_gated()
    before = version(settings)
    done = run()
    assert (done.rows, done.passing, done.sent, done.broken) == (1, 0, 0, {EXPIRED: 1})
    assert version(settings) == before
    assert [row["event_id"] for row in query("SELECT * FROM quarantine")] == ["old"]


def test_a_row_that_is_set_aside_again_is_in_quarantine_once(
    settings: MergeSettings, query: Query, run: Run, merge_gated: Callable[[], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    land(settings.lake_uri, [event("repin", "a", 0, **BAD), event("repin", "b", 1, **BAD)])
    merge_gated()
    with monkeypatch.context() as patch:
        drop_rule(patch)
        run()
    assert merge_gated() == 2
    rows = query("SELECT event_id, slice_id FROM quarantine ORDER BY event_id")
    assert [row["event_id"] for row in rows] == ["a", "b"]
    assert {row["slice_id"] for row in rows} == {query("SELECT MAX(slice_id) AS n FROM merge_slices")[0]["n"]}


def test_a_run_does_not_read_what_the_merge_sets_aside_meanwhile(
    settings: MergeSettings, run: Run, merge_gated: Callable[[], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    land(settings.lake_uri, [event("repin", n, i, **BAD) for i, n in enumerate("abcd")])
    merge_gated()
    monkeypatch.setattr(judging, "PAGE_ROWS", 2)

    def judged(*given: Any) -> Any:
        if len(rounds) < 4:
            rounds.append(1)
            land(settings.lake_uri, [event("repin", f"more{len(rounds)}", 10 + len(rounds), **BAD)])
            merge_gated()
        return passing(*given)

    passing, rounds = judging._passing, list[int]()
    monkeypatch.setattr(judging, "_passing", judged)
    assert run(dry_run=True).rows == 4

"""The gate: which slices it holds, which rows it quarantines, and what a person may decide."""

import logging
import math
from datetime import UTC, datetime

import pytest

from pinwheel.clients import memsql
from pinwheel.clients.memsql import Connection, Row
from pinwheel.core.contract import SliceState
from pinwheel.core.errors import MergeError
from pinwheel.core.settings import MergeSettings
from pinwheel.merge import gate as gates
from pinwheel.merge import ledger
from pinwheel.merge.gate import Gate
from pinwheel.merge.merge import merge
from tests.support.lakes import NOON, delete, event, hours, land, update
from tests.support.slices import again, hold, prepared
from tests.support.types import Query

SHARE = 0.5


@pytest.fixture(scope="module")
def gate() -> Gate:
    return Gate(SHARE)


@pytest.fixture
def _few_rows_are_many(monkeypatch: pytest.MonkeyPatch) -> None:
    """A share of bad rows counts in slices as small as those of the tests."""
    monkeypatch.setattr(gates, "SMALL_ROWS", 2)


def good(count: int, kind: str = "repin") -> list[Row]:
    return [event(kind, f"good{i}", i) for i in range(count)]


def states(query: Query) -> list[str]:
    return [r["state"] for r in query("SELECT state FROM merge_slices ORDER BY slice_id")]


@pytest.mark.parametrize("table", ["pins", "repins", "comments", "logins"])
def test_good_rows_pass_every_rule(settings: MergeSettings, connection: Connection, gate: Gate, table: str) -> None:
    land(settings.lake_uri, good(5, table.rstrip("s")))
    verdict = gate.check(prepared(table, settings, connection))
    assert (verdict.reasons, verdict.warnings, verdict.quarantined) == ((), (), 0)


def test_the_internals_of_great_expectations_stay_out_of_the_log(
    settings: MergeSettings, connection: Connection, caplog: pytest.LogCaptureFixture
) -> None:
    land(settings.lake_uri, good(5))
    with caplog.at_level(logging.INFO):  # as Airflow sets the root logger of a task
        Gate(SHARE).check(prepared("repins", settings, connection))
    assert {r.name.partition(".")[0] for r in caplog.records if r.levelno < logging.WARNING} <= {"pinwheel"}


def test_a_row_that_breaks_two_rules_is_quarantined_once_with_both_reasons(
    settings: MergeSettings, connection: Connection, gate: Gate, query: Query
) -> None:
    land(settings.lake_uri, [*good(5), event("repin", "bad", 9, latitude=91.5, country_code="nl")])
    found = prepared("repins", settings, connection)
    verdict = gate.check(found)
    assert verdict.quarantined == 1
    assert merge(found, connection, verdict).inserted == 5
    (row,) = query("SELECT * FROM quarantine")
    assert (row["event_id"], row["kafka_offset"], row["table_name"]) == ("bad", 9, "repins")
    assert "latitude=91.5" in row["reason"]
    assert "country_code='nl'" in row["reason"]
    assert '"latitude": 91.5' in row["row_json"]
    assert query("SELECT rows_read, quarantined, inserted FROM merge_slices") == [
        {"rows_read": 6, "quarantined": 1, "inserted": 5}
    ]


def test_every_row_of_many_that_break_a_rule_goes_to_quarantine(
    settings: MergeSettings, connection: Connection, gate: Gate, query: Query
) -> None:
    """More than one statement takes, or the share allows; a person accepts it."""
    bad = [event("repin", f"bad{i}", 2000 + i, user_id=-1 - i, latitude=91.0 if i % 2 else 1.0) for i in range(1200)]
    land(settings.lake_uri, [*good(50), *bad])
    found = prepared("repins", settings, connection)
    verdict = gate.check(found)
    assert verdict.held
    ledger.release(settings, hold(found, verdict, connection).slice_id, "accept")
    accepted = ledger.waiting(connection, "repins")
    assert accepted is not None
    connection.commit()
    found = again(accepted, settings)
    verdict = gate.check(found, accepted=True)
    assert verdict.quarantined == 1200
    assert merge(found, connection, verdict, accepted_id=accepted.slice_id).inserted == 50
    assert query("SELECT COUNT(*) AS n FROM quarantine WHERE reason LIKE '%%latitude=91.0%%'") == [{"n": 600}]
    assert query("SELECT COUNT(*) AS n FROM repins WHERE user_id < 0") == [{"n": 0}]


def test_a_slice_that_great_expectations_can_not_judge_is_not_passed(
    settings: MergeSettings, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    land(settings.lake_uri, good(5))
    from expectations import suites  # not at the top: it takes seconds

    broken = Gate(SHARE)
    monkeypatch.setattr(suites, "EXCESS", "another_column")
    with pytest.raises(MergeError, match="a slice of repins could not be judged"):
        broken.check(prepared("repins", settings, connection))


NEWEST = {"table_name": "repins", "state": "merged", "top": 1}
BAD: dict[str, list[Row]] = {
    "comments": [{"text": "é" * 5001}, {"pin_id": None}, {"user_id": -1}, {"category": "(none)"}],
    "logins": [{"client": "toaster"}, {"country_code": "ZZ"}, {"longitude": 181.0}, {"latitude": math.nan}],
    "repins": [{"pin_status": "guessed"}, {"kafka_timestamp": NOON + hours(24 * 500)}, {"city": "x" * 256}],
    "pins": [{"title": "é" * 501}, {"link": "h" * 2049}, {"pin_created_at": datetime(999, 12, 31, tzinfo=UTC)}],
}


@pytest.mark.parametrize("table", BAD)
def test_each_row_rule_catches_its_row(
    settings: MergeSettings, connection: Connection, gate: Gate, query: Query, table: str
) -> None:
    kind = table.rstrip("s")
    bad = [event(kind, f"bad{i}", 100 + i, **values) for i, values in enumerate(BAD[table])]
    land(settings.lake_uri, [*good(20, kind), *bad])
    found = prepared(table, settings, connection)
    verdict = gate.check(found)
    assert verdict.quarantined == len(bad)
    merge(found, connection, verdict)
    reasons = {r["kafka_offset"]: r["reason"] for r in query("SELECT kafka_offset, reason FROM quarantine")}
    for row, values in zip(bad, BAD[table], strict=True):
        (name,) = values
        assert (name if name != "kafka_timestamp" else "seconds_after_kafka") in reasons[row["kafka_offset"]]


def test_text_of_the_longest_allowed_length_passes_though_its_bytes_are_more(
    settings: MergeSettings, connection: Connection, gate: Gate, query: Query
) -> None:
    land(settings.lake_uri, [event("comment", "long", 0, text="🎡" * 5000)])
    found = prepared("comments", settings, connection)
    assert gate.check(found).quarantined == 0
    merge(found, connection)
    assert query("SELECT CHAR_LENGTH(text) AS n FROM comments") == [{"n": 5000}]


def test_a_missing_key_holds_the_slice_and_nothing_is_merged(
    settings: MergeSettings, connection: Connection, gate: Gate, query: Query
) -> None:
    land(settings.lake_uri, [*good(3), event("repin", None, 9)])
    found = prepared("repins", settings, connection)
    verdict = gate.check(found)
    assert verdict.held
    assert verdict.reasons == ("event_id is missing in 1 of 4 rows; allowed are 0",)
    hold(found, verdict, connection)
    assert states(query) == ["held"]
    (row,) = query("SELECT detail FROM merge_slices")
    assert "event_id" in row["detail"]
    with pytest.raises(ledger.SupersededError, match="another run was faster"):
        hold(found, verdict, connection)


@pytest.mark.usefixtures("_few_rows_are_many")
def test_too_many_bad_rows_hold_the_slice(settings: MergeSettings, connection: Connection, gate: Gate) -> None:
    land(settings.lake_uri, [*good(3), *(event("repin", f"bad{i}", 10 + i, latitude=99.0) for i in range(4))])
    found = prepared("repins", settings, connection)
    assert gate.check(found).held
    assert found.aside == []


def test_few_rows_never_hold_a_slice_however_bad(settings: MergeSettings, connection: Connection) -> None:
    """27 bad rows of 109 once stopped a table until a person came."""
    bad = [event("repin", f"bad{i}", 200 + i, user_id=-1) for i in range(27)]
    land(settings.lake_uri, [*good(82), *bad])
    strict = Gate(0.0)
    assert strict.check(prepared("repins", settings, connection)).quarantined == 27
    land(
        settings.lake_uri, [event("login", f"l{i}", 1000 + i, user_id=1 if i else -1) for i in range(gates.SMALL_ROWS)]
    )
    assert strict.check(prepared("logins", settings, connection)).held


@pytest.mark.usefixtures("_few_rows_are_many")
def test_different_rules_together_hold_the_slice(settings: MergeSettings, connection: Connection) -> None:
    bad = [event("repin", "x", 10, latitude=99.0), event("repin", "y", 11, user_id=-1)]
    land(settings.lake_uri, [*good(2), *bad])
    verdict = Gate(0.3).check(prepared("repins", settings, connection))
    assert verdict.reasons == ("2 of 4 rows would be quarantined; allowed are 1",)


def test_warnings_do_not_hold(settings: MergeSettings, connection: Connection, gate: Gate) -> None:
    land(settings.lake_uri, [event("repin", f"e{i}", i, pin_status="pending", country_code=None) for i in range(4)])
    verdict = gate.check(prepared("repins", settings, connection))
    assert not verdict.held
    assert verdict.warnings == (
        "country_code is missing in 4 of 4 rows; allowed are 2",
        "pin_status has a value that it must not have in 4 of 4 rows; allowed are 2, observed ['pending']",
    )


def test_release_accept_merges_what_can_be_stored(
    settings: MergeSettings, connection: Connection, gate: Gate, query: Query
) -> None:
    land(settings.lake_uri, [*good(3), event("repin", None, 9)])
    found = prepared("repins", settings, connection)
    held = hold(found, gate.check(found), connection)
    ledger.release(settings, held.slice_id, "accept", by="ann")
    accepted = ledger.waiting(connection, "repins")
    assert accepted is not None
    assert accepted.state == SliceState.ACCEPTED
    found = again(accepted, settings)
    verdict = gate.check(found, accepted=True)
    assert verdict.quarantined == 1
    assert merge(found, connection, verdict, accepted_id=held.slice_id).inserted == 3
    (row,) = query("SELECT state, detail, quarantined FROM merge_slices")
    assert (row["state"], row["quarantined"]) == ("merged", 1)
    assert '"decided_by": "ann"' in row["detail"]
    assert query("SELECT event_id, kafka_offset FROM quarantine") == [{"event_id": None, "kafka_offset": 9}]


def test_release_retry_prepares_the_same_versions_anew(
    settings: MergeSettings, connection: Connection, gate: Gate, query: Query
) -> None:
    land(settings.lake_uri, [*good(3), event("repin", None, 9)])
    found = prepared("repins", settings, connection)
    ledger.release(settings, hold(found, gate.check(found), connection).slice_id, "retry")
    connection.commit()
    assert ledger.waiting(connection, "repins") is None
    assert prepared("repins", settings, connection).versions == found.versions
    assert states(query) == ["superseded"]


def test_a_quarantined_row_that_is_corrected_is_no_longer_in_quarantine(
    settings: MergeSettings, connection: Connection, gate: Gate, query: Query
) -> None:
    uri = settings.lake_uri
    bad = [event("repin", f"bad{i}", 9 + i, latitude=91.5) for i in range(2)]
    land(uri, [*good(8), *bad])
    found = prepared("repins", settings, connection)
    merge(found, connection, gate.check(found))
    update(uri, "event_id = 'bad1'", {"latitude": "19.5"})
    found = prepared("repins", settings, connection)
    assert gate.check(found).quarantined == 0
    merge(found, connection)
    assert query("SELECT event_id FROM quarantine") == [{"event_id": "bad0"}]
    assert query("SELECT latitude FROM repins WHERE event_id = 'bad1'") == [{"latitude": 19.5}]


def test_a_new_log_does_not_touch_the_quarantined_rows_of_the_old_one(
    settings: MergeSettings, connection: Connection, gate: Gate, query: Query
) -> None:
    """A topic that was made anew has other records at the same places."""
    uri = settings.lake_uri
    land(uri, [event("repin", "old", 9, latitude=91.5), event("repin", None, 10, latitude=91.5)])
    found = prepared("repins", settings, connection)
    merge(found, connection, gate.check(found, accepted=True))
    assert len(query("SELECT * FROM quarantine")) == 2
    land(uri, [event("repin", "new9", 9), event("repin", "new10", 10)])
    merge(prepared("repins", settings, connection), connection)
    assert len(query("SELECT * FROM quarantine")) == 2
    delete(uri, "event_id IS NULL")
    merge(prepared("repins", settings, connection), connection)
    assert query("SELECT event_id FROM quarantine") == [{"event_id": "old"}]


def test_what_was_accepted_is_not_merged_once_the_decision_is_taken_back(
    settings: MergeSettings, connection: Connection, gate: Gate, query: Query
) -> None:
    land(settings.lake_uri, [*good(3), event("repin", None, 9)])
    found = prepared("repins", settings, connection)
    held = hold(found, gate.check(found), connection)
    ledger.release(settings, held.slice_id, "accept", by="ann")
    found = again(held, settings)
    verdict = gate.check(found, accepted=True)
    ledger.release(settings, held.slice_id, "retry")
    with pytest.raises(ledger.SupersededError, match="no longer accepted"):
        merge(found, connection, verdict, accepted_id=held.slice_id)

    assert ledger.waiting(connection, "repins") is None
    assert states(query) == ["superseded"]
    assert query("SELECT * FROM repins") == query("SELECT * FROM quarantine") == []
    assert prepared("repins", settings, connection).rows_read == 4


def test_release_refuses_what_makes_no_sense(settings: MergeSettings, connection: Connection, gate: Gate) -> None:
    land(settings.lake_uri, good(1))
    found = prepared("repins", settings, connection)
    merge(found, connection)
    (slice_id,) = [row["slice_id"] for row in memsql.fetch(connection, "pages/quality_slices", NEWEST)]
    with pytest.raises(MergeError, match="'drop' on slice"):
        ledger.release(settings, slice_id, "drop")
    with pytest.raises(MergeError, match="no slice 424242"):
        ledger.release(settings, 424242, "retry")
    with pytest.raises(MergeError, match="no longer held"):
        ledger.release(settings, slice_id, "retry")


def test_erasure_takes_quarantined_copies_too_and_is_not_judged(
    settings: MergeSettings, connection: Connection, gate: Gate, query: Query
) -> None:
    land(settings.lake_uri, [*good(5), event("repin", "bad", 9, latitude=99.0)])
    found = prepared("repins", settings, connection)
    merge(found, connection, gate.check(found))
    assert len(query("SELECT * FROM quarantine")) == 1
    delete(settings.lake_uri, "event_id = 'bad'")
    found = prepared("repins", settings, connection)
    assert not gate.check(found).held
    merge(found, connection)
    assert query("SELECT * FROM quarantine") == []

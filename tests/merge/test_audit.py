"""The gate: which slices it holds, which rows it quarantines, and what a person may decide."""

import logging
from typing import Any

import pytest

from pinwheel.clients.memsql import Connection, Row
from pinwheel.core.contract import SliceState
from pinwheel.core.errors import MergeError
from pinwheel.core.settings import MemsqlSettings, MergeSettings
from pinwheel.merge import ledger
from pinwheel.merge.audit import audit
from pinwheel.merge.gate import Gate
from pinwheel.merge.merge import merge
from tests.support.lakes import NOON, delete, event, hours, land, update
from tests.support.slices import staged
from tests.support.types import Query

SHARE = 0.5


@pytest.fixture(scope="module")
def gate(memsql_settings: MemsqlSettings) -> Gate:
    return Gate(memsql_settings)


def good(count: int, kind: str = "repin") -> list[Row]:
    return [event(kind, f"good{i}", i) for i in range(count)]


def states(query: Query) -> list[str]:
    return [r["state"] for r in query("SELECT state FROM merge_slices ORDER BY slice_id")]


@pytest.mark.parametrize("table", ["pins", "repins", "comments", "logins"])
def test_good_rows_pass_every_suite(settings: MergeSettings, connection: Connection, gate: Gate, table: str) -> None:
    land(settings.lake_uri, good(5, table.rstrip("s")))
    found = staged(table, settings, connection)
    verdict = audit(found, gate, connection, SHARE)
    assert (verdict.reasons, verdict.warnings, verdict.quarantined) == ((), (), 0)


def test_the_internals_of_great_expectations_stay_out_of_the_log(
    settings: MergeSettings, connection: Connection, memsql_settings: MemsqlSettings, caplog: pytest.LogCaptureFixture
) -> None:
    land(settings.lake_uri, good(5))
    with caplog.at_level(logging.INFO):  # as Airflow sets the root logger of a task
        audit(staged("repins", settings, connection), Gate(memsql_settings), connection, SHARE)
    assert {r.name.partition(".")[0] for r in caplog.records if r.levelno < logging.WARNING} == {"pinwheel"}


def test_a_row_that_breaks_two_rules_is_quarantined_once_with_both_reasons(
    settings: MergeSettings, connection: Connection, gate: Gate, query: Query
) -> None:
    land(settings.lake_uri, [*good(5), event("repin", "bad", 9, latitude=91.5, country_code="nl")])
    found = staged("repins", settings, connection)
    assert audit(found, gate, connection, SHARE).quarantined == 1
    assert merge(found.slice_id, connection).inserted == 5
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
    """More than Great Expectations lists by default, one statement takes or the share allows; a person accepts it."""
    bad = [event("repin", f"bad{i}", 2000 + i, user_id=-1 - i, latitude=91.0 if i % 2 else 1.0) for i in range(1200)]
    land(settings.lake_uri, [*good(50), *bad])
    found = staged("repins", settings, connection)
    assert audit(found, gate, connection, SHARE).held
    ledger.release(settings, found.slice_id, "accept")
    accepted = ledger.waiting(connection, "repins")
    assert accepted is not None
    connection.commit()
    assert audit(accepted, gate, connection, SHARE).quarantined == 1200
    assert merge(accepted.slice_id, connection).inserted == 50
    assert query("SELECT COUNT(*) AS n FROM quarantine WHERE reason LIKE '%%latitude=91.0%%'") == [{"n": 600}]
    assert query("SELECT COUNT(*) AS n FROM repins WHERE user_id < 0") == [{"n": 0}]


def test_rows_that_cannot_all_be_named_are_not_merged(
    settings: MergeSettings, connection: Connection, gate: Gate, query: Query, monkeypatch: pytest.MonkeyPatch
) -> None:
    validate = Gate._validate

    def half(self: Gate, table: str, slice_id: int, suite: Any, how: dict[str, Any]) -> list[Any]:
        return validate(self, table, slice_id, suite, how | {"partial_unexpected_count": 1})

    land(settings.lake_uri, [*good(5), *(event("repin", f"bad{i}", 9 + i, user_id=-1) for i in range(2))])
    found = staged("repins", settings, connection)
    monkeypatch.setattr(Gate, "_validate", half)
    with pytest.raises(MergeError, match=r"2 rows break .*user_id.*but only 1 could be identified"):
        audit(found, gate, connection, SHARE)
    assert states(query) == ["staged"]


BAD: dict[str, list[Row]] = {
    "comments": [{"text": "é" * 5001}, {"pin_id": None}, {"user_id": -1}, {"category": "(none)"}],
    "logins": [{"client": "toaster"}, {"country_code": "ZZ"}, {"longitude": 181.0}],
    "repins": [{"pin_status": "guessed"}, {"kafka_timestamp": NOON + hours(24 * 500)}, {"city": "x" * 256}],
    "pins": [{"title": "é" * 501}, {"link": "h" * 2049}],
}


@pytest.mark.parametrize("table", BAD)
def test_each_row_rule_catches_its_row(
    settings: MergeSettings, connection: Connection, gate: Gate, query: Query, table: str
) -> None:
    kind = table.rstrip("s")
    bad = [event(kind, f"bad{i}", 100 + i, **values) for i, values in enumerate(BAD[table])]
    land(settings.lake_uri, [*good(20, kind), *bad])
    found = staged(table, settings, connection)
    assert audit(found, gate, connection, SHARE).quarantined == len(bad)
    reasons = {r["event_id"]: r["reason"] for r in query("SELECT event_id, reason FROM quarantine")}
    for row, values in zip(bad, BAD[table], strict=True):
        (name,) = values
        assert (name if name != "kafka_timestamp" else "seconds_after_kafka") in reasons[row["event_id"]]


def test_text_of_the_longest_allowed_length_passes_though_its_bytes_are_more(
    settings: MergeSettings, connection: Connection, gate: Gate, query: Query
) -> None:
    land(settings.lake_uri, [event("comment", "long", 0, text="🎡" * 5000)])
    found = staged("comments", settings, connection)
    assert audit(found, gate, connection, SHARE).quarantined == 0
    merge(found.slice_id, connection)
    assert query("SELECT CHAR_LENGTH(text) AS n FROM comments") == [{"n": 5000}]


def test_a_missing_key_holds_the_slice_and_nothing_is_merged(
    settings: MergeSettings, connection: Connection, gate: Gate, query: Query
) -> None:
    land(settings.lake_uri, [*good(3), event("repin", None, 9)])
    found = staged("repins", settings, connection)
    verdict = audit(found, gate, connection, SHARE)
    assert verdict.held
    assert "expect_column_values_to_not_be_null(event_id): 1 rows" in verdict.reasons[0]
    assert states(query) == ["held"]
    (row,) = query("SELECT detail FROM merge_slices")
    assert "event_id" in row["detail"]
    with pytest.raises(ledger.SupersededError, match="is held"):
        merge(found.slice_id, connection)


def test_too_many_bad_rows_hold_the_slice(
    settings: MergeSettings, connection: Connection, gate: Gate, query: Query
) -> None:
    land(settings.lake_uri, [*good(3), *(event("repin", f"bad{i}", 10 + i, latitude=99.0) for i in range(4))])
    found = staged("repins", settings, connection)
    assert audit(found, gate, connection, SHARE).held
    assert query("SELECT * FROM quarantine") == []


def test_different_rules_together_hold_the_slice(settings: MergeSettings, connection: Connection, gate: Gate) -> None:
    bad = [event("repin", "x", 10, latitude=99.0), event("repin", "y", 11, user_id=-1)]
    land(settings.lake_uri, [*good(2), *bad])
    found = staged("repins", settings, connection)
    verdict = audit(found, gate, connection, 0.3)
    assert verdict.reasons == ("2 of 4 rows break row rules",)


def test_warnings_do_not_hold(settings: MergeSettings, connection: Connection, gate: Gate, query: Query) -> None:
    land(settings.lake_uri, [event("repin", f"e{i}", i, pin_status="pending", country_code=None) for i in range(4)])
    found = staged("repins", settings, connection)
    verdict = audit(found, gate, connection, SHARE)
    assert not verdict.held
    assert [w.split(":")[0] for w in verdict.warnings] == [
        "expect_column_values_to_not_be_null(country_code)",
        "expect_column_values_to_not_be_in_set(pin_status)",
    ]


def test_release_accept_merges_what_can_be_stored(
    settings: MergeSettings, connection: Connection, gate: Gate, query: Query
) -> None:
    land(settings.lake_uri, [*good(3), event("repin", None, 9)])
    found = staged("repins", settings, connection)
    audit(found, gate, connection, SHARE)
    ledger.release(settings, found.slice_id, "accept", by="ann")
    accepted = ledger.waiting(connection, "repins")
    assert accepted is not None
    assert accepted.state == SliceState.ACCEPTED
    assert audit(accepted, gate, connection, SHARE).quarantined == 1
    assert merge(accepted.slice_id, connection).inserted == 3
    (row,) = query("SELECT state, detail, quarantined FROM merge_slices")
    assert (row["state"], row["quarantined"]) == ("merged", 1)
    assert '"decided_by": "ann"' in row["detail"]


def test_release_retry_stages_and_audits_afresh(
    settings: MergeSettings, connection: Connection, gate: Gate, query: Query
) -> None:
    land(settings.lake_uri, [*good(3), event("repin", None, 9)])
    found = staged("repins", settings, connection)
    audit(found, gate, connection, SHARE)
    ledger.release(settings, found.slice_id, "retry")
    connection.commit()
    assert ledger.waiting(connection, "repins") is None
    again = staged("repins", settings, connection)
    assert again.versions == found.versions
    assert states(query) == ["superseded", "staged"]


def test_a_quarantined_row_that_is_corrected_is_no_longer_in_quarantine(
    settings: MergeSettings, connection: Connection, gate: Gate, query: Query
) -> None:
    uri = settings.lake_uri
    bad = [event("repin", f"bad{i}", 9 + i, latitude=91.5) for i in range(2)]
    land(uri, [*good(8), *bad])
    found = staged("repins", settings, connection)
    audit(found, gate, connection, SHARE)
    merge(found.slice_id, connection)
    update(uri, "event_id = 'bad1'", {"latitude": "19.5"})
    found = staged("repins", settings, connection)
    assert audit(found, gate, connection, SHARE).quarantined == 0
    merge(found.slice_id, connection)
    assert query("SELECT event_id FROM quarantine") == [{"event_id": "bad0"}]
    assert query("SELECT latitude FROM repins WHERE event_id = 'bad1'") == [{"latitude": 19.5}]


def test_what_was_accepted_and_can_not_be_merged_is_taken_back(
    settings: MergeSettings, connection: Connection, gate: Gate, query: Query
) -> None:
    land(settings.lake_uri, [*good(3), event("repin", None, 9)])
    found = staged("repins", settings, connection)
    audit(found, gate, connection, SHARE)
    ledger.release(settings, found.slice_id, "accept", by="ann")
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM staging_repins WHERE row_num = 0")
    connection.commit()
    with pytest.raises(MergeError, match="release it with 'retry'"):
        merge(found.slice_id, connection)

    ledger.release(settings, found.slice_id, "retry")

    assert ledger.waiting(connection, "repins") is None
    assert states(query) == ["superseded"]
    assert staged("repins", settings, connection).rows_read == 4


def test_release_refuses_what_makes_no_sense(settings: MergeSettings, connection: Connection, gate: Gate) -> None:
    land(settings.lake_uri, good(1))
    found = staged("repins", settings, connection)
    with pytest.raises(MergeError, match="'drop' on slice"):
        ledger.release(settings, found.slice_id, "drop")
    with pytest.raises(MergeError, match="no slice 424242"):
        ledger.release(settings, 424242, "retry")
    with pytest.raises(MergeError, match="no longer held"):
        ledger.release(settings, found.slice_id, "retry")


def test_erasure_takes_quarantined_copies_too_and_is_not_audited(
    settings: MergeSettings, connection: Connection, gate: Gate, query: Query
) -> None:
    land(settings.lake_uri, [*good(5), event("repin", "bad", 9, latitude=99.0)])
    found = staged("repins", settings, connection)
    audit(found, gate, connection, SHARE)
    merge(found.slice_id, connection)
    delete(settings.lake_uri, "event_id = 'bad'")
    found = staged("repins", settings, connection)
    assert not audit(found, gate, connection, SHARE).held
    merge(found.slice_id, connection)
    assert query("SELECT * FROM quarantine") == []

"""An hour in numbers, from rows small enough to count by hand."""

from datetime import timedelta
from typing import Any

import pyarrow as pa
import pytest

from expectations.measures import measures
from pinwheel.clients.memsql import Row
from pinwheel.core.contract import EVENT_TYPES, HOUR_COLUMN, reporting_columns
from pinwheel.lake import events_table
from pinwheel.quality.profile import Hour
from tests.support.lakes import NOON, event


def hour(rows: list[Row], kind: str = "repin") -> Hour:
    columns = [c.name for c in reporting_columns(EVENT_TYPES[kind]) if c.name != HOUR_COLUMN]
    table = pa.Table.from_pylist(rows, schema=events_table.arrow_schema()).select(columns)
    return Hour([(table, "TRUE")], EVENT_TYPES[kind], NOON)


def many(count: int = 400, **values: Any) -> list[Row]:
    """Repins evenly over the hour, each by a different person and of a different pin."""
    step = 3600 / count
    return [
        event("repin", f"e{n}", n, user_id=n + 1, pin_id=n + 1, occurred_at=NOON + timedelta(seconds=n * step)) | values
        for n in range(count)
    ]


def values(rows: list[Row], kind: str = "repin") -> dict[str, Any]:
    return hour(rows, kind).profile(None).values


def test_unreadable_addresses_are_counted_apart_from_no_address() -> None:
    unreadable = {"ip_network": None, "geo_version": "unreadable", "country_code": None}
    none = unreadable | {"geo_version": None}
    rows = [*(row | unreadable for row in many()[:40]), *(row | none for row in many()[40:100]), *many()[100:]]
    opened = hour(rows)
    found = opened.profile(None).values
    assert (found["unreadable_ip_share"], found["null_share_country_code"]) == (0.1, 0.25)
    (measure,) = [m for m in measures(EVENT_TYPES["repin"]) if m.name == "unreadable_ip_share"]
    assert {row["geo_version"] for row in opened.sample(str(measure.culprits))} == {"unreadable"}


def test_an_event_counts_once_and_its_first_delivery_is_the_one() -> None:
    opened = hour([*many(), event("repin", "e0", 900, user_id=999, kafka_timestamp=NOON + timedelta(hours=1))])
    found = opened.profile(None).values
    assert found["row_count"] == 400
    assert found["duplicate_share"] == pytest.approx(1 / 401)
    assert opened.sample("user_id = 999") == []


@pytest.mark.parametrize("kind", EVENT_TYPES)
def test_no_row_and_one_row_can_be_profiled(kind: str) -> None:
    assert values([], kind)["row_count"] == 0
    found = hour([event(kind, "a", 0)], kind).profile(None)
    assert found.rows == 1
    assert set(found.values) == {m.name for m in measures(EVENT_TYPES[kind])} | {"place_wrong_share"}


def test_a_null_and_another_magnitude_show() -> None:
    rows = many()
    rows[0]["category"] = None
    before = values(many())["level_user_id"]
    assert values(rows)["null_share_category"] == 1 / 400
    assert values([row | {"user_id": row["user_id"] * 1000} for row in rows])["level_user_id"] - before > 6


def test_a_clock_that_stands_still_silence_and_one_person_show() -> None:
    assert values(many())["busiest_second_share"] == 1 / 400
    assert values(many(occurred_at=NOON))["busiest_second_share"] == 1
    assert values(many())["longest_gap_seconds"] == pytest.approx(9)
    assert values(many()[:300])["longest_gap_seconds"] == pytest.approx(909)
    assert values(many(user_id=5))["busiest_person_share"] == 1


def test_the_same_act_under_two_ids_shows_with_its_rows() -> None:
    opened = hour([*many(), many()[7] | {"event_id": "again", "kafka_offset": 1000}])
    found = opened.profile(None).values
    assert found["repeated_share"] == pytest.approx(2 / 401)
    (culprits,) = [m.culprits for m in measures(EVENT_TYPES["repin"]) if m.name == "repeated_share"]
    assert [row["event_id"] for row in opened.sample(str(culprits))] == ["again", "e7"]


def test_one_kafka_record_as_two_events_shows() -> None:
    assert values([*many(), many()[7] | {"event_id": "other", "user_id": 999}])["same_record_rows"] == 1


def test_a_pin_of_two_brands_shows_and_one_that_is_pending_does_not() -> None:
    rows = many(pin_id=7)
    rows[0]["brand_id"] = 71
    rows[1] |= {"brand_id": None, "category": None, "pin_status": "pending"}
    found = values(rows)
    assert found["pin_conflict_share"] == pytest.approx(1 / 399)
    assert found["pending_share"] == 1 / 400


def test_shares_say_how_common_each_value_is() -> None:
    rows = [row | {"category": "food"} if n < 100 else row for n, row in enumerate(many())]
    assert hour(rows).profile(None).shares["category"] == {"travel": 0.75, "food": 0.25}


def test_a_sample_names_the_rows_and_what_they_are_blamed_for() -> None:
    rows = many()
    rows[3]["category"] = None
    (found,) = hour(rows).sample("category IS NULL")
    assert set(found) == {"event_id", "occurred_at", "kafka_partition", "kafka_offset", "category"}
    assert found["event_id"] == "e3"

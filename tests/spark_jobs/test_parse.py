"""Every way a record can be right or wrong, through the whole chain from bytes to rows of the lake."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa
import pytest

from pinwheel.contracts import DEAD_LETTER, LAKE_COLUMNS, LOCATION_COLUMNS, PIN_COLUMNS, DeadReason
from pinwheel.lake import arrow_schema

pytestmark = pytest.mark.spark

NOW = datetime(2026, 3, 5, 12, 0, tzinfo=UTC)
PIN = {
    "pin_id": 7,
    "creator_id": 8,
    "board_id": 9,
    "brand_id": None,
    "category": "travel",
    "title": 'A "quoted" tïtle\n\t😀',
    "description": None,
    "link": "https://example.com",
    "image_url": None,
    "created_at": "2026-01-01T00:00:00Z",
}
EXAMPLES: dict[str, dict[str, Any]] = {
    "pin": {"pin": PIN},
    "repin": {"pin_id": 7, "board_id": 5},
    "comment": {"pin_id": 7, "text": "nice\tone"},
    "login": {"client": "ios"},
}


def event(kind: str, **changes: Any) -> dict[str, Any]:
    base = {"event_id": f"e-{kind}", "event_type": kind, "occurred_at": "2026-03-05T11:59:58.123456Z", "user_id": 1}
    payload = {**base, "ip": "203.0.113.7", **EXAMPLES.get(kind, {}), **changes}
    return {k: v for k, v in payload.items() if v != "ABSENT"}


def fakes() -> tuple[Any, Any]:
    """Look-ups that find nothing; inner functions, so that they travel to the Python workers by value."""

    def nothing_found(pin_ids: pa.Array, embedded: pa.Array, *columns: pa.Array) -> pa.Array:
        names = [*(c.name for c in PIN_COLUMNS), "pin_status"]
        empty = [pa.nulls(len(pin_ids), f.type) for f in arrow_schema(PIN_COLUMNS)]
        status = pa.array(["pending" if i.is_valid else None for i in pin_ids], pa.string())
        return pa.StructArray.from_arrays([*empty, status], names)

    def nowhere(addresses: pa.Array) -> pa.Array:
        fields = arrow_schema(LOCATION_COLUMNS)
        return pa.StructArray.from_arrays([pa.nulls(len(addresses), f.type) for f in fields], fields.names)

    return nothing_found, nowhere


def rows_of(spark: Any, *values: bytes | None) -> list[dict[str, Any]]:
    from spark_jobs.stream_engagement import to_rows
    from spark_jobs.transforms.parse import Limits

    records = [(v, 0, i, NOW) for i, v in enumerate(values)]
    frame = spark.createDataFrame(records, "value binary, partition int, offset long, timestamp timestamp")
    limits = Limits(max_value_bytes=65_536, max_future_seconds=600, max_past_days=30)
    rows = to_rows(frame, limits, *fakes()).orderBy("kafka_offset")
    return [row.asDict() for row in rows.collect()]


def encode(payload: object) -> bytes:
    return json.dumps(payload).encode()


def test_every_example_payload_lands(spark: Any) -> None:
    rows = rows_of(spark, *(encode(event(kind)) for kind in EXAMPLES))

    assert [r["dead_reason"] for r in rows] == [None] * 4
    assert [r["event_type"] for r in rows] == list(EXAMPLES)
    assert set(rows[0]) == {c.name for c in LAKE_COLUMNS}
    pin, repin, comment, login = rows
    assert (pin["pin_id"], pin["pin_creator_id"], pin["title"], pin["pin_status"]) == (7, 8, PIN["title"], "embedded")
    assert (repin["pin_id"], repin["board_id"], repin["pin_status"]) == (7, 5, "pending")
    assert comment["text"] == "nice\tone"
    assert (login["client"], login["pin_status"], login["pin_id"]) == ("ios", None, None)
    assert str(repin["occurred_at"]) == "2026-03-05 11:59:58.123456"
    assert str(repin["event_date"]) == "2026-03-05"


BAD: dict[str, tuple[bytes | None, DeadReason, str]] = {
    "tombstone": (None, DeadReason.EMPTY, "no value"),
    "empty": (b"", DeadReason.EMPTY, "no value"),
    "oversized": (encode(event("comment", text="x" * 70_000)), DeadReason.TOO_LARGE, "allowed 65536"),
    "not utf-8": (b'{"event_id":"\xff\xfe"}', DeadReason.NOT_UTF8, "UTF-8"),
    "text": (b"hello", DeadReason.NOT_JSON, "object"),
    "truncated": (encode(event("repin"))[:-20], DeadReason.NOT_JSON, "object"),
    "truncated late": (encode(event("repin"))[:-1], DeadReason.NOT_JSON, "object"),
    "array": (encode([event("repin")]), DeadReason.NOT_JSON, "object"),
    "number": (b"5", DeadReason.NOT_JSON, "object"),
    "deep": (b'{"a":' * 5000 + b"1" + b"}" * 5000, DeadReason.NOT_JSON, "object"),
    "unknown type": (encode(event("like")), DeadReason.UNKNOWN_TYPE, "event_type=like"),
    "no type": (encode(event("login", event_type="ABSENT")), DeadReason.MISSING_FIELD, "event_type"),
    "no id": (encode(event("login", event_id="ABSENT")), DeadReason.MISSING_FIELD, "event_id"),
    "empty id": (encode(event("login", event_id="")), DeadReason.BAD_FIELD, "event_id"),
    "long id": (encode(event("login", event_id="i" * 65)), DeadReason.BAD_FIELD, "event_id"),
    "null user": (encode(event("login", user_id=None)), DeadReason.MISSING_FIELD, "user_id"),
    "text user": (encode(event("login", user_id="bob")), DeadReason.BAD_FIELD, "user_id=bob"),
    "fraction": (encode(event("repin", pin_id=1.5)), DeadReason.BAD_FIELD, "pin_id=1.5"),
    "too big": (encode(event("repin", pin_id=2**63)), DeadReason.BAD_FIELD, "pin_id=9223372036854775808"),
    "no pin": (encode(event("pin", pin="ABSENT")), DeadReason.MISSING_FIELD, "pin"),
    "pin is text": (encode(event("pin", pin="x")), DeadReason.BAD_FIELD, "pin=x"),
    "pin without id": (encode(event("pin", pin={**PIN, "pin_id": None})), DeadReason.MISSING_FIELD, "pin.pin_id"),
    "client": (encode(event("login", client="toaster")), DeadReason.BAD_FIELD, "client=toaster"),
    "long text": (encode(event("comment", text="x" * 5001)), DeadReason.BAD_FIELD, "text=xxx"),
    "no time": (encode(event("login", occurred_at="yesterday")), DeadReason.BAD_FIELD, "occurred_at=yesterday"),
    "date only": (encode(event("login", occurred_at="2026-03-05")), DeadReason.BAD_FIELD, "occurred_at"),
    "year 9999": (encode(event("login", occurred_at="9999-12-31T00:00:00Z")), DeadReason.BAD_TIME, "9999"),
    "future": (encode(event("login", occurred_at="2026-03-05T12:10:01Z")), DeadReason.BAD_TIME, "received"),
    "old": (encode(event("login", occurred_at="2026-02-03T11:59:59Z")), DeadReason.BAD_TIME, "received"),
}


def test_every_bad_record_is_a_dead_letter_with_its_reason_and_its_bytes(spark: Any) -> None:
    rows = rows_of(spark, *(value for value, _, _ in BAD.values()))

    got = {name: (row["dead_reason"], row["dead_detail"]) for name, row in zip(BAD, rows, strict=True)}
    for name, (_, reason, detail) in BAD.items():
        assert got[name][0] == reason.value, (name, got[name])
        assert detail in got[name][1], (name, got[name])
    assert {r["event_type"] for r in rows} == {DEAD_LETTER}
    assert {str(r["event_date"]) for r in rows} == {"2026-03-05"}, "a bad time makes no partition of its own"
    kept = {
        name: bytes(r["dead_value"]) if r["dead_value"] is not None else None for name, r in zip(BAD, rows, strict=True)
    }
    assert kept == {name: None if value is None else value[:65_536] for name, (value, _, _) in BAD.items()}
    assert all(r["user_id"] is None and r["ip_network"] is None for r in rows)


def test_times_at_the_limits_land(spark: Any) -> None:
    stamps = [NOW + timedelta(seconds=600), NOW - timedelta(days=30)]
    rows = rows_of(spark, *(encode(event("login", occurred_at=s.isoformat())) for s in stamps))

    assert [r["dead_reason"] for r in rows] == [None, None]


def test_unknown_fields_are_kept(spark: Any) -> None:
    odd = event("repin", text="not a repin's", n=5, nested={"a": [1]})
    pin = event("pin", pin={**PIN, "colour": "red"}, source="x")
    first, second, plain = rows_of(spark, encode(odd), encode(pin), encode(event("login")))

    assert json.loads(first["extra"]) == {"text": "not a repin's", "n": "5", "nested": '{"a":[1]}'}
    assert first["text"] is None or first["text"] == "not a repin's"
    assert json.loads(second["extra"]) == {"source": "x", "pin.colour": "red"}
    assert plain["extra"] is None


def test_a_doubled_key_does_not_end_the_stream(spark: Any) -> None:
    (row,) = rows_of(spark, b'{"z":1,"z":2,' + encode(event("pin"))[1:])

    assert row["dead_reason"] is None
    assert json.loads(row["extra"]) == {"z": "2"}


def test_a_null_address_lands_without_a_place(spark: Any) -> None:
    (row,) = rows_of(spark, encode(event("login", ip=None)))

    assert (row["dead_reason"], row["country_code"], row["ip_network"]) == (None, None, None)

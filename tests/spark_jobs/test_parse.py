"""Every way a record can be right or wrong, through the whole chain from bytes to rows of the lake."""

import json
import subprocess
import sys
from datetime import timedelta

import pytest

from pinwheel.core.contract import DEAD_LETTER, LAKE_COLUMNS, DeadReason
from spark_jobs.transforms.enrich import with_pins, with_places
from spark_jobs.transforms.parse import statement
from tests.support import golden
from tests.support.records import EXAMPLES, LIMITS, NOW, PIN, NoPins, Nowhere, encode, event, parser, records, rows_of


def test_the_statement_is_the_golden_file() -> None:
    golden.check("parse.sql", statement(LIMITS) + "\n")


def test_every_example_payload_lands() -> None:
    rows = rows_of(*(encode(event(kind)) for kind in EXAMPLES))

    assert [r["dead_reason"] for r in rows] == [None] * 4
    assert [r["event_type"] for r in rows] == list(EXAMPLES)
    assert set(rows[0]) == {c.name for c in LAKE_COLUMNS}
    pin, repin, comment, login = rows
    assert (pin["pin_id"], pin["pin_creator_id"], pin["title"], pin["pin_status"]) == (7, 8, PIN["title"], "embedded")
    assert (repin["pin_id"], repin["board_id"], repin["pin_status"]) == (7, 5, "pending")
    assert comment["text"] == "nice\tone"
    assert (login["client"], login["pin_status"], login["pin_id"]) == ("ios", None, None)
    assert str(repin["occurred_at"]) == "2026-03-05 11:59:58.123456+00:00"
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
    "two objects": (encode(event("login")) * 2, DeadReason.NOT_JSON, "object"),
    "lone surrogate": (encode(event("login"))[:-1] + b',"x":"\\ud800"}', DeadReason.NOT_JSON, "object"),
    "deep": (b'{"a":' * 5000 + b"1" + b"}" * 5000, DeadReason.MISSING_FIELD, "event_type"),
    "unknown type": (encode(event("like")), DeadReason.UNKNOWN_TYPE, "event_type=like"),
    "no type": (encode(event("login", event_type="ABSENT")), DeadReason.MISSING_FIELD, "event_type"),
    "no id": (encode(event("login", event_id="ABSENT")), DeadReason.MISSING_FIELD, "event_id"),
    "empty id": (encode(event("login", event_id="")), DeadReason.BAD_FIELD, "event_id"),
    "long id": (encode(event("login", event_id="i" * 65)), DeadReason.BAD_FIELD, "event_id"),
    "null user": (encode(event("login", user_id=None)), DeadReason.MISSING_FIELD, "user_id"),
    "text user": (encode(event("login", user_id="bob")), DeadReason.BAD_FIELD, "user_id=bob"),
    "fraction": (encode(event("repin", pin_id=1.5)), DeadReason.BAD_FIELD, "pin_id=1.5"),
    "spaces": (encode(event("login", user_id=" 1")), DeadReason.BAD_FIELD, "user_id= 1"),
    "truth": (encode(event("login", user_id=True)), DeadReason.BAD_FIELD, "user_id=true"),
    "pin is null": (encode(event("pin", pin=None)), DeadReason.MISSING_FIELD, "pin"),
    "pin is a list": (encode(event("pin", pin=[PIN])), DeadReason.BAD_FIELD, "pin=["),
    "too big": (encode(event("repin", pin_id=2**63)), DeadReason.BAD_FIELD, "pin_id=9223372036854775808"),
    "no pin": (encode(event("pin", pin="ABSENT")), DeadReason.MISSING_FIELD, "pin"),
    "pin is text": (encode(event("pin", pin="x")), DeadReason.BAD_FIELD, 'pin="x"'),
    "pin without id": (encode(event("pin", pin={**PIN, "pin_id": None})), DeadReason.MISSING_FIELD, "pin.pin_id"),
    "client": (encode(event("login", client="toaster")), DeadReason.BAD_FIELD, "client=toaster"),
    "long text": (encode(event("comment", text="x" * 5001)), DeadReason.BAD_FIELD, "text=xxx"),
    "no time": (encode(event("login", occurred_at="yesterday")), DeadReason.BAD_FIELD, "occurred_at=yesterday"),
    "date only": (encode(event("login", occurred_at="2026-03-05")), DeadReason.BAD_FIELD, "occurred_at"),
    "year 9999": (encode(event("login", occurred_at="9999-12-31T00:00:00Z")), DeadReason.BAD_TIME, "9999"),
    "future": (encode(event("login", occurred_at="2026-03-05T12:10:01Z")), DeadReason.BAD_TIME, "received"),
    "old": (encode(event("login", occurred_at="2026-02-03T11:59:59Z")), DeadReason.BAD_TIME, "received"),
}


def test_every_bad_record_is_a_dead_letter_with_its_reason_and_its_bytes() -> None:
    rows = rows_of(*(value for value, _, _ in BAD.values()))

    got = {name: (row["dead_reason"], row["dead_detail"]) for name, row in zip(BAD, rows, strict=True)}
    for name, (_, reason, detail) in BAD.items():
        assert got[name][0] == reason.value, (name, got[name])
        assert detail in got[name][1], (name, got[name])
    assert {r["event_type"] for r in rows} == {DEAD_LETTER}
    assert {str(r["event_date"]) for r in rows} == {"2026-03-05"}, "a bad time makes no partition of its own"
    kept = {
        name: bytes(r["dead_value"]) if r["dead_value"] is not None else None for name, r in zip(BAD, rows, strict=True)
    }
    cut = {
        name: value and value[:65_536].replace(b"203.0.113.7", b"203.0.113.0/24") for name, (value, _, _) in BAD.items()
    }
    assert kept == cut
    assert all(r["user_id"] is None and r["ip_network"] is None for r in rows)


def test_times_at_the_limits_land() -> None:
    stamps = [NOW + timedelta(seconds=600), NOW - timedelta(days=30)]
    rows = rows_of(*(encode(event("login", occurred_at=s.isoformat())) for s in stamps))

    assert [r["dead_reason"] for r in rows] == [None, None]


def test_unknown_fields_are_kept() -> None:
    odd = event("repin", text="not a repin's", n=5, nested={"a": [1]})
    pin = event("pin", pin={**PIN, "colour": "red"}, source="x")
    first, second, plain = rows_of(encode(odd), encode(pin), encode(event("login")))

    assert json.loads(first["extra"]) == {"text": "not a repin's", "n": 5, "nested": {"a": [1]}}
    assert first["text"] is None
    assert json.loads(second["extra"]) == {"source": "x", "pin": {"colour": "red"}}
    assert plain["extra"] is None


def test_a_doubled_key_does_not_end_the_stream() -> None:
    (row,) = rows_of(b'{"z":1,"z":2,' + encode(event("pin"))[1:])

    assert row["dead_reason"] is None
    assert json.loads(row["extra"])["z"] in (1, 2)


def test_a_null_address_lands_without_a_place() -> None:
    (row,) = rows_of(encode(event("login", ip=None)))

    assert (row["dead_reason"], row["country_code"], row["ip_network"]) == (None, None, None)


def test_a_name_of_another_type_is_kept_as_extra() -> None:
    (row,) = rows_of(encode(event("login", pin=PIN, pin_id=3)))

    assert (row["pin_id"], row["title"], row["pin_status"]) == (None, None, None)
    assert json.loads(row["extra"]) == {"pin": PIN, "pin_id": 3}


def test_only_living_events_are_looked_up() -> None:
    pins, places = NoPins(), Nowhere()
    parsed = parser().parse(records(encode(event("pin")), encode(event("pin", user_id="bob")), encode(event("login"))))

    with_places(with_pins(parsed, pins), places)

    assert pins.saved == [7]
    assert places.asked == ["203.0.113.7", None, "203.0.113.7"]


def test_rows_keep_their_order_and_lineage() -> None:
    rows = rows_of(*(encode(event("login")) if i % 3 else b"bad" for i in range(5000)))

    assert [r["kafka_offset"] for r in rows] == list(range(5000))


@pytest.mark.parametrize("inner", ['{"a":', "["])
def test_the_deepest_nesting_that_fits_does_not_end_the_process(inner: str) -> None:
    """In a process of its own, because a stack overflow would end it."""
    code = f"""
from tests.support.records import encode, event, rows_of
inner, close = {inner!r}, {"}" if inner.startswith("{") else "]"!r}
times = 65_000 // len(inner + close)
deep = inner * times + ("1" if inner != "[" else "") + close * times
row = rows_of(encode(event("login"))[:-1] + b',"x":' + deep.encode() + b"}}")[0]
print(row["dead_reason"], len(row["extra"] or ""))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr[-500:]
    assert int(done.stdout.split()[1]) > 60_000 or done.stdout.startswith("not_json"), done.stdout

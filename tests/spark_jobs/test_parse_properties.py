"""Properties of every record, whatever its bytes: a row of the lake, or a dead letter with its reason."""

import json
import string
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from pinwheel.core.contract import (
    COMMON_FIELDS,
    DEAD_LETTER,
    EVENT_TYPES,
    PIN_COLUMN_OF,
    PIN_FIELDS,
    DeadReason,
    Field,
    Type,
)
from pinwheel.enrich.addresses import bytes_without_addresses
from tests.support.records import NOW, parser, records

Row = dict[str, Any]
REASONS = {reason.value for reason in DeadReason}
NAMES = sorted({f.name for kind in EVENT_TYPES.values() for f in (*COMMON_FIELDS, *kind.fields)} | {"pin"})
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXTS
JSON = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3), max_leaves=6
)
KEPT = st.recursive(  # JSON that comes back as it was: nothing is rounded, and no null ends a field
    st.booleans() | st.integers(-(2**63), 2**63 - 1) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=6,
)


def valid(field: Field) -> st.SearchStrategy[Any]:
    """Values that a field may have."""
    if field.type is Type.INT64:
        found: st.SearchStrategy[Any] = st.integers(-(2**63), 2**63 - 1)
    elif field.type is Type.TIMESTAMP:
        near = st.datetimes(datetime(2026, 2, 4), datetime(2026, 3, 5, 12), timezones=st.just(UTC))
        found = near.map(datetime.isoformat)
    elif field.allowed:
        found = st.sampled_from(field.allowed)
    else:
        longest = min(field.max_chars or 40, 40)
        found = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=longest)
    return found | st.none() if field.nullable else found


def fields(of: tuple[Field, ...]) -> st.SearchStrategy[Row]:
    return st.fixed_dictionaries({field.name: valid(field) for field in of})


@st.composite
def events(draw: st.DrawFn) -> Row:
    """Events that have to land."""
    kind = draw(st.sampled_from(list(EVENT_TYPES.values())))
    event = draw(fields((*COMMON_FIELDS, *kind.fields))) | {"event_type": kind.name}
    return event | {"pin": draw(fields(PIN_FIELDS))} if kind.embeds_pin else event


@st.composite
def spoilt(draw: st.DrawFn) -> Row:
    """Events of which some fields are missing, or anything at all."""
    event = draw(events())
    for name in draw(st.lists(st.sampled_from(NAMES), min_size=1, max_size=4, unique=True)):
        if draw(st.booleans()):
            event.pop(name, None)
        else:
            event[name] = draw(JSON)
    return event


def encode(payload: object) -> bytes:
    return json.dumps(payload, ensure_ascii=False).encode()


def parse(*values: bytes | None) -> list[Row]:
    return list(parser().parse(records(*values)).to_pylist())


ANYTHING = st.none() | st.binary(max_size=60) | JSON.map(encode) | spoilt().map(encode) | events().map(encode)
BATCH: dict[str, Any] = {"min_size": 4, "max_size": 12}  # of records: a batch of one takes the parser as long


@given(st.lists(ANYTHING, **BATCH))
def test_every_record_is_one_row_good_or_dead(values: list[bytes | None]) -> None:
    rows = parse(*values)

    assert [row["kafka_offset"] for row in rows] == list(range(len(values)))
    for row, value in zip(rows, values, strict=True):
        if row["dead_reason"] is None:
            assert row["event_type"] in EVENT_TYPES
            assert row["dead_detail"] is row["dead_value"] is None
        else:
            assert row["dead_reason"] in REASONS
            assert row["event_type"] == DEAD_LETTER
            assert row["dead_value"] == (value and bytes_without_addresses(value))
            assert row["event_id"] is row["user_id"] is row["ip"] is row["extra"] is None


@given(st.lists(ANYTHING, **BATCH).flatmap(lambda values: st.tuples(st.just(values), st.permutations(values))))
def test_a_record_is_judged_by_itself(both: tuple[list[bytes | None], list[bytes | None]]) -> None:
    values, moved = both
    rows = [{k: v for k, v in row.items() if k != "kafka_offset"} for row in parse(*values, *moved)]

    by_value = dict(zip(values, rows, strict=False))
    assert rows[len(values) :] == [by_value[value] for value in moved]


@given(st.lists(events(), **BATCH))
def test_a_valid_event_comes_through_as_it_was(sent: list[Row]) -> None:
    for event, row in zip(sent, parse(*map(encode, sent)), strict=True):
        assert (row["dead_reason"], row["dead_detail"], row["extra"]) == (None, None, None)
        assert typed(row) == wanted(event)


def typed(row: Row) -> Row:
    """The columns that come from the payload, nulls left out."""
    added = {"event_date", "extra", "kafka_partition", "kafka_offset", "kafka_timestamp"}
    return {name: value for name, value in row.items() if name not in added and value is not None}


def wanted(event: Row) -> Row:
    """The same, from the event."""
    of = {f.name: f for f in (*COMMON_FIELDS, *EVENT_TYPES[event["event_type"]].fields)}
    found = {name: read(of[name], event[name]) for name in of}
    pin = event.get("pin", {})
    found |= {PIN_COLUMN_OF.get(f.name, f.name): read(f, pin[f.name]) for f in PIN_FIELDS if f.name in pin}
    return {name: value for name, value in found.items() if value is not None}


def read(field: Field, value: Any) -> Any:
    return datetime.fromisoformat(value) if field.type is Type.TIMESTAMP and value is not None else value


@st.composite
def wider(draw: st.DrawFn) -> tuple[Row, Row, Row]:
    """An event; the same with fields that the contract does not know, in any order; and those fields."""
    event = draw(events())
    known = {f.name for f in (*COMMON_FIELDS, *EVENT_TYPES[event["event_type"]].fields)} | {"pin"}
    more = draw(st.dictionaries(TEXTS.filter(lambda name: name not in known), KEPT, min_size=1, max_size=4))
    if "pin" not in event:
        return event, draw(shuffled(event | more)), more
    inside = {f"more {name}": value for name, value in more.items()}  # no field of a pin is called so
    return event, draw(shuffled(event | more | {"pin": event["pin"] | inside})), more | {"pin": inside}


def shuffled(event: Row) -> st.SearchStrategy[Row]:
    return st.permutations(list(event.items())).map(dict)


@given(st.lists(wider(), **BATCH))
def test_fields_that_the_contract_does_not_know_are_kept(sent: list[tuple[Row, Row, Row]]) -> None:
    rows = parse(*(encode(payload) for _, payload, _ in sent))

    for (event, _, more), row in zip(sent, rows, strict=True):
        assert row["dead_reason"] is None
        assert typed(row) == wanted(event)
        assert json.loads(row["extra"]) == json.loads(bytes_without_addresses(encode(more)))


@given(st.lists(spoilt().flatmap(lambda event: st.tuples(st.just(event), shuffled(event))), **BATCH))
def test_the_order_of_the_fields_does_not_change_the_reason(sent: list[tuple[Row, Row]]) -> None:
    rows = parse(*(encode(event) for pair in sent for event in pair))

    for first, second in zip(rows[::2], rows[1::2], strict=True):
        assert (first["dead_reason"], first["dead_detail"]) == (second["dead_reason"], second["dead_detail"])
        assert typed(first) == typed(second) or first["dead_reason"] is not None


@given(events(), st.text(string.printable, max_size=30), st.timedeltas(timedelta(days=31), timedelta(days=4000)))
def test_what_is_wrong_is_said(event: Row, text: str, past: timedelta) -> None:
    changes: list[tuple[Row, DeadReason]] = [
        ({"event_type": None}, DeadReason.MISSING_FIELD),
        ({"event_type": f"no {text}"}, DeadReason.UNKNOWN_TYPE),
        ({"event_id": "x" * 65}, DeadReason.BAD_FIELD),
        ({"user_id": None}, DeadReason.MISSING_FIELD),
        ({"user_id": f"no {text}"}, DeadReason.BAD_FIELD),
        ({"user_id": event["user_id"] // 2**20 + 0.5}, DeadReason.BAD_FIELD),
        ({"user_id": f" {event['user_id']}"}, DeadReason.BAD_FIELD),
        ({"occurred_at": f"no {text}"}, DeadReason.BAD_FIELD),
        ({"occurred_at": (NOW - past).isoformat()}, DeadReason.BAD_TIME),
    ]
    rows = parse(*(encode({**event, **change}) for change, _ in changes), encode(event)[:-1])

    reasons = [reason for _, reason in changes]
    assert [row["dead_reason"] for row in rows] == [*(r.value for r in reasons), DeadReason.NOT_JSON.value]

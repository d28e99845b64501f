"""Records that break the contract, each in one known way, with the reason that its dead letter must have."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import orjson

from pinwheel.core.contract import DeadReason

Event = dict[str, Any]
Spoil = Callable[[Event, datetime], bytes | None]

TOO_LARGE_BYTES = 65_536 + 500  # over the setting max_value_bytes, under Kafka's 1 MB


def _with(**changes: Any) -> Spoil:
    return lambda event, _: orjson.dumps(event | changes)


def _without(name: str) -> Spoil:
    return lambda event, _: orjson.dumps({key: value for key, value in event.items() if key != name})


def _moved(**delta: float) -> Spoil:
    """The event at another time, relative to now."""
    return lambda event, now: orjson.dumps(event | {"occurred_at": f"{now + timedelta(**delta):%Y-%m-%dT%H:%M:%SZ}"})


def _pin_with(**changes: Any) -> Spoil:
    """A pin event with changed fields of its pin (``...`` removes one), made from an event of any type."""

    def spoil(event: Event, _: datetime) -> bytes:
        pin = {"pin_id": 1, "creator_id": 2, "board_id": 3} | changes
        return orjson.dumps(_base(event, "pin") | {"pin": {k: v for k, v in pin.items() if v is not ...}})

    return spoil


def _base(event: Event, event_type: str) -> Event:
    """The common fields of the event, with another type."""
    shared = {key: event[key] for key in ("event_id", "occurred_at", "user_id", "ip")}
    return shared | {"event_type": event_type}


def _comment_of(length: int) -> Spoil:
    return lambda event, _: orjson.dumps(_base(event, "comment") | {"pin_id": 1, "text": "x" * length})


def _invalid_utf8(event: Event, _: datetime) -> bytes:
    return orjson.dumps(event | {"note": "N"}).replace(b'"N"', b'"\xc3\x28 \xff"')


def _huge_number(event: Event, _: datetime) -> bytes:
    return orjson.dumps(event | {"user_id": 0}).replace(b'"user_id":0', b'"user_id":%d' % 2**63)


MALFORMED: dict[str, tuple[DeadReason, Spoil]] = {
    "tombstone": (DeadReason.EMPTY, lambda event, now: None),
    "empty": (DeadReason.EMPTY, lambda event, now: b""),
    "oversized": (DeadReason.TOO_LARGE, _comment_of(TOO_LARGE_BYTES)),
    "invalid_utf8": (DeadReason.NOT_UTF8, _invalid_utf8),
    "not_json": (DeadReason.NOT_JSON, lambda event, now: b"user %d says hello" % event["user_id"]),
    "truncated_json": (DeadReason.NOT_JSON, lambda event, now: orjson.dumps(event)[:-7]),
    "json_array": (DeadReason.NOT_JSON, lambda event, now: orjson.dumps([event])),
    "json_number": (DeadReason.NOT_JSON, lambda event, now: b"42"),
    "two_objects": (DeadReason.NOT_JSON, lambda event, now: orjson.dumps(event) * 2),
    "unknown_type": (DeadReason.UNKNOWN_TYPE, _with(event_type="like")),
    "no_event_type": (DeadReason.MISSING_FIELD, _without("event_type")),
    "no_event_id": (DeadReason.MISSING_FIELD, _without("event_id")),
    "no_user_id": (DeadReason.MISSING_FIELD, _without("user_id")),
    "no_occurred_at": (DeadReason.MISSING_FIELD, _without("occurred_at")),
    "no_pin": (DeadReason.MISSING_FIELD, lambda event, now: orjson.dumps(_base(event, "pin"))),
    "pin_without_creator": (DeadReason.MISSING_FIELD, _pin_with(creator_id=...)),
    "pin_with_text_as_id": (DeadReason.BAD_FIELD, _pin_with(board_id="my board")),
    "user_id_text": (DeadReason.BAD_FIELD, _with(user_id="somebody")),
    "user_id_object": (DeadReason.BAD_FIELD, _with(user_id={"id": 1})),
    "user_id_too_big": (DeadReason.BAD_FIELD, _huge_number),
    "event_id_too_long": (DeadReason.BAD_FIELD, _with(event_id="e" * 65)),
    "text_too_long": (DeadReason.BAD_FIELD, _comment_of(5001)),
    "unknown_client": (
        DeadReason.BAD_FIELD,
        lambda event, now: orjson.dumps(_base(event, "login") | {"client": "toaster"}),
    ),
    "unparsable_time": (DeadReason.BAD_FIELD, _with(occurred_at="yesterday at noon")),
    "impossible_date": (DeadReason.BAD_FIELD, _with(occurred_at="2026-02-30T12:00:00Z")),
    "year_9999": (DeadReason.BAD_TIME, _with(occurred_at="9999-12-31T23:59:59Z")),
    "too_old": (DeadReason.BAD_TIME, _moved(days=-90)),
    "in_the_future": (DeadReason.BAD_TIME, _moved(hours=3)),
}
NAMES = tuple(MALFORMED)


def spoiled(name: str, event: Event, now: datetime) -> bytes | None:
    """The event, broken in the named way; ``now`` is about when Kafka receives it."""
    return MALFORMED[name][1](event, now)


def reason_of(name: str) -> DeadReason:
    """The reason that its dead letter must have."""
    return MALFORMED[name][0]

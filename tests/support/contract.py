"""The contract as plain Python, independent of the parser that it checks: a record is good, or dead for a reason."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson

from pinwheel.core.contract import COMMON_FIELDS, EVENT_TYPES, PIN_FIELDS, DeadReason, Field, Type

RFC_3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|\+00:00)")


def verdict(value: bytes | None, now: datetime) -> DeadReason | None:
    """The reason why a record is dead; None for a record that has to land."""
    if not value:
        return DeadReason.EMPTY
    if len(value) > 65_536:
        return DeadReason.TOO_LARGE
    try:
        value.decode()
    except UnicodeDecodeError:
        return DeadReason.NOT_UTF8
    try:
        event = orjson.loads(value)
    except orjson.JSONDecodeError:
        return DeadReason.NOT_JSON
    return _event(event, now) if isinstance(event, dict) else DeadReason.NOT_JSON


def _event(event: dict[str, Any], now: datetime) -> DeadReason | None:
    if event.get("event_type") is None:
        return DeadReason.MISSING_FIELD
    kind = EVENT_TYPES.get(event["event_type"])
    if kind is None:
        return DeadReason.UNKNOWN_TYPE
    found = [_field(f, event.get(f.name)) for f in (*COMMON_FIELDS, *kind.fields)]
    if kind.embeds_pin:
        pin = event.get("pin")
        found += [_field(f, pin.get(f.name)) for f in PIN_FIELDS] if pin else [DeadReason.MISSING_FIELD]
    for reason in found:
        if reason:
            return reason
    ahead = datetime.fromisoformat(event["occurred_at"]) - now.astimezone(UTC)
    return None if timedelta(days=-30) <= ahead <= timedelta(minutes=10) else DeadReason.BAD_TIME


def _field(field: Field, value: object) -> DeadReason | None:
    if value is None:
        return None if field.nullable else DeadReason.MISSING_FIELD
    if field.type is Type.INT64:
        return None if type(value) is int and -(2**63) <= value < 2**63 else DeadReason.BAD_FIELD
    if not isinstance(value, str) or len(value) > (field.max_chars or len(value)):
        return DeadReason.BAD_FIELD
    if field.allowed and value not in field.allowed:
        return DeadReason.BAD_FIELD
    return None if field.type is not Type.TIMESTAMP or _is_time(value) else DeadReason.BAD_FIELD


def _is_time(text: str) -> bool:
    try:
        return bool(RFC_3339.fullmatch(text) and datetime.fromisoformat(text))
    except ValueError:
        return False

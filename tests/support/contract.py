"""The contract as plain Python, independent of the parser that it checks: a record is good, or dead for a reason."""

import json
import re
from calendar import monthrange
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from pinwheel.core.contract import COMMON_FIELDS, EVENT_TYPES, PIN_COLUMN_OF, PIN_FIELDS, DeadReason, Field, Type

LARGEST = 65_536  # bytes
RFC_3339 = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})[Tt]([0-9]{2}):([0-9]{2}):([0-9]{2})(\.[0-9]+)?(?:[Zz]|([+-])([0-9]{2}):([0-9]{2}))"
)
HELD = (datetime(1000, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC))
TOKEN = re.compile(
    r"""[ \t\r\n]*(?:(?P<mark>[{}\[\],:])
    |(?P<text>"(?:[^"\\\x00-\x1f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*")
    |(?P<scalar>-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?|true|false|null))""",
    re.VERBOSE,
)
SPACE = " \t\r\n"
# JSON as a machine: what is awaited and what comes -> what is awaited then. Brackets that close are not in it.
STEPS = {
    **dict.fromkeys([("key", "text"), ("first key", "text")], "colon"),
    ("colon", ":"): "value",
    **dict.fromkeys([(at, kind) for at in ("value", "first value") for kind in ("text", "scalar")], "next"),
    **dict.fromkeys([("value", "{"), ("first value", "{")], "first key"),
    **dict.fromkeys([("value", "["), ("first value", "[")], "first value"),
}
CLOSES = {"}": ("{", "first key"), "]": ("[", "first value")}
WHOLE = re.compile("0|-?[1-9][0-9]*")
Values = dict[str, Any]


class _DeadError(Exception):
    """The record breaks the contract, for this reason."""

    def __init__(self, reason: DeadReason) -> None:
        super().__init__(reason)
        self.reason = reason


def verdict(value: bytes | None, received: datetime) -> DeadReason | None:
    """The reason why a record is dead; None for a record that has to land."""
    return judge(value, received)[0]


def judge(value: bytes | None, received: datetime) -> tuple[DeadReason | None, Values]:
    """The reason why a record is dead; if it is not, the columns that it fills, without nulls.

    ``extra`` is a list: key and value of the members that the contract does not know, as they came, and last those of
    the pin.

    Args:
        value: the record's bytes.
        received: its Kafka timestamp.
    """
    try:
        found = _event(members(_text(value)), received)
    except _DeadError as dead:
        return dead.reason, {}
    return None, {name: read for name, read in found.items() if read is not None}


def _text(value: bytes | None) -> str:
    if not value:
        raise _DeadError(DeadReason.EMPTY)
    if len(value) > LARGEST:
        raise _DeadError(DeadReason.TOO_LARGE)
    try:
        return value.decode()
    except UnicodeDecodeError:
        raise _DeadError(DeadReason.NOT_UTF8) from None


def members(text: str) -> list[tuple[str, str]]:
    """Key and value of an object's members, as they came, by RFC 8259 and however deep."""
    found, inside, awaits, key, begin, position = list[tuple[str, str]](), "", "value", "", 0, 0
    for kind, raw, start, position in _tokens(text):
        key = raw if awaits.endswith("key") and len(inside) == 1 else key
        begin = start if awaits == "value" and len(inside) == 1 else begin
        if (bracket := CLOSES.get(kind)) and inside.endswith(bracket[0]) and awaits in ("next", bracket[1]):
            inside, awaits = inside[:-1], "next"
        elif kind == "," and awaits == "next" and inside:
            awaits = "key" if inside[-1] == "{" else "value"
            continue
        elif awaits := STEPS.get((awaits, kind), ""):
            inside += kind if kind in "{[" else ""
        if not awaits or not inside:
            break
        if awaits == "next" and len(inside) == 1:
            found.append((key, text[begin:position]))
    if text.lstrip(SPACE)[:1] != "{" or awaits != "next" or inside or text[position:].strip(SPACE):
        raise _DeadError(DeadReason.NOT_JSON)
    return found


def _tokens(text: str) -> Iterator[tuple[str, str, int, int]]:
    """Kind, the token itself, and where it is. Ends where none is."""
    position = 0
    while token := TOKEN.match(text, position):
        kind, position = str(token.lastgroup), token.end()
        raw = token[kind]
        if kind == "text" and re.search("[\ud800-\udfff]", json.loads(raw)):
            return  # half a surrogate pair is no character
        yield raw if kind == "mark" else kind, raw, token.start(kind), position


def _event(given: list[tuple[str, str]], received: datetime) -> Values:
    texts, none = _read(given), ("null", None)
    name = texts.get("event_type", none)[1]
    if name is None:
        raise _DeadError(DeadReason.MISSING_FIELD)
    kind = EVENT_TYPES.get(name)
    if kind is None:
        raise _DeadError(DeadReason.UNKNOWN_TYPE)
    own = (*COMMON_FIELDS, *kind.fields)
    found = {f.name: _field(f, *texts.get(f.name, none)) for f in own}
    known = {f.name for f in own}
    extra = [(key, value) for key, value in given if json.loads(key) not in known]
    if kind.embeds_pin:
        pin, more = _pin(texts.get("pin", none)[0])
        found |= pin
        extra = [(key, value) for key, value in extra if json.loads(key) != "pin"] + more
    ahead = found["occurred_at"] - received
    if not timedelta(days=-30) <= ahead <= timedelta(minutes=10):
        raise _DeadError(DeadReason.BAD_TIME)
    return found | {"extra": extra or None}


def _pin(raw: str) -> tuple[Values, list[tuple[str, str]]]:
    """The pin's columns, and its members that the contract does not know."""
    if raw == "null":
        raise _DeadError(DeadReason.MISSING_FIELD)
    if not raw.startswith("{"):
        raise _DeadError(DeadReason.BAD_FIELD)
    given = members(raw)
    texts = _read(given)
    known = {f.name for f in PIN_FIELDS}
    found = {PIN_COLUMN_OF.get(f.name, f.name): _field(f, *texts.get(f.name, ("null", None))) for f in PIN_FIELDS}
    return found, [(key, value) for key, value in given if json.loads(key) not in known]


def _read(given: list[tuple[str, str]]) -> dict[str, tuple[str, str | None]]:
    """The value of each key as it came and as a text; the first counts. None: null."""
    found: dict[str, tuple[str, str | None]] = {}
    for key, raw in given:
        text = json.loads(raw) if raw.startswith('"') else {"null": None, "-0": "0"}.get(raw, raw)
        found.setdefault(json.loads(key), (raw, text))
    return found


def _field(field: Field, raw: str, text: str | None) -> Any:
    if text is None:
        if field.nullable:
            return None
        raise _DeadError(DeadReason.MISSING_FIELD)
    value = _typed(field, text)
    is_text = raw[0] in '"-0123456789'
    too_long = len(text) > (field.max_chars or len(text))
    not_allowed = field.allowed and text not in field.allowed
    if value is None or not is_text or too_long or not_allowed or (field.name, text) == ("event_id", ""):
        raise _DeadError(DeadReason.BAD_FIELD)
    return value


def _typed(field: Field, text: str) -> Any:
    if field.type is Type.INT64:
        whole = len(text) < 21 and WHOLE.fullmatch(text)
        return int(text) if whole and -(2**63) <= int(text) < 2**63 else None
    return instant(text) if field.type is Type.TIMESTAMP else text


def instant(text: str) -> datetime | None:
    """A time by RFC 3339, section 5.6 and 5.7, that the reporting tables can hold; None if it is none."""
    found = RFC_3339.fullmatch(text)
    if not found:
        return None
    year, month, day, hour, minute, second = map(int, found.groups()[:6])
    sign, ahead_hours, ahead_minutes = found[8], int(found[9] or 0), int(found[10] or 0)
    if not (year and 1 <= month <= 12 and 1 <= day <= monthrange(year, month)[1]):
        return None
    if hour > 23 or minute > 59 or second > 60 or ahead_hours > 23 or ahead_minutes > 59:
        return None
    ahead = timedelta(hours=ahead_hours, minutes=ahead_minutes) * (-1 if sign == "-" else 1)
    micros = int(((found[7] or ".0")[1:] + "000000")[:6])
    try:
        whole = datetime(year, month, day, hour, minute, min(second, 59), tzinfo=UTC) - ahead
        is_last = (whole.hour, whole.minute) == (23, 59) and whole.day == monthrange(whole.year, whole.month)[1]
        if second == 60 and not is_last:
            return None
        moment = whole + timedelta(seconds=second == 60, microseconds=micros)
    except OverflowError:
        return None
    return moment if HELD[0] <= moment <= HELD[1] else None

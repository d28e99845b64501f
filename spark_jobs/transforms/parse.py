"""From Kafka's bytes to the contract's columns, or to a dead letter with a typed reason.

One SQL statement, built from the contract, that DuckDB runs over Arrow columns inside Spark's Python workers
(ADR 0007): nothing is per row in Python, and a bad value makes null, never an error.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import duckdb
import pyarrow as pa

from pinwheel.core.contract import (
    COMMON_FIELDS,
    DEAD_LETTER,
    EVENT_TYPES,
    LAKE_COLUMNS,
    LOCATION_COLUMNS,
    PIN_COLUMN_OF,
    PIN_FIELDS,
    PIN_STATUS_COLUMN,
    DeadReason,
    EventType,
    Field,
    Type,
)

RFC_3339 = r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,9})?(Z|[+-]\d{2}:\d{2})"
DETAIL_CHARS = 200  # how much of a bad value a dead letter's detail quotes
SECOND_US = 1_000_000
DAY_US = 86_400 * SECOND_US
RECORDS_SCHEMA = pa.schema(
    [
        ("value", pa.binary()),
        ("value_bytes", pa.int32()),
        ("kafka_partition", pa.int32()),
        ("kafka_offset", pa.int64()),
        ("kafka_timestamp", pa.timestamp("us", "UTC")),
    ]
)
ADDRESS = "ip"
PIN = "pin"
ENRICHED = {c.name for c in (*LOCATION_COLUMNS, PIN_STATUS_COLUMN)}  # what later steps add


@dataclass(frozen=True)
class Limits:
    """What a record may be; see the settings of the same names."""

    max_value_bytes: int
    max_future_seconds: float
    max_past_days: int


class Parser:
    """Parses records; one per thread, since it holds a DuckDB connection."""

    def __init__(self, limits: Limits) -> None:
        self._statement = statement(limits)
        self._connection = duckdb.connect(config={"threads": 1})  # Spark runs one worker per core
        self._connection.execute("SET TimeZone = 'UTC'")

    def parse(self, records: pa.Table) -> pa.Table:
        """Judge and type records.

        Args:
            records: ``RECORDS_SCHEMA``; ``value`` cut to the limit, ``value_bytes`` its length as it came.

        Returns:
            One row per record, in order: the lake's columns but those of ``ENRICHED``, and ``ip``. A dead letter
            has its reason, detail, bytes and lineage, and nothing else.
        """
        self._connection.register("records", records)
        try:
            return self._connection.sql(self._statement).to_arrow_table()
        finally:
            self._connection.unregister("records")


def statement(limits: Limits) -> str:
    """The parser as SQL. Names come from the contract, and only from there."""
    starts_object = "starts_with(ltrim(json, e' \\t\\r\\n'), '{')"
    is_pin = f"{_is_one_of(EMBEDDING)} AND json_type(texts.{PIN}) = 'OBJECT'"
    return f"""
        WITH decoded AS (
            SELECT *, CASE WHEN value_bytes <= {limits.max_value_bytes} THEN try(decode(value)) END AS json FROM records
        ), objects AS (
            SELECT *, CASE WHEN json_valid(json) AND {starts_object} THEN json END AS object FROM decoded
        ), read AS (
            SELECT *, json_transform(object, '{_shape(_event_fields(), more={PIN: "JSON"})}') AS texts FROM objects
        ), opened AS (
            SELECT *, CASE WHEN {is_pin} THEN texts.{PIN} END AS pin_json FROM read
        ), shaped AS (
            SELECT *, json_transform(pin_json, '{_shape(PIN_FIELDS)}') AS pin_texts FROM opened
        ), typed AS (
            SELECT *, {_typed_columns()} FROM shaped
        ), judged AS (
            SELECT *, {_verdict(limits)} AS verdict FROM typed
        )
        SELECT {_lake_columns()} FROM judged"""  # noqa: S608 - no value from outside is in it


def _event_fields() -> list[Field]:
    """The fields at an event's top level, each once."""
    own = {f.name: f for kind in EVENT_TYPES.values() for f in kind.fields}
    return [*COMMON_FIELDS, *own.values()]


EMBEDDING = [kind for kind in EVENT_TYPES.values() if kind.embeds_pin]


def _shape(fields: tuple[Field, ...] | list[Field], more: dict[str, str] | None = None) -> str:
    """What ``json_transform`` shall look for; of a doubled key the first counts."""
    return json.dumps({**{f.name: "VARCHAR" for f in fields}, **(more or {})})


def _is_one_of(kinds: list[EventType]) -> str:
    return f"texts.event_type IN ({_literals(kind.name for kind in kinds)})"


def _literals(names: Iterable[str]) -> str:
    return ", ".join(f"'{name}'" for name in names)


def _typed_columns() -> str:
    """The contract's columns; null where the text is missing, not this type's, or not readable as the column's type."""
    columns = {f.name: _typed(f"texts.{f.name}", f) for f in COMMON_FIELDS}
    for field in _event_fields()[len(COMMON_FIELDS) :]:
        owners = [kind for kind in EVENT_TYPES.values() if field in kind.fields]
        columns[field.name] = f"CASE WHEN {_is_one_of(owners)} THEN {_typed(f'texts.{field.name}', field)} END"
    for field in PIN_FIELDS:
        typed = _typed(f"pin_texts.{field.name}", field)
        name = PIN_COLUMN_OF.get(field.name, field.name)
        columns[name] = f"coalesce({typed}, {columns[name]})" if name in columns else typed
    return ", ".join(f"{expression} AS {name}" for name, expression in columns.items())


def _typed(text: str, field: Field) -> str:
    if field.type is Type.TIMESTAMP:
        return f"CASE WHEN regexp_full_match({text}, '{RFC_3339}') THEN try_cast({text} AS TIMESTAMPTZ) END"
    if field.type is Type.INT64:  # DuckDB would round 1.5 and trim ' 1'
        return f"CASE WHEN try_cast({text} AS BIGINT)::VARCHAR = {text} THEN try_cast({text} AS BIGINT) END"
    return text


def _verdict(limits: Limits) -> str:
    checks = [*_record_checks(limits), *_type_checks(), *_field_checks(), *_time_checks(limits)]
    cases = " ".join(
        f"WHEN {condition} THEN {{'reason': '{reason.value}', 'detail': {detail}}}"
        for condition, reason, detail in checks
    )
    return f"CASE {cases} END"


Check = tuple[str, DeadReason, str]  # when this holds, the record is dead for this reason, with this detail


def _record_checks(limits: Limits) -> Iterator[Check]:
    too_large = f"value_bytes || ' bytes, allowed {limits.max_value_bytes}'"
    yield "coalesce(value_bytes, 0) = 0", DeadReason.EMPTY, "'the record has no value'"
    yield f"value_bytes > {limits.max_value_bytes}", DeadReason.TOO_LARGE, too_large
    yield "json IS NULL", DeadReason.NOT_UTF8, "'the bytes are not UTF-8'"
    yield "object IS NULL", DeadReason.NOT_JSON, "'the value is not one JSON object'"


def _type_checks() -> Iterator[Check]:
    yield "texts.event_type IS NULL", DeadReason.MISSING_FIELD, "'event_type'"
    known = _is_one_of(list(EVENT_TYPES.values()))
    yield f"NOT {known}", DeadReason.UNKNOWN_TYPE, _quoted("event_type", "texts.event_type")


def _field_checks() -> Iterator[Check]:
    for field in COMMON_FIELDS:
        yield from _checks(field, field.name, f"texts.{field.name}", field.name)
    for kind in EVENT_TYPES.values():
        for condition, reason, detail in _own_checks(kind):
            yield f"({_is_one_of([kind])} AND {condition})", reason, detail


def _own_checks(kind: EventType) -> Iterator[Check]:
    for field in kind.fields:
        yield from _checks(field, field.name, f"texts.{field.name}", field.name)
    if kind.embeds_pin:
        yield f"(texts.{PIN} IS NULL OR texts.{PIN} = 'null')", DeadReason.MISSING_FIELD, f"'{PIN}'"
        yield "pin_json IS NULL", DeadReason.BAD_FIELD, _quoted(PIN, f"texts.{PIN}")
        for field in PIN_FIELDS:
            column = PIN_COLUMN_OF.get(field.name, field.name)
            yield from _checks(field, column, f"pin_texts.{field.name}", f"{PIN}.{field.name}")


def _checks(field: Field, column: str, text: str, label: str) -> Iterator[Check]:
    """What can be wrong with one field."""
    if not field.nullable:
        yield f"{text} IS NULL", DeadReason.MISSING_FIELD, f"'{label}'"
    bad = [] if field.type is Type.STRING else [f"({text} IS NOT NULL AND {column} IS NULL)"]
    if field.max_chars is not None:
        bad.append(f"length({text}) > {field.max_chars}")
    if field.allowed:
        bad.append(f"{text} NOT IN ({_literals(field.allowed)})")
    if field.name == "event_id":
        bad.append(f"{text} = ''")
    if bad:
        yield f"({' OR '.join(bad)})", DeadReason.BAD_FIELD, _quoted(label, text)


def _quoted(label: str, text: str) -> str:
    return f"'{label}=' || substr({text}, 1, {DETAIL_CHARS})"


def _time_checks(limits: Limits) -> Iterator[Check]:
    ahead = "epoch_us(occurred_at) - epoch_us(kafka_timestamp)"
    low, high = -limits.max_past_days * DAY_US, round(limits.max_future_seconds * SECOND_US)
    detail = f"{_quoted('occurred_at', 'texts.occurred_at')} || ', received ' || kafka_timestamp"
    yield f"{ahead} NOT BETWEEN {low} AND {high}", DeadReason.BAD_TIME, detail


def _lake_columns() -> str:
    special = {
        "event_date": "(CASE WHEN verdict IS NULL THEN occurred_at ELSE kafka_timestamp END AT TIME ZONE 'UTC')::DATE",
        "event_type": f"CASE WHEN verdict IS NULL THEN texts.event_type ELSE '{DEAD_LETTER}' END",
        "extra": f"CASE WHEN verdict IS NULL THEN {_extra()} END",
        "dead_reason": "verdict.reason",
        "dead_detail": "verdict.detail",
        "dead_value": "CASE WHEN verdict IS NOT NULL THEN value END",
        "kafka_partition": "kafka_partition",
        "kafka_offset": "kafka_offset",
        "kafka_timestamp": "kafka_timestamp",
    }
    names = [c.name for c in LAKE_COLUMNS if c.name not in ENRICHED]
    columns = {name: special.get(name, f"CASE WHEN verdict IS NULL THEN {name} END") for name in (*names, ADDRESS)}
    return ", ".join(f"{expression} AS {name}" for name, expression in columns.items())


def _extra() -> str:
    """A JSON object of what the contract does not know, by taking away what it knows; of the pin under ``pin``."""
    own = " ".join(
        f"WHEN {_is_one_of([kind])} THEN {_without('object', _known(kind))}" for kind in EVENT_TYPES.values()
    )
    pin = _without("pin_json", [f.name for f in PIN_FIELDS])
    pins = (
        f"CASE WHEN pin_json IS NOT NULL AND {pin} <> '{{}}' THEN json_object('{PIN}', ({pin})::JSON) ELSE '{{}}' END"
    )
    return f"nullif(json_merge_patch(CASE {own} END, {pins}), '{{}}')"


def _known(kind: EventType) -> list[str]:
    return [f.name for f in (*COMMON_FIELDS, *kind.fields)] + ([PIN] if kind.embeds_pin else [])


def _without(object_: str, names: list[str]) -> str:
    return f"json_merge_patch({object_}, '{json.dumps(dict.fromkeys(names))}')"

"""Parses Kafka's bytes into the contract's columns, or into a dead letter with a typed reason.

DuckDB runs one SQL statement, rendered from ``parse.sql.jinja`` and the contract, over Arrow columns in Spark's Python
workers (ADR 0007). A bad value becomes null, never an error. Python code runs only for records with unknown fields and
for dead letters.
"""

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from pinwheel.core.contract import (
    COMMON_FIELDS,
    DEAD_COLUMNS,
    DEAD_LETTER,
    EVENT_TYPES,
    EXTRA_COLUMN,
    LAKE_COLUMNS,
    LAKE_PARTITIONS,
    LINEAGE_COLUMNS,
    LOCATION_COLUMNS,
    PIN_COLUMN_OF,
    PIN_FIELDS,
    PIN_ID,
    PIN_STATUS_COLUMN,
    DeadReason,
    Type,
)
from pinwheel.core.times import RFC_3339
from pinwheel.enrich.addresses import bytes_without_addresses, without_addresses
from spark_jobs.transforms.raw_json import unknown_fields

# A time as an instant; null if the day does not exist or a reporting column can't hold it. Second 60 is that before the
# next minute, and only the last minute of a month in UTC has one.
MOMENT = """
CREATE MACRO instant(text) AS try_cast(upper(text) AS TIMESTAMPTZ);
CREATE MACRO before_leap(text) AS instant(regexp_replace(text, ':60([.+Zz-])', ':59\\1'));
CREATE MACRO held(moment) AS CASE WHEN moment BETWEEN TIMESTAMPTZ '1000-01-01 00:00:00Z'
    AND TIMESTAMPTZ '9999-12-31 23:59:59.999999Z' THEN moment END;
CREATE MACRO is_last_second(moment) AS strftime(moment, '%H:%M:%S') = '23:59:59'
    AND moment::DATE = last_day(moment::DATE);
CREATE MACRO moment(text) AS held(CASE
    WHEN substr(text, 18, 2) <> '60' THEN instant(text)
    WHEN is_last_second(before_leap(text) AT TIME ZONE 'UTC') THEN before_leap(text) + INTERVAL 1 SECOND
END);
"""
LAX = r",[ \t\r\n]*[\]}]|[:,\[][ \t\r\n]*-?(?i:nan|inf)"  # in JSON without its texts: what DuckDB takes beyond JSON
JSON_TEXT = r'"([^"\\]|\\.)*"'
DECIMAL = r"^([ \t\r\n]*:[ \t\r\n]*)(-?[0-9]+[.eE][0-9.eE+-]*)"  # of a key, in what is between two texts
DECIMAL_PERHAPS = r'"[ \t\r\n]*:[ \t\r\n]*-?[0-9]+[.eE]'  # or in a text
NO_TEXT = r"(?s)\[.*|\{.*|true|false"  # as DuckDB shows a list, an object or a truth value as a text
DETAIL_CHARS = 200  # of a bad value, quoted in a dead letter's detail
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
_PIN_NAMES = tuple(f.name for f in PIN_FIELDS)
ENRICHED = {c.name for c in (*LOCATION_COLUMNS, PIN_STATUS_COLUMN)}  # added by later steps


@dataclass(frozen=True)
class Limits:
    """Limits of a valid record; see the settings of the same names."""

    max_value_bytes: int
    max_future_seconds: float
    max_past_days: int


class Parser:
    """Parses records; one per thread, because it holds a DuckDB connection."""

    def __init__(self, limits: Limits) -> None:
        self._statement = statement(limits)
        self._connection = duckdb.connect(config={"threads": 1})  # Spark runs one worker per core
        self._connection.execute("SET TimeZone = 'UTC'")
        self._connection.execute(MOMENT)

    def parse(self, records: pa.Table) -> pa.Table:
        """Check records against the contract and convert them to its types.

        Args:
            records: of ``RECORDS_SCHEMA``; ``value`` is truncated to the limit, ``value_bytes`` is the original length.

        Returns:
            One row per record, in order: the lake's columns except ``ENRICHED``, and ``ip``. A dead letter has its
            reason, detail, bytes and lineage; the other columns are null.
        """
        self._connection.register("records", records)
        try:
            # sql() would plan the statement twice, which costs more than it takes to parse 2,000 records. DuckDB warns
            # of execute(), because it copies the rows once.
            with warnings.catch_warnings(action="ignore", category=UserWarning):
                return _private(self._connection.execute(self._statement).to_arrow_table())
        finally:
            self._connection.unregister("records")


def _private(rows: pa.Table) -> pa.Table:
    """Take the known fields out of ``extra``, and cut the addresses in it and in dead letters to their networks.

    In Python, because few records have either.
    """
    kinds = rows["event_type"].filter(pc.is_valid(rows[EXTRA_COLUMN.name])).to_pylist()
    rows = _changed(rows, EXTRA_COLUMN.name, lambda texts: list(map(_unknown, kinds, texts)))
    rows = _changed(rows, "dead_detail", lambda details: list(map(without_addresses, details)))
    return _changed(rows, "dead_value", lambda values: list(map(bytes_without_addresses, values)))


def _changed(rows: pa.Table, name: str, change: Callable[[list[Any]], list[Any]]) -> pa.Table:
    column = rows[name].combine_chunks()
    there = pc.is_valid(column)
    values = column.filter(there).to_pylist()
    if not values:
        return rows
    changed = pc.replace_with_mask(column, there, pa.array(change(values), column.type))
    return rows.set_column(rows.column_names.index(name), name, changed)


def _unknown(kind: str, text: str) -> str:
    nested = PIN if EVENT_TYPES[kind].embeds_pin else None
    return without_addresses(unknown_fields(text, _known(kind), nested, _PIN_NAMES))


@cache
def _known(kind: str) -> tuple[str, ...]:
    """The names of the fields that an event of this type may have."""
    event_type = EVENT_TYPES[kind]
    own = [f.name for f in (*COMMON_FIELDS, *event_type.fields)]
    return (*own, *([PIN] if event_type.embeds_pin else []))


def statement(limits: Limits) -> str:
    """The parser's SQL, rendered from ``parse.sql.jinja``, the contract and the limits."""
    # No escaping: this is SQL, not HTML, and the contract's names and sets are plain words.
    templates = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=select_autoescape(),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    templates.policies["json.dumps_kwargs"] = {}  # keep the contract's order; Jinja sorts keys by default
    return templates.get_template("parse.sql.jinja").render(
        Type=Type,
        Reason=DeadReason,
        rfc_3339=RFC_3339,
        lax=LAX,
        json_text=JSON_TEXT,
        decimal=DECIMAL,
        decimal_perhaps=DECIMAL_PERHAPS,
        no_text=NO_TEXT,
        detail_chars=DETAIL_CHARS,
        dead_letter=DEAD_LETTER,
        address=ADDRESS,
        max_value_bytes=limits.max_value_bytes,
        oldest_us=-limits.max_past_days * DAY_US,
        newest_us=round(limits.max_future_seconds * SECOND_US),
        **_contract(),
    )


def _contract() -> dict[str, Any]:
    """The template's variables that come from the contract."""
    kinds = list(EVENT_TYPES.values())
    common = [f.name for f in COMMON_FIELDS]
    own = {f.name: f for kind in kinds for f in kind.fields}
    owners = {name: [kind for kind in kinds if name in {f.name for f in kind.fields}] for name in own}
    special = {c.name for c in (*DEAD_COLUMNS, *LINEAGE_COLUMNS, EXTRA_COLUMN)} | {*LAKE_PARTITIONS, *ENRICHED}
    return {
        "kinds": kinds,
        "embedding": [kind for kind in kinds if kind.embeds_pin],
        "naming": owners[PIN_ID.name],
        "common": COMMON_FIELDS,
        "own": [(f, owners[f.name]) for f in own.values() if f.name != PIN_ID.name],
        "pin": {PIN_COLUMN_OF.get(f.name, f.name): f for f in PIN_FIELDS},
        "event_shape": dict.fromkeys([*common, *own], "VARCHAR") | {PIN: "JSON"},
        "pin_shape": dict.fromkeys(_PIN_NAMES, "VARCHAR"),
        "plain": [c.name for c in LAKE_COLUMNS if c.name not in special],
        "known": {k.name: _known(k.name) for k in kinds},
    }

"""Parses Kafka's bytes into the contract's columns, or into a dead letter with a typed reason.

DuckDB runs one SQL statement, rendered from ``parse.sql.jinja`` and the contract, over Arrow columns in Spark's Python
workers (ADR 0007). No Python code runs per row, and a bad value becomes null, never an error.
"""

import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
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

RFC_3339 = r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,9})?(Z|[+-]\d{2}:\d{2})"
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
                return self._connection.execute(self._statement).to_arrow_table()
        finally:
            self._connection.unregister("records")


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
        "pin_shape": dict.fromkeys((f.name for f in PIN_FIELDS), "VARCHAR"),
        "plain": [c.name for c in LAKE_COLUMNS if c.name not in special],
        "known": {k.name: [*common, *(f.name for f in k.fields), *([PIN] if k.embeds_pin else [])] for k in kinds},
    }

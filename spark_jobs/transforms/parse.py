"""From Kafka's bytes to the contract's columns, or to a dead letter with a typed reason.

One SQL statement, ``parse.sql.jinja`` filled in from the contract, that DuckDB runs over Arrow columns inside Spark's
Python workers (ADR 0007): nothing is per row in Python, and a bad value makes null, never an error.
"""

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
    """The parser as SQL: ``parse.sql.jinja`` with the contract and the limits filled in, and nothing else."""
    # SQL, not a page: nothing is escaped. Names and sets of the contract are plain words.
    templates = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=select_autoescape(),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    templates.policies["json.dumps_kwargs"] = {}  # the contract's order, not the alphabet's
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
    """What the template asks of the contract."""
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

"""How a row of the lake and a quarantined one are known to be the same record.

Not by their place in Kafka alone: in a log that was made anew, another record has the same place.
"""

import pyarrow as pa

MAX_ID_CHARS = 255  # of ``event_id`` in the table quarantine
QUARANTINED = pa.schema([("event_id", pa.string()), ("kafka_partition", pa.int32()), ("kafka_offset", pa.int64())])


def is_quarantined(row: str, quarantined: str) -> str:
    """DuckDB's condition that a row is the quarantined one; both named by their tables."""
    places = " AND ".join(f"{row}.{name} = {quarantined}.{name}" for name in ("kafka_partition", "kafka_offset"))
    return f"{places} AND LEFT({row}.event_id, {MAX_ID_CHARS}) IS NOT DISTINCT FROM {quarantined}.event_id"

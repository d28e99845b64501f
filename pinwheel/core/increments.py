"""Increments: what a merged slice adds to the rollups and takes from them, as the merge queues it for them.

A row per event, compressed: a few bytes each, which cost the database a hundredth of what the rows themselves do. The
rollups sum them up; their order does not matter.
"""

import pyarrow as pa

from pinwheel.core.contract import EventType

BUCKETS = ("pin_id", "brand_id", "category", "country_code")  # what the rollups group by, besides time and person
INCREMENTS = pa.schema(
    [
        ("weight", pa.int8()),  # 1: the row came, -1: it left
        ("at_us", pa.int64()),  # occurred_at, µs since 1970
        ("user_id", pa.int64()),
        ("pin_id", pa.int64()),
        ("brand_id", pa.int64()),
        ("category", pa.string()),
        ("country_code", pa.string()),
    ]
)
COMPRESSED = pa.ipc.IpcWriteOptions(compression="zstd")


def pack(rows: pa.Table) -> bytes:
    """Serialise; inverse of ``unpack``."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, rows.schema, options=COMPRESSED) as writer:
        writer.write_table(rows)
    return bytes(sink.getvalue())


def unpack(packed: bytes) -> pa.Table:
    """Inverse of ``pack``."""
    with pa.ipc.open_stream(packed) as reader:
        return reader.read_all()


def bucket_columns(kind: EventType) -> list[str]:
    """Those of ``BUCKETS`` that a type's reporting table has; the others are null."""
    return [name for name in BUCKETS if kind.has_pin or name == "country_code"]

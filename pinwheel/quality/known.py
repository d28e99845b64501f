"""Which events a reporting table has, of ids that the lake has."""

from collections.abc import Iterator, Sequence

import pyarrow as pa

from pinwheel.clients import memsql
from pinwheel.clients.memsql import Connection, Row

DELIVERY = pa.schema([("event_id", pa.string()), ("kafka_partition", pa.int32()), ("kafka_offset", pa.int64())])
IDS = 1000  # event ids in one statement


def known(connection: Connection, table: str, ids: Sequence[str]) -> Iterator[Row]:
    """The rows of those that are there: id, hour, and the delivery that counts."""
    for start in range(0, len(ids), IDS):
        yield from memsql.fetch(connection, "quality/known", {"ids": ids[start : start + IDS]}, table=table)

"""Which events a reporting table has, of ids that the lake has."""

from collections.abc import Iterator, Sequence

from pinwheel.clients import memsql
from pinwheel.clients.memsql import Connection, Row

IDS = 1000  # event ids in one statement


def known(connection: Connection, table: str, ids: Sequence[str]) -> Iterator[Row]:
    """The rows of those that are there: id, hour, and the delivery that counts."""
    for start in range(0, len(ids), IDS):
        yield from memsql.fetch(connection, "quality/known", {"ids": ids[start : start + IDS]}, table=table)

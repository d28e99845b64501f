"""Complete through when: everything that Kafka had received by then is in the tables that reports are counted from."""

import logging
from collections.abc import Callable, Mapping
from datetime import datetime

from pinwheel.clients import kafka, memsql
from pinwheel.clients.kafka import Held
from pinwheel.clients.memsql import Connection
from pinwheel.core.errors import MissingPartError
from pinwheel.core.settings import KafkaSettings
from pinwheel.core.times import naive

log = logging.getLogger(__name__)

TABLES = ("pins", "repins", "comments")

_Progress = dict[tuple[str, int], tuple[int, datetime | None]]  # next offset, and Kafka's time of the newest


def complete_through(connection: Connection, settings: KafkaSettings, now: Callable[[], datetime]) -> datetime | None:
    """The smallest, over partitions, of Kafka's time of the newest merged record, or now where nothing waits.

    Kafka is asked first, and the books after it. When it is away nothing is taken for merged but what is: the answer
    may be too early, never too late. None: a partition is not merged at all.
    """
    asked_at = naive(now())
    try:
        held = kafka.held_offsets(settings)
    except MissingPartError as error:
        log.warning("Kafka is away, so a quiet partition is taken for one that waits: %s", error)
        held = {}
    with memsql.transaction(connection):
        rows = memsql.fetch(connection, "reports/progress")
    books = {(r["table_name"], r["kafka_partition"]): (r["next_offset"], r["kafka_timestamp"]) for r in rows}
    return through(held, books, asked_at)


def through(held: Mapping[int, Held], books: _Progress, asked_at: datetime) -> datetime | None:
    """The same, from what Kafka held at ``asked_at`` and what the books said later."""
    partitions = {*held, *(partition for _, partition in books)}
    reached = [
        _reached(held.get(partition), *books.get((table, partition), (0, None)), asked_at)
        for table in TABLES
        for partition in partitions
    ]
    found = [at for at in reached if at is not None]
    return min(found) if found and len(found) == len(reached) else None


def _reached(held: Held | None, merged: int, newest: datetime | None, asked_at: datetime) -> datetime | None:
    """Of one partition in one table."""
    nothing_waits = held is not None and (held.end == held.start or merged >= held.end)
    return asked_at if nothing_waits else newest

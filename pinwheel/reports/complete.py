"""The time that a report is complete through: everything that Kafka had received by then is in the reporting tables."""

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

_Progress = dict[tuple[str, int], tuple[int, datetime | None]]  # (table, partition) -> next offset, newest Kafka time


def complete_through(connection: Connection, settings: KafkaSettings, now: Callable[[], datetime]) -> datetime | None:
    """The minimum over partitions of the newest merged record's Kafka time, or of now if nothing waits there.

    Kafka's offsets are read before the merge's progress. If Kafka is unavailable, every partition counts as waiting. So
    the result may be too early, never too late. None: some partition was never merged.
    """
    asked_at = naive(now())
    try:
        held = kafka.held_offsets(settings)
    except MissingPartError as error:
        log.warning("Kafka is unavailable, so quiet partitions count as waiting: %s", error)
        held = {}
    with memsql.transaction(connection):
        rows = memsql.fetch(connection, "reports/progress")
    progress = {(r["table_name"], r["kafka_partition"]): (r["next_offset"], r["kafka_timestamp"]) for r in rows}
    return through(held, progress, asked_at)


def through(held: Mapping[int, Held], progress: _Progress, asked_at: datetime) -> datetime | None:
    """As ``complete_through``, from Kafka's offsets at ``asked_at`` and the progress read after that."""
    partitions = {*held, *(partition for _, partition in progress)}
    reached = [
        _reached(held.get(partition), *progress.get((table, partition), (0, None)), asked_at)
        for table in TABLES
        for partition in partitions
    ]
    known = [at for at in reached if at is not None]
    return min(known) if known and len(known) == len(reached) else None


def _reached(held: Held | None, merged: int, newest: datetime | None, asked_at: datetime) -> datetime | None:
    """The same for one partition of one table."""
    nothing_waits = held is not None and (held.end == held.start or merged >= held.end)
    return asked_at if nothing_waits else newest

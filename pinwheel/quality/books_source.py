"""Looks in Kafka for the offsets that no row of the lake has."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field

from pinwheel.clients import kafka
from pinwheel.clients.kafka import Held
from pinwheel.core.errors import MissingPartError
from pinwheel.core.ranges import Range, cut_at, without
from pinwheel.core.settings import KafkaSettings

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Looked:
    """Offsets without a row: ``lost`` ones hold a committed record; ``expired`` ones can't be looked up any more;
    ``waiting`` ones can't now. All others hold no committed record.
    """

    lost: list[int] = field(default_factory=list)
    expired: list[Range] = field(default_factory=list)
    waiting: list[Range] = field(default_factory=list)


class Source:
    """The topic as it is now; asked only if there is something to look up.

    Args:
        settings: where the topic is.
        current: the log that the lake is landed from; others are gone. None: it is not known yet.
    """

    def __init__(self, settings: KafkaSettings, current: str | None) -> None:
        self._settings, self._current = settings, current
        self._known: tuple[str, dict[int, Held]] | None = None

    def look(self, of_log: str, partition: int, ranges: Sequence[Range]) -> Looked:
        """Look for committed records in ranges of offsets of a log's partition."""
        if not ranges:
            return Looked()
        if self._current is None:
            return Looked(waiting=list(ranges))
        if of_log != self._current:
            return Looked(expired=list(ranges))
        try:
            return self._look(of_log, partition, ranges)
        except MissingPartError as error:
            log.warning("books: offsets are not looked up partition=%d reason=%s", partition, error)
            return Looked(waiting=list(ranges))

    def _look(self, of_log: str, partition: int, ranges: Sequence[Range]) -> Looked:
        if self._known is None:
            self._known = kafka.LogReader(self._settings).log_id(), kafka.held_offsets(self._settings)
        current, all_held = self._known
        if current != of_log:
            return Looked(expired=list(ranges))
        held = all_held.get(partition, Held(0, 0))
        there = cut_at(ranges, held.start, held.end)
        expired = cut_at(ranges, 0, held.start)
        lost = kafka.committed(self._settings, partition, there) if there else []
        return Looked(lost, expired, without(without(ranges, there), expired))

"""Reads offsets that have ended the driver in ever smaller parts, until the record that does it stands alone.

That one lands as a dead letter without its bytes, and the stream goes on.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace

import pyarrow as pa

from pinwheel.alerts.catalogue import RECORD_UNPROCESSABLE, Send
from pinwheel.core.contract import DEAD_LETTER, DeadReason
from pinwheel.core.errors import PinwheelError
from pinwheel.core.times import utc_now
from pinwheel.lake.events_table import arrow_schema
from pinwheel.lake.files import FileWriter, Manifest
from pinwheel.lake.landing import Landing
from pinwheel.stream.attempts import PARTS, Attempt, Attempts
from pinwheel.stream.source_log import SUBJECT

log = logging.getLogger("pinwheel.stream")

NEIGHBOURS = 8  # records that are tried to find out whether reading works at all
GROW_AFTER = 8  # parts that landed behind the one that failed; then they are twice as large
Read = Callable[[int, int, int], Manifest]  # partition, start, end -> the files of these offsets


@dataclass
class Careful:
    """Lands what an attempt did not, part by part; each part is committed before the next is read.

    An error ends the driver, as memory that was full leaves the JVM in doubt, and dying in a part is the same: the next
    driver divides that part. A record that failed alone, and once more between two successful reads of other records,
    lands as ``unprocessable``. Dying after that commit: the next driver goes on behind it.
    """

    attempts: Attempts
    landing: Landing
    read: Read
    alert: Send
    is_stopped: Callable[[], bool] = lambda: False

    def land(self, failed: Attempt, until: dict[int, int], offsets: dict[int, int]) -> dict[int, int]:
        """Land all offsets up to ``until``, by partition; returns the next ones to land.

        Raises:
            PinwheelError: neither a record that failed nor any other can be read.
            Exception: Spark's, whatever has ended its task.
        """
        offsets, size, landed_parts = dict(offsets), max(1, failed.records // PARTS), 0
        for partition, last in sorted(until.items()):
            _, suspects_end = failed.spans.get(partition, (0, 0))
            while (start := offsets.get(partition, 0)) < last and not self.is_stopped():
                spans = {partition: (start, min(start + size, last))}
                self._land(failed if failed.spans == spans else Attempt(self.landing.log, spans, until=until))
                offsets[partition] = spans[partition][1]
                landed_parts += offsets[partition] >= suspects_end
                if landed_parts == GROW_AFTER:
                    size, landed_parts = size * 2, 0
        return offsets

    def _land(self, part: Attempt) -> None:
        ((partition, (start, end)),) = part.spans.items()
        if part.records == 1 and part.failures:
            if not self._others_can_be_read(part):
                raise PinwheelError(
                    f"offset {start} of partition {partition} can't be read, and neither can {NEIGHBOURS} others, so "
                    "the fault is not the record's. The errors are above"
                )
            if part.others_read:
                self._give_up(partition, start)
                return
            part = replace(part, others_read=True, neighbours=0)
        self.attempts.begin(part)
        manifest = self.read(partition, start, end)
        self.landing.commit(manifest.covering({partition: (start, end)}))
        log.info("landed partition=%d offsets=%d-%d rows=%s", partition, start, end, manifest.rows)

    def _give_up(self, partition: int, offset: int) -> None:
        """Land a record as a dead letter without its bytes."""
        now = utc_now()
        row = dict.fromkeys(arrow_schema().names) | {
            "event_type": DEAD_LETTER,
            "event_date": now.date(),
            "dead_reason": str(DeadReason.UNPROCESSABLE),
            "dead_detail": "reading it ends the process that reads it; its bytes are in Kafka, while that keeps them",
            "kafka_partition": partition,
            "kafka_offset": offset,
            "kafka_timestamp": now,
        }
        files = FileWriter(self.landing.uri)
        files.write(pa.Table.from_pylist([row], schema=arrow_schema()))
        self.landing.commit(files.close())
        self.alert(RECORD_UNPROCESSABLE, SUBJECT, f"offset {offset} of partition {partition} landed without its bytes")

    def _others_can_be_read(self, part: Attempt) -> bool:
        """Whether another record goes the same way without an error: one of those before it, or of other partitions.

        An error ends this driver too; the next one tries the one after it.
        """
        for number, (partition, offset) in enumerate(_neighbours(part)):
            if number >= part.neighbours:
                self.attempts.begin(replace(part, neighbours=number + 1))
                if self.read(partition, offset, offset + 1).files:  # an offset may hold no record
                    return True
        self.attempts.begin(replace(part, neighbours=0, others_read=False))
        return False


def _neighbours(part: Attempt) -> list[tuple[int, int]]:
    """Partition and offset of other records: the two before it, the last ones of other partitions, more before it."""
    ((partition, (offset, _)),) = part.spans.items()
    before = [(partition, offset - n) for n in range(1, NEIGHBOURS) if offset >= n]
    elsewhere = [(p, end - n) for n in range(1, 4) for p, end in part.until.items() if p != partition and end >= n]
    return [*before[:2], *elsewhere, *before[2:]][:NEIGHBOURS]

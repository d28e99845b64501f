"""Positions in the flow: ranges of the lake's versions, and offsets in Kafka's partitions."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class VersionRange:
    """Versions of ``events`` later than ``after``, up to and including ``to``."""

    after: int
    to: int


@dataclass(frozen=True)
class Reach:
    """Position in one Kafka partition: the next offset, and the newest Kafka time before it (None: unknown)."""

    next_offset: int
    timestamp: datetime | None


Progress = Mapping[int, Reach]  # by Kafka partition


def to_json(progress: Progress) -> str:
    """The form that the ledger stores; see ``from_json``."""
    return json.dumps({p: [r.next_offset, r.timestamp and r.timestamp.isoformat()] for p, r in progress.items()})


def from_json(text: str | None) -> Progress:
    """Inverse of ``to_json``; empty for null."""
    read = json.loads(text or "{}")
    return {int(p): Reach(offset, at and datetime.fromisoformat(at)) for p, (offset, at) in read.items()}


def together(steps: Iterable[Progress]) -> Progress:
    """The furthest offset and the newest time per partition, over some steps."""
    reached: dict[int, Reach] = {}
    for step in steps:
        for partition, reach in step.items():
            before = reached.get(partition, reach)
            times = [at for at in (before.timestamp, reach.timestamp) if at]
            reached[partition] = Reach(max(before.next_offset, reach.next_offset), max(times, default=None))
    return reached


def newest(progress: Progress) -> datetime | None:
    """The newest Kafka time of all partitions."""
    return max((r.timestamp for r in progress.values() if r.timestamp), default=None)

"""How far something is: in versions of the lake, and in offsets of Kafka's partitions."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class VersionRange:
    """Versions of ``events`` later than ``after``, up to and including ``to``."""

    after: int
    to: int


@dataclass(frozen=True)
class Reach:
    """How far in one Kafka partition: the next offset, and the newest Kafka time before it (None: not known)."""

    next_offset: int
    timestamp: datetime | None


Progress = Mapping[int, Reach]  # by Kafka partition


def to_json(progress: Progress) -> str:
    """As the ledger keeps it."""
    return json.dumps({p: [r.next_offset, r.timestamp and r.timestamp.isoformat()] for p, r in progress.items()})


def from_json(text: str | None) -> Progress:
    """What ``to_json`` made."""
    read = json.loads(text or "{}")
    return {int(p): Reach(offset, at and datetime.fromisoformat(at)) for p, (offset, at) in read.items()}


def newest(progress: Progress) -> datetime | None:
    """The newest Kafka time of all partitions."""
    return max((r.timestamp for r in progress.values() if r.timestamp), default=None)

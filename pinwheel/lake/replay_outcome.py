"""The outcome of a replay of dead letters: how many pass, and what the others lack, each with samples."""

from dataclasses import dataclass, field

import pyarrow as pa

from pinwheel.core.contract import DeadReason

SAMPLES, KINDS = 3, 20  # samples of a kind of letters, and kinds that are kept apart
OTHERS = "others"
EXPIRED = "expired: its day is no longer kept"


@dataclass(frozen=True)
class Sample:
    """A letter: where it was in Kafka, and what was or is wrong with it."""

    kafka_partition: int
    kafka_offset: int
    detail: str


@dataclass
class Kind:
    """Letters of one kind: how many, and the first ones."""

    letters: int = 0
    samples: list[Sample] = field(default_factory=list)


@dataclass
class Replayed:
    """The outcome of a run.

    ``letters``: those that are wanted. ``passing``: those that meet the contract, by event type; of these ``landed``
    are events now. ``lacking``: the others, by what they lack. ``never``: those whose bytes are not there, by reason.
    ``more_left``: one run may not land all that pass.
    """

    letters: int = 0
    passing: dict[str, Kind] = field(default_factory=dict)
    lacking: dict[str, Kind] = field(default_factory=dict)
    never: dict[str, int] = field(default_factory=dict)
    landed: int = 0
    more_left: bool = False


def count(kinds: dict[str, Kind], rows: pa.Table, about: pa.Table, all_are: str | None = None) -> None:
    """Count rows by kind, with samples of what ``about`` says of each: a table of the same rows.

    The kind is ``all_are``, if given.
    """
    of_kind = (rows[name].to_pylist() for name in ("event_type", "dead_reason", "dead_detail"))
    shown = (about[name].to_pylist() for name in ("kafka_partition", "kafka_offset", "dead_reason", "dead_detail"))
    for event_type, why, detail, partition, offset, reason, text in zip(*of_kind, *shown, strict=True):
        name = all_are or (event_type if why is None else _lack(why, detail))
        kind = kinds.setdefault(name if name in kinds or len(kinds) < KINDS else OTHERS, Kind())
        kind.letters += 1
        if len(kind.samples) < SAMPLES:
            kind.samples.append(Sample(partition, offset, f"{reason}: {text}" if text else reason))


def _lack(reason: str, detail: str | None) -> str:
    """The lack of a letter, without its value: reason and field; of an unknown type also its name.

    A letter that mentions an erased person has no detail.
    """
    if not detail:
        return reason
    if reason in (DeadReason.MISSING_FIELD, DeadReason.BAD_FIELD):
        return f"{reason}: {detail.partition('=')[0]}"
    return f"{reason}: {detail}" if reason == DeadReason.UNKNOWN_TYPE else reason

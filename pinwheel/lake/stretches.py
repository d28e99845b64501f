"""The stretches of Kafka's logs that the lake was landed from, for the books: a property of the table.

A property outlasts the lake's log and the reporting database. A new stretch begins when a person lets the stream go on
at other offsets, in the same log or in another one.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

import pyarrow.compute as pc
from deltalake import DeltaTable

from pinwheel.lake import events_table

PROPERTY = "pinwheel.kafkaStretches"


@dataclass(frozen=True)
class Stretch:
    """Offsets of one log that were landed one after the other.

    By partition: ``since`` is where the books begin, ``begin`` the first offset to land, ``end`` the one after the
    last. A person accepted that the offsets from ``since`` to ``begin`` are not landed (``reason``, ``by``). A
    partition that is not named begins at 0; without ``since`` at its first row, as in a lake of an older driver.
    ``end`` is None while the stretch goes on. At ``version`` the lake had no row of a later stretch; ``newest`` is the
    newest Kafka time that it had then, ISO 8601, UTC (None: no row, or it was ended by an older version of Pinwheel).
    """

    number: int
    log: str
    since: dict[int, int] | None
    begin: dict[int, int]
    reason: str = ""
    by: str = ""
    end: dict[int, int] | None = None
    version: int | None = None
    newest: str | None = None


def stretches(events: DeltaTable, topic: str) -> list[Stretch]:
    """All of them, oldest first; ``topic`` stands for a log that is not known yet."""
    kept = events.metadata().configuration.get(PROPERTY)
    if kept is None:
        return [Stretch(0, events_table.log_of(events) or topic, None, {})]
    return [Stretch(number, **_numbered(values)) for number, values in enumerate(json.loads(kept))]


def _numbered(values: Mapping[str, Any]) -> dict[str, Any]:
    """Offsets by partition: JSON has texts for numbers there."""
    return {
        name: {int(p): offset for p, offset in value.items()} if isinstance(value, dict) else value
        for name, value in values.items()
    }


def ends(events: DeltaTable, stretch: Stretch, partitions: Sequence[int]) -> dict[int, int]:
    """The offset after the last landed one, by partition; those that landed nothing are left out."""
    if stretch.end is not None:
        return stretch.end
    found = {p: events.transaction_version(events_table.app_id(stretch.log, p)) for p in partitions}
    return {p: offset for p, offset in found.items() if offset is not None}


def followed_by(events: DeltaTable, new: Stretch, topic: str, partitions: Sequence[int]) -> list[Stretch]:
    """The stretches when ``new`` is the next one; the same ones when it is the last already.

    A last one of the same log that has landed nothing is replaced: a person's word that a dying process noted only.
    """
    known = stretches(events, topic)
    last = known[-1]
    if (last.log, last.since, last.begin) == (new.log, new.since, new.begin):
        return known
    landed = ends(events, last, partitions)
    began = last.since
    if began is not None and last.log == new.log and all(landed.get(p, 0) <= began.get(p, 0) for p in partitions):
        return [*known[:-1], replace(new, number=last.number)]
    over = replace(last, end=landed, version=events.version(), newest=_newest(events))
    return [*known[:-1], over, replace(new, number=last.number + 1)]


def _newest(events: DeltaTable) -> str | None:
    times = events.to_pyarrow_dataset().scanner(columns=["kafka_timestamp"]).to_table()["kafka_timestamp"]
    found = pc.max(times).as_py()
    return None if found is None else str(found.isoformat())


def log_of(kept: Sequence[Stretch], partition: int, offset: int, at: datetime) -> str:
    """The log of a landed record, by its place and its Kafka time: logs came one after the other."""
    for stretch in kept[:-1]:
        landed = stretch.begin.get(partition, 0) <= offset < (stretch.end or {}).get(partition, 0)
        if landed and stretch.newest is not None and at <= datetime.fromisoformat(stretch.newest):
            return stretch.log
    return kept[-1].log


def as_property(kept: Sequence[Stretch]) -> dict[str, str]:
    """The table property that keeps them."""
    return {PROPERTY: json.dumps([{k: v for k, v in asdict(s).items() if k != "number"} for s in kept])}

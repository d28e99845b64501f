"""Keeps erased people out: their redelivered events become dead letters without bytes, and pins lose their maker."""

from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from pinwheel.core.contract import DEAD_LETTER, LINEAGE, PIN_COLUMN_OF, DeadReason
from pinwheel.core.mentions import numbers
from pinwheel.lake.erased_people import PIN_TEXTS, ErasedPeople

PERSON, CREATOR = "user_id", PIN_COLUMN_OF["creator_id"]
KEPT = (*LINEAGE, "event_date", "event_type", "dead_reason")


def without_erased(parsed: pa.Table, people: ErasedPeople) -> pa.Table:
    """Empty the rows of erased people, and the dead letters that mention one; each offset keeps a row.

    Args:
        parsed: one row per record, as the parser makes them.
        people: the list; while it is empty, this costs nothing.
    """
    if not people:
        return parsed
    listed = _listed(people, parsed[PERSON])
    theirs = pc.is_in(parsed[PERSON], listed)
    letters = _mentioning(parsed, people)
    if not pc.any(pc.or_(theirs, letters)).as_py():
        return parsed
    rows = _set(parsed, "event_date", theirs, pc.cast(parsed["kafka_timestamp"], pa.date32()))
    rows = _set(rows, "event_type", theirs, DEAD_LETTER)
    rows = _set(rows, "dead_reason", theirs, DeadReason.ERASED.value)
    gone = pc.or_(theirs, letters)
    for name in rows.column_names:
        if name not in KEPT:
            rows = _set(rows, name, gone, pa.scalar(None, rows[name].type))
    return rows


def without_makers(events: pa.Table, people: ErasedPeople) -> pa.Table:
    """Take erased people out of the pins of others' events; on request also what they wrote in them."""
    if not people:
        return events
    known = people.of(pc.unique(events[CREATOR]).to_pylist())
    if not known:
        return events
    made = pc.is_in(events[CREATOR], pa.array(list(known), pa.int64()))
    wordless = pc.is_in(events[CREATOR], pa.array([i for i, pins in known.items() if pins], pa.int64()))
    for name in PIN_TEXTS:
        events = _set(events, name, wordless, pa.scalar(None, events[name].type))
    return _set(events, CREATOR, made, pa.scalar(None, events[CREATOR].type))


def _listed(people: ErasedPeople, ids: pa.ChunkedArray) -> pa.Array:
    return pa.array(list(people.of(pc.unique(ids).to_pylist())), pa.int64())


def _mentioning(parsed: pa.Table, people: ErasedPeople) -> pa.ChunkedArray:
    """Which dead letters mention an erased person; in Python, because they are few."""
    found: Callable[[Any], bool] = lambda letter: bool(letter) and bool(people.of(numbers(letter)))  # noqa: E731
    dead = pc.equal(parsed["event_type"], DEAD_LETTER)
    if not pc.any(dead).as_py():
        return dead
    values = zip(dead.to_pylist(), parsed["dead_value"].to_pylist(), strict=True)
    return pa.chunked_array([pa.array([is_dead and found(value) for is_dead, value in values], pa.bool_())])


def _set(rows: pa.Table, name: str, where: pa.ChunkedArray, value: Any) -> pa.Table:
    changed = pc.if_else(where, value, rows[name])
    return rows.set_column(rows.column_names.index(name), name, changed)

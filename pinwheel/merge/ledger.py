"""The merge's ledger in the database: slices and their states (``SliceState``), watermarks, progress."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Protocol

from pinwheel.clients import memsql
from pinwheel.clients.memsql import Connection, Row
from pinwheel.core import offsets
from pinwheel.core.contract import ROLLUPS, SliceState
from pinwheel.core.errors import MergeError
from pinwheel.core.offsets import Progress, VersionRange
from pinwheel.core.settings import MemsqlSettings

EVENTS, PRESENCE = "events", "presence"  # stores with a first day; see ``kept_from``
FIRST_WATERMARK = -1  # a Delta table's first version is 0


class SupersededError(MergeError):
    """Another run has merged or dropped this slice; this run changed nothing, and nothing is lost."""


@dataclass(frozen=True)
class Shard:
    """A part of a table's events, by the hash of their ids; each is merged on its own."""

    number: int
    of: int

    @property
    def label(self) -> str:
        """The addition to the table's name in messages."""
        return "" if self.of == 1 else f" shard {self.number}"


ONLY = Shard(0, 1)


@dataclass(frozen=True)
class Slice:
    """A range of versions of one table that was merged, or that waits for a person."""

    slice_id: int
    table: str
    versions: VersionRange
    state: SliceState
    rows_read: int
    quarantined: int
    progress: Progress


class Readable(Protocol):
    """A slice that is not in the ledger yet."""

    table: str
    shard: Shard
    versions: VersionRange
    progress: Progress
    rows_read: int


COUNTS = ("inserted", "updated", "deleted", "duplicates", "conflicting", "overtaken")


@dataclass(frozen=True)
class Outcome:
    """The outcome of a slice's rows. ``detail``: JSON for people; None leaves what is there."""

    counts: Mapping[str, int]
    rows_read: int
    quarantined: int
    detail: str | None

    def values(self) -> dict[str, Any]:
        """The columns of the ledger."""
        counted = {name: self.counts.get(name, 0) for name in COUNTS}
        return {**counted, "rows_read": self.rows_read, "quarantined": self.quarantined, "detail": self.detail}


def watermark(connection: Connection, table: str, shard: Shard = ONLY) -> int:
    """Newest merged version of a shard of ``table``; -1 before the first merge.

    If the table had another number of shards, its new ones start where the slowest of the old ones was: what others had
    merged already is recognised as it comes again. A session of an old shard then finds its watermark gone.
    """
    rows = memsql.fetch(connection, "merge/watermarks", {"table_name": table})
    if len(rows) == shard.of and all(row["shards"] == shard.of for row in rows):
        return next(int(row["version"]) for row in rows if row["shard"] == shard.number)
    start = min((int(row["version"]) for row in rows), default=FIRST_WATERMARK)
    new = [{"table_name": table, "shard": n, "shards": shard.of, "version": start} for n in range(shard.of)]
    with memsql.transaction(connection):
        known = memsql.fetch(connection, "merge/progress", {"table_name": table})
        if memsql.execute(connection, "merge/drop_watermarks", {"table_name": table, "shards": shard.of}):
            memsql.execute(connection, "merge/drop_progress", {"table_name": table})
            memsql.execute(connection, "merge/supersede_slices", {"table_name": table})
            memsql.execute_many(connection, "merge/move_progress", [{**of, **row} for row in known for of in new])
        memsql.execute_many(connection, "merge/first_watermarks", new)
    return watermark(connection, table, shard)


def locked_watermark(connection: Connection, table: str, shard: Shard) -> int | None:
    """As ``watermark``, locked until the transaction ends; None: there is no such shard."""
    named = {"table_name": table, "shard": shard.number, "shards": shard.of}
    rows = memsql.fetch(connection, "merge/lock_watermark", named)
    return int(rows[0]["version"]) if rows else None


def kept_from(connection: Connection, store: str = EVENTS) -> date:
    """The first day of which a store has all rows: retention takes earlier ones away. Does not commit."""
    found: date | None = memsql.fetch(connection, "merge/kept_from", {"store": store})[0]["kept_from"]
    return found or date.min


def advance(connection: Connection, table: str, shard: Shard, versions: VersionRange, progress: Progress) -> None:
    """Compare-and-set a shard's watermark past ``versions``, and move the progress with it. Does not commit.

    Raises:
        SupersededError: another run has moved the watermark.
    """
    moved = {
        "table_name": table,
        "shard": shard.number,
        "shards": shard.of,
        "from_version": versions.after,
        "to_version": versions.to,
    }
    if memsql.execute(connection, "merge/move_watermark", moved) != 1:
        raise SupersededError(f"watermark of {table} is no longer at version {versions.after}: another run was faster")
    move_progress(connection, table, progress, shard)


def restart_progress(connection: Connection, table: str) -> None:
    """Forget how far a table is, and with it the rollups: the stream goes on at other offsets. Does not commit."""
    for name in (table, ROLLUPS):
        memsql.execute(connection, "merge/drop_progress", {"table_name": name})


def move_progress(connection: Connection, table: str, progress: Progress, shard: Shard = ONLY) -> None:
    """Record the reach of a shard of a table, or of the rollups; it never decreases. Does not commit."""
    rows = [
        {
            "table_name": table,
            "shard": shard.number,
            "kafka_partition": partition,
            "next_offset": reach.next_offset,
            "kafka_timestamp": reach.timestamp,
        }
        for partition, reach in progress.items()
    ]
    # Offsets without any record say nothing about a time: they only move what is known.
    memsql.execute_many(connection, "merge/move_offset", [row for row in rows if row["kafka_timestamp"] is None])
    memsql.execute_many(connection, "merge/move_progress", [row for row in rows if row["kafka_timestamp"] is not None])


def record_merged(connection: Connection, slice_: Readable, outcome: Outcome) -> int:
    """Insert a merged slice; returns its id. Does not commit."""
    return _record(connection, slice_, SliceState.MERGED, outcome)


def hold(connection: Connection, slice_: Readable, reasons: Mapping[str, Any]) -> Slice:
    """Insert a slice that waits for a person. Does not commit. Dying before leaves no trace: it is judged again.

    Raises:
        SupersededError: another run has merged or held these versions.
    """
    locked = locked_watermark(connection, slice_.table, slice_.shard)
    if locked != slice_.versions.after or waiting(connection, slice_.table, slice_.shard):
        raise SupersededError(f"{slice_.table} is no longer at version {slice_.versions.after}: another run was faster")
    detail = json.dumps(reasons, default=str, ensure_ascii=False)
    return find(connection, _record(connection, slice_, SliceState.HELD, Outcome({}, slice_.rows_read, 0, detail)))


def _record(connection: Connection, slice_: Readable, state: SliceState, outcome: Outcome) -> int:
    named = {
        "table_name": slice_.table,
        "shard": slice_.shard.number,
        "from_version": slice_.versions.after,
        "to_version": slice_.versions.to,
        "progress": offsets.to_json(slice_.progress),
        "state": state.value,
    }
    return memsql.insert_id(connection, "merge/record_slice", named | outcome.values())


def close_accepted(connection: Connection, slice_id: int, outcome: Outcome) -> int:
    """Record the outcome of a slice that a person accepted; returns its id. Does not commit.

    Raises:
        SupersededError: the decision was taken back.
    """
    if memsql.execute(connection, "merge/close_accepted", {"slice_id": slice_id, **outcome.values()}) != 1:
        raise SupersededError(f"slice {slice_id} is no longer accepted; nothing was merged")
    return slice_id


def move(
    connection: Connection, slice_id: int, before: SliceState, after: SliceState, detail: Mapping[str, Any]
) -> None:
    """Compare-and-set a slice's state, and store ``detail`` with it. Does not commit.

    Raises:
        SupersededError: the slice is no longer in state ``before``.
    """
    params = {
        "slice_id": slice_id,
        "state_before": before.value,
        "state_after": after.value,
        "detail": json.dumps(detail, default=str, ensure_ascii=False),
    }
    if memsql.execute(connection, "merge/move_slice", params) != 1:
        raise SupersededError(f"slice {slice_id} is no longer {before}: another run was faster")


def find(connection: Connection, slice_id: int) -> Slice:
    """The slice.

    Raises:
        MergeError: there is no such slice.
    """
    return _slice(_row(connection, slice_id, lock=False))


def waiting(connection: Connection, table: str, shard: Shard = ONLY) -> Slice | None:
    """The slice of a shard that waits for a person (held) or was accepted by one, if any."""
    rows = memsql.fetch(connection, "merge/waiting_slice", {"table_name": table, "shard": shard.number})
    return _slice(rows[0]) if rows else None


def release(settings: MemsqlSettings, slice_id: int, decision: str, by: str = "unknown") -> None:
    """Record a person's decision on a held slice; the next turn of the table's session acts on it.

    ``retry`` is also possible on an accepted slice, in case it can't be merged after all.

    Args:
        settings: the database.
        slice_id: a slice in state held or accepted.
        decision: ``retry`` prepares and judges the same versions again; ``accept`` merges the slice although
            the gate holds it (rows that break a rule go to quarantine).
        by: the person who decided, for the ledger.

    Raises:
        MergeError: unknown decision or slice.
        SupersededError: the slice is no longer held.
    """
    after = {"retry": SliceState.SUPERSEDED, "accept": SliceState.ACCEPTED}.get(decision)
    if after is None:
        raise MergeError(f"decision {decision!r} on slice {slice_id} must be 'retry' or 'accept'")
    with memsql.connect(settings) as connection, memsql.transaction(connection):
        row = _row(connection, slice_id, lock=True)
        detail = {**json.loads(row["detail"] or "{}"), "decision": decision, "decided_by": by}
        taken_back = decision == "retry" and row["state"] == SliceState.ACCEPTED
        move(connection, slice_id, SliceState.ACCEPTED if taken_back else SliceState.HELD, after, detail)


def _row(connection: Connection, slice_id: int, lock: bool) -> Row:
    rows = memsql.fetch(connection, "merge/lock_slice" if lock else "merge/find_slice", {"slice_id": slice_id})
    if not rows:
        raise MergeError(f"no slice {slice_id} in merge_slices; look there for the ones that are held")
    return rows[0]


def _slice(row: Row) -> Slice:
    return Slice(
        slice_id=row["slice_id"],
        table=row["table_name"],
        versions=VersionRange(row["from_version"], row["to_version"]),
        state=SliceState(row["state"]),
        rows_read=row["rows_read"],
        quarantined=row["quarantined"],
        progress=offsets.from_json(row["progress"]),
    )

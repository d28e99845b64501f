"""The merge's ledger in the database: slices and their states (``SliceState``), watermarks, progress."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pinwheel.clients import memsql
from pinwheel.clients.memsql import Connection, Row
from pinwheel.core import offsets
from pinwheel.core.contract import SliceState
from pinwheel.core.errors import MergeError
from pinwheel.core.offsets import Progress, Reach, VersionRange
from pinwheel.core.settings import MemsqlSettings

FIRST_WATERMARK = -1  # a Delta table's first version is 0


class SupersededError(MergeError):
    """Another run has merged or dropped this slice; this run changed nothing, and nothing is lost."""


@dataclass(frozen=True)
class Slice:
    """One attempt to merge a range of versions of one table."""

    slice_id: int
    table: str
    versions: VersionRange
    state: SliceState
    rows_read: int
    quarantined: int
    progress: Progress


def watermark(connection: Connection, table: str) -> int:
    """Newest merged version of ``table``; -1 before the first merge."""
    rows = memsql.fetch(connection, "merge/watermark", {"table_name": table})
    if rows:
        return int(rows[0]["version"])
    memsql.execute(connection, "merge/first_watermark", {"table_name": table, "version": FIRST_WATERMARK})
    return FIRST_WATERMARK


def advance(connection: Connection, table: str, versions: VersionRange, progress: Progress) -> None:
    """Compare-and-set the watermark past ``versions``, and move the progress with it. Does not commit.

    Raises:
        SupersededError: another run has moved the watermark.
    """
    moved = {"table_name": table, "from_version": versions.after, "to_version": versions.to}
    if memsql.execute(connection, "merge/move_watermark", moved) != 1:
        raise SupersededError(f"watermark of {table} is no longer at version {versions.after}: another run was faster")
    for partition, reach in progress.items():
        move_progress(connection, table, partition, reach)


def move_progress(connection: Connection, table: str, partition: int, reach: Reach) -> None:
    """Record the reach of a table, or of the rollups, in a Kafka partition; it never decreases. Does not commit."""
    row = {
        "table_name": table,
        "kafka_partition": partition,
        "next_offset": reach.next_offset,
        "kafka_timestamp": reach.timestamp,
    }
    memsql.execute(connection, "merge/move_progress", row)


def open_slice(connection: Connection, table: str, versions: VersionRange, progress: Progress) -> int:
    """Insert a slice in state ``staging``; returns its id. Does not commit."""
    return memsql.insert_id(
        connection,
        "merge/open_slice",
        {
            "table_name": table,
            "from_version": versions.after,
            "to_version": versions.to,
            "progress": offsets.to_json(progress),
        },
    )


def move(
    connection: Connection, slice_id: int, before: SliceState, after: SliceState, detail: Mapping[str, Any] | None
) -> None:
    """Compare-and-set a slice's state, and store ``detail`` with it if given. Does not commit.

    Raises:
        SupersededError: the slice is no longer in state ``before``.
    """
    params = {
        "slice_id": slice_id,
        "state_before": before.value,
        "state_after": after.value,
        "detail": None if detail is None else json.dumps(detail, default=str, ensure_ascii=False),
    }
    if memsql.execute(connection, "merge/move_slice", params) != 1:
        raise SupersededError(f"slice {slice_id} is no longer {before}: another run was faster")


def find(connection: Connection, slice_id: int, *, lock: bool = False) -> Slice:
    """The slice; with ``lock``, its row stays locked until the transaction ends.

    Raises:
        MergeError: there is no such slice.
    """
    return _slice(_row(connection, slice_id, lock))


def waiting(connection: Connection, table: str) -> Slice | None:
    """The slice of ``table`` that waits for a person (held) or was accepted by one, if any."""
    rows = memsql.fetch(connection, "merge/waiting_slice", {"table_name": table})
    return _slice(rows[0]) if rows else None


def release(settings: MemsqlSettings, slice_id: int, decision: str, by: str = "unknown") -> None:
    """Record a person's decision on a held slice; the next turn of the table's session acts on it.

    ``retry`` is also possible on an accepted slice, in case it can't be merged after all.

    Args:
        settings: the database.
        slice_id: a slice in state held or accepted.
        decision: ``retry`` drops the staged rows, then stages and audits the same versions again; ``accept``
            merges the slice although the audit failed (rows that broke a row rule stay in quarantine).
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

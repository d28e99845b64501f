"""The merge's books in the database: slices and their states, watermarks, progress.

States: staging -> staged -> merged; staged -> held -> accepted -> merged; anything not merged -> superseded.
"""

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
    """Somebody else has merged or dropped this slice; nothing of it was kept, and nothing is lost."""


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
    """Newest merged version of ``table``; -1 before the first."""
    found = memsql.fetch(connection, "merge/watermark", {"table_name": table})
    if found:
        return int(found[0]["version"])
    memsql.execute(connection, "merge/first_watermark", {"table_name": table, "version": FIRST_WATERMARK})
    return FIRST_WATERMARK


def advance(connection: Connection, table: str, versions: VersionRange, progress: Progress) -> None:
    """Move the watermark over ``versions``, and the progress with it. Commits nothing.

    Raises:
        SupersededError: the watermark is not where it was.
    """
    moved = {"table_name": table, "from_version": versions.after, "to_version": versions.to}
    if memsql.execute(connection, "merge/move_watermark", moved) != 1:
        raise SupersededError(f"watermark of {table} is no longer at version {versions.after}: another run was faster")
    for partition, reach in progress.items():
        move_progress(connection, table, partition, reach)


def move_progress(connection: Connection, table: str, partition: int, reach: Reach) -> None:
    """Note how far a table, or the rollups, are in a Kafka partition; never goes back. Commits nothing."""
    row = {
        "table_name": table,
        "kafka_partition": partition,
        "next_offset": reach.next_offset,
        "kafka_timestamp": reach.timestamp,
    }
    memsql.execute(connection, "merge/move_progress", row)


def open_slice(connection: Connection, table: str, versions: VersionRange, progress: Progress) -> int:
    """Write a new slice into the ledger, state ``staging``; returns its id."""
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
    """Compare-and-set a slice's state; ``detail`` (when given) is kept with it. Commits nothing.

    Raises:
        SupersededError: the slice is not in state ``before`` any more.
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
    """The slice, its row locked until the transaction ends if ``lock``.

    Raises:
        MergeError: there is no such slice.
    """
    found = memsql.fetch(connection, "merge/lock_slice" if lock else "merge/find_slice", {"slice_id": slice_id})
    if not found:
        raise MergeError(f"no slice {slice_id} in merge_slices; look there for the ones that are held")
    return _slice(found[0])


def waiting(connection: Connection, table: str) -> Slice | None:
    """The slice of ``table`` that a person holds up (held) or has let through (accepted), if any."""
    found = memsql.fetch(connection, "merge/waiting_slice", {"table_name": table})
    return _slice(found[0]) if found else None


def release(settings: MemsqlSettings, slice_id: int, decision: str, by: str = "unknown") -> None:
    """A person's decision on a held slice, or on one that was accepted and can't be merged after all (``retry``).

    The next turn of the table's session acts on it.

    Args:
        settings: the database.
        slice_id: a slice in state held or accepted.
        decision: ``retry`` drops the staged rows and stages and audits the same versions afresh; ``accept``
            merges the slice although the audit failed (rows that broke a row rule stay in quarantine).
        by: who decided, for the ledger.

    Raises:
        MergeError: unknown decision or slice; SupersededError when it is not held any more.
    """
    after = {"retry": SliceState.SUPERSEDED, "accept": SliceState.ACCEPTED}.get(decision)
    if after is None:
        raise MergeError(f"decision {decision!r} on slice {slice_id} must be 'retry' or 'accept'")
    with memsql.connect(settings) as connection, memsql.transaction(connection):
        found = memsql.fetch(connection, "merge/lock_slice", {"slice_id": slice_id})
        if not found:
            raise MergeError(f"no slice {slice_id} in merge_slices; look there for the ones that are held")
        detail = {**json.loads(found[0]["detail"] or "{}"), "decision": decision, "decided_by": by}
        taken_back = decision == "retry" and found[0]["state"] == SliceState.ACCEPTED
        move(connection, slice_id, SliceState.ACCEPTED if taken_back else SliceState.HELD, after, detail)


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

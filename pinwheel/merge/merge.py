"""Merge: one transaction that applies a staged slice, queues it for the rollups and updates the ledger.

Idempotent: a run that is repeated or late is a no-op. The watermark moves by compare-and-set, and the slice's ledger
row, locked for the whole transaction, must still be in a state to merge.
"""

import logging
from collections.abc import Mapping
from dataclasses import asdict, dataclass

from pinwheel.clients import memsql
from pinwheel.clients.memsql import Connection
from pinwheel.core.contract import PIN_COLUMNS, PIN_ID, TABLES, EventType, SliceState, reporting_columns
from pinwheel.core.errors import MergeError
from pinwheel.merge import ledger
from pinwheel.merge.ledger import Slice, SupersededError

log = logging.getLogger(__name__)

MINUTES_FROM = "repins"  # trends count repins by minute
BUCKET_COLUMNS = ("pin_id", "brand_id", "category", "country_code")  # bucket_columns of a type with pins


@dataclass(frozen=True)
class Counts:
    """The outcome of a slice's rows; together with ``quarantined`` they add up to the rows read."""

    inserted: int
    updated: int
    deleted: int
    duplicates: int
    conflicting: int
    overtaken: int


def merge(slice_id: int, connection: Connection) -> Counts:
    """Merge a slice that is staged and audited, or accepted by a person.

    Raises:
        SupersededError: another run merged or dropped the slice; nothing was changed.
        MergeError: the number of staged rows differs from the ledger.
    """
    try:
        return memsql.retry_conflicts(lambda: _merge_once(slice_id, connection))
    except SupersededError:
        with memsql.transaction(connection):
            memsql.execute(connection, "merge/supersede_slice", {"slice_id": slice_id})
        raise


def _merge_once(slice_id: int, connection: Connection) -> Counts:
    memsql.execute_all(connection, "merge/work_tables")
    with memsql.transaction(connection):
        slice_ = ledger.find(connection, slice_id, lock=True)
        if slice_.state not in (SliceState.STAGED, SliceState.ACCEPTED):
            raise SupersededError(f"slice {slice_id} of {slice_.table} is {slice_.state}; nothing to merge")
        ledger.advance(connection, slice_.table, slice_.versions, slice_.progress)
        counts = _apply(connection, slice_)
        memsql.execute(connection, "merge/close_slice", {"slice_id": slice_id, **asdict(counts)})
    log.info("merged slice=%d table=%s to=%d %s", slice_id, slice_.table, slice_.versions.to, _pairs(counts))
    return counts


def _apply(connection: Connection, slice_: Slice) -> Counts:
    """Write the rows, the pins they embed, the pins they wait for, and the rollups' queue."""
    of_slice, kind = {"slice_id": slice_.slice_id}, TABLES[slice_.table]
    staged = _checked_rows(connection, slice_)
    memsql.execute(connection, "merge/plan", of_slice, table=slice_.table)
    actions = {row["action"]: int(row["deliveries"]) for row in memsql.fetch(connection, "merge/count_actions")}
    if kind.names_pin:
        memsql.execute(connection, "merge/note_pending", of_slice, table=slice_.table)
    _forget_quarantined(connection, slice_)
    if actions:
        _take_away(connection, slice_, kind)
    columns = [c.name for c in reporting_columns(kind)]
    memsql.execute(connection, "merge/upsert", of_slice, table=slice_.table, columns=columns)
    counts = _count(connection, slice_, staged, actions)
    if actions:  # staging must hold only rows that are in the table: the rollups find their buckets from it
        memsql.execute(connection, "merge/unstage_unused", of_slice, table=slice_.table)
    if kind.embeds_pin:
        memsql.execute(connection, "merge/pin_cache", of_slice)
    if slice_.table == MINUTES_FROM:
        memsql.execute(connection, "merge/note_new_minutes", of_slice)
    memsql.execute(connection, "merge/enqueue_rollups", {**of_slice, "table_name": slice_.table})
    return counts


def _forget_quarantined(connection: Connection, slice_: Slice) -> None:
    """Drop quarantined rows that arrive again, corrected or erased."""
    of_slice = {"slice_id": slice_.slice_id, "table_name": slice_.table}
    if memsql.fetch(connection, "merge/count_quarantined", of_slice, table=slice_.table)[0]["quarantined"]:
        memsql.execute(connection, "merge/forget_quarantined", of_slice, table=slice_.table)


def _take_away(connection: Connection, slice_: Slice, kind: EventType) -> None:
    """Delete the rows that the slice deletes; before that, save those that it replaces, for the rollups and trends."""
    of_slice = {"slice_id": slice_.slice_id}
    if memsql.execute(connection, "merge/note_left", of_slice, table=slice_.table, bucket=bucket_columns(kind)):
        memsql.execute(connection, "merge/unstage_replaced", of_slice, table=slice_.table)
    if slice_.table == MINUTES_FROM:
        memsql.execute(connection, "merge/note_old_minutes", of_slice)
    memsql.execute(connection, "merge/delete", table=slice_.table)


def _checked_rows(connection: Connection, slice_: Slice) -> int:
    staged = int(
        memsql.fetch(connection, "merge/count_staged", {"slice_id": slice_.slice_id}, table=slice_.table)[0]["staged"]
    )
    if staged != slice_.rows_read - slice_.quarantined:
        raise MergeError(
            f"slice {slice_.slice_id} of {slice_.table} has {staged} staged rows, but the ledger says "
            f"{slice_.rows_read} minus {slice_.quarantined} quarantined: release it with 'retry'"
        )
    return staged


def _count(connection: Connection, slice_: Slice, staged: int, actions: Mapping[str, int]) -> Counts:
    spare = actions.get("spare", 0)
    duplicates = _duplicates(connection, slice_) if spare else 0
    return Counts(
        inserted=staged - sum(actions.values()),  # rows that the plan does not name
        updated=actions.get("update", 0),
        deleted=actions.get("delete", 0),
        duplicates=duplicates,
        conflicting=spare - duplicates,
        overtaken=actions.get("ignore", 0),
    )


def _duplicates(connection: Connection, slice_: Slice) -> int:
    rows = memsql.fetch(
        connection,
        "merge/count_duplicates",
        {"slice_id": slice_.slice_id},
        table=slice_.table,
        payload=payload_columns(TABLES[slice_.table]),
    )
    return int(rows[0]["duplicates"])


def payload_columns(kind: EventType) -> list[str]:
    """Columns in which two deliveries of an event must agree: those that the producer sent, not those that we added."""
    own = [f.name for f in kind.fields]
    pin = [PIN_ID.name, *(c.name for c in PIN_COLUMNS)] if kind.embeds_pin else []
    return ["occurred_at", "user_id", *own, *pin]


def bucket_columns(kind: EventType) -> list[str]:
    """The columns by which the rollups group a type's rows, besides time and person."""
    return [name for name in BUCKET_COLUMNS if kind.has_pin or name == "country_code"]


def _pairs(counts: Counts) -> str:
    return " ".join(f"{name}={value}" for name, value in asdict(counts).items())

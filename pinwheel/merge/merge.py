"""Merge: one transaction that upserts and deletes a staged slice, recomputes its rollup buckets and keeps the books.

A run that comes twice or late changes nothing: the watermark moves by compare-and-set, and the slice's ledger row,
locked for the whole transaction, must still say that it is to be merged.
"""

import logging
from collections.abc import Iterable
from dataclasses import asdict, dataclass

from pinwheel import memsql
from pinwheel.contracts import PIN_COLUMNS, PIN_ID, TABLES, EventType
from pinwheel.errors import MergeError
from pinwheel.memsql import Connection
from pinwheel.merge import ledger
from pinwheel.merge.ledger import Slice, State, SupersededError

log = logging.getLogger(__name__)

ROLLUPS = (
    "brand_hourly",
    "brand_daily",
    "brand_country_daily",
    "category_hourly",
    "pin_hourly",
    "pin_firsts",
    "country_hourly",
)  # pin_hourly before pin_firsts, which reads it
MINUTES_FROM = "repins"  # what trends are made of
HOMES_FROM = "logins"  # the only events that say where a person lives, not where they happen to be


@dataclass(frozen=True)
class Counts:
    """What came of a slice's rows; with ``quarantined`` they add up to the rows read."""

    inserted: int
    updated: int
    deleted: int
    duplicates: int
    conflicting: int
    overtaken: int


def merge(slice_id: int, connection: Connection) -> Counts:
    """Merge a slice that is staged and audited, or accepted by a person.

    Raises:
        SupersededError: another run merged or dropped it; nothing was changed.
        MergeError: its staged rows are not what the ledger says.
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
        memsql.fetch(connection, "merge/lock_rollups")
        found = ledger.find(connection, slice_id, lock=True)
        if found.state not in (State.STAGED, State.ACCEPTED):
            raise SupersededError(f"slice {slice_id} of {found.table} is {found.state}; nothing to merge")
        ledger.advance(connection, found.table, (found.from_version, found.to_version), found.progress)
        counts = _apply(connection, found)
        memsql.execute(connection, "merge/close_slice", {"slice_id": slice_id, **asdict(counts)})
    log.info("merged slice=%d table=%s to=%d %s", slice_id, found.table, found.to_version, _pairs(counts))
    return counts


def _apply(connection: Connection, found: Slice) -> Counts:
    of_slice = {"slice_id": found.slice_id}
    staged = _checked_rows(connection, found)
    memsql.execute(connection, "merge/plan", of_slice, table=found.table)
    kind = TABLES[found.table]
    _note_touched(connection, found, kind)
    memsql.execute(connection, "merge/delete", table=found.table)
    memsql.execute(connection, f"merge/{found.table}", of_slice)
    _follow_up(connection, found, kind)
    return _count(connection, found, staged)


def _note_touched(connection: Connection, found: Slice, kind: EventType) -> None:
    """Before the rows change: which buckets they are in, and will be in."""
    of_slice = {"slice_id": found.slice_id}
    for what in ("people", "buckets") if kind.has_pin else ("people",):
        memsql.execute(connection, f"merge/note_old_{what}", table=found.table)
        memsql.execute(connection, f"merge/note_new_{what}", of_slice, table=found.table)
    if found.table == MINUTES_FROM:
        memsql.execute(connection, "merge/note_old_minutes", of_slice)
        memsql.execute(connection, "merge/note_new_minutes", of_slice)


def _checked_rows(connection: Connection, found: Slice) -> int:
    staged = int(
        memsql.fetch(connection, "merge/count_staged", {"slice_id": found.slice_id}, table=found.table)[0]["staged"]
    )
    if staged != found.rows_read - found.quarantined:
        raise MergeError(
            f"slice {found.slice_id} of {found.table} has {staged} staged rows, the ledger says {found.rows_read} less "
            f"{found.quarantined} quarantined: release it with 'retry'"
        )
    return staged


def _follow_up(connection: Connection, found: Slice, kind: EventType) -> None:
    """What depends on the merged rows: the pin cache, pins to wait for, quarantined copies, the rollups."""
    of_slice = {"slice_id": found.slice_id}
    if kind.embeds_pin:
        memsql.execute(connection, "merge/pin_cache", of_slice)
    if kind.names_pin:
        memsql.execute(connection, "merge/note_pending", of_slice, table=found.table)
    memsql.execute(connection, "merge/forget_quarantined", {**of_slice, "table_name": found.table}, table=found.table)
    if kind.has_pin:
        memsql.execute_all(connection, "rollup/touched")
        recompute(connection, ROLLUPS)
    recompute(connection, ("people_daily", "person_homes") if found.table == HOMES_FROM else ("people_daily",))


def recompute(connection: Connection, rollups: Iterable[str]) -> None:
    """Recompute the buckets of ``rollups`` that the work tables ``touched_*`` name. Commits nothing."""
    for rollup in rollups:
        memsql.execute_all(connection, f"rollup/{rollup}")


def _count(connection: Connection, found: Slice, staged: int) -> Counts:
    actions = {row["action"]: int(row["deliveries"]) for row in memsql.fetch(connection, "merge/count_actions")}
    spare = actions.get("spare", 0)
    duplicates = _duplicates(connection, found) if spare else 0
    return Counts(
        inserted=actions.get("insert", 0),
        updated=actions.get("update", 0),
        deleted=actions.get("delete", 0),
        duplicates=duplicates,
        conflicting=spare - duplicates,
        overtaken=staged - sum(actions.values()) + actions.get("ignore", 0),
    )


def _duplicates(connection: Connection, found: Slice) -> int:
    rows = memsql.fetch(
        connection,
        "merge/count_duplicates",
        {"slice_id": found.slice_id},
        table=found.table,
        payload=payload_columns(TABLES[found.table]),
    )
    return int(rows[0]["duplicates"])


def payload_columns(kind: EventType) -> list[str]:
    """Columns that two deliveries of an event must agree on: what the producer sent, not what we added."""
    own = [f.name for f in kind.fields]
    pin = [PIN_ID.name, *(c.name for c in PIN_COLUMNS)] if kind.embeds_pin else []
    return ["occurred_at", "user_id", *own, *pin]


def _pairs(counts: Counts) -> str:
    return " ".join(f"{name}={value}" for name, value in asdict(counts).items())

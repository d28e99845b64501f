"""Rebuild: a reporting table made anew from a version of the lake, while readers see the old one (ADR 0012).

Each part is prepared and judged like a slice that a person has accepted, and loaded into ``rebuilt_<table>`` in one
transaction that also counts it and puts its bad rows into ``quarantine`` under that name: by the table's merge session,
part by part, or by a Spark job (spark_jobs/rebuild_tables.py), several at once. Then the session exchanges the tables
and their quarantined rows, the watermark goes to that version, and the rollups of all days are made anew. Whatever
dies, the next session or job goes on.
"""

import json
import logging
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import asdict, dataclass
from datetime import date

import pyarrow as pa
from deltalake import DeltaTable

from pinwheel.clients import memsql
from pinwheel.clients.memsql import Connection, Row
from pinwheel.core import offsets
from pinwheel.core.errors import MergeError
from pinwheel.core.offsets import Progress, VersionRange
from pinwheel.core.settings import MergeSettings
from pinwheel.lake import events_table
from pinwheel.merge import ledger
from pinwheel.merge.gate import Gate
from pinwheel.merge.ledger import FIRST_WATERMARK, Outcome, Shard, SupersededError
from pinwheel.merge.merge import planned, quarantined_again, set_aside, write_rows
from pinwheel.merge.prepare import Prepared, as_feed
from pinwheel.merge.rebuild_parts import LOADERS, Extent, extents, files_of_parts, most_rows, rows_of

log = logging.getLogger(__name__)

REQUESTED, LOADING, EXCHANGING = "requested", "loading", "exchanging"  # states, in this order
SESSION, SPARK = "session", "spark"  # loaders
RECENT_COMMITS = 1000  # among them, each partition that still gets records has one


@dataclass(frozen=True)
class Rebuild:
    """A table's rebuild, from a version of the lake. ``loader``: what loads its parts, ``SESSION`` or ``SPARK``."""

    table: str
    version: int
    part_rows: int
    loader: str
    state: str


def request(
    connection: Connection, settings: MergeSettings, tables: Sequence[str], by: str, loader: str = SESSION
) -> list[Extent]:
    """Have tables rebuilt from the lake's newest version; returns what that will read.

    A table that is being rebuilt already goes on from its version, with this loader.

    Raises:
        MergeError: there is no such table, or no lake.
    """
    found = extents(settings, tables)
    with memsql.transaction(connection):
        of_all = {"part_rows": most_rows(settings), "loader": loader, "requested_by": by}
        asked = [{"table_name": e.table, "version": e.version, **of_all} for e in found]
        memsql.execute_many(connection, "merge/rebuild/request", asked)
    log.info("rebuild requested tables=%s by=%s", ",".join(tables), by)
    return found


def waiting(connection: Connection, table: str) -> Rebuild | None:
    """The rebuild of ``table`` that is not done, if any."""
    rows = memsql.fetch(connection, "merge/rebuild/state", {"table_name": table})
    return Rebuild(table, **rows[0]) if rows else None


def versions(connection: Connection) -> set[int]:
    """The lake's versions that rebuilds read, and that must be kept for them."""
    return {int(row["version"]) for row in memsql.fetch(connection, "merge/rebuild/versions")}


def is_mine(rebuild: Rebuild) -> bool:
    """Whether a session has something to do for it: the parts, unless Spark loads them, and the exchange."""
    return rebuild.loader == SESSION or rebuild.state == EXCHANGING


def go_on(rebuild: Rebuild, settings: MergeSettings, connection: Connection, gate: Gate) -> None:
    """Load the next parts, or exchange the tables when all are loaded.

    Raises:
        SupersededError: another run was faster; this one changed nothing.
    """
    if rebuild.state != EXCHANGING:
        begin(rebuild, settings, connection)
        missing, parts = missing_parts(rebuild, settings, connection)
        if missing:
            _load_next(rebuild, settings, missing, gate)
            return
        all_loaded(connection, rebuild, parts)
    _exchange(rebuild, settings, connection)


def _load_next(rebuild: Rebuild, settings: MergeSettings, missing: Mapping[int, list[str]], gate: Gate) -> None:
    """Load as many parts at once as there are ``LOADERS``.

    Two parts with deliveries of the same event: the slower one changes nothing, and its next attempt sees the other.
    """

    def load_one(part: int) -> None:
        rows = rows_of(settings.events_uri, rebuild.table, missing[part])
        with memsql.connect(settings, local_infile=True) as connection:
            load_part(rebuild, part, rows, connection, gate)

    with ThreadPoolExecutor(LOADERS) as pool:
        loading = {part: pool.submit(load_one, part) for part in sorted(missing)[:LOADERS]}
    errors = []
    for part, done in loading.items():
        if (error := done.exception()) is not None:
            log.warning("part not loaded table=%s part=%d: %s", rebuild.table, part, error)
            errors.append(error)
    fatal = [error for error in errors if not isinstance(error, MergeError)]
    if fatal or len(errors) == len(loading):
        raise (fatal or errors)[0]


def begin(rebuild: Rebuild, settings: MergeSettings, connection: Connection) -> None:
    """Make the new table, empty, unless that was done; a no-op after the first time.

    A lock on another connection is held meanwhile, because making a table ends a transaction: a second run finds
    the table made, and does not empty it again. Dying here releases the lock, and the next run makes the table.
    """
    if rebuild.state != REQUESTED:
        return
    with memsql.connect(settings) as locking, memsql.transaction(locking):
        if not memsql.fetch(locking, "merge/rebuild/lock", _named(rebuild)):
            return
        memsql.execute_all(connection, "merge/rebuild/shadow", table=rebuild.table)
        forget_parts(locking, rebuild.table)
        memsql.execute(locking, "merge/rebuild/move", _named(rebuild, state=REQUESTED, next_state=LOADING))


def missing_parts(
    rebuild: Rebuild, settings: MergeSettings, connection: Connection
) -> tuple[dict[int, list[str]], int]:
    """The files' paths of each part that is not in the new table yet, by its number; and the number of all parts."""
    events = DeltaTable(settings.events_uri, version=rebuild.version)
    parts = files_of_parts(events, rebuild.table, rebuild.part_rows)
    done = loaded(connection, rebuild)
    return {n: [path for path, _ in part] for n, part in enumerate(parts) if n not in done}, len(parts)


def loaded(connection: Connection, rebuild: Rebuild) -> set[int]:
    """The parts that are in the new table."""
    with memsql.transaction(connection):
        return {int(row["part"]) for row in _parts(connection, rebuild.table)}


def _parts(connection: Connection, table: str) -> list[Row]:
    return memsql.fetch(connection, "merge/rebuild/parts", {"table_name": table})


def forget_parts(connection: Connection, table: str) -> None:
    """Forget which parts are loaded, and what they have set aside. Does not commit."""
    memsql.execute(connection, "merge/rebuild/forget_parts", {"table_name": table})
    memsql.execute(connection, "merge/rebuild/drop_aside", {"rebuilt": f"rebuilt_{table}"})


def all_loaded(connection: Connection, rebuild: Rebuild, parts: int) -> None:
    """Let the table's session exchange the tables.

    Raises:
        SupersededError: another run was faster.
        MergeError: not all of ``parts`` are loaded.
    """
    if loaded(connection, rebuild) != set(range(parts)):
        raise MergeError(f"not all of {parts} parts of the rebuild of {rebuild.table} are loaded")
    with memsql.transaction(connection):
        move = _named(rebuild, state=LOADING, next_state=EXCHANGING)
        if memsql.execute(connection, "merge/rebuild/move", move) != 1:
            raise SupersededError(f"the rebuild of {rebuild.table} is no longer loading")


def _named(rebuild: Rebuild, **more: str) -> dict[str, str | int]:
    return {"table_name": rebuild.table, "version": rebuild.version, **more}


def load_part(rebuild: Rebuild, part: int, rows: Iterable[pa.RecordBatch], connection: Connection, gate: Gate) -> int:
    """Prepare, judge and load a part; returns its number of rows.

    Dying before the commit changes nothing; after it, the part is counted. Twice, or two at once: the part is counted
    once, and the second changes nothing.

    Args:
        rebuild: it has begun.
        part: its number, from 0.
        rows: the rows of its files, with at least the columns that land in the reporting table.
        connection: opened with ``local_infile``; its transactions are committed.
        gate: judges the rows.

    Raises:
        SupersededError: the part was loaded by another run, the rebuild is over, or days have expired meanwhile;
            nothing was changed.
        MergeError: another part with a delivery of the same event was faster; nothing was changed.
    """
    versions = VersionRange(FIRST_WATERMARK, rebuild.version)
    with closing(Prepared(rebuild.table, versions, {}, as_feed(rebuild.table, rebuild.version, rows))) as slice_:
        slice_.expire(ledger.kept_from(connection), aside=False)  # retention took them away; they don't come back
        verdict = gate.check(slice_, accepted=True)  # as when it was merged first: bad rows were quarantined then too
        with planned(slice_, connection, f"rebuilt_{rebuild.table}") as write_:

            def load() -> None:
                with memsql.transaction(connection):
                    if memsql.execute(connection, "merge/rebuild/add_part", _named(rebuild) | {"part": part}) != 1:
                        raise SupersededError(f"part {part} of the rebuild of {rebuild.table} is loaded already")
                    if ledger.kept_from(connection) != slice_.kept_from:
                        raise SupersededError(f"days of {rebuild.table} have expired meanwhile: prepared again")
                    detail = f'{{"rebuild": "part {part}"}}'
                    outcome = Outcome(asdict(write_.counts), slice_.rows_read, len(slice_.aside), detail)
                    slice_id = ledger.record_merged(connection, slice_, outcome)
                    write_rows(connection, write_)
                    _set_aside(connection, slice_, slice_id, write_.table, part)

            memsql.retry_conflicts(load)
    log.info("rebuilt table=%s part=%d rows=%d quarantined=%d", rebuild.table, part, slice_.rows_read,
             verdict.quarantined)  # fmt: skip
    return int(slice_.rows_read)


def _set_aside(connection: Connection, slice_: Prepared, slice_id: int, rebuilt: str, part: int) -> None:
    """Keep a part's bad rows, and which quarantined records it has judged anew, for the exchange. Does not commit."""
    set_aside(connection, slice_, slice_id, rebuilt)
    again = json.dumps(quarantined_again(connection, slice_))
    judged = {"table_name": slice_.table, "part": part, "judged_anew": again}
    memsql.execute(connection, "merge/rebuild/judged_anew", judged)


def _exchange(rebuild: Rebuild, settings: MergeSettings, connection: Connection) -> None:
    """Exchange the tables, then let the table follow the feed from the rebuild's version.

    Dying between the two leaves the new table with the old watermark; the next run finds no shadow left, and goes on.
    Rows of versions in between come again by the feed, and are recognised.

    Raises:
        SupersededError: another run was faster, or retention is not done with the old table; nothing was changed.
    """
    table = rebuild.table
    memsql.execute(connection, "merge/rebuild/drop_replaced", table=table)
    if memsql.fetch(connection, "merge/rebuild/has_shadow", {"rebuilt": f"rebuilt_{table}"}):
        with memsql.transaction(connection):
            _require_expired(connection, table)
            note_stale_days(connection, table)
        memsql.execute_all(connection, "merge/rebuild/exchange", table=table)
    ledger.watermark(connection, table, Shard(0, settings.merge_shards))  # there are none in a new database
    with memsql.transaction(connection):
        if memsql.execute(connection, "merge/rebuild/done", {"table_name": table}) != 1:
            raise SupersededError(f"the rebuild of {table} was finished by another run")
        for part in _parts(connection, table):
            memsql.execute_many(connection, "merge/forget_quarantined", json.loads(part["judged_anew"] or "[]"))
        named = {"table_name": table, "rebuilt": f"rebuilt_{table}"}
        memsql.execute(connection, "merge/rebuild/settle_quarantine", named)
        forget_parts(connection, table)
        note_stale_days(connection, table)
        follow_from(connection, settings, table, rebuild.version)
    memsql.execute(connection, "merge/rebuild/drop_replaced", table=table)
    log.info("rebuilt table=%s version=%d", table, rebuild.version)


def follow_from(connection: Connection, settings: MergeSettings, table: str, version: int) -> None:
    """Let all shards of a table follow the feed from a version. Does not commit."""
    memsql.execute(connection, "merge/rebuild/set_watermarks", {"table_name": table, "version": version})
    memsql.execute(connection, "merge/drop_progress", {"table_name": table})
    memsql.execute(connection, "merge/supersede_slices", {"table_name": table})
    reached = progress_at(settings.events_uri, version)
    for number in range(settings.merge_shards):
        ledger.move_progress(connection, table, reached, Shard(number, settings.merge_shards))


def _require_expired(connection: Connection, table: str) -> None:
    """The old table is not dropped while retention still has to count logins of it."""
    kept = {"kept_from": ledger.kept_from(connection)}
    if (
        kept["kept_from"] > date.min
        and memsql.fetch(connection, "merge/rebuild/expiring", kept, table=table)[0]["is_expiring"]
    ):
        raise SupersededError(
            f"rows of {table} are about to expire: tables are exchanged after apply_retention is done"
        )


def note_stale_days(connection: Connection, table: str) -> None:
    """Have the rollups of all days of a table made anew from its rows. Idempotent; does not commit."""
    memsql.execute(connection, "merge/rebuild/note_stale_days", table=table)


def progress_at(events_uri: str, version: int) -> Progress:
    """The progress of the lake at a version, as far as its log goes back."""
    events = events_table.opened(events_uri)
    newer = events.version() - version
    commits = [c for c in events_table.recent_commits(events, newer + RECENT_COMMITS) if c.version <= version]
    gaps = [commit.version for commit in commits if commit.gap]  # since the last one, offsets are comparable
    return offsets.together(commit.progress for commit in commits if commit.version >= max(gaps, default=0))

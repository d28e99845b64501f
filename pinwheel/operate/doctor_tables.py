"""Watermarks, ledger, rebuilds and the rollups' queue, compared with each other and with the lake."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, partial

from deltalake import DeltaTable

from pinwheel.clients import memsql
from pinwheel.clients.memsql import Connection, Row
from pinwheel.core.contract import ROLLUPS, TABLES, SliceState
from pinwheel.core.errors import LogCutError
from pinwheel.core.offsets import Progress
from pinwheel.core.settings import MergeSettings
from pinwheel.lake import events_table
from pinwheel.merge import ledger, mends, rebuild
from pinwheel.merge.ledger import FIRST_WATERMARK
from pinwheel.merge.rebuild import EXCHANGING, Rebuild
from pinwheel.operate.finding import Finding
from pinwheel.rollup import mends as rollup_mends

WATERMARKS, LEDGER, QUEUE = "watermarks", "ledger", "queue"  # parts
BY = "pinwheel doctor"
QUEUE_SECONDS = 300.0  # a session that died is replaced within two minutes, and a refresh takes seconds


@dataclass(frozen=True)
class Rows:
    """The database's state, as of one moment: before the lake is opened, which is only ever further."""

    shards: list[Row]
    progress: list[Row]
    waiting: list[Row]
    rebuilds: dict[str, Rebuild]
    left_over: dict[str, list[str]]
    orphans: dict[int, int]
    stale_days: int
    queued_seconds: float


def look(settings: MergeSettings) -> Iterator[Finding]:
    """All that is wrong with them.

    Raises:
        MemsqlError: the database is unavailable.
    """
    with memsql.connect(settings) as connection, memsql.snapshot(connection):
        rows = _rows(connection)
    yield from _waiting(settings, rows)
    yield from _left_over(settings, rows)
    yield from _queue(settings, rows)
    events = events_table.open_table(settings.events_uri)
    yield from _rebuilds(settings, rows, events)
    yield from _watermarks(settings, rows, events)


def _rows(connection: Connection) -> Rows:
    going = {table: rebuild.waiting(connection, table) for table in TABLES}
    return Rows(
        memsql.fetch(connection, "operate/doctor/shards"),
        memsql.fetch(connection, "operate/doctor/progress"),
        memsql.fetch(connection, "operate/doctor/waiting_slices"),
        {table: found for table, found in going.items() if found},
        mends.left_over(connection),
        rollup_mends.orphans(connection),
        memsql.fetch(connection, "operate/doctor/stale_days")[0]["days"],
        rollup_mends.waiting_seconds(connection),
    )


def _watermarks(settings: MergeSettings, rows: Rows, events: DeltaTable | None) -> Iterator[Finding]:
    newest = FIRST_WATERMARK if events is None else events.version()
    beyond = {row["table_name"]: row["version"] for row in rows.shards if row["version"] > newest}
    for table, version in beyond.items():
        yield Finding(
            WATERMARKS,
            f"{table} has merged version {version} of the lake, whose newest is {newest}: an older copy was put back",
            "new events are not merged, or rows are passed by once the lake has as many versions again",
            f"set {table} back to version {newest}; rows that come again are recognised. Then see `pinwheel books`"
            if events
            else f"put the lake back, or correct PINWHEEL_LAKE_URI={settings.lake_uri}",
            partial(mends.set_back, settings, table) if events else None,
        )
    if events is not None:
        others = [r for r in rows.shards if r["table_name"] not in rows.rebuilds.keys() | beyond.keys()]
        yield from _cut_off(others, events)
        yield from _other_history(settings, others, rows.progress)


def _cut_off(shards: list[Row], events: DeltaTable) -> Iterator[Finding]:
    for row in shards:
        try:
            events_table.commits(events, row["version"])
        except LogCutError as error:
            if row["version"] > FIRST_WATERMARK:  # one that was never merged is rebuilt by itself
                yield Finding(
                    WATERMARKS,
                    f"{row['table_name']} has merged version {row['version']}, and can't read the next: {error}",
                    "its newer events are missing from the table and its rollups; the lake has them",
                    f"trigger rebuild_tables, or `pinwheel rebuild {row['table_name']}`",
                )


def _other_history(settings: MergeSettings, shards: list[Row], progress: list[Row]) -> Iterator[Finding]:
    """Tables that are not as far as the lake was at the version that they have merged.

    That version is another one now: the lake was set back, and has landed on from there.
    """
    reached = cache(partial(_reached, settings.events_uri))
    for row in shards:
        of_shard = {p["kafka_partition"]: p["next_offset"] for p in progress if _is_of(p, row)}
        there = reached(row["version"])
        unlike = [p for p in of_shard.keys() & there.keys() if of_shard[p] != there[p].next_offset]
        if unlike:
            one = min(unlike)
            yield Finding(
                WATERMARKS,
                f"{row['table_name']} has merged version {row['version']}, and its next offset of partition {one} is "
                f"{of_shard[one]}; in the lake that version ends at {there[one].next_offset}: an older copy was put "
                "back, and has gone on since",
                "rows of the lake may be missing from the table, or be there in an older state",
                f"`pinwheel rebuild {row['table_name']}`, if Kafka or a backup gave the lake all rows again; see "
                "`pinwheel books`",
            )


def _reached(events_uri: str, version: int) -> Progress:
    return rebuild.progress_at(events_uri, version)


def _is_of(progress: Row, shard: Row) -> bool:
    return all(progress[name] == shard[name] for name in ("table_name", "shard"))


def _waiting(settings: MergeSettings, rows: Rows) -> Iterator[Finding]:
    for row in rows.waiting:
        named = f"slice {row['slice_id']} of {row['table_name']} is {row['state']}"
        if row["version"] != row["from_version"]:
            yield Finding(
                LEDGER,
                f"{named} after version {row['from_version']}, but its shard is at {row['version']}",
                "no session can merge it, and it holds up the table",
                "mark it superseded: its versions, if they are not merged, are prepared and judged again",
                partial(ledger.release, settings, row["slice_id"], "retry", BY),
            )
        elif row["state"] == SliceState.HELD:
            yield Finding(
                LEDGER,
                f"{named}, with {row['rows_read']:,} rows",
                "the table and its rollups get no newer events until a person decides",
                "trigger release_slice: docs/runbooks/release_slice.md",
            )


def _left_over(settings: MergeSettings, rows: Rows) -> Iterator[Finding]:
    for table, names in rows.left_over.items():
        yield Finding(
            LEDGER,
            f"{' and '.join(names)} of a rebuild that nothing goes on with",
            "nothing for the numbers: nobody reads it; it takes space",
            f"drop {' and '.join(names)}",
            partial(mends.drop_left_over, settings, table),
        )


def _rebuilds(settings: MergeSettings, rows: Rows, events: DeltaTable | None) -> Iterator[Finding]:
    newest = FIRST_WATERMARK if events is None else events.version()
    for table, going in rows.rebuilds.items():
        if going.version > newest and going.state != EXCHANGING:
            yield Finding(
                LEDGER,
                f"the rebuild of {table} reads version {going.version} of the lake, whose newest is {newest}",
                "it can't go on, and nothing is merged into the table meanwhile",
                "forget it; the table stays as it is. Then trigger rebuild_tables again",
                partial(mends.give_up, settings, going),
            )


def _queue(settings: MergeSettings, rows: Rows) -> Iterator[Finding]:
    if rows.orphans:
        some = ", ".join(str(slice_id) for slice_id in sorted(rows.orphans)[:3]) + (
            " …" if len(rows.orphans) > 3 else ""
        )
        yield Finding(
            QUEUE,
            f"{sum(rows.orphans.values()):,} increments are queued of slices that are not merged: {some}",
            "the rollups would count rows that no table has",
            "take them out of the queue, and have the rollups of their days made anew from the rows",
            partial(rollup_mends.drop_orphans, settings),
        )
    if rows.queued_seconds > QUEUE_SECONDS:
        yield Finding(
            QUEUE,
            f"increments have waited for {rows.queued_seconds:,.0f} s, and no session of the rollups takes them",
            "rollups, pages and reports are that old; the tables are not",
            "see the task roll_up of merge_events: does a run go on, and what does its log say?",
        )
    if not rows.stale_days and (ahead := _ahead(rows)):
        partition, (rollups, tables) = min(ahead.items())
        yield Finding(
            QUEUE,
            f"the rollups say offset {rollups} of partition {partition} is their next, but the tables are at {tables}",
            "what is told as complete is not",
            "forget how far the rollups are: their next turn notes it again",
            partial(mends.forget_rollups_progress, settings),
        )


def _ahead(rows: Rows) -> dict[int, tuple[int, int]]:
    """Partitions in which the rollups are further than the slowest shard, with the next offset of both."""
    tables: dict[int, dict[str, int]] = defaultdict(dict)
    rollups: dict[int, int] = {}
    for row in rows.progress:
        partition, table, offset = row["kafka_partition"], row["table_name"], row["next_offset"]
        if table == ROLLUPS:
            rollups[partition] = offset
        else:
            tables[partition][table] = min(offset, tables[partition].get(table, offset))
    slowest = {p: min(found.values()) for p, found in tables.items() if found.keys() >= TABLES.keys()}
    return {p: (at, slowest[p]) for p, at in rollups.items() if p in slowest and at > slowest[p]}

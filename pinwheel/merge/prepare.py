"""Prepare: the lake's next versions of one table as a slice in DuckDB, ready to be judged and loaded (ADR 0012).

Writes nothing: a process that dies here, or two that prepare the same versions, leave no trace.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from pinwheel.clients.memsql import Connection, Row
from pinwheel.core import offsets
from pinwheel.core.contract import (
    HOUR_COLUMN,
    PIN_COLUMN_OF,
    PIN_VERSION,
    TABLES,
    EventType,
    Type,
    landed_columns,
    reporting_columns,
)
from pinwheel.core.duck import in_memory
from pinwheel.core.offsets import Progress, VersionRange
from pinwheel.core.quarantine import QUARANTINED, is_quarantined
from pinwheel.core.settings import MergeSettings
from pinwheel.core.shards import shard_number
from pinwheel.enrich import pin_cache
from pinwheel.lake import events_table
from pinwheel.lake.change_feed import ChangeFeed
from pinwheel.lake.files import FILE_SCHEMA
from pinwheel.merge import ledger
from pinwheel.merge.ledger import ONLY, Shard

if TYPE_CHECKING:
    from expectations.suites import Rule

SAMPLE_VALUES = 5
CHANGED = ("kafka_partition", "kafka_offset")  # columns that say which record a change is of


@dataclass(frozen=True)
class Next:
    """The versions to merge next.

    ``empty``: they are known to hold no row of the table. ``restarts``: the progress may be less than before, as a
    person let the stream go on elsewhere.
    """

    versions: VersionRange
    empty: bool
    progress: Progress
    restarts: bool = False


def upcoming(
    table: str, feed: ChangeFeed, settings: MergeSettings, connection: Connection, shard: Shard = ONLY
) -> Next | None:
    """The versions of the lake that a shard of ``table`` has to merge next; None: none, or more are waited for."""
    start = ledger.watermark(connection, table, shard)
    connection.commit()
    commits = feed.commits(start)
    kind, max_rows = TABLES[table], settings.merge_slice_rows
    if waits_for_more(commits, kind, max_rows, settings.merge_gather_seconds, datetime.now(UTC)):
        return None
    return choose(commits, kind, start, max_rows)


def waits_for_more(
    commits: Sequence[events_table.Commit], kind: EventType, max_rows: int, seconds: float, now: datetime
) -> bool:
    """Whether these rows wait for more: while the stream catches up, few large slices are merged instead of many.

    They cost less, and the stream has the cores until then. For at most so many ``seconds``, and up to ``max_rows``.
    """
    landings = [commit for commit in commits if commit.rows is not None]
    if not landings or not landings[-1].behind:
        return False
    rows = sum(commit.rows.get(kind.name, 0) for commit in landings if commit.rows)
    return rows < max_rows and (now - landings[0].committed_at).total_seconds() < seconds


def choose(commits: list[events_table.Commit], kind: EventType, start: int, max_rows: int) -> Next | None:
    """The next versions, with at most ``max_rows`` rows of ``kind`` in all, but always at least one with rows.

    A version of another writer has no known row count: it counts as 0 rows, but is always read.
    """
    taken: list[events_table.Commit] = []
    rows = 0
    for commit in commits:
        more = 0 if commit.rows is None else commit.rows.get(kind.name, 0)
        is_alone = commit.gap or commit.expires  # so that the feed is not read for a version that only expires rows
        if (rows and rows + more > max_rows) or (taken and is_alone):
            break
        rows += more
        taken.append(commit)
        if is_alone:
            break
    if not taken:
        return None
    empty = rows == 0 and all(commit.rows is not None or commit.expires for commit in taken)
    progress = offsets.together(commit.progress for commit in taken)
    return Next(VersionRange(start, taken[-1].version), empty, progress, restarts=bool(taken[-1].gap))


def prepare(table: str, feed: ChangeFeed, next_: Next, shard: Shard = ONLY) -> "Prepared":
    """Read the change feed of these versions into a slice; it may have no rows."""
    kind = TABLES[table]
    rows = feed.rows(next_.versions, kind.name, landed_columns(kind))
    return Prepared(table, next_.versions, next_.progress, rows, shard)


class Prepared:
    """A slice: changes of one table, in DuckDB (``db``, table ``slice``). Close it after use.

    Args:
        table: a reporting table.
        versions: the lake's versions that it was read from.
        progress: what the table is complete through once it is merged.
        feed: the change feed: the reporting columns without the hour, ``_change_type`` and ``_commit_version``.
        shard: rows of other shards are left out.
    """

    def __init__(
        self, table: str, versions: VersionRange, progress: Progress, feed: pa.RecordBatchReader, shard: Shard = ONLY
    ) -> None:
        self.table, self.versions, self.progress, self.shard = table, versions, progress, shard
        self.kind = TABLES[table]
        self.aside: list[Row] = []  # rows for quarantine, each with its reasons
        self.kept_from = date.min  # see ``expire``
        self.db = in_memory()
        self.db.register("feed", feed)
        columns = ", ".join(f"{_read(c.name, c.type)} AS {c.name}" for c in reporting_columns(self.kind))
        self.db.execute(
            f"""
            CREATE TEMP TABLE slice AS
            SELECT
                CASE _change_type WHEN 'delete' THEN 'delete' ELSE 'upsert' END AS change_type,
                _commit_version AS change_version,
                {columns},
                (EPOCH_US(occurred_at) - EPOCH_US(kafka_timestamp)) // 1000000 AS seconds_after_kafka
            FROM feed
            WHERE _change_type IN ('insert', 'update_postimage', 'delete') AND {_of_shard(shard)}"""
        )
        self.db.unregister("feed")
        self.rows_read, self.upserts = self._row("COUNT(*), COUNT(*) FILTER (WHERE change_type = 'upsert') FROM slice")

    def close(self) -> None:
        """Free the rows."""
        self.db.close()

    def broken(self, rules: Iterable["Rule"]) -> dict[str, int]:
        """The number of upserts that break each rule, by label. Deletes are not judged: an erasure always passes."""
        rules = list(rules)
        counts = ", ".join(f"COUNT(*) FILTER (WHERE {rule.broken})" for rule in rules)
        found = self._row(f"{counts} FROM slice WHERE change_type = 'upsert'")
        return {rule.label: int(n) for rule, n in zip(rules, found, strict=True)}

    def rows_that_break(self, rules: Sequence["Rule"]) -> int:
        """The number of upserts that break at least one of the rules."""
        return int(self._row(f"COUNT(*) FILTER (WHERE {_any(rules)}) FROM slice WHERE change_type = 'upsert'")[0])

    def sample(self, rule: "Rule") -> list[Any]:
        """A few values that break a rule."""
        sql = f"SELECT DISTINCT {rule.column} FROM slice WHERE change_type = 'upsert' AND ({rule.broken})"
        return [value for (value,) in self.db.execute(f"{sql} ORDER BY 1 LIMIT {SAMPLE_VALUES}").fetchall()]

    def expire(
        self, kept_from: date, *, aside: bool = True, changes: Callable[[], pa.RecordBatchReader] | None = None
    ) -> None:
        """Set aside the upserts of days whose rows the table no longer has; or drop them.

        A redelivered event of such a day would be taken for a new one, and counted twice.

        Args:
            kept_from: the first day of which the table has all rows.
            aside: False: drop them.
            changes: reads the feed's ``CHANGED`` again, if there are such upserts: corrections of rows, as of an
                erasure, are dropped, and do not flood quarantine. A letter that came home has none of this event type.
        """
        self.kept_from = kept_from
        if kept_from == date.min:
            return
        old = f"change_type = 'upsert' AND occurred_at < TIMESTAMP '{kept_from.isoformat()}'"
        if not self._row(f"COUNT(*) FROM slice WHERE {old}")[0]:
            return
        if changes is not None:
            self.db.register("feed", changes())
            before = "SELECT kafka_partition, kafka_offset, _commit_version FROM feed"
            before += " WHERE _change_type = 'update_preimage'"
            self._drop(f"{old} AND (kafka_partition, kafka_offset, change_version) IN ({before})")
            self.db.unregister("feed")
        if aside:
            found = self.db.sql(f"SELECT rowid AS row_num, * FROM slice WHERE {old}").to_arrow_table().to_pylist()
            reason = f"expired: the table has no rows from before {kept_from}"
            self.aside += [{**row, "reason": reason} for row in found]
            self.rows_read += len(found)
        self._drop(old)

    def _drop(self, condition: str) -> None:
        """Drop upserts, as if they had not been read."""
        gone = self.db.execute(f"DELETE FROM slice WHERE {condition}").fetchall()[0][0]
        self.upserts -= gone
        self.rows_read -= gone

    def set_aside(self, rules: Sequence["Rule"]) -> int:
        """Move the upserts that break one of the rules to ``aside``; returns the number of all that are there."""
        if not rules:
            return len(self.aside)
        which = ", ".join(f"COALESCE({rule.broken}, FALSE)" for rule in rules)
        condition = f"change_type = 'upsert' AND ({_any(rules)})"
        rows = self.db.sql(f"SELECT rowid AS row_num, *, [{which}] AS broken FROM slice WHERE {condition}")
        for row in rows.to_arrow_table().to_pylist():
            reasons = [r for r, is_broken in zip(rules, row.pop("broken"), strict=True) if is_broken]
            told = "; ".join(f"{r.name}: {r.column}={row.get(r.column)!r:.200}" for r in reasons)
            self.aside.append({**row, "reason": told})
        self.db.execute(f"DELETE FROM slice WHERE {condition}")
        return len(self.aside)

    def ids_to_ask(self, newest: str | None) -> pa.Array:
        """The event ids, in order, that may be in the table already: those up to its ``newest`` (None: it is empty)."""
        if newest is None:
            return pa.array([], pa.string())
        sql = "SELECT DISTINCT event_id FROM slice WHERE event_id <= ? ORDER BY event_id"
        return self._arrow(sql, [newest])["event_id"].combine_chunks()

    def pins(self) -> pa.Table | None:
        """The newest version of each pin that the upserts embed, as ``pin_cache`` has it; None: they embed none."""
        if not self.kind.embeds_pin:
            return None
        columns = ", ".join(f"{PIN_COLUMN_OF.get(name, name)} AS {name}" for name in pin_cache.COLUMNS)
        newest_first = ", ".join(f"{name} DESC" for name in (*PIN_VERSION, "change_version"))
        return self._arrow(
            f"""SELECT {columns} FROM slice WHERE change_type = 'upsert' AND pin_id IS NOT NULL
            QUALIFY ROW_NUMBER() OVER (PARTITION BY pin_id ORDER BY {newest_first}) = 1
            ORDER BY pin_id"""
        )

    def offsets(self) -> tuple[int, int] | None:
        """The lowest and the highest Kafka offset over all partitions, also of rows set aside; None: no rows."""
        ends = self._row("MIN(kafka_offset), MAX(kafka_offset) FROM slice")
        found = [at for at in (*ends, *(row["kafka_offset"] for row in self.aside)) if at is not None]
        return (min(found), max(found)) if found else None

    def has_again(self, records: Sequence[Row]) -> list[Row]:
        """Those of the quarantined ``records`` (``QUARANTINED``) of which the slice has a change, or sets one aside."""
        names = ", ".join(QUARANTINED.names)
        aside = [{name: row[name] for name in QUARANTINED.names} for row in self.aside]
        self.db.register("asked", pa.Table.from_pylist(list(records), schema=QUARANTINED))
        self.db.register("aside", pa.Table.from_pylist(aside, schema=QUARANTINED))
        there = f"(SELECT {names} FROM slice UNION ALL SELECT {names} FROM aside) AS there"
        again = self._arrow(f"SELECT asked.* FROM asked SEMI JOIN {there} ON {is_quarantined('there', 'asked')}")
        self.db.unregister("asked")
        self.db.unregister("aside")
        return list(again.to_pylist())

    def _arrow(self, sql: str, values: Sequence[Any] = ()) -> pa.Table:
        return self.db.sql(sql, params=list(values)).to_arrow_table()

    def _row(self, select: str) -> tuple[Any, ...]:
        row: tuple[Any, ...] = self.db.execute(f"SELECT {select}").fetchall()[0]
        return row


def as_feed(table: str, version: int, rows: Iterable[pa.RecordBatch]) -> pa.RecordBatchReader:
    """Rows of the lake at a version, as the change feed would have them when they landed."""
    columns = landed_columns(TABLES[table])
    schema = pa.schema([FILE_SCHEMA.field(name) for name in columns])
    schema = schema.append(pa.field("_change_type", pa.string())).append(pa.field("_commit_version", pa.int64()))

    def changes() -> Iterator[pa.RecordBatch]:
        for batch in rows:
            kind, at = pa.repeat("insert", batch.num_rows), pa.repeat(version, batch.num_rows)
            values = [batch[name].cast(schema.field(name).type) for name in columns]
            yield pa.RecordBatch.from_arrays([*values, kind, at], schema=schema)

    return pa.RecordBatchReader.from_batches(schema, changes())


def _read(name: str, type_: Type) -> str:
    if name == HOUR_COLUMN:
        return "DATE_TRUNC('hour', MAKE_TIMESTAMP(EPOCH_US(occurred_at)))"
    return f"MAKE_TIMESTAMP(EPOCH_US({name}))" if type_ == Type.TIMESTAMP else name


def _of_shard(shard: Shard) -> str:
    return f"{shard_number(shard.of)} = {shard.number}"


def _any(rules: Sequence["Rule"]) -> str:
    return " OR ".join(f"({rule.broken})" for rule in rules) or "FALSE"

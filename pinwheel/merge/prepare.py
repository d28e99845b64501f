"""Prepare: the lake's next versions of one table as a slice in DuckDB, ready to be judged and loaded (ADR 0012).

Writes nothing: a process that dies here, or two that prepare the same versions, leave no trace.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import duckdb
import pyarrow as pa
from deltalake import DeltaTable

from pinwheel.clients.memsql import Connection, Row
from pinwheel.core import offsets
from pinwheel.core.arrow import ARROW_TYPE
from pinwheel.core.contract import (
    HOUR_COLUMN,
    LINEAGE,
    PIN_COLUMN_OF,
    PIN_COLUMNS,
    PIN_ID,
    TABLES,
    EventType,
    PinStatus,
    Type,
    reporting_columns,
)
from pinwheel.core.increments import INCREMENTS
from pinwheel.core.offsets import Progress, VersionRange
from pinwheel.core.settings import MergeSettings
from pinwheel.lake import events_table
from pinwheel.merge import ledger
from pinwheel.merge.ledger import ONLY, Shard

if TYPE_CHECKING:
    from expectations.suites import Rule

MEMORY = "1GB"  # of one slice; beyond this, DuckDB spills to disk
SAMPLE_VALUES = 5
BUCKETS = ("pin_id", "brand_id", "category", "country_code")  # what the rollups group by, besides time and person
# A delivery's change, of those that the plan has to decide about. The kept delivery of an event is the one in the
# reporting table. If a delivery changed several times, its latest change counts (of one version, an upsert before a
# delete: a rewrite); the others are overtaken. An event that is new, or whose kept delivery is deleted (is_freed), gets
# its first delivery; every other delivery is spare.
PLAN = """
CREATE TABLE plan AS
WITH matched AS (
    SELECT
        slice.rowid AS row_num,
        slice.event_id,
        slice.change_type = 'delete' AS is_delete,
        slice.kafka_timestamp,
        slice.kafka_partition,
        slice.kafka_offset,
        kept.kafka_offset AS kept_offset,
        $any_order AND (slice.kafka_timestamp, slice.kafka_partition, slice.kafka_offset)
        < (kept.kafka_timestamp, kept.kafka_partition, kept.kafka_offset) AS is_earlier,
        COALESCE(
            kept.kafka_partition = slice.kafka_partition AND kept.kafka_offset = slice.kafka_offset, FALSE
        ) AS is_kept,
        ROW_NUMBER() OVER (
            PARTITION BY slice.event_id, slice.kafka_partition, slice.kafka_offset
            ORDER BY slice.change_version DESC, slice.change_type DESC, slice.rowid
        ) AS recency
    FROM slice
    LEFT JOIN kept ON slice.event_id = kept.event_id
    WHERE
        slice.change_type = 'delete'
        OR kept.event_id IS NOT NULL
        OR slice.event_id IN (SELECT event_id FROM slice GROUP BY event_id HAVING COUNT(*) > 1)
),
ranked AS (
    SELECT
        *,
        ROW_NUMBER() OVER (
            PARTITION BY event_id
            ORDER BY recency > 1, is_delete, kafka_timestamp, kafka_partition, kafka_offset
        ) AS place,
        BOOL_OR(recency = 1 AND is_delete AND is_kept) OVER (PARTITION BY event_id) AS is_freed
    FROM matched
)
SELECT
    row_num,
    event_id,
    CASE
        WHEN recency > 1 THEN 'overtaken'
        WHEN is_delete AND is_kept THEN 'delete'
        WHEN is_delete THEN 'overtaken'
        WHEN is_kept THEN 'update'
        WHEN place = 1 AND (kept_offset IS NULL OR is_freed) THEN 'insert'
        WHEN place = 1 AND is_earlier THEN 'update'
        ELSE 'spare'
    END AS action
FROM ranked
"""
LOADED = """
CREATE VIEW loaded AS
SELECT * FROM slice
WHERE rowid NOT IN (SELECT row_num FROM plan WHERE action NOT IN ('insert', 'update'))
"""
GONE = """
CREATE VIEW gone AS
SELECT * FROM kept
WHERE event_id IN (SELECT event_id FROM plan WHERE action IN ('update', 'delete'))
"""


@dataclass(frozen=True)
class Next:
    """The versions to merge next. ``empty``: they are known to hold no row of the table."""

    versions: VersionRange
    empty: bool
    progress: Progress


@dataclass(frozen=True)
class Counts:
    """The outcome of a slice's rows; together with the quarantined ones they add up to the rows read."""

    inserted: int
    updated: int
    deleted: int
    duplicates: int
    conflicting: int
    overtaken: int


def upcoming(table: str, settings: MergeSettings, connection: Connection, shard: Shard = ONLY) -> Next | None:
    """The versions of the lake that a shard of ``table`` has to merge next; None: there are none."""
    start = ledger.watermark(connection, table, shard)
    connection.commit()
    return choose(events_table.commits(settings.events_uri, start), TABLES[table], start, settings.merge_slice_rows)


def choose(commits: list[events_table.Commit], kind: EventType, start: int, max_rows: int) -> Next | None:
    """The next versions, with at most ``max_rows`` rows of ``kind`` in all, but always at least one with rows.

    A version of another writer has no known row count: it counts as 0 rows, but is always read.
    """
    taken: list[events_table.Commit] = []
    rows = 0
    for commit in commits:
        more = 0 if commit.rows is None else commit.rows.get(kind.name, 0)
        if rows and rows + more > max_rows:
            break
        rows += more
        taken.append(commit)
    if not taken:
        return None
    empty = rows == 0 and all(commit.rows is not None for commit in taken)
    return Next(VersionRange(start, taken[-1].version), empty, offsets.together(commit.progress for commit in taken))


def prepare(table: str, settings: MergeSettings, next_: Next, shard: Shard = ONLY) -> "Prepared":
    """Read the change feed of these versions into a slice; it may have no rows."""
    kind = TABLES[table]
    columns = [c.name for c in reporting_columns(kind) if c.name != HOUR_COLUMN]
    feed = DeltaTable(settings.events_uri).load_cdf(
        starting_version=next_.versions.after + 1,
        ending_version=next_.versions.to,
        columns=[*columns, "_change_type", "_commit_version"],
        predicate=f"event_type = '{kind.name}'",  # a partition column: other types' files are not opened
    )
    return Prepared(table, next_.versions, next_.progress, pa.RecordBatchReader.from_stream(feed), shard)


class Prepared:
    """A slice: changes of one table, in DuckDB. Close it after use.

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
        self._db = duckdb.connect(config={"threads": 2, "memory_limit": MEMORY})
        self._db.register("feed", feed)
        columns = ", ".join(f"{_read(c.name, c.type)} AS {c.name}" for c in reporting_columns(self.kind))
        self._db.execute(
            f"""
            CREATE TABLE slice AS
            SELECT
                CASE _change_type WHEN 'delete' THEN 'delete' ELSE 'upsert' END AS change_type,
                _commit_version AS change_version,
                {columns},
                (EPOCH_US(occurred_at) - EPOCH_US(kafka_timestamp)) // 1000000 AS seconds_after_kafka
            FROM feed
            WHERE _change_type IN ('insert', 'update_postimage', 'delete') AND {_of_shard(shard)}"""
        )
        self._db.unregister("feed")
        self.rows_read, self.upserts = self._row("COUNT(*), COUNT(*) FILTER (WHERE change_type = 'upsert') FROM slice")

    def close(self) -> None:
        """Free the rows."""
        self._db.close()

    def __enter__(self) -> "Prepared":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

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
        return [value for (value,) in self._db.execute(f"{sql} ORDER BY 1 LIMIT {SAMPLE_VALUES}").fetchall()]

    def set_aside(self, rules: Sequence["Rule"]) -> int:
        """Move the upserts that break one of the rules to ``aside``; returns their number."""
        if not rules:
            return 0
        which = ", ".join(f"COALESCE({rule.broken}, FALSE)" for rule in rules)
        condition = f"change_type = 'upsert' AND ({_any(rules)})"
        rows = self._db.sql(f"SELECT rowid AS row_num, *, [{which}] AS broken FROM slice WHERE {condition}")
        for row in rows.to_arrow_table().to_pylist():
            reasons = [r for r, is_broken in zip(rules, row.pop("broken"), strict=True) if is_broken]
            told = "; ".join(f"{r.name}: {r.column}={row.get(r.column)!r:.200}" for r in reasons)
            self.aside.append({**row, "reason": told})
        self._db.execute(f"DELETE FROM slice WHERE {condition}")
        return len(self.aside)

    def ids_to_ask(self, newest: str | None) -> pa.Array:
        """The event ids, in order, that may be in the table already: those up to its ``newest`` (None: it is empty)."""
        if newest is None:
            return pa.array([], pa.string())
        sql = "SELECT DISTINCT event_id FROM slice WHERE event_id <= ? ORDER BY event_id"
        return self._arrow(sql, [newest])["event_id"].combine_chunks()

    def plan(self, kept: Iterable[Row], *, any_order: bool = False) -> Counts:
        """Decide what becomes of each row.

        Args:
            kept: the rows of the table with one of ``ids_to_ask``: ``kept_columns``.
            any_order: the rows come in any order, so an earlier delivery takes the place of a kept one.
        """
        self._db.register("kept", pa.Table.from_pylist(list(kept), schema=self._kept_schema()))
        for view in ("loaded", "gone"):
            self._db.execute(f"DROP VIEW IF EXISTS {view}")
        self._db.execute("DROP TABLE IF EXISTS plan")
        for sql in (PLAN.replace("$any_order", str(any_order).upper()), LOADED, GONE):
            self._db.execute(sql)
        actions = dict(self._db.execute("SELECT action, COUNT(*) FROM plan GROUP BY action").fetchall())
        duplicates = self._duplicates() if actions.get("spare") else 0
        decided = sum(actions.values()) - actions.get("insert", 0)
        return Counts(
            inserted=self.rows_read - len(self.aside) - decided,
            updated=actions.get("update", 0),
            deleted=actions.get("delete", 0),
            duplicates=duplicates,
            conflicting=actions.get("spare", 0) - duplicates,
            overtaken=actions.get("overtaken", 0),
        )

    def _duplicates(self) -> int:
        """Spare deliveries whose payload equals the kept one's."""
        payload = payload_columns(self.kind)
        names = ", ".join(payload)
        same = " AND ".join(f"slice.{name} IS NOT DISTINCT FROM delivered.{name}" for name in payload)
        return int(
            self._row(
                f"""COUNT(*) FROM plan
                INNER JOIN slice ON plan.row_num = slice.rowid
                INNER JOIN (
                    SELECT event_id, {names} FROM loaded
                    UNION ALL
                    SELECT event_id, {names} FROM kept WHERE event_id NOT IN (SELECT event_id FROM gone)
                ) AS delivered ON slice.event_id = delivered.event_id
                WHERE plan.action = 'spare' AND {same}"""
            )[0]
        )

    def kept_columns(self) -> list[str]:
        """The columns that ``plan`` and the increments need of rows in the table."""
        buckets = [name for name in BUCKETS if self.kind.has_pin or name == "country_code"]
        return list(dict.fromkeys(("event_id", *LINEAGE, *payload_columns(self.kind), *buckets)))

    def _kept_schema(self) -> pa.Schema:
        types = {c.name: _plain(c.type) for c in reporting_columns(self.kind)}
        return pa.schema([(name, types[name]) for name in self.kept_columns()])

    def rows(self) -> pa.RecordBatchReader:
        """The rows to load, in the order of their key, which halves the cost of loading them."""
        columns = ", ".join(c.name for c in reporting_columns(self.kind))
        return self._db.sql(f"SELECT {columns} FROM loaded ORDER BY event_id").to_arrow_reader()

    def gone_ids(self) -> pa.Array:
        """The ids of rows that leave the table, or are replaced."""
        return self._arrow("SELECT event_id FROM gone ORDER BY event_id")["event_id"].combine_chunks()

    def increments(self) -> pa.Table:
        """The slice's additions to the rollups and removals from them, a row per event: ``INCREMENTS``."""
        columns = ["EPOCH_US(occurred_at) AS at_us", "user_id"]
        columns += [name if self.kind.has_pin or name == "country_code" else f"NULL AS {name}" for name in BUCKETS]
        names = ", ".join(columns)
        rows = self._arrow(f"SELECT 1 AS weight, {names} FROM loaded UNION ALL SELECT -1 AS weight, {names} FROM gone")
        return rows.cast(INCREMENTS)

    def pending(self) -> list[Row]:
        """The pins that loaded rows wait for, by day."""
        if not self.kind.names_pin:
            return []
        sql = f"""SELECT DISTINCT pin_id, occurred_at::DATE AS event_date FROM loaded
            WHERE pin_status = '{PinStatus.PENDING}'"""
        return list(self._arrow(sql).to_pylist())

    def pins(self) -> pa.Table | None:
        """The newest version of each pin that the upserts embed, as ``pin_cache`` has it; None: they embed none."""
        if not self.kind.embeds_pin:
            return None
        columns = ", ".join(f"{PIN_COLUMN_OF.get(name, name)} AS {name}" for name in pin_columns())
        return self._arrow(
            f"""SELECT {columns} FROM slice WHERE change_type = 'upsert' AND pin_id IS NOT NULL
            QUALIFY ROW_NUMBER() OVER (PARTITION BY pin_id ORDER BY kafka_timestamp DESC, kafka_offset DESC) = 1
            ORDER BY pin_id"""
        )

    def offsets(self) -> tuple[int, int] | None:
        """The lowest and the highest Kafka offset over all partitions; None: no rows."""
        first, last = self._row("MIN(kafka_offset), MAX(kafka_offset) FROM slice")
        return None if first is None else (first, last)

    def has_again(self, records: Sequence[Row]) -> list[Row]:
        """Those of ``records`` (``kafka_partition``, ``kafka_offset``) of which the slice has a change."""
        asked = pa.Table.from_pylist(list(records))
        self._db.register("asked", asked)
        again = self._arrow("SELECT asked.* FROM asked SEMI JOIN slice USING (kafka_partition, kafka_offset)")
        self._db.unregister("asked")
        return list(again.to_pylist())

    def _arrow(self, sql: str, values: Sequence[Any] = ()) -> pa.Table:
        return self._db.sql(sql, params=list(values)).to_arrow_table()

    def _row(self, select: str) -> tuple[Any, ...]:
        row: tuple[Any, ...] = self._db.execute(f"SELECT {select}").fetchall()[0]
        return row


def payload_columns(kind: EventType) -> list[str]:
    """Columns in which two deliveries of an event must agree: those that the producer sent, not those that we added."""
    own = [f.name for f in kind.fields]
    pin = [PIN_ID.name, *(c.name for c in PIN_COLUMNS)] if kind.embeds_pin else []
    return ["occurred_at", "user_id", *own, *pin]


def pin_columns() -> list[str]:
    """The columns of ``pin_cache`` that come from a pin."""
    return ["pin_id", *PIN_COLUMN_OF]


def _read(name: str, type_: Type) -> str:
    if name == HOUR_COLUMN:
        return "DATE_TRUNC('hour', MAKE_TIMESTAMP(EPOCH_US(occurred_at)))"
    return f"MAKE_TIMESTAMP(EPOCH_US({name}))" if type_ == Type.TIMESTAMP else name


def _plain(type_: Type) -> pa.DataType:
    """Times of the database have no zone."""
    return pa.timestamp("us") if type_ == Type.TIMESTAMP else ARROW_TYPE[type_]


def _of_shard(shard: Shard) -> str:
    """By the event's id, so that all deliveries of an event are in one shard. Null ids are in the first."""
    if shard.of == 1:
        return "TRUE"
    return f"COALESCE(('0x' || LEFT(MD5(event_id), 8))::BIGINT % {shard.of}, 0) = {shard.number}"


def _any(rules: Sequence["Rule"]) -> str:
    return " OR ".join(f"({rule.broken})" for rule in rules) or "FALSE"

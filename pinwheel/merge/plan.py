"""Plan: what becomes of each row of a prepared slice, given what the reporting table has.

Writes nothing to the database.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import pyarrow as pa

from pinwheel.clients.memsql import Row
from pinwheel.core.arrow import ARROW_TYPE
from pinwheel.core.contract import LINEAGE, PIN_COLUMNS, PIN_ID, EventType, PinStatus, Type, reporting_columns
from pinwheel.core.increments import BUCKETS, INCREMENTS, bucket_columns
from pinwheel.merge.prepare import Prepared

# A delivery's change, of those that the plan has to decide about. The kept delivery of an event is the one in the
# reporting table. If a delivery changed several times, its latest change counts (of one version, an upsert before a
# delete: a rewrite); the others are overtaken. An event that is new, or whose kept delivery is deleted (is_freed), gets
# its first delivery. So does one whose kept delivery is a later one (is_earlier), which then leaves the table: a letter
# that came home was received before what replaced it. Every other delivery is spare. A delivery is known by its place
# in Kafka and its time: in a log that was made anew, another one has the same place.
PLAN = """
CREATE OR REPLACE TEMP TABLE plan AS
WITH matched AS (
    SELECT
        slice.rowid AS row_num,
        slice.event_id,
        slice.change_type = 'delete' AS is_delete,
        slice.kafka_timestamp,
        slice.kafka_partition,
        slice.kafka_offset,
        kept.kafka_offset AS kept_offset,
        (slice.kafka_timestamp, slice.kafka_partition, slice.kafka_offset)
        < (kept.kafka_timestamp, kept.kafka_partition, kept.kafka_offset) AS is_earlier,
        COALESCE(
            kept.kafka_partition = slice.kafka_partition AND kept.kafka_offset = slice.kafka_offset
            AND kept.kafka_timestamp = slice.kafka_timestamp, FALSE
        ) AS is_kept,
        ROW_NUMBER() OVER (
            PARTITION BY slice.event_id, slice.kafka_partition, slice.kafka_offset, slice.kafka_timestamp
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
        WHEN place = 1 AND (kept_offset IS NULL OR is_freed) THEN 'insert'
        WHEN place = 1 AND (is_kept OR is_earlier) THEN 'update'
        ELSE 'spare'
    END AS action
FROM ranked
"""
LOADED = """
CREATE OR REPLACE TEMP VIEW loaded AS
SELECT * FROM slice
WHERE rowid NOT IN (SELECT row_num FROM plan WHERE action NOT IN ('insert', 'update'))
"""
GONE = """
CREATE OR REPLACE TEMP VIEW gone AS
SELECT * FROM kept
WHERE event_id IN (SELECT event_id FROM plan WHERE action IN ('update', 'delete'))
"""


@dataclass(frozen=True)
class Counts:
    """The outcome of a slice's rows; together with the quarantined ones they add up to the rows read."""

    inserted: int
    updated: int
    deleted: int
    duplicates: int
    conflicting: int
    overtaken: int


class Plan:
    """Decides what becomes of each row of a slice, and gives what is to be written. Uses the slice's DuckDB.

    Args:
        slice_: prepared; its bad rows are set aside.
        kept: the rows of the table with one of the slice's ``ids_to_ask``: ``kept_columns``.
    """

    def __init__(self, slice_: Prepared, kept: Iterable[Row]) -> None:
        self.kind, self._db = slice_.kind, slice_.db
        self._db.register("kept", pa.Table.from_pylist(list(kept), schema=_kept_schema(self.kind)))
        for sql in (PLAN, LOADED, GONE):
            self._db.execute(sql)
        actions = dict(self._db.execute("SELECT action, COUNT(*) FROM plan GROUP BY action").fetchall())
        duplicates = self._duplicates() if actions.get("spare") else 0
        decided = sum(actions.values()) - actions.get("insert", 0)
        self.counts = Counts(
            inserted=slice_.rows_read - len(slice_.aside) - decided,
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
        found = self._db.execute(
            f"""SELECT COUNT(*) FROM plan
            INNER JOIN slice ON plan.row_num = slice.rowid
            INNER JOIN (
                SELECT event_id, {names} FROM loaded
                UNION ALL
                SELECT event_id, {names} FROM kept WHERE event_id NOT IN (SELECT event_id FROM gone)
            ) AS delivered ON slice.event_id = delivered.event_id
            WHERE plan.action = 'spare' AND {same}"""
        )
        return int(found.fetchall()[0][0])

    def rows(self) -> pa.RecordBatchReader:
        """The rows to load, in the order of their key, which halves the cost of loading them."""
        columns = ", ".join(c.name for c in reporting_columns(self.kind))
        return self._db.sql(f"SELECT {columns} FROM loaded ORDER BY event_id").to_arrow_reader()

    def gone_ids(self) -> pa.Table:
        """The ids of rows that leave the table, or are replaced, each with the place of its delivery."""
        return self._arrow("SELECT event_id, kafka_partition, kafka_offset FROM gone ORDER BY event_id")

    def increments(self) -> pa.Table:
        """The slice's additions to the rollups and removals from them, a row per event: ``INCREMENTS``."""
        columns = ["EPOCH_US(occurred_at) AS at_us", "user_id"]
        there = bucket_columns(self.kind)
        columns += [name if name in there else f"NULL AS {name}" for name in BUCKETS]
        names = ", ".join(columns)
        rows = self._arrow(f"SELECT 1 AS weight, {names} FROM loaded UNION ALL SELECT -1 AS weight, {names} FROM gone")
        return rows.cast(INCREMENTS)

    def pending(self) -> list[Row]:
        """The pins that loaded rows wait for, by day, and whether one of the rows is pending or all are unknown."""
        if not self.kind.names_pin:
            return []
        sql = f"""SELECT pin_id, occurred_at::DATE AS event_date, MIN(pin_status) AS pin_status FROM loaded
            WHERE pin_status IN ('{PinStatus.PENDING}', '{PinStatus.UNKNOWN}')
            GROUP BY ALL ORDER BY ALL"""  # in one order for all sessions, which note the same pins
        return list(self._arrow(sql).to_pylist())

    def _arrow(self, sql: str) -> pa.Table:
        return self._db.sql(sql).to_arrow_table()


def kept_columns(kind: EventType) -> list[str]:
    """The columns that a plan and its increments need of rows in the table."""
    return list(dict.fromkeys(("event_id", *LINEAGE, *payload_columns(kind), *bucket_columns(kind))))


def _kept_schema(kind: EventType) -> pa.Schema:
    types = {c.name: _plain(c.type) for c in reporting_columns(kind)}
    return pa.schema([(name, types[name]) for name in kept_columns(kind)])


def payload_columns(kind: EventType) -> list[str]:
    """Columns in which two deliveries of an event must agree: those that the producer sent, not those that we added."""
    own = [f.name for f in kind.fields]
    pin = [PIN_ID.name, *(c.name for c in PIN_COLUMNS)] if kind.embeds_pin else []
    return ["occurred_at", "user_id", *own, *pin]


def _plain(type_: Type) -> pa.DataType:
    """Times of the database have no zone."""
    return pa.timestamp("us") if type_ == Type.TIMESTAMP else ARROW_TYPE[type_]

"""Erases a person from the lake: rows, then the old files and log entries that still have them.

Other people's rows stay: they lose the person's id (who made the pin, what a text quotes), and on request the pin's
texts. The change feed carries all of it to the tables and rollups. Commits name positions in Kafka, never the id.
"""

import logging
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from deltalake import DeltaTable
from deltalake.exceptions import CommitFailedError
from tenacity import retry, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from pinwheel.core.contract import DEAD_LETTER, LINEAGE, PIN_COLUMN_OF, PIN_FIELDS, Type
from pinwheel.core.contract import LAKE_COLUMNS as COLUMNS
from pinwheel.core.duck import in_memory
from pinwheel.core.mentions import Mention
from pinwheel.core.quarantine import MAX_ID_CHARS
from pinwheel.lake import events_table
from pinwheel.lake.changes import send_again

log = logging.getLogger(__name__)

COMMIT_TRIES = 12  # only commits of the stream with offsets as low as the erased ones conflict
PERSON, CREATOR = "user_id", PIN_COLUMN_OF["creator_id"]
TEXTS = tuple(
    c.name
    for c in COLUMNS
    if c.type == Type.STRING and c.name in {"text", "extra", *(f.name for f in PIN_FIELDS)} and c.name != "category"
)
PIN_TEXTS = tuple(name for name in TEXTS if name not in ("text", "extra"))  # what a pin's creator wrote
DETAIL = "erased"
AT = ("kafka_partition", "kafka_offset")
RECORD = pa.schema(  # the time tells records of two logs apart
    [
        ("event_id", pa.string()),
        ("kafka_partition", pa.int32()),
        ("kafka_offset", pa.int64()),
        ("kafka_timestamp", pa.timestamp("us", "UTC")),
    ]
)


@dataclass(frozen=True)
class Place:
    """Where records of one day and event type are that have to be changed: ``rows``, as ``_source`` has them."""

    event_date: str
    event_type: str
    rows: pa.Table

    @property
    def erased(self) -> list[dict[str, Any]]:
        """Event id, as the quarantine has it, place and Kafka time of the records whose rows go."""
        gone = self.rows.filter(self.rows["is_theirs"]).select(RECORD.names)
        return [row | {"event_id": row["event_id"] and row["event_id"][:MAX_ID_CHARS]} for row in gone.to_pylist()]

    @property
    def counts(self) -> dict[str, int]:
        """How many rows stay and are changed; those that go are in ``erased_records``."""
        changed = "dead letters" if self.event_type == DEAD_LETTER else "rows of others"
        return {f"lake {changed}": self.rows.num_rows - len(self.erased)}


def find(events: DeltaTable, mention: Mention) -> Iterator[Place]:
    """The rows that are the person's, made by them, or mention them, by day and event type; reads all rows."""
    files = events_table.files(events).to_pylist()
    parts = {(str(file["partition.event_date"]), file["partition.event_type"]) for file in files}
    for day, kind in sorted(parts):
        there = [("event_date", "=", day), ("event_type", "=", kind)]
        dataset = events.to_pyarrow_dataset(file_pruning_predicate=there)
        rows = _letters(dataset, mention) if kind == DEAD_LETTER else _rows(dataset, mention)
        if rows.num_rows:
            yield Place(day, kind, rows)


def _rows(dataset: Any, mention: Mention) -> pa.Table:
    """A row per record that is to be changed: its place, what applies, and the texts without the mentions."""
    quoting = " OR ".join(f"contains({name}, $digits)" for name in TEXTS)
    texts = [f"CASE WHEN {PERSON} IS DISTINCT FROM $id AND ({quoting}) THEN {name} END AS {name}" for name in TEXTS]
    flags = [f"{PERSON} IS NOT DISTINCT FROM $id AS is_theirs", f"{CREATOR} IS NOT DISTINCT FROM $id AS is_made"]
    columns = ", ".join([*RECORD.names, *flags, *texts])
    sql = f"SELECT {columns} FROM dataset WHERE {PERSON} = $id OR {CREATOR} = $id OR {quoting}"  # noqa: S608  # own names
    found = _asked(dataset, sql, {"id": int(mention.digits), "digits": mention.digits})
    for n, column in enumerate(RECORD):  # DuckDB gives times in the zone of this machine
        found = found.set_column(n, column, found[column.name].cast(column.type))
    return _checked(found, mention)


def _asked(dataset: Any, sql: str, values: Mapping[str, Any]) -> pa.Table:
    with in_memory() as db:
        db.register("dataset", dataset)
        return db.sql(sql, params=values).to_arrow_table()


def _checked(found: pa.Table, mention: Mention) -> pa.Table:
    """Replace the texts that mention the person, and leave out the rows that only have the same digits somewhere."""
    quotes = [False] * found.num_rows
    for name in TEXTS:
        texts, there = found[name].to_pylist(), mention.in_column(name)
        for n, text in enumerate(texts):
            if there.in_text(text):
                quotes[n], texts[n] = True, there.without(text)
        found = found.set_column(found.column_names.index(name), name, pa.array(texts, pa.string()))
    found = found.append_column("is_quoting", pa.array(quotes, pa.bool_()))
    return found.filter(pc.or_(pc.or_(found["is_theirs"], found["is_made"]), found["is_quoting"]))


def _letters(dataset: Any, mention: Mention) -> pa.Table:
    """The dead letters that mention the person; they stay, without value, so that their offsets are explained."""
    parts = []
    for batch in dataset.scanner(columns=[*RECORD.names, "dead_value", "dead_detail"], batch_size=8192).to_batches():
        pairs = zip(batch["dead_value"].to_pylist(), batch["dead_detail"].to_pylist(), strict=True)
        quotes = pa.array([mention.in_bytes(value) or mention.in_text(detail) for value, detail in pairs], pa.bool_())
        parts.append(batch.select(RECORD.names).filter(quotes))
    found = pa.Table.from_batches(parts).cast(RECORD) if parts else RECORD.empty_table()
    return found.append_column("is_theirs", pa.repeat(False, found.num_rows))


@retry(
    retry=retry_if_exception_type(CommitFailedError),  # the stream, compaction or late completion was faster
    stop=stop_after_attempt(COMMIT_TRIES),
    wait=wait_random_exponential(max=2),
    reraise=True,
)
def erase(events_uri: str, place: Place, *, pins: bool) -> int:
    """Erase the rows of a place, in one commit; returns how many rows it deleted or changed.

    Dying before changes nothing. Twice, or after compaction has moved the rows: found by their place in Kafka, and
    what is deleted or null already stays so.
    """
    changes = {"dead_value": "NULL", "dead_detail": f"'{DETAIL}'"}
    if place.event_type != DEAD_LETTER:
        changes = {CREATOR: f"CASE WHEN s.is_made THEN NULL ELSE t.{CREATOR} END"} | {n: _text(n, pins) for n in TEXTS}
    merger = events_table.opened(events_uri).merge(place.rows, _within(place), source_alias="s", target_alias="t")
    done = merger.when_matched_delete("s.is_theirs").when_matched_update(changes, "NOT s.is_theirs").execute()
    log.info("erased event_date=%s event_type=%s rows=%d", place.event_date, place.event_type, place.rows.num_rows)
    return int(done["num_target_rows_deleted"] + done["num_target_rows_updated"])


def send_others_again(events_uri: str, ids: Mapping[str, Sequence[str]]) -> int:
    """Send on what is left in the lake of events that lost a delivery to an erasure; ``ids`` by event type.

    Another person's row may have come under the same id: it was spare while the erased one counted, and counts now.
    Dying before changes nothing; twice: the merge finds the row as it is.
    """
    sent = 0
    for event_type, wanted in ids.items():
        events = events_table.opened(events_uri)
        dataset = events.to_pyarrow_dataset(file_pruning_predicate=[("event_type", "=", event_type)])
        sql = (
            f"SELECT {', '.join(RECORD.names)}, event_date AS day FROM dataset WHERE event_id IN (SELECT UNNEST($ids))"  # noqa: S608  # own names
        )
        rows = _asked(dataset, sql, {"ids": list(wanted)})
        if rows.num_rows:
            sent += send_again(events_uri, event_type, rows, {"sent_again": rows.num_rows})
    return sent


def _text(name: str, pins: bool) -> str:
    gone = "WHEN s.is_made THEN NULL " if pins and name in PIN_TEXTS else ""
    return f"CASE {gone}WHEN s.is_quoting THEN s.{name} ELSE t.{name} END"


def _within(place: Place) -> str:
    """The condition of the merge. The bounds let it skip files, and let the stream commit meanwhile."""
    bounds = {name: pc.min_max(place.rows[name]).as_py() for name in AT}
    within = " AND ".join(f"t.{name} BETWEEN {b['min']} AND {b['max']}" for name, b in bounds.items())
    same = " AND ".join(f"t.{name} = s.{name}" for name in LINEAGE)
    return f"t.event_date = DATE '{place.event_date}' AND t.event_type = '{place.event_type}' AND {within} AND {same}"


def total(places: Sequence[Mapping[str, int]]) -> dict[str, int]:
    """The sums of counts, without zeros."""
    sums: Counter[str] = Counter()
    for counts in places:
        sums.update(counts)
    return {name: count for name, count in sums.items() if count}

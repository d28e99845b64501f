"""The newest dead letters in the lake, by reason; the number of files and rows read is bounded."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as pads
from deltalake import DeltaTable

from pinwheel.core.contract import LAKE_COLUMNS
from pinwheel.lake import events_table

TYPE = "dead_letter"
DAYS = timedelta(days=1)  # how far back, before today
MAX_FILES = 200  # until compaction there is a file per micro-batch with a dead letter
MAX_ROWS = 20_000
SAMPLES = 3  # per reason
SHOWN_BYTES = 500
COLUMNS = ["dead_reason", "dead_detail", "kafka_partition", "kafka_offset", "kafka_timestamp"]
ADDRESS = re.compile(r"""("ip"\s*:\s*")[^"]*""")


@dataclass(frozen=True)
class Letter:
    """One dead letter. ``value``: the beginning of its bytes as text; see ``readable``."""

    kafka_partition: int
    kafka_offset: int
    kafka_timestamp: datetime
    detail: str
    value: str


@dataclass(frozen=True)
class Reason:
    """Dead letters with the same reason, newest samples first."""

    reason: str
    letters: int
    samples: tuple[Letter, ...]


@dataclass(frozen=True)
class Summary:
    """The newest ``letters`` (a count), back to ``since``. ``is_all``: there are no others in these days."""

    letters: int
    since: datetime | None
    is_all: bool
    reasons: tuple[Reason, ...]


def summary(events_uri: str, now: datetime) -> Summary:
    """Summarise the newest dead letters of today and yesterday; empty when there is no lake yet.

    Raises:
        DeltaError, OSError: the lake can't be read.
    """
    table = events_table.open_table(events_uri)
    if table is None:
        return Summary(0, None, True, ())
    files, is_all = _newest_files(table, now)
    if not files:
        return Summary(0, None, True, ())
    dataset = opened(table, files)
    rows = dataset.scanner(columns=COLUMNS).head(MAX_ROWS).sort_by([("kafka_timestamp", "descending")])
    counts = Counter(rows["dead_reason"].to_pylist())
    samples = _samples(dataset, rows, counts)
    since = pc.min(rows["kafka_timestamp"]).as_py()
    reasons = (Reason(str(name), count, tuple(samples.get(name, ()))) for name, count in counts.most_common())
    return Summary(rows.num_rows, since, is_all and rows.num_rows < MAX_ROWS, tuple(reasons))


def _newest_files(table: DeltaTable, now: datetime) -> tuple[list[str], bool]:
    """Paths of the newest files with dead letters, newest first, and whether these are all."""
    actions = events_table.files(table).to_pylist()
    first = (now - DAYS).date()
    dead = [a for a in actions if a["partition.event_type"] == TYPE and a["partition.event_date"] >= first]
    dead.sort(key=lambda action: action["modification_time"], reverse=True)
    paths: list[str] = []
    rows = 0
    for action in dead:
        if paths and (len(paths) >= MAX_FILES or rows >= MAX_ROWS):
            break
        paths.append(action["path"])
        rows += action["num_records"] or 0
    return paths, len(paths) == len(dead)


def opened(table: DeltaTable, files: Sequence[str]) -> Any:
    """The dead letters of these files, given by their paths: ``COLUMNS`` and the bytes."""
    whole = table.to_pyarrow_dataset(file_pruning_predicate=[("event_type", "=", TYPE)])
    schema = events_table.arrow_schema(c for c in LAKE_COLUMNS if c.name in {*COLUMNS, "dead_value"})
    return pads.dataset(list(files), schema=schema, format="parquet", filesystem=whole.filesystem)


def _samples(dataset: Any, rows: pa.Table, reasons: Iterable[str]) -> dict[str, list[Letter]]:
    """The newest letters of each reason; the bytes of other letters are not read."""
    wanted = {
        (row["kafka_partition"], row["kafka_offset"]): row
        for reason in reasons
        for row in rows.filter(pc.field("dead_reason") == reason).slice(0, SAMPLES).to_pylist()
    }
    at = pc.field("kafka_offset").isin([offset for _, offset in wanted])
    found = dataset.scanner(columns=["kafka_partition", "kafka_offset", "dead_value"], filter=at).to_table().to_pylist()
    values = {(row["kafka_partition"], row["kafka_offset"]): row["dead_value"] for row in found}
    letters: dict[str, list[Letter]] = {}
    for key, row in wanted.items():
        letters.setdefault(row["dead_reason"], []).append(_letter(row, values.get(key)))
    return letters


def _letter(row: dict[str, Any], value: bytes | None) -> Letter:
    return Letter(
        kafka_partition=row["kafka_partition"],
        kafka_offset=row["kafka_offset"],
        kafka_timestamp=row["kafka_timestamp"],
        detail=str(row["dead_detail"] or "")[:SHOWN_BYTES],
        value=readable(value or b""),
    )


def readable(value: bytes) -> str:
    """The beginning of a record's bytes as text: bytes that are not UTF-8 are escaped, the IP address is hidden."""
    text = value[: 4 * SHOWN_BYTES].decode("utf-8", "backslashreplace")
    text = ADDRESS.sub(r"\1…", text)
    cut = text[:SHOWN_BYTES]
    return f"{cut}…" if len(text) > SHOWN_BYTES or len(value) > 4 * SHOWN_BYTES else cut

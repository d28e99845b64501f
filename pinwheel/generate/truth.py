"""What was sent, written down as Parquet, so that tests can compare every landed row and rollup with it."""

import json
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from pinwheel.core import atomic
from pinwheel.core.errors import MissingPartError
from pinwheel.generate.popularity import Burst

# Grain: one row per Kafka record, in the order sent. A redelivery repeats its event's columns.
SCHEMA = pa.schema(
    [
        ("event_id", pa.string()),  # for a malformed record: the id that it has or would have
        ("event_type", pa.string()),  # likewise
        ("occurred_at", pa.timestamp("us", "UTC")),  # null when malformed
        ("user_id", pa.int64()),  # also the record's key
        ("pin_id", pa.int64()),
        ("board_id", pa.int64()),  # of repins
        ("text", pa.string()),  # of comments
        ("client", pa.string()),  # of logins
        ("ip", pa.string()),  # the full address
        ("extra", pa.string()),  # JSON object of the fields that the contract does not know
        ("kind", pa.string()),  # ok, late, redelivery or malformed
        ("malformed", pa.string()),  # how
        ("dead_reason", pa.string()),  # contracts.DeadReason that a malformed record has to get
        ("value", pa.binary()),  # the bytes of a malformed record; null for a tombstone
    ]
)
FILE_ROWS = 100_000


class Writer:
    """Writes blocks to ``folder``; a file is closed at ``FILE_ROWS`` rows, and at ``close``."""

    def __init__(self, folder: Path, run: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder, self._run = folder, run
        self._blocks: list[pa.Table] = []
        self._files = 0

    def write(self, block: pa.Table) -> None:
        """Take a block of rows."""
        self._blocks.append(block)
        if sum(b.num_rows for b in self._blocks) >= FILE_ROWS:
            self._flush()

    def close(self, bursts: Iterable[Burst] = ()) -> None:
        """Write what is left, and the bursts."""
        self._flush()
        lines = "".join(json.dumps(asdict(b), default=str) + "\n" for b in bursts)
        (self._folder / f"{self._run}.bursts.jsonl").write_text(lines, encoding="utf-8")

    def _flush(self) -> None:
        if self._blocks:
            path = self._folder / f"{self._run}.{self._files:06}.parquet"
            with atomic.replacing(path) as part:  # a reader never sees half a file
                pq.write_table(pa.concat_tables(self._blocks), part, compression="zstd")
            self._files += 1
            self._blocks = []


def read(folder: Path) -> pa.Table:
    """Everything that was written down in a folder, of all runs; one row per Kafka record.

    Raises:
        MissingPartError: nothing was.
    """
    paths = sorted(folder.glob("*.parquet"))
    if not paths:
        raise MissingPartError(f"no truth in {folder}; produce with --truth-dir {folder} and let it end")
    return pa.concat_tables([pq.read_table(path, schema=SCHEMA) for path in paths])


def read_bursts(folder: Path) -> list[dict[str, str]]:
    """The bursts that were planted, of all runs."""
    lines = (line for path in sorted(folder.glob("*.bursts.jsonl")) for line in path.read_text("utf-8").splitlines())
    return [json.loads(line) for line in lines]

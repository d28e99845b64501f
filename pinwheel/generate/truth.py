"""The truth: a Parquet copy of everything that was sent, for tests to compare every landed row and rollup with."""

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
        ("event_id", pa.string()),  # of a malformed record: the one that it has or would have
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
        ("malformed", pa.string()),  # the way in which it is malformed
        ("dead_reason", pa.string()),  # the contract's DeadReason that a malformed record must get
        ("value", pa.binary()),  # the bytes of a malformed record; null for a tombstone
    ]
)
FILE_ROWS = 100_000


class Writer:
    """Writes blocks to files of about ``FILE_ROWS`` rows in ``folder``."""

    def __init__(self, folder: Path, run: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder, self._run = folder, run
        self._blocks: list[pa.Table] = []
        self._files = 0

    def write(self, block: pa.Table) -> None:
        """Add a block of rows."""
        self._blocks.append(block)
        if sum(b.num_rows for b in self._blocks) >= FILE_ROWS:
            self._flush()

    def close(self, bursts: Iterable[Burst] = ()) -> None:
        """Write the remaining rows, and the bursts."""
        self._flush()
        lines = "".join(json.dumps(asdict(b), default=str) + "\n" for b in bursts)
        (self._folder / f"{self._run}.bursts.jsonl").write_text(lines, encoding="utf-8")

    def _flush(self) -> None:
        if self._blocks:
            path = self._folder / f"{self._run}.{self._files:06}.parquet"
            with atomic.replacing(path) as part:
                pq.write_table(pa.concat_tables(self._blocks), part, compression="zstd")
            self._files += 1
            self._blocks = []


def read(folder: Path) -> pa.Table:
    """Read the truth of all runs in a folder; one row per Kafka record.

    Raises:
        MissingPartError: the folder has none.
    """
    paths = sorted(folder.glob("*.parquet"))
    if not paths:
        raise MissingPartError(f"there is no truth in {folder}; produce with --truth-dir {folder} and let it finish")
    return pa.concat_tables([pq.read_table(path, schema=SCHEMA) for path in paths])


def read_bursts(folder: Path) -> list[dict[str, str]]:
    """Read the bursts of all runs in a folder."""
    lines = (line for path in sorted(folder.glob("*.bursts.jsonl")) for line in path.read_text("utf-8").splitlines())
    return [json.loads(line) for line in lines]

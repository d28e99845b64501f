"""Measures compaction over a simulated day of micro-batches: files, bytes, the log, and the time to open the lake.

    python bench/compaction.py --commits 43200 --seed 1

Each micro-batch is written and committed by the stream's own code (``pinwheel.lake.files``, ``pinwheel.lake.landing``)
and has few rows of each event type, some of them late. Compaction is the Dag's, with the settings of the environment;
it runs every 10 minutes of the simulated day, and once after its end. Log entries get the age that they would have, so
that old ones are cleaned up; within a day no data file gets old enough to be removed.
"""

import argparse
import logging
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from deltalake import DeltaTable

from pinwheel.core.contract import DEAD_LETTER, EVENT_TYPES
from pinwheel.core.settings import CompactSettings, load
from pinwheel.core.times import naive
from pinwheel.lake import events_table
from pinwheel.lake.compaction import compact, measure
from pinwheel.lake.files import FileWriter
from pinwheel.lake.landing import Landing

DAY = datetime(2026, 3, 14, tzinfo=UTC)
COMPACT_AT, COMPACT_EVERY = timedelta(minutes=3), timedelta(minutes=10)  # as in dags/compact_tables.py
LATE_SECONDS = (1800, 2 * 86_400)  # as in the generator
LATE_SHARE = 0.02
DEAD_SHARE = 0.005
OPENINGS = 5
TOPIC = "bench"


@dataclass
class Day:
    """Measurements of the day. Times in seconds; ``fullest``: files of the fullest closed day and event type."""

    landings: list[float] = field(default_factory=list)
    compactions: list[float] = field(default_factory=list)
    fullest_before: list[int] = field(default_factory=list)
    fullest_after: list[int] = field(default_factory=list)
    files_rewritten: int = 0
    files_made: int = 0
    log_times: dict[Path, float] = field(default_factory=dict)


class Batches:
    """Makes the rows of micro-batches: equally many of each type, with the same texts, but different ids and times."""

    def __init__(self, rows_per_type: int, seed: int) -> None:
        self._rng = np.random.default_rng(seed)
        self._kinds = np.repeat(list(EVENT_TYPES), rows_per_type)
        self._plain = pa.Table.from_pylist(
            [_texts(str(kind)) for kind in self._kinds], schema=events_table.arrow_schema()
        )
        self._offset = 0

    def skip(self, others: "Batches") -> None:
        """Continue with the offsets after those that ``others`` has used."""
        self._offset = max(self._offset, others._offset)

    def make(self, at: datetime) -> pa.Table:
        """The batch that Kafka received at ``at``."""
        size = len(self._kinds)
        late = np.where(self._rng.random(size) < LATE_SHARE, self._rng.integers(*LATE_SECONDS, size), 0)
        occurred = np.datetime64(naive(at), "us") - late.astype("timedelta64[s]")
        offsets = np.arange(self._offset, self._offset + size)
        self._offset += size
        values = {
            "event_date": occurred.astype("datetime64[D]"),
            "event_type": np.where(self._rng.random(size) < DEAD_SHARE, DEAD_LETTER, self._kinds),
            "event_id": [f"bench-{offset}" for offset in offsets],
            "occurred_at": occurred,
            "user_id": self._rng.integers(0, 1_000_000, size),
            "pin_id": self._rng.integers(0, 100_000, size),
            "brand_id": self._rng.integers(0, 500, size),
            "kafka_partition": np.zeros(size, np.int32),
            "kafka_offset": offsets,
            "kafka_timestamp": np.full(size, np.datetime64(naive(at), "us")),
        }
        rows = self._plain
        for name, column in values.items():
            index = rows.column_names.index(name)
            rows = rows.set_column(index, name, pa.array(column).cast(events_table.arrow_schema().field(name).type))
        return rows


def _texts(kind: str) -> dict[str, Any]:
    return {"event_type": kind, "title": "A pin of the bench", "category": "travel", "country_code": "NL"}


def main() -> int:
    """Simulate the day and print a table; returns 1 when a closed day has too many files or opening is too slow."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--commits", type=int, default=43_200, help="micro-batches of the day: one per 2 s")
    parser.add_argument("--rows", type=int, default=20, help="rows of each event type in a micro-batch")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--max-files", type=int, default=50, help="limit for a closed day and event type")
    parser.add_argument("--max-open-seconds", type=float, default=1.0)
    given = parser.parse_args()
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s %(message)s")
    with tempfile.TemporaryDirectory() as folder:
        settings = load(CompactSettings, lake_uri=f"{folder}/lake")
        events_table.create_table(settings.events_uri)
        day = play(settings, given.commits, Batches(given.rows, given.seed))
        opened = statistics.median(timed(lambda: DeltaTable(settings.events_uri)) for _ in range(OPENINGS))
        report(settings, day, opened)
    return int(max(day.fullest_after) > given.max_files or opened > given.max_open_seconds)


def play(settings: CompactSettings, commits: int, batches: Batches) -> Day:
    """Land the day's micro-batches; compact when the Dag does, and once after midnight."""
    day, landing = Day(), Landing(settings.events_uri, TOPIC)
    due = DAY + COMPACT_AT
    for n in range(commits):
        at = DAY + n * timedelta(days=1) / commits
        if at >= due:
            look_after(settings, due, day)
            due += COMPACT_EVERY
        rows = batches.make(at)
        day.landings.append(timed(lambda rows=rows: land(landing, rows)))  # type: ignore[misc]
    while due < DAY + timedelta(days=1) + COMPACT_EVERY:
        look_after(settings, due, day)
        due += COMPACT_EVERY
    return day


def land(landing: Landing, rows: pa.Table) -> None:
    """Write and commit one micro-batch, as the stream's task and driver do."""
    writer = FileWriter(landing.uri)
    writer.write(rows)
    landing.commit(writer.close())


def look_after(settings: CompactSettings, now: datetime, day: Day) -> None:
    """One run of the Dag."""
    day.fullest_before.append(fullest(settings, now.date()))
    age_log(settings, now, day)
    began = time.monotonic()
    reports = compact(settings, now, dry_run=False, unread_since=None)
    day.compactions.append(time.monotonic() - began)
    day.fullest_after.append(fullest(settings, now.date()))
    day.files_rewritten += sum(r.files_before for r in reports)
    day.files_made += sum(r.files_after for r in reports)
    print(
        f"{now:%H:%M} version={DeltaTable(settings.events_uri).version()} compaction={day.compactions[-1]:.1f} s "
        f"fullest closed day: {day.fullest_before[-1]} -> {day.fullest_after[-1]} files",
        file=sys.stderr,
        flush=True,
    )


def age_log(settings: CompactSettings, now: datetime, day: Day) -> None:
    """Set the modification times of log entries to the age that they have in the simulated day."""
    log = Path(settings.events_uri, "_delta_log")
    fresh = sorted(path for path in log.iterdir() if path.name[:20].isdigit() and path not in day.log_times)
    for n, path in enumerate(fresh):
        day.log_times[path] = (now - COMPACT_EVERY * (1 - n / len(fresh))).timestamp()
    for path, at in day.log_times.items():
        if path.exists():
            os.utime(path, (at - now.timestamp() + time.time(),) * 2)


def fullest(settings: CompactSettings, today: date) -> int:
    """The number of files of the fullest day and event type before ``today``."""
    parts = measure(DeltaTable(settings.events_uri), settings)
    return max((p.files for p in parts if p.event_date < today.isoformat()), default=0)


def timed(work: Callable[[], object]) -> float:
    """Seconds that ``work`` took."""
    began = time.monotonic()
    work()
    return time.monotonic() - began


def report(settings: CompactSettings, day: Day, opened: float) -> None:
    """Print the measurements as rows of a Markdown table."""
    table = DeltaTable(settings.events_uri)
    parts = measure(table, settings)
    log_files = list(Path(settings.events_uri, "_delta_log").iterdir())
    landings = np.percentile(day.landings, [50, 99, 100])
    lines = {
        "versions of `events`": f"{table.version():,}",
        "opening the newest version, median of 5": f"{opened:.3f} s",
        "files of the fullest closed day and event type, after any run": max(day.fullest_after),
        "the same before any run": max(day.fullest_before),
        "files that compaction read and what it made of them": f"{day.files_rewritten:,} -> {day.files_made:,}",
        "files and bytes in the newest version": f"{sum(p.files for p in parts):,}, {_mb(sum(p.size for p in parts))}",
        "a run of compaction: median, longest": (
            f"{statistics.median(day.compactions):.1f} s, {max(day.compactions):.1f} s"
        ),
        "landing a micro-batch: p50, p99, longest": ", ".join(f"{1000 * s:.0f} ms" for s in landings),
        "the log: files and bytes": f"{len(log_files):,}, {_mb(sum(f.stat().st_size for f in log_files))}",
    }
    print("\n".join(f"| {name} | {value} |" for name, value in lines.items()))


def _mb(size: int) -> str:
    return f"{size / 2**20:,.1f} MB"


if __name__ == "__main__":
    sys.exit(main())

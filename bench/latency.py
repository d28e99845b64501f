"""Measures latency: from when an event happened until it is in the lake, and in its reporting table.

    python bench/latency.py --seconds 600

Reads the running stack (settings from the environment): the lake's commits tell when each Kafka offset landed, the
ledger when it was merged. Late events, which happened long before they were sent, are left out.
"""

import argparse
import json
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from deltalake import DeltaTable

from pinwheel.clients import memsql
from pinwheel.core.contract import EVENT_TYPES
from pinwheel.core.settings import LakeSettings, MemsqlSettings, load
from pinwheel.core.times import aware
from pinwheel.lake import events_table

LATE = timedelta(seconds=60)  # an event sent so long after it happened is a late event of the generator
LOOK_BACK = 3000  # versions; the log may not go further back
PERCENTILES = {"p50": 50, "p95": 95, "p99": 99, "max": 100}
LEDGER = "SELECT table_name, merged_at, progress FROM merge_slices WHERE state = 'merged' ORDER BY slice_id"
Steps = dict[int, tuple[np.ndarray, np.ndarray]]  # partition -> next offsets, and when they were reached (seconds)


@dataclass(frozen=True)
class Waits:
    """When events happened, in Unix seconds, and how many seconds each took to arrive."""

    happened: np.ndarray
    waited: np.ndarray

    def percentiles(self) -> dict[str, float]:
        """p50, p95, p99, max."""
        found = np.percentile(self.waited, list(PERCENTILES.values()))
        return dict(zip(PERCENTILES, map(float, found), strict=True))

    def drift(self) -> float:
        """p95 of the later half minus p95 of the earlier half: near 0 when the pipeline keeps up."""
        later = self.happened >= np.median(self.happened)
        early, late = (np.percentile(self.waited[half], 95) for half in (~later, later))
        return float(late - early)


def main() -> int:
    """Print the percentiles."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seconds", type=float, default=600, help="measure events of that many last seconds")
    given = parser.parse_args()
    for name, waits in measure(datetime.now(UTC) - timedelta(seconds=given.seconds)).items():
        percentiles = " ".join(f"{p}={seconds:6.2f}" for p, seconds in waits.percentiles().items())
        print(f"{name:9} events={len(waits.waited):8,} {percentiles} s, later half's p95 {waits.drift():+.2f} s")
    return 0


def measure(since: datetime) -> dict[str, Waits]:
    """Latency of the events since then: to the lake ("lake"), to each table, and to all tables together ("sql")."""
    events_uri = load(LakeSettings).events_uri
    events = _events(events_uri, since)
    lake = DeltaTable(events_uri)
    first = lake.version() - LOOK_BACK
    landed = _steps(
        (c.committed_at.timestamp(), {p: r.next_offset for p, r in c.progress.items()})
        for c in events_table.commits(lake, max(first, -1))
    )
    merged = _merged()
    found = {kind.table: _waits(_of(events, kind.name), merged[kind.table]) for kind in EVENT_TYPES.values()}
    sql = Waits(*(np.concatenate([getattr(w, f) for w in found.values()]) for f in ("happened", "waited")))
    return {"lake": _waits(events, landed), **found, "sql": sql}


def _events(events_uri: str, since: datetime) -> pa.Table:
    columns = ["event_type", "occurred_at", "kafka_timestamp", "kafka_partition", "kafka_offset"]
    rows = DeltaTable(events_uri).to_pyarrow_dataset().to_table(columns, filter=pc.field("occurred_at") >= since)
    punctual = pc.less(pc.subtract(rows["kafka_timestamp"], rows["occurred_at"]), pa.scalar(LATE))
    return rows.filter(punctual)


def _of(events: pa.Table, event_type: str) -> pa.Table:
    return events.filter(pc.equal(events["event_type"], event_type))


def _merged() -> dict[str, Steps]:
    connection = memsql.connect(load(MemsqlSettings))
    with connection, connection.cursor() as cursor:
        cursor.execute(LEDGER)
        rows = cursor.fetchall()
    tables = {kind.table: list[tuple[float, dict[int, int]]]() for kind in EVENT_TYPES.values()}
    for row in rows:
        ends = {int(p): int(reach[0]) for p, reach in json.loads(row["progress"]).items()}
        tables[row["table_name"]].append((aware(row["merged_at"]).timestamp(), ends))
    return {table: _steps(steps) for table, steps in tables.items()}


def _steps(commits: Iterable[tuple[float, dict[int, int]]]) -> Steps:
    reached: dict[int, list[tuple[int, float]]] = {}
    for at, ends in commits:
        for partition, end in ends.items():
            reached.setdefault(partition, []).append((end, at))
    return {p: (np.array([end for end, _ in s]), np.array([at for _, at in s])) for p, s in reached.items()}


def _waits(events: pa.Table, steps: Steps) -> Waits:
    happened, waited = [np.zeros(0)], [np.zeros(0)]
    for partition, (ends, reached_at) in steps.items():
        mine = events.filter(pc.equal(events["kafka_partition"], partition))
        step = np.searchsorted(ends, mine["kafka_offset"].to_numpy(), side="right")
        arrived = step < len(ends)
        happened.append(mine["occurred_at"].cast(pa.int64()).to_numpy()[arrived] / 1e6)
        waited.append(reached_at[step[arrived]] - happened[-1])
    return Waits(np.concatenate(happened), np.concatenate(waited))


if __name__ == "__main__":
    sys.exit(main())

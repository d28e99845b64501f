"""How long after it happened an event is in the lake, and in its reporting table.

    python bench/latency.py --seconds 600

Reads the running stack (settings from the environment): the lake's commits say when each Kafka offset landed, the
merge ledger says when it was merged. Late events, which happened long before they were sent, are left out.
"""

import argparse
import json
import sys
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from deltalake import DeltaTable

from pinwheel import lake, memsql
from pinwheel.contracts import EVENT_TYPES
from pinwheel.settings import LakeSettings, MemsqlSettings, load

LATE = timedelta(seconds=60)  # sent so long after it happened: a late event of the generator
LEDGER = "SELECT table_name, merged_at, progress FROM merge_slices WHERE state = 'merged' ORDER BY slice_id"
Steps = dict[int, tuple[np.ndarray, np.ndarray]]  # partition -> next offsets, and when they were reached (seconds)


def main() -> int:
    """Print the percentiles."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seconds", type=float, default=600, help="look at events that happened in the last so many")
    given = parser.parse_args()
    events_uri = load(LakeSettings).events_uri
    since = datetime.now(UTC) - timedelta(seconds=given.seconds)
    events = _events(events_uri, since)
    landed = _steps((c.committed_at.timestamp(), c.ends) for c in lake.commits(events_uri, -1))
    _print("lake", events, landed)
    merged = _merged()
    waits = [_print(kind.table, _of(events, kind.name), merged[kind.table]) for kind in EVENT_TYPES.values()]
    _line("sql", np.concatenate(waits))
    return 0


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
        tables[row["table_name"]].append((row["merged_at"].replace(tzinfo=UTC).timestamp(), ends))
    return {table: _steps(steps) for table, steps in tables.items()}


def _steps(found: Iterable[tuple[float, dict[int, int]]]) -> Steps:
    reached: dict[int, list[tuple[int, float]]] = {}
    for at, ends in found:
        for partition, end in ends.items():
            reached.setdefault(partition, []).append((end, at))
    return {p: (np.array([end for end, _ in s]), np.array([at for _, at in s])) for p, s in reached.items()}


def _print(name: str, events: pa.Table, steps: Steps) -> np.ndarray:
    waits = []
    for partition, (ends, reached_at) in steps.items():
        mine = events.filter(pc.equal(events["kafka_partition"], partition))
        step = np.searchsorted(ends, mine["kafka_offset"].to_numpy(), side="right")
        arrived = step < len(ends)
        happened = mine["occurred_at"].cast(pa.int64()).to_numpy()[arrived] / 1e6
        waits.append(reached_at[step[arrived]] - happened)
    found = np.concatenate(waits)
    _line(name, found)
    return found


def _line(name: str, waits: np.ndarray) -> None:
    p50, p95, p99, most = np.percentile(waits, [50, 95, 99, 100])
    print(f"{name:9} events={len(waits):8,} p50={p50:6.2f} p95={p95:6.2f} p99={p99:6.2f} max={most:6.2f} s")


if __name__ == "__main__":
    sys.exit(main())

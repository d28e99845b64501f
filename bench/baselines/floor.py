"""The floor: the plain consumer in two processes, with LOAD DATA instead of inserts.

    python bench/baselines/floor.py --database baseline_floor --start '{"0": 0, "1": 0}'

Each process takes every other partition. Tables, checks and rollups are the plain consumer's; the rollups are made once
both have ended. A run that was killed can be repeated: rows that are there already are skipped.
"""

import json
import sys
from collections.abc import Iterable, Mapping
from concurrent.futures import ProcessPoolExecutor
from operator import itemgetter
from tempfile import NamedTemporaryFile
from typing import Any

import pyarrow as pa
import pymysql

from bench.baselines.plain_consumer import arguments, consume, script
from pinwheel.clients import memsql, tsv

PROCESSES = 2


def split(start: Mapping[int, int], processes: int) -> list[dict[int, int]]:
    """Deal the partitions out, each to one process; with fewer partitions there are fewer processes."""
    partitions = sorted(start)
    return [{p: start[p] for p in partitions[n::processes]} for n in range(min(processes, len(partitions)))]


def write(cursor: pymysql.cursors.Cursor, table: str, columns: Iterable[str], found: list[tuple[Any, ...]]) -> None:
    """Load rows from a file, in the order of their key, so that the processes wait for each other's locks in one order.

    LOCAL skips rows that are there and cuts what does not fit with a mere warning; the comparison with the truth finds
    those.
    """
    if not found:
        return
    rows = sorted(found, key=itemgetter(0))
    with NamedTemporaryFile(prefix="floor-") as file:
        file.write(tsv.lines([pa.array(column) for column in zip(*rows, strict=True)]))
        file.flush()
        cursor.execute(memsql.statement("merge/load", table=table, columns=tuple(columns)), {"path": file.name})


def main() -> int:
    """Run the command line."""
    database, start = arguments(str(__doc__).split("\n")[0])
    script(database, "tables.sql")
    shares = split(start, PROCESSES)
    with ProcessPoolExecutor(len(shares)) as pool:
        for counts in pool.map(consume, shares, [database] * len(shares), [write] * len(shares)):
            print(json.dumps(counts))
    script(database, "rollups.sql")
    return 0


if __name__ == "__main__":
    sys.exit(main())

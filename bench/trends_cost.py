"""Measures what the trends add to a merge: an index on ``repins``, and the rows of ``touched_minutes``.

    python -m bench.trends_cost --rows 60000

Merges the same events alternately with both and with neither, into a MariaDB of the run. The cost of a refresh is
measured by bench/trends.py.
"""

import argparse
import sys
import tempfile
from pathlib import Path

import psutil
import pyarrow as pa

from bench.quality import FIRST, Reporting, World
from bench.reports import database
from pinwheel.clients import memsql
from pinwheel.core.contract import ROLLUP_TABLES
from pinwheel.core.settings import MemsqlSettings
from pinwheel.merge import merge as merging

EMPTIED = ("repins", "pins", "comments", "logins", "merge_watermarks", "merge_progress", "touched_minutes")
INDEX = "CREATE INDEX IF NOT EXISTS by_minute ON repins (occurred_at, pin_id, brand_id, category, country_code)"
TURNS = 3


def merged(settings: MemsqlSettings, rows: pa.Table, with_trends: bool) -> float:
    """The database's CPU-seconds for merging these rows into empty tables."""
    with memsql.connect(settings) as connection, connection.cursor() as cursor:
        for table in (*EMPTIED, *ROLLUP_TABLES):
            cursor.execute(f"TRUNCATE {table}")
        cursor.execute(INDEX if with_trends else "DROP INDEX IF EXISTS by_minute ON repins")
    merging.MINUTES_FROM = "repins" if with_trends else ""
    with tempfile.TemporaryDirectory() as folder:
        reporting = Reporting(settings, Path(folder))
        reporting.land(rows)
        before = _server_cpu()
        reporting.merge()
        return _server_cpu() - before


def _server_cpu() -> float:
    (server,) = [p for p in psutil.Process().children(recursive=True) if p.name() == "mariadbd"]
    return float(sum(server.cpu_times()[:2]))


def main() -> int:
    """Print the cost of each merge."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rows", type=int, default=60_000, help="events of all types")
    given = parser.parse_args()
    world = World(1, given.rows)
    rows = world.landed(*world.records(FIRST, given.rows))
    with database(keep=False) as settings:
        for turn in range(TURNS):
            costs = [merged(settings, rows, with_trends) for with_trends in (True, False)]
            print(f"turn {turn + 1}: with trends {costs[0]:.2f}, without {costs[1]:.2f} CPU-seconds", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())

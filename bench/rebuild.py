"""Compares the rebuild of the reporting tables with a bare LOAD DATA of the same rows, sorted by key.

    python -m bench.rebuild --events 500000 --rounds 3

The rebuild is the merge session's: read from the lake's files, prepared, judged, loaded, exchanged. The tables'
sessions work side by side, as Airflow's tasks do; the bare load is one connection. The rollups that follow are not
counted. Both load into a separate database, one after the other in each round.
"""

import argparse
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import pyarrow as pa

from bench.landed import make_lake
from bench.servers import database
from pinwheel.clients import memsql
from pinwheel.core.arrow import ARROW_TYPE
from pinwheel.core.contract import TABLES, reporting_columns
from pinwheel.core.settings import MemsqlSettings, MergeSettings
from pinwheel.local.settings import LocalSettings
from pinwheel.merge import rebuild
from pinwheel.merge.load import load, write
from pinwheel.merge.session import Session

BATCH = 50_000  # rows fetched at a time


def main() -> int:
    """Print the seconds of both, and their ratio."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--events", type=int, default=500_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    uri = make_lake(LocalSettings().state_dir / "bench-lakes", given.events, given.seed, 250_000)
    with database("bench-rebuild") as (settings, _), TemporaryDirectory() as folder:
        of_merge = MergeSettings(**settings.model_dump(include=set(MemsqlSettings.model_fields)), lake_uri=uri)
        sessions = {table: Session(table, of_merge, lambda *_: None, lambda *_: None) for table in TABLES}
        sessions["pins"].turn()  # builds the gate, as a session does before there is work
        _wait_for(sessions, of_merge)
        files = {table: _dump(table, of_merge, Path(folder, table)) for table in TABLES}
        seconds: dict[str, list[float]] = {"rebuild": [], "bare": []}
        for _ in range(given.rounds):
            seconds["rebuild"].append(_rebuilt(sessions, of_merge))
            seconds["bare"].append(_bare(files, of_merge, Path(folder)))
        rows = sum(files.values())
    for name, took in seconds.items():
        print(f"{name:8} {rows:,} rows, seconds {' '.join(f'{s:.1f}' for s in took)}, median {median(took):.1f}")
    print(f"speed of the rebuild against a bare load: {median(seconds['bare']) / median(seconds['rebuild']):.2f}")
    return 0


def _wait_for(sessions: dict[str, Session], settings: MergeSettings) -> None:
    """All turns until no table has anything to do."""
    with ThreadPoolExecutor(len(sessions)) as pool:
        list(pool.map(_work, sessions.values()))
    with memsql.connect(settings) as connection:
        left = [table for table in sessions if rebuild.waiting(connection, table) is not None]
    if left:
        raise SystemExit(f"{', '.join(left)} could not be rebuilt; see the log above")


def _work(session: Session) -> None:
    while session.turn():
        pass


def _rebuilt(sessions: dict[str, Session], settings: MergeSettings) -> float:
    began = time.perf_counter()
    with memsql.connect(settings) as connection:
        rebuild.request(connection, settings, list(TABLES), "bench")
    _wait_for(sessions, settings)
    return time.perf_counter() - began


def _dump(table: str, settings: MergeSettings, path: Path) -> int:
    """The table's rows in a file, by key; returns their number."""
    schema = pa.schema([(c.name, ARROW_TYPE[c.type]) for c in reporting_columns(TABLES[table])])
    columns = schema.names

    def batches() -> Iterator[pa.RecordBatch]:
        with memsql.connect(settings) as connection, connection.cursor() as cursor:
            cursor.execute(f"SELECT {', '.join(columns)} FROM {table} ORDER BY event_id")  # noqa: S608  # the contract's names
            while rows := cursor.fetchmany(BATCH):
                yield from pa.Table.from_pylist(rows, schema).to_batches()

    return write(path, batches())


def _bare(files: dict[str, int], settings: MergeSettings, folder: Path) -> float:
    """Seconds of loading the files into empty tables of the same shape, without the gate, a ledger or increments."""
    took = 0.0
    with memsql.connect(settings, local_infile=True) as connection:
        for table, rows in files.items():
            memsql.execute_all(connection, "merge/rebuild/shadow", table=table)
            columns = [c.name for c in reporting_columns(TABLES[table])]
            began = time.perf_counter()
            with memsql.transaction(connection):
                load(connection, f"rebuilt_{table}", folder / table, columns, rows)
            took += time.perf_counter() - began
    return took


if __name__ == "__main__":
    sys.exit(main())

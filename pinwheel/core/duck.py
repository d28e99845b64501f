"""DuckDB for work in this process's memory."""

from functools import cache

import duckdb

MEMORY = "1GB"  # of the process; beyond this, DuckDB spills to disk


def in_memory() -> duckdb.DuckDBPyConnection:
    """A connection whose temporary tables and views only it sees; close it to free their rows."""
    return _database().cursor()


@cache  # making a database costs 20 ms of CPU, a third of what a small slice takes
def _database() -> duckdb.DuckDBPyConnection:
    return duckdb.connect(config={"threads": 2, "memory_limit": MEMORY})

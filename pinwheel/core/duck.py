"""DuckDB for work in this process's memory."""

import duckdb

MEMORY = "1GB"  # beyond this, DuckDB spills to disk


def in_memory() -> duckdb.DuckDBPyConnection:
    """Open an empty database; close it to free its rows."""
    return duckdb.connect(config={"threads": 2, "memory_limit": MEMORY})

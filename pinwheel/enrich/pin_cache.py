"""Saves full pins to ``pin_cache``: versions from pin events, of which the newest wins, and answers of the Pin API.

Any number of writers may save, in any order and several times; each pin ends with its newest version.
"""

from datetime import UTC, datetime
from tempfile import NamedTemporaryFile
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from pymysql.cursors import Cursor

from pinwheel.clients import memsql, tsv
from pinwheel.clients.memsql import Connection
from pinwheel.core.contract import PIN_FIELDS, PIN_VERSION
from pinwheel.core.errors import MemsqlError

COLUMNS = (*(f.name for f in PIN_FIELDS), *PIN_VERSION)
SELECT_IDS = 4000  # ids in one IN list: 80 kB of SQL, far below every server's packet limit
DATETIMES = (datetime(1000, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC))  # MySQL's range


def save_versions(connection: Connection, pins: pa.Table) -> None:
    """Save a version of each of some pins, unless ``pin_cache`` has a newer one. The caller commits, and may retry.

    If it dies after the new pins, those with a newer version are as they were; a second run replaces them.

    Args:
        connection: opened with ``local_infile``; it is committed on the way.
        pins: ``COLUMNS``, sorted by ``pin_id``, so that concurrent writers wait instead of deadlocking.

    Raises:
        MemsqlError: a value does not fit.
    """
    new, newer = _compared(connection, pins)
    if new.num_rows and _load(connection, "pin_cache", new) < new.num_rows:
        newer = pins  # another writer was faster: the statement below compares
    connection.commit()  # ends the shared locks on skipped pins: two writers that hold them could not change one
    if newer.num_rows:
        memsql.execute_all(connection, "enrich/work_table")
        _load(connection, "pin_versions", newer)
        memsql.execute(connection, "enrich/update_older")


def save_answers(connection: Connection, pins: pa.Table) -> None:
    """Save pins of the Pin API that ``pin_cache`` does not have; as above, but they have no version. Idempotent."""
    _load(connection, "pin_cache", pins.drop(list(PIN_VERSION)))


def _compared(connection: Connection, pins: pa.Table) -> tuple[pa.Table, pa.Table]:
    """The pins that ``pin_cache`` does not have, and those of which it seems to have an older version.

    Saves writing what is there already, which is most of it: the merge saves the pins that the stream has saved.
    """
    ids = pins["pin_id"].to_pylist()
    known: dict[int, tuple[Any, ...]] = {}
    for start in range(0, len(ids), SELECT_IDS):
        known |= _versions(connection, tuple(ids[start : start + SELECT_IDS]))
    columns = (_plain(pins[name]).to_pylist() for name in PIN_VERSION)
    versions = dict(zip(ids, zip(*columns, strict=True), strict=True))
    older = [i for i, version in known.items() if version[0] is None or version < versions[i]]
    is_known = pc.is_in(pins["pin_id"], pa.array(list(known), pa.int64()))
    return pins.filter(pc.invert(is_known)), pins.filter(pc.is_in(pins["pin_id"], pa.array(older, pa.int64())))


def _versions(connection: Connection, pin_ids: tuple[int, ...]) -> dict[int, tuple[Any, ...]]:
    with connection.cursor(Cursor) as cursor:
        cursor.execute(memsql.statement("enrich/select_versions", connection.engine), {"pin_ids": pin_ids})
        return {row[0]: row[1:] for row in cursor.fetchall()}


def _plain(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Times as microseconds since 1970."""
    return column.cast(pa.int64()) if pa.types.is_timestamp(column.type) else column


def _load(connection: Connection, table: str, pins: pa.Table) -> int:
    """Load the pins that the table does not have; returns their number."""
    with NamedTemporaryFile(prefix="pinwheel-pins-") as file:
        file.write(tsv.lines([_storable(column.combine_chunks()) for column in pins.columns]))
        file.flush()
        loaded, warnings = memsql.load(connection, "enrich/load", file.name, table=table, columns=pins.column_names)
    # Each skipped pin is a warning. Any other is a value that was changed because it does not fit.
    if (changed := warnings - (pins.num_rows - loaded)) > 0:
        raise MemsqlError(f"{table} can't store {changed} values unchanged; widen its columns")
    return loaded


def _storable(column: pa.Array) -> pa.Array:
    """Times outside the range of DATETIME become null."""
    if not pa.types.is_timestamp(column.type):
        return column
    first, last = (pa.scalar(moment).cast(column.type) for moment in DATETIMES)
    fits = pc.and_(pc.greater_equal(column, first), pc.less_equal(column, last))
    return pc.if_else(fits, column, None)

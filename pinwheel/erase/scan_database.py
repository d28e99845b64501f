"""The scan of the databases: every table and column, with the bytes decoded. See ``pinwheel.erase.scan``."""

from collections import defaultdict
from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import sqlalchemy as sa

from pinwheel.clients import memsql
from pinwheel.clients.memsql import Connection, Row
from pinwheel.erase.scan import OF_FIELD, OTHER_IDS, PEOPLE, Found, Id, mentions_in
from pinwheel.rollup.presence import Presence

TEXTS = ("char", "text", "json", "enum")
BYTES = ("blob", "binary")
NO_PERSON = -(2**62)  # ids below it are places of erased people


def scan(connection: Connection, person: Id, found: Found) -> None:
    """Every column of every table that can have the id: people's ids by value, texts, and bytes decoded."""
    tables = defaultdict[str, list[Row]](list)
    for column in memsql.fetch(connection, "erase/columns"):
        tables[column["table_name"]].append(column)
    for table, columns in tables.items():
        _scan_texts(connection, table, [c["column_name"] for c in columns if _is(c, TEXTS)], person, found)
        people = [column["column_name"] for column in columns if column["column_name"] in PEOPLE]
        if people:
            rows = memsql.fetch(connection, "erase/people_in", {"user_id": person.value}, table=table, columns=people)
            found.note(f"table {table}", int(rows[0]["people"]))
        for name in (column["column_name"] for column in columns if _is(column, BYTES)):
            _scan_bytes(connection, table, name, person, found)
        connection.commit()
    _scan_presence(connection, person, found)


def _is(column: Row, types: Sequence[str]) -> bool:
    return any(part in column["data_type"].lower() for part in types)


def _scan_texts(connection: Connection, table: str, columns: Sequence[str], person: Id, found: Found) -> None:
    """In one pass per rule: an event table has millions of rows."""
    for of_field in (False, True):
        names = [name for name in columns if name not in OTHER_IDS and (name in OF_FIELD) == of_field]
        if names:
            rows = memsql.fetch(connection, "erase/all_texts", {"digits": person.like}, table=table, columns=names)
            finds = sum(person.mentions(row["found"], of_field=of_field) > 0 for row in rows)
            found.note(f"table {table}", finds)


def _scan_bytes(connection: Connection, table: str, column: str, person: Id, found: Found) -> None:
    if table == "presence":
        return  # bitmaps of numbers: below
    for row in memsql.fetch(connection, "erase/blobs", table=table, column=column):
        found.note(f"table {table}", _in_bytes(row["found"] or b"", table, person))


def _in_bytes(value: bytes, table: str, person: Id) -> int:
    if table == "people":
        return int((np.frombuffer(value, "<i8") == person.value).sum())
    if table == "rollup_increments":
        with pa.ipc.open_stream(value) as reader:
            return int((reader.read_all()["user_id"].to_numpy() == person.value).sum())
    return person.mentions(value)


def _scan_presence(connection: Connection, person: Id, found: Found) -> None:
    """Buckets that still count the person, or somebody who was erased before."""
    blocks: list[Row] = memsql.fetch(connection, "erase/people")
    ids = np.frombuffer(b"".join(row["user_ids"] for row in blocks), "<i8")
    numbers = np.flatnonzero((ids == person.value) | (ids < NO_PERSON)).astype(np.uint64)
    if len(numbers):
        for row in memsql.fetch(connection, "erase/presence"):
            present = Presence(row["planes"], row["recent"]).people()
            found.note("table presence", int(np.isin(numbers, present).any()))
    connection.commit()


def scan_airflow(url: str | None, person: Id, found: Found) -> None:
    """Every text of Airflow's own database; nothing without its address."""
    if not url:
        return
    engine = sa.create_engine(url)
    try:
        with engine.connect() as connection:
            metadata = sa.MetaData()
            metadata.reflect(connection)
            for column in (column for table in metadata.sorted_tables for column in table.columns):
                if isinstance(column.type, sa.String | sa.JSON | sa.LargeBinary):
                    read = sa.cast(column, sa.Text) if isinstance(column.type, sa.JSON) else column
                    values = connection.execute(sa.select(read)).scalars()
                    found.note(f"airflow {column.table.name}", sum(mentions_in(v, person) > 0 for v in values))
    finally:
        engine.dispose()

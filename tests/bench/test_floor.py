"""The floor: each partition goes to one process, and its loads store what the plain consumer's inserts store."""

from datetime import datetime
from typing import Any

import pytest

from bench.baselines.floor import split, write
from bench.baselines.plain_consumer import COLUMNS, Write, connect, insert, script
from pinwheel.local import environment
from pinwheel.local.stack import Stack
from tests.support.database import make_database

AT = datetime(2026, 11, 25, 9, 30, 0, 250_000)
PLACE = ("NL", "Noord-Holland", "Amsterdam", 52.37403, -0.00001)
NOWHERE = (None,) * len(PLACE)
ROWS = [
    ("e3", AT, 2**63 - 1, 7, "tab\t, line\n, return\r, \\N, nul\0, quote', ☃ and 📌", 1, 2, "food", *PLACE),
    ("e1", AT.replace(microsecond=0), -(2**63), 7, "", None, None, None, *NOWHERE),
    ("e2", AT, 5, 7, "\\", 1, None, "art", *NOWHERE),
    ("e1", AT, 6, 8, "comes too late: the first one stays", None, None, None, *PLACE),
]


@pytest.mark.parametrize("processes", [1, 2, 3])
@pytest.mark.parametrize("partitions", [1, 2, 4, 7])
def test_partitions_are_dealt_out_without_gap_or_overlap(partitions: int, processes: int) -> None:
    start = {p: 100 + p for p in range(partitions)}

    shares = split(start, processes)

    dealt = [pair for share in shares for pair in share.items()]
    assert sorted(dealt) == sorted(start.items())
    assert len(shares) == min(processes, partitions)
    sizes = [len(share) for share in shares]
    assert max(sizes) - min(sizes) <= 1


@pytest.mark.usefixtures("stack_environment")
def test_a_load_stores_what_an_insert_stores(stack_with_memsql: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    owner = environment.memsql(stack_with_memsql.settings, stack_with_memsql.credentials, "admin")
    monkeypatch.setenv("PINWHEEL_MEMSQL_USER", owner.memsql_user)
    monkeypatch.setenv("PINWHEEL_MEMSQL_PASSWORD", owner.memsql_password.get_secret_value())

    inserted, loaded = (_stored(stack_with_memsql, with_) for with_ in (insert, write))

    assert loaded == inserted
    assert [row[0] for row in loaded] == ["e1", "e2", "e3"]


def _stored(stack: Stack, with_: Write) -> list[tuple[Any, ...]]:
    """The comments after writing all rows, and the first two a second time."""
    database = make_database(stack, f"baseline_{with_.__name__}").memsql_database
    script(database, "tables.sql")
    with connect(database) as connection, connection.cursor() as cursor:
        for rows in (ROWS, ROWS[:2], []):
            with_(cursor, "comments", COLUMNS["comments"], rows)
            connection.commit()
        cursor.execute("SELECT * FROM comments ORDER BY event_id")
        return list(cursor.fetchall())

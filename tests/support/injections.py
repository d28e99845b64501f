"""Strings that try to be more than values, and the shapes of the statements that were sent with them."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import product
from typing import Any

import pytest

from pinwheel.clients.memsql import Connection

CLOSES = [
    *("'", '"', "`", "\\", "\\'", "''", "'\\''", "%'", "%%'", "\x00'", "\n'", "\ud7ff'", "\u02bc", "\uff07", "\u2019"),
    *("1", "a", "", ")", "')", "'))", "*/", "-- \n'", "\xbf'", "\xbf\\'"),
]
GOES_ON = [
    *(
        " OR 1=1 -- ",
        " OR '1'='1",
        "; DROP TABLE pins; -- ",
        " UNION SELECT user, authentication_string FROM mysql.user",
    ),
    *(" AND SLEEP(5)", "/*!50000 OR 1=1 */", "||(SELECT 1)", "%s", "%(brand_id)s", "{0}", "${table}", "$table"),
    *(" INTO OUTFILE '/tmp/x", "#", " LIMIT 0, 1", "\tX\t\\N\t\n", "\\", " PROCEDURE ANALYSE()", "\u202e1=1", "\x1a"),
]
STRINGS = [close + more for close, more in product(CLOSES, GOES_ON)]
LITERAL = re.compile(r"""(?:_binary|x)?'(?:[^'\\]|\\.|'')*'|-?\b\d+(?:\.\d+)?(?:e[-+]?\d+)?\b|\bNULL\b""", re.S | re.I)
LIST = re.compile(r"\?(?:\s*,\s*\?)+")
ROWS = re.compile(r"\(\s*\?\s*\)(?:\s*,\s*\(\s*\?\s*\))+")


def shape(sql: str) -> str:
    """A statement without its values: how many there are in a list does not matter."""
    return " ".join(ROWS.sub("(?)", LIST.sub("?", LITERAL.sub("?", sql))).split())


class Statements:
    """The shapes of the statements that are sent."""

    def __init__(self) -> None:
        self.shapes: set[str] = set()

    def take(self) -> set[str]:
        """Those since the last time."""
        found, self.shapes = self.shapes, set()
        return found


@contextmanager
def recorded() -> Iterator[Statements]:
    """Every statement of every connection of this process."""
    query, found = Connection.query, Statements()

    def seen(self: Connection, sql: Any, unbuffered: bool = False) -> int:
        found.shapes.add(shape(sql.decode(errors="surrogateescape") if isinstance(sql, bytes | bytearray) else sql))
        return int(query(self, sql, unbuffered))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Connection, "query", seen)
        yield found

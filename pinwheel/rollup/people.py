"""People's numbers: a dense number for each ``user_id``, so that bitmaps of people are small whatever the ids are.

The table ``people`` holds the ids in the order of their numbers, in blocks. Only the rollups write it, and ``forget``.
"""

import numpy as np

from pinwheel.clients import memsql
from pinwheel.clients.memsql import Connection
from pinwheel.merge.ledger import SupersededError

BLOCK_PEOPLE = 8192  # per row of the table: the last one is written again with each new person

TOMBSTONE = -(2**63)  # the ids from here on stand for people who were erased; no event can have them

Ids = np.ndarray  # of int64
Numbers = np.ndarray  # of uint64


class People:
    """All people's numbers, in memory. Throw it away when its new numbers could not be stored."""

    def __init__(self, connection: Connection) -> None:
        self._ids = ids(connection)
        self._stored = len(self._ids)
        self._order = np.argsort(self._ids, kind="stable")
        self._sorted = self._ids[self._order]

    def numbers(self, user_ids: Ids) -> Numbers:
        """The numbers of these people; new people get the next ones, which ``store`` has to write."""
        asked, places = np.unique(user_ids, return_inverse=True)
        at = np.searchsorted(self._sorted, asked)
        inside = at < len(self._sorted)
        known = np.zeros(len(asked), bool)
        known[inside] = self._sorted[at[inside]] == asked[inside]
        numbers = np.empty(len(asked), np.uint64)
        numbers[known] = self._order[at[known]]
        new = asked[~known]
        if len(new):
            numbers[~known] = np.arange(len(self._ids), len(self._ids) + len(new))
            self._add(new, at[~known])
        return numbers[places]

    def _add(self, new: Ids, places: np.ndarray) -> None:
        self._order = np.insert(self._order, places, np.arange(len(self._ids), len(self._ids) + len(new)))
        self._sorted = np.insert(self._sorted, places, new)
        self._ids = np.concatenate([self._ids, new])

    def store(self, connection: Connection) -> None:
        """Write the blocks with new people. Does not commit."""
        blocks = range(self._stored // BLOCK_PEOPLE, -(-len(self._ids) // BLOCK_PEOPLE))
        rows = [
            {"block": n, "user_ids": self._ids[n * BLOCK_PEOPLE : (n + 1) * BLOCK_PEOPLE].tobytes()} for n in blocks
        ]
        if len(self._ids) > self._stored:
            memsql.execute_many(connection, "rollup/number_people", rows)

    def stored(self) -> None:
        """The transaction of ``store`` is committed."""
        self._stored = len(self._ids)


def ids(connection: Connection) -> Ids:
    """All people's ids in the order of their numbers."""
    return np.frombuffer(b"".join(row["user_ids"] for row in memsql.fetch(connection, "rollup/people")), np.int64)


def forget(connection: Connection, user_id: int) -> bool:
    """Put a tombstone in the place of a person's id, so that the others keep their numbers; False: nothing to do yet.

    A person who is still counted on some day keeps the number: what is taken away later must find it; from days whose
    rows have expired nothing is taken away. One transaction:
    dying before it changes nothing, and twice finds nothing. A refresh that has the id in memory finds that the
    generation has moved, and reads all people again.

    Raises:
        SupersededError: a refresh was faster; nothing was changed.
    """
    generation = memsql.fetch(connection, "rollup/generation")[0]["generation"]
    known = ids(connection).copy()
    at = np.flatnonzero(known == user_id)
    connection.commit()
    if not len(at):
        return False
    with memsql.transaction(connection):
        if memsql.execute(connection, "rollup/claim", {"generation": generation}) != 1:
            raise SupersededError("the rollups were refreshed meanwhile; nobody was forgotten")
        if any(_is_counted(connection, number) for number in at.tolist()):
            connection.rollback()
            return False
        known[at] = TOMBSTONE + at
        for block in np.unique(at // BLOCK_PEOPLE).tolist():
            packed = known[block * BLOCK_PEOPLE : (block + 1) * BLOCK_PEOPLE].tobytes()
            memsql.execute(connection, "rollup/number_people", {"block": block, "user_ids": packed})
    return True


def _is_counted(connection: Connection, number: int) -> bool:
    rows = memsql.fetch(connection, "rollup/days_of_person", {"chunk": number >> 6, "bit": number & 63})
    return bool(rows[0]["days"])

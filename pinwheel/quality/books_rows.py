"""The lake's rows of ranges of Kafka's offsets, for the books: how many rows, and where one is missing or twice."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import duckdb
import pyarrow as pa

from pinwheel.core.contract import DEAD_LETTER
from pinwheel.core.ranges import Range
from pinwheel.quality.books_lake import LakeFiles

# Every place where an offset does not follow the one before it.
BREAKS = """
SELECT p, previous, o
FROM (
    SELECT found.p, o, LAG(o, 1, first - 1) OVER (PARTITION BY found.p ORDER BY o) AS previous
    FROM found INNER JOIN asked ON found.p = asked.p
)
WHERE o <> previous + 1
ORDER BY p, o"""
COUNTED = "SELECT p, COUNT(*), COUNT(*) FILTER (dead), MIN(o), MAX(o) FROM found GROUP BY p"
# The oldest copies of each position, one for each earlier stretch; where it is not known which were there, all but one.
EARLIER = """
DELETE FROM found WHERE rowid IN (
    SELECT copy
    FROM (
        SELECT
            found.rowid AS copy,
            ANY_VALUE(earlier.several) AS several,
            COUNT(*) AS stretches,
            ROW_NUMBER() OVER (PARTITION BY found.p, o ORDER BY at_us, found.rowid) AS place,
            COUNT(*) OVER (PARTITION BY found.p, o) AS copies
        FROM found INNER JOIN earlier ON found.p = earlier.p AND o >= earlier.first AND o < earlier.last
        GROUP BY found.rowid, found.p, o, at_us
    )
    WHERE place <= stretches AND (place < copies OR NOT several)
)"""


@dataclass
class Found:
    """The lake's rows of a range of a partition: distinct positions, those that are dead letters, the lowest one."""

    rows: int = 0
    dead: int = 0
    first: int | None = None
    twice: list[int] = field(default_factory=list)
    missing: list[Range] = field(default_factory=list)


@dataclass(frozen=True)
class Earlier:
    """Offsets of a partition that an earlier stretch has landed (``several``: or may have)."""

    partition: int
    range: Range
    several: bool


def find(
    files: LakeFiles, db: duckdb.DuckDBPyConnection, asked: Mapping[int, Range], earlier: Iterable[Earlier]
) -> dict[int, Found]:
    """The files' rows of a range of each partition, without the rows of earlier stretches.

    Raises:
        LakeError: a file can't be read.
    """
    earlier = list(earlier)
    _load(files, db, asked, timed=bool(earlier))
    _drop(db, earlier)
    found = {p: Found() for p in asked}
    next_ = {p: first for p, (first, _) in asked.items()}
    for p, rows, dead, first, last in db.execute(COUNTED).fetchall():
        found[p].rows, found[p].dead, found[p].first, next_[p] = rows, dead, first, last + 1
    for p, previous, offset in db.execute(BREAKS).fetchall():
        if offset == previous:
            found[p].twice.append(offset)
        else:
            found[p].missing.append((previous + 1, offset))
    for p, (_, end) in asked.items():
        found[p].missing += [(next_[p], end)] if next_[p] < end else []
        found[p].rows -= len(found[p].twice)
    return found


def _load(files: LakeFiles, db: duckdb.DuckDBPyConnection, asked: Mapping[int, Range], *, timed: bool) -> None:
    _table(db, "asked", [(p, first, end) for p, (first, end) in asked.items()], ("p", "first", "last"))
    db.execute("CREATE OR REPLACE TEMP TABLE found (p BIGINT, o BIGINT, at_us BIGINT, dead BOOLEAN)")
    for dead in (False, True):
        paths = files.paths_of_offsets(asked, DEAD_LETTER, others=not dead)
        columns = ("kafka_partition", "kafka_offset", *(["kafka_timestamp"] if timed else []))
        with files.read(db, paths, columns):
            db.execute(
                f"""INSERT INTO found
                SELECT kafka_partition, kafka_offset, {"EPOCH_US(kafka_timestamp)" if timed else "NULL"}, {dead}
                FROM files INNER JOIN asked ON kafka_partition = p
                WHERE kafka_offset >= first AND kafka_offset < last"""
            )


def _drop(db: duckdb.DuckDBPyConnection, earlier: list[Earlier]) -> None:
    for several in (False, True):
        rows = [(e.partition, *e.range, several) for e in earlier if e.several == several]
        if rows:
            _table(db, "earlier", rows, ("p", "first", "last", "several"))
            db.execute(EARLIER)


def _table(db: duckdb.DuckDBPyConnection, name: str, rows: Sequence[tuple[int, ...]], columns: tuple[str, ...]) -> None:
    values = zip(*rows, strict=True)
    db.register("given", pa.table({column: list(mine) for column, mine in zip(columns, values, strict=True)}))
    db.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS SELECT * FROM given")
    db.unregister("given")

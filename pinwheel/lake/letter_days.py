"""Dead letters by day and reason, from the lake. A file is counted once, as it never changes."""

from collections import Counter
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import Any

import pyarrow.fs as pafs
import pyarrow.parquet as pq
from cachetools import LRUCache
from deltalake.fs import DeltaStorageHandler

from pinwheel.core.contract import DEAD_LETTER
from pinwheel.lake import events_table

DAYS = 30
MAX_FILES = 200  # read at once; those of the day before the newest 200 are read the next time
READERS = 8  # a store is slow for each
KEPT_FILES = 10_000  # of which the counts are kept: a few hundred bytes each

Counts = Mapping[str, int]


@dataclass(frozen=True)
class LetterDay:
    """Letters of a UTC day by reason. ``is_all``: none of its files is still to be read."""

    day: date
    reasons: dict[str, int]
    is_all: bool


class LetterDays:
    """Counts the letters of the last ``DAYS`` days."""

    def __init__(self) -> None:
        self._known: LRUCache[str, Counts] = LRUCache(KEPT_FILES)

    def count(self, events_uri: str, now: datetime) -> list[LetterDay]:
        """The days, oldest first, also those without letters; none when there is no lake yet.

        Raises:
            DeltaError, OSError: the lake can't be read.
        """
        table = events_table.open_table(events_uri)
        if table is None:
            return []
        last = now.astimezone(UTC).date()
        first = last - timedelta(days=DAYS - 1)
        actions = events_table.files(table).to_pylist()
        dead = [a for a in actions if a["partition.event_type"] == DEAD_LETTER and a["partition.event_date"] >= first]
        self._read(events_uri, dead)
        days = (first + timedelta(days=n) for n in range(DAYS))
        return [self._day(day, [a["path"] for a in dead if a["partition.event_date"] == day]) for day in days]

    def _read(self, events_uri: str, files: list[dict[str, Any]]) -> None:
        """Count the newest files that are not known yet."""
        new = [file for file in files if file["path"] not in self._known]
        new.sort(key=lambda file: file["modification_time"], reverse=True)
        paths = [file["path"] for file in new[:MAX_FILES]]
        filesystem = pafs.PyFileSystem(DeltaStorageHandler(events_uri))
        with ThreadPoolExecutor(READERS) as readers:
            self._known.update(zip(paths, readers.map(partial(_counted, filesystem), paths), strict=True))

    def _day(self, day: date, paths: Iterable[str]) -> LetterDay:
        found, is_all = Counter[str](), True
        for path in paths:
            found.update(self._known.get(path, {}))
            is_all &= path in self._known
        return LetterDay(day, dict(found.most_common()), is_all)


def _counted(filesystem: pafs.FileSystem, path: str) -> Counts:
    name = "dead_reason"
    with filesystem.open_input_file(path) as file:
        reasons = pq.ParquetFile(file, read_dictionary=[name]).read(columns=[name])[name]
    return {str(row["values"]): row["counts"] for row in reasons.value_counts().to_pylist()}

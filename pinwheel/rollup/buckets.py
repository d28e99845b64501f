"""The buckets of people: their presence in the database, and the changes of a refresh."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import date
from itertools import pairwise

import numpy as np
import pyarrow as pa
from cachetools import LRUCache

from pinwheel.clients import memsql
from pinwheel.clients.memsql import Connection, Row
from pinwheel.rollup.presence import NegativeCountError, Presence

CACHE_BYTES = 256 * 2**20  # otherwise each refresh would read its buckets again
ITEMS_ASKED = 1000  # buckets per statement

Name = tuple[str, str, date]  # scope, item, day
CHANGES = pa.schema(
    [
        ("scope", pa.string()),
        ("item", pa.string()),
        ("day", pa.date32()),
        ("part", pa.uint64()),
        ("change", pa.int64()),
    ]
)


class Buckets:
    """Buckets of people, cached. Throw it away when its changes could not be stored."""

    def __init__(self) -> None:
        self._cache: LRUCache[Name, Presence] = LRUCache(CACHE_BYTES, getsizeof=lambda found: found.size)
        self._forgotten: set[date] = set()
        self._changed: list[Row] = []
        self.came: list[tuple[Name, np.ndarray]] = []  # keys, of the newest change
        self.left: list[tuple[Name, np.ndarray]] = []

    def change(self, connection: Connection, changes: pa.Table) -> pa.Table:
        """Change counts: ``scope``, ``item``, ``day``, ``key`` (part and person), ``count``; ordered by bucket.

        Returns:
            How many people came or left per part of a bucket: ``CHANGES``.
        """
        self._changed, self.came, self.left = [], [], []
        groups = list(_by_bucket(changes))
        buckets = self._load(connection, [name for name, _, _ in groups])
        for name, keys, counts in groups:
            bucket = buckets[name]
            try:
                came, left = bucket.change(keys, counts)
            except NegativeCountError as error:
                error.day = name[2]
                raise
            planes, recent = bucket.store(keys, counts)
            scope, item, day = name
            self._changed.append({"scope": scope, "item": item, "day": day, "planes": planes, "recent": recent})
            self._keep(name, bucket)
            self.came.append((name, came))
            self.left.append((name, left))
        return _summed(self.came, self.left)

    def forget(self, day: date) -> None:
        """From now on the buckets of a day are empty, as they are once their rows are deleted."""
        self._forgotten.add(day)
        for name in [name for name in self._cache if name[2] == day]:
            del self._cache[name]

    def _keep(self, name: Name, bucket: Presence) -> None:
        self._cache.pop(name, None)  # its size has changed
        if bucket.size < CACHE_BYTES:
            self._cache[name] = bucket

    def _load(self, connection: Connection, names: Iterable[Name]) -> dict[Name, Presence]:
        found: dict[Name, Presence] = {}
        asked = defaultdict[tuple[str, date], list[str]](list)
        for name in names:
            cached = self._cache.get(name)
            found[name] = cached or Presence()
            if cached is None and name[2] not in self._forgotten:
                asked[name[0], name[2]].append(name[1])
        for (scope, day), items in asked.items():
            for start in range(0, len(items), ITEMS_ASKED):
                named = {"scope": scope, "day": day, "items": items[start : start + ITEMS_ASKED]}
                for row in memsql.fetch(connection, "rollup/presence", named):
                    found[scope, row["item"], day] = Presence(row["planes"], row["recent"])
        return found

    def store(self, connection: Connection) -> None:
        """Write the newest change. Does not commit."""
        memsql.execute_many(connection, "rollup/keep_presence", self._changed)

    def stored(self) -> None:
        """The transaction of ``store`` is committed."""
        self._forgotten.clear()


def _by_bucket(changes: pa.Table) -> Iterator[tuple[Name, np.ndarray, np.ndarray]]:
    if not changes.num_rows:
        return
    names = [changes[name].combine_chunks() for name in ("scope", "item", "day")]
    keys, counts = changes["key"].to_numpy(), changes["count"].to_numpy()
    differs = [np.asarray(pa.compute.not_equal(values[1:], values[:-1])) for values in names]
    edges = np.flatnonzero(differs[0] | differs[1] | differs[2]) + 1
    bounds = [0, *edges.tolist(), changes.num_rows]
    for start, end in pairwise(bounds):
        scope, item, day = (values[start].as_py() for values in names)
        yield (scope, item, day), keys[start:end], counts[start:end]


def _summed(came: list[tuple[Name, np.ndarray]], left: list[tuple[Name, np.ndarray]]) -> pa.Table:
    rows: list[tuple[str, str, date, int, int]] = []
    for sign, changed in ((1, came), (-1, left)):
        for name, keys in changed:
            if len(keys):
                parts, counts = np.unique(keys >> np.uint64(32), return_counts=True)
                rows += [(*name, part, sign * n) for part, n in zip(parts.tolist(), counts.tolist(), strict=True)]
    columns = zip(*rows, strict=True) if rows else [()] * len(CHANGES)
    return pa.table(dict(zip(CHANGES.names, map(list, columns), strict=True)), schema=CHANGES)

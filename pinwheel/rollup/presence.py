"""Presence: for each bucket of people, how many rows each person has in it, exactly, in compressed bitmaps.

A bucket's counts are bit planes: plane ``i`` holds the people whose count has bit ``i`` set. Adding a row of many
people is an addition with carry over whole planes, and so is taking one away, so the cost follows the rows that came,
and corrections and erasures need no search for other rows. Most people have one row in a bucket, so one plane.
"""

from array import array
from collections.abc import Iterable
from datetime import date
from itertools import pairwise

import numpy as np
from pyroaring import BitMap64

from pinwheel.core.errors import PinwheelError

KEY_BITS = 48  # of a key: the part of the bucket and the person's number; above them a count in the recent changes
COUNT_LIMIT = 1 << 15
FOLD_SHARE = 16  # recent changes are folded in when they take more than this part of the planes' bytes
FOLD_BYTES = 4096  # and this many

Keys = np.ndarray  # of uint64


class NegativeCountError(PinwheelError):
    """More rows were taken from a bucket of people than were added; ``Buckets`` says the bucket's ``day``."""

    day: date


class Presence:
    """The counts of one bucket of people.

    It is stored as the planes, and as the changes since they were stored, so that a small change of a large bucket
    writes little.
    """

    def __init__(self, planes: bytes | None = None, recent: bytes = b"") -> None:
        self._planes = [BitMap64.deserialize(part) for part in _split(planes or b"")]
        self._stored_bytes, self._recent_bytes = len(planes or b""), len(recent)
        self._present = BitMap64.union(*self._planes) if self._planes else BitMap64()
        if recent:
            self._catch_up(np.frombuffer(recent, np.uint64))

    def _catch_up(self, changes: np.ndarray) -> None:
        """Apply changes as ``store`` gave them, of several refreshes."""
        counts = (changes >> np.uint64(KEY_BITS)).astype(np.int64) - COUNT_LIMIT
        # Summed by key: a person may be in several of the changes.
        keys, of_key = np.unique(changes & np.uint64((1 << KEY_BITS) - 1), return_inverse=True)
        sums = np.bincount(of_key, counts, len(keys)).astype(np.int64)
        self.change(keys[sums != 0], sums[sums != 0])

    def change(self, keys: Keys, counts: np.ndarray) -> tuple[Keys, Keys]:
        """Add counts (negative: take away) to keys, each named once; returns the keys that came and that left.

        Raises:
            NegativeCountError: a count would fall below zero; this object is then useless.
        """
        order = np.argsort(counts, kind="stable")
        keys, counts = keys[order], counts[order]
        came, left = [], []
        for start, end in _groups(counts):
            new, gone = self._change(keys[start:end], int(counts[start]))
            came.append(new)
            left.append(gone)
        return _joined(came), _joined(left)

    def _change(self, keys: Keys, count: int) -> tuple[Keys, Keys]:
        changed = _bitmap(keys)
        if count > 0:
            came = changed - self._present
            for bit in _bits(count):
                self._add(changed, bit)
            self._present |= changed
            return _keys(came), _keys(())
        for bit in _bits(-count):
            self._take(changed, bit)
        left = changed.difference(*self._planes) if self._planes else changed
        self._present -= left
        return _keys(()), _keys(left)

    def _add(self, carry: BitMap64, plane: int) -> None:
        while carry:
            while plane >= len(self._planes):
                self._planes.append(BitMap64())
            both = self._planes[plane] & carry
            self._planes[plane] ^= carry
            carry, plane = both, plane + 1

    def _take(self, borrow: BitMap64, plane: int) -> None:
        while borrow:
            if plane >= len(self._planes):
                raise NegativeCountError(f"{len(borrow)} people have fewer rows in a bucket than were taken away")
            missing = borrow - self._planes[plane]
            self._planes[plane] ^= borrow
            borrow, plane = missing, plane + 1

    def people(self) -> Keys:
        """The numbers of the people who have a row in it."""
        return np.unique(_keys(self._present) & np.uint64(0xFFFFFFFF))

    def store(self, keys: Keys, counts: np.ndarray) -> tuple[bytes | None, bytes]:
        """The form to write after ``change`` with the same arguments: all planes, or None and the changes to append."""
        added = 8 * len(keys)
        is_small = self._recent_bytes + added <= max(FOLD_BYTES, self._stored_bytes // FOLD_SHARE)
        if is_small and self._stored_bytes and np.abs(counts).max() < COUNT_LIMIT:
            self._recent_bytes += added
            order = np.argsort(counts, kind="stable")
            high = (counts[order] + COUNT_LIMIT).astype(np.uint64) << np.uint64(KEY_BITS)
            return None, (high | keys[order]).tobytes()
        while self._planes and not self._planes[-1]:
            self._planes.pop()
        planes = b"".join(_framed(plane.serialize()) for plane in self._planes)
        self._stored_bytes, self._recent_bytes = len(planes), 0
        return planes, b""

    @property
    def size(self) -> int:
        """About how many bytes of memory it takes."""
        return 2 * self._stored_bytes + self._recent_bytes + 500


def _bits(count: int) -> Iterable[int]:
    return (bit for bit in range(count.bit_length()) if count >> bit & 1)


def _groups(sorted_values: np.ndarray) -> Iterable[tuple[int, int]]:
    """The runs of equal values, as start and end."""
    edges = np.flatnonzero(np.diff(sorted_values.astype(np.int64))) + 1
    bounds = [0, *edges.tolist(), len(sorted_values)]
    return pairwise(bounds) if len(sorted_values) else ()


def _bitmap(keys: Keys) -> BitMap64:
    return BitMap64(array("Q", np.ascontiguousarray(keys, np.uint64).tobytes()))


def _keys(bitmap: Iterable[int]) -> Keys:
    return np.array(bitmap.to_array() if isinstance(bitmap, BitMap64) else (), np.uint64)


def _joined(parts: list[Keys]) -> Keys:
    return np.concatenate(parts) if parts else _keys(())


def _framed(part: bytes) -> bytes:
    return len(part).to_bytes(4, "little") + part


def _split(framed: bytes) -> Iterable[bytes]:
    place = 0
    while place < len(framed):
        end = place + 4 + int.from_bytes(framed[place : place + 4], "little")
        yield framed[place + 4 : end]
        place = end

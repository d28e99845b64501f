"""Sets of integers as ordered ranges (from, to), without the second."""

from collections.abc import Iterable, Iterator, Sequence

Range = tuple[int, int]


def without(ranges: Iterable[Range], cuts: Sequence[Range]) -> list[Range]:
    """The integers in ``ranges`` and not in ``cuts``; both are ordered and do not overlap."""
    left: list[Range] = []
    n = 0
    for start, end in ranges:
        while n < len(cuts) and cuts[n][1] <= start:
            n += 1
        at = n
        while at < len(cuts) and cuts[at][0] < end:
            if cuts[at][0] > start:
                left.append((start, cuts[at][0]))
            start = max(start, cuts[at][1])
            at += 1
        if start < end:
            left.append((start, end))
    return left


def common(ranges: Iterable[Range], others: Sequence[Range]) -> list[Range]:
    """The integers in both."""
    ranges = list(ranges)
    return without(ranges, without(ranges, others))


def numbers(ranges: Iterable[Range]) -> Iterator[int]:
    """All of them, in order."""
    return (number for start, end in ranges for number in range(start, end))


def together(numbers: Iterable[int]) -> list[Range]:
    """Ordered numbers, each once or several times, as ranges."""
    found: list[Range] = []
    for number in numbers:
        if found and number <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], number + 1))
        else:
            found.append((number, number + 1))
    return found


def size(ranges: Iterable[Range]) -> int:
    """The number of integers."""
    return sum(end - start for start, end in ranges)


def cut_at(ranges: Iterable[Range], first: int, end: int) -> list[Range]:
    """The part of ordered ranges that is in [first, end)."""
    return [(max(a, first), min(b, end)) for a, b in ranges if max(a, first) < min(b, end)]

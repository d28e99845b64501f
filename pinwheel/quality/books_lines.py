"""The lines of the books: what offsets, rows and hours are explained by, and what is not explained."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime

PARTITION, TABLE, ROLLUPS, ALL = "partition", "table", "rollups", "all"  # scopes
SAMPLES = 5  # offsets or ids that a difference names


@dataclass
class Line:
    """One line: a partition of a log, a shard of a table, or the rollups.

    ``counts`` has the total (``offsets``, ``rows`` or ``hours``) and what explains it; ``differences`` are in words.
    """

    scope: str
    name: str
    number: int
    counts: Counter[str] = field(default_factory=Counter)
    differences: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Books:
    """The books as drawn up at a time, and up to which day they are closed (None: no day is)."""

    through: datetime
    lines: list[Line]
    closed_through: date | None

    @property
    def differences(self) -> list[str]:
        """All that is not explained."""
        return [told for line in self.lines for told in line.differences]

    @property
    def offsets(self) -> int:
        """The number of Kafka offsets that were landed or left out."""
        return sum(line.counts["offsets"] for line in self.lines)


def some(values: Iterable[object], count: int) -> str:
    """A few of ``count`` values, for people."""
    named = [str(value) for _, value in zip(range(SAMPLES), values, strict=False)]
    return ", ".join(named) + (f" and {count - len(named):,} more" if count > len(named) else "")

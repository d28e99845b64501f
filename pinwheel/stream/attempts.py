"""Which offsets the stream was reading when it ended, so that the next start reads them in smaller parts.

A record may end whatever reads it: it unpacks to more than fits into memory, or kills a Python worker. Before each read
its offsets are noted. Afterwards they are in the lake, or the note says what to be careful with.
"""

import json
import logging
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from pinwheel.core import atomic

log = logging.getLogger(__name__)

TRIES = 2  # of a micro-batch as it is: a driver that is killed for another reason is no record's fault
PARTS = 32  # into which what failed is divided


@dataclass(frozen=True)
class Attempt:
    """A read of offsets [start, end) of ``log``, by partition.

    ``failures``: how often it has failed. ``until``: where reading in smaller parts ends, by partition; empty if it is
    not in parts. ``others_read``: before its last try another record was read, so reading itself works.
    ``neighbours``: how many of those others were tried, of which the last may have ended the process.
    """

    log: str
    spans: dict[int, tuple[int, int]]
    failures: int = 0
    until: dict[int, int] = field(default_factory=dict)
    others_read: bool = False
    neighbours: int = 0

    @property
    def records(self) -> int:
        """How many it reads at most."""
        return sum(end - start for start, end in self.spans.values())

    def is_next(self, offsets: dict[int, int]) -> bool:
        """Whether nothing of it has landed; ``offsets``: the next one to land of each partition."""
        return all(offsets.get(p, 0) == start for p, (start, end) in self.spans.items() if end > start)

    @property
    def in_parts(self) -> dict[int, int] | None:
        """Where reading in smaller parts ends, by partition; None: it is to be read as it is."""
        if self.until or self.failures < TRIES:
            return self.until or None
        return {p: end for p, (_, end) in self.spans.items()}


class Attempts:
    """The note, in a file. Dying before it is written: the read is not known to have failed. Twice: the same note."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._last: Attempt | None = None

    def begin(self, attempt: Attempt) -> None:
        """Note a read that is about to begin."""
        atomic.write_text(self._path, json.dumps(asdict(attempt)))

    def again(self, log: str, spans: dict[int, tuple[int, int]]) -> None:
        """The same for a micro-batch; one that begins where the last driver failed keeps its failures.

        It may end elsewhere: more records have come since.
        """
        starts = {p: start for p, (start, _) in spans.items()}
        failures = self._last.failures if self._last and self._last.is_next(starts) else 0
        self.begin(Attempt(log, spans, failures))

    def failed(self, source: str, offsets: dict[int, int]) -> Attempt | None:
        """The read that the last driver did not finish, with one failure more; None: it finished, or there is none.

        Args:
            source: the log to land from.
            offsets: the next one to land of each partition, by the lake.
        """
        try:
            read = json.loads(self._path.read_text())
            spans = {int(p): (int(start), int(end)) for p, (start, end) in read["spans"].items()}
            until = {int(p): int(end) for p, end in read["until"].items()}
            counts = int(read["failures"]), until, bool(read["others_read"]), int(read["neighbours"])
            last = Attempt(str(read["log"]), spans, *counts)
        except FileNotFoundError:
            return None
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            log.warning("%s can't be read (%s): reading on as usual", self._path, error)
            return None
        if last.log != source or not last.records or not last.is_next(offsets):
            return None
        self._last = replace(last, failures=last.failures + 1)
        self.begin(self._last)
        return self._last

"""Sends made-up engagement events to Kafka.

    python -m pinwheel.generate.produce --rate 1000 --count 100000 --seed 7 --backfill-hours 24 --truth-dir DIR

History, if asked for, goes first and as fast as Kafka takes it; live events follow at the rate. SIGTERM and Ctrl-C
end it in order: what was handed to Kafka has arrived, the truth is on disk, and the exit code is 0.
"""

import argparse
import logging
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

import numpy as np
import pyarrow as pa

from pinwheel.core.errors import MissingPartError, PinwheelError
from pinwheel.core.settings import GeoSettings, load
from pinwheel.enrich.locations import Locator
from pinwheel.generate.catalogue import Catalogue
from pinwheel.generate.defects import DEFECTS, Planter
from pinwheel.generate.events import Block, Generator
from pinwheel.generate.people import Ints
from pinwheel.generate.sender import Sender
from pinwheel.generate.settings import ProduceSettings
from pinwheel.generate.truth import Writer

log = logging.getLogger(__name__)

BLOCK = 20_000  # large enough for numpy, small enough to stop in a fifth of a second
LIVE_SECONDS = 0.1  # a live block holds the events of this long
BEHIND_SECONDS = 1.0  # what a generator that fell behind catches up; the rest is left out
SECOND_US = 1_000_000

Now = Callable[[], datetime]


class Takes(Protocol):
    """Where records go: Kafka, or a test's list."""

    def send(self, keys: Sequence[bytes], values: Sequence[bytes | None]) -> int:
        """Take records; returns how many were taken."""

    def finish(self, seconds: float) -> None:
        """Make sure that they arrived."""


@dataclass(frozen=True)
class Produced:
    """What a run sent: records in all, and per second."""

    records: int
    seconds: float

    @property
    def rate(self) -> float:
        """Records a second."""
        return self.records / self.seconds if self.seconds else 0.0


def utc_now() -> datetime:
    """The wall clock."""
    return datetime.now(UTC)


def produce(
    settings: ProduceSettings,
    *,
    stop: threading.Event | None = None,
    sender: Takes | None = None,
    now: Now = utc_now,
    progress: Callable[[int], None] | None = None,
) -> Produced:
    """Send events until ``produce_count`` is reached or ``stop`` is set; ``progress`` hears the total of each block.

    Raises:
        MissingPartError: Kafka or its topic is not there.
        SendError: Kafka did not take everything.
    """
    stop = stop or threading.Event()
    start_us = _micros(now()) - int(settings.produce_backfill_hours * 3600 * SECOND_US)
    generator = Generator(
        Catalogue(settings.catalogue_seed), settings.produce_seed, start_us, locator_or_none(settings)
    )
    takes = sender or Sender(settings, stop)
    defect, share = settings.produce_defect, settings.produce_defect_share
    planter = Planter(defect, settings.produce_seed, share) if defect else None
    started, records = time.monotonic(), 0
    with closing(_Truth(settings, generator)) as truth:
        for times in _times(settings, start_us, stop, now):
            block = generator.block(times, now())
            taken = takes.send(*(planter.plant(block) if planter else (block.keys, block.values)))
            truth.write(block, taken)
            records += taken
            if progress:
                progress(records)
        takes.finish(settings.produce_flush_seconds)
    return Produced(records, time.monotonic() - started)


def locator_or_none(settings: GeoSettings) -> Locator | None:
    """The location database where there is one; without it people still live somewhere."""
    try:
        return Locator(settings)
    except MissingPartError as error:
        log.warning("people get no countries reason=%s", error)
        return None


class _Truth:
    """Writes blocks down if a folder was given."""

    def __init__(self, settings: ProduceSettings, generator: Generator) -> None:
        folder = settings.produce_truth_dir
        self._writer = Writer(folder, generator.run) if folder else None
        self._generator = generator

    def write(self, block: Block, taken: int) -> None:
        if self._writer:
            self._writer.write(block.rows.slice(0, taken))

    def close(self) -> None:
        if self._writer:
            self._writer.close(self._generator.bursts)


def _times(settings: ProduceSettings, start_us: int, stop: threading.Event, now: Now) -> Iterator[Ints]:
    """The moments of the events, block by block; sleeps where live events are paced."""
    history, count = settings.history, settings.produce_count
    if history:
        step = settings.produce_backfill_hours * 3600 * SECOND_US / history
        for first in range(0, history, BLOCK):
            if stop.is_set():
                return
            numbers = np.arange(first, min(first + BLOCK, history))
            yield start_us + (numbers * step).astype(np.int64)
    yield from _live_times(settings.produce_rate, count - history if count else None, stop, now)


def _live_times(rate: float, count: int | None, stop: threading.Event, now: Now) -> Iterator[Ints]:
    block = min(BLOCK, max(1, round(rate * LIVE_SECONDS))) if rate else BLOCK
    due = time.monotonic()
    while count is None or count > 0:
        size = block if count is None else min(block, count)
        if rate:
            due = max(due + size / rate, time.monotonic() - BEHIND_SECONDS)
        if stop.wait(max(0.0, due - time.monotonic())):
            return
        # They happened since the block before, the last one just now.
        ago = np.arange(size - 1, -1, -1) * (SECOND_US / rate if rate else 0.0)
        yield _micros(now()) - ago.astype(np.int64)
        count = None if count is None else count - size


def _micros(moment: datetime) -> int:
    return int(pa.scalar(moment, pa.timestamp("us", "UTC")).value)


def _arguments(argv: Sequence[str] | None) -> dict[str, object]:
    """The command's options; each has an environment variable, and what is not given is left to it."""
    parser = argparse.ArgumentParser(prog="pinwheel.generate.produce", description=__doc__.split("\n\n")[0])
    parser.add_argument("--rate", dest="produce_rate", help="live events a second; 0: as fast as Kafka takes them")
    parser.add_argument("--count", dest="produce_count", help="events in all; 0: until stopped")
    parser.add_argument("--seed", dest="produce_seed", help="another seed is another stream")
    parser.add_argument("--backfill-hours", dest="produce_backfill_hours", help="history to send first")
    parser.add_argument("--backfill-count", dest="produce_backfill_count", help="events of history; default: all")
    parser.add_argument("--defect", dest="produce_defect", help=f"plant one of: {', '.join(DEFECTS)}")
    parser.add_argument("--defect-share", dest="produce_defect_share", help="of the events; default: the defect's own")
    parser.add_argument("--truth-dir", dest="produce_truth_dir", help="where to write down what was sent")
    parser.add_argument("--kafka", dest="kafka_bootstrap", help="host:port of the broker")
    parser.add_argument("--topic", dest="topic", help="topic to send to")
    return {name: value for name, value in vars(parser.parse_args(argv)).items() if value is not None}


def main(argv: Sequence[str] | None = None) -> None:
    """The command."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    try:
        sent = produce(load(ProduceSettings, **_arguments(argv)), stop=stop)
    except PinwheelError as error:
        raise SystemExit(str(error)) from None
    log.info("sent records=%d seconds=%.1f rate=%.0f", sent.records, sent.seconds, sent.rate)


if __name__ == "__main__":
    main()

"""Sends made-up engagement events to Kafka.

    python -m pinwheel.generate.produce --rate 1000 --count 100000 --seed 7 --backfill-hours 24 --truth-dir DIR

History, if requested, is sent first, as fast as Kafka accepts it; live events follow at the given rate. SIGTERM and
Ctrl-C end it gracefully: all records handed to the client have arrived, the truth is on disk, the exit code is 0.
"""

import argparse
import logging
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

import numpy as np
import pyarrow as pa

from pinwheel.core.errors import MissingPartError, PinwheelError
from pinwheel.core.settings import GeoSettings, load
from pinwheel.core.times import utc_now
from pinwheel.enrich.locations import Locator
from pinwheel.generate.catalogue import Catalogue
from pinwheel.generate.defects import DEFECTS, Planter
from pinwheel.generate.events import Block, Generator
from pinwheel.generate.people import Ints
from pinwheel.generate.sender import Sender
from pinwheel.generate.settings import ProduceSettings
from pinwheel.generate.truth import Writer

log = logging.getLogger(__name__)

BLOCK = 20_000  # records; large enough for numpy, small enough to stop within 0.2 s
LIVE_SECONDS = 0.1  # duration of a live block
BEHIND_SECONDS = 1.0  # how much a generator that fell behind catches up; the rest is skipped
SECOND_US = 1_000_000

Now = Callable[[], datetime]


class Takes(Protocol):
    """Receiver of records: Kafka, or a test's list."""

    def send(self, keys: Sequence[bytes], values: Sequence[bytes | None]) -> int:
        """Accept records; returns how many were accepted."""

    def finish(self, seconds: float) -> None:
        """Wait until all of them have arrived; raise after ``seconds``."""


@dataclass(frozen=True)
class Produced:
    """Number of records that a run sent, and how long it took."""

    records: int
    seconds: float

    @property
    def rate(self) -> float:
        """Records per second."""
        return self.records / self.seconds if self.seconds else 0.0


def produce(
    settings: ProduceSettings,
    *,
    stop: threading.Event | None = None,
    sender: Takes | None = None,
    now: Now = utc_now,
    progress: Callable[[int], None] | None = None,
) -> Produced:
    """Send events until ``produce_count`` is reached or ``stop`` is set.

    Args:
        progress: called after each block with the total so far.

    Raises:
        MissingPartError: the broker does not answer, or the topic does not exist.
        SendError: Kafka did not accept all records.
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
    """The location database; None if there is none: people then have time zones, but no countries."""
    try:
        return Locator(settings)
    except MissingPartError as error:
        log.warning("people get no countries reason=%s", error)
        return None


class _Truth:
    """Writes the truth if the settings name a folder."""

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
    """Event times in microseconds, block by block; sleeps to pace live events."""
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
        # Spread over the time since the previous block; the last event happens now.
        ago = np.arange(size - 1, -1, -1) * (SECOND_US / rate if rate else 0.0)
        yield _micros(now()) - ago.astype(np.int64)
        count = None if count is None else count - size


def _micros(moment: datetime) -> int:
    return int(pa.scalar(moment, pa.timestamp("us", "UTC")).value)


def _arguments(argv: Sequence[str] | None) -> dict[str, object]:
    """The command's options; each overrides an environment variable."""
    parser = argparse.ArgumentParser(prog="pinwheel.generate.produce", description=__doc__.split("\n\n")[0])
    parser.add_argument("--rate", dest="produce_rate", help="live events per second; 0: no limit")
    parser.add_argument("--count", dest="produce_count", help="total number of events; 0: until stopped")
    parser.add_argument("--seed", dest="produce_seed", help="seed of the stream of events")
    parser.add_argument("--backfill-hours", dest="produce_backfill_hours", help="hours of history to send first")
    parser.add_argument(
        "--backfill-count", dest="produce_backfill_count", help="number of events in the history; default: all"
    )
    parser.add_argument("--defect", dest="produce_defect", help=f"plant one of: {', '.join(DEFECTS)}")
    parser.add_argument(
        "--defect-share", dest="produce_defect_share", help="share of events that have it; default: the defect's own"
    )
    parser.add_argument("--truth-dir", dest="produce_truth_dir", help="folder for a Parquet copy of all that was sent")
    parser.add_argument("--kafka", dest="kafka_bootstrap", help="host:port of the broker")
    parser.add_argument("--topic", dest="topic", help="topic to send to")
    return {name: value for name, value in vars(parser.parse_args(argv)).items() if value is not None}


def main(argv: Sequence[str] | None = None) -> None:
    """Run the command line."""
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

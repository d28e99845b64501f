"""Replays a ``user<TAB>pin`` file as repin events.

    python -m pinwheel.generate.replay FILE [--seed S]

The file has no times, boards or places: they are derived from the seed and the line. The times lie in the last whole
UTC day, so a replay is idempotent within a day: it sends the same bytes. On another day it sends the same ids with
other times: the reporting tables do not change, and the ledger counts the events as conflicting.
"""

import argparse
import logging
import re
from collections.abc import Sequence
from datetime import UTC, datetime, time, timedelta
from hashlib import blake2b
from ipaddress import IPv4Address
from itertools import count
from pathlib import Path
from typing import NamedTuple

from pinwheel.core.errors import PinwheelError
from pinwheel.core.settings import load
from pinwheel.core.times import utc_now
from pinwheel.generate.catalogue import BOARDS_PER_PERSON
from pinwheel.generate.produce import Now, Takes
from pinwheel.generate.sender import Sender
from pinwheel.generate.settings import ProduceSettings

log = logging.getLogger(__name__)

LINE = re.compile(rb"(\d{1,19})\t(\d{1,19})\r?")
MAX_ID = 2**63 - 1
DAY_MS = 86_400_000
QUOTED_BYTES = 80
NO_ADDRESS_OF_256 = 8


class ReplayError(PinwheelError):
    """The file can't be replayed; nothing was sent."""


class Row(NamedTuple):
    """One line of the file."""

    number: int
    user_id: int
    pin_id: int


class Records(NamedTuple):
    """Kafka records, in the file's order."""

    keys: list[bytes]
    values: list[bytes | None]


def replay(path: Path, settings: ProduceSettings, seed: int, *, sender: Takes | None = None, now: Now = utc_now) -> int:
    """Send a file's rows as repins; returns how many.

    Raises:
        ReplayError: the file can't be read, or a line is not two ids; nothing was sent.
        MissingPartError: the broker does not answer, or the topic does not exist.
        SendError: Kafka did not accept all records.
    """
    records = to_records(read_rows(path), seed, now())
    takes = sender or Sender(settings)
    takes.send(records.keys, records.values)
    takes.finish(settings.produce_flush_seconds)
    return len(records.keys)


def read_rows(path: Path) -> list[Row]:
    """Read and check the whole file.

    Raises:
        ReplayError: the file can't be read, or names the first line that is not two ids.
    """
    try:
        lines = path.read_bytes().split(b"\n")
    except OSError as error:
        raise ReplayError(f"{path} can't be read: {error.strerror}; give a file of user<TAB>pin lines") from error
    if lines[-1] == b"":
        lines.pop()
    if not lines:
        raise ReplayError(f"{path} has no lines; give a file of user<TAB>pin lines")
    return [_row(path, number, line) for number, line in enumerate(lines, 1)]


def _row(path: Path, number: int, line: bytes) -> Row:
    match = LINE.fullmatch(line)
    ids = (int(match[1]), int(match[2])) if match else (-1, -1)
    if not all(0 <= i <= MAX_ID for i in ids):
        quoted = line[:QUOTED_BYTES].decode("utf-8", "backslashreplace")
        raise ReplayError(f"{path}, line {number}: {quoted!r} is not user<TAB>pin, two whole numbers; nothing was sent")
    return Row(number, *ids)


def to_records(rows: Sequence[Row], seed: int, now: datetime) -> Records:
    """Repin events of the last whole UTC day before ``now``; each depends on its row, the seed and that day only."""
    midnight = datetime.combine(now.astimezone(UTC).date(), time(), UTC)
    values: list[bytes | None] = [_event(row, seed, midnight - timedelta(days=1)) for row in rows]
    return Records([b"%d" % row.user_id for row in rows], values)


def _event(row: Row, seed: int, day: datetime) -> bytes:
    digest = blake2b(b"%d:%d:%d:%d" % (seed, *row), digest_size=16).digest()
    at = day + timedelta(milliseconds=int.from_bytes(digest[:8]) % DAY_MS)
    board = (row.user_id * BOARDS_PER_PERSON + digest[8] % BOARDS_PER_PERSON) % MAX_ID
    address = _home(row.user_id, seed)
    ip = f'"{address}"' if address else "null"
    return (
        f'{{"event_id":"replay-{digest.hex()}","event_type":"repin",'
        f'"occurred_at":"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03}Z","user_id":{row.user_id},"ip":{ip},'
        f'"pin_id":{row.pin_id},"board_id":{board}}}'
    ).encode()


def _home(user_id: int, seed: int) -> IPv4Address | None:
    """The person's public address; some have none."""
    for turn in count():
        digest = blake2b(b"home:%d:%d:%d" % (seed, user_id, turn), digest_size=5).digest()
        if digest[4] < NO_ADDRESS_OF_256:
            break
        address = IPv4Address(digest[:4])
        if address.is_global and not address.is_multicast:
            return address
    return None


def main(argv: Sequence[str] | None = None) -> None:
    """Run the command line."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    parser = argparse.ArgumentParser(prog="pinwheel.generate.replay", description=__doc__.split("\n\n")[0])
    parser.add_argument("file", type=Path, help="lines of user<TAB>pin")
    parser.add_argument("--seed", dest="produce_seed", help="seed of the times, boards and places")
    given = parser.parse_args(argv)
    try:
        settings = load(ProduceSettings, **({"produce_seed": given.produce_seed} if given.produce_seed else {}))
        sent = replay(given.file, settings, settings.produce_seed)
    except PinwheelError as error:
        raise SystemExit(str(error)) from None
    log.info("replayed records=%d file=%s", sent, given.file)


if __name__ == "__main__":
    main()

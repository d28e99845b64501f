"""The driver's lock: who drives the stream, and that only one does on this machine.

The kernel frees the lock when its holder dies, so "is it alive" needs no guess about recycled process ids.
Two machines are kept apart by the lake itself (``pinwheel.lake.landing.Landing``).
"""

import fcntl
import json
import os
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO

from pinwheel.core.errors import FencedError

ALREADY_RUNNING = 3  # exit code of a driver that found another


@dataclass(frozen=True)
class Driver:
    """A running driver: ``pid`` is what SIGTERM goes to; ``started_at`` in Unix seconds."""

    pid: int
    started_at: float


def hold_lock(path: Path) -> IO[str]:
    """Become the driver until the returned file is closed or the process ends.

    Raises:
        FencedError: another driver is running.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    file = path.open("a+")
    if not _locked(file):
        file.close()
        raise FencedError(f"another driver is running: {running(path)}; lock {path}")
    file.truncate(0)
    file.write(json.dumps(asdict(Driver(os.getpid(), time.time()))))
    file.flush()
    return file


def _locked(file: IO[str]) -> bool:
    """Take the lock; tried for a second, since who asks ``running`` holds it for a moment too."""
    for _ in range(10):
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(0.1)
        else:
            return True
    return False


def running(path: Path) -> Driver | None:
    """The driver that holds the lock, or None."""
    try:
        with path.open() as file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return _read(file)
            return None
    except FileNotFoundError:
        return None


def _read(file: IO[str]) -> Driver:
    """The holder writes right after locking: in between the file is empty for a moment."""
    for _ in range(50):
        file.seek(0)
        text = file.read()
        if text:
            return Driver(**json.loads(text))
        time.sleep(0.02)
    raise FencedError(f"the lock {file.name} is held, but nobody wrote who holds it")

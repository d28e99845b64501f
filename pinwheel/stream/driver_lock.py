"""The driver's lock: at most one driver per machine, and which process it is.

The kernel releases the lock when its holder dies, so a recycled process id can't look like a live driver.
Drivers on two machines are fenced by the lake itself (``pinwheel.lake.landing.Landing``).
"""

import fcntl
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO

from pinwheel.core.errors import FencedError

ALREADY_RUNNING = 3  # exit code of a driver that finds another one running


@dataclass(frozen=True)
class Driver:
    """A running driver: ``pid`` receives SIGTERM; ``started_at`` in Unix seconds."""

    pid: int
    started_at: float


def hold_lock(path: Path) -> IO[str]:
    """Take the driver's lock until the returned file is closed or the process ends.

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


@contextmanager
def none_runs(path: Path) -> Iterator[None]:
    """Let no driver start meanwhile: one that does tries again for a second, and then its supervisor does.

    Raises:
        FencedError: a driver is running.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            raise FencedError(f"a driver is running: {running(path)}; stop it first, with control_stream") from None
        yield


def _locked(file: IO[str]) -> bool:
    """Try for a second: a process in ``running`` holds the lock for a moment too."""
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
    """Retry for a second: the holder writes right after locking, and until then the file is empty."""
    for _ in range(50):
        file.seek(0)
        text = file.read()
        if text:
            return Driver(**json.loads(text))
        time.sleep(0.02)
    raise FencedError(f"the lock {file.name} is held, but its holder has not written its process id into it")

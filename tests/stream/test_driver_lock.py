"""The driver's lock: one holder at a time, named in it, gone with its process."""

import fcntl
import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from pinwheel.core.errors import FencedError
from pinwheel.stream import driver_lock

HOLD = """
import sys, time
from pathlib import Path
from pinwheel.stream import driver_lock
file = driver_lock.hold_lock(Path(sys.argv[1]))
print("held", flush=True)
time.sleep(60)
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "stream" / "driver.lock"


def test_nobody_runs_before_the_first_start(path: Path) -> None:
    assert driver_lock.running(path) is None


def test_the_holder_is_named_while_it_holds(path: Path) -> None:
    began = time.time()
    with driver_lock.hold_lock(path):
        found = driver_lock.running(path)
    assert found is not None
    assert found.pid == os.getpid()
    assert began <= found.started_at <= time.time()
    assert driver_lock.running(path) is None


def test_a_second_holder_is_refused_and_told_of_the_first(path: Path) -> None:
    with driver_lock.hold_lock(path):
        with pytest.raises(FencedError, match=f"pid={os.getpid()}"):
            driver_lock.hold_lock(path)
        assert driver_lock.running(path) is not None, "the refused one took the lock away"


def test_who_only_asks_does_not_keep_a_driver_from_starting(path: Path) -> None:
    path.parent.mkdir()
    path.touch()
    with path.open() as asking:
        fcntl.flock(asking, fcntl.LOCK_SH)
        threading.Timer(0.3, fcntl.flock, (asking, fcntl.LOCK_UN)).start()
        with driver_lock.hold_lock(path):
            assert driver_lock.running(path) is not None


def test_the_lock_names_its_newest_holder_only(path: Path) -> None:
    path.parent.mkdir()
    path.write_text(json.dumps({"pid": 1234567, "started_at": 1.0}) + " " * 100)
    with driver_lock.hold_lock(path):
        found = driver_lock.running(path)
    assert found is not None
    assert found.pid == os.getpid()


def test_the_lock_is_free_when_its_holder_is_killed(path: Path) -> None:
    holder = subprocess.Popen([sys.executable, "-c", HOLD, str(path)], stdout=subprocess.PIPE)
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        found = driver_lock.running(path)
        assert found is not None
        assert found.pid == holder.pid
        with pytest.raises(FencedError, match=f"pid={holder.pid}"):
            driver_lock.hold_lock(path)
    finally:
        holder.send_signal(signal.SIGKILL)
        holder.communicate()
    assert driver_lock.running(path) is None
    driver_lock.hold_lock(path).close()


def test_looking_does_not_disturb_the_lock(path: Path) -> None:
    driver_lock.hold_lock(path).close()
    assert driver_lock.running(path) is None
    driver_lock.hold_lock(path).close()


def test_a_holder_that_writes_nothing_is_an_error(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.sleep", lambda _: None)
    path.parent.mkdir()
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        with pytest.raises(FencedError, match="has not written its process id"):
            driver_lock.running(path)

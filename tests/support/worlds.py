"""A world for supervisors, whose clock moves only during a wait, and processes that play the driver."""

import json
import math
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pinwheel.alerts.catalogue import DRIVER_FAILING, DRIVER_STALLED, Alert
from pinwheel.core.settings import SuperviseSettings
from pinwheel.stream.source_log import SUBJECT
from pinwheel.stream.supervisor import StreamProgress, Supervisor, World
from pinwheel.stream.wish import Wanted, Wish

NO_PID = 2**22 + 1  # above the kernel's highest: the launched process has ended
FAILING, STALLED = DRIVER_FAILING.name, DRIVER_STALLED.name
HOLD = """
import signal, sys, time
from pathlib import Path
from pinwheel.stream import driver_lock
time.time = lambda: float(sys.argv[2])
if sys.argv[3] == "deaf":
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
file = driver_lock.hold_lock(Path(sys.argv[1]))
print("held", flush=True)
time.sleep(60)
"""


@dataclass
class FakeWorld:
    """A world whose clock moves only during a wait, and whose drivers end at once unless said otherwise."""

    start: Callable[[], int] = lambda: NO_PID
    wants: Wanted = Wanted.RUNNING
    seen: StreamProgress | None = field(default_factory=lambda: StreamProgress(lag=0, landed=0))
    refusal: str | None = None
    stopping: bool = False
    launches: list[int] = field(default_factory=list)
    alerts: list[tuple[str, str]] = field(default_factory=list)
    resolved: list[tuple[str, str]] = field(default_factory=list)
    restarts_done: int = 0
    now: int = field(default_factory=lambda: math.ceil(time.time()))  # not before the processes that it launches

    def launch(self) -> int:
        self.launches.append(self.now)
        return self.start()

    def wait(self, seconds: float) -> bool:
        self.now += round(seconds)
        return self.stopping

    def restarted(self) -> None:
        self.restarts_done += 1
        self.wants = Wanted.RUNNING

    def alert(self, alert: Alert, subject: str, message: str) -> None:
        assert subject == SUBJECT
        self.alerts.append((alert.name, message))

    def resolve(self, alert: Alert, subject: str, message: str, was_sent: bool = False) -> None:
        assert subject == SUBJECT
        self.resolved.append((alert.name, message))

    def as_world(self) -> World:
        return World(
            launch=self.launch,
            wanted=lambda: Wish(self.wants, "ann"),
            restarted=self.restarted,
            progress=lambda: self.seen,
            refusal=lambda: self.refusal,
            alert=self.alert,
            resolve=self.resolve,
            clock=lambda: self.now,
            wait=self.wait,
        )


class Drivers:
    """Processes that play the driver, in the world's time."""

    def __init__(self, lock: Path, world: FakeWorld) -> None:
        self.lock = lock
        self.world = world
        self.all: list[subprocess.Popen[bytes]] = []

    def holder(self, how: str = "") -> subprocess.Popen[bytes]:
        """One that has the lock."""
        made = self._start([sys.executable, "-c", HOLD, str(self.lock), str(self.world.now), how])
        assert made.stdout is not None
        assert made.stdout.readline() == b"held\n"
        return made

    def sleeper(self) -> subprocess.Popen[bytes]:
        """One that never takes it."""
        return self._start(["sleep", "60"])

    def _start(self, command: list[str]) -> subprocess.Popen[bytes]:
        self.all.append(subprocess.Popen(command, stdout=subprocess.PIPE, start_new_session=True))
        return self.all[-1]


def run(supervisor: Supervisor, world: FakeWorld, seconds: float) -> None:
    """Step as a session does, for this many seconds."""
    ends = world.now + seconds
    while world.now < ends:
        supervisor.step()
        world.wait(supervisor.settings.supervise_poll_seconds)


def names(told: list[tuple[str, str]]) -> list[str]:
    return [name for name, _ in told]


def kept(settings: SuperviseSettings) -> dict[str, Any]:
    return dict(json.loads((settings.stream_dir / "supervisor.json").read_text()))


def keep(settings: SuperviseSettings, text: str) -> None:
    settings.stream_dir.mkdir()
    (settings.stream_dir / "supervisor.json").write_text(text)

"""Checks before a start: free ports, free disk space, and that the stack is not being run already."""

import fcntl
import os
import shutil
import socket
from contextlib import suppress
from pathlib import Path
from typing import IO

import psutil

from pinwheel.core.errors import LocalError
from pinwheel.local.parts import LOOPBACK
from pinwheel.local.settings import LocalSettings

FULL_BYTES = 10_000_000
GIGABYTE = 1024**3


class RunLock:
    """Lock of the process that runs the stack; the kernel releases it however that process ends."""

    def __init__(self, stack_dir: Path) -> None:
        self._path = stack_dir / "run.lock"
        self._file: IO[str] | None = None

    def acquire(self) -> None:
        """Take the lock without waiting.

        Raises:
            LocalError: another process holds it; names its pid.
        """
        self._path.parent.mkdir(parents=True, exist_ok=True)
        file = self._path.open("a+")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.close()
            raise LocalError(
                f"this stack is already being run by process {self.holder()} ({self._path.parent}): look at it with "
                "`make status`, end it with `make stop`, or run another with PINWHEEL_STACK=name and other ports"
            ) from None
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        self._file = file

    def release(self) -> None:
        """Release the lock; no-op when it is not held."""
        if self._file is not None:
            self._file.close()
            self._file = None

    @property
    def held(self) -> bool:
        """Whether this object holds it."""
        return self._file is not None

    def holder(self) -> int | None:
        """The pid of the process that holds it, or None."""
        with suppress(FileNotFoundError), self._path.open() as file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return int(file.read() or 0) or None
        return None


def check_ports(settings: LocalSettings) -> None:
    """Raise LocalError if ports are taken; names each port, its setting and the process that has it."""
    taken = [
        f"port {port} is taken by {_holder(port)}; end that, or set {name} to a free port"
        for name, port in settings.port_settings().items()
        if not is_free(port)
    ]
    if taken:
        raise LocalError("\n".join(taken))


def is_free(port: int) -> bool:
    """Whether the port can be listened on."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # ignore lingering connections of our last run
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


def _holder(port: int) -> str:
    """The process that listens on the port, if it is visible to us."""
    with suppress(psutil.Error):
        for connection in psutil.net_connections("tcp"):
            listens = connection.status == psutil.CONN_LISTEN and connection.laddr[1:2] == (port,)
            if listens and connection.pid:
                return f"{psutil.Process(connection.pid).name()} (process {connection.pid})"
    return "another user's process"


def check_disk(settings: LocalSettings) -> None:
    """Raise LocalError if less than ``min_free_gb`` of disk space is free."""
    settings.state_dir.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(settings.state_dir).free / GIGABYTE
    if free < settings.min_free_gb:
        raise LocalError(
            f"{free:.1f} GB are free on the disk of {settings.state_dir}, but PINWHEEL_MIN_FREE_GB="
            f"{settings.min_free_gb:g} are needed; free some (`make clean` removes Pinwheel's data), or set "
            "PINWHEEL_STATE_DIR to a folder on a larger disk"
        )


def is_full(settings: LocalSettings) -> bool:
    """Whether the stack's programs may fail to write to their disk now."""
    return shutil.disk_usage(settings.stack_dir).free < FULL_BYTES

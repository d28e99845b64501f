"""What a part of the stack is: how to prepare it, what to run, when it is ready."""

import socket
from collections.abc import Callable
from dataclasses import dataclass

from pinwheel.install.progress import Say
from pinwheel.local.processes import Program

CONNECT_SECONDS = 1.0
LOOPBACK = "127.0.0.1"  # nothing of the embedded stack listens anywhere else


@dataclass(frozen=True)
class Part:
    """One part. ``prepare`` and ``finish`` run at every start and do only what is not done yet.

    ``last`` names the program that acts on the other parts, and so is started when they are ready.
    """

    name: str
    title: str
    programs: tuple[Program, ...]
    waiting_for: str
    ready: Callable[[], bool]
    prepare: Callable[[Say], None] = lambda say: None
    finish: Callable[[Say], None] = lambda say: None
    last: str | None = None


def answers(port: int) -> bool:
    """Whether something listens on the loopback port."""
    try:
        with socket.create_connection((LOOPBACK, port), CONNECT_SECONDS):
            return True
    except OSError:
        return False

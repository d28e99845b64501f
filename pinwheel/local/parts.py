"""A part of the stack: how to prepare it, its programs, and when it is ready."""

import socket
from collections.abc import Callable
from dataclasses import dataclass

from pinwheel.install.progress import Say
from pinwheel.local.processes import Program

CONNECT_SECONDS = 1.0
LOOPBACK = "127.0.0.1"  # the embedded stack listens nowhere else


@dataclass(frozen=True)
class Part:
    """One part. ``prepare`` and ``finish`` run at every start and are idempotent.

    ``last`` names the program that uses the other parts and is therefore started when they are ready.
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
    """Whether a program listens on the loopback port."""
    try:
        with socket.create_connection((LOOPBACK, port), CONNECT_SECONDS):
            return True
    except OSError:
        return False

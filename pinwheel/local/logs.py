"""Logs of the stack's programs, kept small: one file per start, a new one when it has grown, a few older ones.

A program holds its log open for as long as it lives, in append mode: a renamed file would go on growing. So a log that
has grown is copied and then emptied, and the program writes on at its beginning. Lines that it writes between the two
are lost. Dying between the two leaves lines in both files.
"""

import os
import shutil
from collections.abc import Iterable
from pathlib import Path

MAX_BYTES = 10 * 1024 * 1024  # of one file; it may be passed by what is written between two looks
OLDER = 3  # files next to a log: kafka.log.1 is the newest of them


def begin(path: Path) -> None:
    """Put away the log of an earlier start, which has ended. Dying in between leaves a gap in the numbers."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists() and path.stat().st_size:
        path.rename(_first_free(path))


def rotate(paths: Iterable[Path], max_bytes: int = MAX_BYTES) -> None:
    """Copy and empty the logs that have grown past ``max_bytes``; their programs write on.

    A log that can't be copied, for example on a full disk, is left to the next look.
    """
    for path in paths:
        try:
            if path.stat().st_size > max_bytes:
                shutil.copyfile(path, _first_free(path))
                os.truncate(path, 0)
        except OSError:
            continue


def _first_free(path: Path) -> Path:
    """The name of the newest older file, made free: each of the others moves on by one, the oldest goes."""
    names = [path.with_name(f"{path.name}.{n}") for n in range(1, OLDER + 1)]
    for older, newer in zip(reversed(names[1:]), reversed(names[:-1]), strict=True):
        if newer.exists():
            newer.replace(older)
    return names[0]

"""Log rotation of the stack's programs: by start and by size, with a few older files.

A program keeps its log open, in append mode, as long as it runs: a renamed file would continue to grow. So a large log
is copied and then truncated. Lines written between the two are lost; a process that dies between them leaves the lines
in both files.
"""

import os
import shutil
from collections.abc import Iterable
from pathlib import Path

MAX_BYTES = 10 * 1024 * 1024  # per file; exceeded by the lines that are written between two checks
OLDER = 3  # older files per log; kafka.log.1 is the newest of them


def begin(path: Path) -> None:
    """Rotate the log of an earlier start, which has ended. If this dies half-way, a number is missing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists() and path.stat().st_size:
        path.rename(_first_free(path))


def rotate(paths: Iterable[Path], max_bytes: int = MAX_BYTES) -> None:
    """Copy and truncate the logs that are larger than ``max_bytes``, while their programs write.

    A log that can't be copied, for example on a full disk, is left to the next check.
    """
    for path in paths:
        try:
            if path.stat().st_size > max_bytes:
                shutil.copyfile(path, _first_free(path))
                os.truncate(path, 0)
        except OSError:
            continue


def _first_free(path: Path) -> Path:
    """Rename each older file to the next number, overwriting the oldest; returns the name that is free now."""
    names = [path.with_name(f"{path.name}.{n}") for n in range(1, OLDER + 1)]
    for older, newer in zip(reversed(names[1:]), reversed(names[:-1]), strict=True):
        if newer.exists():
            newer.replace(older)
    return names[0]

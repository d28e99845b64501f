"""Folders that are complete or absent: built next to their place, stamped, then renamed into it."""

import hashlib
import os
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path

STAMP = ".stamp"  # inside the folder, so that folder and stamp appear in one rename


def digest_of(files: Iterable[Path], *extra: str) -> str:
    """SHA-256 over the files' bytes and then the strings, in order."""
    total = hashlib.sha256()
    for file in files:
        total.update(hashlib.sha256(file.read_bytes()).digest())
    for text in extra:
        total.update(hashlib.sha256(text.encode()).digest())
    return total.hexdigest()


def is_current(folder: Path, digest: str) -> bool:
    """Whether the folder is complete and was built from the inputs of ``digest``."""
    try:
        return (folder / STAMP).read_text() == digest
    except (FileNotFoundError, NotADirectoryError):
        return False


def build_folder(folder: Path, digest: str, build: Callable[[Path], None]) -> None:
    """Replace ``folder`` with what ``build`` puts into an empty folder next to it; if it raises, the old one stays.

    Leftovers of a process that died here are removed by the next call.
    """
    part = folder.with_name(f".{folder.name}.part-{os.getpid()}")
    old = folder.with_name(f".{folder.name}.old-{os.getpid()}")
    for leftover in (*folder.parent.glob(f".{folder.name}.part-*"), *folder.parent.glob(f".{folder.name}.old-*")):
        shutil.rmtree(leftover)
    part.mkdir(parents=True)
    try:
        build(part)
        (part / STAMP).write_text(digest)
        if folder.exists():
            folder.rename(old)
        part.rename(folder)
    finally:
        shutil.rmtree(part, ignore_errors=True)
        shutil.rmtree(old, ignore_errors=True)

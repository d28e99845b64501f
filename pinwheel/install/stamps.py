"""Folders that are either whole or not there: built beside, stamped, then renamed into place."""

import hashlib
import os
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path

STAMP = ".stamp"  # inside the folder, so that folder and stamp appear in one rename


def digest_of(files: Iterable[Path], *extra: str) -> str:
    """SHA-256 over the files' bytes and further strings, in order."""
    total = hashlib.sha256()
    for file in files:
        total.update(hashlib.sha256(file.read_bytes()).digest())
    for text in extra:
        total.update(hashlib.sha256(text.encode()).digest())
    return total.hexdigest()


def is_current(folder: Path, digest: str) -> bool:
    """Whether the folder was built, to its end, from what ``digest`` stands for."""
    try:
        return (folder / STAMP).read_text() == digest
    except (FileNotFoundError, NotADirectoryError):
        return False


def build_folder(folder: Path, digest: str, build: Callable[[Path], None]) -> None:
    """Replace ``folder`` by what ``build`` puts into an empty one beside it; a failure leaves the old one."""
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

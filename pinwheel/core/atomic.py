"""Atomic file replacement: a reader sees the old or the new file, never half of one, even if the writer dies.

Not durable: after a power loss the file may be the old one, or empty. One writer per path at a time.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PRIVATE = 0o077  # the umask of every process of ours: files are for their owner alone, from their creation


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a path to write to; it is renamed to ``path`` when the block ends, and left behind when it raises."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.part")
    part.unlink(missing_ok=True)  # left by a writer that died
    yield part
    part.replace(path)


def write_text(path: Path, text: str, mode: int = 0o666) -> None:
    """Replace a file; ``mode`` (less the umask) holds from its creation, so a secret is never readable by others."""
    with replacing(path) as part, os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "w") as file:
        file.write(text)

"""Files that are replaced in one step: whoever reads one, or dies while writing it, finds the old or the new whole.

Not durable: a machine that loses power may find the old one, or an empty one. One process at a time writes a path.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give a path to write to; it becomes ``path`` at the end of the block, and stays next to it if that raises."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.part")
    part.unlink(missing_ok=True)  # of a writer that died
    yield part
    part.replace(path)


def write_text(path: Path, text: str, mode: int = 0o666) -> None:
    """Write a file anew; ``mode`` is cut by the umask, and never wider for a moment."""
    with replacing(path) as part, os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "w") as file:
        file.write(text)

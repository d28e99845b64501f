"""Shows the progress of a start: each step, its time, and what it waits for."""

import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol

from rich.console import Console
from rich.progress import Progress as RichBars
from rich.progress import SpinnerColumn, TextColumn, TimeElapsedColumn

Say = Callable[[str], None]


class Progress(Protocol):
    """Shows steps; thread-safe."""

    def step(self, title: str) -> AbstractContextManager[Say]:
        """Show a step while the block runs; call the yielded function with what the step waits for."""
        ...


class PlainProgress:
    """One line per step, for logs and pipes."""

    def __init__(self, write: Say | None = None) -> None:
        self._write = write or (lambda line: print(line, flush=True))
        self._lock = threading.Lock()

    def _line(self, text: str) -> None:
        with self._lock:
            self._write(text)

    @contextmanager
    def step(self, title: str) -> Iterator[Say]:
        """See ``Progress.step``."""
        start = time.monotonic()
        try:
            yield lambda what: self._line(f"  ...  {title}: {what}")
        except BaseException:
            self._line(f"  FAIL {title} ({time.monotonic() - start:.1f} s)")
            raise
        self._line(f"  ok   {title} ({time.monotonic() - start:.1f} s)")


class RichProgress:
    """Spinners and ticks, for terminals."""

    def __init__(self, bars: RichBars) -> None:
        self._bars = bars

    @contextmanager
    def step(self, title: str) -> Iterator[Say]:
        """See ``Progress.step``."""
        task = self._bars.add_task(title, total=1, waiting="")
        try:
            yield lambda what: self._bars.update(task, waiting=what)
        except BaseException:
            self._bars.update(task, description=f"[red]{title}", waiting="failed")
            self._bars.stop_task(task)
            raise
        self._bars.update(task, completed=1, description=f"[green]{title}", waiting="")


@contextmanager
def shown() -> Iterator[Progress]:
    """Progress on standard output: spinners on a terminal, plain lines elsewhere."""
    if not sys.stdout.isatty():
        yield PlainProgress()
        return
    columns = (
        SpinnerColumn(finished_text="[green]✓"),
        TextColumn("{task.description}"),
        TimeElapsedColumn(),
        TextColumn("[dim]{task.fields[waiting]}"),
    )
    with RichBars(*columns, console=Console()) as bars:
        yield RichProgress(bars)

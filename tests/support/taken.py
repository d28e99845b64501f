"""A sender for tests that send nothing."""

import threading
from collections.abc import Sequence


class Taken:
    """A sender that keeps the records it gets; stops the run after ``limit`` records."""

    def __init__(self, stop: threading.Event | None = None, limit: int = 10**9) -> None:
        self.keys: list[bytes] = []
        self.values: list[bytes | None] = []
        self.finished = False
        self.stop, self.limit = stop, limit

    def send(self, keys: Sequence[bytes], values: Sequence[bytes | None]) -> int:
        free = self.limit - len(self.keys)
        self.keys += keys[:free]
        self.values += values[:free]
        if self.stop and len(self.keys) >= self.limit:
            self.stop.set()
        return min(len(keys), free)

    def finish(self, seconds: float) -> None:
        self.finished = True

"""Measures CPU-seconds and memory of a stack's programs, by part, including ended children."""

import os
import statistics
import threading
import time
from abc import ABC, abstractmethod
from collections import defaultdict
from pathlib import Path
from typing import Self

import psutil

from pinwheel.clients import memsql
from pinwheel.core.settings import MemsqlSettings
from pinwheel.local import processes
from pinwheel.local.settings import LocalSettings
from pinwheel.stream import driver_lock

JVM, WORKERS = "driver JVM", "driver Python"
DRIVER = (JVM, WORKERS)
AGE = """
SELECT TIMESTAMPDIFF(MICROSECOND, complete_through_utc, UTC_TIMESTAMP(6)) / 1e6 AS age
FROM complete_through WHERE table_name = 'rollups'"""
SAMPLE_SECONDS = 5.0
PROGRAM_SECONDS = 1.0

Used = defaultdict[str, float]  # by part


class Usage:
    """CPU and memory of all programs of one stack, whichever process started them."""

    def __init__(self, settings: LocalSettings) -> None:
        self._settings = settings

    def cpu(self) -> Used:
        """CPU-seconds so far, by part; see ``spent`` for differences.

        A process that has ended is counted by its parent, if that waited for it: the kernel adds it to the parent.
        """
        used: Used = defaultdict(float)
        for part, process in self._members():
            try:
                used[part] += sum(process.cpu_times()[:4])  # user and system, of itself and of ended children
            except psutil.NoSuchProcess:
                continue
        return used

    def megabytes(self) -> Used:
        """Memory in MB by part. Shared pages are split between processes (PSS), so the parts add up."""
        held: Used = defaultdict(float)
        for part, process in self._members():
            held[part] += _pss_kb(process.pid) / 1024
        return held

    def _members(self) -> list[tuple[str, psutil.Process]]:
        session = self._driver_session()
        return [(self._part(p, session), p) for p in processes.marked(self._settings.stack_dir)]

    def _driver_session(self) -> int | None:
        found = driver_lock.running(self._settings.driver_lock_path)
        try:
            return os.getsid(found.pid) if found else None
        except ProcessLookupError:
            return None

    def _part(self, process: psutil.Process, driver_session: int | None) -> str:
        if driver_session is not None and processes.session_of(process) == driver_session:
            return JVM if _name(process) == "java" else WORKERS
        return processes.mark_of(process).rpartition(":")[2] or "gone"


class Sampler(ABC):
    """Looks again and again, in a thread of its own, while the block runs."""

    def __init__(self) -> None:
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    @abstractmethod
    def _watch(self) -> None:
        """Until it is over."""


class Peak(Sampler):
    """The peak memory of parts while the block runs."""

    def __init__(self, usage: Usage) -> None:
        super().__init__()
        self._usage = usage
        self.samples: list[tuple[float, Used]] = []

    def of(self, *parts: str) -> float:
        """Peak of the sum of the parts, in MB; of all parts when none is named."""
        return max((sum(s[p] for p in parts or s) for _, s in self.samples), default=0.0)

    def _watch(self) -> None:
        while True:
            self.samples.append((time.time(), self._usage.megabytes()))
            if self._over.wait(SAMPLE_SECONDS):
                return


class Ages(Sampler):
    """How many seconds behind the rollups are, asked for every second while the block runs."""

    def __init__(self, settings: MemsqlSettings) -> None:
        super().__init__()
        self._settings = settings
        self._seconds: list[tuple[float, float]] = []  # when asked, in Unix seconds, and the age then

    def p95(self, since: float) -> float:
        """The 95th percentile since a time in Unix seconds."""
        return statistics.quantiles([age for at, age in self._seconds if at >= since], n=20)[-1]

    def _watch(self) -> None:
        with memsql.connect(self._settings) as connection, connection.cursor() as cursor:
            while not self._over.wait(1):
                cursor.execute(AGE)
                self._seconds += [(time.time(), float(row["age"])) for row in cursor.fetchall()]
                connection.commit()


class Program(Sampler):
    """CPU-seconds of a program and its children, sampled every second: some children are not waited for."""

    def __init__(self, settings: LocalSettings, name: str) -> None:
        super().__init__()
        self.mark = f"{settings.stack_dir}:{name}"
        self._settings = settings
        self._seen: dict[int, float] = {}

    def __enter__(self) -> Self:
        self._began = os.times()
        return super().__enter__()

    def __exit__(self, *_: object) -> None:
        super().__exit__()
        now, began = os.times(), self._began
        waited = now.children_user + now.children_system - began.children_user - began.children_system
        self.cpu = max(waited, sum(self._seen.values()))

    def _watch(self) -> None:
        while not self._over.wait(PROGRAM_SECONDS):
            for process in processes.marked(self._settings.stack_dir):
                if processes.mark_of(process) == self.mark:
                    self._seen[process.pid] = sum(process.cpu_times()[:2])


def spent(before: Used, after: Used) -> dict[str, float]:
    """CPU-seconds by part between two measurements, in descending order."""
    used = {part: after[part] - before[part] for part in after if after[part] - before[part] >= 0.01}
    return dict(sorted(used.items(), key=lambda item: -item[1]))


def _name(process: psutil.Process) -> str:
    try:
        return process.name()
    except psutil.NoSuchProcess:
        return ""


def _pss_kb(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("Pss:")), 0)
